"""Who made an article, read from its byline and from the credits at its end."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from articles.sanitise import CleanHTML, to_text

MAX_CHARS = 2_000
MAX_NAME_CHARS = 80
MAX_TRAILING = 5


class Role(StrEnum):
    """What somebody did for an article; the same values as in the stored contributions."""

    AUTHOR = "author"
    CONTRIBUTING_REPORTER = "contributing_reporter"
    PHOTOGRAPHER = "photographer"
    ILLUSTRATOR = "illustrator"
    EDITOR = "editor"
    TRANSLATOR = "translator"
    AGENCY = "agency"


@dataclass(frozen=True)
class Credit:
    """One name in one role."""

    name: str
    role: Role


# Phrases that introduce names. They count at the start of the text or of a part of it.
_PHRASES: tuple[tuple[Role, str], ...] = (
    (
        Role.CONTRIBUTING_REPORTER,
        r"(?:(?:additional|further|more) )?reporting (?:was |were )?(?:also )?contributed by"
        r"|additional reporting(?: and \w+)? (?:by|from)"
        r"|with (?:additional )?(?:reporting|contributions|files|input|reports)(?: contributed)? (?:by"
        r"|from)|contributions? (?:by|from)"
        r"|contributors? ?:|(?:unter )?mitarbeit(?: von| ?:)|mit (?:beiträgen|material"
        r"|informationen) (?:von|der)"
        r"|avec (?:la (?:contribution|participation|collaboration)|les contributions) (?:de|d’|d')"
        r"|avec la contribution de"
        r"|contribuy(?:ó|eron) (?:a|en|con) est[ea] (?:reporte|artículo|informe|nota|reportaje|información)"
        r"|con (?:la )?(?:información|informaciones|colaboración|reportes|aportes) de|(?:ha"
        r"|hanno) collaborato ?:?"
        r"|con (?:la collaborazione|il contributo) di|com (?:a )?(?:informações|colaboração"
        r"|reportagem) d[aeo]|colabor(?:ou|aram) ?:?"
        r"|met (?:medewerking|bijdragen) van|m\.m\.v\.|współpraca ?:|we współpracy z|за участ[іию]"
        r"|при участии"
        r"|в подготовке (?:материала|статьи) участвовал[аи]?"
        r"|ساهم(?:ت)? في (?:إعداد )?(?:هذا )?التقرير ?:?|شارك(?:ت)? في (?:إعداد )?(?:هذا )?التقرير ?:?"
        r"|بمشاركة|katkıda bulunan(?:lar)? ?:|参与报道 ?[:：]|取材協力 ?[:：]|協力 ?[:：]",
    ),
    (
        Role.PHOTOGRAPHER,
        r"(?:photos?|photographs?|photography|pictures?|images?|photographies)(?: ?:| by | de | par )"
        r"|fotos? (?:von|de|di|door) "
        r"|(?:foto|fotos|fotografie|fotografía|fotografías|fotografia|bilder?|zdjęci[ae]|fot\.|фото"
        r"|фотографії|фотографии|صور|صورة|تصوير"
        r"|fotoğraf|fotoğraflar) ?[:：]|fotografías de |fot\. |(?:摄影|攝影|撮影|写真|图片?) ?[:：/]",
    ),
    (
        Role.ILLUSTRATOR,
        r"(?:illustrations?|artwork|graphics?)(?: ?:| by | de | par )|illustrationen (?:von )"
        r"|illustrazion[ei] di "
        r"|(?:illustrationen|illustrazion[ei]|ilustraci(?:ón|ones)|ilustraç(?:ão|ões)|ilustracj[ae]"
        r"|illustraties?|ілюстраці[їя]"
        r"|иллюстраци[ия]|رسوم|çizim|çizer|插画|插畫|イラスト|ilustração) ?[:：]",
    ),
    (
        Role.EDITOR,
        r"(?:edited|editing|copy edited) by|editors? ?:|(?:redaktion|redigiert|edición|edição|redactie"
        r"|eindredactie|redakcja|a cura|édition)"
        r" ?:|redigiert von|édité par|editado por|a cura di|redagował[ai]?|редактор(?:ка|и|ы)? ?:"
        r"|за редакцією|под редакцией|تحرير ?:|editör ?:"
        r"|(?:责任编辑|責任編輯|编辑|編輯|編集) ?[:：/]",
    ),
    (
        Role.TRANSLATOR,
        r"translat(?:ed|ion)(?: from (?:the )?\w+)? by|translat(?:ion|or) ?:"
        r"|(?:aus dem \w+ )?übersetzt von|aus dem \w+ von"
        r"|übersetzung(?: aus dem \w+)?(?: von| ?:)|traduit(?: (?:du|de l’|de l'|de la"
        r"|de) ?\w+)?(?: \(\w+\))? par|traduction(?: ?:| de | par )"
        r"|traducid[oa](?: del \w+)? por|traducción(?: ?:| de )|tradotto(?: dall[’']\w+| dal \w+)? da"
        r"|traduzione(?: ?:| di )"
        r"|traduzid[oa](?: do \w+)? por|tradução(?: ?:| de )|vertaald(?: uit het \w+)? door"
        r"|vertaling ?:|tłumaczenie ?:|tłumaczył[ai]?|przełożył[ai]?"
        r"|przekład ?:|переклад(?: з \w+)? ?:|переклав|переклала|перевод(?: с \w+)? ?:|перев[её]л"
        r"|перевела|ترجمة ?:|çevir(?:i|en) ?:"
        r"|(?:翻译|翻譯|翻訳|译者?|訳) ?[:：/]",
    ),
    (
        Role.AUTHOR,
        r"(?:written|reported|words|text|story|report|reporting) by|(?:author|authors|text|words|story"
        r"|byline|autor|autorin|autoren|autora|autores|autore"
        r"|autori|auteurs?|texte?|testo|texto|tekst|автор|автори|авторы|текст|yazan|haber|reportage"
        r"|reportaje|reporter|bericht) ?[:：]"
        r"|матеріал підготува(?:ли|ла|в)|підготува(?:ли|ла|в)|над матеріалом працювал[иа]"
        r"|материал подготовил[аи]?|подготовил[аи]?"
        r"|(?:بقلم|كتب|كتبت|إعداد|تقرير|تأليف) ?:?|מאת ?:?|(?:撰文"
        r"|撰稿|作者|文・写真|文|取材・文|글) ?[:：/｜|]|(?:本报"
        r"|新华社)?(?:记者|記者) ?[:：/]?",
    ),
)
# "By" in each language, and the least number of words that must follow before it is not part of a name.
_BY: dict[str, tuple[str, int]] = {
    "by": ("", 1),
    "from": ("en", 2),
    "von": ("de", 2),
    "par": ("fr", 1),
    "por": ("es pt", 1),
    "da": ("it", 2),
    "di": ("it", 2),
    "door": ("nl", 1),
    "av": ("sv no nb nn", 1),
    "af": ("da", 1),
}
_UNAMBIGUOUS_BY = frozenset({"by", "von", "par", "por", "door"})
# "With" in each language: only before agencies, else it begins a sentence.
_WITH = re.compile(
    r"\(?(?:with|mit|avec|con|com|met|z|з|с|source|sources|quellen?|fuentes?|fontes?|fonte|bron|źródło"
    r"|джерело|источник) ?:? ",
    re.I,
)
_NAMES_FIRST = re.compile(
    r"(?P<names>.{3,400}?),? (?:also )?(?:(?:has |have )?contributed (?:reporting|to this (?:report"
    r"|article|story))(?: from [\w ]{2,40})?"
    r"|(?:hat|haben) (?:zu diesem (?:bericht|artikel|text) beigetragen|an diesem (?:bericht|artikel"
    r"|text) mitgearbeitet)"
    r"|(?:a|ont) contribué à (?:cet article|ce reportage)|contribuy(?:ó|eron) (?:a|en"
    r"|con) est[ea] (?:reporte|artículo|informe|nota|reportaje)"
    r"|(?:ha|hanno) (?:contribuito|collaborato) a quest[oa’'] ?\w+|contribu(?:iu"
    r"|íram) para est[ae] \w+)\.?",
    re.I,
)
# One of these stands in whatever _NAMES_FIRST finds.
_CONTRIBUTED = ("contribu", "beigetragen", "mitgearbeitet", "collaborato")

_AGENCIES = {
    "AP": "ap|associated press|the associated press",
    "AFP": "afp|agence france presse|agence france-presse",
    "Reuters": "reuters|thomson reuters|reuters staff",
    "dpa": "dpa|dpa-afx|dpa infocom|deutsche presse-agentur",
    "UPI": "upi|united press international",
    "PA Media": "pa media|press association|pa news agency",
    "Bloomberg": "bloomberg|bloomberg news",
    "EFE": "efe|agencia efe|agencias efe",
    "Europa Press": "europa press",
    "ANSA": "ansa",
    "Adnkronos": "adnkronos",
    "APA": "apa",
    "KNA": "kna",
    "epd": "epd",
    "Keystone-SDA": "keystone-sda|sda|ats",
    "Lusa": "lusa|agência lusa",
    "Agência Brasil": "agência brasil",
    "ANP": "anp",
    "Belga": "belga",
    "PAP": "pap",
    "Ukrinform": "ukrinform|укрінформ|укринформ",
    "Interfax-Ukraine": "interfax-ukraine|інтерфакс-україна|интерфакс-украина",
    "UNIAN": "unian|уніан|униан",
    "Interfax": "interfax|интерфакс",
    "TASS": "tass|тасс",
    "RIA Novosti": "ria novosti|риа новости",
    "Anadolu": "aa|anadolu|anadolu agency|anadolu ajansı|الأناضول|وكالة الأناضول",
    "DHA": "dha|demirören haber ajansı",
    "Xinhua": "xinhua|xinhua news agency|新华社|新華社",
    "China News Service": "中新社|中国新闻社",
    "Kyodo": "kyodo|kyodo news|共同通信|共同通信社|共同",
    "Jiji Press": "jiji|jiji press|時事通信|時事通信社|時事",
    "Yonhap": "yonhap|yonhap news agency|연합뉴스",
    "PTI": "pti|press trust of india",
    "ANI": "ani",
    "IANS": "ians",
    "CTK": "ctk|čtk",
    "TT": "tt",
    "NTB": "ntb",
    "Ritzau": "ritzau",
    "STT": "stt",
    "MTI": "mti",
    "AAP": "aap|australian associated press",
    "The Canadian Press": "canadian press|the canadian press",
    "SPA": "واس|وكالة الأنباء السعودية",
    "WAFA": "wafa|وفا",
    "MENA": "أ ش أ|وكالة أنباء الشرق الأوسط",
    "Getty Images": "getty|getty images",
}
_AGENCY_NAMES = {
    **{spelling: name for name, spellings in _AGENCIES.items() for spelling in spellings.split("|")},
    **{
        "أ ف ب": "AFP",
        "أ.ف.ب": "AFP",
        "رويترز": "Reuters",
        "د ب أ": "dpa",
        "أ ب": "AP",
        "路透社": "Reuters",
        "法新社": "AFP",
    },
    **{"ロイター": "Reuters", "美联社": "AP", "рейтер": "Reuters", "афп": "AFP"},
}
# Too short to be an agency in small letters: "Apa", "Ani" and "Pap" are people.
_CAPITALS_ONLY = frozenset(
    {
        "ap",
        "apa",
        "ani",
        "pap",
        "aa",
        "tt",
        "pa",
        "spa",
        "ats",
        "sda",
        "ians",
        "mti",
        "stt",
        "ntb",
        "ansa",
        "aap",
    }
)

_JOBS = re.compile(
    r"(?<!\w)(?:correspondents?|reporters?|editors?|writers?|columnists?|critics?|journalists?|producers?"
    r"|analysts?|commentators?|photographers?|staff|chief"
    r"|bureau|newsroom|desk|team|board|agencies|wires?|services?|korrespondent(?:in|en)?"
    r"|redakteur(?:in|e)?|reporterin|redaktion|chefredakteur(?:in)?"
    r"|rédaction|correspondante?|journaliste|envoyée?|redacción|corresponsal|periodista|enviad[oa]"
    r"|redazione|inviat[oa]|corrispondente|redação"
    r"|repórter|jornalista|correspondente|redactie|redacteur|verslaggever|correspondent|redakcja"
    r"|dziennikarka?|dziennikarz|korespondent(?:ka)?"
    r"|редакция|редакція|корреспондент|кореспондент(?:ка)?|журналист(?:ка)?|журналіст(?:ка)?|muhabiri?"
    r"|editörü|مراسل(?:ة|نا|تنا)?|محرر|هيئة التحرير"
    r"|professor|director|president|minister|ceo|author of|is an?|was an?)(?!\w)",
    re.I,
)
# Many people at once, whatever stands before.
_GROUP = re.compile(r"(?<!\w)(?:team|desk|board|bureau|newsroom|agencies|services?|wires?)$", re.I)
_JOB_MODIFIERS = re.compile(
    r"(?:staff|senior|junior|chief|deputy|associate|assistant|special|political|politics|science"
    r"|foreign|sports?|business|health|culture|economics?"
    r"|diplomatic|defen[cs]e|national|european?|world|investigative|medical|technology|tech|climate"
    r"|energy|legal|royal|city|our|the|ap|afp|reuters|upi"
    r"|bbc|cnn|and|middle|east|unser|unsere|notre|nuestr[oa]|nostr[oa]|onze|наш|von|des|du|de|der|in"
    r"|for|at|news|environment|education|features?"
    r"|africa|asia|america|latin|us|uk|china|russia|ukraine|germany|france|north|south|west|affairs|policy"
    r"|home|crime|data|arts|music|film|media|social|theatre|theater|book|investigations)",
    re.I,
)
_NOBODY = frozenset(
    {
        "admin",
        "administrator",
        "editor",
        "editors",
        "the editors",
        "editorial",
        "webmaster",
        "anonymous",
        "unknown",
        "guest",
        "none",
        "null",
        "n/a",
    }
    | {
        "nobody",
        "root",
        "user",
        "contributor",
        "contributors",
        "agencies",
        "agency",
        "wires",
        "online",
        "web",
        "news",
        "press release",
        "noreply",
    }
    | {
        "no-reply",
        "redaktion",
        "agenturen",
        "agences",
        "agencias",
        "agenzie",
        "agências",
        "редакция",
        "редакція",
        "wire reports",
        "wire services",
    }
    | {
        "编辑部",
        "編集部",
        "編輯部",
        "本报讯",
        "编辑",
        "記者",
        "记者",
        "هيئة التحرير",
        "وكالات",
        "haber merkezi",
        "dış haberler",
        "various",
        "others",
    }
)
_OUTLET_WORDS = frozenset(
    {
        "the",
        "staff",
        "reporter",
        "reporters",
        "news",
        "online",
        "team",
        "desk",
        "editors",
        "editorial",
        "newsroom",
        "web",
        "digital",
        "com",
        "org",
    }
    | {
        "redaktion",
        "rédaction",
        "la",
        "le",
        "der",
        "die",
        "das",
        "el",
        "redacción",
        "redazione",
        "redactie",
        "www",
        "net",
        "magazine",
        "editor",
    }
)
_PARTICLES = frozenset(
    {
        "van",
        "der",
        "den",
        "de",
        "la",
        "las",
        "los",
        "von",
        "vom",
        "zu",
        "zum",
        "zur",
        "del",
        "della",
        "dello",
        "dei",
        "degli",
        "di",
        "da",
        "do",
        "dos",
    }
    | {
        "das",
        "du",
        "des",
        "le",
        "el",
        "al",
        "bin",
        "bint",
        "ibn",
        "ben",
        "abu",
        "af",
        "av",
        "ter",
        "ten",
        "te",
        "y",
        "e",
        "i",
        "und",
        "'t",
        "’t",
        "d",
    }
)
_ELIDED = re.compile(r"(?:d|l|de|dell|all|dall)['’](?=[^\W\d_])")
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|md|phd|esq|ph\.d|m\.d)\.?", re.I)
_HONORIFIC = re.compile(r"(?:mr|mrs|ms|dr|prof|sir|dame)\.? (?=\w+[ .])", re.I)

_EMAIL = re.compile(r"(?:mailto:)?[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8}")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.I)
_TEXT_IN_BRACKETS = re.compile(r"[(\[（【<]([^()\[\]（）【】<>]{0,120})[)\]）】>]")
_JOINED = re.compile(
    r" (?:and|und|et|ve|та|и|і|й|oraz|&|و) (?!al\b)| ?[;/|•；、，،] ?|\n| [-–—] |,(?: (?:and|und|et) )?", re.I
)
_ONE_LETTER = {
    "y": "es",
    "e": "it pt es",
    "i": "pl ca",
    "en": "nl",
    "og": "no nb da",
    "och": "sv",
    "和": "zh",
    "与": "zh",
    "及": "zh",
    "と": "ja",
}
_PLACE = re.compile(
    r" (?:in|à|en|em|at|aus|from|w|we|у|в|near|reporting from|à|auf) (?=[^\W\d_])(?P<place>.{2,60})$", re.I
)
# "Anna Berg, Berlin" and no more: the place where she works, not a colleague.
_PLACE_AFTER = re.compile(r"([^\W\d_][^\s,;/|]*(?: [^\s,;/|]+)+), ([^\W\d_]+)")
_FOR = re.compile(r" (?:for|für|pour|para|per|voor|dla|для) .{2,60}$", re.I)
_BAD = re.compile(r"[\d<>{}\[\]@#$%=_\\^~*!?\"“”„«»:]|https?|www\.")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# The name somebody signs on with, alone in its field.
_HANDLE = re.compile(r"(?:/?u/)?@?((?=[\w.\-]*[a-zA-Z])[a-zA-Z0-9][\w.\-]*[\d_][\w.\-]*)", re.A)
# "Berg, A. B., Li, C.": surnames first, as journals write them.
_CITED = re.compile(r"([^\W\d_][^,.;\d]{1,40}), ((?:[^\W\d_]\.[ \-]?){1,4})(?:, ?|; ?|$)")
_ALL_CITED = re.compile(f"(?:{_CITED.pattern})++")
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)


_BOUNDARY = re.compile(r"^|[;,|/•\n(。；，] *|(?<=[\u3400-\u9fff]) |(?<=\w\w)\. | [–—-] | (?:and|und) ", re.I)
_PHRASE = re.compile(
    "(?:"
    + "|".join(f"(?P<{role.value}>{pattern})" for role, pattern in _PHRASES)
    + r")(?:\s+|(?<=[:：/｜|者 ])|$)",
    re.I,
)
_INVERTED = re.compile(r"([^\W\d_][\w'’\-]+), ([^\W\d_][\w'’\-]+(?: \w\.)?)")
_ROLES_IN_BRACKETS = {
    **dict.fromkeys(("text", "texte", "texto", "testo", "words", "tekst", "текст", "文"), Role.AUTHOR),
    **dict.fromkeys(
        ("photo", "photos", "foto", "fotos", "pictures", "фото", "图", "写真", "bilder"), Role.PHOTOGRAPHER
    ),
    **dict.fromkeys(
        ("illustration", "illustrations", "illustrationen", "graphics", "grafik"), Role.ILLUSTRATOR
    ),
    **dict.fromkeys(("video", "videos", "audio"), Role.CONTRIBUTING_REPORTER),
    **dict.fromkeys(("translation", "übersetzung", "traduction", "переклад", "перевод"), Role.TRANSLATOR),
}
_PARAGRAPH = re.compile(r"<p(?: [^>]*)?>")
_PARAGRAPH_EDGE = re.compile(r"</?p[ >]")
_EMPTY_END = re.compile(r"(?:\s|&nbsp;|<hr>|<p></p>)+$")
_AROUND_LINE = " \t\n*_—–-•·"


# What some outlets put before a name, and what then says that agencies helped.
_LEAD_IN = re.compile(
    r"(?:(?:reviewed|compiled|told) by|eine? [\w\-]{3,20} von|von unser(?:em|er|en) [\w\-]+(?:in)?"
    r"|rozmawiała?|oprac(?:owała?|\.)|文[・･:：](?!写真|取材)|\w{1,4}部(?= ))\s*",
    re.I,
)
_HELPED = re.compile(
    r"[,;]?\s*(?:avec|mit|with|con|com|и|з)\s+(?:les\s+|las\s+)?(?:agences|agenturen|agencies|agencias|agências)\s*$",
    re.I,
)
_AGENCIES_AT_END = re.compile(r"(?:s|n)\s*$", re.I)
_BOTH = re.compile(r"(?:words|text) (?:and|&) (?:pictures|photos|photographs) by (.{3,200})", re.I)
_DESK = re.compile(r"قسم ")


def _common_form(text: str, outlet: str) -> str:
    """The byline without its lead-in, the agencies that helped and the outlet behind a stroke."""
    name, stroke, after = text.rpartition("|" if "|" in text else "/")
    if stroke and outlet and after.strip().casefold() == outlet.casefold():
        text = name.rstrip()
    text = _HELPED.sub("", text) if _AGENCIES_AT_END.search(text) else text
    if both := _BOTH.fullmatch(text):
        return f"By {both[1]}; Photographs by {both[1]}"
    text = _LEAD_IN.sub("", text, count=1) if _LEAD_IN.match(text) else text
    return "" if _DESK.match(text) else text


@lru_cache(maxsize=8192)
def parse_byline(text: str, *, language: str = "", outlet: str = "") -> tuple[Credit, ...]:
    """The people and agencies of a byline, in order. The outlet itself, desks and job titles are nobody."""
    text = _common_form(_without_mail(_plain(text)), outlet)
    if handle := _HANDLE.fullmatch(text):
        known = _Names(Role.AUTHOR, language, outlet)
        return () if known.is_nobody(handle[1]) else (Credit(handle[1], Role.AUTHOR),)
    text = _CITED.sub(r"\2 \1; ", text) if _ALL_CITED.fullmatch(text) else text
    found: list[Credit] = []
    for role, names in _parts(text):
        if role is None:
            role, names = Role.AUTHOR, without_by(names, language)
        found += _Names(role, language, outlet).read(names)[0]
    return tuple(dict.fromkeys(found))


def split_trailing_credits(body_html: str, *, language: str = "") -> tuple[str, tuple[Credit, ...]]:
    """The body without the paragraphs of credits at its end, and those credits in order.

    Only what is wholly understood leaves the body.
    """
    credits: tuple[Credit, ...] = ()
    for _ in range(MAX_TRAILING):
        rest, line = _last_line(body_html)
        found = credits_in(line, language=language) if line else ()
        if not found:
            break
        body_html, credits = rest, found + credits
    return body_html, tuple(dict.fromkeys(credits))


def _last_line(body_html: str) -> tuple[str, str]:
    """The body without its last paragraph, or what follows its last line break, and the text of that."""
    is_clean = isinstance(body_html, CleanHTML)
    end = body_html[: len(body_html) - len(_tail_of(body_html))]
    start = end.rfind("<p", max(0, len(end) - 4 * MAX_CHARS))
    opening = _PARAGRAPH.match(end, start) if start >= 0 else None
    closing = _PARAGRAPH_EDGE.search(end, opening.end()) if opening else None
    if opening is None or closing is None or end[closing.start() :] != "</p>":
        return body_html, ""
    paragraph = end[opening.end() : -4]
    before, line_break, line = paragraph.rpartition("<br>")
    if not line_break:
        return end[:start].rstrip(), to_text(CleanHTML(paragraph) if is_clean else paragraph)
    return f"{end[:start]}{opening[0]}{before.removesuffix('<br>').rstrip()}</p>", to_text(line)


def _tail_of(body_html: str) -> str:
    """White space and empty elements at the end, looked for only where there can be some."""
    tail = body_html[-200:]
    if tail.endswith("</p>") and not tail.endswith("<p></p>"):
        return ""
    empty = _EMPTY_END.search(tail)
    return empty[0] if empty else ""


def credits_in(line: str, *, language: str = "") -> tuple[Credit, ...]:
    """The credits in a line that is nothing else, or none."""
    if len(line) > MAX_CHARS:
        return ()
    text = _plain(line).strip(_AROUND_LINE).removeprefix("(").removesuffix(")").strip()
    if not _may_be_credits(text):
        return ()
    if first := _NAMES_FIRST.fullmatch(text):
        return _whole(Role.CONTRIBUTING_REPORTER, first["names"], language)
    agencies = _WITH.match(text)
    if agencies and not _PHRASE.match(text):
        found = _whole(Role.AGENCY, text[agencies.end() :].rstrip("."), language)
        return (
            found if all(credit.role is Role.AGENCY and credit.name in _AGENCIES for credit in found) else ()
        )
    found_all: tuple[Credit, ...] = ()
    for role, names in _parts(text):
        found = _whole(role, names, language) if role else _whole_by(names, language)
        if not found:
            return ()
        found_all += found
    return found_all


def names_in(line: str, *, language: str = "", outlet: str = "") -> tuple[Credit, ...]:
    """The people in a line that is their names and no more, each of more than one word; else none."""
    return _whole(Role.AUTHOR, _plain(line), language, outlet) if len(line) <= MAX_CHARS else ()


def is_label(line: str) -> bool:
    """Whether a line only announces who wrote: "By", "Von", "Author:"."""
    word = _plain(line).rstrip(" :").casefold()
    label = _PHRASE.fullmatch(f"{word}:") if 0 < len(word) <= MAX_NAME_CHARS else None
    return word in _UNAMBIGUOUS_BY or (label is not None and label.lastgroup == Role.AUTHOR.value)


def _may_be_credits(text: str) -> bool:
    """False for nearly every line of a report, at a hundredth of the price of reading it as credits."""
    folded = text.casefold()
    if not text[:1].isalpha() or any(word in folded for word in _CONTRIBUTED):
        return True
    first = folded.partition(" ")[0].rstrip(":")
    return first in _BY or bool(_WITH.match(text) or _PHRASE.match(text))


def _whole(role: Role, names: str, language: str, outlet: str = "") -> tuple[Credit, ...]:
    """The credits if each part of the text was understood and each person has more than one name."""
    found, complete = _Names(role, language, outlet).read(names)
    sure = all(
        credit.role is Role.AGENCY or " " in credit.name or _CJK.search(credit.name) for credit in found
    )
    return tuple(found) if complete and sure else ()


def _whole_by(names: str, language: str) -> tuple[Credit, ...]:
    stripped = without_by(names, language)
    return _whole(Role.AUTHOR, stripped, language) if stripped != names else ()


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable() and "  " not in text:
        return text[:MAX_CHARS].strip()
    text = unicodedata.normalize("NFC", _HIDDEN.sub("", text[:MAX_CHARS].replace("\xa0", " ")))
    return re.sub(r"[^\S\n]+", " ", text).strip()


def _without_mail(text: str) -> str:
    """The name beside a web or e-mail address, whichever of the two is in brackets."""
    text = _ADDRESS.sub("", text) if "." in text or "/" in text else text
    if "@" not in text:
        return text
    text = _EMAIL.sub("", text).strip(" ,;:|-")
    text = re.sub(r"[(\[<] *[)\]>]", "", text).strip()
    return text[1:-1].strip() if text[:1] == "(" and text[-1:] == ")" else text


def _parts(text: str) -> list[tuple[Role | None, str]]:
    """The text cut where a phrase names a role; what stands before the first phrase has none."""
    starts: list[tuple[int, int, Role]] = []
    for boundary in _BOUNDARY.finditer(text):
        phrase = _PHRASE.match(text, boundary.end())
        if phrase and phrase.lastgroup and (not starts or boundary.end() >= starts[-1][1]):
            starts.append((boundary.start(), phrase.end(), Role(phrase.lastgroup)))
    parts: list[tuple[Role | None, str]] = []
    if leading := text[: starts[0][0] if starts else None].strip():
        parts.append((None, leading))
    ends = [*(start for start, _, _ in starts[1:]), len(text)][: len(starts)]
    cuts = zip(starts, ends, strict=True)
    return parts + [(role, text[start:end].strip()) for (_, start, role), end in cuts]


def without_by(text: str, language: str) -> str:
    """The text without the "By" of its language, unless that is the beginning of a name."""
    word, _, rest = text.partition(" ")
    word = word.rstrip(":").casefold()
    if word not in _BY or not rest:
        return text
    languages, least = _BY[word]
    known = word in _UNAMBIGUOUS_BY if not language else not languages or language[:2] in languages.split()
    enough = len(rest.split()) >= least or rest.casefold() in _AGENCY_NAMES
    return rest.strip() if known and enough else text


class _Names:
    """Reads a list of names that share a role."""

    def __init__(self, role: Role, language: str, outlet: str) -> None:
        self.role = role
        self.language = language[:2].lower()
        self.outlet, self.outlet_core = _outlet_words(outlet)
        self.found: list[Credit] = []
        self.complete = True
        self.placed = False

    def read(self, text: str) -> tuple[list[Credit], bool]:
        """The credits, and whether nothing was left that we did not understand."""
        text = text.strip(" ,;:|–—-/")
        inverted = _INVERTED.fullmatch(text)
        if (
            inverted
            and not _CJK.search(text)
            and not any(self.is_nobody(part) or _agency(part) for part in inverted.groups())
        ):
            text = f"{inverted[2]} {inverted[1]}"
        place = _PLACE_AFTER.fullmatch(text)
        if place and not _agency(place[2]) and not _SUFFIX.fullmatch(place[2]):
            text = place[1]
        for piece in _JOINED.split(text):
            for part in self._split_by_letter(piece):
                self._add(part)
        return self.found, self.complete and bool(self.found)

    def _split_by_letter(self, piece: str) -> list[str]:
        """Parts joined by a one-letter "and", which may also belong to a Spanish or Polish name."""
        for word, languages in _ONE_LETTER.items():
            spaced = f" {word} " if word.isascii() else word
            before, found, after = piece.partition(spaced)
            if not found or (self.language and self.language not in languages.split()):
                continue
            if not self.language and word in ("i", "en"):
                continue
            if word.isascii() and min(len(before.split()), len(after.split())) >= 2:
                return [before, *self._split_by_letter(after)]
            if not word.isascii() and self.language and min(len(before.strip()), len(after.strip())) >= 2:
                return [before, *self._split_by_letter(after)]
        return [piece]

    def _add(self, piece: str) -> None:
        role = self.role
        for bracket in _TEXT_IN_BRACKETS.finditer(piece):
            role = _ROLES_IN_BRACKETS.get(bracket[1].strip().casefold(), role)
        bare = _TEXT_IN_BRACKETS.sub(" ", piece).strip(" ,;:()")
        placed = _PLACE.search(bare)
        bare = _FOR.sub("", bare[: placed.start()] if placed else bare).strip()
        if bare:
            self._add_bare(bare, role)
        self.placed = self.placed or placed is not None
        for bracket in _TEXT_IN_BRACKETS.finditer(piece):
            if agency := _agency(bracket[1].strip()):
                self.found.append(Credit(agency, Role.AGENCY))

    def _add_bare(self, bare: str, role: Role) -> None:
        bare = _ending(bare)
        if _SUFFIX.fullmatch(bare) and self.found and self.found[-1].role is role:
            self.found[-1] = Credit(f"{self.found[-1].name} {bare}", role)
        elif agency := _agency(bare):
            if _folded(bare) != self.outlet:
                self.found.append(Credit(agency, Role.AGENCY))
        elif self.is_nobody(bare) or (self.placed and len(bare.split()) == 1):
            return
        elif name := _name(bare):
            self.found.append(Credit(name, role))
        else:
            self.complete = False

    def is_nobody(self, text: str) -> bool:
        """Whether the text names a desk, a job or the outlet instead of a person."""
        folded = _folded(text)
        if not folded or text.casefold().strip(". ") in _NOBODY:
            return True
        if self.outlet and (folded == self.outlet or _core(text) == self.outlet_core):
            return True
        return bool(_JOBS.search(text)) and not _without_job(text)


@lru_cache(maxsize=1024)
def _outlet_words(outlet: str) -> tuple[str, str]:
    """The outlet's name as names are compared with it, whole and without what says little."""
    return _folded(outlet), _core(outlet) or _folded(outlet)


def _core(text: str) -> str:
    """The outlet's own words, without "the", "staff" or ".com"."""
    return "".join(word for word in re.findall(r"[^\W_]+", text.casefold()) if word not in _OUTLET_WORDS)


def _folded(text: str) -> str:
    return "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))


def _agency(text: str) -> str:
    """The agency's own name if the text is one of its spellings."""
    key = text.strip(" .").casefold()
    if key in _CAPITALS_ONLY and not text.isupper():
        return ""
    return _AGENCY_NAMES.get(key, "")


def _ending(text: str) -> str:
    """The text without a full stop at its end, unless that belongs to an initial or to "Jr."."""
    if text.endswith(".") and not re.search(r"(?:^|\W)(?:\w|jr|sr|ph\.d|m\.d)\.$", text, re.I):
        return text[:-1].rstrip()
    return text


def _without_job(text: str) -> str:
    """The name in "AP Science Writer Ann Lee" or "Ann Lee Staff Writer"; nothing if there is none."""
    matches = list(_JOBS.finditer(text))
    if _GROUP.search(text):
        return ""
    after = text[matches[-1].end() :].strip(" ,:")
    if len(after.split()) >= 2 and _is_name(after):
        return after
    words = text[: matches[0].start()].split()
    while words and _JOB_MODIFIERS.fullmatch(words[-1]):
        words.pop()
    before = " ".join(words)
    return before if len(words) >= 2 and _is_name(before) else ""


def _name(text: str) -> str:
    """The text as a person's name, or nothing."""
    text = _HONORIFIC.sub("", text, count=1)
    if _JOBS.search(text):
        text = _without_job(text)
    return _in_small_letters(text) if _is_name(text) else ""


def _is_name(text: str) -> bool:
    words = text.split()
    if not 2 <= len(text) <= MAX_NAME_CHARS or len(words) > 7 or _BAD.search(text):
        return False
    if not text[:2].isalpha() and sum(character.isalpha() for character in text) < 2:
        return False
    small = sum(word[0].islower() and not _is_particle(word) and "-" not in word for word in words)
    return small == 0 or (small == len(words) <= 3)


def _is_particle(word: str) -> bool:
    """Whether a name may have it in small letters: "von", or "d’" before the rest of its word."""
    return word.casefold() in _PARTICLES or bool(_ELIDED.match(word))


def _in_small_letters(name: str) -> str:
    """A name in capitals written the usual way; any other as it is."""
    if not name.isupper() or (len(name.split()) == 1 and len(name) < 5):
        return name
    words = name.split()
    return " ".join(_small(word, first=index == 0) for index, word in enumerate(words))


def _small(word: str, *, first: bool) -> str:
    if re.fullmatch(r"(?:\w\.)+|I{2,3}|IV", word):
        return word
    if not first and word.casefold() in _PARTICLES:
        return word.casefold()
    word = re.sub(r"[^\W\d_]+", lambda part: part[0].capitalize(), word)
    return re.sub(r"^Mc(\w)", lambda part: f"Mc{part[1].upper()}", word) if len(word) > 4 else word

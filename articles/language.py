"""Which language a text is in, and which way it runs."""

from __future__ import annotations

import re
from collections import Counter

MAX_CHARS = 2_000
MIN_LETTERS = 12
MIN_HITS = 3

# Older and three-letter codes for the languages we are likely to meet.
_ALIASES = {
    **{
        "iw": "he",
        "in": "id",
        "ji": "yi",
        "mo": "ro",
        "eng": "en",
        "deu": "de",
        "ger": "de",
        "fra": "fr",
        "fre": "fr",
    },
    **{
        "spa": "es",
        "ita": "it",
        "por": "pt",
        "nld": "nl",
        "dut": "nl",
        "pol": "pl",
        "ukr": "uk",
        "rus": "ru",
    },
    **{
        "ara": "ar",
        "heb": "he",
        "zho": "zh",
        "chi": "zh",
        "jpn": "ja",
        "kor": "ko",
        "tur": "tr",
        "cmn": "zh",
    },
}
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis", "root"})
_RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*", re.I)

_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_STOP_WORDS = {
    "en": (
        "the of and to in is that for was on with as at by it from be are this have he his not but they "
        "which an were has will who said"
    ),
    "de": (
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden "
        "aus er hat dass sie nach wird bei um"
    ),
    "fr": (
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec "
        "ses été son aux cette mais ou"
    ),
    "es": (
        "de la que el en y a los se del las un por con una su para es al lo como más fue sus pero este ha "
        "son está sobre también entre"
    ),
    "it": (
        "di e il la che in a per un del è una sono con non si le i da al dei della gli più anche nel ha "
        "come alla lo ma delle questo"
    ),
    "pt": (
        "de a o que e do da em um para com não uma os no se na por mais as dos como ao foi das são pelo "
        "pela à ou seu também já"
    ),
    "nl": (
        "de van het een en in is dat op te zijn voor met die niet aan er om ook als bij door naar uit maar "
        "werd heeft hij ze wordt nog"
    ),
    "pl": (
        "w i na z się do nie że to jest o jak po od za co przez dla są tym ale przed tego oraz który już "
        "jego która tylko może był"
    ),
    "tr": (
        "ve bir bu da de için ile olarak çok daha olan gibi en ne var ancak sonra kadar değil olduğu ise "
        "göre mi o her şey yeni"
    ),
    "uk": (
        "і в на з не що та у до за це як від про для його є але було які був також або якщо під після вони "
        "щоб цього року чи"
    ),
    "ru": (
        "и в на не что с по для это как из его о но от за к он был года было также или если они чтобы после "
        "этого году так же все"
    ),
}
COMMON_WORDS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}
# Letters that only one of the languages of a script writes.
_TELLING_LETTERS = {
    "uk": "іїєґ",
    "ru": "ыэё",
    "pl": "ąęłńśźż",
    "tr": "ğış",
    "pt": "ãõ",
    "de": "ß",
    "es": "ñ¿¡",
}
_FOREIGN_LETTERS = {"ar": "پچژگکیٹڈڑںہے", "uk": "ыэёъўђјљњћџқңұ", "ru": "іїєґўђјљњћџқңүө"}
_SCRIPTS = {
    "latin": re.compile(r"[a-zà-öø-ÿĀ-ɏ]", re.I),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "arabic": re.compile(r"[\u0600-\u06ff\u0750-\u077f]"),
    "hebrew": re.compile(r"[\u05d0-\u05ea]"),
    "han": re.compile(r"[\u3400-\u9fff]"),
    "kana": re.compile(r"[\u3040-\u30ff]"),
    "hangul": re.compile(r"[\uac00-\ud7af]"),
}


def normalise_language(tag: str) -> str:
    """The language of a tag such as "de-AT", in two or three small letters; nothing if it names none."""
    found = _TAG.fullmatch(tag.strip()[:40])
    if found is None:
        return ""
    primary = found[1].lower()
    return "" if primary in _NO_LANGUAGE else _ALIASES.get(primary, primary)


def direction(language: str) -> str:
    """Which way the language is written: "rtl" or "ltr", the latter also when it is not known."""
    return "rtl" if normalise_language(language) in _RIGHT_TO_LEFT else "ltr"


def guess_language(text: str) -> str:
    """The language of the text, or nothing when the signs are few or contradict each other."""
    text = text[:MAX_CHARS]
    letters = {script: len(pattern.findall(text)) for script, pattern in _SCRIPTS.items()}
    total = sum(letters.values())
    east = letters["han"] + letters["kana"]
    # A Han character says as much as several letters.
    if total + 3 * east + letters["hangul"] < MIN_LETTERS:
        return ""
    if 2 * east > total:
        return "ja" if 10 * letters["kana"] > east else "zh"
    script = max(letters, key=lambda name: letters[name])
    if 2 * letters[script] <= total:
        return ""
    if script in ("hangul", "hebrew"):
        return "ko" if script == "hangul" else "he"
    if script == "arabic":
        return "" if _count(text, _FOREIGN_LETTERS["ar"]) else "ar"
    return _by_words(
        text, ("uk", "ru") if script == "cyrillic" else tuple(COMMON_WORDS.keys() - {"uk", "ru"})
    )


def _by_words(text: str, languages: tuple[str, ...]) -> str:
    """The language whose commonest words and own letters the text shows clearly more of than any other's."""
    words = Counter(word.casefold() for word in _WORDS.findall(text))
    scores = Counter({language: _score(text, words, language) for language in languages})
    (first, best), (_, second) = scores.most_common(2)
    clear = best >= MIN_HITS and best >= 0.08 * words.total() and best >= 1.25 * second
    return first if clear else ""


def _score(text: str, words: Counter[str], language: str) -> float:
    if _count(text, _FOREIGN_LETTERS.get(language, "")) > 2:
        return 0.0
    letters = _count(text, _TELLING_LETTERS.get(language, ""))
    # Bulgarian and Serbian share too many words with these two to go by words alone.
    if language in ("uk", "ru"):
        letters = 2 * letters
        if not letters:
            return 0.0
    # A word that stands ten times says little more than one that stands three times.
    hits = sum(min(count, 3) for word, count in words.items() if word in COMMON_WORDS[language])
    return hits + min(letters, 6)


def _count(text: str, letters: str) -> int:
    return sum(text.count(letter) for letter in letters)

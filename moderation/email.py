"""Mail to the removal address: read within bounds, told apart, and made a notice or part of one.

Never the Date header and never a sender's word decides when a mail arrived. Nothing is answered that
a machine sent (RFC 3834). What cannot be understood becomes a notice for a person to read.
"""

from __future__ import annotations

import codecs
import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from lxml import etree
from lxml import html as lxml_html

from moderation import complaints, lines, proof, receive
from moderation.letters import LANGUAGES
from moderation.models import Channel, IncomingMail, Letter, LetterKind, MailOutcome, Notice
from moderation.references import proof_token, references_in

MAX_BYTES = 25 * 1024 * 1024
MAX_HEADER_BYTES = 4 * 1024 * 1024
MAX_HEADERS = 400
MAX_SAME_HEADER = 20
MAX_BOUNDARIES = 60
MAX_PARTS = 1_000
MAX_TEXT = 4 * 1024 * 1024
LISTS = (".csv", ".tsv", ".txt")
# What mail programs call them; a table is often said to belong to a spreadsheet.
LIST_TYPES = (
    "text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/vnd.ms-excel",
    "application/octet-stream",
)  # fmt: skip
MESSAGE_IDS = re.compile(r"<[^<>\s]{3,480}>")
CONFIRMING = re.compile(
    r"\W*(?:i\s+)?(?:confirm(?:ed)?|yes|bestätig\w*|ja|confirm(?:er|e|é)|oui|confirm(?:ar|o|ado)|sí|підтвердж\w*|так|أ?[ؤو]كد|تأكيد|نعم)\b",
    re.I,
)
GOOD_FAITH = re.compile(
    r"good[\s-]+faith|gutem?\s+glauben|bonne\s+foi|buena\s+fe|добросовісн|حسن\s+نية", re.I
)
ACCURATE = re.compile(
    r"accurate|perjury|richtig|zutreffend|an\s+eides|exact(?:e|es|a|as)?\b|exacts\b|parjure|perjurio|правдив|достовірн|صحيح",
    re.I,
)
CLOSING = re.compile(
    r"^\s*(?:/s/|signed|signature|sincerely|(?:kind|best|warm)?\s*regards|yours|mit\s+freundlichen|viele\s+grüße|"
    r"cordialement|atentamente|saludos|з\s+повагою|مع\s+(?:خالص\s+)?(?:التحية|تحيات\w*|الشكر))\b[^\n]*",
    re.I | re.M,
)
QUOTE_HEAD = re.compile(
    r"^(?:on .{5,200} wrote:|am .{5,200} schrieb.{0,120}:|le .{5,200} a écrit\s*:|el .{5,200} escribió:|.{5,200} пише:|"
    r"-{2,}\s*(?:original message|ursprüngliche nachricht).*)$",
    re.I,
)
COMMON_WORDS = {
    "de": {"und", "der", "die", "das", "nicht", "bitte", "ich", "wir", "ist", "für", "mit", "entfernen"},
    "fr": {"le", "les", "des", "est", "nous", "vous", "pour", "dans", "une", "pas", "veuillez", "article"},
    "es": {"el", "los", "las", "que", "por", "para", "una", "nuestro", "favor", "artículo", "está", "con"},
    "en": {"the", "and", "of", "to", "is", "our", "please", "this", "that", "for", "we", "remove"},
    "uk": {"і", "та", "що", "не", "на", "прошу", "це", "ми", "наш", "статтю", "з", "будь"},
    "ar": {"في", "من", "على", "إلى", "أن", "هذا", "هذه", "عن", "نرجو", "إزالة", "المقال", "التي"},
}


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a message."""

    outcome: MailOutcome
    notice: Notice | None = None
    reason: str = ""


@dataclass(slots=True)
class Mail:
    """A message as far as it can be read."""

    raw: bytes
    sender: str = ""
    name: str = ""
    subject: str = ""
    message_id: str = ""
    answers: list[str] = field(default_factory=list)
    text: str = ""
    automatic: str = ""
    bulk: bool = False
    attachments: int = 0
    listed: str = ""


def accept(message: bytes, *, at: datetime) -> Handled:
    """Write down what a message asks of us; when this returns it has reached the disk.

    `at` is the arrival at our side. The same message delivered again has the same result.
    """
    mail = read(message[:MAX_BYTES])
    digest = _digest(mail)
    if known := _known(digest):
        return known
    domain = "" if mail.automatic else proof.signed_domain(mail.raw)
    try:
        with transaction.atomic():
            return _accept(mail, digest, domain, at=at)
    except IntegrityError:
        # The same message, delivered at the same moment, was a little faster.
        if known := _known(digest):
            return known
        raise


def _accept(mail: Mail, digest: str, domain: str, *, at: datetime) -> Handled:
    row = IncomingMail.objects.create(
        digest=digest, message_id=mail.message_id[:500], received_at=at, outcome=MailOutcome.IGNORED,
        sender=mail.sender, subject=mail.subject[:300],
    )  # fmt: skip
    handled = _handle(mail, domain, at=at)
    row.outcome, row.reason, row.notice = handled.outcome, handled.reason[:200], handled.notice
    if handled.outcome != MailOutcome.NOTICE:
        row.text = mail.text[:100_000]
    row.save()
    return handled


def _known(digest: str) -> Handled | None:
    row = IncomingMail.objects.select_related("notice").filter(digest=digest).first()
    return Handled(MailOutcome(row.outcome), row.notice, row.reason) if row else None


def _digest(mail: Mail) -> str:
    """The hash of what was written; the marks each delivery leaves on top of a message are not part of it."""
    body = re.split(rb"\r?\n\r?\n", mail.raw, maxsplit=1)[-1]
    said = hashlib.sha256(body.replace(b"\r\n", b"\n").rstrip()).hexdigest()
    return hashlib.sha256("\0".join([mail.message_id, mail.sender, mail.subject, said]).encode()).hexdigest()


# --- telling apart ----------------------------------------------------------------------------


def _handle(mail: Mail, domain: str, *, at: datetime) -> Handled:
    case = _case_of(mail)
    if mail.automatic:
        _mark_undelivered(mail)
        return Handled(MailOutcome.IGNORED, case, mail.automatic)
    if case is not None and not _names_more(mail, case):
        return _reply(mail, case, domain, at=at)
    if mail.bulk and not _names_articles("\n".join([mail.text, *_listed(mail)])):
        return Handled(MailOutcome.IGNORED, case, "Sent to many at once, and names no article of ours.")
    return _new_notice(mail, domain, at=at)


def _case_of(mail: Mail) -> Notice | None:
    """The case a message belongs to: it answers one of its mails, or quotes its reference in the subject."""
    if mail.answers:
        # Found one way, then the other: asked for either at once, a database reads every notice.
        ours = Letter.objects.filter(message_id__in=mail.answers).order_by().values("notice")
        theirs = Notice.objects.filter(message_id__in=mail.answers).order_by().values("pk")
        if found := Notice.objects.filter(pk__in=ours.union(theirs)).order_by("pk").first():
            return found
    return Notice.objects.filter(reference__in=references_in(mail.subject)).order_by("pk").first()


def _names_more(mail: Mail, case: Notice) -> bool:
    """Whether somebody asks for articles that their case does not have yet: that is a notice of its own."""
    named = _articles_in("\n".join([unquoted(mail.text), *_listed(mail)]))
    return bool(named - set(case.claims.values_list("article_id", flat=True)))


def _names_articles(text: str) -> bool:
    return bool(_articles_in(text))


def _articles_in(text: str) -> set[int]:
    judged = lines.judge(lines.split(text, letter=True).lines)
    return {article.pk for line in judged for article in line.articles}


def _reply(mail: Mail, case: Notice, domain: str, *, at: datetime) -> Handled:
    """Add a message to its case; what it proves takes effect."""
    same_person = mail.sender.casefold() == case.email.casefold() != ""
    knows_our_letter = case.letters.filter(kind=LetterKind.CONFIRM, message_id__in=mail.answers).exists()
    said = unquoted(mail.text)
    vouches = _shows_its_text(mail, said, case, domain) or (
        same_person and (case.confirmed_at is not None or bool(CONFIRMING.match(said)))
    )
    if domain and proof.proves_a_publisher(domain) and vouches:
        receive.prove(notice=case, domain=domain, method="dkim", at=at)
    owns_mailbox = same_person and (bool(domain) or knows_our_letter)
    if owns_mailbox:
        receive.complete(notice=case, given=elements_of(said, mail.name), at=at)
    if owns_mailbox and case.confirmed_at is None and CONFIRMING.match(said):
        receive.confirm(notice=case, at=at)
        return Handled(MailOutcome.CONFIRMED, case)
    if complained := _complain(mail, said, at=at):
        return Handled(MailOutcome.REPLY, case, f"A complaint about {', '.join(complained)}.")
    receive.note_event(case, "mail", at=at, note="A message was added to the case.")
    return Handled(MailOutcome.REPLY, case)


def _shows_its_text(mail: Mail, said: str, case: Notice, domain: str) -> bool:
    """Whether a mail carries what only the page of the case shows.

    The reference alone stands in the public log: who protests against a notice in the domain's name quotes it too.
    """
    return not _is_answer(mail) and proof_token(case.reference, domain) in f"{mail.subject}\n{said}"


def _complain(mail: Mail, said: str, *, at: datetime) -> list[str]:
    """An answer to a refusal is a complaint: only who got the letter knows its name."""
    decided = Letter.objects.filter(
        message_id__in=mail.answers, kind__in=(LetterKind.REFUSED, LetterKind.REDUCED), claim__isnull=False
    ).select_related("claim__notice")
    found = []
    for claim in {letter.claim for letter in decided if letter.claim}:
        if said and complaints.may_complain(claim, at):
            complaints.complain(claim_id=claim.pk, text=said, at=at)
            found.append(str(claim))
    return sorted(found)


def _new_notice(mail: Mail, domain: str, *, at: datetime) -> Handled:
    submission = receive.Submission(
        channel=Channel.EMAIL,
        text="\n".join(filter(None, [mail.text, *_listed(mail)])) or mail.subject,
        letter=f"From: {mail.name} <{mail.sender}>\nSubject: {mail.subject}\n\n{mail.text}",
        language=language_of(f"{mail.subject}\n{mail.text}"),
        email=mail.sender,
        raw=mail.raw,
        message_id=mail.message_id,
        confirmed=bool(domain),
        proved_domain=domain if proof.proves_a_publisher(domain) and not _is_answer(mail) else "",
        quiet=mail.bulk,
        **elements_of(mail.text, mail.name),  # type: ignore[arg-type]
    )
    received = receive.receive(submission=submission, at=at)
    note = f"{mail.attachments} attachments are kept with the message, unopened." if mail.attachments else ""
    return Handled(MailOutcome.NOTICE, received.notice, note)


def _listed(mail: Mail) -> list[str]:
    """The addresses in attached lists, one a row; their other columns and headings are not lines of a notice."""
    return [address for row in mail.listed.splitlines() for address in lines.addresses_in(row[:20_000])]


def _is_answer(mail: Mail) -> bool:
    """An answer may quote anything, and a paper's ticket system signs every one it sends: it proves no wish."""
    return bool(mail.answers) or bool(
        re.match(r"\s*(?:re|aw|antw|sv|vs|rv|odp|відп)\s*(?:\[\d+\])?:", mail.subject, re.I)
    )


def _mark_undelivered(mail: Mail) -> None:
    """A letter of ours that came back stays visible as undelivered."""
    returned = re.sub(r"=\r?\n", "", mail.raw[:500_000].decode("ascii", "replace"))
    ours = {*mail.answers, *MESSAGE_IDS.findall(returned)[:200]}
    if mail.automatic.startswith("A report"):
        Letter.objects.filter(message_id__in=ours).update(last_error="The letter came back undelivered.")


# --- what a letter says -----------------------------------------------------------------------


def elements_of(text: str, name: str) -> dict[str, object]:
    """The legal elements that stand in a letter, as the form would have asked for them."""
    text = text[:400_000]
    signature = _signature(text, name)
    return {
        "name": name or signature,
        "explanation": text[:20_000] if len(re.sub(r"https?://\S+", "", text).split()) >= 5 else "",
        "good_faith": bool(GOOD_FAITH.search(text)),
        "accurate": bool(ACCURATE.search(text)),
        "signature": signature,
    }


def _signature(text: str, name: str) -> str:
    """The name under the letter: after a closing formula, or the sender's own name near the end."""
    last = [line.strip() for line in text.strip().splitlines() if line.strip()][-8:]
    if name and any(name.casefold() in line.casefold() for line in last):
        return name[:200]
    for found in CLOSING.finditer(text):
        below = [line.strip() for line in text[found.end() :].splitlines() if line.strip()]
        same_line = re.split(r"[:/]", found[0])[-1].strip()
        if below or (same_line and ":" in found[0]):
            return (same_line if ":" in found[0] and same_line else below[0])[:200]
    return ""


def unquoted(text: str) -> str:
    """A reply without the lines it quotes."""
    kept: list[str] = []
    for line in text.splitlines():
        if QUOTE_HEAD.match(line.strip()[:400]):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    return "\n".join(kept).strip()


def language_of(text: str) -> str:
    """The language we can write in that a letter most likely is in."""
    words = re.findall(r"[^\W\d_]+", text[:20_000].casefold())
    counts = {language: sum(word in COMMON_WORDS[language] for word in words) for language in LANGUAGES}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts["en"] else "en"


# --- reading ----------------------------------------------------------------------------------


def read(message: bytes) -> Mail:
    """A message as far as it can be read, whatever was done to it; bounded in time and memory."""
    mail = Mail(raw=message)
    try:
        _read(mail)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError, AssertionError, IndexError):
        mail.text = mail.text or _decoded(message[:200_000], "")
    mail.text = mail.text.replace("\0", "")
    return mail


def _read(mail: Mail) -> None:
    head, body = _head_and_body(mail.raw)
    headers = _headers(head)
    _read_headers(mail, headers)
    parsed = (
        BytesParser(policy=policy.compat32).parsebytes(head + b"\n" + body) if _is_bounded(body) else None
    )
    if parsed is None:
        mail.text = _decoded(body[:MAX_TEXT], "")
    else:
        mail.text = _text_of(mail, parsed)


def _head_and_body(message: bytes) -> tuple[bytes, bytes]:
    """The headers we read, few and short, and the body."""
    match = re.search(rb"\r?\n\r?\n", message)
    head, body = (message[: match.start()], message[match.end() :]) if match else (message, b"")
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", head[:MAX_HEADER_BYTES]).splitlines()
    seen: dict[bytes, int] = {}
    kept: list[bytes] = []
    for line in unfolded[:100_000]:
        name = line.partition(b":")[0].strip().lower()
        seen[name] = seen.get(name, 0) + 1
        if b":" in line and name in WANTED and seen[name] <= MAX_SAME_HEADER and len(kept) < MAX_HEADERS:
            kept.append(line[:8_000])
    # A message that begins without headers is all body.
    return (b"\n".join(kept) + b"\n", body) if kept else (b"", message)


WANTED = frozenset(
    b"from sender to cc subject message-id in-reply-to references return-path auto-submitted precedence list-id"
    b" x-auto-response-suppress x-autoreply x-autorespond x-loop x-failed-recipients mime-version content-type"
    b" content-transfer-encoding content-disposition".split()
)


def _is_bounded(body: bytes) -> bool:
    """Whether the parts are few and flat enough to be worth taking apart."""
    return (
        body.count(b"boundary") <= MAX_BOUNDARIES
        and body.count(b"message/rfc822") <= MAX_BOUNDARIES
        and body.count(b"\n--") <= 2 * MAX_PARTS
    )


def _headers(head: bytes) -> Message:
    return BytesParser(policy=policy.compat32).parsebytes(head, headersonly=True)


def _read_headers(mail: Mail, headers: Message) -> None:
    senders = getaddresses([_header(headers, "From")[:2_000]])
    name, address = senders[0] if senders else ("", "")
    mail.sender, mail.name = _valid(address), _one_line(name)[:200]
    mail.subject = _one_line(_header(headers, "Subject"))[:1_000]
    mail.message_id = next(iter(MESSAGE_IDS.findall(_header(headers, "Message-ID"))), "")
    quoted = f"{_header(headers, 'In-Reply-To')} {_header(headers, 'References')}"
    mail.answers = list(dict.fromkeys(MESSAGE_IDS.findall(quoted)))[-30:]
    mail.automatic = _automatic(headers, mail)
    mail.bulk = _is_bulk(headers)


def _automatic(headers: Message, mail: Mail) -> str:
    """Why no answer is owed, in words; "" for what a person sent."""
    submitted = _header(headers, "Auto-Submitted").strip().lower()
    kind = _header(headers, "Content-Type").lower()
    local = mail.sender.partition("@")[0].lower()
    if "multipart/report" in kind or "delivery-status" in kind or headers["X-Failed-Recipients"]:
        return "A report about a mail, such as one that came back."
    if headers["Return-Path"] is not None and _header(headers, "Return-Path").strip() in ("<>", ""):
        return "A report: it was sent from nobody."
    if local in ("mailer-daemon", "postmaster"):
        return "A report by a mail server."
    if submitted.startswith("auto-replied") or headers["X-Autoreply"] or headers["X-Autorespond"]:
        return "An automatic answer."
    if _header(headers, "Precedence").strip().lower() in ("auto_reply", "junk"):
        return "An automatic answer."
    if mail.sender.casefold() == settings.REMOVAL_EMAIL.casefold():
        return "Our own address wrote it."
    if mail.message_id and Letter.objects.filter(message_id=mail.message_id).exists():
        return "A letter of ours that came round."
    return ""


def _is_bulk(headers: Message) -> bool:
    """Sent by a machine, perhaps for an owner: may be a notice, is never answered."""
    submitted = _header(headers, "Auto-Submitted").strip().lower()
    precedence = _header(headers, "Precedence").strip().lower()
    return bool((submitted and submitted != "no") or precedence in ("bulk", "list") or headers["List-Id"])


def _header(headers: Message, name: str) -> str:
    """A header in readable text, encoded words resolved."""
    value = str(headers.get(name, ""))[:8_000]
    try:
        pieces = decode_header(value)
    except (ValueError, LookupError):
        return _storable(value)
    return _storable(
        "".join(
            _decoded(piece, charset or "") if isinstance(piece, bytes) else piece for piece, charset in pieces
        )
    )


def _valid(address: str) -> str:
    address = address.strip()
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address[:254]


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _text_of(mail: Mail, message: Message) -> str:
    """The words of a message: its plain text, and its HTML where the plain text names no address."""
    plain, marked = [], []
    for part in _parts(message):
        if part.get_filename() or part.get_content_disposition() == "attachment":
            if _is_list(part):
                mail.listed = f"{mail.listed}\n{_payload(part)}"[:MAX_TEXT]
            else:
                mail.attachments += 1
        elif part.get_content_type() == "text/html":
            marked.append(text_of_html(_payload(part)))
        elif part.get_content_maintype() == "text":
            plain.append(_payload(part))
        elif part.get_content_maintype() not in ("multipart", "message"):
            mail.attachments += 1
    words = "\n".join(plain).strip()
    if not words or not any(True for row in words.splitlines() for _ in lines.addresses_in(row)):
        words = "\n".join([words, *marked]).strip()
    return words[:MAX_TEXT]


def _is_list(part: Message) -> bool:
    """A table or a plain text: read for addresses, and for nothing else. All else stays unopened."""
    name = str(part.get_filename() or "").lower()
    return name.endswith(LISTS) and part.get_content_type() in LIST_TYPES


def _parts(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            return
        if not part.is_multipart():
            yield part


def _payload(part: Message) -> str:
    raw = part.get_payload(decode=True)
    return _decoded(raw[:MAX_TEXT], str(part.get_content_charset("") or "")) if isinstance(raw, bytes) else ""


def _decoded(raw: bytes, charset: str) -> str:
    """Bytes as text, by what they claim to be, else by what they are."""
    marked = "utf-16" if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ""
    for name in (marked, charset, "utf-8-sig"):
        try:
            if name and codecs.lookup(name)._is_text_encoding:
                return _storable(raw.decode(name))
        except (LookupError, ValueError):
            continue
    return _storable(raw.decode("cp1252", "replace"))


def _storable(text: str) -> str:
    """The text without NUL and halves of characters, which some encodings can spell and no database keeps."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def text_of_html(markup: str) -> str:
    """The text of an HTML mail with the address of each link behind it; nothing of it is ever shown as HTML."""
    try:
        page = lxml_html.document_fromstring(markup.encode("utf-8", "replace"), parser=_html_parser())
    except (ValueError, AssertionError, TypeError):
        return html.unescape(re.sub(r"<[^<>]*>", " ", markup))
    return re.sub(r"[ \t]+", " ", "".join(_words(page))).strip()


def _words(page: lxml_html.HtmlElement) -> Iterator[str]:
    silent = 0
    for event, element in etree.iterwalk(page, events=("start", "end")):
        hidden = not isinstance(element.tag, str) or element.tag in ("script", "style", "head", "template")
        if event == "start":
            silent += hidden
            yield "" if silent else f"{_break_before(element)}{element.text or ''}"
            continue
        silent -= hidden
        href = "" if hidden else str(element.get("href", ""))
        yield f" <{href}> " if element.tag == "a" and href.startswith("http") and not silent else ""
        yield "" if silent else element.tail or ""


def _break_before(element: lxml_html.HtmlElement) -> str:
    return "\n" if element.tag in ("p", "br", "div", "li", "tr", "h1", "h2", "h3") else ""


def _html_parser() -> lxml_html.HTMLParser:
    return lxml_html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)

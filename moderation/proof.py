"""Who controls a domain: signed mail, a DNS record, a file, or a mark on the front page.

Nothing here decides anything. It answers one question, of one domain, and only ever from that
domain's own mail, name server or web site.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext
from lxml import html as lxml_html
from lxml.etree import ParserError

from articles.canonical import registrable_domain
from articles.models import Source
from moderation import receive
from moderation.models import DomainProof, Notice
from moderation.references import proof_token
from webclient.client import Limits, Response, default_client
from webclient.errors import OutgoingError

if TYPE_CHECKING:
    from dns.resolver import Resolver

DNS_SECONDS = 4.0
SIGNATURES = 4
DNS_LABEL = "_newsroom-removal"
FILE = "/.well-known/newsroom-removal.txt"
META = "newsroom-removal"
LIMITS = Limits(
    seconds=8.0, connect_seconds=4.0, silent_seconds=5.0, wire_bytes=2_000_000, body_bytes=2_000_000
)
# Anybody may have a mailbox there, so a signed mail from there proves the mailbox and not the paper.
_PROVIDERS = (
    "126 163 aol bk bluewin bol btinternet centrum comcast daum duck earthlink fastmail foxmail free freemail"
    " freenet gmail gmx googlemail hey hotmail i icloud inbox interia kakao laposte libero live mac mail mailbox"
    " mailfence me msn nate naver neuf o2 onet orange outlook pm posteo pobox proton protonmail qq rambler"
    " rediffmail riseup rocketmail seznam sfr sina sky sohu t-online terra tiscali tuta tutamail tutanota ukr uol"
    " verizon virgilio virginmedia vk wanadoo web wp ya yahoo yandex yeah ymail zoho"
)
MAILBOX_PROVIDERS = frozenset(_PROVIDERS.split())


# --- name servers -----------------------------------------------------------------------------


def txt_records(name: str) -> list[bytes]:
    """The TXT records under a name; none when it has none or nobody answers in time.

    The one door to the name servers. DNS_RESOLVER names another one than the system's, as host:port.
    """
    from dns.exception import DNSException

    try:
        answer = _resolver().resolve(name, "TXT", lifetime=DNS_SECONDS, search=False)
    except (DNSException, UnicodeError, ValueError):
        return []
    return [b"".join(record.strings) for record in answer]


def _resolver() -> Resolver:
    # Two megabytes that a process which only answers readers does without.
    from dns.resolver import Resolver

    address = settings.DNS_RESOLVER
    resolver = Resolver(configure=not address)
    if address:
        host, _, port = address.rpartition(":")
        resolver.nameservers, resolver.port = [host], int(port)
    return resolver


def _dkim_key(name: bytes, timeout: float = DNS_SECONDS) -> bytes | None:
    records = txt_records(name.decode("ascii", "replace").rstrip("."))
    return records[0] if records else None


# --- signed mail ------------------------------------------------------------------------------


def signed_domain(message: bytes) -> str:
    """The registered domain that vouches for the sender of this mail by an aligned DKIM signature, or "".

    The signature must cover the whole body, the only From line, and that the mail is for us: a
    newsletter sent on to us by a stranger proves nothing.
    """
    headers = BytesHeaderParser(policy=policy.compat32).parsebytes(message[:200_000])
    senders = getaddresses([str(value) for value in headers.get_all("From", [])])
    if len(headers.get_all("From", [])) != 1 or len(senders) != 1:
        return ""
    domain = registrable_domain(senders[0][1].rpartition("@")[2])
    for index in range(min(SIGNATURES, len(headers.get_all("DKIM-Signature", [])))):
        if _is_signed_by(message, index, domain):
            return domain
    return ""


def _is_signed_by(message: bytes, index: int, domain: str) -> bool:
    from dkim import DKIM

    verifier = DKIM(message, minkey=1024)
    try:
        fields = _fields_of(message, index)
        covers = {name.strip().lower() for name in fields.get("h", "").split(":")}
        aligned = registrable_domain(re.sub(r"\s", "", fields.get("d", ""))) == domain
        if not aligned or not {"from", "to"} <= covers or "l" in fields or not _is_for_us(message):
            return False
        return bool(verifier.verify(idx=index, dnsfunc=_dkim_key))
    except Exception:
        # The library raises whatever a malformed signature leads it to; none of it is a proof.
        return False


def _fields_of(message: bytes, index: int) -> dict[str, str]:
    headers = BytesHeaderParser(policy=policy.compat32).parsebytes(message[:200_000])
    signature = str(headers.get_all("DKIM-Signature", [])[index])
    pairs = (part.partition("=") for part in signature.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _is_for_us(message: bytes) -> bool:
    headers = BytesHeaderParser(policy=policy.compat32).parsebytes(message[:200_000])
    to = getaddresses([str(value) for value in headers.get_all("To", [])])
    return settings.REMOVAL_EMAIL.casefold() in {address.casefold() for _, address in to}


def proves_a_publisher(domain: str) -> bool:
    """Whether mail signed by this domain speaks for whoever publishes there, and not for any of its customers."""
    return bool(domain) and domain.partition(".")[0] not in MAILBOX_PROVIDERS


# --- what an owner can publish ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """One way to prove a domain: where to put which text."""

    method: str
    label: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A domain named in a notice, and what its owner can do to prove it."""

    domain: str
    ways: tuple[Way, ...]
    proved_by: str = ""


def challenges(notice: Notice) -> list[Challenge]:
    """For every domain whose articles are named in this notice: how it can be proved, or that it was."""
    proved = {row.domain: row.method for row in notice.domain_proofs.filter(proved_at__isnull=False)}
    return [
        Challenge(domain, tuple(_ways(notice, domain)), receive.METHODS.get(proved.get(domain, ""), ""))
        for domain in named_domains(notice)
    ]


def named_domains(notice: Notice) -> list[str]:
    """The domains that published what the notice names, the most named first."""
    counts: dict[str, int] = {}
    for claim in notice.claims.select_related("article__source")[:2_000]:
        for domain in sorted(receive.domains_of(claim.article)):
            counts[domain] = counts.get(domain, 0) + 1
    return sorted(counts, key=lambda domain: -counts[domain])[:10]


def _ways(notice: Notice, domain: str) -> Iterator[Way]:
    token = proof_token(notice.reference, domain)
    site = site_of(domain)
    yield Way("dns", gettext("A DNS record"), f"{DNS_LABEL}.{domain} (TXT)", token)
    yield Way("well-known", gettext("A file on the web site"), f"{site}{FILE}", token)
    yield Way(
        "meta", gettext("A mark on the front page"), f"{site}/", f'<meta name="{META}" content="{token}">'
    )


def site_of(domain: str) -> str:
    """Where the domain's web site is, without a trailing slash: its source's home page when that lies right there.

    Whoever has a name below the domain (a blog on a shared host) may fill it, and does not speak for the others.
    """
    for homepage in (
        Source.objects.filter(domain=domain).exclude(homepage="").values_list("homepage", flat=True)[:5]
    ):
        parts = urlsplit(homepage)
        if (parts.hostname or "").removeprefix("www.") == domain:
            return f"{parts.scheme}://{parts.netloc}"
    return f"https://{domain}"


def check(*, notice: Notice, domain: str, at: datetime) -> str:
    """Look whether the domain was proved for this notice; if so it takes effect now. Returns the method, or ""."""
    token = proof_token(notice.reference, domain)
    if domain not in named_domains(notice):
        return ""
    _remember_asking(notice, domain, token, at=at)
    method = next((name for name, holds in CHECKS.items() if holds(domain, token)), "")
    if method:
        receive.prove(notice=notice, domain=domain, method=method, at=at)
    return method


def _remember_asking(notice: Notice, domain: str, token: str, *, at: datetime) -> None:
    DomainProof.objects.get_or_create(
        notice=notice, domain=domain, method="dns",
        defaults={"email": notice.email, "token": token, "asked_at": at},
    )  # fmt: skip


def _in_dns(domain: str, token: str) -> bool:
    return any(
        _same(record.decode("utf-8", "replace"), token) for record in txt_records(f"{DNS_LABEL}.{domain}")
    )


def _in_file(domain: str, token: str) -> bool:
    answer = _fetch(f"{site_of(domain)}{FILE}", domain)
    return answer is not None and any(_same(line, token) for line in _text(answer).splitlines()[:50])


def _in_meta(domain: str, token: str) -> bool:
    answer = _fetch(f"{site_of(domain)}/", domain)
    if answer is None or not answer.body.strip():
        return False
    try:
        page = lxml_html.document_fromstring(answer.body)
    except (ParserError, ValueError):
        return False
    # Only in the head: text of a reader's comment ends up in the body.
    marks = page.iterfind("./head/meta[@content]")
    return any(_same(mark.get("content", ""), token) for mark in marks if mark.get("name") == META)


CHECKS: dict[str, Callable[[str, str], bool]] = {"dns": _in_dns, "well-known": _in_file, "meta": _in_meta}


def _fetch(url: str, domain: str) -> Response | None:
    """The page, if it was answered by this very domain and not by where it sent us."""
    try:
        answer = default_client().get(url, limits=LIMITS)
    except OutgoingError:
        return None
    stayed = registrable_domain(urlsplit(answer.url).hostname or "") == domain
    return answer if stayed and answer.status == 200 else None


def _text(answer: Response) -> str:
    return answer.body[:20_000].decode("utf-8", "replace")


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.strip().removeprefix("newsroom-removal=").encode(), token.encode())

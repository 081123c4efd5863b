"""Notices from programs: POST with our own fields, or a XARF copyright report (versions 3 and 4)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import AfterValidator, ConfigDict, Field, ValidationError, field_validator

from articles.canonical import HALF
from articles.problems import problem
from moderation import letters, limits, owners, plain_json, receive
from moderation.ledger import LedgerBehind
from moderation.models import Channel, Claim, Ground, Notice, NoticeLine
from moderation.owner_models import ApiKey
from moderation.references import references_in, status_url

# A program that only looks may look this often in an hour; sending is never refused.
LOOKS = 600
router = Router(tags=["notices"])


def _whole(text: str) -> str:
    if HALF.search(text):
        raise ValueError("Half of a character (\\ud800 to \\udfff) is no text.")
    return text


WholeText = Annotated[str, AfterValidator(_whole)]


class NoticeIn(Schema):
    """A removal notice. Only `urls` and `email` are needed for it to be received; with a key `urls` alone."""

    model_config = ConfigDict(extra="forbid")

    urls: list[WholeText] | WholeText = Field(
        description="Addresses on this site or of the originals; or a whole letter."
    )
    email: str = Field(
        "",
        max_length=254,
        description="Where we write to; its confirmation lets the notice take effect by itself. With a key,"
        " the key's own mailbox.",
    )
    name: str = Field("", max_length=200)
    organisation: str = Field("", max_length=200)
    address: str = Field("", max_length=1000)
    phone: str = Field("", max_length=60)
    role: str = Field("", max_length=40)
    rights_holder: str = Field("", max_length=200)
    ground: Ground = Ground.COPYRIGHT
    work: str = Field("", max_length=10_000)
    original_urls: list[WholeText] | WholeText = ""
    explanation: str = Field("", max_length=20_000)
    good_faith: bool = False
    accurate: bool = Field(False, description="Accurate, and under penalty of perjury entitled to act.")
    signature: str = Field("", max_length=200)
    language: str = Field("en", max_length=12)
    idempotency_key: str = Field("", max_length=200)

    @field_validator("email")
    @classmethod
    def _is_a_mailbox(cls, value: str) -> str:
        if not value.strip():
            return ""
        try:
            validate_email(value.strip())
        except DjangoValidationError as error:
            raise ValueError("This does not look like an e-mail address.") from error
        return value.strip()


class LineOut(Schema):
    """One line of the notice and what it turned out to be."""

    text: str
    verdict: str
    note: str
    claim: int | None


class NoticeOut(Schema):
    """What the sender keeps: the reference, the secret address of the case, and a verdict per line.

    `status_url` is empty where the same notice, without a key and an idempotency key, comes again after its mailbox
    was confirmed: anybody may guess what it says. The address stands in the letters to that mailbox.
    """

    reference: str
    status_url: str
    received_at: str
    deadline_at: str
    missing: list[str]
    mailbox_confirmed: bool
    lines: list[LineOut]


class ClaimOut(Schema):
    """One article of the case and where it stands."""

    claim: int
    article_url: str
    state: str
    lane: str
    lane_reason: str
    withheld_from: str | None
    decided_at: str | None
    reason_code: str
    reasons: str
    proved_at: str | None


class CaseOut(NoticeOut):
    """A case as it stands now."""

    closed_at: str | None
    claims: list[ClaimOut]


class Problem(Schema):
    """application/problem+json (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []


COMPONENTS = "#/components/schemas/"
_TEXT = {"type": "string"}
XARF: dict[str, Any] = {
    "title": "XarfReport",
    "type": "object",
    "description": "A XARF copyright report. Of version 4 these fields are read; of version 3 (`ReporterInfo`,"
    " `Report`) their counterparts. Further fields do no harm.",
    "anyOf": [{"required": ["xarf_version", "reporter"]}, {"required": ["ReporterInfo", "Report"]}],
    "properties": {
        "category": {"const": "copyright"},
        "reporter": {"type": "object", "properties": {"contact": _TEXT, "name": _TEXT, "org": _TEXT}},
        **dict.fromkeys(
            ("xarf_version", "report_id", "infringing_url", "url", "content_url", "link_page_url",
             "original_url", "work_title", "work_identifier", "rights_holder", "description"),
            _TEXT,
        ),
        "ReporterInfo": {"type": "object"},
        "Report": {"type": "object"},
    },
}  # fmt: skip


def components() -> dict[str, Any]:
    """What the description of a notice's body refers to: the framework does not see a body we read ourselves."""
    notice = NoticeIn.model_json_schema(ref_template=COMPONENTS + "{model}")
    return {**notice.pop("$defs"), "NoticeIn": notice, "XarfReport": XARF}


@router.post(
    "/",
    response={200: NoticeOut, 202: NoticeOut, 400: Problem, 401: Problem, 422: Problem, 503: Problem},
    summary="Send a removal notice",
    openapi_extra={
        "security": [{}, {"bearer": []}],
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "maxLength": 200},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [{"$ref": f"{COMPONENTS}NoticeIn"}, {"$ref": f"{COMPONENTS}XarfReport"}]
                    }
                }
            },
        },
    },
)
def post_notice(request: HttpRequest) -> HttpResponse:
    """Receive a notice: 202 for a new case, 200 for one that was sent before. The clock starts at arrival.

    The body is one of ours or a XARF copyright report. With a key (`Authorization: Bearer nrk_...`)
    the articles of the key's domain are withheld at once. Without one a notice alone withholds nothing at
    once: confirm the mailbox through the letter we send, or prove the source's domain on the page of the case.
    """
    at = timezone.now()
    try:
        key = key_of(request, at=at)
        given = _read(request.body, key)
    except Refused as refused:
        return refused.answer()
    given.idempotency_key = given.idempotency_key or request.headers.get("Idempotency-Key", "")[:200]
    try:
        received = receive.receive(submission=_submission(request, given, key), at=at)
    except LedgerBehind:
        return problem(
            503, "Being restored", "Send it again in a few minutes; nothing public is shown meanwhile."
        )
    return _json(_answer(received).model_dump(), status=202 if received.created else 200)


def _json(answer: Any, *, status: int = 200) -> HttpResponse:
    return HttpResponse(
        json.dumps(answer),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@router.get(
    "/{reference}",
    response={200: CaseOut, 401: Problem, 404: Problem, 429: Problem},
    summary="How a case stands",
    openapi_extra={"security": [{"bearer": []}]},
)
def get_notice(request: HttpRequest, reference: str) -> HttpResponse:
    """The case as it stands, for the key whose domain and mailbox it belongs to. For anybody else it is not there."""
    at = timezone.now()
    try:
        key = needed_key(request, at=at)
        notice = _notice_of(key, reference)
    except Refused as refused:
        return refused.answer()
    return _json(_case(notice, at).model_dump())


def _notice_of(key: ApiKey, reference: str) -> Notice:
    named = references_in(reference)
    theirs = Notice.objects.filter(
        reference__in=named,
        email__mailbox=key.email,
        domain_proofs__domain=key.domain,
        domain_proofs__proved_at__isnull=False,
    )
    notice = theirs.first()
    if notice is None:
        raise Refused(404, "Not found", "This key has no case of that reference.")
    return notice


def _case(notice: Notice, at: datetime) -> CaseOut:
    rows = notice.claims.select_related("article", "hold").prefetch_related("decisions").order_by("number")
    told = _answer(receive.Received(notice, created=False)).model_dump()
    closed = notice.closed_at.isoformat() if notice.closed_at else None
    return CaseOut(**told, closed_at=closed, claims=[_claim(claim) for claim in rows])


def _claim(claim: Claim) -> ClaimOut:
    decision = next(iter(claim.decisions.all()), None)
    return ClaimOut(
        claim=claim.number,
        article_url=settings.SITE_URL + claim.article.get_absolute_url(),
        state=claim.state,
        lane=claim.lane,
        lane_reason=claim.lane_reason,
        withheld_from=claim.hold.effective_at.isoformat() if claim.hold else None,
        decided_at=claim.decided_at.isoformat() if claim.decided_at else None,
        reason_code=decision.reason_code if decision else "",
        reasons=decision.reasons if decision else "",
        proved_at=claim.proved_at.isoformat() if claim.proved_at else None,
    )


def needed_key(request: HttpRequest, *, at: datetime) -> ApiKey:
    """The key the request carries, or Refused when there is none or it was used very often."""
    key = key_of(request, at=at)
    if key is None:
        raise Refused(401, "No key", "Send Authorization: Bearer with a key from the page of a case.")
    if limits.count("look", str(key.pk), window=limits.HOUR, at=at) > LOOKS:
        raise Refused(429, "Too many looks", "Look again in an hour. Sending notices is always open.")
    return key


def key_of(request: HttpRequest, *, at: datetime) -> ApiKey | None:
    """The key the request carries, if any. One that opens nothing is refused."""
    said = request.headers.get("Authorization", "")
    if not said:
        return None
    key = owners.key_called(said.removeprefix("Bearer ").strip(), at=at)
    if key is None:
        raise Refused(401, "No valid key", "Send Authorization: Bearer with a key that was not revoked.")
    return key


class Refused(Exception):
    """A request that is answered with a problem."""

    def __init__(
        self, status: int, title: str, detail: str, errors: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.errors = status, title, detail, errors or []

    def answer(self) -> HttpResponse:
        """The problem as it is sent."""
        answer = problem(self.status, self.title, self.detail, errors=self.errors)
        if self.status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        if self.status == 429:
            answer.headers["Retry-After"] = "3600"
        return answer


def _read(body: bytes, key: ApiKey | None = None) -> NoticeIn:
    notice = _parsed(body)
    if key is None and not notice.email:
        raise _lacking("email", "Say where we can write to.")
    if key is not None and notice.email.casefold() not in ("", key.email.casefold()):
        raise _lacking("email", "A key speaks for its own mailbox. Leave the address out.")
    notice.email = key.email if key else notice.email
    return notice


def _lacking(field: str, message: str) -> Refused:
    errors = [{"field": field, "message": message}]
    return Refused(422, "Something cannot be read", "See errors.", errors)


def _parsed(body: bytes) -> NoticeIn:
    try:
        given = plain_json.read(body)
    except UnicodeDecodeError as error:
        raise Refused(400, "Not JSON", "The body cannot be read as JSON in UTF-8.") from error
    except ValueError as error:
        raise Refused(400, "Not JSON", f"The body cannot be read as JSON in UTF-8: {error}") from error
    if not isinstance(given, dict):
        raise Refused(422, "Not a notice", "The body should be one JSON object.")
    fields = _from_xarf(given) if {"xarf_version", "Version", "ReporterInfo"} & set(given) else given
    try:
        notice = NoticeIn.model_validate(fields)
    except ValidationError as error:
        errors = [
            {"field": ".".join(map(str, one["loc"])), "message": one["msg"].removeprefix("Value error, ")}
            for one in error.errors()
        ]
        raise Refused(422, "Something cannot be read", "See errors.", errors) from error
    if not _joined(notice.urls).strip():
        raise _lacking("urls", "Name at least one address.")
    return notice


def _from_xarf(report: dict[str, Any]) -> dict[str, Any]:
    """A XARF report in our own fields. What says neither who nor where fails like a notice without it."""
    if "xarf_version" in report:
        return _from_xarf_4(report)
    info, body = _object(report, "ReporterInfo"), _object(report, "Report")
    if str(body.get("ReportType", "")).lower() not in ("copyright", "trademark"):
        raise Refused(422, "Another kind of report", "Only XARF reports of copyright are received here.")
    source = _object(body, "Source")
    url = body.get("SourceUrl") or body.get("Url") or source.get("URL") or source.get("Url") or ""
    more = _object(body, "AdditionalInfo")
    return _texts(
        urls=url,
        email=info.get("ReporterContactEmail") or info.get("ReporterOrgEmail"),
        name=info.get("ReporterContactName"),
        organisation=info.get("ReporterOrg"),
        phone=info.get("ReporterContactPhone"),
        rights_holder=body.get("CopyrightOwner") or more.get("CopyrightOwner"),
        work=body.get("WorkTitle") or more.get("WorkTitle"),
    )


def _from_xarf_4(report: dict[str, Any]) -> dict[str, Any]:
    if str(report.get("category") or report.get("class")).lower() != "copyright":
        raise Refused(422, "Another kind of report", "Only XARF reports of copyright are received here.")
    reporter = _object(report, "reporter")
    addresses = [report.get(name) for name in ("infringing_url", "url", "content_url", "link_page_url")]
    work = " ".join(str(report[name]) for name in ("work_title", "work_identifier") if report.get(name))
    return _texts(
        urls="\n".join(str(address) for address in addresses if address),
        email=reporter.get("contact"),
        name=reporter.get("name"),
        organisation=reporter.get("org"),
        rights_holder=report.get("rights_holder"),
        work=work,
        original_urls=report.get("original_url"),
        explanation=report.get("description"),
        idempotency_key=report.get("report_id"),
    )


def _object(within: dict[str, Any], name: str) -> dict[str, Any]:
    found = within.get(name)
    return found if isinstance(found, dict) else {}


def _texts(**values: Any) -> dict[str, Any]:
    """What is there, as text short enough for its field."""
    return {name: str(value)[: LONGEST.get(name, 10_000)] for name, value in values.items() if value}


LONGEST = {"name": 200, "organisation": 200, "rights_holder": 200, "phone": 60, "idempotency_key": 200}


def _submission(request: HttpRequest, given: NoticeIn, key: ApiKey | None) -> receive.Submission:
    told = given.model_dump(exclude={"urls", "original_urls", "language", "ground"})
    told |= {
        "channel": Channel.API,
        "text": _joined(given.urls),
        "letter": request.body.decode("utf-8", "replace"),
        "original_urls": _joined(given.original_urls),
        "ground": str(given.ground),
        "language": letters.spoken(given.language),
    }
    if key is not None:
        told |= {"confirmed": True, "proved_domain": key.domain, "proved_by": "key"}
    return receive.Submission(**told, network=limits.sender_of(request.META))


def _joined(urls: list[str] | str) -> str:
    return urls if isinstance(urls, str) else "\n".join(urls)


def _answer(received: receive.Received) -> NoticeOut:
    notice = received.notice
    return NoticeOut(
        reference=notice.reference,
        status_url=status_url(notice) if received.page_is_told else "",
        received_at=notice.received_at.isoformat(),
        deadline_at=notice.deadline_at.isoformat(),
        missing=notice.missing,
        mailbox_confirmed=notice.confirmed_at is not None,
        lines=[_line(line) for line in notice.lines.select_related("claim").order_by("position")],
    )


def _line(line: NoticeLine) -> LineOut:
    number = line.claim.number if line.claim else None
    return LineOut(text=line.text, verdict=line.verdict, note=line.note, claim=number)

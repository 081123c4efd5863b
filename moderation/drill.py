"""The drill: a removal nobody asked for, of an article nobody reads, by the whole path and on a shortened clock.

From the form through the front door, the mailbox, the deadline, the prober and the certificate to the
erasure. Its notice arrived 23 hours ago, by its own word, so the deadline comes in seconds. Its channel is
`drill`: it is in no figure and not in the public log.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.utils import timezone

from articles import canary
from articles.models import Article, Heartbeat, Hold
from moderation import actions, certificates, letters, probes
from moderation.models import Channel, Claim, ClaimState, LetterKind, Notice, ProbePlan
from moderation.references import confirm_url
from webclient.client import Response
from webclient.errors import OutgoingError

logger = logging.getLogger(__name__)

HEADER = "X-Newsroom-Drill"
CLOCK = timedelta(seconds=15)
PATIENCE = 60.0
EVERY = timedelta(days=1)
AGAIN_AFTER = timedelta(minutes=15)
# The rows that say how the last drill went.
PASSED, FAILED = "drill passed", "drill failed"
_SIGNER = TimestampSigner(salt="drill")
_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class DrillFailed(RuntimeError):
    """A step of the path did not come to its end; says which and why."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"{step}: {why}")
        self.step, self.why = step, why


# --- at the form ------------------------------------------------------------------------------


def clock_of(request: HttpRequest) -> timedelta | None:
    """How long this drill's deadline is away; None for everybody else's notice. Only the site itself can sign that."""
    signed = request.headers.get(HEADER, "")
    try:
        return timedelta(seconds=float(_SIGNER.unsign(signed, max_age=600))) if signed else None
    except (BadSignature, ValueError):
        return None


# --- the path ---------------------------------------------------------------------------------


@dataclass
class Drill:
    """One run: where the front door is, and how long each step took."""

    base_url: str
    clock: timedelta
    patience: float
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = probes.client_of(self.base_url)

    def get(self, path: str) -> Response:
        return self.client.get(self.base_url + path)

    def submit(self, path: str, **fields: str) -> Response:
        """Open a page with a form, fill it and send it, as a browser does."""
        page = self.get(path)
        token = _FIELD.search(page.body.decode("utf-8", "replace"))
        if page.status != 200 or token is None:
            raise OutgoingError(f"{path} answered {page.status} without a form.")
        cookies = SimpleCookie(page.headers.get("set-cookie", ""))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items()),
            "Origin": settings.SITE_URL,
            "Referer": settings.SITE_URL + path,
            HEADER: _SIGNER.sign(str(self.clock.total_seconds())),
        }
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        return self.client.post(self.base_url + path, body=body, headers=headers)

    def wait_for(self, step: str, done: Callable[[], Any], why: str) -> Any:
        """What `done` returns, once it is something; the worker and we ourselves do what is due meanwhile."""
        until = time.monotonic() + self.patience
        while not (result := done()):
            if time.monotonic() > until:
                raise DrillFailed(step, why)
            time.sleep(0.2)
        return result


def run(*, base_url: str = "", clock: timedelta = CLOCK, patience: float = PATIENCE) -> dict[str, Any]:
    """The whole path once; returns the case's reference and the seconds of each step. Raises DrillFailed."""
    article = canary.make()
    try:
        drill = Drill((base_url or settings.SITE_URL).rstrip("/"), clock, patience)
    except probes.FrontDoorClosed as error:
        _clear_away(article)
        raise DrillFailed("front door", str(error)) from error
    try:
        reference = _walk(drill, article)
    finally:
        drill.client.close()
        _clear_away(article)
    return {"reference": reference, "seconds": drill.seconds}


def _walk(drill: Drill, article: Article) -> str:
    claim: Claim | None = None
    for step, act in _STEPS:
        started = time.monotonic()
        try:
            claim = act(drill, article, claim) or claim
        except (OutgoingError, probes.FrontDoorClosed, actions.NotAllowed) as error:
            raise DrillFailed(step, str(error)) from error
        drill.seconds[step] = round(time.monotonic() - started, 2)
    return claim.notice.reference if claim else ""


def _be_there(drill: Drill, article: Article, claim: Claim | None) -> None:
    """Present first, or all that follows proves nothing."""
    page = drill.get(article.get_absolute_url())
    if page.status != 200 or article.headline not in page.body.decode("utf-8", "replace"):
        raise DrillFailed("page", f"The canary's page answered {page.status} without it.")


def _file(drill: Drill, article: Article, claim: Claim | None) -> Claim:
    answer = drill.submit(
        "/removal/",
        urls=settings.SITE_URL + article.get_absolute_url(), email=settings.REMOVAL_EMAIL, name="Newsroom Drill",
        ground="copyright", work="A drill of our own.", good_faith="on", accurate="on", signature="Newsroom Drill",
    )  # fmt: skip
    if answer.status != 200:
        raise DrillFailed("form", f"The form answered {answer.status}.")
    found = (
        Claim.objects.filter(article=article, notice__channel=Channel.DRILL).select_related("notice").first()
    )
    if found is None or found.notice.reference not in answer.body.decode("utf-8", "replace"):
        raise DrillFailed("form", "The form acknowledged nothing.")
    filed: Claim = found
    return filed


def _confirm(drill: Drill, article: Article, claim: Claim | None) -> None:
    notice = _of(claim)
    letter = notice.letters.filter(kind=LetterKind.CONFIRM)

    def is_sent() -> bool:
        letters.send_letters(20, timezone.now())
        return letter.filter(sent_at__isnull=False).exists()

    drill.wait_for("letter", is_sent, "The letter that asks to confirm was not sent.")
    drill.submit(urlsplit(confirm_url(notice)).path)
    notice.refresh_from_db()
    if notice.confirmed_at is None:
        raise DrillFailed("confirm", "The mailed address confirmed nothing.")


def _pass_the_deadline(drill: Drill, article: Article, claim: Claim | None) -> None:
    held = Hold.objects.in_effect().filter(article=article)
    drill.wait_for("deadline", held.exists, "No hold came into effect.")
    page = drill.get(article.get_absolute_url())
    if page.status != 451:
        raise DrillFailed("deadline", f"After its deadline the canary's page answered {page.status}.")


def _decide(drill: Drill, article: Article, claim: Claim | None) -> None:
    pk = claim.pk if claim else 0

    def is_settled() -> bool:
        actions.settle(claim_id=pk, at=timezone.now())
        return Claim.objects.filter(pk=pk, state=ClaimState.UPHELD).exists()

    drill.wait_for("decision", is_settled, "The deadline was not written down.")


def _prove(drill: Drill, article: Article, claim: Claim | None) -> None:
    def is_proved() -> Claim | None:
        plan = ProbePlan.objects.filter(claim=claim).first()
        if plan is not None:
            probes.probe(plan, at=timezone.now(), base_url=drill.base_url)
        return Claim.objects.filter(pk=claim.pk if claim else 0, proved_at__isnull=False).first()

    proved = drill.wait_for("proof", is_proved, "Some place was not clean.")
    whole = certificates.issue(proved, at=timezone.now())
    if certificates.check(json.dumps(whole))["claim"] != str(proved):
        raise DrillFailed("certificate", "The certificate speaks of another claim.")


def _erase(drill: Drill, article: Article, claim: Claim | None) -> None:
    actions.erase(claim_id=claim.pk if claim else 0, at=timezone.now(), demanded=True)
    page = drill.get(article.get_absolute_url())
    if page.status != 410:
        raise DrillFailed("erasure", f"After its erasure the canary's page answered {page.status}.")


def _of(claim: Claim | None) -> Notice:
    if claim is None:
        raise DrillFailed("form", "There is no case.")
    notice: Notice = claim.notice
    return notice


_STEPS: tuple[tuple[str, Callable[[Drill, Article, Claim | None], Claim | None]], ...] = (
    ("page", _be_there),
    ("form", _file),
    ("confirm", _confirm),
    ("deadline", _pass_the_deadline),
    ("decision", _decide),
    ("proof", _prove),
    ("erasure", _erase),
)


def _clear_away(article: Article) -> None:
    """A canary that no case names leaves nothing; one that was not erased is withheld by its case all the same."""
    if not Claim.objects.filter(article=article).exists():
        article.delete()


# --- when -------------------------------------------------------------------------------------


def practise(limit: int, at: datetime) -> int:
    """Run the drill and leave word of how it went. Returns 0: one is enough, whether it passed or not."""
    try:
        told = run()
    except Exception as error:
        logger.exception("the drill failed")
        words = str(error) if isinstance(error, DrillFailed) else type(error).__name__
        leave_word(FAILED, {"error": words[:300]})
    else:
        leave_word(PASSED, told)
    return 0


def leave_word(name: str, detail: dict[str, Any]) -> None:
    """Keep how a drill went, for alarms and metrics."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now(), "detail": detail})


def is_due(at: datetime) -> bool:
    """Once a day; after a failure once in a quarter of an hour. Not in the first of them: the site has to stand."""
    last = dict(Heartbeat.objects.filter(name__in=(PASSED, FAILED)).values_list("name", "at"))
    if not last:
        leave_word(FAILED, {"error": "Not run yet."})
        return False
    passed, failed = last.get(PASSED), last.get(FAILED)
    rested = failed is None or at - failed >= AGAIN_AFTER
    return rested and (passed is None or at - passed >= EVERY or (failed is not None and failed > passed))


def faults(at: datetime) -> Iterator[str]:
    """What the last drills say is wrong."""
    last = {row.name: row for row in Heartbeat.objects.filter(name__in=(PASSED, FAILED))}
    passed, failed = last.get(PASSED), last.get(FAILED)
    if failed is not None and (passed is None or failed.at > passed.at):
        error = failed.detail.get("error", "")
        if error != "Not run yet." or at - failed.at > 2 * AGAIN_AFTER:
            yield f"The drill failed at {failed.at:%Y-%m-%d %H:%M} UTC. {error}"
    elif passed is not None and at - passed.at > EVERY * 1.5:
        yield f"No drill since {passed.at:%Y-%m-%d %H:%M} UTC."

"""Kill -9 at every write and every commit of a piece of work. The list of steps is what the work itself does.

`script/bench kills` walks all steps of all paths; test_killed.py walks a few.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.utils import timezone

from accounts.models import User
from articles import sealing
from articles.models import Article, ArticleState, Hold
from moderation import actions, answers, escrow, ledger, letters, receive
from moderation.models import (
    Channel,
    Claim,
    ClaimState,
    Decision,
    Escrow,
    Ground,
    LedgerEntry,
    Letter,
    Notice,
)
from tests.factories import ArticleFactory, RenditionFactory
from tests.moderation.cases import COUNTER, claim_in, moderator, notice_about

S = ClaimState
WRITE = re.compile(r"\s*(?:INSERT|UPDATE|DELETE)\b", re.I)
BEFORE_COMMIT, AFTER_COMMIT, OF_WRITE = "c", "C", "w"
Step = Callable[[str], object]


# --- a process that dies ----------------------------------------------------------------------


def steps_of(work: Callable[[], object]) -> str:
    """Every step of the work, done to its end in a process of its own: one letter for each write and commit."""
    heard, said = os.pipe()
    status = _in_a_child(work, lambda kind: os.write(said, kind.encode()))
    os.close(said)
    with os.fdopen(heard) as pipe:
        steps = pipe.read()
    assert status == 0, f"the work failed by itself: {status}"
    return steps


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do the work in a process that dies without a word at its n-th step. False when it got through."""
    left = [number]

    def die(kind: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    status = _in_a_child(work, die)
    assert status in (0, -signal.SIGKILL), status
    return status != 0


def _in_a_child(work: Callable[[], object], step: Step) -> int:
    """Fork, so that no interpreter has to start; returns the exit status, negative for a signal."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        # Under a running event loop, such as a browser's driver has, the parent had other connections than these:
        # they are the parent's, so they are neither used nor closed here.
        inherited = connections.all(initialized_only=True)
        for theirs in inherited:
            del connections[theirs.alias]
        try:
            _watch(step)
            work()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
            os._exit(3)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _watch(step: Step) -> None:
    """Have each write, and each commit before and after it, take the step first."""

    def write(execute: Any, sql: str, *rest: Any) -> Any:
        if WRITE.match(sql):
            step(OF_WRITE)
        return execute(sql, *rest)

    connection.execute_wrappers.append(write)
    commit = connection._commit  # type: ignore[attr-defined]

    def committed() -> None:
        step(BEFORE_COMMIT)
        commit()
        step(AFTER_COMMIT)

    connection._commit = committed  # type: ignore[attr-defined]


# --- the paths --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One article and its claim, if the path does not itself bring it; and a number that makes it this one."""

    number: int
    article: Article
    claim: Claim | None = None
    people: tuple[User, ...] = ()

    @property
    def claim_id(self) -> int:
        found = self.claim or Claim.objects.get(article=self.article)
        return int(found.pk)


@dataclass(frozen=True)
class Path:
    """A piece of work: the state its claim comes from and the one it leads to, and how it is done."""

    before: ClaimState | None
    after: ClaimState
    do: Callable[[Case], object]
    ground: Ground = Ground.COPYRIGHT


def _receive(case: Case) -> object:
    submission = receive.Submission(
        channel=Channel.FORM, text=settings.SITE_URL + case.article.get_absolute_url(), email="o@owner.example",
        name="O", work=f"Mine {case.number}", good_faith=True, accurate=True, signature="O", confirmed=True,
    )  # fmt: skip
    return receive.receive(submission=submission, at=timezone.now())


def _second(case: Case) -> object:
    claim = Claim.objects.get(pk=case.claim_id)
    one, other = case.people
    if not hasattr(claim, "proposal"):
        actions.propose_refusal(
            claim_id=claim.pk, by=one, at=timezone.now(), reason_code="part_only", reasons="Only this.",
            part="picture",
        )  # fmt: skip
    return actions.second_refusal(claim_id=claim.pk, by=other, at=timezone.now())


def _take_up(case: Case) -> object:
    at = timezone.now()
    told = COUNTER | {"phone": "1", "statement": f"Mine {case.number}"}
    written = answers.answer(claim_id=case.claim_id, told=told, language="en", at=at)
    return answers.vouch(answer_id=written.pk, at=at)


def _once(act: Callable[..., object], **more: Any) -> Callable[[Case], object]:
    return lambda case: act(claim_id=case.claim_id, at=timezone.now(), **more)


PATHS: dict[str, Path] = {
    "a notice": Path(None, S.RECEIVED, _receive),
    "withholding": Path(S.RECEIVED, S.UPHELD, _once(actions.uphold, by=None)),
    "removing a part": Path(S.RECEIVED, S.REDUCED, _second),
    "erasing": Path(S.UPHELD, S.ERASED, _once(actions.erase, demanded=True)),
    "withdrawing": Path(S.UPHELD, S.WITHDRAWN, _once(actions.withdraw)),
    "a counter-notice": Path(S.UPHELD, S.COUNTERED, _take_up),
    "reinstating": Path(S.COUNTERED, S.REINSTATED, _once(actions.reinstate)),
}


def prepare(path: Path, number: int) -> Case:
    """A case that stands where the path begins, with a picture, credits and words that occur nowhere else.

    Words of letters alone: the first article with a word takes a step more than the next ones with it.
    """
    own = "".join(chr(ord("a") + int(digit)) for digit in str(number))
    picture = RenditionFactory().media
    picture.file.save("kept.webp", ContentFile(b"picture"))
    article = ArticleFactory(
        slug=f"killed-{number}", headline=f"Zanzibar quartz{own}q", body=f"<p>Velvet anchovies{own}q.</p>",
        people=[f"Petronella Quist{own}q"], lead_media=picture,
    )  # fmt: skip
    if path.before is None:
        return Case(number, article)
    if path.before == S.RECEIVED:
        claim = notice_about(article, ground=path.ground).claims.get()
        return Case(number, article, claim, (moderator(), moderator()))
    return Case(number, article, claim_in(path.before, article=article, ground=path.ground))


# --- what must stand afterwards ---------------------------------------------------------------


def walk(path: Path, numbers: Iterator[int], sample: Callable[[str], Sequence[int]]) -> tuple[int, list[str]]:
    """Kill the path at the steps that `sample` chooses, each in a case of its own. Returns steps and what was wrong."""
    whole = prepare(path, next(numbers))
    steps = steps_of(lambda: path.do(whole))
    wrong = [f"not killed: {fault}" for fault in faults(path, whole, ended=True)]
    for place in sample(steps):
        case = prepare(path, next(numbers))
        if not killed_at(place, lambda case=case: path.do(case)):
            wrong.append(f"step {place}: got through")
            continue
        wrong += [f"step {place}{steps[place - 1]}, killed: {fault}" for fault in faults(path, case)]
        _go_on(path, case)
        wrong += [
            f"step {place}{steps[place - 1]}, gone on: {fault}" for fault in faults(path, case, ended=True)
        ]
    return len(steps), wrong


def every(steps: str) -> Sequence[int]:
    return range(1, len(steps) + 1)


def some(steps: str) -> Sequence[int]:
    """In the middle of the first transaction, and right after its commit."""
    commit = steps.index(BEFORE_COMMIT) + 1
    return commit // 2 + 1, commit + 1


def _go_on(path: Path, case: Case) -> None:
    """What people and the worker do next, with all leases run out."""
    if state_of(case) != path.after:
        path.do(case)
    later = timezone.now() + timedelta(hours=1)
    ledger.sync()
    escrow.seal_due(20, later)
    escrow.settle_due(20, later)
    letters.send_letters(50, later)


def state_of(case: Case) -> ClaimState | None:
    claim = Claim.objects.filter(article=case.article).first()
    return ClaimState(claim.state) if claim else None


def faults(path: Path, case: Case, *, ended: bool = False) -> Iterator[str]:
    """Whatever is neither before the work nor after it; with `ended`, whatever is not after it."""
    state = state_of(case)
    if state not in ({path.after} if ended else {path.before, path.after, S.UNDER_REVIEW}):
        yield f"its claim is {state}"
    # Between a commit and its copy the ledger's file is behind, and the next round brings it up.
    if ended and ledger.verify() is not None:
        yield "the ledger does not verify"
    if state is None:
        if Notice.objects.filter(work=f"Mine {case.number}").exists() or _holds(case).exists():
            yield "half a notice"
        return
    yield from _of_claim(case, ClaimState(state))
    yield from _of_article(case, ClaimState(state), ended=ended)


def _of_claim(case: Case, state: ClaimState) -> Iterator[str]:
    """Decision, ledger and letter come together."""
    claim = Claim.objects.get(article=case.article)
    if state == S.RECEIVED:
        if not Letter.objects.filter(notice=claim.notice).exists() and claim.notice.work:
            yield "no letter says that it was received"
        return
    for outcome, kind in actions.LETTERS.items():
        events = claim.events.filter(after=outcome).count()
        decided = Decision.objects.filter(claim=claim, outcome=outcome).count()
        written = LedgerEntry.objects.filter(kind=outcome, payload__contains=f'"{claim}"').count()
        owed = Letter.objects.filter(claim=claim, kind=kind).count()
        if not events == decided == written == owed:
            yield f"{outcome}: {events} events, {decided} decisions, {written} in the ledger, {owed} letters"


def _of_article(case: Case, state: ClaimState, *, ended: bool) -> Iterator[str]:
    """Withheld or shown, under seal or not, and no file or word left of what is erased."""
    article = Article.objects.get(pk=case.article.pk)
    withheld = state in (S.UPHELD, S.COUNTERED, S.ERASED)
    if Article.objects.public().filter(pk=article.pk).exists() == withheld:
        yield f"it is {state} and {'shown' if withheld else 'withheld'}"
    if (article.state == ArticleState.ERASED) != (state == S.ERASED):
        yield f"the article is {article.state}"
    if sealing.is_sealed(article) != (state in (S.UPHELD, S.COUNTERED)):
        yield "sealed by half"
    if not withheld and state != S.REDUCED and article.headline != case.article.headline:
        yield "not as it was"
    if ended and Escrow.objects.filter(article=article).exclude(files=[]).exists():
        yield "readable files are left"
    if ended and withheld and default_storage.exists(str(case.article.lead_media.file)):
        yield "its picture is left"


def _holds(case: Case) -> Any:
    return Hold.objects.filter(article=case.article)

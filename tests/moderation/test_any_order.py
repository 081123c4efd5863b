"""Whatever happens in whatever order: no article past its deadline is shown, no acknowledged case is lost.

A machine of rules (hypothesis) sends notices, decides, withdraws, fetches, edits, moves both clocks, and puts
back older copies of the database. After each step the site is asked as a reader would ask it.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from articles import actions as articles
from articles.drafts import Draft
from articles.models import Article, ArticleState, Hold
from moderation import actions, escrow, ledger
from moderation.models import Channel, Claim, ClaimState, LedgerEntry, Notice
from moderation.receive import Submission, confirm, receive
from moderation.replay import replay
from tests.clock import clocks
from tests.factories import ArticleFactory, SourceFactory, correct
from tests.front_door import FrontDoor
from tests.moderation.cases import COUNTER, moderator

S = ClaimState
# A day before the clocks change in Europe, so that many runs cross the change.
BEGIN = datetime(2026, 3, 28, 9, 30, tzinfo=UTC)
LIFTED = {S.REFUSED, S.WITHDRAWN, S.REINSTATED, S.REDUCED}
IN_FORCE = {S.UPHELD, S.COUNTERED, S.ERASED}
WHICH = st.integers(0, 2)
HEADLINES = ("Zanzibar quartz trembles", "Velvet anchovies sing loudly", "Pistachio ferries sail")


class AnyOrder(RuleBasedStateMachine):
    """`due` is what must be hidden from a moment on, by claim; it knows nothing of how the site does it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.stack.enter_context(
            override_settings(LEDGER_PATH=folder / "ledger.jsonl", MEDIA_ROOT=folder / "media")
        )
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.clocks = self.stack.enter_context(clocks(BEGIN))
        self.latest = BEGIN
        self.acknowledged: list[str] = []
        self.due: dict[str, tuple[int, datetime]] = {}
        self.copy: str | None = None

    @initialize()
    def begin(self) -> None:
        source = SourceFactory(domain="outlet.example", homepage="https://outlet.example/")
        self.articles = [
            ArticleFactory(
                headline=headline, source=source, published_at=BEGIN - timedelta(days=1), body=f"<p>{headline}.</p>"
            )
            for headline in HEADLINES
        ]  # fmt: skip
        self.people = [moderator(), moderator()]
        self.door = FrontDoor()
        # No run without a deadline to come, whichever rules it draws.
        self.send_notice(which=0, proof="mailbox")
        self.send_notice(which=1, proof="none")

    # --- what owners do ---------------------------------------------------------------------

    @rule(which=WHICH, proof=st.sampled_from(["domain", "mailbox", "none"]))
    def send_notice(self, which: int, proof: str) -> None:
        article, at = self.articles[which], timezone.now()
        submission = Submission(
            channel=Channel.FORM, text=settings.SITE_URL + article.get_absolute_url(), email="owner@owner.example",
            name="Olena", work="Mine", good_faith=True, accurate=True, signature="Olena",
            confirmed=proof != "none", proved_domain="outlet.example" if proof == "domain" else "",
            idempotency_key=str(len(self.acknowledged)), network="127.0.0.1",
        )  # fmt: skip
        with suppress(ledger.LedgerBehind):
            notice = receive(submission=submission, at=at).notice
            self.acknowledged.append(notice.reference)
            if proof == "domain":
                self.owe(notice, which, at)
            elif proof == "mailbox":
                self.owe(notice, which, at + timedelta(hours=settings.PROMISE_HOURS))

    def owe(self, notice: Notice, which: int, deadline: datetime) -> None:
        for claim in notice.claims.exclude(state__in=LIFTED):
            before = self.due.get(str(claim))
            self.due[str(claim)] = (which, min(deadline, before[1]) if before else deadline)

    @rule(number=st.integers(0, 30))
    def confirm_mailbox(self, number: int) -> None:
        notice = self.some(Notice.objects.filter(confirmed_at=None), number)
        if notice is not None:
            with suppress(ledger.LedgerBehind):
                confirm(notice=notice, at=timezone.now())
                for claim in notice.claims.filter(hold__isnull=False).select_related("article"):
                    self.owe(notice, self.articles.index(claim.article), notice.deadline_at)

    # --- what moderators do -----------------------------------------------------------------

    @rule(number=st.integers(0, 30), move=st.sampled_from(
        ["uphold", "refuse", "withdraw", "counter", "reinstate", "erase", "reduce", "take"]
    ))  # fmt: skip
    def decide(self, number: int, move: str) -> None:
        claim = self.some(Claim.objects.all(), number)
        if claim is None:
            return
        at, (one, other) = timezone.now(), self.people
        with suppress(actions.NotAllowed, articles.NotAllowed, ledger.LedgerBehind), transaction.atomic():
            if move == "uphold":
                actions.uphold(claim_id=claim.pk, by=one, at=at)
            elif move == "take":
                actions.take(claim_id=claim.pk, by=one, at=at)
            elif move in ("refuse", "reduce"):
                part = {"part": "headline"} if move == "reduce" else {}
                actions.propose_refusal(
                    claim_id=claim.pk, by=one, at=at, reason_code="licensed", reasons="Licensed.", **part
                )
                actions.second_refusal(claim_id=claim.pk, by=other, at=at)
            elif move == "withdraw":
                actions.withdraw(claim_id=claim.pk, at=at)
            elif move == "counter":
                actions.counter(claim_id=claim.pk, at=at, statement=COUNTER)
            elif move == "reinstate":
                actions.reinstate(claim_id=claim.pk, at=at)
            else:
                actions.erase(claim_id=claim.pk, at=at, demanded=True)
        self.note(claim)

    def note(self, claim: Claim) -> None:
        claim.refresh_from_db()
        if claim.state in LIFTED:
            self.due.pop(str(claim), None)
        elif claim.state in IN_FORCE:
            self.due[str(claim)] = (self.articles.index(claim.article), self.clocks.db)

    # --- what feeds, editors and the worker do ----------------------------------------------

    @rule(
        which=WHICH,
        changed=st.sampled_from([{}, {"guid_key": "n" * 64}, {"canonical_url": "https://mirror.example/x"}]),
    )
    def fetch(self, which: int, changed: dict[str, str]) -> None:
        article = Article.objects.get(pk=self.articles[which].pk)
        told = {
            "canonical_url": article.canonical_url or f"https://outlet.example/again/{which}", "guid_key": "g" * 64,
            "url_key": article.url_key, "text_key": article.text_key, "title_day_key": article.title_day_key,
            "headline": HEADLINES[which], "body": f"<p>{HEADLINES[which]}.</p>",
        }  # fmt: skip
        draft = Draft(**(told | changed))
        articles.ingest(source=self.articles[which].source, drafts=[draft], at=timezone.now())

    @rule(which=WHICH, what=st.sampled_from(["publish", "aside", "correct", "update"]))
    def edit(self, which: int, what: str) -> None:
        stale, at, by = self.articles[which], timezone.now(), self.people[0]
        with suppress(articles.NotAllowed), transaction.atomic():
            if what == "publish":
                articles.publish(article=stale, at=at, by=by)
            elif what == "aside":
                articles.set_aside(article=stale, to=ArticleState.DRAFT, by=by)
            elif what == "correct":
                article = Article.objects.get(pk=stale.pk)
                if article.headline:  # Of what is under seal or erased the desk has no form.
                    correct(article=article, at=at, by=by, note="Mended.")
            else:
                Article.objects.filter(pk=stale.pk).exclude(state=ArticleState.ERASED).update(
                    state="published"
                )

    @rule()
    def work(self) -> None:
        at = timezone.now()
        with suppress(ledger.LedgerBehind):
            actions.settle_overdue(20, at)
            actions.erase_due(20, at)
            actions.reinstate_due(20, at)
            escrow.seal_due(20, at)
        for claim in Claim.objects.all():
            self.note(claim)

    # --- what time and operators do ---------------------------------------------------------

    @rule(
        hours=st.sampled_from([1, 12, 22.99, 23, 24, 25, 24 * 13, 24 * 30]), skew=st.sampled_from([-3, 0, 3])
    )
    def time_passes(self, hours: float, skew: int) -> None:
        self.clocks.set(self.clocks.db + timedelta(hours=hours), skew=timedelta(hours=skew))
        self.latest = max(self.latest, self.clocks.db)

    @precondition(lambda self: self.coming())
    @rule(skew=st.sampled_from([-3, 0, 3]))
    def the_nearest_deadline_comes(self, skew: int) -> None:
        self.clocks.set(min(self.coming()), skew=timedelta(hours=skew))
        self.latest = max(self.latest, self.clocks.db)

    def coming(self) -> list[datetime]:
        return [deadline for _, deadline in self.due.values() if deadline > self.latest]

    @rule(hours=st.sampled_from([1, 25, 24 * 14]))
    def a_clock_is_set_back(self, hours: int) -> None:
        self.clocks.set(self.clocks.db - timedelta(hours=hours))

    @precondition(lambda self: self.copy is None)
    @rule()
    def back_up(self) -> None:
        self.copy = transaction.savepoint()

    @precondition(lambda self: self.copy is not None)
    @rule()
    def restore(self) -> None:
        ledger.sync()
        before = LedgerEntry.objects.count()
        transaction.savepoint_rollback(self.copy)
        self.copy = None
        self.clocks.set(self.clocks.db)
        if LedgerEntry.objects.count() < before:
            assert ledger.is_behind()
            assert self.door.get("/").status == 503
            list(replay())
        assert not ledger.is_behind()

    # --- what must be true ------------------------------------------------------------------

    @invariant()
    def nothing_past_its_deadline_is_shown(self) -> None:
        ledger.sync()
        hidden = {which for which, deadline in self.due.values() if deadline <= self.latest}
        lists = [self.door.get(path) for path in ("/", "/feeds/latest.json")]
        for which in sorted(hidden):
            own = self.door.get(self.articles[which].get_absolute_url())
            assert own.status in (404, 410, 451), f"{HEADLINES[which]} answers {own.status}"
            assert not [page.text for page in (own, *lists) if HEADLINES[which] in page.text]

    @invariant()
    def no_acknowledged_case_is_lost(self) -> None:
        kept = set(Notice.objects.values_list("reference", flat=True))
        for reference in self.acknowledged:
            assert reference in kept or LedgerEntry.objects.filter(payload__contains=reference).exists()

    @invariant()
    def a_claim_in_force_has_a_hold_that_stands(self) -> None:
        standing = Hold.objects.standing().values_list("pk", flat=True)
        assert not Claim.objects.filter(state__in=IN_FORCE).exclude(hold__in=list(standing)).exists()

    def some(self, rows: Any, number: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    def teardown(self) -> None:
        try:
            assert ledger.verify() is None
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            self.stack.close()


@pytest.mark.django_db
def test_no_order_of_things_shows_what_must_be_gone_or_loses_a_case():
    run_state_machine_as_test(
        AnyOrder,
        settings=bounds(
            max_examples=int(os.environ.get("ANY_ORDER", "5")), stateful_step_count=25, deadline=None,
            derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), print_blob=False,
            phases=[Phase.explicit, Phase.generate],
        ),
    )  # fmt: skip

"""Killed in the middle of anything (kill -9), the site is either before it or after it, and goes on from there."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from articles.models import Article, ArticleState, Hold
from moderation import actions, escrow, ledger, letters, probes
from moderation.models import Channel, Claim, ClaimState, Decision, LedgerEntry, Letter, Notice
from moderation.receive import Submission, receive
from tests.factories import ArticleFactory
from tests.moderation.cases import claim_in, notice_about
from tests.site_server import serving

S = ClaimState
pytestmark = pytest.mark.django_db(transaction=True)
# At which statement the process dies; then right after the commit; then not at all.
STATEMENTS = (1, 2, 3, 5, 8, 13, 21, 34, 55)
AFTER_COMMIT = -1


@pytest.fixture(autouse=True)
def groups(transactional_db):
    call_command("migrate", verbosity=0)


def killed(work: Callable[[], object], at: int) -> bool:
    """Do the work in a process of its own that dies without a word at its n-th statement. False when it got through."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            _die_at(at)
            work()
            os._exit(0)
        except actions.NotAllowed:
            os._exit(0)  # it was killed after its commit before, and there is nothing left to do
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _die_at(number: int) -> None:
    def die(*args: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if number == AFTER_COMMIT:
        connection.run_and_clear_commit_hooks = die
        return
    left = [number]

    def count(execute: Any, *args: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            die()
        return execute(*args)

    connection.execute_wrappers.append(count)


def each_kill(work: Callable[[], object], check: Callable[[], object]) -> int:
    """Kill the work at each place until it gets through; looks after each. Returns how often it was killed."""
    times = 0
    for at in (*STATEMENTS, AFTER_COMMIT):
        if not killed(work, at):
            break
        times += 1
        check()
    return times


def settle() -> None:
    """What the worker does next, with all leases run out."""
    later = timezone.now() + timedelta(hours=1)
    ledger.sync()
    escrow.seal_due(20, later)
    escrow.settle_due(20, later)
    letters.send_letters(20, later)
    assert ledger.verify() is None
    assert not ledger.is_behind()


def test_a_notice_is_there_whole_or_not_at_all():
    article = ArticleFactory()
    submission = Submission(
        channel=Channel.FORM, text=settings.SITE_URL + article.get_absolute_url(), email="o@owner.example", name="O",
        work="Mine", good_faith=True, accurate=True, signature="O", confirmed=True,
    )  # fmt: skip

    def whole_or_nothing() -> None:
        there = Notice.objects.count()
        assert there in (0, 1)
        assert Claim.objects.filter(hold__isnull=False).count() == there
        assert Hold.objects.count() == Letter.objects.count() == there
        assert LedgerEntry.objects.filter(kind="received").count() == there

    assert each_kill(lambda: receive(submission=submission, at=timezone.now()), whole_or_nothing) > 5

    sent_again = receive(submission=submission, at=timezone.now())
    assert Notice.objects.get() == sent_again.notice
    settle()
    assert Letter.objects.get().sent_at is not None


def test_a_decision_is_there_with_all_that_follows_or_not_at_all():
    claim = notice_about(ArticleFactory(headline="Zanzibar quartz")).claims.get()

    def whole_or_nothing() -> None:
        claim.refresh_from_db()
        done = int(claim.state == S.UPHELD)
        assert Decision.objects.count() == done
        assert Letter.objects.filter(kind="removed").count() == done
        assert LedgerEntry.objects.filter(kind="upheld").count() == done
        assert Article.objects.public().filter(pk=claim.article_id).exists() is not bool(done)

    def uphold() -> None:
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())

    assert each_kill(uphold, whole_or_nothing) > 8

    claim.refresh_from_db()
    if claim.state != S.UPHELD:
        uphold()
    settle()
    whole_or_nothing()
    assert claim.state == S.UPHELD
    assert Article.objects.get(pk=claim.article_id).headline == ""
    assert Letter.objects.get().sent_at is not None


def test_an_erasure_is_in_the_ledger_or_did_not_happen():
    claim = claim_in(S.UPHELD, article=ArticleFactory(people=["Petronella Quist"], tags=["Fish"]))

    def whole_or_nothing() -> None:
        erased = Article.objects.filter(pk=claim.article_id, state=ArticleState.ERASED).count()
        assert LedgerEntry.objects.filter(kind="erased").count() == erased
        assert Claim.objects.filter(pk=claim.pk, state=S.ERASED).count() == erased
        assert not Article.objects.public().filter(pk=claim.article_id).exists()

    def erase() -> None:
        actions.erase(claim_id=claim.pk, at=timezone.now(), demanded=True)

    assert each_kill(erase, whole_or_nothing) > 8

    if not Claim.objects.filter(pk=claim.pk, state=S.ERASED).exists():
        erase()
    settle()
    whole_or_nothing()
    assert Article.objects.filter(state=ArticleState.ERASED).exists()


def test_letters_go_out_in_the_end_and_under_one_name():
    claim_in(S.UPHELD)

    each_kill(lambda: letters.send_letters(20, timezone.now()), lambda: Letter.objects.get())

    settle()
    letter = Letter.objects.get()
    assert letter.sent_at is not None
    assert letter.lease_token == ""


def test_a_proof_that_died_is_taken_over():
    claim = claim_in(S.UPHELD)
    with serving() as site:
        url = f"http://127.0.0.1:{site.port}"

        def prove() -> None:
            settings.SITE_URL = url
            probes.probe_due(5, timezone.now())

        assert killed(prove, 3)
        assert Claim.objects.get(pk=claim.pk).proved_at is None
        before, settings.SITE_URL = settings.SITE_URL, url
        try:
            probes.probe_due(5, timezone.now() + timedelta(hours=1))
        finally:
            settings.SITE_URL = before

    assert Claim.objects.get(pk=claim.pk).proved_at is not None

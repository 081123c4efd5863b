"""Several people and workers at once, each in a thread with a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Thread
from time import sleep

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from articles import merging
from articles.actions import ingest, refresh
from articles.canonical import address_key
from articles.drafts import Draft
from articles.fields import clean_html
from articles.models import Article, Contribution
from articles.sealing import is_sealed
from moderation import actions, ledger
from moderation.actions import NotAllowed
from moderation.models import Claim, ClaimState, Decision, LedgerEntry, Letter
from tests.factories import ArticleFactory, ContributorFactory, TagFactory
from tests.moderation.cases import claim_in, moderator
from tests.moderation.leftovers import places_with

S = ClaimState
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def moderators_group(transactional_db):
    """Emptied tables lost the group; the migration makes it again."""
    call_command("migrate", verbosity=0)


def at_once(acts: Iterable[Callable[[], object]]) -> list[bool]:
    """Run all in the same moment; True for each that was allowed."""
    acts = list(acts)
    start = Barrier(len(acts))

    def one(act: Callable[[], object]) -> bool:
        start.wait()
        try:
            return act() is not False
        except NotAllowed:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def test_of_eight_moderators_with_opposite_verdicts_one_wins():
    claim = claim_in(S.RECEIVED)
    now = timezone.now()
    actions.propose_refusal(
        claim_id=claim.pk, by=moderator(), at=now, reason_code="licensed", reasons="Licence."
    )
    claim.refresh_from_db()
    entries = LedgerEntry.objects.count()
    people = [moderator() for _ in range(8)]

    def verdict(number: int) -> Callable[[], object]:
        verb = actions.uphold if number % 2 else actions.second_refusal
        return lambda: verb(claim_id=claim.pk, by=people[number], at=now, version=claim.version)

    won = at_once(verdict(number) for number in range(8))

    assert won.count(True) == 1
    assert Decision.objects.count() == Letter.objects.count() == 1
    assert LedgerEntry.objects.count() == entries + 1
    assert ledger.verify() is None


def test_of_eight_moderators_one_gets_the_claim():
    claim = claim_in(S.RECEIVED)
    now = timezone.now()

    people = [moderator() for _ in range(8)]

    won = at_once(
        [lambda person=person: actions.take(claim_id=claim.pk, by=person, at=now) for person in people]
    )

    assert won.count(True) == 1


def test_a_claim_somebody_left_lying_is_free_again():
    claim, now = claim_in(S.RECEIVED), timezone.now()
    actions.take(claim_id=claim.pk, by=moderator(), at=now)
    second = moderator()

    taken = actions.take(claim_id=claim.pk, by=second, at=now + timedelta(minutes=10))

    assert taken.reviewer == second


def test_of_four_workers_one_settles_and_one_erases():
    claim = claim_in(S.RECEIVED, hours_ago=24)
    now = timezone.now()

    at_once([lambda: actions.settle_overdue(10, now) for _ in range(4)])
    assert claim.decisions.count() == claim.letters.count() == 1

    later = now + timedelta(days=15)
    done = []
    at_once([lambda: done.append(actions.erase_due(10, later)) for _ in range(4)])
    assert sum(done) == 1
    assert claim.decisions.filter(outcome=S.ERASED).count() == 1


def test_two_claims_on_one_article_are_decided_side_by_side_without_a_deadlock():
    first = claim_in(S.RECEIVED)
    others = [claim_in(S.RECEIVED, article=first.article) for _ in range(3)]
    now = timezone.now()

    won = at_once(
        [lambda pk=claim.pk: actions.uphold(claim_id=pk, by=None, at=now) for claim in (first, *others)]
    )

    assert all(won)
    assert set(Claim.objects.values_list("state", flat=True)) == {S.UPHELD}
    assert not Article.objects.public().exists()


def tags_of(article: Article) -> Callable[[], object]:
    kept, other = TagFactory(name="Birds"), TagFactory(name="Gulls")
    article.tags.add(other)
    return lambda: merging.merge_tags(kept=kept, others=[other], by=None)


def people_of(article: Article) -> Callable[[], object]:
    kept, other = ContributorFactory(), ContributorFactory()
    # Of whom nothing else is here, nothing stays: then there is nobody to merge.
    for credited in (article, ArticleFactory()):
        Contribution.objects.create(article=credited, contributor=other)
    return lambda: merging.merge_contributors(kept=kept, others=[other], by=None)


@pytest.mark.parametrize("of", [tags_of, people_of])
def test_what_is_merged_while_its_article_is_removed_waits_and_no_ring_forms(of):
    claim = claim_in(S.RECEIVED)
    merge = of(claim.article)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Article.objects.select_for_update().get(pk=claim.article_id)
            merged = pool.submit(lambda: (merge(), connection.close()))
            # As far as it comes without the article.
            sleep(1)
            actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
        merged.result(timeout=30)

    assert Claim.objects.get().state == S.UPHELD
    assert is_sealed(Article.objects.get(pk=claim.article_id))


def an_update(article: Article) -> object:
    told = Draft(
        canonical_url=article.canonical_url, url_key=article.url_key, guid_key="", headline="Zanzibar quartz again",
        body=clean_html("<p>Velvet anchovies sing on.</p>"),
    )  # fmt: skip
    return ingest(source=article.source, drafts=[told], at=timezone.now())


@transaction.atomic
def an_index(article: Article) -> object:
    return refresh(articles=[article])


@pytest.mark.parametrize(
    ("work", "table"), [(an_update, "articles_revision"), (an_index, "articles_searchrow")]
)
def test_what_began_before_a_removal_brings_nothing_of_it_back(work, table):
    url = "https://outlet.example/quartz"
    article = ArticleFactory(
        headline="Zanzibar quartz", body="<p>Velvet anchovies sing.</p>", canonical_url=url, url_key=address_key(url)
    )  # fmt: skip
    claim = claim_in(S.RECEIVED, article=article)
    removal = Thread(
        target=at_once, args=[[lambda: actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())]]
    )

    def meanwhile(execute, sql, *rest):
        if "INSERT INTO" in sql and table in sql and not removal.ident:
            removal.start()
            removal.join(1)  # It ends, or waits for us; what stands afterwards is the same.
        return execute(sql, *rest)

    with connection.execute_wrapper(meanwhile):
        work(article)
    removal.join(60)

    claim.refresh_from_db()
    assert claim.state == S.UPHELD
    assert places_with(["velvet anchovies"]) == {}

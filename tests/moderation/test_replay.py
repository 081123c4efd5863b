"""A copy of the database from before a removal is restored: nothing comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.color import no_style
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from articles import actions as articles
from articles.models import Article, ArticleState, BlockedWork, Hold, Source
from moderation import actions, ledger, receive
from moderation.models import Channel, Claim, ClaimEvent, ClaimState, Decision, LedgerEntry, Letter, Notice
from moderation.references import secret_of
from moderation.replay import replay
from tests import emptying
from tests.articles.test_edited_copies import edited, offer, text
from tests.factories import ArticleFactory
from tests.moderation.cases import claim_in, notice_about, refuse
from tests.moderation.test_blocks import draft_like
from tests.moderation.test_ledger import past_the_triggers

S = ClaimState
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def moderators_group(transactional_db):
    call_command("migrate", verbosity=0)


class Copy:
    """The rows as they are now; `restore` puts exactly them back, as a backup would."""

    MODELS = (
        User,
        Source,
        Notice,
        Article,
        Hold,
        BlockedWork,
        Claim,
        ClaimEvent,
        Decision,
        Letter,
        LedgerEntry,
    )

    def __init__(self) -> None:
        self.rows = {model: [*model._base_manager.values()] for model in self.MODELS}

    def restore(self) -> None:
        emptying.empty("default")
        for model, rows in self.rows.items():
            model._base_manager.bulk_create([model(**row) for row in rows])
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), self.MODELS):
                cursor.execute(statement)


def public(article: Article) -> bool:
    return Article.objects.public().filter(key=article.key).exists()


def run_replay() -> int:
    return len(list(replay()))


def decided(verb: Callable[..., Any], claim: Claim) -> None:
    verb(claim_id=claim.pk, by=None, at=timezone.now())


def test_what_was_removed_after_the_copy_stays_removed(client):
    article = ArticleFactory(headline="Resurrected headline", text_key="5" * 64)
    # Another outlet's copy, which nobody asked about: it stood beside the article then.
    twin = ArticleFactory(text_key=article.text_key)
    claim = notice_about(article).claims.get()
    copy = Copy()
    decided(actions.uphold, claim)
    copy.restore()
    Article.objects.filter(pk=twin.pk).update(created_at=timezone.now() - timedelta(days=1))
    assert public(article)  # the danger

    assert ledger.is_behind()
    answer = client.get("/")
    assert answer.status_code == 503
    assert "Resurrected" not in answer.content.decode()
    run_replay()

    assert not ledger.is_behind()
    assert not public(article)
    assert public(twin)
    claim.refresh_from_db()
    assert claim.state == S.UPHELD
    assert not Letter.objects.exists()  # it was sent back then
    assert ledger.verify() is None
    assert client.get("/").status_code == 200


def test_an_erasure_is_repeated():
    article = ArticleFactory()
    claim = notice_about(article).claims.get()
    copy = Copy()
    decided(actions.uphold, claim)
    actions.erase(claim_id=claim.pk, at=timezone.now(), demanded=True)
    copy.restore()

    run_replay()

    article.refresh_from_db()
    assert (article.state, article.body, article.headline) == (ArticleState.ERASED, "", "")
    claim.refresh_from_db()
    assert claim.state == S.ERASED


@pytest.mark.parametrize("erased", [False, True])
def test_an_article_the_copy_never_had_cannot_be_fetched_again(erased):
    source = ArticleFactory().source
    copy = Copy()
    article = ArticleFactory(source=source, text_key="t" * 64)
    draft = draft_like(article)
    claim = claim_in(S.ERASED if erased else S.UPHELD, article=article)
    copy.restore()
    assert not Claim.objects.filter(pk=claim.pk).exists()

    run_replay()

    done = articles.ingest(source=source, drafts=[draft], at=timezone.now())
    assert done[0].outcome == articles.BLOCKED
    assert not public(article)


def test_what_a_feed_brought_back_before_the_replay_is_withheld_again():
    source = ArticleFactory().source
    copy = Copy()
    article = ArticleFactory(source=source)
    draft = draft_like(article)
    claim_in(S.UPHELD, article=article)
    copy.restore()
    articles.ingest(source=source, drafts=[draft], at=timezone.now())
    assert Article.objects.public().filter(url_key=draft.url_key).exists()

    run_replay()

    assert not Article.objects.public().filter(url_key=draft.url_key).exists()


def test_a_hold_that_was_only_coming_is_coming_again():
    article = ArticleFactory()
    copy = Copy()
    notice_about(article)
    copy.restore()

    run_replay()

    assert public(article)
    hold = Hold.objects.standing().get(article=article)
    assert timedelta(hours=21) < hold.effective_at - timezone.now() < timedelta(hours=23)
    assert hold.reference.startswith("ledger:NR-")


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("ended", ["refused", "withdrawn"])
def test_what_was_lifted_stays_lifted(ended, known):
    article = ArticleFactory()
    early = Copy()
    claim = notice_about(article).claims.get()
    copy = Copy() if known else early
    if ended == "refused":
        refuse(claim)
    else:
        decided(actions.withdraw, claim)
    copy.restore()

    run_replay()

    assert public(article)
    assert not Hold.objects.standing().filter(article=article).exists()


def test_a_replay_that_was_stopped_half_way_goes_on():
    claims = [notice_about(ArticleFactory()).claims.get() for _ in range(3)]
    copy = Copy()
    for claim in claims:
        decided(actions.uphold, claim)
    copy.restore()

    steps = replay()
    next(steps)
    steps.close()
    assert ledger.is_behind()

    assert run_replay() == 2
    assert not any(public(claim.article) for claim in claims)
    assert run_replay() == 0


def test_a_file_that_was_tampered_with_is_not_applied(capsys):
    claim = notice_about(ArticleFactory()).claims.get()
    copy = Copy()
    decided(actions.uphold, claim)
    copy.restore()
    settings.LEDGER_PATH.write_bytes(settings.LEDGER_PATH.read_bytes().replace(b"upheld", b"refused"))

    with pytest.raises(CommandError, match="Not replayed: entry 2 in the file: changed"):
        call_command("replay_ledger")
    assert ledger.is_behind()


def test_damage_among_what_the_database_has_too_is_passed_over_only_on_demand(capsys):
    claim = notice_about(ArticleFactory()).claims.get()
    copy = Copy()
    decided(actions.uphold, claim)
    whole = settings.LEDGER_PATH.read_bytes()
    settings.LEDGER_PATH.write_bytes(whole.replace(b"held", b"hold", 1))

    with pytest.raises(CommandError, match="entry 1 in the file: changed.*--despite-damage"):
        call_command("replay_ledger")  # nothing is missing, and that is not said
    copy.restore()
    with pytest.raises(CommandError, match="entry 1 in the file: changed"):
        call_command("replay_ledger")
    call_command("replay_ledger", "--despite-damage")

    assert "Applied 1 entries." in capsys.readouterr().out
    assert not public(claim.article)
    settings.LEDGER_PATH.write_bytes(whole.splitlines(keepends=True)[0].replace(b"held", b"hold", 1))
    with pytest.raises(CommandError, match="entry 1"):
        call_command("replay_ledger")


def test_two_databases_that_went_different_ways_need_a_person():
    claim = notice_about(ArticleFactory()).claims.get()
    past_the_triggers("UPDATE moderation_ledgerentry SET hash = 'f'", "moderation_ledgerentry")

    with pytest.raises(CommandError, match="is not entry 1 of the file"):
        call_command("replay_ledger")
    assert ledger.is_behind()
    assert claim.state == S.RECEIVED


def test_the_command_says_what_it_applied(capsys):
    claim = notice_about(ArticleFactory()).claims.get()
    copy = Copy()
    decided(actions.uphold, claim)
    copy.restore()

    call_command("replay_ledger")

    assert f"2 upheld {claim}: articles 1\nApplied 1 entries." in capsys.readouterr().out
    call_command("replay_ledger")
    assert "Nothing was missing." in capsys.readouterr().out


def posted(*articles: Article) -> Notice:
    """A notice as the form brings it, with all that intake writes."""
    text = "\n".join(settings.SITE_URL + article.get_absolute_url() for article in articles)
    sent = receive.Submission(
        channel=Channel.FORM, text=text or "https://elsewhere.example/1", name="Ola Nor", email="ola@owner.example",
        work="All of it", good_faith=True, accurate=True, signature="Ola Nor", confirmed=True,
    )  # fmt: skip
    return receive.receive(submission=sent, at=timezone.now()).notice


def test_a_notice_the_copy_never_had_is_known_again_by_its_reference(client, capsys):
    kept, refused = ArticleFactory(), ArticleFactory()
    copy = Copy()
    notice, strange = posted(kept, refused), posted()
    first, second = notice.claims.order_by("number")
    decided(actions.uphold, first)
    refuse(second)
    copy.restore()

    call_command("notice_exists", notice.reference)
    assert "Only the ledger has it" in capsys.readouterr().out
    run_replay()

    call_command("notice_exists", notice.reference)
    call_command("notice_exists", strange.reference)
    assert "replay" not in capsys.readouterr().out
    again = Notice.objects.get(reference=notice.reference)
    assert (again.received_at, again.deadline_at) == (notice.received_at, notice.deadline_at)
    assert [claim.state for claim in again.claims.order_by("number")] == [S.UPHELD, S.REFUSED]
    assert (again.name, again.email, again.confirmed_at) == ("", "", None)
    assert client.get(reverse("removal-status", args=[secret_of(notice.reference)])).status_code == 200
    assert not public(kept)
    assert public(refused)
    with pytest.raises(SystemExit):
        call_command("notice_exists", "NR-00000-00000-000")


def test_an_edited_copy_of_a_work_removed_after_the_copy_waits_for_an_editor():
    body, source = text(1), ArticleFactory().source
    copy = Copy()
    article = ArticleFactory(source=source, body=f"<p>{body}</p>")
    claim_in(S.UPHELD, article=article)
    copy.restore()
    assert public(offer(edited(body), "came before the replay"))

    run_replay()

    for name in ("came before the replay", "came after it"):
        offer(edited(body), name)
        assert Article.objects.get(headline=name).state == ArticleState.REVIEW

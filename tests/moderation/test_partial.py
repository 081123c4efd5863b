"""Removed in part: one picture, the text, one name. The rest stands, and the part stays away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from articles import actions as articles
from articles import cuts
from articles.models import Article, ArticleState, Contributor, Cut, CutKind, Revision, Source
from moderation import actions, escrow, letters
from moderation.actions import NotAllowed
from moderation.models import Claim, ClaimState, Escrow, LedgerEntry, LetterKind, Notice
from moderation.replay import replay
from moderation.status import case_of
from tests.desk.test_articles import form_of, save
from tests.factories import ArticleFactory, ContributorFactory, SourceFactory, UserFactory
from tests.moderation.cases import claim_in, moderator, notice_about, reduce_to, refuse
from tests.moderation.test_blocks import draft_like
from tests.moderation.test_erase import tables_with
from tests.moderation.test_escrow import everything, rich_article
from tests.moderation.test_ledger import past_the_triggers

S = ClaimState
pytestmark = pytest.mark.django_db
BODY = (
    "<p>Velvet anchovies sing. They sing for an hour and then they are quiet again.</p>"
    "<p>Reporting by Petronella Quist and Bo Li.</p>"
)


def article_with_everything(**fields: str) -> Article:
    article = rich_article(**fields)
    Article.objects.filter(pk=article.pk).update(byline="By Petronella Quist and Bo Li", body=BODY)
    articles.refresh(articles=[article])
    article.refresh_from_db()
    return article


def reduced(part: str, name: str = "") -> Claim:
    claim = notice_about(article_with_everything()).claims.get()
    reduce_to(claim, part, name)
    return Claim.objects.select_related("article").get(pk=claim.pk)


def is_public(claim: Claim) -> bool:
    return Article.objects.public().filter(pk=claim.article_id).exists()


def test_the_picture_goes_and_the_page_stands(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        claim = reduced("picture")

    assert is_public(claim)
    assert claim.article.lead_media is None
    assert claim.article.body == BODY
    assert not tables_with("photographed by quist")
    assert not default_storage.listdir("pictures")[1]


@pytest.mark.parametrize(("part", "body"), [("excerpt", "<p>They sing for"), ("headline", "")])
def test_the_text_goes_down_to_an_excerpt_or_the_headline(part, body):
    source = SourceFactory(usage="full", terms="All of it.", excerpt_words=4)
    article = ArticleFactory(
        source=source, standfirst="", body="<p>They sing for an hour and then rest.</p>", headline="Zanzibar quartz"
    )  # fmt: skip
    Article.objects.filter(pk=article.pk).update(signature=b"of the whole text", text_key="w" * 64)
    claim = notice_about(article).claims.get()

    reduce_to(claim, part)

    article.refresh_from_db()
    assert (article.signature, article.text_key) == (None, cuts.known_by(article.body)["text_key"])
    assert is_public(claim)
    assert article.headline == "Zanzibar quartz"
    assert article.body.startswith(body)
    assert not tables_with("and then rest")


def test_one_name_goes_from_credits_byline_and_last_line_and_others_stay():
    claim = reduced("name", "Petronella Quist")

    article = claim.article
    assert is_public(claim)
    assert [person.name for person in article.contributors.all()] == ["Bo Li"]
    assert article.byline == "Bo Li"
    assert "Velvet anchovies" in article.body
    assert "Bo Li" in article.body
    assert not tables_with("petronella")
    assert not Contributor.objects.filter(name="Petronella Quist").exists()


@pytest.mark.parametrize(
    ("part", "name"), [("picture", ""), ("excerpt", ""), ("headline", ""), ("name", "Petronella Quist")]
)
@pytest.mark.parametrize("undo", ["withdraw", "reinstate"])
def test_undone_it_is_what_it_was_byte_for_byte(part, name, undo):
    claim = notice_about(article_with_everything()).claims.get()
    before = everything(claim.article)
    reduce_to(claim, part, name)
    assert everything(claim.article) != before

    getattr(actions, undo)(claim_id=claim.pk, at=timezone.now(), by=moderator())

    assert everything(claim.article) == before
    assert not Escrow.objects.exists()
    assert not Cut.objects.filter(lifted_at=None).exists()


@pytest.mark.parametrize(
    ("part", "name", "gone"),
    [("headline", "", "anchovies"), ("name", "Petronella Quist", "Petronella"), ("excerpt", "", "whales")],
)
def test_the_next_fetch_does_not_bring_the_part_back(part, name, gone):
    claim = reduced(part, name)
    article = claim.article
    source = article.source or SourceFactory()
    Source.objects.filter(pk=source.pk).update(excerpt_words=5)
    said = {
        "headline": "A new headline", "standfirst": "", "dateline": "", "byline": "By Petronella Quist and Bo Li",
        "body": "<p>Velvet anchovies sing again, and now they sing to whales.</p>"
        "<p>Reporting by Petronella Quist and Bo Li.</p>",
    }  # fmt: skip

    obeyed = cuts.obey(Article.objects.get(pk=article.pk), said)

    assert obeyed["headline"] == "A new headline"
    assert gone not in str(obeyed)
    assert ("Bo Li" in str(obeyed)) == (part == "name" or part in ("excerpt", "headline"))


def test_a_feed_updates_the_article_and_the_name_stays_away():
    claim = reduced("name", "Petronella Quist")
    article = claim.article
    draft = draft_like(article, body=BODY.replace("quiet", "loud"), byline="By Petronella Quist and Bo Li")

    [done] = articles.ingest(source=article.source, drafts=[draft], at=timezone.now())

    article.refresh_from_db()
    assert (done.outcome, "loud" in article.body) == ("updated", True)
    assert (article.text_key, article.signature) == (cuts.known_by(article.body)["text_key"], None)
    assert not tables_with("petronella")


def test_a_decision_on_a_part_needs_two_and_reasons_and_leaves_all_that_a_decision_leaves():
    claim = claim_in(S.RECEIVED, article=article_with_everything())
    first, now = moderator(), timezone.now()
    actions.propose_refusal(
        claim_id=claim.pk, by=first, at=now, reason_code="part_only", reasons="His picture.", part="picture"
    )
    with pytest.raises(NotAllowed, match="second person"):
        actions.second_refusal(claim_id=claim.pk, by=first, at=now)

    actions.second_refusal(claim_id=claim.pk, by=moderator(), at=now)

    claim.refresh_from_db()
    assert (claim.state, claim.hold) == (S.REDUCED, None)
    assert claim.events.get(after=S.REDUCED).note == "The picture. His picture."
    assert '"part":"picture"' in LedgerEntry.objects.get(kind="reduced").payload
    subject, text = letters.render(claim.letters.get(kind=LetterKind.REDUCED))
    assert subject.startswith("Removed in part")
    assert "What was removed: the picture." in text
    assert "His picture." in text


@pytest.mark.parametrize(
    ("part", "name", "why"),
    [
        ("picture", "", "no picture"),
        ("name", "Nobody Here", "whom the article credits"),
        ("legs", "", "no such part"),
    ],
)
def test_a_part_that_is_not_there_cannot_be_removed(part, name, why):
    claim = claim_in(S.RECEIVED)

    with pytest.raises(NotAllowed, match=why):
        reduce_to(claim, part, name)


def test_a_refusal_does_not_pass_as_a_part_without_a_part():
    with pytest.raises(NotAllowed, match="needs one of the reasons"):
        reduce_to(claim_in(S.RECEIVED), "")


def test_after_the_window_the_part_is_destroyed_and_cannot_be_put_back(django_capture_on_commit_callbacks):
    claim = reduced("headline")
    later = timezone.now() + timedelta(days=15)
    assert actions.end_parts_due(10, timezone.now()) == 0

    with django_capture_on_commit_callbacks(execute=True):
        assert actions.end_parts_due(10, later) == 1

    assert not Escrow.objects.exists()
    with pytest.raises(NotAllowed, match="is destroyed"):
        actions.reinstate(claim_id=claim.pk, at=later)
    assert Cut.objects.filter(lifted_at=None).count() == 1


def test_withheld_as_a_whole_after_all_and_taken_back_everything_is_there():
    claim = notice_about(article_with_everything()).claims.get()
    before = everything(claim.article)
    reduce_to(claim, "headline")

    actions.uphold(claim_id=claim.pk, by=moderator(), at=timezone.now())
    assert not is_public(claim)
    actions.withdraw(claim_id=claim.pk, at=timezone.now())

    assert everything(claim.article) == before


def test_a_text_that_another_claim_keeps_out_does_not_come_back_with_its_part():
    one = article_with_everything()
    copy = ArticleFactory(source=one.source, body=BODY)
    Article.objects.update(text_key=cuts.known_by(BODY)["text_key"])
    claim = notice_about(one).claims.get()
    reduce_to(claim, "headline")
    cut = everything(one)
    other = notice_about(copy).claims.get()
    actions.uphold(claim_id=other.pk, at=timezone.now(), by=moderator())

    with pytest.raises(NotAllowed, match="same text"):
        actions.withdraw(claim_id=claim.pk, at=timezone.now())

    assert everything(one) == cut


def test_a_case_of_five_urls_ends_five_ways():
    whole, picture, name, stays, back = (
        article_with_everything(slug=f"slug-{i}") if i < 3 else ArticleFactory() for i in range(5)
    )
    claims = list(notice_about(whole, picture, name, stays, back).claims.order_by("number"))

    actions.uphold(claim_id=claims[0].pk, by=moderator(), at=timezone.now())
    reduce_to(claims[1], "picture")
    reduce_to(claims[2], "name", "Bo Li")
    refuse(claims[3])
    actions.withdraw(claim_id=claims[4].pk, at=timezone.now())

    assert [Claim.objects.get(pk=claim.pk).state for claim in claims] == [
        S.UPHELD, S.REDUCED, S.REDUCED, S.REFUSED, S.WITHDRAWN,
    ]  # fmt: skip
    assert [is_public(claim) for claim in claims] == [False, True, True, True, True]
    actions.erase(claim_id=claims[0].pk, at=timezone.now(), demanded=True)
    ended = Notice.objects.get(pk=claims[0].notice_id)
    assert case_of(ended).outcome == "Part of what is ours and was named here was removed."


def test_an_older_copy_of_the_database_learns_of_the_part_again(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        claim = notice_about(article_with_everything()).claims.get()
        copy = Article.objects.values("body", "byline").get(pk=claim.article_id)
        reduce_to(claim, "headline")
    entry = LedgerEntry.objects.get(kind="reduced")
    Cut.objects.all().delete()
    Escrow.objects.all().delete()
    Article.objects.filter(pk=claim.article_id).update(**copy)
    past_the_triggers(f"DELETE FROM moderation_ledgerentry WHERE seq >= {entry.seq}")

    assert [done.line.kind for done in replay()] == ["reduced"]

    article = Article.objects.get(pk=claim.article_id)
    assert (article.body, article.state) == ("", ArticleState.PUBLISHED)
    assert Cut.objects.get().kind == CutKind.HEADLINE
    assert escrow.has_part(claim)


def test_a_moderator_proposes_a_part_from_the_page_of_the_claim(client):
    claim = claim_in(S.RECEIVED, article=article_with_everything())
    client.force_login(moderator())
    address = reverse("admin:moderation_claim_change", args=[claim.pk])
    page = client.get(address).content.decode()
    assert "Propose to remove in part" in page
    assert '<option value="Bo Li">' in page

    client.post(address, {
        "move": "reduce", "version": claim.version, "part": "name", "name": "Bo Li", "reasons": "Not her report.",
    })  # fmt: skip

    assert claim.proposal.part == "name"
    client.force_login(moderator())
    assert "Proposed by" in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("part", "name", "gone"),
    [("headline", "", "anchovies"), ("name", "Petronella Quist", "Petronella"), ("excerpt", "", "whales"),
     ("picture", "", "")],
)  # fmt: skip
def test_no_editor_brings_the_part_back(part, name, gone):
    article = article_with_everything()
    media = article.lead_media
    Source.objects.filter(pk=article.source_id).update(excerpt_words=5)
    claim = notice_about(article).claims.get()
    reduce_to(claim, part, name)
    stored = Article.objects.get(pk=article.pk)
    stored.body, stored.byline = BODY.replace("again", "whales"), "By Petronella Quist and Bo Li"
    stored.lead_media = media

    articles.save_edit(article=stored, at=timezone.now(), by=None)

    stored.refresh_from_db()
    assert stored.lead_media is None if part == "picture" else gone not in stored.body + stored.byline
    kept = Revision.objects.filter(article=stored).values_list("snapshot", flat=True)
    assert not gone or not any(gone in f"{said['body']} {said['byline']}" for said in kept)


def test_a_removed_name_that_is_credited_again_goes_again_and_the_editor_is_told(client):
    article = reduced("name", "Petronella Quist").article
    client.force_login(UserFactory(superuser=True))
    person = ContributorFactory(name="Petronella Quist")
    again = {
        "contributions-TOTAL_FORMS": 2, "contributions-1-contributor": person.pk,
        "contributions-1-role": "author", "contributions-1-position": 5,
    }  # fmt: skip
    assert save(client, article, form_of(client, article, **again)).status_code == 302

    page = client.get(reverse("admin:articles_article_changelist")).content.decode()

    assert "left out of what you saved: one name" in page
    assert [one.name for one in article.contributors.all()] == ["Bo Li"]

"""Under seal: withheld text is not readable in the database, comes back byte for byte, or never."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from accounts import unsaved
from accounts.models import UnsavedForm
from articles import actions as articles
from articles import sealing, search, workflow
from articles.models import Article, Contributor, Media, RelatedLink, Revision, RevisionKind, Tag
from moderation import actions, escrow
from moderation.actions import NotAllowed
from moderation.models import Claim, ClaimState, Escrow, Ground
from tests.factories import ArticleFactory, RenditionFactory, UserFactory
from tests.moderation.cases import claim_in, moderator, notice_about
from tests.moderation.test_erase import TELLING, tables_with

S = ClaimState
pytestmark = pytest.mark.django_db


def rich_article(slug: str = "a-slug") -> Article:
    """An article with something in every place where an article can have something."""
    picture = RenditionFactory(media__credit="Photographed by Quist").media
    picture.file.save("quist.webp", ContentFile(b"picture"))
    picture.renditions.get().avif.save("quist.avif", ContentFile(b"smaller"))
    article = ArticleFactory(
        headline="Zanzibar quartz", standfirst="It is said.", body="<p>Velvet anchovies sing.</p>",
        lead_media=picture, people=["Petronella Quist", "Bo Li"], slug=slug,
        updated_at=datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC),
    )  # fmt: skip
    article.tags.add("Minerals", "Fish")
    other = ArticleFactory()
    articles.relate(article=article, to=[other], by=None)
    articles.relate(article=other, to=[article], by=None)
    RelatedLink.objects.create(
        article=article, url="https://elsewhere.example/", title="More quartz", position=7
    )
    articles.keep_revision(article=article, kind=RevisionKind.EDIT, at=timezone.now(), by=moderator())
    LogEntry.objects.log_actions(
        moderator().pk, [article], 2, change_message="Zanzibar quartz", single_object=True
    )
    unsaved.keep(
        user=moderator(),
        subject=f"article:{article.pk}",
        fields="body=Velvet anchovies",
        version=1,
        at=timezone.now(),
    )
    search.index([article.pk])
    return article


def everything(article: Article) -> dict[str, object]:
    """All that is stored of an article, its files' bytes included."""
    pictures = Media.objects.filter(articles=article)
    return {
        "row": Article.objects.filter(pk=article.pk).values().get() | {"compared_at": None, "version": None},
        "credits": list(
            article.contributions.values("pk", "contributor__name", "contributor__slug", "role", "position")
        ),
        "tags": list(article.tags.order_by("pk").values_list("pk", "name", "slug")),
        "links": list(RelatedLink.objects.order_by("pk").values()),
        "revisions": list(Revision.objects.values()),
        "pictures": list(pictures.values()),
        "renditions": [row for media in pictures for row in media.renditions.values()],
        "files": {
            name: read_bytes(name)
            for media in pictures
            for name in media.files
            if default_storage.exists(name)
        },
        "history": list(LogEntry.objects.values()),
        "typed": list(UnsavedForm.objects.values()),
        "found": search.find("quartz").total_is_at_least,
    }


def read_bytes(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """What runs after a commit runs here at the end of the block."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_of_a_withheld_article_nothing_can_be_read_in_any_table_or_folder(committed):
    claim = notice_about(rich_article()).claims.get()
    files = claim.article.lead_media.files
    assert len(files) == 3
    assert all(tables_with(words) for words in TELLING)

    with committed():
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())

    assert not workflow.may_change(UserFactory(superuser=True), Article.objects.get(pk=claim.article_id))
    left = {words: tables_with(words) for words in TELLING}
    assert not any(left.values()), left
    assert not any(default_storage.exists(name) for name in files)
    assert escrow.settle_due(10, timezone.now()) == 0


def test_what_comes_back_is_what_was_there_byte_for_byte(committed):
    claim = notice_about(rich_article()).claims.get()
    before = everything(claim.article)

    with committed():
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    assert everything(claim.article) != before
    with committed():
        actions.withdraw(claim_id=claim.pk, at=timezone.now())

    assert everything(claim.article) == before
    assert workflow.may_change(UserFactory(superuser=True), Article.objects.get(pk=claim.article_id))
    assert Article.objects.public().filter(pk=claim.article_id).exists()
    assert not Escrow.objects.exists()


def test_a_name_and_a_tag_that_came_anew_meanwhile_are_used(committed):
    claim = notice_about(rich_article()).claims.get()
    with committed():
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    assert not Contributor.objects.filter(name="Petronella Quist").exists()
    anew = ArticleFactory(people=["Petronella Quist"]).contributors.get()
    Tag.objects.filter(name="Fish").delete()

    with committed():
        actions.withdraw(claim_id=claim.pk, at=timezone.now())

    assert claim.article.contributors.order_by("contributions__position").first() == anew
    assert sorted(claim.article.tags.names()) == ["Fish", "Minerals"]


def test_a_picture_that_another_article_shows_stays(committed):
    article = rich_article()
    other = ArticleFactory(lead_media=article.lead_media)
    claim = notice_about(article).claims.get()

    with committed():
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())

    other.refresh_from_db()
    assert default_storage.exists(other.lead_media.file.name)
    assert other.lead_media.credit == "Photographed by Quist"


def test_while_one_of_two_claims_stands_the_article_stays_sealed():
    article = rich_article()
    first, second = (notice_about(article).claims.get() for _ in range(2))
    for claim in (first, second):
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())

    actions.withdraw(claim_id=first.pk, at=timezone.now())
    assert Escrow.objects.count() == 1
    assert sealing.is_sealed(Article.objects.get(pk=article.pk))

    actions.withdraw(claim_id=second.pk, at=timezone.now())
    assert Article.objects.public().get(pk=article.pk).headline == "Zanzibar quartz"


def test_an_erasure_destroys_the_key_and_the_ciphertext(committed):
    claim = notice_about(rich_article(), ground=Ground.PRIVACY).claims.get()
    with committed():
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    kept = Escrow.objects.get()
    path = escrow._key_path(kept.token)
    assert path.stat().st_mode & 0o777 == 0o600

    with committed():
        assert actions.erase_due(10, timezone.now()) == 1

    assert not path.exists()
    assert not Escrow.objects.exists()
    # Somebody had copied the row before: without the key it is noise.
    with pytest.raises(escrow.CannotOpen):
        escrow._decipher(kept)


def test_a_copy_of_the_row_with_another_key_cannot_be_opened(committed):
    first, second = (notice_about(ArticleFactory()).claims.get() for _ in range(2))
    for claim in (first, second):
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    one, other = Escrow.objects.order_by("pk")
    one.token, other.token = other.token, one.token

    with pytest.raises(escrow.CannotOpen):
        escrow._decipher(one)


def test_without_its_key_a_claim_cannot_be_lifted_and_the_article_stays_withheld():
    claim = claim_in(S.UPHELD)
    escrow._destroy_key(Escrow.objects.get().token)

    with pytest.raises(NotAllowed, match="key is gone"):
        actions.withdraw(claim_id=claim.pk, at=timezone.now())

    assert not Article.objects.public().filter(pk=claim.article_id).exists()
    assert Claim.objects.get(pk=claim.pk).state == S.UPHELD


def test_what_could_not_be_sealed_stays_withheld_and_is_sealed_later(settings, tmp_path):
    claim = claim_in(S.RECEIVED)
    folder = settings.LEDGER_PATH.parent / "escrow"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file stands where the folder should be")

    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    assert not Article.objects.public().filter(pk=claim.article_id).exists()
    assert escrow.seal_due(10, timezone.now()) == 0

    folder.unlink()
    assert escrow.seal_due(10, timezone.now()) == 1
    assert not escrow.unsealed().exists()


def test_spare_keys_go_when_no_backup_needs_them():
    claim_in(S.UPHELD)
    kept = escrow._key_path(Escrow.objects.get().token)
    spare = escrow._key_path("f" * 32)
    spare.write_bytes(b"x")
    later = timezone.now() + timedelta(days=36)

    assert escrow.destroy_spare_keys(10, timezone.now()) == 0
    assert escrow.destroy_spare_keys(10, later) == 1
    assert (kept.exists(), spare.exists()) == (True, False)


def test_the_key_of_an_old_seal_is_kept_from_the_day_it_was_undone():
    claim = claim_in(S.UPHELD)
    key = escrow._key_path(Escrow.objects.get().token)
    os.utime(key, (0, 0))

    escrow.unseal(article=claim.article, without=claim)

    assert escrow.destroy_spare_keys(10, timezone.now()) == 0
    assert key.exists()


def test_a_moderator_reads_what_is_under_seal_on_the_page_of_the_claim(client):
    claim = claim_in(S.UPHELD, article=rich_article())
    client.force_login(moderator())

    page = client.get(reverse("admin:moderation_claim_change", args=[claim.pk])).content.decode()

    assert "Velvet anchovies sing." in page
    assert "Zanzibar quartz" in page
    assert "under seal" in page

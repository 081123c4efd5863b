"""Erasure: after the window, or at once on the owner's word, and nothing is left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from articles import actions as articles
from articles.models import Article, ArticleState, Media, RevisionKind
from moderation import actions, escrow, probes
from moderation.actions import NotAllowed
from moderation.models import Claim, ClaimState, Ground, Letter, ProbePlan
from newsroom.alarms import alarms
from tests.factories import ArticleFactory, RenditionFactory
from tests.moderation.cases import claim_in, notice_about
from tests.ops.object_storage import object_storage

S = ClaimState
pytestmark = pytest.mark.django_db
TELLING = ["zanzibar quartz", "velvet anchovies", "petronella quist", "photographed by quist"]


def telling_article() -> Article:
    """An article whose words occur nowhere else."""
    picture = RenditionFactory(media__credit="Photographed by Quist").media
    picture.file.save("quist.webp", ContentFile(b"picture"))
    article = ArticleFactory(
        headline="Zanzibar quartz", body="<p>Velvet anchovies sing.</p>", lead_media=picture,
        people=["Petronella Quist"], slug="a-slug",
    )  # fmt: skip
    articles.keep_revision(article=article, kind=RevisionKind.EDIT, at=timezone.now(), by=None)
    return article


def tables_with(words: str) -> set[str]:
    """Every table of the database in which the words can still be read."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        columns = [field.column for field in model._meta.concrete_fields]
        with connection.cursor() as cursor:
            for column in columns:
                name = f'"{model._meta.db_table}"."{column}"'
                cursor.execute(
                    f"SELECT 1 FROM {model._meta.db_table} WHERE LOWER(CAST({name} AS TEXT)) LIKE %s",
                    [f"%{words}%"],
                )
                found |= {model._meta.db_table} if cursor.fetchone() else set()
    return found


def test_nothing_of_an_erased_article_is_left_in_any_table(django_capture_on_commit_callbacks):
    article = telling_article()
    files = [article.lead_media.file.name, article.lead_media.renditions.get().file.name]
    assert all(tables_with(words) for words in TELLING)
    claim = claim_in(S.UPHELD, article=article)
    assert all(default_storage.exists(name) for name in files)

    with django_capture_on_commit_callbacks(execute=True):
        actions.erase(claim_id=claim.pk, at=timezone.now(), demanded=True)

    # The person stays a person: other articles may be hers.
    left = {words: tables_with(words) - {"articles_contributor"} for words in TELLING}
    assert not any(left.values()), left
    assert not Media.objects.exists()
    assert not any(default_storage.exists(name) for name in files)


def test_it_waits_until_the_window_is_over():
    claim = claim_in(S.UPHELD)
    now = timezone.now()

    with pytest.raises(NotAllowed, match="can still be answered"):
        actions.erase(claim_id=claim.pk, at=now)
    assert actions.erase_due(10, now + timedelta(days=13)) == 0
    assert actions.erase_due(10, now + timedelta(days=15)) == 1

    claim.article.refresh_from_db()
    assert claim.article.state == ArticleState.ERASED


def test_privacy_does_not_wait():
    claim = notice_about(ArticleFactory(), ground=Ground.PRIVACY).claims.get()
    now = timezone.now()
    actions.uphold(claim_id=claim.pk, by=None, at=now)

    assert actions.erase_due(10, now) == 1


def test_a_countered_claim_is_not_erased():
    claim = claim_in(S.COUNTERED)

    assert actions.erase_due(10, timezone.now() + timedelta(days=1)) == 0
    claim.article.refresh_from_db()
    assert claim.article.state == ArticleState.PUBLISHED


def test_what_fails_is_tried_again_later_and_holds_up_no_other():
    broken, other = claim_in(S.UPHELD), claim_in(S.UPHELD)
    later = timezone.now() + timedelta(days=15)
    articles.release_hold(hold=broken.hold, at=later, by=None)  # so that nothing may be erased

    assert actions.erase_due(10, later) == 1

    broken.refresh_from_db()
    other.refresh_from_db()
    assert (broken.state, other.state) == (S.UPHELD, S.ERASED)
    assert broken.due_at > later


# --- a store that does not delete -------------------------------------------------------------


def test_an_erasure_is_held_open_while_a_file_cannot_be_deleted(
    caplog, client, django_capture_on_commit_callbacks
):
    claim = notice_about(telling_article()).claims.get()
    stuck = Path(default_storage.path(claim.article.lead_media.file.name))
    with django_capture_on_commit_callbacks(execute=False):
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    # Not even root deletes a folder in which something lies.
    stuck.unlink()
    stuck.mkdir()
    (stuck / "kept").touch()
    later = timezone.now() + timedelta(days=15)

    assert actions.erase_due(10, later) == 0
    with pytest.raises(NotAllowed, match="does not delete"):
        actions.erase(claim_id=claim.pk, at=later, demanded=True)
    assert escrow.settle_due(10, later) == 0

    claim.refresh_from_db()
    assert (claim.state, claim.due_at > later) == (S.UPHELD, True)
    assert not Letter.objects.filter(kind="erased").exists()
    assert "could not be deleted" in caplog.text
    assert client.get(claim.article.get_absolute_url()).status_code == 451
    assert [alarm.name for alarm in alarms(later) if alarm.name == "store"] == ["store"]
    ProbePlan.objects.update(addresses=[])
    [seen] = probes.probe(ProbePlan.objects.get(), at=later)
    assert (seen.surface, seen.is_clean, Claim.objects.get(pk=claim.pk).proved_at) == ("store", False, None)

    (stuck / "kept").unlink()
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.erase_due(10, claim.due_at + timedelta(hours=1)) == 1
    assert not stuck.exists()
    assert Claim.objects.get(pk=claim.pk).state == S.ERASED


def test_the_same_with_an_object_storage_that_refuses(settings, django_capture_on_commit_callbacks):
    with object_storage() as bucket:
        settings.STORAGES = settings.STORAGES | {
            "default": {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": {
                    "bucket_name": "media", "endpoint_url": f"http://127.0.0.1:{bucket.port}", "access_key": "k",
                    "secret_key": "s", "region_name": "eu-central-1", "signature_version": "s3v4",
                },
            }
        }  # fmt: skip
        claim = notice_about(telling_article()).claims.get()
        bucket.refuses_deletion = True
        with django_capture_on_commit_callbacks(execute=True):
            actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
        later = timezone.now() + timedelta(days=15)

        assert actions.erase_due(10, later) == 0
        assert bucket.objects
        assert Claim.objects.get(pk=claim.pk).state == S.UPHELD

        bucket.refuses_deletion = False
        with django_capture_on_commit_callbacks(execute=True):
            assert actions.erase_due(10, later + timedelta(hours=1)) == 1
        assert not bucket.objects


def test_without_a_worker_whoever_asks_for_it_has_it_erased(client):
    claim = notice_about(ArticleFactory(), hours_ago=24.5, ground="privacy").claims.get()
    page = claim.article.get_absolute_url()

    assert client.get(page).status_code == 451

    claim.refresh_from_db()
    assert (claim.state, claim.decisions.get().automated) == (ClaimState.UPHELD, True)
    assert client.get(page).status_code == 451
    Claim.objects.filter(pk=claim.pk).update(due_at=timezone.now() - timedelta(hours=1))
    client.get(page)
    assert client.get(page).status_code == 410
    claim.refresh_from_db()
    assert claim.state == ClaimState.ERASED

"""The picture library: what comes in, what is refused, what is shown of it, and where it is used."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from articles.models import Article, BlockedWork, BlockKind, HoldKind, Media
from tests.desk.test_articles import form_of, save
from tests.factories import ArticleFactory, HoldFactory, MediaFactory, RenditionFactory, UserFactory

pytestmark = pytest.mark.django_db
ADD = "/admin/articles/media/add/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(UserFactory(superuser=True))
    return client


def photograph(colour: str = "teal", size: tuple[int, int] = (700, 400)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


def brought(desk: Client, data: bytes, **facts: Any) -> Any:
    sent = {"alt": "A teal square", "focus_x": 50, "focus_y": 50, "credit": "Ann", **facts}
    return desk.post(ADD, {"upload": SimpleUploadedFile("x.jpg", data), **sent})


def test_an_uploaded_picture_is_stored_in_our_sizes_and_used_by_an_article(desk: Client) -> None:
    assert brought(desk, photograph()).status_code == 302
    media = Media.objects.get()
    article = ArticleFactory()

    save(desk, article, form_of(desk, article, lead_media=media.pk))

    assert [size.width for size in media.renditions.all()] == [480, 700]
    assert Client().get(f"/media/{media.token}/480.webp").status_code == 200
    assert media.token in Client().get(article.get_absolute_url()).content.decode()
    assert article.headline in desk.get(f"/admin/articles/media/{media.pk}/change/").content.decode()


def test_the_same_file_is_kept_once(desk: Client) -> None:
    brought(desk, photograph())

    page = brought(desk, photograph(), alt="Again").content.decode()

    assert "in the library already" in page
    assert Media.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "facts", "said"),
    [(b"<svg/>", {}, "not a JPEG"), (b"", {}, "empty"), (b"x" * (13 * 1024 * 1024), {}, "larger than 12 MB"),
     (photograph(), {"alt": ""}, "required"), (photograph(), {"focus_x": 120}, "less than or equal to 100")],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_in_words(desk: Client, data: bytes, facts: Any, said: str) -> None:
    assert said in brought(desk, data, **facts).content.decode()
    assert not Media.objects.exists()


def test_a_removed_picture_is_not_uploaded_again(desk: Client) -> None:
    import hashlib

    hold = HoldFactory(article=ArticleFactory(), kind=HoldKind.LEGAL)
    digest = hashlib.sha256(photograph()).hexdigest()
    BlockedWork.objects.create(hold=hold, article=hold.article, kind=BlockKind.PICTURE, key=digest)

    assert "removed at its owner" in brought(desk, photograph()).content.decode()
    assert not Media.objects.exists()


def test_a_withheld_picture_is_neither_shown_in_the_library_nor_picked(desk: Client) -> None:
    media = RenditionFactory().media
    Media.objects.filter(pk=media.pk).update(file="x.webp")
    HoldFactory(article=ArticleFactory(lead_media=media), kind=HoldKind.LEGAL)
    other = ArticleFactory()

    page = save(desk, other, form_of(desk, other, lead_media=media.pk))

    assert "withheld at its owner" in page.content.decode()
    assert Article.objects.get(pk=other.pk).lead_media is None
    for address in ("/admin/articles/media/", f"/admin/articles/media/{media.pk}/change/"):
        assert f"/media/{media.token}/" not in desk.get(address).content.decode()


def test_rows_of_one_file_are_merged_and_others_are_not(desk: Client) -> None:
    brought(desk, photograph())
    kept = Media.objects.get()
    twin = MediaFactory(sha256=kept.sha256)
    other = MediaFactory(sha256="0" * 64)
    article = ArticleFactory(lead_media=twin)
    gone_file = default_storage.save("pictures/zz/twin.webp", SimpleUploadedFile("t", b"x"))
    Media.objects.filter(pk=twin.pk).update(file=gone_file)

    page = desk.post(f"/admin/articles/media/merge/?ids={kept.pk},{other.pk}", {"kept": kept.pk})
    desk.post(f"/admin/articles/media/merge/?ids={kept.pk},{twin.pk}", {"kept": kept.pk})

    assert "these differ" in page.content.decode()
    article.refresh_from_db()
    assert article.lead_media == kept
    assert set(Media.objects.all()) == {kept, other}


def test_terms_that_end_hide_a_picture_by_the_query_and_are_listed(desk: Client) -> None:
    brought(desk, photograph())
    media = Media.objects.get()
    article = ArticleFactory(lead_media=media)

    Media.objects.update(terms_expire_at=timezone.now() - timedelta(seconds=1))

    assert media.token not in Client().get(article.get_absolute_url()).content.decode()
    assert Client().get(f"/media/{media.token}/480.webp").status_code == 404
    assert "expired" in desk.get("/admin/articles/media/?terms=over").content.decode()
    assert "0 pictures" in desk.get("/admin/articles/media/?terms=soon").content.decode()


def test_the_subject_stays_in_sight_where_a_picture_is_cropped(desk: Client) -> None:
    brought(desk, photograph(), focus_x=10, focus_y=80)
    ArticleFactory(lead_media=Media.objects.get())

    assert 'class="picture fx0 fy3"' in Client().get("/").content.decode()


def test_the_library_asks_the_same_however_many_there_are(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        MediaFactory(file=f"{number}.webp")

    with django_assert_max_num_queries(7):
        desk.get("/admin/articles/media/")

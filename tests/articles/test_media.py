"""Pictures: what is taken, what is refused, and that they go with their article."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from articles import decoding, media
from articles.actions import erase
from articles.decoding import UnusableError, encode, encode_apart
from articles.media import fetch_pictures
from articles.models import BlockedWork, BlockKind, Media
from tests.factories import ArticleFactory, HoldFactory, MediaFactory, RenditionFactory, SourceFactory
from tests.front_door import FrontDoor
from tests.loopback import web_server

pytestmark = pytest.mark.django_db


def picture_bytes(width: int = 2000, height: int = 1000, form: str = "JPEG", **options) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(file, form, **options)
    return file.getvalue()


@pytest.fixture
def web():
    with web_server() as server:
        yield server


def due(url: str, **facts) -> Media:
    return MediaFactory(original_url=url, due_at=timezone.now() - timedelta(seconds=1), **facts)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_re_encoded_in_our_widths(form):
    sizes = encode(picture_bytes(form=form))

    assert [(size.width, size.height) for size in sizes] == [(480, 240), (960, 480), (1600, 800)]
    for size in sizes:
        assert Image.open(io.BytesIO(size.data)).format == "WEBP"
        assert Image.open(io.BytesIO(size.avif)).format == "AVIF"
        assert len(size.avif) < len(size.data)


def test_avif_is_kept_only_where_it_is_smaller():
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(file, "PNG")

    assert [size.avif for size in encode(file.getvalue())] == [b""]


def test_a_small_picture_is_not_enlarged():
    assert [size.width for size in encode(picture_bytes(300, 200))] == [300]
    assert [size.width for size in encode(picture_bytes(700, 300))] == [480, 700]


def test_a_camera_s_metadata_is_left_out_and_its_turn_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "PLANTED"

    size = encode(picture_bytes(400, 200, exif=exif))[0]

    assert (size.width, size.height) == (200, 400)
    assert b"PLANTED" not in size.data + size.avif


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"%PDF-1.7",
     b"GIF89a", picture_bytes(50, 50)[:200], b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"x" * (13 * 1024 * 1024)],
)  # fmt: skip
def test_what_is_no_picture_is_refused_in_words(data):
    with pytest.raises(UnusableError) as refused:
        encode(data)

    assert str(refused.value).endswith(".")


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused():
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")

    with pytest.raises(UnusableError, match="million pixels"):
        encode(bomb.getvalue())


def test_a_due_picture_is_fetched_and_shown_with_its_article(web):
    picture = due(web.put("/a.jpg", picture_bytes()))
    article = ArticleFactory(lead_media=picture)

    assert fetch_pictures(10, timezone.now()) == 1

    picture.refresh_from_db()
    assert (picture.width, picture.due_at, picture.last_error, len(picture.sha256)) == (1600, None, "", 64)
    paths = media.at_pictures(article)
    assert [path.rpartition("/")[2] for path in paths] == [
        f"{width}.{form}" for width in (480, 960, 1600) for form in ("webp", "avif")
    ]
    page = FrontDoor().get(article.get_absolute_url()).text
    for path in paths:
        assert path in page
        answer = FrontDoor().get(path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, f"image/{path[-4:]}")
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert FrontDoor().get(path, HTTP_IF_NONE_MATCH=answer.headers["ETag"]).status == 304
    assert fetch_pictures(10, timezone.now()) == 0


def test_a_failing_server_is_asked_again_later_and_later(web):
    picture = due(web.put("/a.jpg", b"", status=503))
    waits = []

    for _ in range(media.MOST_ATTEMPTS):
        now = Media.objects.get().due_at
        fetch_pictures(1, now)
        picture.refresh_from_db()
        waits.append(picture.due_at and (picture.due_at - now).total_seconds())

    assert waits[:3] == sorted(waits[:3])
    assert waits[-1] is None
    assert picture.last_error == "The server answered 503."


def test_a_picture_that_was_removed_does_not_come_back(web):
    first = due(web.put("/a.jpg", picture_bytes(100, 100)))
    article = ArticleFactory(lead_media=first)
    fetch_pictures(1, timezone.now())
    article.refresh_from_db()
    HoldFactory(article=article)
    assert BlockedWork.objects.filter(kind=BlockKind.PICTURE).exists()

    again = due(web.put("/copy.jpg", web.answers["/a.jpg"].body))
    counter = due(web.put("/counter.gif", picture_bytes(1, 1, form="GIF")))
    fetch_pictures(2, timezone.now())

    again.refresh_from_db()
    counter.refresh_from_db()
    assert (again.last_error, again.file.name, again.due_at) == (media.REMOVED, "", None)
    assert ("counts visits" in counter.last_error, counter.file.name) == (True, "")


def test_a_picture_goes_with_its_article():
    size = RenditionFactory()
    path = f"/media/{size.media.token}/480.webp"
    article = ArticleFactory(lead_media=size.media)
    assert FrontDoor().get(path).status == 200

    HoldFactory(article=article)

    assert FrontDoor().get(path).status == 451


def test_a_picture_that_another_public_article_shows_stays():
    size = RenditionFactory()
    held, _other = ArticleFactory(lead_media=size.media), ArticleFactory(lead_media=size.media)

    HoldFactory(article=held)

    assert FrontDoor().get(f"/media/{size.media.token}/480.webp").status == 200


@pytest.mark.django_db(transaction=True)
def test_an_erased_article_s_files_are_deleted(web):
    picture = due(web.put("/a.jpg", picture_bytes()))
    article = ArticleFactory(lead_media=picture)
    fetch_pictures(1, timezone.now())
    names, paths = picture.files, media.at_pictures(article)
    assert len(names) == 6
    assert all(default_storage.exists(name) for name in names)
    assert {FrontDoor().get(path).status for path in paths} == {200}
    HoldFactory(article=article)
    assert {FrontDoor().get(path).status for path in paths} == {451}

    erase(article=article, at=timezone.now())

    assert not any(default_storage.exists(name) for name in names)
    assert not Media.objects.exists()


@pytest.mark.parametrize("why", ["terms", "policy", "draft", "nobody"])
def test_a_picture_is_not_shown_without_leave(why):
    expired = timezone.now() - timedelta(hours=1)
    size = RenditionFactory(media=MediaFactory(terms_expire_at=expired if why == "terms" else None))
    if why != "nobody":
        source = SourceFactory(usage="headline", terms="") if why == "policy" else SourceFactory()
        ArticleFactory(lead_media=size.media, source=source, state="draft" if why == "draft" else "published")

    assert FrontDoor().get(f"/media/{size.media.token}/480.webp").status == 404


@pytest.mark.parametrize(
    "path", ["/media/x/480.webp", "/media/../settings.py", "/media/pictures/a.webp", "/media/x/480.svg"]
)
def test_nothing_else_is_served(path):
    assert FrontDoor().get(path).status == 404


def test_files_that_no_row_names_are_deleted_in_time(web):
    picture = due(web.put("/a.jpg", picture_bytes(600, 300)))
    fetch_pictures(1, timezone.now())
    kept = picture.files
    stray = default_storage.save("pictures/ab/left-behind.webp", ContentFile(b"x"))

    assert media.delete_strays(10, timezone.now()) == 0
    assert media.delete_strays(10, timezone.now() + timedelta(hours=2)) == 1

    assert not default_storage.exists(stray)
    assert all(default_storage.exists(name) for name in kept)


def test_a_picture_is_the_same_in_a_process_of_its_own() -> None:
    data = picture_bytes(700, 300)

    assert encode_apart(data) == encode(data)


@pytest.mark.parametrize("data", [b"", b"no picture", b"GIF89a" + bytes(40)], ids=["empty", "text", "cut"])
def test_the_child_says_why_a_picture_is_unusable(data: bytes) -> None:
    with pytest.raises(UnusableError, match=r"This is not a JPEG|is damaged"):
        encode_apart(data)


def test_a_picture_that_keeps_its_reader_is_given_up() -> None:
    with pytest.raises(UnusableError, match="more time or memory"):
        encode_apart(picture_bytes(700, 300), seconds=0.01)


def test_a_reader_without_enough_memory_gives_up_and_not_the_worker(monkeypatch, tmp_path) -> None:
    """A child that dies of its limit, as a decoder led astray would."""
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "__init__.py").touch()
    (tmp_path / "articles" / "decoding.py").write_text("import os; os.kill(os.getpid(), 9)")
    monkeypatch.setattr(decoding, "ROOT", tmp_path)

    with pytest.raises(UnusableError, match="more time or memory"):
        encode_apart(picture_bytes(700, 300))

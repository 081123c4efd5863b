"""The picture library: what comes in, what is refused, what is shown of it, and where it is used."""

from __future__ import annotations

import html
import io
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from articles import cuts, sealing
from articles.actions import erase
from articles.models import (
    Article,
    BlockedWork,
    BlockKind,
    ContributorName,
    CutKind,
    HoldKind,
    Illustration,
    Media,
    ReadyPage,
)
from articles.sanitise import sanitise
from articles.surfaces import changed, keys_of
from tests.desk.test_articles import form_of, save
from tests.factories import (
    ArticleFactory,
    ContributorFactory,
    HoldFactory,
    MediaFactory,
    RenditionFactory,
    StoryFactory,
    UserFactory,
)
from tests.front_door import FrontDoor

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


def in_text(media: Media, alt: str = "Ferries at the quay") -> str:
    image = f'<img src="picture:{media.token}" alt="{alt}">'
    return f"<p>Before.</p><figure>{image}<figcaption>At dawn</figcaption></figure>"


@pytest.fixture
def pictured(desk: Client) -> Article:
    """An article of ours whose text has a picture that an editor put there."""
    facts = {"alt": "A teal square", "credit": "Ann Ó Briain", "terms": "Online only.", "sha256": "f" * 64}
    media = MediaFactory(**facts, file="x.webp")
    for width in (480, 960):
        RenditionFactory(media=media, width=width)
    article: Article = ArticleFactory(ours=True)
    save(desk, article, form_of(desk, article, body=in_text(media)))
    return Article.objects.get(pk=article.pk)


def test_a_picture_stands_in_a_text_with_its_sizes_credit_and_terms(desk: Client, pictured: Article) -> None:
    media, reader = Media.objects.get(), Client()

    page = reader.get(pictured.get_absolute_url()).content.decode()

    sizes = [f"/media/{media.token}/{width}.webp {width}w" for width in (480, 960)]
    for said in (
        ", ".join(sizes),
        'alt="Ferries at the quay"',
        "At dawn",
        "Picture: Ann Ó Briain.",
        "Online only.",
    ):
        assert said in page
    whole = f'src="{settings.SITE_URL}/media/{media.token}/960.webp"'
    assert whole in html.unescape(reader.get("/feeds/latest.rss").content.decode())
    assert reader.get(f"/media/{media.token}/480.webp").status_code == 200
    assert pictured.headline in desk.get(f"/admin/articles/media/{media.pk}/change/").content.decode()
    assert "0 pictures" in desk.get("/admin/articles/media/?missing=use").content.decode()
    save(desk, pictured, form_of(desk, pictured, body="<p>Before.</p>"))
    versions = desk.get(f"/admin/articles/article/{pictured.pk}/versions/").content.decode()
    assert "[Picture: Ferries at the quay]" in versions
    assert media.token not in reader.get(pictured.get_absolute_url()).content.decode()
    assert reader.get(f"/media/{media.token}/480.webp").status_code == 404


def test_a_picture_in_a_text_goes_with_its_terms_and_by_its_row(pictured: Article) -> None:
    door, media = FrontDoor(), Media.objects.get()
    assert media.token in door.get(pictured.get_absolute_url()).text
    now = timezone.now()
    for ends in (now + timedelta(hours=1), now):
        Media.objects.update(terms_expire_at=ends)
        changed(keys_of([pictured.pk]))
        gone = door.get(pictured.get_absolute_url()).text
        if ends > now:
            assert ReadyPage.objects.get(path=pictured.get_absolute_url()).valid_until == ends

    assert [said for said in (media.token, "At dawn") if said in gone] == []
    Media.objects.update(terms_expire_at=None)
    Illustration.objects.all().delete()
    changed(keys_of([pictured.pk]))
    assert media.token not in door.get(pictured.get_absolute_url()).text


def test_what_a_feed_brings_cannot_name_a_picture_of_ours(pictured: Article) -> None:
    media = Media.objects.get()
    foreign = ArticleFactory(body=in_text(media), source__usage="full")

    assert media.token not in sanitise(in_text(media), base_url="https://a.example/")
    assert media.token not in Client().get(foreign.get_absolute_url()).content.decode()
    for bad in ("picture:x", f"picture:{media.token}/", f"x:{media.token}"):
        assert "<img" not in sanitise(f'<img src="{bad}" alt="x">')
    assert "href" not in sanitise(f'<a href="picture:{media.token}">x</a>')


@pytest.mark.parametrize(
    ("body", "said"),
    [('<p><img src="picture:{}" alt=""></p>', "Say what the picture shows"),
     ('<p><img src="picture:0123456789abcdef0123456789abcdef" alt="x"></p>', "not in the library any more"),
     ('<p><img src="picture:{}" alt="x"></p>', "withheld at its owner")],
)  # fmt: skip
def test_a_picture_that_cannot_stand_in_a_text_is_refused_in_words(
    desk: Client, body: str, said: str
) -> None:
    media, article = MediaFactory(alt="", file="x.webp"), ArticleFactory()
    if "withheld" in said:
        HoldFactory(article=ArticleFactory(lead_media=media), kind=HoldKind.LEGAL)

    page = save(desk, article, form_of(desk, article, body=body.format(media.token)))

    assert said in html.unescape(page.content.decode())
    assert not Illustration.objects.exists()


def test_the_dialog_finds_pictures_by_their_words_and_none_that_is_withheld(desk: Client) -> None:
    held, shown = (
        MediaFactory(alt="Ferries at night", file="a.webp"),
        MediaFactory(credit="Ferry Office", file="b.webp"),
    )
    HoldFactory(article=ArticleFactory(lead_media=held), kind=HoldKind.LEGAL)

    def found(**asked: str) -> list[str]:
        answer = desk.get("/admin/articles/article/pictures/", asked).json()
        return [picture["token"] for picture in answer["pictures"]]

    assert found() == found(q="FERR") == found(q="office ferry") == found(token=shown.token) == [shown.token]
    assert found(q="balloon") == found(token=held.token) == []


def test_a_picture_in_a_text_is_cut_sealed_and_erased_as_one_before_it(pictured: Article) -> None:
    media, now = Media.objects.get(), timezone.now()
    files = [size.file.name for size in media.renditions.all()]
    row, taken = cuts.cut(article=pictured, kind=CutKind.PICTURE, reference="claim:1", at=now)

    assert (Media.objects.get().file.name, Illustration.objects.count()) == ("", 0)
    assert Article.objects.get(pk=pictured.pk).body == "<p>Before.</p>"
    assert set(files) <= set(taken.files)
    cuts.mend(cut=row, content=taken.content, at=now)
    assert media.token in Client().get(pictured.get_absolute_url()).content.decode()

    HoldFactory(article=pictured, kind=HoldKind.LEGAL)
    sealed = sealing.seal(article=pictured)
    assert Media.objects.get().alt == ""
    sealing.unseal(article=pictured, content=sealed.content)
    assert (Media.objects.get().alt, Illustration.objects.count()) == ("A teal square", 1)
    erase(article=pictured, at=now)
    assert not Media.objects.exists()


def test_merged_pictures_stand_in_the_texts_of_both(desk: Client, pictured: Article) -> None:
    media = Media.objects.get()
    kept = RenditionFactory(media__sha256=media.sha256, media__file="x.webp").media

    desk.post(f"/admin/articles/media/merge/?ids={kept.pk},{media.pk}", {"kept": kept.pk})

    assert kept.token in Client().get(pictured.get_absolute_url()).content.decode()


def test_pictures_people_and_stories_are_found_by_an_index_that_follows_them(desk: Client) -> None:
    media, person = MediaFactory(alt="A lighthouse"), ContributorFactory(name="Ann Ó Briain")
    ContributorName.objects.create(contributor=person, name="Anna Quill", name_key="anna-quill")
    own, told = StoryFactory(headline="Storm over the bay"), StoryFactory(headline="")
    ArticleFactory(story=told, headline="Harbour closed by ice")

    def found(model: str, typed: str) -> set[int]:
        page = desk.get(f"/admin/articles/{model}/", {"q": typed})
        return {row.pk for row in page.context["cl"].result_list}

    assert found("media", "light") == {media.pk}
    assert found("contributor", "briain ann") == found("contributor", "quill") == {person.pk}
    assert (found("story", "bay storm"), found("story", "closed ice")) == ({own.pk}, {told.pk})
    Media.objects.update(alt="A pier")
    assert (found("media", "lighthouse"), found("media", "pier")) == (set(), {media.pk})
    media.delete()
    assert found("media", "pier") == set() == found("story", '"*')

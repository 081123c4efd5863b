"""What is kept of an article for all pages that show it is never kept longer than it is right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from articles import ahead, cuts, merging, prepared, surfaces, whole
from articles.actions import place_hold, release_hold
from articles.models import Article, CutKind, Fragment, HoldKind, Media, Prepared, ReadyPage, Tag
from tests.factories import TagFactory, correct
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db


def paths_of(article: Article) -> list[str]:
    assert article.story
    assert article.source
    owners = [
        article,
        article.story,
        article.source,
        article.tags.get(),
        article.contributors.get(name__startswith="Q"),
    ]
    pages = ["/", "/latest/", *(owner.get_absolute_url() for owner in owners)]
    return [
        *pages,
        *(f"/de{page}" for page in pages),
        *(f"/feeds/latest.{form}" for form in ("rss", "atom", "json")),
    ]


def made_anew(door: FrontDoor, paths: list[str]) -> dict[str, str]:
    ReadyPage.objects.all().delete()
    return {path: door.get(path).text for path in paths}


def hold(article: Article) -> None:
    now = timezone.now()
    place_hold(article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None)


def hold_and_release(article: Article) -> None:
    hold(article)
    release_hold(hold=article.holds.get(), at=timezone.now(), by=None)


def cut(kind: CutKind, name: str = "") -> Callable[[Article], None]:
    key = cuts.key_of(name) if name else ""

    def taken_out(article: Article) -> None:
        cuts.cut(article=article, kind=kind, reference="claim:1", at=timezone.now(), name_key=key)

    return taken_out


def told_otherwise(article: Article) -> None:
    correct(
        article=article, at=timezone.now(), by=None, note="Fifty.", headline="Zebrafinches <b>stay</b> & nest"
    )


def renamed_outlet(article: Article) -> None:
    assert article.source
    article.source.name, article.source.usage, article.source.excerpt_words = "The Beacon", "excerpt", 3
    article.source.save()
    surfaces.changed([f"source:{article.source_id}", surfaces.SITE])


def merged_tag(article: Article) -> None:
    merging.merge_tags(kept=TagFactory(name="Birds"), others=[Tag.objects.get(name="Climate")], by=None)


def terms_end(article: Article) -> None:
    Media.objects.update(terms_expire_at=timezone.now() - timedelta(seconds=1))
    Fragment.objects.filter(valid_until__isnull=False).update(
        valid_until=timezone.now() - timedelta(seconds=1)
    )


CHANGES = {
    "held": hold,
    "released": hold_and_release,
    "corrected": told_otherwise,
    "without its picture": cut(CutKind.PICTURE),
    "without a name": cut(CutKind.NAME, "Quillon Zebedee"),
    "without its text": cut(CutKind.HEADLINE),
    "of a renamed outlet": renamed_outlet,
    "with a merged tag": merged_tag,
    "whose picture's terms ended": terms_end,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_page_made_of_what_is_kept_is_the_page_made_anew(change, somewhere_everywhere):
    Media.objects.update(terms_expire_at=timezone.now() + timedelta(hours=1))
    door, paths = FrontDoor(), paths_of(somewhere_everywhere)
    for path in paths:
        door.get(path)
    kept = Fragment.objects.filter(article=somewhere_everywhere)
    kinds = set(kept.values_list("kind", "language"))
    assert kinds >= {
        ("page", "en"),
        ("page", "de"),
        ("teaser", "de"),
        ("rss", "en"),
        ("atom", "en"),
        ("json", "en"),
    }
    before = made_anew(door, paths)

    CHANGES[change](somewhere_everywhere)

    if change == "held":
        assert not kept.exists()
    after = made_anew(door, paths)
    Fragment.objects.all().delete()
    assert after == made_anew(door, paths)
    assert (after == before) == (change == "released")


def test_what_was_set_before_a_removal_cannot_be_kept_after_it(somewhere_everywhere):
    shown = surfaces.Shown(began=surfaces.now(), fragments=list(whole.make([somewhere_everywhere.pk])))

    hold(somewhere_everywhere)

    assert not surfaces.keep(shown)
    assert not Fragment.objects.exists()


def test_what_new_articles_show_is_set_before_anybody_asks(somewhere_everywhere):
    prepared.write([somewhere_everywhere])
    Prepared.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    ahead.prepare_due(10, timezone.now())

    kept = Fragment.objects.filter(article=somewhere_everywhere, language="en")
    assert set(kept.values_list("kind", flat=True)) == {"page", "teaser"}
    before = Fragment.objects.count()
    FrontDoor().get(somewhere_everywhere.get_absolute_url())
    assert Fragment.objects.count() == before

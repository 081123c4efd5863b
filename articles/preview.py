"""The article as readers would see it, from a form that nobody saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from articles import display, illustrations, whole
from articles.around import Around
from articles.fields import clean_html
from articles.models import Article, Contribution, Contributor, Illustration, Media, Role, Tag

MOST_PEOPLE = 200
LOOKS = ("light", "dark")


def filled_in(article: Article, form: Any, typed: QueryDict) -> tuple[Article, list[Tag]]:
    """The article with what was typed, as far as it can be read, and its tags. Nothing is stored."""
    form.is_valid()
    article.pk = article.pk or 0
    article.body = clean_html(article.body)
    article.slug = article.slug or "preview"
    article.published_at = article.published_at or timezone.now()
    tokens = illustrations.in_text(article.body)
    placed = [Illustration(article=article, media=media) for media in Media.objects.filter(token__in=tokens)]
    prefetched = {"contributions": list(_credits(article, typed)), "illustrations": placed}
    article._prefetched_objects_cache = prefetched  # type: ignore[attr-defined]
    return article, list(form.cleaned_data.get("tags") or [])


def _credits(article: Article, typed: QueryDict) -> Iterator[Contribution]:
    """The rows of the form's inline, in their order, without those marked to go."""
    count = typed.get("contributions-TOTAL_FORMS", "")
    rows = [f"contributions-{n}-" for n in range(min(int(count), MOST_PEOPLE) if count.isdecimal() else 0)]
    wanted = [(row, typed.get(f"{row}contributor", "")) for row in rows if not typed.get(f"{row}DELETE")]
    people = Contributor.objects.in_bulk([int(pk) for _, pk in wanted if pk.isdecimal()])
    for row, pk in wanted:
        person = people.get(int(pk)) if pk.isdecimal() else None
        role = typed.get(f"{row}role", "")
        if person and role in Role.values:
            yield Contribution(article=article, contributor=person, role=role)


def as_entry(article: Article) -> dict[str, Any]:
    """What feeds say of it, and the card where somebody shares it."""
    media = display.picture_of(article)
    sizes = list(media.renditions.all()) if media else []
    card = display.picture_address(media, sizes[-1].width) if media and sizes else ""
    return {"article": article, "summary": display.teaser_of(article), "card": card}


def page(request: HttpRequest, article: Article, tags: list[Tag], *, look: str) -> HttpResponse:
    """The readers' page of it, without what other articles add."""
    shown = whole.page_set(article, tags, card=as_entry(article)["card"])
    return whole.answer(request, article, shown, Around([]), look=look)

"""An article's own page, without what stands beside it: set once for each version and kept (articles/fragments.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, F, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from articles import display, fragments, front, interface, structured
from articles.around import Around
from articles.fragments import BETWEEN, KeptAs, Made
from articles.models import Article, Contribution, RevisionKind, Tag, TaggedArticle
from articles.statements import Slot, Statement
from articles.templatetags import frame
from articles.templatetags.article_parts import also_published, beside

KIND = "page"
TOLD_REVISIONS = (RevisionKind.CORRECTION, RevisionKind.UPDATE)


@dataclass(frozen=True, slots=True)
class Page:
    """Pieces of HTML: between `opening` and `rest` stands who else published the text, before `end` what is near."""

    title: SafeString
    description: SafeString
    head: SafeString
    opening: SafeString
    rest: SafeString
    end: SafeString


def kept() -> KeptAs:
    """An article's page beside its row."""
    return KeptAs(KIND)


def page_of(article: Article) -> Page | None:
    """The page of an article read with `kept()`; None where it may be shown no more since then."""
    fragments.fill([article], KIND, make)
    text = article.__dict__[KIND]
    return _read(text) if text else None


def page_set(article: Article, tags: Sequence[Tag], *, card: str = "") -> Page:
    """The page of an article as it is in memory, such as one that nobody saved; `card`: of another picture."""
    return _read(_set(article, tags, card=card))


def answer(
    request: HttpRequest, article: Article, page: Page, around: Around, *, look: str = ""
) -> HttpResponse:
    """Its frame, the article, and what stands beside it. `look`: light or dark, if not the reader's own."""
    html = frame.framed(
        "articles/article.html",
        page.title,
        page.description,
        page.head,
        frame.sections(front.featured(), request.path),
        f"{page.opening}{also_published(around)}{page.rest}    {beside(article, around)}{page.end}",
        frame.languages_of_page(interface.choices(request.path), interface.tongue()),
        look=look,
    )
    return HttpResponse(html)


def make(keys: Sequence[int]) -> Iterator[Made]:
    """The pages of these articles, as far as they are public."""
    for key in keys:
        for article in _WHOLE(article=key):
            credits = {"contributions": _CREDITS(article=key)}
            article._prefetched_objects_cache = credits  # type: ignore[attr-defined]
            prefetch_related_objects([article] if article.lead_media else [], "lead_media__renditions")
            pictures = [display.picture_of(article), *display.pictures_in_text(article)]
            text = _set(article, _TAGS(article=key))
            yield Made(key, KIND, fragments.language(), text, fragments.until(pictures))


def _read(text: str) -> Page:
    return Page(*map(SafeString, text.split(BETWEEN)))


def _set(article: Article, tags: Sequence[Tag], *, card: str = "") -> str:
    text, summary = display.text_of(article), display.teaser_of(article)
    context: dict[str, Any] = {
        "article": article,
        "text": text,
        "standfirst": display.standfirst_above(text),
        "minutes": display.reading_minutes(article) if text.whole else 0,
        "summary": summary,
        "card": card or article.get_absolute_url() + "card.png",
        "structured": structured.news_article(article, tags),
        "tags": tags,
        "changes": _changes(article),
        "interface": interface.tongue(),
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
    }
    return render_to_string("articles/_article.html", context)


def _changes(article: Article) -> Iterable[Any]:
    """What was corrected or updated since it was published, newest first."""
    if not article.updated_at:
        return []
    return article.revisions.filter(kind__in=TOLD_REVISIONS).only("kind", "at", "note", "article")[:20]


def _whole() -> QuerySet[Article]:
    public = Article.objects.public().filter(pk=Slot("article", BigIntegerField()))
    public = public.select_related("source", "lead_media").defer("signature")
    return public.annotate(opening=F("prepared__opening"), minutes=F("prepared__minutes"))


def _tags() -> QuerySet[Tag]:
    own = TaggedArticle.objects.filter(content_object=Slot("article", BigIntegerField()))
    tags: QuerySet[Tag] = Tag.objects.filter(pk__in=own.values("tag"))
    return tags


def _credits() -> QuerySet[Contribution]:
    of_article = Contribution.objects.filter(article=Slot("article", BigIntegerField()))
    return of_article.select_related("contributor")


_WHOLE, _TAGS, _CREDITS = Statement(_whole), Statement(_tags), Statement(_credits)

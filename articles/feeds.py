"""RSS, Atom and JSON Feed of every list, by the same usage policy as the pages."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.models import BigIntegerField, F, Q, prefetch_related_objects
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from lxml import etree

from articles import canary, display, fragments, illustrations, keyset
from articles.addresses import page_address
from articles.fragments import BETWEEN, KeptAs, Made
from articles.keyset import Listing
from articles.merging import public_person_once_at
from articles.models import (
    Article,
    ArticleQuerySet,
    Contribution,
    Contributor,
    Hold,
    Media,
    Rendition,
    Role,
    Source,
    Tag,
    TaggedArticle,
)
from articles.statements import OneOf, Slot, Statement
from articles.surfaces import LATEST, shows, surface
from articles.templatetags.reading import language_name

ENTRIES = 50
# Readers that kept an entry learn for so long that it is gone.
DELETED_FOR = timedelta(days=30)
MOST_DELETED = 200
FORMATS = ("rss", "atom", "json")
_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
_MEDIA = "http://search.yahoo.com/mrss/"
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
# What XML 1.0 cannot hold at all.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]+")


@dataclass(frozen=True, slots=True)
class Deleted:
    """An article that was in the feed and may be read no more: its identity and when it went, nothing else."""

    key: uuid.UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Credited:
    """Who had a part in an article, and which."""

    name: str
    slug: str
    role: str

    @property
    def address(self) -> str:
        """Their page."""
        return absolute(page_address("contributor", self.slug))


@dataclass(frozen=True, slots=True)
class Entry:
    """An article with what a feed says of it; tags are names by their slugs."""

    article: Article
    credits: list[Credited] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feed:
    """One list as a feed: what it is called, where it is a page and where this feed, and when it changed last."""

    title: str
    about: str
    home: str
    address: str
    updated: datetime
    deleted: Sequence[Deleted] = ()


def changed_at(article: Article) -> datetime:
    """When readers last got something new of it."""
    return article.updated_at or article.published_at or _NEVER


def absolute(path: str) -> str:
    """The full address, safe in XML and in a header."""
    return settings.SITE_URL + quote(path, safe="/%?=&")


# --- addresses --------------------------------------------------------------------------------


def at_latest(article: Article) -> Iterable[str]:
    """In the feed of everything."""
    return [f"/feeds/latest.{form}" for form in FORMATS]


def at_tags(article: Article) -> Iterable[str]:
    """In the feeds of its tags."""
    return _addresses(article.tags.all())


def at_contributors(article: Article) -> Iterable[str]:
    """In the feeds of those who made it."""
    return _addresses(article.contributors.distinct())


def at_language(article: Article) -> Iterable[str]:
    """In the feed of its language."""
    code = article.language.partition("-")[0].lower()
    return [f"/languages/{code}/feed.{form}" for form in FORMATS] if re.fullmatch("[a-z]{2,3}", code) else []


def at_source(article: Article) -> Iterable[str]:
    """In the feed of the outlet."""
    return _addresses([article.source] if article.source else [])


def _addresses(owners: Iterable[Tag | Contributor | Source]) -> list[str]:
    return [quote(f"{owner.get_absolute_url()}feed.{form}") for owner in owners for form in FORMATS]


@surface("feed", locate=at_latest)
def latest(request: HttpRequest, form: str) -> HttpResponse:
    """Everything, newest first."""
    return _answer(
        request,
        form,
        settings.SITE_NAME,
        "All articles, newest first.",
        "/",
        _LATEST[form].page().articles,
        LATEST,
    )


@surface("tag_feed", locate=at_tags)
def tag(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """One tag's articles."""
    tag = keyset.tag_at(slug)
    if tag is None:
        moved = get_object_or_404(Tag, former_addresses__slug=slug)
        return HttpResponsePermanentRedirect(f"{moved.get_absolute_url()}feed.{form}")
    title, about = f"{tag.name} | {settings.SITE_NAME}", tag.description or f"Articles on {tag.name}."
    articles = _TAGGED[form].page(owner=tag.pk).articles
    return _answer(request, form, title, about, tag.get_absolute_url(), articles, f"tag:{tag.pk}")


@surface("contributor_feed", locate=at_contributors)
def contributor(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """What one person had a part in. Nobody has a feed of whom nothing is public."""
    person = keyset.person_at(slug)
    if person is None:
        moved = public_person_once_at(slug)
        if moved is None:
            raise Http404("Nobody is listed here.")
        return HttpResponsePermanentRedirect(f"{moved.get_absolute_url()}feed.{form}")
    title, about = f"{person.name} | {settings.SITE_NAME}", f"Articles to which {person.name} contributed."
    articles = _MADE_BY[form].page(owner=person.pk).articles
    if not articles:
        raise Http404("Nothing here is public.")
    key = f"contributor:{person.pk}"
    return _answer(request, form, title, about, person.get_absolute_url(), articles, key)


@surface("language_feed", locate=at_language)
def language(request: HttpRequest, code: str, form: str) -> HttpResponse:
    """The articles in one language, under its own name."""
    name = language_name(code)
    title, about = f"{name} | {settings.SITE_NAME}", f"Articles in {name}."
    articles = list(_entries(form).without_copies().in_language(code).newest_first()[:ENTRIES])
    return _answer(request, form, title, about, f"/languages/{code}/", articles, LATEST)


@surface("source_feed", locate=at_source)
def source(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """One outlet's articles."""
    shown = Q(suspended_at__isnull=True) | Q(suspended_at__gt=Now())
    source = get_object_or_404(Source, shown, slug=slug)
    title, about = f"{source.name} | {settings.SITE_NAME}", f"Articles first published by {source.name}."
    articles = _OF_SOURCE[form].page(source=source.pk).articles
    return _answer(request, form, title, about, source.get_absolute_url(), articles, f"source:{source.pk}")


def _entries(form: str) -> ArticleQuerySet:
    """Public articles as feeds list them: when they changed, and what the feed says of each where that is kept."""
    articles = Article.objects.public().only("published_at", "updated_at")
    return articles.annotate(**{form: KeptAs(form)})


def _each(
    articles: Callable[[ArticleQuerySet], ArticleQuerySet], of: type[Tag] | type[Contributor] | None = None
) -> dict[str, Listing]:
    """The same list of articles in each form."""
    return {
        form: Listing(partial(lambda form: articles(_entries(form)), form), of=of, size=ENTRIES)
        for form in FORMATS
    }


_LATEST = _each(lambda entries: entries.in_print())
_TAGGED = _each(lambda entries: entries.without_copies(), Tag)
_MADE_BY = _each(lambda entries: entries, Contributor)
_OF_SOURCE = _each(lambda entries: entries.filter(source=Slot("source", BigIntegerField())).in_print())


def _whole() -> ArticleQuerySet:
    public = Article.objects.public().filter(OneOf("pk", "keys")).select_related("source", "lead_media")
    return public.defer("signature").annotate(opening=F("prepared__opening"))


_WHOLE = Statement(_whole)


def make(form: str, keys: Sequence[int]) -> Iterator[Made]:
    """What the feeds of this form say of these articles, as far as they are public."""
    entries = _with_credits_and_tags(_WHOLE(keys=keys))
    for entry, text in zip(entries, _WRITERS[form].items(entries), strict=True):
        pictures = [display.picture_of(entry.article), *display.pictures_in_text(entry.article)]
        yield Made(entry.article.pk, form, fragments.language(), text, fragments.until(pictures))


def _with_credits_and_tags(articles: Sequence[Article]) -> list[Entry]:
    """As plain rows: instances of five hundred people and tags would cost more than the feed."""
    entries = {article.pk: Entry(article) for article in articles}
    credits = Contribution.objects.filter(article__in=entries).order_by("position", "pk")
    for pk, *said in credits.values_list("article_id", "contributor__name", "contributor__slug", "role"):
        entries[pk].credits.append(Credited(*said))
    tagged = TaggedArticle.objects.filter(content_object__in=entries).order_by("pk")
    for pk, slug, name in tagged.values_list("content_object_id", "tag__slug", "tag__name"):
        entries[pk].tags[slug] = name
    prefetch_related_objects([a for a in articles if a.lead_media], "lead_media__renditions")
    illustrations.placed_in(articles)
    return list(entries.values())


def _answer(
    request: HttpRequest,
    form: str,
    title: str,
    about: str,
    home: str,
    articles: list[Article],
    key: str,
) -> HttpResponse:
    fragments.fill(articles, form, partial(make, form))
    shows(request, articles=articles, keys=[key])
    deleted = _deleted(key) if form == "atom" else ()
    updated = max([*map(changed_at, articles), *(gone.at for gone in deleted)], default=_NEVER)
    feed = Feed(title, about, absolute(home), absolute(request.path), updated, deleted)
    items = [article.__dict__[form] for article in articles]
    writer = _WRITERS[form]
    response = HttpResponse(writer.whole(feed, list(filter(None, items))), content_type=writer.content_type)
    response.headers["Access-Control-Allow-Origin"] = "*"
    if settings.WEBSUB_HUB:
        response.headers["Link"] = f'<{settings.WEBSUB_HUB}>; rel="hub", <{feed.address}>; rel="self"'
    return response


def _deleted(key: str) -> list[Deleted]:
    """What was withheld lately from the list of everything or of one source.

    Other lists cannot say: to which tags and people a withheld article belonged is withheld with it.
    """
    kind, _, pk = key.partition(":")
    if key != LATEST and kind != "source":
        return []
    rows = (
        Hold.objects.in_effect()
        .filter(effective_at__gte=Now() - DELETED_FOR, article__published_at__lte=Now())
        .exclude(article__slug__startswith=canary.PREFIX)
    )
    if kind == "source":
        rows = rows.filter(article__source_id=int(pk))
    latest = rows.order_by("-effective_at").values_list("article__key", "effective_at")[:MOST_DELETED]
    # The last hold read is an article's first.
    return [Deleted(one, at) for one, at in dict(latest).items()]


# --- RSS 2.0 ----------------------------------------------------------------------------------


def _rss_root() -> Any:
    return etree.Element(
        "rss", version="2.0", nsmap={"atom": _ATOM, "dc": _DC, "content": _CONTENT, "media": _MEDIA}
    )


def rss(feed: Feed, items: Sequence[str]) -> bytes:
    """RSS 2.0 by the Advisory Board's best practices."""
    root = _rss_root()
    channel = etree.SubElement(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.home)
    _add(channel, "description", feed.about)
    _add(channel, "language", settings.LANGUAGE_CODE)
    _add(channel, "lastBuildDate", format_datetime(feed.updated.astimezone(UTC)))
    _add(channel, "docs", "https://www.rssboard.org/rss-specification")
    _add(channel, f"{{{_ATOM}}}link", href=feed.address, rel="self", type="application/rss+xml")
    if settings.WEBSUB_HUB:
        _add(channel, f"{{{_ATOM}}}link", href=settings.WEBSUB_HUB, rel="hub")
    channel.append(_place())
    return _xml(root, items)


def rss_items(entries: Sequence[Entry]) -> list[str]:
    """What it says of each article."""
    root = _rss_root()
    for entry in entries:
        root.append(_place())
        _rss_item(etree.SubElement(root, "item"), entry)
    return _pieces(root)


def _rss_item(item: Any, entry: Entry) -> None:
    article = entry.article
    _add(item, "title", article.headline)
    _add(item, "link", address_of(article))
    _add(item, "guid", identity_of(article), isPermaLink="false")
    _add(item, "pubDate", format_datetime((article.published_at or _NEVER).astimezone(UTC)))
    _add(item, f"{{{_ATOM}}}updated", _iso(changed_at(article)))
    _add(item, "description", display.teaser_of(article))
    for name in creators(entry):
        _add(item, f"{{{_DC}}}creator", name)
    for name in entry.tags.values():
        _add(item, "category", name)
    if article.language:
        _add(item, f"{{{_DC}}}language", article.language)
    if article.copyright_holder:
        _add(item, f"{{{_DC}}}rights", article.copyright_holder)
    if article.source:
        _add(item, "source", article.source.name, url=article.source.feed_url or article.canonical_url)
        _add(item, f"{{{_ATOM}}}link", href=article.canonical_url, rel="via")
    _add_content(item, article)
    _add_picture(item, article)


def _add_content(item: Any, article: Article) -> None:
    html = content_of(article)
    if html:
        _add(item, f"{{{_CONTENT}}}encoded", html)


# --- Atom -------------------------------------------------------------------------------------


def _atom_root() -> Any:
    return etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM, "media": _MEDIA, "at": _TOMBSTONES})  # type: ignore[dict-item]


def atom(feed: Feed, items: Sequence[str]) -> bytes:
    """Atom, RFC 4287."""
    root = _atom_root()
    root.set("{http://www.w3.org/XML/1998/namespace}lang", settings.LANGUAGE_CODE)
    _atom(root, "id", feed.address)
    _atom(root, "title", feed.title)
    _atom(root, "subtitle", feed.about)
    _atom(root, "updated", _iso(feed.updated))
    _atom(root, "link", href=feed.address, rel="self", type="application/atom+xml")
    _atom(root, "link", href=feed.home, rel="alternate", type="text/html")
    if settings.WEBSUB_HUB:
        _atom(root, "link", href=settings.WEBSUB_HUB, rel="hub")
    _atom(_atom(root, "author"), "name", settings.SITE_NAME)
    root.append(_place())
    for gone in feed.deleted:
        # RFC 6721: whoever kept the entry drops it.
        _add(root, f"{{{_TOMBSTONES}}}deleted-entry", ref=f"urn:uuid:{gone.key}", when=_iso(gone.at))
    return _xml(root, items)


def atom_items(entries: Sequence[Entry]) -> list[str]:
    """What it says of each article."""
    root = _atom_root()
    for entry in entries:
        root.append(_place())
        _atom_entry(_atom(root, "entry"), entry)
    return _pieces(root)


def _atom_entry(element: Any, entry: Entry) -> None:
    article = entry.article
    if article.language:
        element.set("{http://www.w3.org/XML/1998/namespace}lang", article.language)
    _atom(element, "id", identity_of(article))
    _atom(element, "title", article.headline)
    _atom(element, "link", href=address_of(article), rel="alternate", type="text/html")
    if article.source:
        _atom(element, "link", href=article.canonical_url, rel="via", title=article.source.name)
    _atom(element, "published", _iso(article.published_at or _NEVER))
    _atom(element, "updated", _iso(changed_at(article)))
    _atom_people(element, entry)
    for slug, name in entry.tags.items():
        _atom(element, "category", term=slug, label=name)
    if article.copyright_holder:
        _atom(element, "rights", article.copyright_holder)
    _atom(element, "summary", display.teaser_of(article))
    html = content_of(article)
    if html:
        _atom(element, "content", html, type="html")
    _add_picture(element, article)


def _atom_people(element: Any, entry: Entry) -> None:
    source = entry.article.source
    authors = [credit for credit in entry.credits if credit.role in (Role.AUTHOR, Role.AGENCY)]
    for credit in authors:
        _atom_person(_atom(element, "author"), credit)
    if not authors:
        _atom(_atom(element, "author"), "name", source.name if source else settings.SITE_NAME)
    for credit in entry.credits:
        if credit not in authors:
            _atom_person(_atom(element, "contributor"), credit)


def _atom_person(element: Any, person: Credited) -> None:
    _atom(element, "name", person.name)
    _atom(element, "uri", person.address)


def _atom(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    return _add(parent, f"{{{_ATOM}}}{name}", text, **attributes)


# --- JSON Feed --------------------------------------------------------------------------------


def json_feed(feed: Feed, items: Sequence[str]) -> bytes:
    """JSON Feed 1.1."""
    data: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.about,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "language": settings.LANGUAGE_CODE,
        "items": [],
    }
    if settings.WEBSUB_HUB:
        data["hubs"] = [{"type": "WebSub", "url": settings.WEBSUB_HUB}]
    return _json(data).replace(_NO_ITEMS, f'"items":[{",".join(items)}]', 1).encode()


# No text can say this: its quotes would be escaped.
_NO_ITEMS = '"items":[]'


def json_items(entries: Sequence[Entry]) -> list[str]:
    """What it says of each article."""
    return [_json(_json_item(entry)) for entry in entries]


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _json_item(entry: Entry) -> dict[str, Any]:
    article = entry.article
    media, rendition = picture_of(article)
    teaser, html = display.teaser_of(article), content_of(article)
    item = {
        "id": identity_of(article),
        "url": address_of(article),
        "external_url": article.canonical_url,
        "title": article.headline,
        "summary": teaser,
        "content_html": html,
        # One of the two contents is required; a headline alone is its own text.
        "content_text": "" if html else teaser or article.headline,
        "image": absolute(display.picture_address(media, rendition.width)) if media and rendition else "",
        "date_published": _iso(article.published_at or _NEVER),
        "date_modified": _iso(changed_at(article)),
        "authors": [{"name": credit.name, "url": credit.address} for credit in entry.credits],
        "tags": list(entry.tags.values()),
        "language": article.language,
    }
    return {name: value for name, value in item.items() if value}


# --- what all three say -----------------------------------------------------------------------


def address_of(article: Article) -> str:
    """Our page of the article."""
    return absolute(article.get_absolute_url())


def identity_of(article: Article) -> str:
    """The entry's identity for ever, whatever becomes of its address."""
    return f"urn:uuid:{article.key}"


def content_of(article: Article) -> str:
    """The text as the policy allows it, and the way to the original."""
    text = display.text_of(article, site=settings.SITE_URL)
    body = (
        text.body or format_html("<p>{}</p>", text.excerpt or text.standfirst)
        if text.excerpt or text.body
        else ""
    )
    if not body or not article.source:
        return str(body)
    original = format_html(
        '<p><a href="{}">Read the original at {}</a></p>', article.canonical_url, article.source.name
    )
    return str(body + original)


def creators(entry: Entry) -> list[str]:
    """Everybody who had a part, once, in order; the outlet where nobody is named."""
    names = list(dict.fromkeys(credit.name for credit in entry.credits))
    return names or [entry.article.source.name if entry.article.source else settings.SITE_NAME]


def picture_of(article: Article) -> tuple[Media | None, Rendition | None]:
    """The lead picture and its largest size."""
    media = display.picture_of(article)
    renditions = list(media.renditions.all()) if media else []
    return (media, renditions[-1]) if renditions else (None, None)


def _add_picture(parent: Any, article: Article) -> None:
    media, rendition = picture_of(article)
    if not media or not rendition:
        return
    content = _add(
        parent,
        f"{{{_MEDIA}}}content",
        url=absolute(display.picture_address(media, rendition.width)),
        type=rendition.content_type,
        medium="image",
        width=str(rendition.width),
        height=str(rendition.height),
    )
    if media.caption or media.alt:
        _add(content, f"{{{_MEDIA}}}description", media.caption or media.alt, type="plain")
    if media.credit:
        _add(content, f"{{{_MEDIA}}}credit", media.credit)
    if media.holder:
        _add(content, f"{{{_MEDIA}}}copyright", media.holder)


def _add(parent: Any, tag: str, text: str = "", **attributes: str) -> Any:
    clean = {name: _legal(value) for name, value in attributes.items()} if attributes else None
    element = etree.SubElement(parent, tag, clean)
    if text:
        element.text = _legal(text)
    return element


def _legal(text: str) -> str:
    return text if text.isprintable() else _ILLEGAL.sub("", text)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _place() -> Any:
    """Where items begin: a comment, which is never one of ours otherwise."""
    return etree.Comment(BETWEEN.removeprefix("<!--").removesuffix("-->"))


def _pieces(root: Any) -> list[str]:
    """The items of a document, which stand alone in it with a place before each."""
    text = etree.tostring(root, encoding="unicode")
    return text[: text.rindex("</")].split(BETWEEN)[1:] if len(root) else []


def _xml(root: Any, items: Sequence[str]) -> bytes:
    """The document with the items, which are written in the same names, in their place."""
    before, after = etree.tostring(root, xml_declaration=True, encoding="utf-8").split(BETWEEN.encode())
    return bytes(before + "".join(items).encode() + after)


@dataclass(frozen=True, slots=True)
class Writer:
    """One form of feed: how it is called, written, and what it says of articles."""

    content_type: str
    whole: Callable[[Feed, Sequence[str]], bytes]
    items: Callable[[Sequence[Entry]], list[str]]


_WRITERS = {
    "rss": Writer("application/rss+xml; charset=utf-8", rss, rss_items),
    "atom": Writer("application/atom+xml; charset=utf-8", atom, atom_items),
    "json": Writer("application/feed+json; charset=utf-8", json_feed, json_items),
}

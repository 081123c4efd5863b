"""Small answers to machines at fixed addresses: whom to tell, what is reserved, which outlets, what to embed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from lxml import etree
from PIL import Image

from articles import cards, gone
from articles.feeds import absolute
from articles.models import Article, Source
from articles.surfaces import LATEST, shows, surface

# How long the word of security.txt is good; RFC 9116 advises less than a year.
GOOD_FOR = timedelta(days=180)
_PLAIN = "text/plain; charset=utf-8"


def nowhere(article: Article) -> Iterable[str]:
    """Names no article."""
    return []


def at_opml(article: Article) -> Iterable[str]:
    """By the name of its outlet, while something of that is public."""
    return ["/sources.opml"] if article.source else []


def at_oembed(article: Article) -> Iterable[str]:
    """To who asks for its address."""
    address = quote(settings.SITE_URL + article.get_absolute_url(), safe="")
    return [f"/oembed?url={address}", f"/oembed?url={address}&format=xml"]


# --- outlets ----------------------------------------------------------------------------------


@surface("opml", locate=at_opml)
def opml(request: HttpRequest) -> HttpResponse:
    """Our feed of each outlet, as OPML 2.0 to read into a feed reader."""
    shown = Article.objects.public().filter(source=OuterRef("pk"))
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = f"The outlets of {settings.SITE_NAME}"
    body = etree.SubElement(root, "body")
    for source in Source.objects.filter(Exists(shown)).order_by("name"):
        outline = {"type": "rss", "text": source.name, "title": source.name, "language": source.language}
        outline |= {"xmlUrl": absolute(source.get_absolute_url() + "feed.rss"), "htmlUrl": source.homepage}
        etree.SubElement(body, "outline", {name: value for name, value in outline.items() if value})
    shows(request, keys=[LATEST])
    return HttpResponse(
        etree.tostring(root, xml_declaration=True, encoding="utf-8"), content_type="text/x-opml"
    )


# --- embedding --------------------------------------------------------------------------------


@surface("oembed", locate=at_oembed, reads=("url", "format"))
def oembed(request: HttpRequest) -> HttpResponse:
    """An article as oEmbed 1.0: a link with its card. What is gone answers as its page does."""
    form = request.GET.get("format", "json")
    if form not in ("json", "xml"):
        return HttpResponse("json or xml", status=501, content_type=_PLAIN)
    slug = _slug_in(request.GET.get("url", ""))
    article = Article.objects.public().select_related("source").filter(slug=slug).first()
    if article is None:
        return gone.of_slug(request, slug, as_json=True)
    shows(request, articles=[article])
    facts = _embedded(article)
    if form == "xml":
        root = etree.Element("oembed")
        for name, value in facts.items():
            etree.SubElement(root, name).text = str(value)
        body = etree.tostring(root, xml_declaration=True, encoding="utf-8", standalone=True)
        return HttpResponse(body, content_type="text/xml; charset=utf-8")
    response = HttpResponse(json.dumps(facts, ensure_ascii=False), content_type="application/json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _slug_in(address: str) -> str:
    """The slug in the address of an article of ours."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise BadRequest("Give the address of an article as `url`.") from error
    segments = unquote(parts.path).strip("/").split("/")
    ours = f"{parts.scheme}://{parts.netloc}" == settings.SITE_URL
    if not ours or len(segments) != 2 or segments[0] != "articles" or "\x00" in segments[1]:
        raise Http404("Only articles of this site can be embedded.")
    return segments[1]


def _embedded(article: Article) -> dict[str, Any]:
    source = article.source
    return {
        "version": "1.0",
        "type": "link",
        "title": article.headline,
        "url": absolute(article.get_absolute_url()),
        "author_name": source.name if source else settings.SITE_NAME,
        "author_url": absolute(source.get_absolute_url() if source else "/"),
        "provider_name": settings.SITE_NAME,
        "provider_url": settings.SITE_URL + "/",
        # Ask again each time: what is removed is gone from here in the same moment.
        "cache_age": 0,
        "thumbnail_url": absolute(article.get_absolute_url() + "card.png"),
        "thumbnail_width": cards.WIDTH,
        "thumbnail_height": cards.HEIGHT,
    }


# --- whom to tell, and what is reserved -------------------------------------------------------


@surface("security_txt", locate=nowhere, store=False)
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report a weakness (RFC 9116)."""
    until = (timezone.now() + GOOD_FOR).strftime("%Y-%m-%dT00:00:00Z")
    lines = [
        f"Contact: mailto:{settings.REMOVAL_EMAIL}",
        f"Expires: {until}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
        f"Policy: {settings.SITE_URL}/about/",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type=_PLAIN)


@surface("indexnow", locate=nowhere, store=False)
def indexnow_key(request: HttpRequest) -> HttpResponse:
    """The key that shows search engines that the addresses we announce are ours."""
    if settings.INDEXNOW is None:
        raise Http404("No search engine is told.")
    return HttpResponse(settings.INDEXNOW.key, content_type=_PLAIN)


@surface("tdmrep", locate=nowhere)
def tdmrep(request: HttpRequest) -> HttpResponse:
    """That text and data mining is reserved for the owners, everywhere on this site (TDM Reservation Protocol)."""
    shows(request)
    everything = {"location": "/", "tdm-reservation": 1, "tdm-policy": f"{settings.SITE_URL}/rights/"}
    return HttpResponse(json.dumps([everything]), content_type="application/json")


@surface("llms_txt", locate=nowhere)
def llms_txt(request: HttpRequest) -> HttpResponse:
    """For readers that are programs: what is here, whose it is, and what they may not do with it."""
    shows(request)
    site = settings.SITE_URL
    text = f"""# {settings.SITE_NAME}

> News from many outlets, each article with its author and a link to the original.

All materials belong to their owners, who reserve text and data mining (tdm-reservation: 1). Quote briefly, name the
outlet and the authors, and link to the original. Ask the owner, not us, for anything more. What was removed answers
410 or 451: delete your copy as well.

## Read

- [Articles as data]({site}/api/docs): each source's usage policy applies
- [Feeds of outlets]({site}/sources.opml): OPML
- [Latest]({site}/feeds/latest.json): JSON Feed

## Rights

- [Rights and removal]({site}/rights/)
- [Reservation]({site}/.well-known/tdmrep.json)
"""
    return HttpResponse(text, content_type=_PLAIN)


@surface("offline", locate=nowhere)
def offline(request: HttpRequest) -> HttpResponse:
    """The worker that keeps opened pages for reading offline; from the root, so that it may keep all of them."""
    shows(request)
    script = (settings.BASE_DIR / "static" / "js" / "offline.js").read_bytes()
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")


@surface("favicon", locate=nowhere)
def favicon(request: HttpRequest) -> HttpResponse:
    """The icon, for what asks without reading the page's head."""
    shows(request)
    file = io.BytesIO()
    with Image.open(settings.BASE_DIR / "static" / "icons" / "icon-32.png") as icon:
        icon.save(file, "ICO", sizes=[(16, 16), (32, 32)])
    return HttpResponse(file.getvalue(), content_type="image/x-icon")

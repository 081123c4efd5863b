"""What machines read in an article's page: NewsArticle as JSON-LD, by schema.org and Google's rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString

from articles import display
from articles.models import Article, Contribution, Media, Role, Tag

# Inside <script> only these could end the block or begin a comment; JSON may write them as escapes.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
_AUTHORS = {Role.AUTHOR, Role.AGENCY}


def data_block(data: dict[str, Any]) -> SafeString:
    """The data as a block that no text in it can leave."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
    return SafeString(f'<script type="application/ld+json">{text}</script>')


def news_article(article: Article, tags: Sequence[Tag]) -> SafeString:
    """The article with its source, makers and terms; of its text no more than the page shows."""
    address = settings.SITE_URL + article.get_absolute_url()
    facts: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": address,
        "mainEntityOfPage": address,
        "headline": article.headline,
        "description": display.teaser_of(article),
        "inLanguage": article.language,
        "datePublished": _moment(article.published_at),
        "dateModified": _moment(article.updated_at or article.published_at),
        "author": _people(article, _AUTHORS) or _outlet(article),
        "contributor": _people(article, set(Role) - _AUTHORS),
        "publisher": _publisher(),
        "isBasedOn": display.original_address(article),
        "sourceOrganization": _outlet(article) if article.source else None,
        "copyrightHolder": {"@type": "Organization", "name": article.copyright_holder}
        if article.copyright_holder
        else None,
        "license": article.licence_url,
        "usageInfo": settings.SITE_URL + "/rights/",
        "dateline": article.dateline,
        "image": _image(display.picture_of(article)),
        "keywords": [tag.name for tag in tags],
        "isAccessibleForFree": True,
    }
    return data_block({name: value for name, value in facts.items() if value})


def _people(article: Article, roles: set[Role]) -> list[dict[str, str]]:
    chosen: list[Contribution] = [c for c in article.contributions.all() if c.role in roles]
    return [
        {
            "@type": "Organization" if c.contributor.is_agency else "Person",
            "name": c.contributor.name,
            "url": settings.SITE_URL + c.contributor.get_absolute_url(),
        }
        for c in chosen
    ]


def _outlet(article: Article) -> dict[str, str]:
    if article.source is None:
        return _publisher()
    outlet = {"@type": "NewsMediaOrganization", "name": article.source.name, "url": article.source.homepage}
    return {name: value for name, value in outlet.items() if value}


def _publisher() -> dict[str, str]:
    return {"@type": "NewsMediaOrganization", "name": settings.SITE_NAME, "url": settings.SITE_URL + "/"}


def _image(media: Media | None) -> list[dict[str, Any]]:
    renditions = list(media.renditions.all()) if media else []
    if not media or not renditions:
        return []
    largest = renditions[-1]
    image = {
        "@type": "ImageObject",
        "url": settings.SITE_URL + display.picture_address(media, largest.width),
        "width": largest.width,
        "height": largest.height,
        "caption": media.caption or media.alt,
        "creditText": media.credit,
        "copyrightNotice": media.holder,
    }
    return [{name: value for name, value in image.items() if value}]


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""

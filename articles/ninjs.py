"""An article as IPTC ninjs 2.1, the form in which newsrooms exchange news."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from articles import display
from articles.models import Article, ArticleState, Contribution, Role
from articles.sanitise import to_text

STANDARD = {
    "name": "ninjs",
    "version": "2.1",
    "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_2.1.json",
}


def ninjs(article: Article) -> dict[str, Any]:
    """The article with its makers, source and terms; of its text no more than the source allows."""
    text = display.text_of(article, site=settings.SITE_URL)
    facts: dict[str, Any] = {
        "uri": f"urn:uuid:{article.key}",
        "standard": STANDARD,
        "type": "text",
        "representationType": "complete" if text.whole else "incomplete",
        "pubStatus": _status(article),
        "embargoed": _moment(article.published_at) if _is_ahead(article.published_at) else "",
        "version": str(article.version),
        "language": article.language,
        "firstCreated": _moment(article.published_at),
        "versionCreated": _moment(article.updated_at or article.published_at),
        "by": article.byline,
        "located": article.dateline,
        "copyrightHolder": article.copyright_holder,
        "usageTerms": article.usage_terms,
        "altIds": [{"role": "original", "value": display.original_address(article)}]
        if article.source
        else [],
        "headlines": [{"role": "main", "value": article.headline}],
        "descriptions": [{"role": "summary", "contentType": "text/plain", "value": text.standfirst}],
        "bodies": _bodies(text) if article.state != ArticleState.RETRACTED else [],
        "people": _credited(article, agencies=False),
        "organisations": _credited(article, agencies=True) + _outlet(article),
        "subjects": [
            {"name": tag.name, "uri": settings.SITE_URL + tag.get_absolute_url()}
            for tag in article.tags.all()
        ],
        "infoSources": [{"name": article.source.name, "uri": article.source.homepage}]
        if article.source
        else [],
    }
    return {name: value for name, value in facts.items() if value}


def _status(article: Article) -> str:
    """In the standard's words; what is not public by the desk's own choice is withheld."""
    if article.state == ArticleState.RETRACTED:
        return "canceled"
    is_over = article.expires_at is not None and not _is_ahead(article.expires_at)
    return "usable" if article.state == ArticleState.PUBLISHED and not is_over else "withheld"


def _is_ahead(at: datetime | None) -> bool:
    return at is not None and at > timezone.now()


def _bodies(text: display.Text) -> list[dict[str, Any]]:
    written = str(text.body or text.excerpt)
    if not written:
        return []
    words = len(to_text(written).split())
    kind = "text/html" if text.body else "text/plain"
    return [{"role": "main", "contentType": kind, "wordCount": words, "value": written}]


def _credited(article: Article, *, agencies: bool) -> list[dict[str, str]]:
    credits: list[Contribution] = [
        c for c in article.contributions.all() if c.contributor.is_agency == agencies
    ]
    return [
        {
            "name": credit.contributor.name,
            "role": Role(credit.role).value,
            "uri": settings.SITE_URL + credit.contributor.get_absolute_url(),
        }
        for credit in credits
    ]


def _outlet(article: Article) -> list[dict[str, str]]:
    return (
        [{"name": article.source.name, "role": "publisher", "uri": article.source.homepage}]
        if article.source
        else []
    )


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""

"""What an article is made from: the normalised form in which a feed's entry reaches `ingest`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from articles.bylines import Credit


@dataclass(frozen=True, slots=True)
class DraftPicture:
    """A lead picture as its source described it; not fetched yet."""

    url: str
    alt: str = ""
    caption: str = ""
    credit: str = ""
    holder: str = ""
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry, normalised: text is plain, HTML is sanitised, keys are computed.

    `text` is `sanitise.to_text(body)`, where that was worked out already.

    `url_key` is `canonical.address_key(canonical_url)`, `guid_key` the SHA-256 of the feed's own
    identifier, `text_key` and `title_day_key` come from `fingerprint`. `other_url_keys` are further
    addresses of the same work (as given, redirect targets).
    """

    canonical_url: str
    url_key: str
    guid_key: str
    headline: str
    standfirst: str = ""
    body: str = ""
    byline: str = ""
    dateline: str = ""
    language: str = ""
    credits: tuple[Credit, ...] = ()
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    copyright_holder: str = ""
    usage_terms: str = ""
    licence_url: str = ""
    picture: DraftPicture | None = None
    text_key: str = ""
    title_day_key: str = ""
    signature: bytes | None = None
    other_url_keys: tuple[str, ...] = ()
    text: str = ""

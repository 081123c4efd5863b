"""What a feed says, whatever its dialect: tuples with names, which cross to another process fastest."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Credit(NamedTuple):
    """A person or body named, and for what.

    `role` is author, contributor, photographer, illustrator, editor or translator. The name stands
    as the feed wrote it; one that gave an e-mail address alone has no name.
    """

    name: str
    role: str = "author"
    email: str = ""
    url: str = ""


class Category(NamedTuple):
    """A subject as the outlet files it."""

    term: str
    scheme: str = ""
    label: str = ""


class Picture(NamedTuple):
    """A picture and what was said of it."""

    url: str
    width: int = 0
    height: int = 0
    type: str = ""
    credit: str = ""
    caption: str = ""
    licence: str = ""
    alt: str = ""
    holder: str = ""


class Enclosure(NamedTuple):
    """A file that comes with an entry."""

    url: str
    type: str = ""
    length: int = 0


class Origin(NamedTuple):
    """The feed or outlet an entry was taken from."""

    title: str = ""
    url: str = ""


class Entry(NamedTuple):
    """One entry. `title` and other short fields are plain text; `summary` and `content` are unsafe HTML."""

    id: str = ""
    link: str = ""
    original_link: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    base: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    language: str = ""
    credits: tuple[Credit, ...] = ()
    categories: tuple[Category, ...] = ()
    picture: Picture | None = None
    enclosures: tuple[Enclosure, ...] = ()
    source: Origin | None = None
    rights: str = ""
    licence: str = ""
    rsl: tuple[str, ...] = ()


class FeedDocument(NamedTuple):
    """One fetched feed. `repaired` says that it was ill-formed and had to be mended to be read."""

    format: str
    title: str = ""
    link: str = ""
    description: str = ""
    language: str = ""
    updated: datetime | None = None
    credits: tuple[Credit, ...] = ()
    categories: tuple[Category, ...] = ()
    picture: Picture | None = None
    rights: str = ""
    licence: str = ""
    generator: str = ""
    self_link: str = ""
    moved_to: str = ""
    hubs: tuple[str, ...] = ()
    rsl: tuple[str, ...] = ()
    ttl_minutes: int = 0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    update_seconds: int = 0
    entries: tuple[Entry, ...] = ()
    cut_off: bool = False
    repaired: bool = False


class Page(NamedTuple):
    """An article's page: its text as unsafe HTML, its bylines as written, its meta elements (name, content).

    `bylines` has the names of each place that gives some, the surest place first; `opening` the short
    lines that follow the headline, `marked` those of them that stand where names of authors do.
    """

    html: str
    bylines: tuple[tuple[str, ...], ...] = ()
    opening: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    metas: tuple[tuple[str, str], ...] = ()

"""Names and addresses as feeds write them, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aggregator.documents import Credit
from aggregator.formats import caps
from aggregator.formats.text import plain

EMAIL = re.compile(r"[^\s@<>()\[\]\",;:]{1,64}@[^\s@<>()\[\]\",;:]{1,255}")
IN_ANGLES = re.compile(r"<([^<>\s]{1,300}@[^<>\s]{1,300})>")
EMPTY_BRACKETS = re.compile(r"[(\[<]\s?[)\]>]")
MAILTO = re.compile(r"mailto:", re.IGNORECASE)
LEFT_OVER = " \t\"',;:-()<>[]"
ROLES = {
    "author": "author",
    "writer": "author",
    "reporter": "author",
    "journalist": "author",
    "contributor": "contributor",
    "photographer": "photographer",
    "photo": "photographer",
    "camera": "photographer",
    "illustrator": "illustrator",
    "illustration": "illustrator",
    "editor": "editor",
    "translator": "translator",
}
PICTURE_PREFIX = re.compile(
    r"(photo(?:graph(?:er|s|y)?|s)?|foto(?:s|graf)?|image|picture|bild|credit)(?:\s+(?:credit|by))?\s*:\s*",
    re.IGNORECASE,
)


def person(written: str, role: str = "author", url: str = "") -> Credit | None:
    """One credit from a byline as RSS writes it: "ann@paper.example (Ann Ray)", "Ann Ray", an address alone."""
    # An address in angle brackets is no tag.
    text = MAILTO.sub("", plain(IN_ANGLES.sub(r"(\1)", written[: caps.TEXT]), caps.NAME))
    found = EMAIL.search(text) if "@" in text else None
    if not found:
        name = text.strip(" \t,;")
        return Credit(name, role, "", url) if name else None
    email = found[0].rstrip(".")
    name = _unwrapped(text[: found.start()] + " " + text[found.end() :])
    return Credit(name, role, email, url)


def _unwrapped(rest: str) -> str:
    """What stands beside an e-mail address, without the brackets that held one or the other."""
    rest = EMPTY_BRACKETS.sub("", " ".join(rest.split())).lstrip(LEFT_OVER)
    bare = rest.rstrip(LEFT_OVER)
    # "Ann Ray (Berlin)" keeps its bracket, "Ann Ray (" does not.
    return bare + ")" if bare.count("(") > bare.count(")") and rest.startswith(bare + ")") else bare


def role_of(word: str | None, otherwise: str) -> str:
    """The role a feed's own word means."""
    return ROLES.get((word or "").strip().lower(), otherwise)


def photographer(written: str, role: str) -> Credit | None:
    """A picture's credit line as a credit, without "Photo:" before it."""
    return person(PICTURE_PREFIX.sub("", plain(written, caps.NAME), count=1), role)


def distinct(credits: Iterable[Credit | None]) -> tuple[Credit, ...]:
    """Each credit once, in order; a bare e-mail address gives way to the name it belongs to."""
    kept: dict[tuple[str, str], Credit] = {}
    for credit in credits:
        if credit is None or not (credit.name or credit.email):
            continue
        kept.setdefault((credit.role, (credit.name or credit.email).casefold()), credit)
    named = {
        (credit.role, credit.email.casefold()) for credit in kept.values() if credit.name and credit.email
    }
    found = [c for c in kept.values() if c.name or (c.role, c.email.casefold()) not in named]
    return tuple(found[: caps.CREDITS])

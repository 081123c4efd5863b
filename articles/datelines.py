"""The dateline that opens a report: where it was written, and for whom."""

from __future__ import annotations

import re

LONGEST = 90
# PLACE in capitals, or any place when an agency stands behind it in brackets; then a dash, then the report.
_PLACE = r"(?P<place>[^\W\d_][^()\n–—|:!?\"“”„«»]{1,60}?)"
_AGENCY = r"(?:\s*\((?P<agency>[^()\n]{2,30})\))?"
_DASH = r"\s*(?P<dash>[–—]|\s-{1,2}(?=\s))\s*"
_DATELINE = re.compile(rf"{_PLACE}{_AGENCY}{_DASH}(?=\S)")
_OPENING = re.compile(r"(?P<tags>(?:\s*<(?:p|strong|em)>)*)\s*(?P<text>[^<]{1,200})")


def split_dateline(text: str) -> tuple[str, str]:
    """The dateline and the text after it; ("", text) when it does not open with one.

    "LESK (Northline) - The list is pinned" gives ("LESK (Northline)", "The list is pinned").
    """
    opening = text.lstrip()[: LONGEST + 10]
    found = _DATELINE.match(opening) if any(map(opening.__contains__, "–—-")) else None
    if not found or not _is_place(found["place"], found["agency"], found["dash"]):
        return "", text
    dateline = f"{found['place'].strip()} ({found['agency']})" if found["agency"] else found["place"].strip()
    return dateline, text.lstrip()[found.end() :]


def split_body_dateline(body: str) -> tuple[str, str]:
    """The same for sanitised HTML whose first paragraph opens with a dateline."""
    opening = _OPENING.match(body)
    if not opening:
        return "", body
    dateline, rest = split_dateline(opening["text"])
    if not dateline:
        return "", body
    return dateline, opening["tags"].strip() + rest + body[opening.end() :]


def _is_place(place: str, agency: str | None, dash: str) -> bool:
    """Capitals before a long dash make a place, alone or with its region; else the agency vouches for it."""
    words = place.split(",")[0].split()
    if not words or len(words) > 4:
        return False
    shouted = all(word.isupper() and len(word.strip(".'’")) > 1 for word in words)
    if agency is None:
        return shouted and dash in "–—"
    return shouted or all(word[:1].isupper() for word in words)

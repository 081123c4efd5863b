"""What one version of an article says differently from another, word by word, for people to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from articles.actions import REVISED_FIELDS
from articles.illustrations import in_words
from articles.models import Article
from articles.sanitise import to_text

# Comparing words is quadratic at worst; longer texts are compared by the sentence.
MOST_WORDS = 12_000
_WORDS, _SENTENCES = re.compile(r"\s+|[^\s]+"), re.compile(r"[^.!?\n]*[.!?\n]*\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that both versions have ("same"), only the first ("gone"), or only the second ("new")."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs."""

    name: str
    pieces: list[Piece]
    note: str = ""


def snapshot(article: Article) -> dict[str, Any]:
    """What a version keeps of an article, as it stands."""
    return {name: getattr(article, name) for name in REVISED_FIELDS}


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """The fields that differ, in the form's order. Of the body its text is compared, not its markup."""
    for name in REVISED_FIELDS:
        old, new = str(before.get(name, "")), str(after.get(name, ""))
        if old == new:
            continue
        if name == "body":
            old, new = to_text(in_words(old)), to_text(in_words(new))
        if old == new:
            yield Difference(name, [], "Only links or formatting differ.")
        else:
            yield Difference(name, words(old, new))


def words(before: str, after: str) -> list[Piece]:
    """The way from one text to the other, in runs as long as they can be."""
    pattern = _WORDS if len(before.split()) + len(after.split()) <= MOST_WORDS else _SENTENCES
    old, new = (list(filter(None, pattern.findall(text))) for text in (before, after))
    matcher = SequenceMatcher(a=old, b=new, autojunk=len(old) > 1000)
    pieces: list[Piece] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(old[a:b])))
            continue
        pieces += _run("gone", old[a:b]) + _run("new", new[c:d])
    return pieces


def _run(kind: str, tokens: Sequence[str]) -> list[Piece]:
    return [Piece(kind, "".join(tokens))] if tokens else []

"""Which outlet a page belongs to, where several share a domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from articles.models import Source


def at_domains(domains: Iterable[str]) -> dict[str, list[Source]]:
    """The outlets at these registrable domains, the oldest first."""
    found: dict[str, list[Source]] = defaultdict(list)
    for source in Source.objects.filter(domain__in=list(domains)).order_by("pk"):
        found[source.domain].append(source)
    return found


def whose(url: str, known: Sequence[Source]) -> Source | None:
    """Of outlets at one domain the one under whose home page the address lies, else the oldest."""
    above = [source for source in known if _lies_under(url, source.homepage)]
    return max(above, key=lambda source: len(source.homepage), default=known[0] if known else None)


def _lies_under(url: str, homepage: str) -> bool:
    def place(one: str) -> str:
        parts = urlsplit(one)
        return f"{(parts.hostname or '').removeprefix('www.')}{parts.path.rstrip('/')}/"

    return bool(homepage) and place(url).startswith(place(homepage))

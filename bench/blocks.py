"""How often the block on removed works would keep out another work: each work in turn is taken as withheld.

Over the demo's feeds, and over every feed document below BENCH_FEEDS_FOLDER when that names a folder. A pair counts as
wrong when the keys of one meet the other although text, headline and address differ. What is held back for an
editor (wording) is counted apart from what is refused (all other keys).
"""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.scratch import prepare, print_rows

DEMO = Path(__file__).resolve().parent.parent / "demo" / "feeds"
AT = datetime(2026, 6, 1, tzinfo=UTC)
ENDINGS = {".xml", ".json", ".rdf", ".rss", ".atom"}
Row = tuple[str, float, str]


def main() -> None:
    prepare()
    rows = [*_measured("demo", _works(DEMO))]
    if os.environ.get("BENCH_FEEDS_FOLDER"):
        rows += _measured("feeds", _works(Path(os.environ["BENCH_FEEDS_FOLDER"])))
    print_rows(*rows)


def _works(folder: Path) -> list[Any]:
    """One draft for each work in the folder's documents: the same entry in two documents is one."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in ENDINGS and ".serde." not in path.name:
            for one in _drafts(path):
                found.setdefault((one.url_key, one.headline, one.body), one)
    return list(found.values())


def _drafts(path: Path) -> Iterator[Any]:
    from aggregator.normalise import Outlet, draft, offers
    from aggregator.parse import parse
    from articles.canonical import domain_of

    try:
        document = parse(path.read_bytes())
    except Exception as error:
        print(f"{path.name} is no feed: {type(error).__name__}", file=sys.stderr)
        return
    domain = domain_of(document.link) if document.link else path.stem
    outlet = Outlet(key=domain or path.stem, name=path.stem, domain=domain or path.stem)
    for offer in offers(document, domain=outlet.domain):
        made = draft(offer, document, outlet, at=AT)
        if made is not None:
            yield made


def _measured(name: str, works: Sequence[Any]) -> Iterator[Row]:
    from articles.actions import BANDS_IN_COMMON, keys_of_draft, wording_keys

    refused = _pairs([keys_of_draft(None, one) for one in works], least=1)
    held = _pairs([wording_keys(one.body) for one in works], least=BANDS_IN_COMMON)
    pairs = len(works) * (len(works) - 1) / 2
    wrong = {what: [pair for pair in met if not _is_same(works, pair)] for what, met in
             (("refused", refused), ("held for an editor", held))}  # fmt: skip
    yield f"{name}: works", len(works), "works"
    for what, met in wrong.items():
        for first, second in met:
            print(f"{name}, {what}: {works[first].headline!r} / {works[second].headline!r}", file=sys.stderr)
        hurt = {index for pair in met for index in pair}
        yield f"{name}: pairs wrongly {what}", len(met), f"of {pairs:,.0f}"
        yield f"{name}: works ever wrongly {what}", 100 * len(hurt) / max(1, len(works)), "%"


def _pairs(keys: Sequence[set[Any]], *, least: int) -> list[tuple[int, int]]:
    """Works that have at least so many keys in common."""
    places = defaultdict(list)
    for index, some in enumerate(keys):
        for key in some:
            places[key].append(index)
    common: Counter[tuple[int, int]] = Counter()
    for found in places.values():
        common.update((a, b) for position, a in enumerate(found) for b in found[position + 1 :])
    return [pair for pair, number in common.items() if number >= least]


def _is_same(works: Sequence[Any], pair: tuple[int, int]) -> bool:
    """One work twice: the same address, the same text, or at least half of the sentences in common."""
    a, b = works[pair[0]], works[pair[1]]
    if a.url_key in (b.url_key, *b.other_url_keys) or (a.text_key and a.text_key == b.text_key):
        return True
    ours, theirs = _sentences(a.body), _sentences(b.body)
    return len(ours & theirs) * 2 >= min(len(ours), len(theirs)) > 0


def _sentences(body: str) -> set[str]:
    from articles.sanitise import to_text

    split: Callable[[str], list[str]] = to_text(body).replace("\n", ". ").split
    return {sentence.strip() for sentence in split(". ") if len(sentence.split()) > 3}


if __name__ == "__main__":
    main()

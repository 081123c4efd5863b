"""What sites signal of their use, kept with each source: when and where it was seen, and what it leaves to show."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q

from aggregator import rights
from aggregator.fetch import Outcome
from aggregator.models import Feed
from aggregator.rights import Signal, limits, of_document, of_headers, of_robots, of_tdmrep
from articles import surfaces, walks
from articles.models import Source, WalkKind
from webclient.client import Client, Limits, default_client
from webclient.errors import OutgoingError

logger = logging.getLogger(__name__)

READ_EVERY = timedelta(days=1)
ORIGINS_A_SOURCE = 4
AT_ONCE = 8
# Of a longer file the first half of a million characters are read, as RFC 9309 wants at least.
SMALL = Limits(seconds=15)
REFUSED = "The site's robots.txt asks us by name not to read this feed."


def note(fetched: Iterable[tuple[Feed, Outcome]], *, at: datetime) -> None:
    """Remember what the answers of these feeds signal, in the caller's transaction."""
    found: dict[int, tuple[Source, list[Signal], set[str]]] = {}
    for feed, outcome in fetched:
        if outcome.status != 200 or outcome.error:
            continue
        source, signals, places = found.setdefault(feed.source_id, (feed.source, [], set()))
        places.add(feed.url)
        signals.extend(of_headers(outcome.headers, feed.url))
        signals.extend(
            of_document(outcome.document, feed.url)
            if outcome.document
            else (one for one in _kept(source) if one.where == feed.url and one.kind in rights.OF_DOCUMENTS)
        )
    for source, signals, places in found.values():
        if signals or any(said["where"] in places for said in source.signals or ()):
            _keep(source, signals, places, at=at)


def read_due(limit: int, at: datetime, *, client: Client | None = None) -> int:
    """Read the robots.txt and tdmrep.json of at most `limit` sites that were not read for a day."""
    waiting = Q(signals_read_at__isnull=True) | Q(signals_read_at__lte=at - READ_EVERY)
    known = Source.objects.filter(waiting, suspended_at__isnull=True).exclude(homepage="")
    sources = list(known.order_by("pk")[:limit])
    feeds: dict[int, list[Feed]] = defaultdict(list)
    for feed in Feed.objects.active().filter(source__in=sources):
        feeds[feed.source_id].append(feed)
    asked = [(source, feeds[source.pk]) for source in sources if feeds[source.pk]]
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="rights") as pool:
        ask = partial(_said_by, client=client or default_client())
        said = pool.map(ask, *zip(*asked, strict=True)) if asked else ()
        for (source, its), (found, places) in zip(asked, said, strict=True):
            with transaction.atomic():
                _keep(source, found, places, at=at)
                _obey_robots(its, found, at=at)
    Source.objects.filter(pk__in=[source.pk for source in sources]).update(signals_read_at=at)
    return len(sources)


def _said_by(source: Source, feeds: Sequence[Feed], *, client: Client) -> tuple[list[Signal], set[str]]:
    """What the site and the hosts of its feeds say, and in which files. What cannot be read now is left out."""
    found: list[Signal] = []
    places: set[str] = set()
    for origin in _origins(source, feeds):
        where = f"{origin}/robots.txt"
        paths = [_path(feed.url) for feed in feeds if feed.url.startswith(f"{origin}/")]
        if (text := _text(client, where)) is not None:
            places.add(where)
            found.extend(of_robots(text.decode("utf-8", "replace"), where, paths))
    where = f"{_origin(source.homepage)}/.well-known/tdmrep.json"
    if (text := _text(client, where)) is not None:
        places.add(where)
        found.extend(of_tdmrep(text, where))
    return found, places


def _origins(source: Source, feeds: Sequence[Feed]) -> list[str]:
    found = dict.fromkeys([_origin(source.homepage), *(_origin(feed.url) for feed in feeds)])
    return [origin for origin in found if origin][:ORIGINS_A_SOURCE]


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"


def _text(client: Client, url: str) -> bytes | None:
    """The file, nothing where there is none, None where its server did not say."""
    try:
        answer = client.get(url, limits=SMALL)
    except OutgoingError as error:
        logger.info("%s: %s", url, error)
        return None
    if answer.status == 200:
        return answer.body
    return b"" if 400 <= answer.status < 500 else None


def _obey_robots(feeds: Sequence[Feed], signals: Sequence[Signal], *, at: datetime) -> None:
    refused = {
        (_origin(signal.where), signal.value.partition(": ")[2])
        for signal in signals
        if signal.kind == "robots.txt"
    }
    ours = [feed.pk for feed in feeds if (_origin(feed.url), _path(feed.url)) in refused]
    if ours:
        Feed.objects.filter(pk__in=ours, paused_at__isnull=True).update(paused_at=at, pause_reason=REFUSED)


def _kept(source: Source) -> list[Signal]:
    return [Signal(said["kind"], said["value"], said["where"]) for said in source.signals or ()]


def _keep(source: Source, signals: Iterable[Signal], places: set[str], *, at: datetime) -> None:
    """What stands for these places now, the rest as it was; readers see the difference at once."""
    before = dict(zip(_kept(source), source.signals or (), strict=True))
    now = {key: said for key, said in before.items() if key.where not in places}
    for signal in signals:
        new = {**signal._asdict(), "since": at.isoformat(timespec="seconds")}
        now[signal] = before.get(signal, new)
    if now.keys() == before.keys() and source.signals is not None:
        return
    source.signals = list(now.values())
    usage, chars, pictures = limits(now)
    changed = (usage, chars, not pictures) != (
        source.signalled_usage or "",
        source.signalled_chars,
        bool(source.signalled_no_pictures),
    )
    source.signalled_usage, source.signalled_chars, source.signalled_no_pictures = usage, chars, not pictures
    source.save(update_fields=["signals", "signalled_usage", "signalled_chars", "signalled_no_pictures"])
    if changed:
        surfaces.changed([f"source:{source.pk}", surfaces.SITE])
        # What may be shown is what is found: the outlet's articles are indexed again, as after a change at the desk.
        walks.ask(WalkKind.INDEX, walks.Of(source=source), at=at)

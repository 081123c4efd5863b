"""Wagtail beside ours in one run: the same articles, the same gunicorn, with a cache of whole pages and without.

The peer (bench/wagtail_site) is installed into the bench's own folder. Its pages hold what ours hold: headline,
standfirst, whole text, authors, tags, source, four related articles; the front page twenty teasers. Nothing is
added to it that costs: no user bar, no compression, templates kept compiled, the cache in the worker's own memory.
That is Django's own cache of pages, since wagtail-cache takes no Wagtail 8. What it keeps is not checked and stays
until its time is over. BENCH_ARTICLES sets the number (10,000).

Ready is one page again and again. Made anew is another article at each request, with an odd query, so that ours
stores nothing; first visits are of articles that nobody has read, prepared by ours as its worker does, then pressed
and stored.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bench.growth import ask, collect_static, cpu_of, fill
from bench.pages import cpu_per_request, fetch
from bench.scratch import free_port, prepare, print_rows, running, site_command

ARTICLES = int(os.environ.get("BENCH_ARTICLES", "10000"))
ROUNDS, MADE, RELATED = 5, 60, 4
ASKED = MADE * (1 + 2 * ROUNDS)
HERE = Path(__file__).resolve().parent
OURS, PEER, CACHED = "ours", "Wagtail", "Wagtail with its cache"
Row = tuple[str, float, str]


def main() -> None:
    ports = {name: free_port() for name in (OURS, PEER, CACHED)}
    # What is prepared for a site of another address is of no use to this one.
    os.environ["SITE_URL"] = f"http://127.0.0.1:{ports[OURS]}"
    folder = prepare()
    collect_static()
    fill(ARTICLES)
    slugs = write_down(folder / "articles.jsonl")
    python = install(folder / "peer", folder / "articles.jsonl")
    ours = running(ports[OURS], *site_command(), PORT=str(ports[OURS]))
    plain, cached = (
        running(
            ports[name], *peer_command(ports[name]), python=python, **peer_environment(folder / "peer", cache)
        )
        for name, cache in ((PEER, ""), (CACHED, "1"))
    )
    with ours as one, plain as two, cached as three:
        servers = {OURS: one.pid, PEER: two.pid, CACHED: three.pid}
        print_rows(*compare(ports, servers, slugs))


def compare(ports: dict[str, int], servers: dict[str, int], slugs: list[str]) -> Iterator[Row]:
    """Milliseconds of CPU a page, in turns so that whatever else the machine does falls on all alike."""

    def hit(who: str, path: str) -> float:
        ask(ports[who], [path] * 3)
        return cpu_per_request(ports[who], path, servers[who])

    def made(who: str, paths: Sequence[str]) -> float:
        again = cycle(paths)
        ask(ports[who], [f"{next(again)}?warm={n}" for n in range(3)])
        return cpu_of(servers[who], ports[who], [f"{next(again)}?again={n}" for n in range(MADE)])

    ours = [f"/articles/{slug}/" for slug in slugs]
    peers = [f"/{slug}/" for slug in slugs]
    unread = iter(ours[MADE:])
    first = []
    for page, of_ours, of_peer in (
        ("an article", ours[:MADE], peers[:MADE]),
        ("the front page", ["/"], ["/"]),
    ):
        rounds = []
        for _ in range(ROUNDS):
            figures = hit(OURS, of_ours[0]), hit(CACHED, of_peer[0]), made(OURS, of_ours), made(PEER, of_peer)
            rounds.append(figures)
            first.append(cpu_of(servers[OURS], ports[OURS], list(islice(unread, MADE))))
        ready, cached, anew, uncached = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        for who, paths in ((OURS, of_ours), (PEER, of_peer)):
            yield f"{page} of {who}: its HTML", len(fetch(ports[who], paths[0])[0]) / 1000, "kB"
        yield f"{page} of {OURS}, ready", ready, "ms"
        yield f"{page} of {CACHED}", cached, "ms"
        yield f"{page}: {CACHED} against {OURS}", cached / ready, "times"
        yield f"{page} of {OURS}, made anew", anew, "ms"
        yield f"{page} of {PEER}", uncached, "ms"
        yield f"{page}: {PEER} against {OURS}, made anew", uncached / anew, "times"
    yield f"an article of {OURS} at its first visit", statistics.median(first), "ms"


# --- the peer ---------------------------------------------------------------------------------


def install(folder: Path, articles: Path) -> str:
    """Wagtail in an environment of its own, with these articles; returns its Python."""
    shutil.copytree(HERE / "wagtail_site", folder / "wagtail_site")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = str(folder / "venv" / "bin" / "python")
    wanted = ("wagtail>=8", f"gunicorn=={version('gunicorn')}")
    steps = (
        ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted),
        ("-m", "django", "makemigrations", "wagtail_site", "--verbosity=0"),
        ("-m", "django", "migrate", "--verbosity=0"),
        ("-m", "wagtail_site.fill", str(articles)),
    )
    for step in steps:
        subprocess.run(
            [python, *step],
            cwd=folder,
            env=os.environ | peer_environment(folder, ""),
            stdout=sys.stderr,
            check=True,
        )
    return python


def peer_environment(folder: Path, cache: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "wagtail_site.settings",
        "PYTHONPATH": str(folder),
        "PEER_DIR": str(folder),
        "PEER_CACHE": cache,
    }


def peer_command(port: int) -> tuple[str, ...]:
    """As newsroom/gunicorn.py has it."""
    kind = ("--workers", "1", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "5")
    address = ("--bind", f"127.0.0.1:{port}", "--worker-tmp-dir", "/dev/shm", "--no-control-socket")
    return ("-m", "gunicorn", *kind, *address, "wagtail_site.wsgi")


# --- the articles -----------------------------------------------------------------------------


def write_down(file: Path) -> list[str]:
    """All articles, shown in full length by both, a JSON object a line; returns their slugs, the newest first."""
    from django.utils import timezone

    from articles import ahead
    from articles.models import Article, Prepared, Source, UsagePolicy

    Source.objects.update(usage=UsagePolicy.FULL)
    newest = Article.objects.public().newest_first().values_list("pk", flat=True)[:ASKED]
    Prepared.objects.filter(pk__in=list(newest)).update(due_at=timezone.now())
    ahead.prepare_due(ASKED, timezone.now())
    articles = list(
        Article.objects.public()
        .newest_first()
        .select_related("source")
        .prefetch_related("tags", "contributors")
    )
    beside: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        for tag in article.tags.all():
            beside[tag.slug].append(article.slug)
    with file.open("w") as lines:
        for article in articles:
            lines.write(json.dumps(_told(article, beside)) + "\n")
    return [article.slug for article in articles]


def _told(article: Any, beside: dict[str, list[str]]) -> dict[str, Any]:
    tags = [(tag.slug, tag.name) for tag in article.tags.all()]
    near = dict.fromkeys(
        slug for tag, _ in tags for slug in beside[tag][: RELATED + 1] if slug != article.slug
    )
    return {
        "slug": article.slug,
        "headline": article.headline,
        "standfirst": article.standfirst,
        "body": article.body,
        "date": article.published_at.isoformat(),
        "outlet": (article.source.slug, article.source.name),
        "original": article.canonical_url,
        "terms": article.usage_terms,
        "authors": [(person.slug, person.name) for person in article.contributors.all()],
        "tags": tags,
        "related": list(near)[:RELATED],
    }


if __name__ == "__main__":
    main()

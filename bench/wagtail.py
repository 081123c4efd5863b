"""Wagtail beside ours in one run: the same articles, the same gunicorn, with its full-page cache and without.

The peer (bench/wagtail_site) is installed into the bench's own folder. Its pages hold what ours hold: headline,
standfirst, whole text, authors, tags, source, four related articles; the front page twenty teasers. Nothing is
added to it that costs: no user bar, no compression, templates kept compiled, the cache in the worker's own memory.
What it keeps is not checked and stays until its time is over. BENCH_ARTICLES sets the number (10,000).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.growth import ask, collect_static, cpu_of, fill
from bench.pages import cpu_per_request, fetch
from bench.scratch import free_port, prepare, print_rows, running, site_command

ARTICLES = int(os.environ.get("BENCH_ARTICLES", "10000"))
ROUNDS, MADE, RELATED = 3, 60, 4
HERE = Path(__file__).resolve().parent
OURS, PEER, CACHED = "ours", "Wagtail", "Wagtail with its cache"
Row = tuple[str, float, str]


def main() -> None:
    folder = prepare()
    collect_static()
    fill(ARTICLES)
    article = write_down(folder / "articles.jsonl")
    python = install(folder / "peer", folder / "articles.jsonl")
    ports = {name: free_port() for name in (OURS, PEER, CACHED)}
    site_url = f"http://127.0.0.1:{ports[OURS]}"
    ours = running(ports[OURS], *site_command(), PORT=str(ports[OURS]), SITE_URL=site_url)
    plain, cached = (
        running(
            ports[name], *peer_command(ports[name]), python=python, **peer_environment(folder / "peer", cache)
        )
        for name, cache in ((PEER, ""), (CACHED, "1"))
    )
    with ours as one, plain as two, cached as three:
        servers = {OURS: one.pid, PEER: two.pid, CACHED: three.pid}
        print_rows(*compare(ports, servers, article))


def compare(ports: dict[str, int], servers: dict[str, int], slug: str) -> Iterator[Row]:
    """Milliseconds of CPU a page, in turns so that whatever else the machine does falls on all alike."""

    def hit(who: str, path: str) -> float:
        ask(ports[who], [path] * 3)
        return cpu_per_request(ports[who], path, servers[who])

    def made(who: str, path: str) -> float:
        ask(ports[who], [f"{path}?again=first{n}" for n in range(3)])
        return cpu_of(servers[who], ports[who], [f"{path}?again={n}" for n in range(MADE)])

    for page, ours, peers in (
        ("an article", f"/articles/{slug}/", f"/{slug}/"),
        ("the front page", "/", "/"),
    ):
        rounds = [
            (hit(OURS, ours), hit(CACHED, peers), made(OURS, ours), made(PEER, peers)) for _ in range(ROUNDS)
        ]
        ready, cached, anew, uncached = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        for who, path in ((OURS, ours), (PEER, peers)):
            yield f"{page} of {who}: its HTML", len(fetch(ports[who], path)[0]) / 1000, "kB"
        yield f"{page} of {OURS}, ready", ready, "ms"
        yield f"{page} of {CACHED}", cached, "ms"
        yield f"{page}: {CACHED} against {OURS}", cached / ready, "times"
        yield f"{page} of {OURS}, made anew", anew, "ms"
        yield f"{page} of {PEER}", uncached, "ms"
        yield f"{page}: {PEER} against {OURS}, made anew", uncached / anew, "times"


# --- the peer ---------------------------------------------------------------------------------


def install(folder: Path, articles: Path) -> str:
    """Wagtail in an environment of its own, with these articles; returns its Python."""
    shutil.copytree(HERE / "wagtail_site", folder / "wagtail_site")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = str(folder / "venv" / "bin" / "python")
    wanted = ("wagtail", "wagtail-cache", f"gunicorn=={version('gunicorn')}")
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


def write_down(file: Path) -> str:
    """All articles, shown in full length by both, a JSON object a line; returns the newest one's slug."""
    from articles.models import Article, Source, UsagePolicy

    Source.objects.update(usage=UsagePolicy.FULL)
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
    return articles[0].slug


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

"""What odd requests cost beside a normal page: nobody may make the site work harder than a reader does.

A normal page is the list of everything made anew; a stored page asked for with odd headers is compared with a hit.
BENCH_DATABASE_URL names a newsroom that has articles already.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable, Mapping

from bench.growth import collect_static, fill
from bench.scratch import children_of, cpu_seconds_of, free_port, prepare, print_rows, running, site_command

TIMES, HITS = 20, 600
Asked = tuple[str, Mapping[str, str]]
RANGES = (
    "bytes=0-0",
    "bytes=-1",
    "bytes=" + ",".join(f"{n}-{n}" for n in range(500)),
    "bytes=9-1",
    "x=y",
    "bytes=0-",
)
CONDITIONS = (
    "*",
    '"x"',
    ", ".join(f'"{n:032x}"' for n in range(200)),
    'W/"x"',
    "no quotation marks",
    '"' * 5000,
)
DATES = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday", "0" * 5000)
ENCODINGS = ("br;q=0, gzip;q=0", ",".join(["gzip"] * 500), "*;q=0", "zstd", "identity;q=0, *", ";" * 2000)


def main() -> None:
    prepare()
    collect_static()
    if not os.environ.get("BENCH_DATABASE_URL"):
        fill(2_000)
    path, cursor = _article_and_cursor()
    port = free_port()
    gunicorn = site_command()
    with running(port, *gunicorn, PORT=str(port), SITE_URL=f"http://127.0.0.1:{port}") as server:
        ask(port, "/", {})  # Its worker is there now.
        workers = children_of(server.pid)

        def cost(asked: Callable[[int], Asked], times: int = TIMES) -> float:
            for number in range(2):
                ask(port, *asked(-1 - number))
            before = cpu_seconds_of(workers)
            for number in range(times):
                ask(port, *asked(number))
            return (cpu_seconds_of(workers) - before) * 1000 / times

        normal = cost(lambda n: (f"/latest/?again={n}", {}))
        hit = cost(lambda n: (path, {}), HITS)
        rows = [("a normal page, made anew", normal, "ms"), ("a hit", hit, "ms")]
        rows += [
            (name, cost(asked) / normal, "normal pages") for name, asked in made_anew(path, cursor).items()
        ]
        rows += [(name, cost(asked, HITS) / hit, "hits") for name, asked in with_headers(path).items()]
    print_rows(*rows)


def _article_and_cursor() -> tuple[str, str]:
    from articles import keyset
    from articles.models import Article

    newest = Article.objects.public().newest_first()
    deep = newest[Article.objects.public()[:5_000].count() - 1 :].first() or newest[0]
    return newest[0].get_absolute_url(), keyset.cursor(deep)


def made_anew(path: str, cursor: str) -> dict[str, Callable[[int], Asked]]:
    """Addresses of which no page lies ready."""
    return {
        "a page deep down": lambda n: (f"/latest/?before={cursor}&again={n}", {}),
        "a cursor that is none": lambda n: (f"/latest/?before=zz{n}", {}),
        "a page number": lambda n: (f"/latest/?page={10**9 + n}", {}),
        "an article with a cache-buster": lambda n: (f"{path}?utm_source={n}", {}),
        "the front page with a cache-buster": lambda n: (f"/?{n}", {}),
        "a feed with a cache-buster": lambda n: (f"/feeds/latest.rss?{n}", {}),
        "500 parameters": lambda n: ("/latest/?" + "&".join(f"a{m}={n}" for m in range(500)), {}),
        "an address that is not there": lambda n: (f"/articles/no-such-{n}/", {}),
        "a long address": lambda n: (f"/articles/{'a' * 3_000}{n}/", {}),
        "many steps": lambda n: (f"/{'a/' * 1_000}{n}", {}),
        "a search, 200 words": lambda n: ("/search/?q=" + "+".join(f"w{m}" for m in range(200)) + str(n), {}),
        "a search, 7,000 letters": lambda n: (f"/search/?q={'x' * 7_000}{n}", {}),
        "a search, beginnings of all": lambda n: (f"/search/?q=a*+b*+c*+t*+s*&again={n}", {}),
        "a search, a phrase nobody wrote": lambda n: (f"/search/?q=%22the+in+the+the%22&again={n}", {}),
        "a search, everything but": lambda n: (f"/search/?q=the+-the+-in+-a&again={n}", {}),
        "a search, common words in turn": lambda n: (f"/search/?q={'+OR+'.join(['the', 'in'] * 7)}&again={n}", {}),
        "a search, misspelt thrice": lambda n: (f"/search/?q=cuoncil+harbuor+musuem&again={n}", {}),
        "a search, years ago": lambda n: (f"/search/?q=council&until=2001-01-01&again={n}", {}),
        "a search, operators": lambda n: ("/search/?q=" + "%22%22-%28%29*+OR+" * 40 + str(n), {}),
        "the API, 100,000 at once": lambda n: (f"/api/articles/?limit=100000&again={n}", {}),
    }  # fmt: skip


def with_headers(path: str) -> dict[str, Callable[[int], Asked]]:
    """A stored page with headers of any shape, each shape in its turn."""
    odd = {"Range": RANGES, "If-None-Match": CONDITIONS, "If-Modified-Since": DATES, "Accept-Encoding": ENCODINGS,
           "If-Range": CONDITIONS, "Accept-Language": ("de,en;q=0.5," * 300, "*", "\xe4")}  # fmt: skip

    def shape(name: str, values: tuple[str, ...]) -> Callable[[int], Asked]:
        return lambda n: (path, {name: values[n % len(values)]})

    return {f"a hit with odd {name}": shape(name, values) for name, values in odd.items()}


def ask(port: int, path: str, headers: Mapping[str, str]) -> None:
    """Whatever it answers, as long as it answers and is not at fault."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Accept-Encoding": "br", **headers})
    answer = connection.getresponse()
    answer.read()
    if answer.status >= 500:
        raise SystemExit(f"{path[:200]} answered {answer.status}")
    connection.close()


if __name__ == "__main__":
    main()

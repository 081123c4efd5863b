"""A newsroom on many machines, all of them on this one: what is killed, what goes on, and what is never shown.

PostgreSQL with a streaming replica, Redis, two gunicorns, three Celery workers and a ticker, nginx in front with
pages as files. Readers hammer both instances and nginx while articles are removed with the replica's replay
paused, and while each process in turn is killed with -9. Needs Debian's postgresql, redis-server and nginx.
"""

from __future__ import annotations

import glob
import http.client
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.scratch import free_port, print_rows, site_command

ROOT = Path(__file__).resolve().parent.parent
ARTICLES, REMOVED, READERS = 1_500, 12, 8
BACK_WITHIN = 60.0


@dataclass
class Machine:
    """One process that can be killed and started again."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a group of its own, and wait until its port answers."""
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(Path(os.environ["VAR_DIR"]) / f"{self.name.replace(' ', '-')}.log", "ab"),  # noqa: SIM115
            start_new_session=True,
        )
        if self.port:
            until(lambda: answers(self.port), f"{self.name} to listen")

    def kill(self) -> None:
        """As the power would: the process and all its children."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=30)


def answers(port: int) -> bool:
    connection = http.client.socket.socket()  # type: ignore[attr-defined]
    with connection:
        return bool(connection.connect_ex(("127.0.0.1", port)) == 0)


def until(done: Callable[[], Any], what: str, seconds: float = BACK_WITHIN) -> float:
    """Wait for it; returns the seconds it took, and ends the run when it does not come."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            if done():
                return time.monotonic() - began
        except Exception:
            pass
        time.sleep(0.1)
    raise SystemExit(f"Waited {seconds} s in vain for {what}; logs are in {os.environ['VAR_DIR']}.")


# --- the machines -----------------------------------------------------------------------------


class Postgres:
    """A primary and its streaming replica."""

    def __init__(self, folder: Path) -> None:
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        self.bin = Path(found[-1]) if found else Path(shutil.which("postgres") or "/usr/bin/postgres").parent
        self.folder, self.ports = folder, [free_port(), free_port()]
        folder.mkdir()
        # PostgreSQL does not run as root.
        self.account = (
            [] if os.getuid() else ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        )
        if not os.getuid():
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)

    def run(self, *command: str) -> None:
        """One of PostgreSQL's programs."""
        subprocess.run(
            [*self.account, str(self.bin / command[0]), *command[1:]],
            check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def server(self, number: int) -> Machine:
        """The primary (0) or the replica (1)."""
        name, port = ("PostgreSQL primary", "PostgreSQL replica")[number], self.ports[number]
        data = self.folder / str(number)
        settings = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}")
        options = [
            part for one in (*settings, "max_connections=60", "hot_standby=on") for part in ("-c", one)
        ]
        command = [*self.account, str(self.bin / "postgres"), "-D", str(data), *options]
        return Machine(name, command, port=port)

    def url(self, number: int) -> str:
        """How it is reached."""
        return f"postgres://newsroom@127.0.0.1:{self.ports[number]}/postgres"

    def ask(self, number: int, sql: str) -> Any:
        """The first value of an answer."""
        import psycopg2

        connection = psycopg2.connect(self.url(number))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0] if cursor.description else None
        finally:
            connection.close()


def nginx_configuration(folder: Path, port: int, sites: Sequence[int]) -> Path:
    """The server block of deploy/nginx.conf, without TLS, in front of these instances."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    text = text.replace("/var/lib/newsroom/pages", str(folder / "pages"))
    text = text.replace("/var/lib/newsroom/static", str(folder / "static"))
    servers = " ".join(f"server 127.0.0.1:{site} max_fails=1 fail_timeout=1s;" for site in sites)
    text = text.replace("server unix:/run/newsroom/web.sock fail_timeout=0;", servers)
    text = text.replace("include /etc/nginx/newsroom_proxy.conf;", "proxy_set_header Host $host;")
    text = re.sub(r"server \{\s+listen 80;.*?\n\}\n", "", text, flags=re.DOTALL)
    text = re.sub(r"\n    (listen|ssl)[^\n]*", "", text)
    text = text.replace("server_name news.example;", f"server_name 127.0.0.1; listen 127.0.0.1:{port};")
    (folder / "site.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    whole = folder / "nginx.conf"
    account = pwd.getpwuid(os.getuid()).pw_name
    whole.write_text(
        f"daemon off; user {account}; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;"
        f" events {{}} http {{ access_log off; {temporary} include {folder}/site.conf; }}"
    )
    return whole


# --- readers ----------------------------------------------------------------------------------


class Readers:
    """They ask for articles at each front door, and know which were removed before they asked."""

    def __init__(self, doors: Sequence[int], articles: Sequence[tuple[str, bytes]]) -> None:
        self.doors, self.articles = doors, articles
        self.removed: set[str] = set()
        self.stop = threading.Event()
        self.counted: Counter[str] = Counter()
        self.stale: list[str] = []
        self.threads = [threading.Thread(target=self.read, args=(number,)) for number in range(READERS)]

    def read(self, number: int) -> None:
        """Until told to stop."""
        turn = number
        while not self.stop.is_set():
            turn += 1
            path, headline = self.articles[turn % len(self.articles)]
            gone = path in self.removed
            try:
                status, body = fetch(self.doors[number % len(self.doors)], path)
            except OSError:
                self.counted["no answer"] += 1
                time.sleep(0.05)
                continue
            self.counted[str(status)] += 1
            if gone and (status == 200 or headline in body):
                self.stale.append(path)


def fetch(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


# --- the run ----------------------------------------------------------------------------------


def main() -> None:
    folder = Path(os.environ["VAR_DIR"])
    folder.chmod(0o755)
    postgres, redis, sites, front = (
        Postgres(folder / "pg"),
        free_port(),
        [free_port(), free_port()],
        free_port(),
    )
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "newsroom.settings",
        "DATABASE_URL": postgres.url(0),
        "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
        "WORK_ENGINE": "celery",
        "SITE_URL": f"http://127.0.0.1:{front}",
        "PAGES_DIR": str(folder / "pages"),
    }
    machines = [postgres.server(0), postgres.server(1), Machine(
        "Redis", ["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        port=redis,
    )]  # fmt: skip
    try:
        print_rows(*run(folder, postgres, machines, sites, front))
    finally:
        for machine in machines:
            machine.kill()


def run(
    folder: Path, postgres: Postgres, machines: list[Machine], sites: list[int], front: int
) -> list[tuple[str, float, str]]:
    """Everything started, everything killed; the counts."""
    postgres.run("initdb", "-D", str(folder / "pg" / "0"), "-U", "newsroom", "-A", "trust", "-E", "UTF8")
    machines[0].start()
    until(lambda: postgres.ask(0, "SELECT 1"), "the primary")
    postgres.run("pg_basebackup", "-D", str(folder / "pg" / "1"), "-R", "-X", "stream",
                 "-d", f"host=127.0.0.1 port={postgres.ports[0]} user=newsroom")  # fmt: skip
    machines[1].start()
    machines[2].start()
    until(lambda: postgres.ask(1, "SELECT pg_is_in_recovery()"), "the replica")
    fill()
    replicas = {"REPLICA_URLS": postgres.url(1)}
    gunicorn = (sys.executable, *site_command())
    web = [
        Machine(f"gunicorn {n}", gunicorn, {"PORT": str(port)} | replicas, port)
        for n, port in enumerate(sites, 1)
    ]
    celery = (
        sys.executable,
        "-m",
        "celery",
        "--app",
        "newsroom",
        "worker",
        "--concurrency",
        "1",
        "--pool",
        "solo",
    )
    workers = [
        Machine(f"Celery worker {n}", (*celery, "--hostname", f"w{n}@%h", "--loglevel", "ERROR"))
        for n in (1, 2, 3)
    ]
    ticker = Machine("ticker", (sys.executable, "manage.py", "work"))
    nginx = Machine("nginx", ("nginx", "-c", str(nginx_configuration(folder, front, sites)),
                              "-g", f"error_log {folder}/nginx.err;"), port=front)  # fmt: skip
    machines += [*web, *workers, ticker, nginx]
    for machine in machines[3:]:
        machine.start()
    return [*removals(postgres, [*sites, front], sites), *killings(postgres, machines, [*sites, front])]


def fill() -> None:
    """Tables, articles, static files, the headers nginx sends."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from newsroom import synthetic

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    for _ in synthetic.make(ARTICLES, at=timezone.now(), seed="machines"):
        pass
    call_command("page_files", stdout=sys.stderr)


def some_articles(count: int) -> list[Any]:
    from articles.models import Article

    return list(Article.objects.public().newest_first()[:count])


def seen_by_readers(articles: Sequence[Any]) -> list[tuple[str, bytes]]:
    from django.utils.html import escape

    return [(article.get_absolute_url(), str(escape(article.headline)).encode()) for article in articles]


def removals(postgres: Postgres, doors: Sequence[int], sites: Sequence[int]) -> list[tuple[str, float, str]]:
    """Articles removed under load while the replica stands still; each instance asked right after each commit."""
    from django.utils import timezone

    from articles.actions import place_hold
    from articles.models import HoldKind

    articles = some_articles(3 * REMOVED)
    readers = Readers(doors, seen_by_readers(articles))
    postgres.ask(1, "SELECT pg_wal_replay_pause()")
    for thread in readers.threads:
        thread.start()
    time.sleep(3)
    next_request: Counter[str] = Counter()
    found = 0
    for number, article in enumerate(articles[:REMOVED]):
        at = timezone.now()
        place_hold(
            article=article, kind=HoldKind.LEGAL, reference=f"bench:{number}", effective_at=at, at=at, by=None
        )
        readers.removed.add(article.get_absolute_url())
        for site in sites:
            next_request[str(fetch(site, article.get_absolute_url())[0])] += 1
            found += article.slug.encode() in fetch(site, f"/search/?q={article.headline.split()[0]}")[1]
    time.sleep(2)
    readers.stop.set()
    for thread in readers.threads:
        thread.join(60)
    known = postgres.ask(1, "SELECT COUNT(*) FROM articles_hold")
    postgres.ask(1, "SELECT pg_wal_replay_resume()")
    return [
        ("removals under load, the replica's replay paused", REMOVED, ""),
        ("of them known to the replica meanwhile", known, ""),
        ("answers of 8 readers", sum(readers.counted.values()), ""),
        ("stale among them", len(readers.stale), ""),
        ("next requests to each instance after a removal", sum(next_request.values()), ""),
        ("of them 451", next_request["451"], ""),
        ("searches at each instance that still found it", found, ""),
    ]


def killings(
    postgres: Postgres, machines: Sequence[Machine], doors: Sequence[int]
) -> list[tuple[str, float, str]]:
    """Each process killed in turn under load and started again; what the readers saw, and that work goes on."""
    from articles.models import Prepared

    rows: list[tuple[str, float, str]] = []
    removed = {article for article, _ in seen_by_readers(held())}
    articles = [*seen_by_readers(some_articles(30)), *seen_by_readers(held())]
    for machine in machines:
        Prepared.objects.filter(pk__in=list(Prepared.objects.values_list("pk", flat=True)[:60])).update(
            due_at="2020-01-01T00:00Z"
        )
        readers = Readers(doors, articles)
        readers.removed = removed
        for thread in readers.threads:
            thread.start()
        time.sleep(0.7)
        machine.kill()
        time.sleep(1.5)
        machine.start()
        worked = until(all_done, f"the work to be done after {machine.name} was killed", 120)
        time.sleep(0.5)
        readers.stop.set()
        for thread in readers.threads:
            thread.join(60)
        failed = sum(count for what, count in readers.counted.items() if what not in ("200", "451"))
        whole = sum(readers.counted.values())
        rows += [
            (f"kill -9 {machine.name}: answers", whole, ""),
            (f"kill -9 {machine.name}: none, or 5xx", failed, ""),
            (f"kill -9 {machine.name}: stale", len(readers.stale), ""),
            (f"kill -9 {machine.name}: waiting work done after", worked, "s"),
        ]
        print(f"{machine.name}: {dict(readers.counted)}", file=sys.stderr)
    return rows


def held() -> list[Any]:
    from articles.models import Article

    return list(Article.objects.filter(holds__reference__startswith="bench:"))


def all_done() -> bool:
    from django.db import connection

    from articles.models import Prepared

    try:
        return not Prepared.objects.filter(due_at__isnull=False).exists()
    except Exception:
        connection.close()
        raise


if __name__ == "__main__":
    main()

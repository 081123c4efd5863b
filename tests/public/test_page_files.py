"""Pages as files: written beside their rows, never there after them, sent by a real nginx."""

from __future__ import annotations

import getpass
import http.client
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from articles import page_files, surfaces
from articles.actions import place_hold, release_hold
from articles.build import build_of_the_program
from articles.models import Article, Hold, HoldKind, ReadyPage, SurfaceSerial
from newsroom import publishing
from tests.conftest import free_port
from tests.factories import ArticleFactory
from tests.front_door import FrontDoor
from tests.site_server import serving

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def published(settings, tmp_path, transactional_db) -> Iterator[Path]:
    """A folder in which pages are files, with the headers nginx sends."""
    settings.PAGES_DIR = str(tmp_path / "pages")
    call_command("page_files", stdout=StringIO())
    yield tmp_path / "pages"
    SurfaceSerial.objects.update(files=None)


def hold(article: Article, **later: float) -> Hold:
    at = timezone.now()
    return place_hold(
        article=article,
        kind=HoldKind.LEGAL,
        reference="claim:1",
        effective_at=at + timedelta(**later),
        at=at,
        by=None,
    )


def files(folder: Path) -> set[str]:
    return {path for path, _ in page_files.found()}


def compare(limit: int = 10) -> int:
    return publishing.compare(limit, timezone.now(), build=build_of_the_program())


# --- what is a file ---------------------------------------------------------------------------


def test_a_page_is_a_file_once_it_is_ready_and_gone_with_its_article(published):
    article = ArticleFactory()
    path, door = article.get_absolute_url(), FrontDoor()

    page = door.get(path)
    file = page_files.file_of(path)
    assert file.read_text() == page.text
    assert {"/", path} & files(published) == {path}
    hold(article)

    assert not file.exists()
    assert not file.with_name("index.html.gz").exists()
    assert door.get(path).status == 451


@pytest.mark.parametrize("when", ["a hold to come", "an article to come"])
def test_a_page_with_a_time_of_its_own_is_never_a_file(published, when):
    article, door = ArticleFactory(), FrontDoor()
    if when == "a hold to come":
        hold(article, hours=5)
    else:
        ArticleFactory(published_at=timezone.now() + timedelta(hours=1))
    path = article.get_absolute_url() if when == "a hold to come" else "/latest/"

    assert door.get(path).status == 200
    compare()

    assert ReadyPage.objects.get(path=path).valid_until
    assert path not in files(published)


def test_pages_with_other_headers_than_nginx_sends_are_no_files(published):
    door = FrontDoor()
    (published / "headers.conf").write_text('add_header X-Old "1" always;\n')

    assert door.get("/about/").status == 200
    assert door.get("/feeds/latest.rss").status == 200

    assert files(published) == set()


def test_a_policy_in_another_order_is_the_same_policy():
    one, other = "default-src 'none'; img-src 'self' data:", "img-src data: 'self'; default-src 'none'"

    said = [page_files.as_directives({"Content-Security-Policy": policy}) for policy in (one, other)]

    assert said[0] == said[1]
    assert said[0] != page_files.as_directives({"Content-Security-Policy": "default-src 'self'"})


@pytest.mark.parametrize(
    "path", ["/../about/", "/a/../../b/", "//a/", "/.a/", "/a", "a/", "/a\x00b/", f"/{'x' * 300}/", "/\n/"]
)
def test_a_path_that_could_mean_another_file_has_none(published, path):
    assert page_files.file_of(path) is None


# --- taking back ------------------------------------------------------------------------------


def test_a_removal_fails_when_its_file_cannot_be_unlinked(published, monkeypatch):
    article, door = ArticleFactory(), FrontDoor()
    path = article.get_absolute_url()
    door.get(path)
    # In the place of the file stands what no unlink removes.
    file = page_files.file_of(path)
    file.unlink()
    file.mkdir()

    with pytest.raises(OSError, match="directory"):
        hold(article)

    assert not Hold.objects.exists()
    assert door.get(path).status == 200


def test_a_change_to_the_whole_site_takes_every_file_back(published):
    door = FrontDoor()
    door.get("/about/")
    door.get("/rights/")
    assert files(published) == {"/about/", "/rights/"}

    with transaction.atomic():
        surfaces.changed([surfaces.SITE])

    assert files(published) == set()


def test_a_process_without_the_folder_can_change_nothing(published, settings, tmp_path):
    article = ArticleFactory()
    for folder in ("", str(tmp_path / "another")):
        settings.PAGES_DIR = folder
        with pytest.raises(page_files.NotOurFolder, match="PAGES_DIR"):
            hold(article)

    with pytest.raises(page_files.NotOurFolder):
        publishing.begin()
    call_command("page_files", "--stop", stdout=StringIO())
    hold(article)


def test_files_and_rows_are_made_to_agree(published):
    door = FrontDoor()
    for path in ("/about/", "/rights/", "/archive/"):
        door.get(path)
    ReadyPage.objects.filter(path="/about/").delete()
    page_files.write("/rights/", "f" * 32, b"another")
    page_files.take_back(["/archive/"])

    assert compare() == 3  # two taken back, one written

    assert "/about/" not in files(published)
    assert page_files.file_of("/archive/").read_text() == door.get("/archive/").text
    compare()
    assert page_files.file_of("/rights/").read_text() == door.get("/rights/").text


# --- a real nginx -----------------------------------------------------------------------------


@pytest.fixture
def nginx(published, tmp_path) -> Iterator[tuple[int, list[str]]]:
    """The server block of deploy/nginx.conf on loopback, without TLS, and what it asked the site for."""
    if not shutil.which("nginx"):
        pytest.fail("nginx is not installed (Debian: apt-get install nginx-light)")
    port = free_port()
    with serving() as site:
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        text = text.replace("/var/lib/newsroom/pages", str(published))
        text = text.replace(
            "server unix:/run/newsroom/web.sock fail_timeout=0;", f"server 127.0.0.1:{site.port};"
        )
        text = text.replace("include /etc/nginx/newsroom_proxy.conf;", "proxy_set_header Host $host;")
        text = re.sub(r"server \{\s+listen 80;.*?\n\}\n", "", text, flags=re.DOTALL)
        text = re.sub(r"\n    (listen|ssl)[^\n]*", "", text)
        text = text.replace("server_name news.example;", f"server_name 127.0.0.1; listen 127.0.0.1:{port};")
        (tmp_path / "site.conf").write_text(text)
        temporary = "".join(
            f"{kind}_temp_path {tmp_path}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; user {getpass.getuser()}; worker_processes 2; pid {tmp_path}/pid; events {{}}"
            f" http {{ access_log off; {temporary} include {tmp_path}/site.conf; }}"
        )
        process = subprocess.Popen(
            ["nginx", "-c", str(tmp_path / "nginx.conf"), "-g", f"error_log {tmp_path}/error;"]
        )
        try:
            until = time.monotonic() + 10
            while time.monotonic() < until and process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port, site.asked
        finally:
            process.terminate()
            process.wait(timeout=60)


def fetch(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_nginx_says_of_a_file_what_the_site_says_of_the_page(nginx):
    port, asked = nginx
    article = ArticleFactory()
    path = article.get_absolute_url()
    _, by_site, body = fetch(port, path)
    count = len(asked)

    status, by_nginx, same = fetch(port, path)

    assert (status, same, len(asked)) == (200, body, count), "the second answer came from the site"
    own = {"Date", "Server", "ETag", "Connection", "Accept-Ranges", "Vary", "Last-Modified"}
    said = [
        page_files.as_directives({n: v for n, v in one.items() if n not in own})
        for one in (by_nginx, by_site)
    ]
    assert said[0] == said[1]
    assert by_nginx["Content-Type"] == by_site["Content-Type"]
    assert "Last-Modified" not in by_nginx
    assert fetch(port, path, If_None_Match=by_nginx["ETag"])[0] == 304
    packed = fetch(port, path, Accept_Encoding="gzip")
    assert packed[1]["Content-Encoding"] == "gzip"
    assert packed[1]["ETag"] != by_nginx["ETag"]
    assert len(asked) == count
    for more in ({"Cookie": "theme=dark; session=x"}, {"Authorization": "Bearer x"}):
        fetch(port, path, **more)
    fetch(port, path + "?again")
    assert len(asked) == count + 3


def test_no_stale_answer_of_nginx_begins_after_a_removal_has_committed(nginx):
    port, asked = nginx
    article = ArticleFactory()
    path, removed, stop = article.get_absolute_url(), [], threading.Event()
    stale: list[int] = []
    statuses: list[int] = []

    def hammer() -> None:
        while not stop.is_set():
            before = list(removed)
            status, _, body = fetch(port, path)
            statuses.append(status)
            # Judged only when the same removal stood from before the request until after it.
            if before and before == removed and (status == 200 or article.headline.encode() in body):
                stale.append(status)

    readers = [threading.Thread(target=hammer) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(4):
        time.sleep(0.3)
        one = hold(article)
        removed.append(number)
        time.sleep(0.2)
        removed.clear()
        release_hold(hold=one, at=timezone.now(), by=None)
    hold(article)
    removed.append(9)
    time.sleep(0.2)
    stop.set()
    for reader in readers:
        reader.join(20)
    connections.close_all()

    assert {200, 451} <= set(statuses)
    assert len(statuses) > len(asked), "nginx sent no file"
    assert stale == []

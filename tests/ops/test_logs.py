"""The log tells what happened and to which request, and nobody's mailbox, network address or secret."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import brotli
import pytest
from django.conf import settings

from newsroom import logs
from tests.conftest import free_port, wait_for_port
from tests.loopback import Answer, WebServer, web_server

ROOT = Path(__file__).resolve().parents[2]
PLANTED = ["ann@quay.example", "203.0.113.77", "2001:db8:1::77", "s3cr3t-of-the-case", "nrk_planted"]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("refused: ann.o'brien+x@mail.quay.example (550)", "refused: [mailbox] (550)"),
        ("from 203.0.113.77, port 25", "from [address], port 25"),
        ("from [2001:db8:1::77]:443 and ::ffff:10.1.2.3", "from [[address]]:443 and ::ffff:[address]"),
        ("Not Found: /removal/abcDEF-12_3/confirm/xyz/", "Not Found: /removal/[secret]/confirm/xyz/"),
        ("Gone: /removal/answer/NR-A-B/1/abc-12_3/", "Gone: /removal/answer/NR-A-B/1/[secret]/"),
        ("postgres://newsroom:s3cr3t@db.example/news", "postgres://[password]@db.example/news"),
        ("Authorization: Bearer nrk_abc-123", "Authorization: Bearer [key]"),
        (
            "Django 5.2.19 listens on 127.0.0.1:8000 at 12:30:15",
            "Django 5.2.19 listens on 127.0.0.1:8000 at 12:30:15",
        ),
        ("feed 7 moved to https://quay.example/rss", "feed 7 moved to https://quay.example/rss"),
    ],
)
def test_what_names_somebody_is_left_out(said: str, left: str) -> None:
    assert logs.without_people(said) == left


@pytest.mark.parametrize("form", ["line", "json"])
def test_an_error_that_quotes_a_mailbox_does_not_bring_it_into_the_log(form: str) -> None:
    formatter = {"line": logs.Line, "json": logs.Json}[form]()
    try:
        raise SMTPRecipientsRefused({"ann@quay.example": (550, b"from 203.0.113.77")})
    except SMTPRecipientsRefused:
        info = sys.exc_info()
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "letter to %s", ("ann@quay.example",), info)

    text = formatter.format(record)

    assert "SMTPRecipientsRefused" in text
    assert not any(word in text for word in PLANTED)


def answer_to(given: str) -> tuple[str, str]:
    """The id the application sees and the one the answer names, for an id the proxy gave."""
    seen: list[Any] = []

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [])
        seen.append(environ[logs.IN_ENVIRON])
        return []

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", logs.IN_ENVIRON: given}
    logs.RequestIds(application, log=False)(environ, lambda status, headers: seen.append(dict(headers)))
    return seen[1], seen[0][logs.REQUEST_ID]


def test_an_id_of_the_proxy_is_kept_when_it_is_well_formed() -> None:
    assert answer_to("3f2a-99_Bc01") == ("3f2a-99_Bc01", "3f2a-99_Bc01")


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with space 123", "line\nbreak1", "ann@quay.example", "<b>12345678"]
)
def test_any_other_id_is_replaced(given: str) -> None:
    seen, named = answer_to(given)

    assert seen == named != given
    assert logs.WELL_FORMED.fullmatch(named)


@pytest.fixture
def watchers() -> Iterator[WebServer]:
    """What listens where Sentry and OpenTelemetry would."""
    with web_server() as web:
        for path in ("/api/1/envelope/", "/v1/traces"):
            web.decide(path, lambda asked: Answer(200, b"{}", [("Content-Type", "application/json")]))
        yield web


def bodies(web: WebServer, path: str) -> str:
    unpack = {"gzip": gzip.decompress, "br": brotli.decompress}
    found = [one for one in web.asked if one.path == path]
    clear = [unpack.get(one.headers["Content-Encoding"] or "", bytes)(one.body) for one in found]
    return b"\n".join(clear).decode(errors="replace")


def test_a_running_site_logs_reports_and_traces_without_people(watchers: WebServer, tmp_path: Path) -> None:
    """A site without its tables: each page fails, is logged and reported."""
    port = free_port()
    (tmp_path / "static").symlink_to(settings.STATIC_ROOT)
    environment = {
        "PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "PORT": str(port), "WEB_WORKERS": "1",
        "LOG_FORMAT": "json", "LOG_REQUESTS": "1", "SENTRY_DSN": f"http://key@127.0.0.1:{watchers.port}/1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": watchers.url().rstrip("/"),
        "SECRET_KEY": "a key for tests alone, long enough that no check complains about it",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "--config", "python:newsroom.gunicorn", "newsroom.wsgi"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        wait_for_port(port, process, seconds=60)
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/articles/ann@quay.example-203.0.113.77/?from=ann@quay.example",
            headers={"X-Request-ID": "chosen-by-the-proxy", "Cookie": "session=s3cr3t-of-the-case",
                     "X-Forwarded-For": "203.0.113.77", "User-Agent": "ann@quay.example"},
        )  # fmt: skip
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(asked, timeout=90)
        until = time.monotonic() + 30
        while (
            not all(bodies(watchers, path) for path in ("/api/1/envelope/", "/v1/traces"))
            and time.monotonic() < until
        ):
            time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(timeout=30)

    failed.value.close()
    assert (failed.value.code, failed.value.headers["X-Request-ID"]) == (503, "chosen-by-the-proxy")
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    [request] = [line for line in lines if line["logger"] == "newsroom.requests"]
    assert (request["status"], request["request"], request["method"]) == (503, "chosen-by-the-proxy", "GET")
    assert any(line["level"] == "error" and line["request"] == "chosen-by-the-proxy" for line in lines)
    told = {
        "log": json.dumps(lines),
        "errors": bodies(watchers, "/api/1/envelope/"),
        "traces": bodies(watchers, "/v1/traces"),
    }
    for where, text in told.items():
        assert "chosen-by-the-proxy" in text, where
        assert not [word for word in PLANTED if word in text], where


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_told_in_a_line_without_a_traceback(client, caplog):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400

    told = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert [record.exc_info for record in told] == [None]
    assert "ALLOWED_HOSTS" in told[0].getMessage()

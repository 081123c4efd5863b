"""What the log says: lines or JSON, each with the request or the work it belongs to, and nobody's address in it.

LOG_FORMAT chooses. Every text is passed through `without_people` last, tracebacks included, because an error
of a mail or database server quotes what it was given.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

REQUEST_ID = "X-Request-ID"
IN_ENVIRON = "HTTP_X_REQUEST_ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,63}")
LONGEST = 16_000

# What this thread is doing: the id of a request, and the kind of work.
request_id: ContextVar[str] = ContextVar("request_id", default="")
work: ContextVar[str] = ContextVar("work", default="")

requests = logging.getLogger("newsroom.requests")

_MAILBOX = re.compile(r"[\w.!#$%&'*+=?^`{|}~-]{1,64}@[\w-]+(?:\.[\w-]+)*")
_IPV4 = re.compile(r"(?<![\w.])(?!127\.|0\.0\.0\.0(?!\d))(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?![\w:])")
_CASE = re.compile(r"(/removal/(?:answer/[^/\s\"'?]+/\d+/)?)[^/\s\"'?]+")
_TOKEN = re.compile(r"\bnrk_[\w-]+|(?<=Bearer )\S+")
_PASSWORD = re.compile(r"(://)[^/\s:@]*:[^/\s@]+@")


def without_people(text: str) -> str:
    """The text without mailboxes, network addresses, passwords in addresses, keys and the secrets of cases."""
    text = _PASSWORD.sub(r"\1[password]@", text[:LONGEST])
    text = _TOKEN.sub("[key]", _CASE.sub(r"\1[secret]", text))
    text = _MAILBOX.sub(_unless_a_password, text)
    return _IPV6.sub(_if_an_address, _IPV4.sub("[address]", text))


def _if_an_address(found: re.Match[str]) -> str:
    """Times of day have colons too."""
    try:
        return found[0] if ip_address(found[0]).is_loopback else "[address]"
    except ValueError:
        return found[0]


def _unless_a_password(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("[password]") else "[mailbox]"


# --- how a line looks -------------------------------------------------------------------------


class Line(logging.Formatter):
    """One line for people, with the request's id or the kind of work when there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(where)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        where = request_id.get() or work.get()
        record.where = f" [{where}]" if where else ""
        return without_people(super().format(record))


class Json(logging.Formatter):
    """One JSON object a line: at, level, logger, message, and request, work, error and the fields of `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_people(record.getMessage()),
        }
        said |= {"request": request_id.get()} if request_id.get() else {}
        said |= {"work": work.get()} if work.get() else {}
        said |= getattr(record, "fields", {})
        if record.exc_info:
            said["error"] = without_people(self.formatException(record.exc_info))
        return json.dumps(said, ensure_ascii=False)


class WithoutTrace(logging.Filter):
    """What was said, and not where in the program: strangers could fill the log with that."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def configuration(*, level: str, form: str) -> dict[str, Any]:
    """For logging.config.dictConfig, the same for Django, the worker and gunicorn."""
    quiet = {"level": level, "handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line}, "json": {"()": Json}},
        "filters": {"without_trace": {"()": WithoutTrace}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["stderr"], "level": level},
        # What was not found, or is withheld, is an answer and no event; LOG_REQUESTS tells all of them.
        # What is wrong with a stranger's headers is for nobody to mend, and its words are the stranger's.
        "loggers": {
            "gunicorn.error": quiet,
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"filters": ["without_trace"]},
            "urllib3": {"level": "ERROR"},
        },
    }


# --- requests ---------------------------------------------------------------------------------

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class RequestIds:
    """A WSGI application around ours: each request has an id, the proxy's when it gave a well-formed one, and
    the answer names it. With LOG_REQUESTS each is logged: method, path, status and milliseconds, no address.
    """

    def __init__(self, application: Application, *, log: bool, at_once: bool = False) -> None:
        self.application = application
        self.log = log
        self.at_once = at_once

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get(IN_ENVIRON, "")
        name = given if WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
        environ[IN_ENVIRON] = name
        request_id.set(name)
        began = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if self.log:
                _log(environ, status, began)
            return start_response(status, [*headers, (REQUEST_ID, name)], *more)

        return self.application(environ, start)


def _log(environ: Environ, status: str, began: float) -> None:
    path = without_people(environ.get("PATH_INFO", ""))
    fields = {
        "method": environ["REQUEST_METHOD"],
        "path": path,
        "status": int(status[:3]),
        "milliseconds": round((time.perf_counter() - began) * 1000, 1),
    }
    # %r: a path is a stranger's text and may not begin a line of its own.
    requests.info("%(method)s %(path)r %(status)d %(milliseconds).1f ms", fields, extra={"fields": fields})

"""Reading values of the environment: an empty one is unset, a wrong one becomes a system check's error.

Settings must be importable before anything can complain properly, so a wrong value is remembered in
PROBLEMS, its default stands in, and `newsroom.checks` stops the start with what to set.
"""

from __future__ import annotations

import ipaddress
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from newsroom.envelope import read_keys

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
ENGINES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")
_env = environ.Env()


# Name of a variable whose value cannot be used, and what it should read like. Never the value: it may be a secret.
PROBLEMS: dict[str, str] = {}


def read(name: str, parse: Callable[[str], T], *, default: T, hint: str) -> T:
    """The variable's value as `parse` reads it; `default` when it is unset, empty or wrong."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except (ValueError, KeyError, ImproperlyConfigured):
        PROBLEMS[name] = hint
        return default


def text(name: str, *, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    return read(name, lambda value: words[value.lower()], default=False, hint=f"Set {name} to true or false.")


def number(name: str, *, default: int, most: int) -> int:
    def parse(value: str) -> int:
        if not 0 <= int(value) <= most:
            raise ValueError
        return int(value)

    return read(name, parse, default=default, hint=f"Set {name} to a whole number from 0 to {most}.")


def choice(name: str, *, default: str, among: tuple[str, ...]) -> str:
    words = {word.lower(): word for word in among}
    hint = f"Set {name} to one of {', '.join(among)}."
    return read(name, lambda value: words[value.lower()], default=default, hint=hint)


def address(name: str, *, schemes: tuple[str, ...], example: str) -> str:
    """A URL of one of these schemes with a host; "" when unset."""

    def parse(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname or (parts.port or 1) > 65535:
            raise ValueError
        return value

    return read(name, parse, default="", hint=f"Set {name} like {example}.")


def named(name: str, parse: Callable[[str], Any], *, example: str) -> Any:
    """What `parse` makes of the value; None when it is unset."""
    return read(name, parse, default=None, hint=f"Set {name} like {example}.")


def zone(name: str, *, default: str) -> str:
    hint = f"Set {name} to a name such as UTC or Europe/Berlin."
    return read(name, lambda value: ZoneInfo(value).key, default=default, hint=hint)


def mailbox_name(name: str, *, default: str) -> str:
    """An e-mail address."""

    def parse(value: str) -> str:
        try:
            validate_email(value)
        except ValidationError as error:
            raise ValueError from error
        return value

    return read(
        name, parse, default=default, hint=f"Set {name} to an e-mail address such as removal@news.example."
    )


def items(name: str, *, default: list[str]) -> list[str]:
    return [part.strip() for part in text(name).split(",") if part.strip()] or default


def networks(name: str) -> list[Network]:
    hint = f"Set {name} to networks with commas between, such as 10.0.0.0/8,fd00::/8."
    return read(
        name,
        lambda value: [ipaddress.ip_network(part.strip()) for part in value.split(",")],
        default=[],
        hint=hint,
    )


def database(name: str, *, default: str) -> dict[str, Any]:
    hint = f"Set {name} to postgres://user:password@host:5432/name or sqlite:////path/to/file."
    return read(name, _database, default=_database(default), hint=hint)


def databases(name: str) -> list[dict[str, Any]]:
    """PostgreSQL servers, with commas between; none when unset."""

    def parse(value: str) -> list[dict[str, Any]]:
        found = [_database(part.strip()) for part in value.split(",") if part.strip()]
        if any(one["ENGINE"] != ENGINES[1] for one in found):
            raise ValueError("only PostgreSQL has replicas we can ask")
        return found

    return read(
        name,
        parse,
        default=[],
        hint=f"Set {name} to postgres://user:password@host:5432/name, with commas between.",
    )


def _database(url: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config: dict[str, Any] = _env.db_url_config(url)
    if config.get("ENGINE") not in ENGINES or not config.get("NAME"):
        raise ValueError("not a database we run on")
    return config


def bucket(name: str) -> dict[str, str] | None:
    """What django-storages needs of s3+https://key:secret@host/bucket/folder; None when unset."""
    hint = f"Set {name} to s3+https://key:secret@host/bucket; write / in the key or secret as %2F."
    return read(name, _bucket, default=None, hint=hint)


def _bucket(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    name, _, folder = parts.path.strip("/").partition("/")
    if parts.scheme not in ("s3+https", "s3+http") or not (parts.hostname and name and parts.username):
        raise ValueError("not object storage")
    netloc = parts.netloc.rpartition("@")[2]
    return {
        "bucket_name": name,
        "location": folder,
        "endpoint_url": f"{parts.scheme.removeprefix('s3+')}://{netloc}",
        "access_key": unquote(parts.username),
        "secret_key": unquote(parts.password or ""),
    }


def folder(name: str, *, default: Path) -> Path:
    """A folder that can be written to, made when it is not there. Without one nothing can start, not even to check."""
    path = Path(text(name) or default).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        usable = os.access(path, os.W_OK | os.X_OK)
    except OSError:
        usable = False
    if not usable:
        raise SystemExit(f"Nothing can be kept in {path}. Set {name} to a folder you may write to.")
    return path


def backup_place(name: str) -> dict[str, str] | Path | None:
    """A folder, as a path or file:///path, or object storage; None when unset."""

    def parse(value: str) -> dict[str, str] | Path:
        if value.startswith("s3+"):
            return _bucket(value)
        path = Path(value.removeprefix("file://"))
        if not path.is_absolute():
            raise ValueError("not a place we can write to")
        return path

    hint = f"Set {name} to file:///folder or s3+https://key:secret@host/bucket/folder."
    return read(name, parse, default=None, hint=hint)


def keys(name: str) -> list[str]:
    """age keys with commas between. A passphrase is refused: what people think up is weak."""
    hint = f"Set {name} to what manage.py make_backup_key prints; words somebody thought up are no key."
    return read(name, read_keys, default=[], hint=hint)


def mail(name: str, *, default: str) -> dict[str, Any]:
    hint = f"Set {name} to smtp://host:25, smtp+tls://user:password@host:587, consolemail:// or filemail:///folder."
    return read(name, _mail, default=_mail(default), hint=hint)


def _mail(url: str) -> dict[str, Any]:
    config: dict[str, Any] = _env.email_url_config(url)
    return config

"""System checks: a wrong setting stops the start and says what to set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from articles.fields import HTMLField
from articles.models import Article
from newsroom.environment import PROBLEMS
from newsroom.reporting import lacking


@register()
def environment(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Values that would start but not work."""
    return [
        *_unreadable(),
        *_site_url(),
        *_secret_key(),
        *_hours(),
        *_engine(),
        *_replicas(),
        *_editor(),
        *_backup(),
        *_reporting(),
        *_single_sign_on(),
    ]


def _unreadable() -> Iterator[CheckMessage]:
    for name, hint in PROBLEMS.items():
        yield Error(f"{name} cannot be read.", hint=hint, id="newsroom.E008")


def _site_url() -> Iterator[CheckMessage]:
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        yield Error(
            f"SITE_URL is {settings.SITE_URL!r}.",
            hint="Set SITE_URL to scheme and host alone, such as https://news.example.",
            id="newsroom.E001",
        )
    elif parts.hostname not in settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        yield Error(
            f"SITE_URL's host {parts.hostname!r} is not in ALLOWED_HOSTS.",
            hint="Add it to ALLOWED_HOSTS, or leave ALLOWED_HOSTS unset.",
            id="newsroom.E002",
        )


def _single_sign_on() -> Iterator[CheckMessage]:
    """What a provider says is believed because of the connection it came by (OpenID Connect Core 3.1.3.7)."""
    parts = urlsplit(settings.OIDC_SERVER_URL)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        yield Error(
            "OIDC_SERVER_URL is read without encryption.",
            hint="Set OIDC_SERVER_URL to an https address: whoever is on the way could sign in as anybody.",
            id="newsroom.E013",
        )


def _secret_key() -> Iterator[CheckMessage]:
    key = settings.SECRET_KEY
    if len(key) < 50 or len(set(key)) < 8:
        yield Error(
            "SECRET_KEY is weak.",
            hint="Set SECRET_KEY to at least 50 random characters, or leave it unset to have one made in VAR_DIR.",
            id="newsroom.E003",
        )


def _hours() -> Iterator[CheckMessage]:
    if not 0 < settings.HOLD_AFTER_HOURS <= settings.PROMISE_HOURS <= 24:
        yield Error(
            "A removal would take effect later than promised.",
            hint="HOLD_AFTER_HOURS may not exceed PROMISE_HOURS, nor PROMISE_HOURS 24.",
            id="newsroom.E004",
        )


def _engine() -> Iterator[CheckMessage]:
    if settings.WORK_ENGINE == "celery" and not settings.REDIS_URL:
        yield Error(
            "WORK_ENGINE is celery but REDIS_URL is not set.",
            hint="Set REDIS_URL, such as redis://127.0.0.1:6379/0.",
            id="newsroom.E006",
        )


def _replicas() -> Iterator[CheckMessage]:
    if settings.REPLICAS and "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
        yield Error(
            "REPLICA_URLS is set, but DATABASE_URL is no PostgreSQL server.",
            hint="Set DATABASE_URL to the primary of these replicas, or leave REPLICA_URLS unset.",
            id="newsroom.E012",
        )


def _editor() -> Iterator[CheckMessage]:
    config = settings.CKEDITOR_CONFIGS["default"]
    removed = set(config.get("removePlugins", "").split(","))
    hardened = {"image", "iframe", "sourcearea", "wysiwygarea", "filebrowser"} <= removed
    if not hardened or not isinstance(Article._meta.get_field("body"), HTMLField):
        yield Error(
            "The body editor is not hardened.",
            hint="Keep articles.editor.configuration() in CKEDITOR_CONFIGS and HTMLField on Article.body.",
            id="newsroom.E007",
        )


def _backup() -> Iterator[CheckMessage]:
    if isinstance(settings.BACKUP_PLACE, dict) and not settings.BACKUP_KEYS:
        yield Error(
            "Backups would leave this machine in the clear.",
            hint="BACKUP_URL names object storage: set BACKUP_KEY to what manage.py make_backup_key prints.",
            id="newsroom.E009",
        )


def _reporting() -> Iterator[CheckMessage]:
    for name in lacking():
        yield Error(
            f"{name} is set, but its library is not installed.",
            hint=f"Run script/venv requirements-scale.txt, or leave {name} unset.",
            id="newsroom.E010",
        )

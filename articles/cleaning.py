"""Stored bodies under today's rules: when the sanitiser or its library changes, what is stored is cleaned again."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from importlib.metadata import version

from django.db import transaction

from articles import sanitise
from articles.actions import refresh_ids
from articles.fields import clean_html
from articles.models import Article, Heartbeat

# The row that says under which rules the stored bodies were cleaned, and after which article to go on.
STATE = "rules of bodies"


def is_waiting(at: datetime) -> bool:
    """True until every stored body was cleaned under the rules of this program."""
    told = Heartbeat.objects.filter(name=STATE).values_list("detail", flat=True).first()
    return told is None or told != {"rules": _rules(), "after": None}


@transaction.atomic
def clean_due(limit: int, at: datetime) -> int:
    """Clean the next `limit` bodies again; returns how many were looked at. A seal's content is not opened for it."""
    Heartbeat.objects.get_or_create(name=STATE, defaults={"at": at})
    state = Heartbeat.objects.select_for_update().get(name=STATE)
    after = (state.detail.get("after") or 0) if state.detail.get("rules") == _rules() else 0
    rows = list(
        Article.objects.filter(pk__gt=after).exclude(body="").order_by("pk").values_list("pk", "body")[:limit]
    )
    refresh_ids([pk for pk, body in rows if _cleaned(pk, body)])
    state.detail = {"rules": _rules(), "after": rows[-1][0] if len(rows) == limit else None}
    state.at = at
    state.save()
    return len(rows)


def _cleaned(pk: int, body: str) -> bool:
    """True when the rules of today take something away; a body that was edited meanwhile is clean already."""
    clean = clean_html(str(body))
    return clean != body and bool(Article.objects.filter(pk=pk, body=body).update(body=clean))


def _rules() -> str:
    return f"{sanitise.SANITISER_VERSION}, nh3 {_library()}"


@lru_cache(maxsize=1)
def _library() -> str:
    return version("nh3")

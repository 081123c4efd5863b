"""What pages need of new articles, worked out before anybody asks: what is near, and what is shown of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import translation

from articles import interface, surfaces, teasers, whole
from articles.around import suggest_due
from articles.models import Prepared


def prepare_due(limit: int, at: datetime) -> int:
    """Prepare `limit` articles that were published or changed lately; returns how many were looked at."""
    due = Prepared.objects.filter(due_at__lte=at).order_by("due_at").values_list("pk", flat=True)
    keys = list(due[:limit])
    done = suggest_due(limit, at)
    set_pages(keys)
    return done


def set_pages(keys: Sequence[int]) -> None:
    """Keep what lists and their own pages show of these articles, unless they are changed meanwhile."""
    shown = surfaces.Shown(began=surfaces.begin())
    with translation.override(interface.DEFAULT.code):
        shown.fragments = [*teasers.make(keys), *whole.make(keys)]
    if shown.fragments:
        surfaces.keep(shown)

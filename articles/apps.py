"""App configuration."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ArticlesConfig(AppConfig):
    name = "articles"
    verbose_name = "Articles"

    def ready(self) -> None:
        post_migrate.connect(_ensure_serial, sender=self)


def _ensure_serial(using: str, **kwargs: Any) -> None:
    # The one row that ready pages compare with; `flush` would take it away.
    from articles.models import SurfaceSerial

    SurfaceSerial.objects.using(using).get_or_create(pk=1)

"""App configuration."""

from __future__ import annotations

from django.apps import AppConfig


class ReadersConfig(AppConfig):
    name = "readers"
    verbose_name = "Readers"

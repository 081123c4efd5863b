"""Model fields that keep a promise whatever writes them."""

from __future__ import annotations

from typing import Any

from django.db import models

from articles.sanitise import CleanHTML, sanitise

__all__ = ["CleanHTML", "HTMLField", "clean_html"]


def clean_html(html: str, *, base_url: str = "") -> CleanHTML:
    """Foreign or edited HTML made ours."""
    return CleanHTML(sanitise(html, base_url=base_url))


class HTMLField(models.TextField):
    """Text that is sanitised on its way into the database: by save, bulk_create, update and loaddata alike."""

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, CleanHTML) or not isinstance(value, str):
            return super().get_prep_value(value)
        return clean_html(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value is None else CleanHTML(value)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

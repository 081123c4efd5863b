"""Pages of the admin on which rows are read and never written."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.paging import BigTableAdmin

PAGE = 50


class ReadOnlyAdmin(BigTableAdmin):
    """Rows that people read here and only actions write."""

    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # No bulk deletion either: Django offers it only to those who may delete.
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

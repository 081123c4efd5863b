"""The audit log: what is recorded, how auditors read and take it with them, and when it is forgotten.

The recording is django-auditlog's (docs/decisions/audit.md). It takes rows that say nothing of a work: sources and
their terms, tags, feeds, accounts, rights. Of articles it has the moves, never the words.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from auditlog.context import set_extra_data
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from accounts.models import User
from accounts.paging import BigTableAdmin, BoundedChangeList
from aggregator.models import Feed, RefusedTag
from articles.models import Source, Tag, TagSynonym
from moderation.limits import sender_of

KEPT = timedelta(days=settings.AUDIT_KEPT_DAYS)
COLUMNS = ("at", "who", "from", "what", "row", "named", "done", "changes")
FEED_SETTINGS = ["url", "title", "source", "review", "tags", "paused_at", "pause_reason"]


def register() -> None:
    """Tell the library which rows it watches."""
    for model in (Source, Tag, TagSynonym, RefusedTag):
        auditlog.register(model)
    auditlog.register(Feed, include_fields=FEED_SETTINGS)
    auditlog.register(
        User, exclude_fields=["password", "last_login"], m2m_fields={"groups", "user_permissions"}
    )
    auditlog.register(Group, m2m_fields={"permissions"})


def trail(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what is changed during a request at the desk is by this person, from there."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/admin/"):
            return get_response(request)
        by = request.user if request.user.is_authenticated else None
        known = {"actor": by, "remote_addr": sender_of(request.META).partition("/")[0] or None}
        with set_extra_data(context_data=known):
            return get_response(request)

    return answer


def prune(limit: int, at: datetime) -> int:
    """Forget at most `limit` of what is older than AUDIT_KEPT_DAYS; returns how many."""
    old = list(
        LogEntry.objects.filter(timestamp__lt=at - KEPT).order_by("pk").values_list("pk", flat=True)[:limit]
    )
    LogEntry.objects.filter(pk__in=old).delete()
    return len(old)


class KindFilter(admin.SimpleListFilter):
    """What is watched: known without asking the log."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = ContentType.objects.get_for_models(*auditlog.get_models()).items()
        return sorted(
            ((str(kind.pk), str(model._meta.verbose_name)) for model, kind in kinds), key=lambda row: row[1]
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        return queryset.filter(content_type=value) if value.isdecimal() and len(value) < 10 else queryset


class SinceFilter(admin.SimpleListFilter):
    title = "when"
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Past day"), ("7", "Past week"), ("31", "Past month"), ("366", "Past year")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.value() or ""
        if not days.isdecimal() or len(days) > 4:
            return queryset
        # By the key, in whose order the list is: lines are written one after the other.
        since = LogEntry.objects.filter(timestamp__gte=timezone.now() - timedelta(days=int(days)))
        return queryset.filter(pk__gte=Subquery(since.order_by("timestamp", "pk").values("pk")[:1]))


class AuditAdmin(BigTableAdmin):
    """Read by who may, changed by nobody."""

    list_display = ["timestamp", "who", "remote_addr", "what", "named", "action", "told"]
    list_display_links = None
    list_filter = [SinceFilter, "action", KindFilter]
    list_select_related = ["actor", "content_type"]
    search_fields = ["actor__username", "=remote_addr", "=object_pk", "object_repr"]
    search_help_text = "A login, an address, a row's number or name."
    ordering = ["-pk"]
    looked_through = 5_000
    sortable_by = ()
    change_list_template = "admin/auditlog/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export)
        return [path("export/<str:form>/", export, name="auditlog_logentry_export"), *super().get_urls()]

    @admin.display(description="who")
    def who(self, entry: LogEntry) -> str:
        return str(entry.actor or entry.actor_email or "the system")

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        return f"{entry.content_type.name} {entry.object_pk}"

    @admin.display(description="name")
    def named(self, entry: LogEntry) -> str:
        return str(entry.object_repr)

    @admin.display(description="before → after")
    def told(self, entry: LogEntry) -> str:
        return "; ".join(_line(name, change) for name, change in (entry.changes or {}).items())

    def export(self, request: HttpRequest, form: str) -> StreamingHttpResponse | HttpResponse:
        """What the list shows with its filters and search, all of it, as CSV or one JSON object a line."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = cast(BoundedChangeList, self.get_changelist_instance(request))
        rows = asked.everything(request).order_by("pk")
        as_csv = form == "csv"
        lines = _csv(rows) if as_csv else _jsonl(rows)
        kind = "text/csv" if as_csv else "application/x-ndjson"
        name = f"audit-{timezone.now():%Y%m%d}.{'csv' if as_csv else 'jsonl'}"
        return StreamingHttpResponse(
            lines,
            content_type=f"{kind}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def _line(name: str, change: Any) -> str:
    if isinstance(change, dict):  # many-to-many: what was added or taken away
        return f"{name} {change.get('operation', '')}: {', '.join(change.get('objects', []))}"
    return f"{name}: {change[0]} → {change[1]}"


def _fields(entry: LogEntry) -> list[Any]:
    who = entry.actor.get_username() if entry.actor else entry.actor_email or ""
    return [entry.timestamp.isoformat(), who, entry.remote_addr or "", entry.content_type.name, entry.object_pk,
            entry.object_repr, entry.get_action_display()]  # fmt: skip


def _jsonl(rows: QuerySet[LogEntry]) -> Iterator[str]:
    for entry in rows.iterator(chunk_size=500):
        yield (
            json.dumps(dict(zip(COLUMNS, [*_fields(entry), entry.changes], strict=True)), ensure_ascii=False)
            + "\n"
        )


class _Echo:
    def write(self, line: str) -> str:
        return line


def _csv(rows: QuerySet[LogEntry]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for entry in rows.iterator(chunk_size=500):
        cells = [*_fields(entry), json.dumps(entry.changes, ensure_ascii=False)]
        # A cell that begins like a formula would be run as one by a spreadsheet.
        yield writer.writerow(["'" + c if str(c)[:1] in tuple("=+-@\t\r") else c for c in cells])

"""Programs that are told what the desk does, in the admin: registered, tried, ended."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join

from accounts.models import User
from articles import hooks
from articles.models import Hook, HookEvent
from articles.webhooks import NotUsable, refuse_unusable, secret_of

SHOWN = 20


class HookForm(forms.ModelForm):
    """Which program, where it listens, and to what."""

    events = forms.MultipleChoiceField(
        choices=[choice for choice in HookEvent.choices if choice[0] != HookEvent.PING],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Hook
        fields = ("name", "url", "events")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            refuse_unusable(url)
        except NotUsable as error:
            raise forms.ValidationError(str(error)) from error
        return url


@admin.register(Hook)
class HookAdmin(admin.ModelAdmin):
    """Never deleted: what was told to whom can be looked up for a month."""

    form = HookForm
    list_display = ["name", "url", "events_", "created_by", "created_at", "ended_at"]
    list_select_related = ["created_by"]
    show_full_result_count = False
    list_per_page = 50
    actions = ["ping", "end"]
    readonly_fields = ["secret", "told", "made_by", "created_at", "ended_at"]

    def get_fields(self, request: HttpRequest, obj: Hook | None = None) -> tuple[str, ...]:
        return ("name", "url", "events", *(self.get_readonly_fields(request, obj) if obj else ()))

    def has_change_permission(self, request: HttpRequest, obj: Hook | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.ended_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Hook | None = None) -> bool:
        return False

    @admin.display(description="made by")
    def made_by(self, hook: Hook) -> str:
        return str(hook.created_by or "")

    @admin.display(description="events")
    def events_(self, hook: Hook) -> str:
        return ", ".join(event.removeprefix("article.") for event in hook.events)

    @admin.display(description="secret")
    def secret(self, hook: Hook) -> str:
        """For those who may set it up; who only looks does not need it."""
        return format_html("<code>{}</code>", secret_of(hook))

    def get_readonly_fields(self, request: HttpRequest, obj: Hook | None = None) -> list[str]:
        may = self.has_change_permission(request, obj)
        return [name for name in self.readonly_fields if may or name != "secret"]

    @admin.display(description="told lately")
    def told(self, hook: Hook) -> str:
        lines = (
            (
                row.get_event_display(),
                date_format(timezone.localtime(row.created_at), "DATETIME_FORMAT"),
                _came_of(row),
            )
            for row in hook.deliveries.all()[:SHOWN]
        )
        return format_html_join("", "<p>{}, {}: {}</p>", lines) or "Nothing yet."

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        given, by = form.cleaned_data, cast(User, request.user)
        made = hooks.register(
            **{name: given[name] for name in ("name", "url", "events")}, by=by, at=timezone.now()
        )
        obj.__dict__ |= made.__dict__

    @admin.action(description="Send a try", permissions=["change"])
    def ping(self, request: HttpRequest, queryset: QuerySet[Hook]) -> None:
        for hook in queryset.filter(ended_at=None):
            hooks.ping(hook=hook, at=timezone.now())
        messages.success(request, "On its way. What came of it stands on the webhook's page in a moment.")

    @admin.action(description="End", permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[Hook]) -> None:
        for hook in queryset.filter(ended_at=None):
            hooks.end(hook=hook, at=timezone.now())
            self.log_change(request, hook, "Ended.")
        messages.success(request, "Ended. It is told nothing more.")


def _came_of(row: Any) -> str:
    if row.delivered_at:
        return f"taken, answered {row.status}"
    return f"not taken yet. {row.last_error}" if row.due_at else f"not sent. {row.last_error}"

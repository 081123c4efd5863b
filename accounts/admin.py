"""Accounts in the admin, as Django does it, and the history of everything done there."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from accounts.models import User

# The library's own lists would show its secrets; people see their own factors and sessions on their own pages.
for _model in (EmailAddress, Authenticator, UserSession):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(User)
class DeskUserAdmin(UserAdmin):
    """Django's own, and a way back in for who has lost the second factor."""

    list_display = ("username", "email", "first_name", "last_name", "is_staff", "second_factor")
    actions = ("forget_factors", "end_sessions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type="recovery_codes")
        people: QuerySet[User] = super().get_queryset(request).annotate(has_factor=Exists(factors))
        return people

    @admin.display(boolean=True, description="second factor")
    def second_factor(self, user: Any) -> bool:
        return bool(user.has_factor)

    @admin.action(description="Remove second factors (device lost)", permissions=["change"])
    def forget_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Their next sign-in takes the password alone, and where it is required a new factor."""
        for user in queryset:
            Authenticator.objects.filter(user=user).delete()
            _end_sessions(user)
            self.log_change(request, user, "Second factors removed, sessions ended.")
        messages.success(request, "Removed. Their sessions have ended.")

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Whatever browser they are signed in with, they sign in anew."""
        for user in queryset:
            _end_sessions(user)
            self.log_change(request, user, "Sessions ended.")
        messages.success(request, "Their sessions have ended.")


def _end_sessions(user: User) -> None:
    for session in UserSession.objects.filter(user=user):
        session.end()


@admin.register(LogEntry)
class HistoryAdmin(admin.ModelAdmin):
    """Who did what, and when. Nobody changes it; names of fields stand in it, never what they held."""

    list_display = ["action_time", "user", "content_type", "object_repr", "action_flag", "get_change_message"]
    list_filter = ["action_flag"]
    list_select_related = ["user", "content_type"]
    search_fields = ["user__username", "object_repr"]
    show_full_result_count = False
    list_per_page = 50
    ordering = ["-pk"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

"""Accounts in the admin, as Django does it, and the history of everything done there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts import access
from accounts.models import AccessToken, User
from accounts.paging import BigTableAdmin

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

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who only looks has no password to reset."""
        sets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return sets
        return [
            (name, {**said, "fields": [f for f in said["fields"] if f != "password"]}) for name, said in sets
        ]

    @admin.display(boolean=True, description="second factor")
    def second_factor(self, user: Any) -> bool:
        return bool(user.has_factor)

    @admin.action(description="Remove second factors (device lost)", permissions=["change"])
    def forget_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Their next sign-in takes the password alone, and where it is required a new factor."""
        for user in queryset:
            Authenticator.objects.filter(user=user).delete()
            _let_out(user)
            self.log_change(request, user, "Second factors removed, sessions ended, tokens revoked.")
        messages.success(request, "Removed. Their sessions have ended, their programs' tokens are revoked.")

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Whatever browser they are signed in with, they sign in anew; their programs need new tokens."""
        for user in queryset:
            _let_out(user)
            self.log_change(request, user, "Sessions ended, tokens revoked.")
        messages.success(request, "Their sessions have ended, their programs' tokens are revoked.")


def _let_out(user: User) -> None:
    """A thief of the account may have signed in, and may have made a token to come back with."""
    for session in UserSession.objects.filter(user=user):
        session.end()
    for token in AccessToken.objects.filter(user=user, revoked_at=None):
        access.revoke(token=token, at=timezone.now())


@admin.register(LogEntry)
class HistoryAdmin(BigTableAdmin):
    """Who did what, and when. Nobody changes it; names of fields stand in it, never what they held."""

    list_display = ["action_time", "user", "content_type", "object_repr", "action_flag", "get_change_message"]
    list_filter = ["action_flag"]
    list_select_related = ["user", "content_type"]
    search_fields = ["user__username", "object_repr"]
    looked_through = 5_000
    sortable_by = ()
    ordering = ["-pk"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TokenForm(forms.ModelForm):
    """Which program, what it may do, for how long."""

    scopes = forms.MultipleChoiceField(
        choices=AccessToken.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Whatever is ticked, it can never do more than you can.",
    )
    days = forms.TypedChoiceField(
        choices=[(30, "30 days"), (90, "90 days"), (365, "a year")], coerce=int, initial=90, label="Opens for"
    )

    class Meta:
        model = AccessToken
        fields = ("name", "scopes")


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):
    """One's own tokens: made, shown once, revoked. Who may view all sees who has which, never a token."""

    list_display = ("name", "user", "begins", "may", "created_at", "expires_at", "used_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username", "begins")
    show_full_result_count = False
    list_per_page = 50
    actions = ("revoke",)
    readonly_fields = ("owner", "begins", "created_at", "expires_at", "used_at", "revoked_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessToken]:
        tokens: QuerySet[AccessToken] = super().get_queryset(request)
        return tokens if super().has_view_permission(request) else tokens.filter(user=request.user.pk)

    def has_view_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        own = obj is None or obj.user_id == request.user.pk
        return super().has_view_permission(request, obj) or (own and self.has_add_permission(request))

    def has_change_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        """A revoked one stays in the list: who had it, and until when."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) or request.user.has_perm("accounts.delete_accesstoken")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs | ({} if change else {"form": TokenForm}))

    def get_fields(self, request: HttpRequest, obj: AccessToken | None = None) -> tuple[str, ...]:
        return ("name", "scopes", *self.readonly_fields) if obj else ("name", "scopes", "days")

    @admin.display(description="user")
    def owner(self, token: AccessToken) -> str:
        """The name alone: Django would lead to an account that few may open."""
        return str(token.user)

    @admin.display(description="may")
    def may(self, token: AccessToken) -> str:
        return ", ".join(token.scopes)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The row that `access` makes takes the place of the form's; the token itself goes to the answer alone."""
        at, given = timezone.now(), form.cleaned_data
        row, token = access.issue(
            user=cast(User, request.user), name=given["name"], scopes=given["scopes"],
            expires_at=at + timedelta(days=given["days"]), at=at,
        )  # fmt: skip
        obj.__dict__ |= row.__dict__
        obj.token = token

    @method_decorator(never_cache)
    def add_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().add_view(*args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """The one page that ever shows the token."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Your token",
            "opts": self.opts,
            "token": obj,
        }
        return TemplateResponse(request, "admin/accounts/accesstoken/made.html", context)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        """One's own, or anybody's with the right to; what is revoked stays so."""
        anybodys = request.user.has_perm("accounts.delete_accesstoken")
        rows = queryset if anybodys else queryset.filter(user=request.user.pk)
        for token in rows.filter(revoked_at=None):
            access.revoke(token=token, at=timezone.now())
            self.log_change(request, token, "Revoked.")
        messages.success(request, "Revoked. Programs that have them are refused from now on.")

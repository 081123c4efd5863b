"""What the desk keeps beside the claims, and what verified owners keep with us, in the admin."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from moderation import owners
from moderation.desk_models import CannedReason, Measure
from moderation.letters import LANGUAGES
from moderation.models import DomainProof, ReasonCode
from moderation.owner_models import ApiKey, StandingOptOut, Webhook
from moderation.reading import ReadOnlyAdmin


class CannedReasonForm(forms.ModelForm):
    """Ready words; the language and the reason are chosen, not typed."""

    language = forms.ChoiceField(choices=list(LANGUAGES.items()))
    reason_code = forms.ChoiceField(
        choices=[("", "Any reason"), *ReasonCode.choices], required=False, label="reason"
    )

    class Meta:
        model = CannedReason
        fields = ["language", "reason_code", "title", "text", "active"]


@admin.register(CannedReason)
class CannedReasonAdmin(admin.ModelAdmin):
    form = CannedReasonForm
    list_display = ["title", "language", "reason_code", "active"]
    list_filter = ["language", "active"]
    search_fields = ["title", "text"]
    show_facets = admin.ShowFacets.NEVER


@admin.register(Measure)
class MeasureAdmin(ReadOnlyAdmin):
    """Warnings and suspensions. Lifted on the page of a claim, with its reason."""

    list_display = ["at", "kind", "mailbox", "unfounded", "decided", "until", "lifted_at", "lifted_by"]
    list_filter = ["kind"]
    list_select_related = ["lifted_by"]
    search_fields = ["=mailbox"]
    exclude = ["lifted_by"]
    readonly_fields = ["lifted"]

    @admin.display(description="lifted by")
    def lifted(self, measure: Measure) -> str:
        return str(measure.lifted_by or "")


@admin.register(DomainProof)
class DomainProofAdmin(ReadOnlyAdmin):
    """Verified owners: which mailbox proved which domain, how and when. The proof's token is not shown."""

    list_display = ["domain", "email", "method", "asked_at", "proved_at", "notice"]
    list_filter = [("proved_at", admin.EmptyFieldListFilter), "method"]
    list_select_related = ["notice"]
    search_fields = ["=domain", "=email"]
    search_help_text = "A domain or a mailbox, whole."
    exclude = ["token"]


@admin.register(StandingOptOut)
class StandingOptOutAdmin(ReadOnlyAdmin):
    """Standing opt-outs: what owners want to have left out, and how many articles that withheld."""

    list_display = ["rule", "since", "lifted", "withheld", "notice"]
    list_select_related = ["rule__contributor", "notice"]
    search_fields = ["=rule__domain"]
    search_help_text = "A domain, whole."
    exclude = ["lease_token", "lease_until", "attempts", "cursor"]
    ordering = ["-pk"]

    @admin.display(description="since")
    def since(self, standing: StandingOptOut) -> Any:
        return standing.rule.since

    @admin.display(description="lifted")
    def lifted(self, standing: StandingOptOut) -> Any:
        return standing.rule.lifted_at


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys of owners' programs. The key itself is nowhere; a moderator can end one."""

    list_display = ["begins", "domain", "email", "created_at", "used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["=domain", "=email"]
    search_help_text = "A domain or a mailbox, whole."
    exclude = ["key_hash"]
    actions = ["revoke"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("moderation.decide_claim")

    @admin.action(description="Revoke the selected keys", permissions=["decide"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        at = timezone.now()
        done = [
            owners.end_key(key_id=pk, by=cast(User, request.user), at=at)
            for pk in queryset.filter(revoked_at__isnull=True).values_list("pk", flat=True)[:100]
        ]
        self.message_user(request, f"{len(done)} revoked.", messages.SUCCESS)


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Where owners' servers hear of outcomes."""

    list_display = ["domain", "url", "created_at", "ended_at"]
    search_fields = ["=domain"]
    exclude = ["nonce", "swept_to"]

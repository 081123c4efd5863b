"""What the desk keeps beside the claims: measures against misuse, ready words, views of the queue."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class MeasureKind(models.TextChoices):
    WARNED = "warned", "Warned"
    SUSPENDED = "suspended", "Suspended"


class Measure(models.Model):
    """A warning or a suspension of a mailbox that often sent manifestly unfounded notices (DSA art. 23)."""

    mailbox = models.EmailField(max_length=254, help_text="In small letters.")
    kind = models.CharField(max_length=10, choices=MeasureKind)
    notice = models.ForeignKey(
        "moderation.Notice", on_delete=models.PROTECT, related_name="+", help_text="The one that led to it."
    )
    at = models.DateTimeField()
    until = models.DateTimeField()
    unfounded = models.PositiveIntegerField(help_text="Claims refused as manifestly unfounded within a year.")
    decided = models.PositiveIntegerField(help_text="Claims decided within a year.")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_reason = models.TextField(max_length=2000, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=MeasureKind.values), name="measure_kind_known"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lifted_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lifted_reason="")),
                name="measure_lifted_by_a_person_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["mailbox", "-at"], name="measure_of_mailbox")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.at:%d %B %Y}"


class Complaint(models.Model):
    """A complaint against a decision (DSA art. 20), decided by a person who did not decide before.

    The claimant's, or with `answer` that of somebody whom the removal touches.
    """

    claim = models.ForeignKey("moderation.Claim", on_delete=models.PROTECT, related_name="complaints")
    answer = models.OneToOneField(
        "moderation.CounterNotice", null=True, blank=True, on_delete=models.PROTECT, related_name="complaint"
    )
    received_at = models.DateTimeField()
    text = models.TextField(max_length=20_000, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    granted = models.BooleanField(null=True, blank=True)
    reasons = models.TextField(max_length=5000, blank=True)

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["claim"],
                condition=Q(decided_at__isnull=True, answer__isnull=True),
                name="complaint_open_once",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, granted__isnull=True)
                | Q(decided_at__isnull=False, granted__isnull=False),
                name="complaint_decided_one_way",
            ),
            models.CheckConstraint(
                condition=~Q(granted=False) | (Q(decided_by__isnull=False) & ~Q(reasons="")),
                name="complaint_dismissed_by_a_person_with_reasons",
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(decided_at__isnull=True), name="complaint_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"Complaint of {self.received_at:%d %B %Y}"


class CannedReason(models.Model):
    """Ready words for a decision, in one language. A moderator changes them before sending as the case needs."""

    reason_code = models.CharField(
        max_length=20, blank=True, help_text="Offered with this reason; empty: with any."
    )
    language = models.CharField(max_length=5)
    title = models.CharField(max_length=120, help_text="By what moderators find it.")
    text = models.TextField(max_length=3000, help_text="What the claimant reads.")
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["language", "reason_code", "title"]
        constraints = [
            models.UniqueConstraint(fields=["language", "title"], name="canned_reason_once"),
            models.CheckConstraint(condition=~Q(text=""), name="canned_reason_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"


class SavedFilter(models.Model):
    """A view of the queue that somebody named. It holds no search: that could name a person."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500)
    shared = models.BooleanField(default=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_filter_once")]

    def __str__(self) -> str:
        return self.name

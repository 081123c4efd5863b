"""What readers follow by e-mail, and the mails that are owed to them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from articles.leases import Leased, LeasedManager
from articles.tokens import new_token


class Kind(models.TextChoices):
    """What can be followed."""

    ALL = "all", "Everything"
    TAG = "tag", "Topic"
    SOURCE = "source", "Outlet"
    STORY = "story", "Story"
    CONTRIBUTOR = "contributor", "Contributor"
    LANGUAGE = "language", "Language"


class Every(models.TextChoices):
    """How often a digest comes."""

    DAY = "day", "Every day"
    WEEK = "week", "Every week"


class Subscription(models.Model):
    """One mailbox follows one list. Gets nothing but the question until it is confirmed; deleted when it ends."""

    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    email = models.EmailField(max_length=254)
    language = models.CharField(max_length=12, default="en")
    kind = models.CharField(max_length=12, choices=Kind)
    slug = models.CharField(max_length=200, blank=True, help_text="Of the list; empty for everything.")
    every = models.CharField(max_length=8, choices=Every, default=Every.DAY)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    told_until = models.DateTimeField(
        null=True, blank=True, help_text="Articles up to here were in a digest."
    )
    next_at = models.DateTimeField(null=True, blank=True, help_text="When the next digest is owed.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["email", "kind", "slug"], name="follows_once"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="follows_something_known"),
            models.CheckConstraint(
                condition=Q(next_at__isnull=True) | Q(confirmed_at__isnull=False), name="digests_if_confirmed"
            ),
        ]
        indexes = [
            models.Index(Lower("email"), name="subscription_mailbox"),
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="digest_due"),
            models.Index(
                fields=["created_at"], condition=Q(confirmed_at__isnull=True), name="unconfirmed_by_age"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.slug}".strip()


class MailingKind(models.TextChoices):
    CONFIRM = "confirm", "Please confirm"
    DIGEST = "digest", "Digest"


class Mailing(Leased):
    """A mail that is owed. It holds no text: what is in a digest is asked when it is sent."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="mailings")
    kind = models.CharField(max_length=8, choices=MailingKind)
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    articles = models.PositiveIntegerField(default=0, help_text="How many were in it; 0: nothing was sent.")
    last_error = models.CharField(max_length=300, blank=True)

    objects = LeasedManager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="mailing_due"),
            models.Index(fields=["created_at"], name="mailing_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.created_at:%Y-%m-%d}"

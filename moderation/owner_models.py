"""What a verified owner of a domain keeps with us: standing opt-outs, keys for programs, an address for news."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from articles.leases import Leased, LeasedManager
from articles.optouts import OptOut
from articles.webhooks import Delivery, Receiver


class StandingOptOut(Leased):
    """A rule, who proved the right to set it, and how far the portions behind it have come."""

    rule = models.OneToOneField(OptOut, on_delete=models.PROTECT, related_name="+")
    notice = models.ForeignKey(
        "moderation.Notice", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    proof = models.ForeignKey(
        "moderation.DomainProof", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    cursor = models.BigIntegerField(default=0, editable=False, help_text="The article to go on after.")
    withheld = models.PositiveBigIntegerField(default=0, editable=False)

    objects = LeasedManager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="opt_out_due")]

    def __str__(self) -> str:
        return str(self.rule)

    def percent(self, newest: int) -> int:
        """How far the worker has gone through the articles up to the id `newest`; 100 when it is done."""
        return 100 if self.due_at is None else min(99, 100 * self.cursor // max(newest, 1))


class ApiKey(models.Model):
    """With it a program speaks for the owner of one domain. The key itself is shown once and not kept."""

    domain = models.CharField(max_length=253, db_index=True)
    email = models.EmailField(max_length=254, help_text="Where answers to its notices go.")
    notice = models.ForeignKey(
        "moderation.Notice", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    begins = models.CharField(
        max_length=16, editable=False, help_text="Its first letters, to tell keys apart."
    )
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.begins}… for {self.domain}"


class Webhook(Receiver):
    """Where an owner's server wants to hear what became of the domain's claims."""

    domain = models.CharField(max_length=253, db_index=True)
    swept_to = models.BigIntegerField(
        default=0, editable=False, help_text="Up to this event every delivery that is owed was written down."
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["domain"], condition=Q(ended_at__isnull=True), name="webhook_one_a_domain"
            )
        ]

    def __str__(self) -> str:
        return f"{self.domain} at {self.url}"


class WebhookDelivery(Delivery):
    """One message we owe to a webhook."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey("moderation.ClaimEvent", on_delete=models.PROTECT, related_name="+")

    objects = LeasedManager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["webhook", "event"], name="webhook_told_once")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="webhook_due")]

    def __str__(self) -> str:
        return f"{self.key} to {self.webhook}"

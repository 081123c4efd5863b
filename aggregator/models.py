"""Feeds, the attempts to fetch them, and what we know of their entries."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from articles.leases import Leased, LeasedManager, LeasedQuerySet
from articles.models import Article, Source


class FeedQuerySet(LeasedQuerySet):
    def due(self, at: datetime) -> FeedQuerySet:
        """Feeds to fetch now: their turn has come, their server wants us, and nobody has them."""
        welcome = Q(not_before__isnull=True) | Q(not_before__lte=at)
        return self.active().claimable(at).filter(welcome).order_by("due_at", "pk")

    def in_other_hands(self, at: datetime) -> FeedQuerySet:
        """Feeds that would be due, if a worker were not busy with them."""
        welcome = Q(not_before__isnull=True) | Q(not_before__lte=at)
        return self.active().filter(welcome, lease_until__gt=at).order_by("pk")

    def active(self) -> FeedQuerySet:
        """Feeds that are fetched: not paused, not gone, of no suspended source."""
        return self.filter(paused_at__isnull=True, gone_at__isnull=True, source__suspended_at__isnull=True)


class Feed(Leased):
    """An address we read. `due_at` is its next turn."""

    url = models.CharField(max_length=2000)
    url_key = models.CharField(max_length=64, unique=True, editable=False)
    title = models.CharField(max_length=300, blank=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    review = models.BooleanField(default=False, help_text="What it brings waits for an editor.")
    full_text = models.BooleanField(
        db_default=False,
        default=False,
        help_text="It gives only openings: read the texts from the articles' own pages. "
        "Done only where the source's terms allow full text.",
    )
    tags = models.JSONField(default=list, blank=True, help_text="Tag names every article of this feed gets.")
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, editable=False)
    interval_seconds = models.PositiveIntegerField(default=1800, editable=False)
    not_before = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The server asked us to stay away until then."
    )
    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    body_hash = models.CharField(max_length=64, blank=True, editable=False)
    document_entries = models.PositiveIntegerField(db_default=0, editable=False)
    document_blocked = models.PositiveIntegerField(db_default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    last_fetched_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_entry_at = models.DateTimeField(null=True, blank=True, editable=False)
    moved_to = models.CharField(max_length=2000, blank=True, editable=False)
    moved_since = models.DateTimeField(null=True, blank=True, editable=False)
    moved_hops = models.PositiveSmallIntegerField(default=0, editable=False)
    hubs = models.JSONField(default=list, blank=True, editable=False)
    topic = models.CharField(
        max_length=2000, null=True, editable=False, help_text="Under which address its hubs know it."
    )
    pushed_until = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Its hub tells us of news at least until then, so it is asked less often.",
    )
    silent_after = models.DateTimeField(
        null=True, editable=False, help_text="By its own rhythm it should have brought something until then."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FeedQuerySet.as_manager()

    class Meta:
        ordering = ["title", "pk"]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(paused_at__isnull=True, gone_at__isnull=True), name="feed_due"
            )
        ]

    def __str__(self) -> str:
        return self.title or self.url


class Fetch(models.Model):
    """One attempt to fetch one feed."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, db_index=False, related_name="fetches")
    started_at = models.DateTimeField()
    seconds = models.FloatField(default=0)
    http_status = models.PositiveSmallIntegerField(null=True)
    bytes = models.PositiveIntegerField(default=0)
    entries = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    repaired = models.BooleanField(default=False, help_text="The document was ill-formed and was mended.")
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        verbose_name_plural = "fetches"
        indexes = [
            models.Index(fields=["feed", "-started_at"], name="fetch_of_feed"),
            models.Index(fields=["started_at"], name="fetch_age"),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.error or self.http_status}"


class EntryRecord(models.Model):
    """What we know of one entry of one feed, so that it is not imported twice."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="entries")
    guid_key = models.CharField(max_length=64)
    url_key = models.CharField(max_length=64, blank=True)
    content_hash = models.CharField(max_length=64)
    article = models.ForeignKey(Article, null=True, on_delete=models.SET_NULL, related_name="+")
    first_seen_at = models.DateTimeField()
    blocked = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feed", "guid_key"], name="entry_once")]
        indexes = [models.Index(fields=["guid_key"], name="entry_guid")]

    def __str__(self) -> str:
        return self.guid_key


class PageReading(Leased):
    """An article whose text is read from its own page (aggregator/fulltext.py). Holds nothing of the text."""

    article = models.OneToOneField(Article, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = LeasedManager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="page_due")]

    def __str__(self) -> str:
        return f"{self.article_id}: {self.last_error or self.read_at or 'waits'}"


class SubscriptionState(models.TextChoices):
    """Where a subscription at a hub stands."""

    ASKED = "asked", "Asked for"
    ACTIVE = "active", "Confirmed"
    DENIED = "denied", "Refused by the hub"


class Subscription(Leased):
    """Our subscription to a feed at its hub (aggregator/websub.py). `due_at` is when the hub is asked next."""

    feed = models.OneToOneField(Feed, on_delete=models.CASCADE, related_name="subscription")
    hub = models.CharField(max_length=2000)
    topic = models.CharField(max_length=2000)
    token = models.CharField(max_length=40, unique=True, editable=False)
    secret = models.CharField(max_length=60, editable=False)
    state = models.CharField(max_length=10, choices=SubscriptionState, default=SubscriptionState.ASKED)
    asked_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    pushed_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = LeasedManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SubscriptionState.values), name="subscription_state_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} at {self.hub}"


class RuleAction(models.TextChoices):
    """What a rule does with an entry."""

    PUBLISH = "publish", "Publish it"
    REVIEW = "review", "Let an editor look first"
    DROP = "drop", "Leave it out"


class FeedRule(models.Model):
    """What to do with entries of some kind. The first that applies counts; it works from `enabled_at` on."""

    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=100, help_text="The lowest that applies counts.")
    feed = models.ForeignKey(
        Feed,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="rules",
        help_text="Empty for every feed.",
    )
    source = models.ForeignKey(
        Source,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Empty for every outlet.",
    )
    words = models.TextField(
        blank=True, help_text="Words or phrases, one a line: any of them in headline, standfirst or text."
    )
    tags = models.TextField(blank=True, help_text="Tags, one a line: any of them.")
    authors = models.TextField(blank=True, help_text="Names, one a line: any of them.")
    languages = models.CharField(max_length=200, blank=True, help_text="Codes such as de or en: any of them.")
    otherwise = models.BooleanField(
        "everything else", default=False, help_text="Apply to what does not meet the above, instead."
    )
    action = models.CharField(max_length=10, choices=RuleAction, default=RuleAction.REVIEW)
    enabled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "rule"
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(action__in=RuleAction.values), name="rule_action_known"),
            models.CheckConstraint(
                condition=~(Q(words="") & Q(tags="") & Q(authors="") & Q(languages="")),
                name="rule_has_a_condition",
                violation_error_message="Give words, tags, authors or languages for the rule to look for.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class HostTurn(models.Model):
    """Which process asks a host at the moment, and when it was last asked (aggregator/hosts.py)."""

    host = models.CharField(max_length=255, primary_key=True)
    until = models.DateTimeField(null=True)
    token = models.CharField(max_length=32, blank=True)
    asked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.host


class RefusedTag(models.Model):
    """A word that feeds file articles under and that becomes no tag."""

    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=100, unique=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

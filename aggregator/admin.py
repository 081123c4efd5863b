"""The desk's view of feeds: how each does, in words, and what to do about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.timesince import timesince, timeuntil

from aggregator import actions, rules
from aggregator.feed_pages import FeedPages, sparkline
from aggregator.models import (
    EntryRecord,
    Feed,
    FeedRule,
    Fetch,
    PageReading,
    RefusedTag,
    Subscription,
    SubscriptionState,
)
from aggregator.normalise import tags_of_folders
from articles.canonical import NotAnAddress, address_key
from articles.taglines import tag_slug


class HealthFilter(admin.SimpleListFilter):
    """Feeds by how they do."""

    title = "health"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("well", "Does well"),
            ("failing", "Fails"),
            ("busy", "Being fetched"),
            ("silent", "Silent for longer than ever"),
            ("new", "Not fetched yet"),
            ("paused", "Paused"),
            ("gone", "Ended"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Feed]) -> QuerySet[Feed]:
        conditions = {
            "well": Q(
                failures=0, last_success_at__isnull=False, paused_at__isnull=True, gone_at__isnull=True
            ),
            "failing": Q(failures__gt=0, paused_at__isnull=True, gone_at__isnull=True),
            "busy": Q(lease_until__gt=timezone.now()),
            "silent": Q(silent_after__lt=timezone.now(), paused_at__isnull=True, gone_at__isnull=True),
            "new": Q(last_fetched_at__isnull=True),
            "paused": Q(paused_at__isnull=False),
            "gone": Q(gone_at__isnull=False),
        }
        return queryset.filter(conditions[value]) if (value := self.value()) in conditions else queryset


class FetchInline(admin.TabularInline):
    """The last attempts, to be read only."""

    model = Fetch
    extra = 0
    can_delete = False
    verbose_name_plural = "last attempts"
    fields = readonly_fields = (
        "started_at",
        "took",
        "http_status",
        "bytes",
        "entries",
        "created",
        "updated",
        "skipped",
        "blocked",
        "repaired",
        "error",
    )

    @admin.display(description="seconds")
    def took(self, fetch: Fetch) -> str:
        """To the hundredth."""
        return f"{fetch.seconds:.2f}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fetch]:
        shown = super().get_queryset(request)
        feed = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        newest = Fetch.objects.filter(feed_id=feed).values_list("pk", flat=True)[:25] if feed else []
        return shown.filter(pk__in=list(newest))


class NamesField(forms.CharField):
    """Names of tags, one a line."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return tags_of_folders(super().clean(value).splitlines())

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != tags_of_folders((data or "").splitlines()))


class FeedForm(forms.ModelForm):
    """The address has to be one, and one that is not read already."""

    tags = NamesField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 40}),
        help_text="Tags that every article of this feed gets, one a line.",
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            key = address_key(url)
        except NotAnAddress as error:
            raise forms.ValidationError(f"{error}.") from error
        if Feed.objects.filter(url_key=key).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("This feed is read already.")
        self.instance.url_key = key
        return url


@admin.register(Feed)
class FeedAdmin(FeedPages, admin.ModelAdmin):  # type: ignore[misc]
    """Feeds with their health."""

    form = FeedForm
    list_display = (
        "__str__",
        "health",
        "last_error",
        "lately",
        "a_day",
        "last_fetch",
        "next_fetch",
        "articles",
        "review",
    )
    list_filter = (HealthFilter, "review", "last_status")
    list_select_related = ("source",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("title", "url", "source__name", "source__domain")
    autocomplete_fields = ("source",)
    readonly_fields = (
        "health",
        "last_error",
        "last_status",
        "last_fetched_at",
        "last_success_at",
        "last_entry_at",
        "silent_after",
        "next_fetch",
        "not_before",
        "interval",
        "hub",
        "pages",
        "failures",
        "moved_to",
        "moved_since",
        "etag",
        "last_modified",
        "created_at",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "url",
                    "title",
                    "source",
                    "review",
                    "full_text",
                    "tags",
                    "paused_at",
                    "pause_reason",
                )
            },
        ),
        ("Health", {"fields": ("health", "last_error", "last_status", "failures", "last_fetched_at")}),
        (
            "Rhythm",
            {
                "fields": (
                    "next_fetch",
                    "interval",
                    "not_before",
                    "last_success_at",
                    "last_entry_at",
                    "silent_after",
                    "hub",
                    "pages",
                    "created_at",
                )
            },
        ),
        ("The server's word", {"fields": ("moved_to", "moved_since", "etag", "last_modified")}),
    )
    inlines = (FetchInline,)
    actions = ("pause", "resume", "fetch_now")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feed]:
        # Counted for the feeds that are shown, never over all entries.
        entries = (
            EntryRecord.objects.filter(feed=OuterRef("pk"), article__isnull=False).order_by().values("feed")
        )
        brought = Coalesce(Subquery(entries.annotate(count=Count("pk")).values("count")), 0)
        feeds: QuerySet[Feed] = super().get_queryset(request)
        return feeds.annotate(brought=brought)

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: bool) -> None:
        if not change:
            obj.due_at = timezone.now()
        super().save_model(request, obj, form, change)
        actions.name_feeds_of([obj.source_id])

    def delete_model(self, request: HttpRequest, obj: Feed) -> None:
        super().delete_model(request, obj)
        actions.name_feeds_of([obj.source_id])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        outlets = list(queryset.values_list("source", flat=True))
        super().delete_queryset(request, queryset)
        actions.name_feeds_of(outlets)

    @admin.display(description="health")
    def health(self, feed: Feed) -> str:
        if feed.gone_at:
            return "Ended by its publisher"
        if feed.paused_at:
            return f"Paused: {feed.pause_reason}" if feed.pause_reason else "Paused"
        if feed.failures:
            return f"Failed {feed.failures} times in a row" if feed.failures > 1 else "Failed last time"
        if feed.silent_after and feed.last_entry_at and feed.silent_after < timezone.now():
            return f"Silent for {timesince(feed.last_entry_at)}, longer than ever"
        return "Does well" if feed.last_success_at else "Not fetched yet"

    @admin.display(description="a day")
    def a_day(self, feed: Any) -> str:
        days = getattr(feed, "days", [])
        return f"{sum(days) / len(days):.1f}" if any(days) else "–"

    @admin.display(description="last two weeks")
    def lately(self, feed: Any) -> str:
        return sparkline(getattr(feed, "days", []))

    @admin.display(description="last fetch", ordering="last_fetched_at")
    def last_fetch(self, feed: Feed) -> str:
        return f"{timesince(feed.last_fetched_at)} ago" if feed.last_fetched_at else "never"

    @admin.display(description="next fetch", ordering="due_at")
    def next_fetch(self, feed: Feed) -> str:
        if feed.paused_at or feed.gone_at or not feed.due_at:
            return "not planned"
        due_at = max(feed.due_at, feed.not_before or feed.due_at)
        return f"in {timeuntil(due_at)}" if due_at > timezone.now() else "now"

    @admin.display(description="articles", ordering="brought")
    def articles(self, feed: Any) -> int:
        return int(feed.brought)

    @admin.display(description="interval")
    def interval(self, feed: Feed) -> str:
        return f"{feed.interval_seconds // 60} minutes"

    @admin.display(description="hub (WebSub)")
    def hub(self, feed: Feed) -> str:
        """How our subscription stands, in words."""
        found = Subscription.objects.filter(feed=feed).first()
        if found is None:
            return f"{feed.hubs[0]} is not asked yet" if feed.hubs else "It names none"
        said = [f"{found.get_state_display()} at {found.hub}"]
        if found.ends_at and found.state == SubscriptionState.ACTIVE:
            said.append(f"until {localize(timezone.localtime(found.ends_at))}")
        said.append(
            f"last push {timesince(found.pushed_at)} ago" if found.pushed_at else "nothing pushed yet"
        )
        return "; ".join([*said, found.last_error] if found.last_error else said)

    @admin.display(description="pages read for whole texts")
    def pages(self, feed: Feed) -> str:
        """How reading the articles' pages goes, and why the last was not read."""
        rows = PageReading.objects.filter(article__in=feed.entries.values("article"))
        counted = rows.aggregate(
            read=Count("pk", filter=Q(read_at__isnull=False)),
            wait=Count("pk", filter=Q(due_at__isnull=False)),
        )
        failed = rows.exclude(last_error="").order_by("-pk").values_list("last_error", flat=True).first()
        return f"{counted['read']} read, {counted['wait']} wait" + (
            f"; last not read: {failed}" if failed else ""
        )

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        count = actions.pause(feeds=queryset, at=timezone.now(), reason=f"by {request.user}")
        self.message_user(request, f"{count} feeds are paused.", messages.SUCCESS)

    @admin.action(description="Resume, ended ones too", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        count = actions.resume(feeds=queryset, at=timezone.now())
        self.message_user(request, f"{count} feeds are read again.", messages.SUCCESS)

    @admin.action(description="Fetch now", permissions=["change"])
    def fetch_now(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        count = actions.make_due(feeds=[feed.pk for feed in queryset], at=timezone.now())
        self.message_user(
            request,
            f"{count} feeds are brought forward. Not so those that are due, paused or told to wait.",
            messages.SUCCESS,
        )


class RefusedTagForm(forms.ModelForm):
    """A word is refused once."""

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        self.instance.slug = tag_slug(name)
        if RefusedTag.objects.filter(slug=self.instance.slug).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("This word is refused already.")
        return name


@admin.register(RefusedTag)
class RefusedTagAdmin(admin.ModelAdmin):
    """Words that become no tag."""

    form = RefusedTagForm
    list_display = search_fields = ("name",)


@admin.register(FeedRule)
class FeedRuleAdmin(admin.ModelAdmin):
    """Rules. One is switched on from the page that shows what it would have done; a change switches it off."""

    list_display = ("name", "position", "feed", "source", "action", "works")
    list_select_related = ("feed", "source")
    autocomplete_fields = ("feed", "source")
    search_fields = ("name",)
    formfield_overrides = {
        models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}
    }
    fields = (
        "name", "position", "feed", "source", "words", "tags", "authors", "languages", "otherwise", "action",
    )  # fmt: skip

    @admin.display(boolean=True, ordering="enabled_at")
    def works(self, rule: FeedRule) -> bool:
        return rule.enabled_at is not None

    def save_model(self, request: HttpRequest, obj: FeedRule, form: Any, change: bool) -> None:
        obj.enabled_at = None
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: FeedRule, post_url_continue: str | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:aggregator_feedrule_try", args=[obj.pk]))

    def response_change(self, request: HttpRequest, obj: FeedRule) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:aggregator_feedrule_try", args=[obj.pk]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_page)
        return [path("<int:pk>/try/", view, name="aggregator_feedrule_try"), *super().get_urls()]

    def try_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the rule would have done with what is here; a button switches it on or off."""
        rule = get_object_or_404(FeedRule.objects.select_related("feed", "source"), pk=pk)
        if not self.has_change_permission(request, rule):
            raise PermissionDenied
        if request.method == "POST":
            actions.switch_rule(rule=rule, on="on" in request.POST, at=timezone.now())
            messages.success(request, f"“{rule}” {'works from now on' if rule.enabled_at else 'is off'}.")
            return HttpResponseRedirect(reverse("admin:aggregator_feedrule_changelist"))
        trials = rules.tried(rule)
        context = {
            **self.admin_site.each_context(request),
            "title": "Try the rule",
            "opts": self.opts,
            "rule": rule,
            "trials": trials,
            "met": [trial.article for trial in trials if trial.applies],
        }
        return TemplateResponse(request, "admin/aggregator/feedrule/try.html", context)

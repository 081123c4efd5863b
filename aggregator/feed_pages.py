"""Pages of the desk beside the list of feeds: an address tried before it is saved, lists of feeds in and out."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aggregator import actions
from aggregator.models import Feed, Fetch
from aggregator.opml import NotOPML, Outline, read_opml, write_opml

DAYS = 14
SHOWN = 15
WIDTH, HEIGHT = 84, 20


class AddressForm(forms.Form):
    """The address of a feed, or of a page that names one."""

    url = forms.CharField(
        max_length=2000,
        label="Address",
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "inputmode": "url"}),
        help_text="Of a feed, or of a page that names one.",
    )


class ListForm(forms.Form):
    """An OPML list."""

    file = forms.FileField(label="OPML file", help_text="Folders become tags.")


class FeedPages:
    """Views and numbers beside Django's own for feeds."""

    admin_site: Any
    opts: Any
    change_list_template = "admin/aggregator/feed/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("try/", view(self.try_page), name="aggregator_feed_try"),
            path("import/", view(self.import_page), name="aggregator_feed_import"),
            path("export/", view(self.export_page), name="aggregator_feed_export"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        listed = super().get_changelist_instance(request)  # type: ignore[misc]
        by_feed = articles_a_day([feed.pk for feed in listed.result_list])
        for feed in listed.result_list:
            feed.days = by_feed[feed.pk]
        return listed

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        at = timezone.now()
        lately = Fetch.objects.filter(started_at__gt=at - timedelta(minutes=5))
        progress = {
            "due": Feed.objects.due(at).order_by().count(),
            "busy": Feed.objects.active().filter(lease_until__gt=at).count(),
            **lately.aggregate(
                fetched=Count("pk"), failed=Count("pk", filter=~Q(error="")), brought=Sum("created")
            ),
        }
        context = {"progress": progress, **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[misc]

    def try_page(self, request: HttpRequest) -> HttpResponse:
        """Fetches an address and shows what it would bring; a second button begins to read it."""
        if not self.has_add_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        form = AddressForm(request.POST or None)
        found = None
        if request.method == "POST" and form.is_valid():
            try:
                found = actions.preview(url=form.cleaned_data["url"].strip(), at=timezone.now())
            except actions.FeedNotAdded as reason:
                form.add_error("url", str(reason))
        if found and "save" in request.POST:
            return self._added(request, found)
        context = self._context(request, "Try an address", form=form, found=found)
        if found:
            context |= {
                "shown": found.drafts[:SHOWN],
                "left": len(found.document.entries) - len(found.drafts),
            }
        return TemplateResponse(request, "admin/aggregator/feed/try.html", context)

    def _added(self, request: HttpRequest, found: actions.Preview) -> HttpResponse:
        feed = actions.register(
            url=found.url,
            title=found.document.title,
            homepage=found.document.link,
            language=found.document.language,
            review="review" in request.POST,
            apart="apart" in request.POST,
            at=timezone.now(),
        )
        messages.success(request, f"“{feed}” is read from now on.")
        return HttpResponseRedirect(reverse("admin:aggregator_feed_change", args=[feed.pk]))

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Takes an OPML list; what cannot be used is named."""
        if not self.has_add_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        form = ListForm(request.POST or None, request.FILES or None)
        problems: list[str] = []
        if request.method == "POST" and form.is_valid():
            try:
                outlines = read_opml(form.cleaned_data["file"].read())
                if not outlines:
                    raise NotOPML("The list names no feed.")
                new, known, problems = actions.import_outlines(outlines=outlines, at=timezone.now())
            except NotOPML as reason:
                form.add_error("file", str(reason))
            else:
                said = f"Feeds added: {new}. Read already: {known}. Left out: {len(problems)}."
                messages.success(request, said)
                if not problems:
                    return HttpResponseRedirect(reverse("admin:aggregator_feed_changelist"))
        context = self._context(request, "Import a list of feeds", form=form, problems=problems[:100])
        return TemplateResponse(request, "admin/aggregator/feed/import.html", context)

    def export_page(self, request: HttpRequest) -> HttpResponse:
        """All feeds as OPML."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        feeds = Feed.objects.select_related("source").order_by("title", "pk")
        outlines = [Outline(feed.url, feed.title, feed.source.homepage, tuple(feed.tags)) for feed in feeds]
        response = HttpResponse(write_opml(outlines, settings.SITE_NAME), content_type="text/x-opml")
        response.headers["Content-Disposition"] = 'attachment; filename="feeds.opml"'
        return response

    def _context(self, request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **more}


def articles_a_day(feeds: list[int]) -> dict[int, list[int]]:
    """How many articles each of these feeds brought on each of the last days, today last. One query."""
    today = timezone.localdate()
    since = timezone.now() - timedelta(days=DAYS)
    rows = (
        Fetch.objects.filter(feed__in=feeds, started_at__gt=since, created__gt=0)
        .order_by()
        .annotate(day=TruncDate("started_at"))
        .values_list("feed_id", "day")
        .annotate(brought=Sum("created"))
    )
    found: dict[int, list[int]] = defaultdict(lambda: [0] * DAYS)
    for feed, day, brought in rows:
        ago = (today - day).days
        if 0 <= ago < DAYS:
            found[feed][DAYS - 1 - ago] = brought
    return found


def sparkline(days: list[int]) -> SafeString:
    """The days as a small line, with its numbers for those who hear the page."""
    if not any(days):
        return format_html('<span class="feed-quiet">{}</span>', "nothing")
    step, top = WIDTH / (len(days) - 1), max(days)
    points = " ".join(
        f"{index * step:.0f},{HEIGHT - 1 - (HEIGHT - 2) * value / top:.1f}"
        for index, value in enumerate(days)
    )
    said = f"Articles a day, today last: {', '.join(map(str, days))}"
    return format_html(
        '<svg class="feed-line" role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
        '<title>{}</title><polyline points="{}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>',
        said, WIDTH, HEIGHT, WIDTH, HEIGHT, said, points,
    )  # fmt: skip

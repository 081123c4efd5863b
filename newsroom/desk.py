"""The admin's index: what waits for whom, each line one click from its work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.db.models import Model, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil
from django.views.decorators.cache import never_cache

from aggregator.models import Feed
from articles import notes, reads, workflow
from articles.models import Article, ArticleState
from moderation.models import Channel, Claim
from newsroom import desk_help, figures
from newsroom.alarms import alarms
from newsroom.identity import DeskLogin
from newsroom.sign_in import SignInForm

ROWS = 6
MOST_COUNTED = 100
# Figure → its heading, and the right to look at what it counts.
CHARTS = {
    "claims": ("Claims a day", "moderation.view_claim"),
    "articles": ("Articles from feeds a day", "aggregator.view_feed"),
    "reads": ("Articles read a day", "articles.view_article"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a panel: what it is, a word beside it, and where its work is done."""

    title: str
    note: str
    url: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One heading of the desk. `count` is exact up to MOST_COUNTED."""

    title: str
    url: str
    empty: str
    count: str = "0"
    rows: list[Row] = field(default_factory=list)


class DeskSite(AdminSite):
    """Django's admin under our name, with the desk as its index."""

    site_header = f"{settings.SITE_NAME} desk"
    site_title = settings.SITE_NAME
    index_title = "The desk"
    login_form = SignInForm

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's own sign-in, going on to the second factor of who has one."""
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        where = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index", current_app=self.name)
        context = {
            **self.each_context(request),
            "title": "Log in",
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            REDIRECT_FIELD_NAME: where,
            "redirect_field": format_html('<input type="hidden" name="next" value="{}">', where),
            "single_sign_on": settings.OIDC_NAME if settings.OIDC_SERVER_URL else "",
            **(extra_context or {}),
        }
        request.current_app = self.name
        view = DeskLogin.as_view(
            extra_context=context, authentication_form=self.login_form, template_name="admin/login.html"
        )
        if settings.OIDC_SERVER_URL:
            # The button leads there, by a redirect that the policy of forms counts as the form's.
            provider = urlsplit(settings.OIDC_SERVER_URL)
            view = csp_update({"form-action": [f"{provider.scheme}://{provider.netloc}"]})(view)
        return cast(HttpResponse, view(request))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "help_about": desk_help.about(request)}

    def get_urls(self) -> list[Any]:
        return [path("help/", self.admin_view(self.help), name="help"), *super().get_urls()]

    def help(self, request: HttpRequest) -> TemplateResponse:
        """The guides, what is most of use to this person's groups first."""
        first, others = desk_help.ordered(set(request.user.groups.values_list("name", flat=True)))
        context = {**self.each_context(request), "title": "Help", "first": first, "others": others}
        return TemplateResponse(request, "admin/help.html", context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        shown = {"panels": list(panels(request)), "charts": charts_for(request.user)}
        return super().index(request, {**(extra_context or {}), **shown})


def panels(request: HttpRequest) -> Iterator[Panel]:
    """The panels this person may see, most pressing first. A bounded number of indexed queries."""
    user = request.user
    if user.has_perm(workflow.CHANGE) or user.has_perm(workflow.CHANGE_OWN):
        yield _tasks(user)
    if user.has_perm("moderation.view_claim"):
        yield from _alarms()
        yield _claims()
    if user.has_perm("articles.view_article"):
        yield _review()
        yield _scheduled()
        yield _read()
    if user.has_perm("aggregator.view_feed"):
        yield _failing_feeds()


def _alarms() -> Iterator[Panel]:
    """First of all, and only while something is wrong with what claimants wait for."""
    wrong = alarms(timezone.now())
    if wrong:
        rows = [Row(alarm.words, alarm.advice, "", urgent=True) for alarm in wrong]
        yield Panel("Needs an operator", "", "", str(len(rows)), rows)


def _tasks(user: Any) -> Panel:
    """What colleagues gave this person to do."""
    tasks = notes.open_tasks_of(user)
    rows = [
        Row(task.text, f"{task.article}" + (f", due {date_format(task.due_on)}" if task.due_on else ""),
            reverse("admin:articles_article_notes", args=[task.article_id]),
            urgent=bool(task.due_on and task.due_on <= timezone.localdate()))
        for task in tasks[:ROWS]
    ]  # fmt: skip
    return Panel("Your tasks", _list(Article), "Nobody gave you a task.", _count(tasks), rows)


def _claims() -> Panel:
    claims = Claim.objects.open().exclude(notice__channel=Channel.DRILL).select_related("notice", "article")
    rows = [
        Row(str(claim.article), f"{timeuntil(claim.deadline_at)} left, {claim.notice}", _change(claim),
            urgent=claim.lane == "A")
        for claim in claims[:ROWS]
    ]  # fmt: skip
    return Panel("Claims by time left", _list(Claim), "No claim waits for a decision.", _count(claims), rows)


def _review() -> Panel:
    waiting = Article.objects.filter(state=ArticleState.REVIEW).order_by("-created_at", "-pk")
    rows = [
        Row(article.headline, f"{timesince(article.created_at)} ago", _change(article))
        for article in waiting.only("headline", "created_at")[:ROWS]
    ]
    url = _list(Article) + "?state__exact=review"
    return Panel("Waiting for review", url, "Nothing waits for review.", _count(waiting), rows)


def _scheduled() -> Panel:
    coming = Article.objects.filter(state=ArticleState.PUBLISHED, published_at__gt=Now()).order_by(
        "published_at"
    )
    rows = [
        Row(article.headline, f"in {timeuntil(article.published_at)}", _change(article))
        for article in coming.only("headline", "published_at")[:ROWS]
        if article.published_at
    ]
    return Panel(
        "Scheduled", _list(Article) + "?published=coming", "Nothing is scheduled.", _count(coming), rows
    )


def _read() -> Panel:
    """What readers ask for."""
    found = reads.most_read(on=timezone.localdate(), limit=ROWS)
    rows = [Row(article.headline, f"{count:,} times", _change(article)) for article, count in found]
    return Panel("Most read today", "", "Nothing was counted yet today.", str(len(rows)), rows)


def charts_for(user: Any) -> list[figures.Chart]:
    """The charts of what this person may look at."""
    wanted = {name: title for name, (title, right) in CHARTS.items() if user.has_perm(right)}
    return figures.charts(wanted, today=timezone.localdate()) if wanted else []


def _failing_feeds() -> Panel:
    failing = Feed.objects.active().filter(failures__gt=0).order_by("-failures", "pk")
    rows = [
        Row(str(feed), feed.last_error, _change(feed), urgent=feed.failures > 5) for feed in failing[:ROWS]
    ]
    return Panel(
        "Feeds that fail", _list(Feed) + "?health=failing", "Every feed answers.", _count(failing), rows
    )


def _count(rows: QuerySet[Any]) -> str:
    number = rows.order_by()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number)


def _change(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _list(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

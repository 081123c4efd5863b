"""What is said in the place of an article that is not public: that it is gone, and nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models.functions import Now
from django.dispatch import Signal
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop

from articles import interface
from articles.canary import is_canary
from articles.models import Article, ArticleState, Hold, HoldKind, RevisionKind, Source
from articles.optouts import OptOut
from articles.problems import problem

# Sent with `article_id` whenever somebody asks for what a right withholds.
met = Signal()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an article is gone, as far as readers are told."""

    status: int
    title: str
    note: str = ""
    since: datetime | None = None


def answer(request: HttpRequest, article: Article, *, as_json: bool = False) -> HttpResponse:
    """451 for what a rights owner had withheld, 410 for what is otherwise gone; Http404 for what never was.

    The headline, text, names, picture and address of the article are not in it.
    """
    reason = reason_of(article)
    if reason is None:
        raise Http404("No such article.")
    wants_json = as_json or "application/json" in request.headers.get("Accept", "")
    response = _problem(reason) if wants_json else _page(request, reason)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, noarchive"
    if reason.status == 451:
        met.send_robust(sender=Article, article_id=article.pk)
        response.headers["Link"] = f'<{settings.SITE_URL}/rights/>; rel="blocked-by"'
    return response


def of_slug(request: HttpRequest, slug: str, *, as_json: bool = False) -> HttpResponse:
    """As `answer`, for the article that has or once had this slug; Http404 where none ever had."""
    # One after the other: asked for either at once, a database reads every article.
    article = (
        Article.objects.filter(slug=slug).first() or Article.objects.filter(old_slugs__slug=slug).first()
    )
    if article is None:
        raise Http404("No such article.")
    return answer(request, article, as_json=as_json)


def reason_of(article: Article) -> Reason | None:
    """Why this article is gone; None when it was never here (a draft, an embargo) or still is."""
    if article.state == ArticleState.ERASED:
        return Reason(410, gettext_noop("Removed for good"))
    was_shown = article.state in (ArticleState.PUBLISHED, ArticleState.RETRACTED) or is_canary(article)
    if not was_shown or _is_embargoed(article):
        return None
    holds = list(Hold.objects.in_effect().filter(article=article).order_by("effective_at"))
    legal = next((hold for hold in holds if hold.kind == HoldKind.LEGAL), None)
    if legal:
        return Reason(451, gettext_noop("Withheld for legal reasons"), legal.note, legal.effective_at)
    if holds:
        return Reason(410, gettext_noop("Withdrawn"), holds[0].note)
    rule = OptOut.objects.covering_article(article).first()
    if rule:
        told = gettext_noop("Its owner does not want it shown here.")
        return Reason(451, gettext_noop("Withheld for legal reasons"), told, rule.since)
    if article.state == ArticleState.RETRACTED:
        return Reason(410, gettext_noop("Retracted"), _retraction_note(article))
    return _no_longer_shown(article)


def _is_embargoed(article: Article) -> bool:
    return Article.objects.filter(pk=article.pk, published_at__gt=Now()).exists()


def _no_longer_shown(article: Article) -> Reason | None:
    if article.source_id and Source.objects.filter(pk=article.source_id, suspended_at__lte=Now()).exists():
        return Reason(410, gettext_noop("No longer shown"))
    if Article.objects.filter(pk=article.pk, expires_at__lte=Now()).exists():
        return Reason(410, gettext_noop("No longer shown"))
    return None


def _retraction_note(article: Article) -> str:
    last = article.revisions.filter(kind=RevisionKind.CORRECTION).first()
    return last.note if last else ""


def _page(request: HttpRequest, reason: Reason) -> HttpResponse:
    # The template sees no address either: a slug is made of the headline's words.
    context = {
        "title": reason.title,
        "note": reason.note,
        "since": reason.since,
        "tongues": interface.choices("/"),
    }
    return render(request, f"{reason.status}.html", context, status=reason.status)


def _problem(reason: Reason) -> HttpResponse:
    pubstatus = "withheld" if reason.status == 451 else "canceled"
    return problem(reason.status, reason.title, reason.note, pubstatus=pubstatus)

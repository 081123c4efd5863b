"""The pages of following by e-mail. No cookie and no account: who has the mail has the address of its page."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from articles import interface
from articles.models import Article
from articles.surfaces import shows, surface
from moderation import limits
from readers import actions, following, mails
from readers.models import Every, Subscription

RHYTHMS = [(Every.DAY, _("Every day")), (Every.WEEK, _("Every week"))]


class FollowForm(forms.Form):
    """Where to, and how often."""

    email = forms.EmailField(
        max_length=254,
        label=_("Your e-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Give an e-mail address. Without one we cannot write to you."),
            "invalid": _("This does not look like an e-mail address. It should read like name@example.org."),
        },
    )
    every = forms.ChoiceField(label=_("How often"), choices=RHYTHMS, initial=Every.DAY)


def nowhere(article: Article) -> Iterable[str]:
    """Names no article."""
    return []


def _tongue(request: HttpRequest) -> interface.Tongue:
    found: interface.Tongue = getattr(request, "tongue", interface.DEFAULT)
    return found


# A form that anybody may send for anybody needs no token: the mailbox itself is asked whether it was meant.
@surface("follow", locate=nowhere, store=False, forms=True)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest) -> HttpResponse:
    """Where a reader leaves an address. The answer is the same whether that follows the list already or not."""
    given = request.POST.get("of") or request.GET.get("of") or "/"
    what = following.at(interface.split(given[:400])[1])
    if what is None:
        raise Http404("There is no such list.")
    shows(request)
    if request.method != "POST":
        return _page(request, FollowForm(), what)
    form = FollowForm(request.POST)
    if not form.is_valid():
        return _page(request, form, what, status=422)
    try:
        actions.follow(
            email=form.cleaned_data["email"],
            what=what,
            every=Every(form.cleaned_data["every"]),
            language=_tongue(request).code,
            sender=limits.sender_of(request.META),
            at=timezone.now(),
        )
    except actions.TooOften:
        return _page(request, form, what, status=429, crowded=True)
    return render(request, "readers/asked.html", {"what": what})


def _page(
    request: HttpRequest, form: FollowForm, what: following.List, *, status: int = 200, crowded: bool = False
) -> HttpResponse:
    context = {"form": form, "what": what, "crowded": crowded}
    return render(request, "readers/follow.html", context, status=status)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def subscription(request: HttpRequest, token: str) -> HttpResponse:
    """What this mailbox follows, behind the address in its mails: confirm it, change its rhythm, end it."""
    row = Subscription.objects.filter(token=token).first()
    if row is None:
        raise Http404
    if request.method == "POST":
        return _done(request, row)
    what = following.named(row.kind, row.slug)
    context = {
        "row": row,
        "what": what,
        "rhythms": RHYTHMS,
        "said": _said(request.GET.get("said", "")),
        "stop_path": mails.stop_of(row),
    }
    return render(request, "readers/subscription.html", context)


def _said(key: str) -> str:
    said = {
        "confirmed": gettext("Confirmed. The first digest comes when something is new."),
        "changed": gettext("Changed."),
    }
    return said.get(key, "")


def _done(request: HttpRequest, row: Subscription) -> HttpResponse:
    every = request.POST.get("every", "")
    if request.POST.get("do") == "confirm":
        actions.confirm(subscription=row, at=timezone.now())
        said = "confirmed"
    elif every in Every.values:
        actions.change(subscription=row, every=Every(every), at=timezone.now())
        said = "changed"
    else:
        said = ""
    return HttpResponseRedirect(f"{mails.page_of(row)}?said={said}")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """One POST ends it (RFC 8058), sent by a mail program or by the button; a GET only shows the button."""
    if request.method == "POST":
        actions.stop(token=token)
        return render(request, "readers/stopped.html")
    known = Subscription.objects.filter(token=token).exists()
    return render(
        request, "readers/stop.html" if known else "readers/stopped.html", {"site": settings.SITE_NAME}
    )

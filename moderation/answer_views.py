"""The pages of whoever a removal touches: how to reach the form, the counter-notice itself, its confirmation."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from articles.surfaces import surface
from moderation import answers, limits
from moderation.actions import NotAllowed
from moderation.forms import AnswerForm, AskForm, ObjectionForm
from moderation.models import Claim, CounterNotice
from moderation.public import nowhere
from moderation.references import answer_url, is_answer_token, is_vouch_token
from moderation.status import masked
from moderation.views import is_from_our_form, language_of


@csrf_exempt
@surface("removal-answering", locate=nowhere, store=False, forms=True)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the address of the form. The answer is the same whether there is anything to be answered."""
    told = request.POST if request.method == "POST" else None
    form = AskForm(told, initial={"url": request.GET.get("url", "")[:2000]})
    said = {"again": request.method == "POST" and not is_from_our_form(request)}
    if request.method == "POST" and not said["again"] and form.is_valid():
        answers.ask(
            address=form.cleaned_data["url"], mailbox=form.cleaned_data["email"], language=language_of(request),
            sender=limits.sender_of(request.META), at=timezone.now(),
        )  # fmt: skip
        said["asked"] = True
    form.mark_errors()
    status = 403 if said["again"] else 422 if form.errors else 200
    return render(request, "moderation/answering.html", {"form": form, **said}, status=status)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, reference: str, number: int, token: str) -> HttpResponse:
    """The counter-notice or the objection to one claim, and what became of those sent before."""
    if not is_answer_token(token, reference=reference, number=number):
        raise Http404
    claims = Claim.objects.select_related("notice", "article")
    claim = get_object_or_404(claims, notice__reference=reference, number=number)
    kind = ObjectionForm if answers.may_object(claim, timezone.now()) else AnswerForm
    if request.method != "POST":
        return _page(request, claim, kind())
    form = kind(request.POST)
    if not is_from_our_form(request):
        return _page(request, claim, form, problem="again", status=403)
    if not form.is_valid():
        return _page(request, claim, form, problem="errors", status=422)
    try:
        answers.answer(
            claim_id=claim.pk, told=form.cleaned_data, language=language_of(request), at=timezone.now()
        )
    except NotAllowed:
        return _page(request, claim, form, problem="late", status=409)
    return HttpResponseRedirect(request.path)


def _page(
    request: HttpRequest, claim: Claim, form: ObjectionForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    form.mark_errors()
    at = timezone.now()
    waiting = claim.counter_notices.filter(confirmed_at=None, received_at__gt=at - answers.VOUCHED_WITHIN)
    context = {
        "claim": claim,
        "form": form,
        "problem": problem,
        "open": answers.may_answer(claim) or answers.may_object(claim, at),
        "objects": answers.may_object(claim, at),
        "objections": claim.complaints.filter(answer__isnull=False).order_by("received_at"),
        "waiting": [(one.received_at, masked(one.email)) for one in waiting.order_by("received_at")],
        "in_force": claim.counter_notices.in_force().first(),
    }
    return render(request, "moderation/answer.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def vouch(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Where the mailed link leads: a page with one button. Programs that open every link confirm nothing."""
    written = CounterNotice.objects.select_related("claim__notice", "claim__article").filter(pk=pk).first()
    if written is None or not is_vouch_token(token, written):
        raise Http404
    page = urlsplit(answer_url(written.claim)).path
    if request.method == "POST":
        try:
            answers.vouch(answer_id=pk, at=timezone.now())
        except NotAllowed:
            written.refresh_from_db()
        else:
            return HttpResponseRedirect(page)
    context = {
        "answer": written,
        "masked": masked(written.email),
        "open": answers.may_vouch(written, timezone.now()),
        "page": page,
    }
    return render(request, "moderation/vouch.html", context)

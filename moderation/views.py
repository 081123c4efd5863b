"""The pages of rights owners: the removal form, and the page of one case behind its secret address."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language_from_request, gettext, gettext_noop
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from articles import interface
from articles.actions import NotAllowed as ArticleNotAllowed
from moderation import (
    actions,
    certificates,
    complaints,
    drill,
    letters,
    limits,
    lines,
    misuse,
    owners,
    proof,
    receive,
)
from moderation.forms import NoticeForm, StatementForm
from moderation.ledger import LedgerBehind
from moderation.models import TAKEN_BACK_FROM, Channel, Claim, LetterKind, Notice
from moderation.references import confirm_token, hash_of, status_url
from moderation.status import case_of, masked

SAID = {
    "confirmed": gettext_noop("Thank you. Your mailbox is confirmed."),
    "completed": gettext_noop("Thank you. What you added stands with your notice."),
    "unchanged": gettext_noop("Nothing was added: what was there stays as you first sent it."),
    "withdrawn": gettext_noop("You have taken it back."),
    "not-withdrawn": gettext_noop("This can no longer be taken back. Write to us if you want it changed."),
    "complained": gettext_noop(
        "Your complaint has arrived. A person who had no part in the decision looks at it."
    ),
    "not-complained": gettext_noop(
        "Nothing was sent: say why the decision is wrong; that can be done for six months after it."
    ),
    "proved": gettext_noop("The domain is proved. Its articles in this case are withheld from readers now."),
    "not-proved": gettext_noop(
        "We looked and did not find it yet. DNS records can take an hour to be seen everywhere."
    ),
    "too-often": gettext_noop(
        "That was tried very often. Please wait an hour; the clock of your case runs on meanwhile."
    ),
    "asked": gettext_noop("The letter is on its way again."),
}


# --- the form ---------------------------------------------------------------------------------


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def removal(request: HttpRequest) -> HttpResponse:
    """The removal form. Its own look at the CSRF token: a failed one must not cost what was typed."""
    if request.method != "POST":
        first = {"urls": request.GET.get("url", "")[:20_000], "language": language_of(request)}
        return _form_page(request, NoticeForm(initial=first))
    form = NoticeForm(request.POST)
    if not is_from_our_form(request):
        return _form_page(request, form, again=True, status=403)
    if "check" in request.POST:
        return _checked(request, form)
    if not form.is_valid():
        form.mark_errors()
        return _form_page(request, form, status=422)
    drilled = drill.clock_of(request)
    shift = timedelta(hours=settings.HOLD_AFTER_HOURS) - drilled if drilled is not None else timedelta(0)
    return _received(request, form, at=timezone.now() - shift)


def _received(request: HttpRequest, form: NoticeForm, *, at: datetime) -> HttpResponse:
    submission = _submission(request, form)
    try:
        received = receive.receive(submission=submission, at=at)
    except LedgerBehind:
        return _form_page(request, form, closed=True, status=503)
    notice = received.notice
    context = {
        "notice": notice,
        "case": case_of(notice),
        "status_url": _status_path(notice) if received.page_is_told else "",
        "masked": masked(notice.email),
    }
    return render(request, "moderation/acknowledged.html", context)


def _submission(request: HttpRequest, form: NoticeForm) -> receive.Submission:
    told = form.told() | {"language": form.cleaned_data["language"] or language_of(request)}
    return receive.Submission(
        channel=Channel.FORM if drill.clock_of(request) is None else Channel.DRILL,
        text=form.cleaned_data["urls"],
        network=limits.sender_of(request.META),
        **told,
    )


def _checked(request: HttpRequest, form: NoticeForm) -> HttpResponse:
    """The form again, with what each line is to us; nothing is stored."""
    sender = limits.sender_of(request.META)
    if limits.count("check", sender, window=limits.HOUR, at=timezone.now()) > limits.PER_CHECK:
        return _form_page(request, NoticeForm(initial=_typed(form)), crowded=True)
    pasted = lines.split(request.POST.get("urls", ""))
    return _form_page(
        request,
        NoticeForm(initial=_typed(form)),
        judged=lines.judge(pasted.lines),
        pasted=pasted,
        checked=True,
    )


def _typed(form: NoticeForm) -> dict[str, Any]:
    """What was typed, kept without being judged."""
    return {name: form[name].data for name in form.fields}


def _form_page(request: HttpRequest, form: NoticeForm, *, status: int = 200, **said: Any) -> HttpResponse:
    context = {"form": form, "promise_hours": settings.PROMISE_HOURS, **said}
    return render(request, "moderation/removal.html", context, status=status)


class _Looks(CsrfViewMiddleware):
    """Says why a request fails the check, instead of answering it."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def is_from_our_form(request: HttpRequest) -> bool:
    """The usual token, or, where cookies are switched off, the browser's word for where the form stood."""
    look = _Looks(lambda request: HttpResponse())
    look.process_request(request)
    reason = look.process_view(request, _form_page, (), {})
    if not reason:
        return True
    origin = request.headers.get("Origin", "")
    ours = {settings.SITE_URL, f"{request.scheme}://{request.get_host()}"}
    return origin in ours and urlsplit(origin).scheme in ("http", "https")


def language_of(request: HttpRequest) -> str:
    """In what we write to this visitor: the language of the page, or on the plain one what the browser asks for."""
    tongue = getattr(request, "tongue", interface.DEFAULT)
    return letters.spoken(tongue.code if tongue.prefix else get_language_from_request(request))


# --- the page of a case -----------------------------------------------------------------------


def notice_for(secret: str) -> Notice:
    """The notice behind a secret address. Whatever is wrong with the secret, the answer is the same."""
    notice = Notice.objects.filter(secret_hash=hash_of(secret)).first() if len(secret) <= 100 else None
    if notice is None:
        raise Http404
    return notice


def _status_path(notice: Notice) -> str:
    return urlsplit(status_url(notice)).path


def _back(secret: str, said: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('removal-status', args=[secret])}?said={said}")


@require_safe
def certificate(request: HttpRequest, secret: str, number: int) -> HttpResponse:
    """The signed certificate that one article of the case is gone, once every place was seen clean."""
    claim = get_object_or_404(Claim, notice=notice_for(secret), number=number)
    signed = certificates.issue(claim, at=timezone.now())
    if signed is None:
        raise Http404("Not proved yet.")
    answer = HttpResponse(json.dumps(signed, indent=2) + "\n", content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{claim.notice.reference}-{number}.json"'
    return answer


@require_safe
def status(request: HttpRequest, secret: str) -> HttpResponse:
    """Where a case stands, for whoever has its address; no login, no personal data."""
    notice = notice_for(secret)
    start = request.GET.get("from", "1")
    case = case_of(notice, start=int(start[:9]) if start.isdecimal() else 1)
    given = {name: getattr(notice, name) for name in StatementForm.base_fields}
    wanting = StatementForm(initial={"ground": notice.ground})
    context = {
        "notice": notice,
        "case": case,
        "secret": secret,
        "said": _said(request.GET.get("said", "")),
        "masked": masked(notice.email),
        "wanting": [wanting[name] for name in wanting.fields if not given[name]] if case.missing else [],
        "challenges": proof.challenges(notice),
        "has_proof": bool(owners.proofs(notice, at=timezone.now())),
        "record": misuse.record_of(notice.email, at=timezone.now()) if notice.confirmed_at else None,
        "removal_address": settings.REMOVAL_EMAIL,
        "now": timezone.now(),
    }
    return render(request, "moderation/status.html", context)


def _said(key: str) -> str:
    return gettext(SAID[key]) if key in SAID else ""


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, secret: str, token: str) -> HttpResponse:
    """Where the mailed link leads: a page with one button. Programs that open every link confirm nothing."""
    notice = notice_for(secret)
    if not constant_time_compare(token, confirm_token(notice)):
        raise Http404
    if request.method == "POST":
        receive.confirm(notice=notice, at=timezone.now())
        return _back(secret, "confirmed")
    context = {"notice": notice, "masked": masked(notice.email), "secret": secret}
    return render(request, "moderation/confirm.html", context)


@require_POST
def complete(request: HttpRequest, secret: str) -> HttpResponse:
    """Add what a notice lacks; what was said before stays."""
    notice = notice_for(secret)
    form = StatementForm(request.POST)
    form.is_valid()
    before = notice.missing
    after = receive.complete(notice=notice, given=form.cleaned_data, at=timezone.now())
    return _back(secret, "completed" if after.missing != before else "unchanged")


@require_POST
def withdraw(request: HttpRequest, secret: str) -> HttpResponse:
    """Take back one article of a case, or with `claim=all` everything that can be taken back."""
    notice = notice_for(secret)
    number = request.POST.get("claim", "")
    claims = notice.claims.filter(state__in=TAKEN_BACK_FROM).order_by("number")
    if number != "all":
        claims = claims.filter(number=int(number[:9]) if number.isdecimal() else 0)
    done = [_withdrawn(pk, at=timezone.now()) for pk in list(claims.values_list("pk", flat=True))]
    return _back(secret, "withdrawn" if any(done) else "not-withdrawn")


def _withdrawn(claim_id: int, *, at: datetime) -> bool:
    try:
        actions.withdraw(claim_id=claim_id, at=at, reasons="Taken back on the page of the case.")
    except (actions.NotAllowed, ArticleNotAllowed):
        return False
    return True


@require_POST
def complain(request: HttpRequest, secret: str) -> HttpResponse:
    """Say why a refusal, or a removal in part, is wrong; somebody who did not decide it looks at it."""
    notice, number = notice_for(secret), request.POST.get("claim", "")
    claim = notice.claims.filter(number=int(number[:9]) if number.isdecimal() else 0).first()
    text = request.POST.get("text", "")[: complaints.LONGEST]
    try:
        if claim is None:
            return _back(secret, "not-complained")
        complaints.complain(claim_id=claim.pk, text=text, at=timezone.now())
    except actions.NotAllowed:
        return _back(secret, "not-complained")
    return _back(secret, "complained")


@require_POST
def prove(request: HttpRequest, secret: str) -> HttpResponse:
    """Look whether the owner published the proof for a domain named in the case."""
    notice, at = notice_for(secret), timezone.now()
    if limits.count("prove", str(notice.pk), window=limits.HOUR, at=at) > limits.PER_CHECK:
        return _back(secret, "too-often")
    method = proof.check(notice=notice, domain=request.POST.get("domain", "")[:253], at=at)
    return _back(secret, "proved" if method else "not-proved")


@require_POST
def ask_again(request: HttpRequest, secret: str) -> HttpResponse:
    """Send the letter that asks for confirmation once more."""
    notice, at = notice_for(secret), timezone.now()
    if limits.too_many(sender=limits.sender_of(request.META), mailbox=notice.email, at=at):
        return _back(secret, "too-often")
    if notice.confirmed_at is None:
        number = notice.letters.filter(kind=LetterKind.CONFIRM).count()
        letters.owe(kind=LetterKind.CONFIRM, notice=notice, at=at, key=f"confirm:{notice.pk}:again:{number}")
    return _back(secret, "asked")

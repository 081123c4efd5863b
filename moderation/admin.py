"""The moderators' desk: the queue of claims, and everything a decision rests on, read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import unquote, urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from articles import display, illustrations
from articles.canonical import address_key
from articles.models import Article, ArticleState, CutKind
from articles.sealing import Said
from moderation import (
    actions,
    answers,
    complaints,
    copies,
    escrow,
    flags,
    letters,
    misuse,
    original,
    queue,
    references,
    registry,
)
from moderation import desk_admin as desk_admin  # registers what is kept beside the claims
from moderation.actions import NotAllowed
from moderation.desk_models import CannedReason, Measure, SavedFilter
from moderation.models import (
    MOVES,
    OPEN_STATES,
    Claim,
    ClaimState,
    CounterNotice,
    Ground,
    LedgerEntry,
    Letter,
    Notice,
    NoticeEvent,
    NoticeLine,
    ReasonCode,
    RefusalProposal,
)
from moderation.reading import PAGE, ReadOnlyAdmin

S = ClaimState
URGENT_SECONDS = 2 * 3600
# What a list never needs: the long texts of a notice and of its article.
UNREAD = (
    "article__body", "article__signature", "article__standfirst", "notice__letter", "notice__raw",
    "notice__explanation", "notice__work", "notice__original_urls", "notice__address",
)  # fmt: skip


# --- what may be done -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Button:
    """One thing this moderator may do with this claim now."""

    move: str
    label: str
    hint: str
    key: str
    needs: str = ""


def buttons(claim: Claim, user: Any, at: datetime) -> Iterator[Button]:
    """What the map of moves, the claim's own facts and the person allow."""
    if not user.has_perm("moderation.decide_claim") or taken_by_another(claim, user, at):
        return
    state, proposal = S(claim.state), RefusalProposal.objects.filter(claim=claim).first()
    mine = claim.reviewer_id == user.pk and claim.reviewer_until and claim.reviewer_until > at
    complained = claim.complaints.filter(decided_at__isnull=True).exists()
    if (state in (*OPEN_STATES, S.COUNTERED) or complained) and not mine:
        yield Button("take", "Take this claim", "Keeps it for you for ten minutes.", "t")
    if S.UPHELD in MOVES[state] and may_decide_again(claim, user):
        yield Button("uphold", "Withhold now", "The article is gone with the next request.", "u", "uphold")
    if complained and may_decide_again(claim, user):
        yield Button(
            "dismiss",
            "Dismiss the complaint",
            "The decision stands; whoever complained reads why.",
            "x",
            "refusal_words",
        )
    if state in OPEN_STATES and actions.in_time(claim):
        yield from _refusal(proposal, user)
    if state == S.REDUCED and may_decide_again(claim, user) and escrow.has_part(claim):
        yield Button("reinstate", "Show the part again", "As it was; the claimant gets a letter.", "r")
    if state == S.UPHELD and complained and may_decide_again(claim, user):
        hint = "The objection is right: the article comes back as it was; the claimant reads why."
        yield Button("reinstate", "Show again", hint, "r", "refusal_words")
    if state == S.COUNTERED and _may_come_back(claim, at):
        yield Button(
            "reinstate", "Show again", "Nobody went to court; the article comes back as it was.", "r"
        )
    if S.COUNTERED in MOVES[state]:
        yield Button("counter", "Record a counter-notice", "Starts the ten business days.", "c", "counter")
    if S.WITHDRAWN in MOVES[state]:
        yield Button("withdraw", "Record a withdrawal", "The claimant took the claim back.", "w", "reasons")
    if S.ERASED in MOVES[state]:
        yield Button(
            "erase", "Erase for good", "Only when the owner demands it. Cannot be undone.", "e", "certain"
        )


def _refusal(proposal: RefusalProposal | None, user: Any) -> Iterator[Button]:
    if proposal is None:
        hint = "The article stays only when a second person agrees in time."
        yield Button("propose", "Propose to refuse", hint, "p", "refusal")
        hint = "Only this part goes, and only when a second person agrees in time; the rest stays."
        yield Button("reduce", "Propose to remove in part", hint, "d", "part")
    elif proposal.by_id != user.pk:
        what = proposal.get_part_display() or proposal.get_reason_code_display()
        hint = f"Proposed by {proposal.by}: {what}. {proposal.reasons}"
        yield Button("second", "Agree" if proposal.part else "Agree that it stays", hint, "s")


def taken_by_another(claim: Claim, user: Any, at: datetime) -> bool:
    return bool(
        claim.reviewer_id not in (None, user.pk) and claim.reviewer_until and claim.reviewer_until > at
    )


def may_decide_again(claim: Claim, user: Any) -> bool:
    """A complaint goes to somebody who had no part in the decision."""
    disputed = claim.state in (*complaints.AGAINST, *complaints.OBJECTED_TO)
    return not (disputed and actions.has_decided(claim, user))


def _may_come_back(claim: Claim, at: datetime) -> bool:
    answer = claim.counter_notices.in_force().first()
    first = answer.reinstate_not_before if answer else None
    return first is None or first <= timezone.localdate(at)


def _answerable(claim: Claim, at: datetime) -> bool:
    return answers.may_answer(claim) or answers.may_object(claim, at)


class DecisionForm(forms.Form):
    """What a moderator sends with a button. Which of it is needed the action says."""

    move = forms.CharField(max_length=20)
    version = forms.IntegerField()
    reason_code = forms.ChoiceField(choices=ReasonCode.choices, required=False)
    reasons = forms.CharField(max_length=5000, required=False)
    part = forms.ChoiceField(choices=CutKind.choices, required=False)
    name = forms.CharField(max_length=200, required=False)
    certain = forms.BooleanField(required=False)
    then = forms.CharField(max_length=10, required=False)
    canned = forms.IntegerField(required=False)


class CounterForm(forms.ModelForm):
    class Meta:
        model = CounterNotice
        fields = [
            "name", "email", "address", "phone", "statement", "under_penalty", "consents_to_court",
            "accepts_service", "signature",
        ]  # fmt: skip


Sent = dict[str, Any]
Act = Callable[[Claim, Any, datetime, Sent], object]


def _take(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    return actions.take(claim_id=claim.pk, by=by, at=at)


def _uphold(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    code = ReasonCode(sent["reason_code"] or ReasonCode.OWNER_ASKED)
    return actions.uphold(
        claim_id=claim.pk, by=by, at=at, reason_code=code, reasons=sent["reasons"], version=sent["version"]
    )


def _propose(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    return actions.propose_refusal(
        claim_id=claim.pk, by=by, at=at, reason_code=sent["reason_code"], reasons=sent["reasons"],
        version=sent["version"],
    )  # fmt: skip


def _reduce(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    if not sent["part"]:
        raise NotAllowed("Say which part is to go.")
    return actions.propose_refusal(
        claim_id=claim.pk, by=by, at=at, reason_code=ReasonCode.PART_ONLY, reasons=sent["reasons"],
        version=sent["version"], part=sent["part"], name=sent["name"],
    )  # fmt: skip


def _second(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    return actions.second_refusal(claim_id=claim.pk, by=by, at=at, version=sent["version"])


def _withdraw(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    return actions.withdraw(claim_id=claim.pk, by=by, at=at, reasons=sent["reasons"], version=sent["version"])


def _reinstate(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    return actions.reinstate(
        claim_id=claim.pk, by=by, at=at, reasons=sent["reasons"], version=sent["version"]
    )


def _erase(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    if not sent["certain"]:
        raise NotAllowed("Tick that the owner demands the erasure: it cannot be undone.")
    return actions.erase(claim_id=claim.pk, by=by, at=at, demanded=True)


def _copies(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    return copies.withhold(
        claim_id=claim.pk, articles_ids=sent["copies"], by=by, at=at, version=sent["version"]
    )


def _dismiss(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    return complaints.dismiss(
        claim_id=claim.pk, by=by, at=at, reasons=sent["reasons"], version=sent["version"]
    )


def _counter(claim: Claim, by: Any, at: datetime, sent: Sent) -> object:
    return actions.counter(claim_id=claim.pk, by=by, at=at, statement=sent["statement"])


ACTS: dict[str, tuple[Act, str]] = {
    "take": (_take, "is yours until {until:%H:%M} UTC."),
    "uphold": (_uphold, "is upheld: the article is withheld."),
    "propose": (_propose, "waits for a second person. Until then nothing changes, and the clock runs."),
    "reduce": (_reduce, "waits for a second person. Until then nothing changes, and the clock runs."),
    "second": (_second, "is decided: the article stays, without what was to go."),
    "withdraw": (_withdraw, "is withdrawn."),
    "reinstate": (_reinstate, "is closed: the article is shown again."),
    "erase": (_erase, "is erased."),
    "copies": (_copies, "has its copies withheld with it."),
    "dismiss": (_dismiss, "stays as it was decided; whoever complained gets the reasons."),
    "counter": (_counter, "is countered: the statutory clock runs."),
}


# --- the queue --------------------------------------------------------------------------------


def time_left(claim: Claim, at: datetime) -> str:
    """How long until the promise is due, in words that need no script."""
    seconds = int((claim.deadline_at - at).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    words = f"{hours} h {minutes} min"
    return f"{words} left" if seconds >= 0 else f"{words} past the deadline"


class QueueFilter(admin.SimpleListFilter):
    """The open claims, unless another part of the queue is asked for."""

    title = "state"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*queue.PARTS.items(), *ClaimState.choices]

    def choices(self, changelist: Any) -> Iterator[Any]:
        parts = super().choices(changelist)
        yield next(parts) | {"display": "Open"}
        yield from parts

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queue.part_of(queryset, self.value() or "", person=request.user, at=timezone.now())


class _OfNotice(admin.SimpleListFilter):
    """A filter by a column of the notice, its choices known without a query."""

    named: tuple[tuple[str, str], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.named)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{f"notice__{self.parameter_name}": value}) if value else queryset


class GroundFilter(_OfNotice):
    title = "ground"
    parameter_name = "ground"
    named = tuple((ground.value, str(ground.label)) for ground in Ground)


class LanguageFilter(_OfNotice):
    title = "language of the claimant"
    parameter_name = "language"
    named = tuple(letters.LANGUAGES.items())


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    list_display = (
        "time_left_",
        "reference_",
        "article_",
        "claimant",
        "lane_",
        "state_",
        "source_",
        "reviewer_",
    )
    list_display_links = ("time_left_", "reference_")
    list_filter = (QueueFilter, "lane", GroundFilter, LanguageFilter)
    list_select_related = ("notice", "article__source", "reviewer")
    search_fields = ("notice__reference",)
    bounded_search = True
    search_help_text = (
        "A reference (NR-…), the claimant's e-mail address, or an address of ours or of the original."
    )
    actions = ("uphold_selected",)

    class Media:
        css = {"all": ["moderation/queue.css"]}
        js = [Script("moderation/queue.js", type="module")]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("moderation.decide_claim")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        return super().get_queryset(request).defer(*UNREAD)

    def orders(self, request: HttpRequest) -> dict[str, Any]:
        return {"queue": self.get_ordering(request)}

    def get_ordering(self, request: HttpRequest) -> Any:
        # The nearest deadline first, except where nothing is left to decide.
        part = request.GET.get("queue", "")
        if part == "all":
            return ["-pk"]
        ended = part in ClaimState.values and part not in (*OPEN_STATES, S.COUNTERED)
        return ["-deadline_at", "-pk"] if ended else ["deadline_at", "pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Claim], search_term: str
    ) -> tuple[QuerySet[Claim], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if "://" in term or term.startswith("/"):
            slug = unquote(term.partition("?")[0].rstrip("/").rpartition("/")[2])
            named = Article.objects.filter(Q(slug=slug) | Q(url_key=_key(term)))
            return queryset.filter(article__in=named), False
        if "@" in term:
            return queryset.filter(notice__email__mailbox=term), False
        reference, _, number = term.upper().partition("/")
        found = queryset.filter(notice__reference=reference)
        return (found.filter(number=number) if number.isdecimal() else found), False

    @admin.display(description="time left")
    def time_left_(self, claim: Claim) -> SafeString | str:
        if claim.state not in OPEN_STATES:
            return f"{claim.deadline_at:%d %b %Y}"
        at = timezone.now()
        urgent = (claim.deadline_at - at).total_seconds() < URGENT_SECONDS
        return format_html(
            '<span class="{}">{}</span>', "left left-urgent" if urgent else "left", time_left(claim, at)
        )

    @admin.display(description="claim")
    def reference_(self, claim: Claim) -> str:
        return str(claim)

    @admin.display(description="article")
    def article_(self, claim: Claim) -> str:
        if claim.article.headline:
            return claim.article.headline[:90]
        return "[erased]" if claim.article.state == ArticleState.ERASED else "[under seal]"

    @admin.display(description="claimant")
    def claimant(self, claim: Claim) -> str:
        return claim.notice.organisation or claim.notice.name or claim.notice.email or "unknown"

    @admin.display(description="lane")
    def lane_(self, claim: Claim) -> SafeString:
        # Why, in full, stands on the page of the claim.
        return format_html('<span title="{}">{}</span>', claim.lane_reason, claim.lane)

    @admin.display(description="state")
    def state_(self, claim: Claim) -> str:
        return claim.get_state_display()

    @admin.display(description="source")
    def source_(self, claim: Claim) -> str:
        return claim.article.source.name if claim.article.source else "ours"

    @admin.display(description="with")
    def reviewer_(self, claim: Claim) -> str:
        waiting = claim.reviewer_until is not None and claim.reviewer_until > timezone.now()
        return str(claim.reviewer) if waiting and claim.reviewer else ""

    @admin.action(description="Withhold the selected articles now", permissions=["decide"])
    def uphold_selected(self, request: HttpRequest, queryset: QuerySet[Claim]) -> None:
        """Safe in bulk: hiding can be undone. Refusals and erasures are decided one by one."""
        chosen = list(queryset.values_list("pk", flat=True)[: PAGE + 1])
        if len(chosen) > PAGE:
            self.message_user(request, f"At most {PAGE} at once.", messages.ERROR)
            return
        done = 0
        for pk in chosen:
            try:
                actions.uphold(claim_id=pk, by=cast(User, request.user), at=timezone.now())
                done += 1
            except NotAllowed as error:
                self.message_user(request, str(error), messages.WARNING)
        self.message_user(request, f"{done} withheld.", messages.SUCCESS if done else messages.WARNING)

    # --- one claim ----------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("next/", wrap(self.open_next), name="moderation_claim_next"),
            path("views/", wrap(self.keep_view), name="moderation_claim_views"),
            path("measures/<int:pk>/lift/", wrap(self.lift), name="moderation_claim_lift"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        more = {
            "title": "Claims",
            "is_nav_sidebar_enabled": False,  # its room is the table's: who works the queue reads all its columns
            "views": list(queue.views_of(request.user)),
            "asked": queue.asked_of(request.META.get("QUERY_STRING", "")),
        }
        return super().changelist_view(request, more | (extra_context or {}))

    def keep_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the queue as it is narrowed now, or forget one's own view."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = reverse("admin:moderation_claim_changelist")
        if request.method != "POST":
            return HttpResponseRedirect(back)
        if request.POST.get("forget", "").isdecimal():
            SavedFilter.objects.filter(owner=request.user.pk, pk=int(request.POST["forget"])).delete()
            return HttpResponseRedirect(back)
        query = request.POST.get("query", "")
        try:
            view = queue.save_view(
                owner=request.user, name=request.POST.get("name", ""), query=query,
                shared="shared" in request.POST,
            )  # fmt: skip
        except queue.BadView as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(back)
        self.message_user(request, f"The view “{view}” is kept.", messages.SUCCESS)
        return HttpResponseRedirect(f"{back}?{view.query}")

    def lift(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a warning or a suspension back."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        back = request.POST.get("claim", "")
        where = "admin:moderation_claim_change" if back.isdecimal() else "admin:moderation_claim_changelist"
        answer = HttpResponseRedirect(reverse(where, args=[back] if back.isdecimal() else []))
        if request.method != "POST" or not Measure.objects.filter(pk=pk).exists():
            return answer
        try:
            measure = misuse.lift(
                measure_id=pk, by=cast(User, request.user), reason=request.POST.get("reason", ""),
                at=timezone.now(),
            )  # fmt: skip
        except misuse.NotLifted as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"Lifted: {measure}. The claimant gets a letter.", messages.SUCCESS)
        return answer

    def open_next(self, request: HttpRequest) -> HttpResponse:
        """Take the open claim with the nearest deadline that nobody has, and open it."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:moderation_claim_changelist"))
        return self._next(request)

    def _next(self, request: HttpRequest) -> HttpResponse:
        at, person = timezone.now(), cast(User, request.user)
        view = request.GET.get("_changelist_filters", "")
        kept = f"?{urlencode({'_changelist_filters': view})}" if queue.asked_of(view) else ""
        for pk in queue.narrowed(view, person=person, at=at).values_list("pk", flat=True)[:5]:
            try:
                actions.take(claim_id=pk, by=person, at=at)
            except NotAllowed:
                continue
            return HttpResponseRedirect(reverse("admin:moderation_claim_change", args=[pk]) + kept)
        told = (
            "Nothing else in this view waits for a decision."
            if kept
            else "Nothing else waits for a decision."
        )
        self.message_user(request, told, messages.SUCCESS)
        back = reverse("admin:moderation_claim_changelist")
        return HttpResponseRedirect(f"{back}?{view}" if kept else back)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        claim = self._claim(object_id)
        if request.method == "POST" and request.POST.get("move") == "look":
            return self._look(request, claim)
        counter = CounterForm(request.POST if request.POST.get("move") == "counter" else None)
        if request.method == "POST":
            answer = self._decide(request, claim, counter)
            if answer:
                return answer
        return self._page(request, claim, counter)

    def _look(self, request: HttpRequest, claim: Claim) -> HttpResponse:
        """The page with the original beside our article, fetched now."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        said, _ = sealed(claim)
        ours = said.body if said else claim.article.body
        found = original.look(claim.article.canonical_url, ours=ours)
        return self._page(request, claim, CounterForm(), found, registry.ages(claim))

    def _claim(self, object_id: str) -> Claim:
        claims = Claim.objects.select_related("notice", "article__source", "hold", "reviewer")
        found: Claim | None = claims.filter(pk=int(object_id)).first() if object_id.isdecimal() else None
        if found is None:
            raise Http404("There is no such claim.")
        return found

    def _decide(self, request: HttpRequest, claim: Claim, counter: CounterForm) -> HttpResponse | None:
        """Do what the button says; None when the counter-notice has to be shown again."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        form = DecisionForm(request.POST)
        if not form.is_valid() or form.cleaned_data["move"] not in ACTS:
            self.message_user(request, "This could not be read. Nothing was changed.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        sent = form.cleaned_data
        sent["copies"] = [int(pk) for pk in request.POST.getlist("copy") if pk.isdecimal()]
        sent["reasons"] = sent["reasons"] or _ready_words(sent["canned"])
        if sent["move"] == "counter":
            if not counter.is_valid():
                return None
            sent["statement"] = counter.cleaned_data
        return self._act(request, claim, sent)

    def _act(self, request: HttpRequest, claim: Claim, sent: Sent) -> HttpResponse:
        act, told = ACTS[sent["move"]]
        at = timezone.now()
        try:
            act(claim, request.user, at, sent)
        except NotAllowed as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        self.message_user(request, f"{claim} {told.format(until=at + actions.TAKEN_FOR)}", messages.SUCCESS)
        if sent["then"] == "next":
            return self._next(request)
        return HttpResponseRedirect(request.get_full_path())

    def _page(
        self,
        request: HttpRequest,
        claim: Claim,
        counter: CounterForm,
        found: original.Original | None = None,
        ages: Sequence[registry.Registered] = (),
    ) -> HttpResponse:
        at = timezone.now()
        media = display.picture_of(claim.article)
        sizes = list(media.renditions.order_by("width")[:1]) if media else []
        said, lost = sealed(claim)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Claim {claim}",
            "said": said,
            "said_body": display.text_of(Article(body=said.body)).body if said else "",
            "key_is_lost": lost,
            "opts": self.opts,
            "media": self.media,
            "claim": claim,
            "notice": claim.notice,
            "article": claim.article,
            "erased": claim.article.state == ArticleState.ERASED,
            "text": display.text_of(claim.article),
            "is_open": claim.state in OPEN_STATES,
            "time_left": time_left(claim, at),
            "urgent": (claim.deadline_at - at).total_seconds() < URGENT_SECONDS,
            "taken_by_another": taken_by_another(claim, request.user, at),
            "proposal": RefusalProposal.objects.filter(claim=claim).select_related("by").first(),
            "buttons": list(buttons(claim, request.user, at)),
            "refusal_reasons": [(code.value, code.label) for code in actions.REFUSAL_REASONS],
            "uphold_reasons": [(code.value, code.label) for code in UPHOLD_REASONS],
            "parts": CutKind.choices,
            "pictures": illustrations.pictures_of(claim.article),
            "named": list(claim.article.contributors.distinct().values_list("name", flat=True)),
            "counter_form": counter,
            "flags": list(flags.flags(claim)),
            "claimants_history": flags.claimants_history(claim),
            "record": misuse.record_of(claim.notice.email, at=at) if claim.notice.confirmed_at else None,
            "canned": _canned_for(claim),
            "notice_language": letters.LANGUAGES[letters.spoken(claim.notice.language)],
            "original": found,
            "ages": ages,
            "picture": display.picture_address(media, sizes[0].width) if media and sizes else "",
            "copies": copies.copies_of(claim),
            "may_hold_copies": self.has_decide_permission(request)
            and not taken_by_another(claim, request.user, at)
            and claim.state in (*OPEN_STATES, S.UPHELD),
            "complaints": list(claim.complaints.select_related("answer", "decided_by")),
            "counter_notices": claim.counter_notices.filter(complaint=None).order_by("-received_at"),
            "answer_url": references.answer_url(claim) if _answerable(claim, at) else "",
            "may_decide": self.has_decide_permission(request),
            "back": queue_address(request),
            "view_kept": request.GET.urlencode() if queue_address(request).count("?") else "",
            "sources_history": flags.sources_history(claim),
            "events": claim.events.select_related("by"),
            "decisions": claim.decisions.select_related("by", "second"),
            "letters": claim.letters.order_by("created_at")[:PAGE],
            "probes": claim.probes.all()[:PAGE],
            "can_see_article": request.user.has_perm("articles.view_article"),
        }
        return TemplateResponse(request, "admin/moderation/claim.html", context)


def queue_address(request: HttpRequest) -> str:
    """The queue as it was narrowed when this claim was opened."""
    view, back = request.GET.get("_changelist_filters", ""), reverse("admin:moderation_claim_changelist")
    return f"{back}?{view}" if queue.asked_of(view) else back


def _canned_for(claim: Claim) -> list[CannedReason]:
    """Ready words in the claimant's language."""
    spoken = letters.spoken(claim.notice.language)
    return list(CannedReason.objects.filter(language=spoken, active=True)[:200])


def _ready_words(pk: int | None) -> str:
    """The text that was chosen where nothing was written: without a script it is not copied into the field."""
    found = CannedReason.objects.filter(pk=pk, active=True).first() if pk else None
    return found.text if found else ""


def sealed(claim: Claim) -> tuple[Said | None, bool]:
    """What the claim's article said if it is under seal, and whether the key to it is lost."""
    try:
        return escrow.said(claim.article), False
    except escrow.CannotOpen:
        return None, True


UPHOLD_REASONS = (ReasonCode.OWNER_ASKED,)


# --- what it rests on -------------------------------------------------------------------------


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LineInline(ReadOnlyInline):
    model = NoticeLine
    fields = readonly_fields = ("position", "text", "verdict", "claim", "note")


class NoticeEventInline(ReadOnlyInline):
    model = NoticeEvent
    fields = readonly_fields = ("at", "kind", "note")
    verbose_name_plural = "what happened"


class LetterInline(ReadOnlyInline):
    model = Letter
    fields = readonly_fields = ("created_at", "kind", "language", "sent_at", "last_error")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("reference", "received_at", "channel", "name", "email", "ground", "closed_at")
    list_filter = ("channel", "ground")
    ordering = ("-pk",)  # as they arrived, and there is an index
    search_fields = ("reference",)
    bounded_search = True
    search_help_text = "A reference (NR-…) or the sender's e-mail address."
    inlines = (LineInline, NoticeEventInline, LetterInline)
    exclude = ("raw",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        return super().get_queryset(request).defer("raw")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Notice], search_term: str
    ) -> tuple[QuerySet[Notice], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(email__mailbox=term) if "@" in term else Q(reference=term.upper())
        return queryset.filter(wanted), False


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "kind", "payload", "hash")
    ordering = ("-seq",)
    search_fields = ("=seq",)
    search_help_text = "The number of an entry."


def _key(url: str) -> str:
    """The key of an address somebody pasted; one that nothing has when it cannot be read."""
    try:
        return address_key(url)
    except ValueError:
        return ""

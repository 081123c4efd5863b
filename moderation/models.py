"""Notices, the claims in them, what was decided, and the ledger of removals."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from articles.leases import Leased, LeasedManager, LeasedQuerySet
from articles.models import Article, CutKind, Hold
from moderation import desk_models, owner_models  # noqa: F401  (so that Django knows them)


class Channel(models.TextChoices):
    FORM = "form", "Form"
    EMAIL = "email", "E-mail"
    API = "api", "API"
    STAFF = "staff", "Staff"
    DRILL = "drill", "Drill"


class Ground(models.TextChoices):
    """On what right the claimant relies."""

    COPYRIGHT = "copyright", "Copyright"
    PRESS_PUBLISHER = "press_publisher", "Press publishers' right"
    PRIVACY = "privacy", "Privacy or personal data"
    DEFAMATION = "defamation", "Defamation"
    COURT_ORDER = "court_order", "Court order"
    OTHER = "other", "Another right"


# Where the law gives a counter-notice and its clock. Against what else is removed there are objections.
ANSWERABLE = (Ground.COPYRIGHT, Ground.PRESS_PUBLISHER)


class Lane(models.TextChoices):
    """What happens without a decision follows from what was proved, not from a score."""

    A = "A", "A: the source's own domain proved, held at once"
    B = "B", "B: mailbox confirmed and complete, held at the deadline"
    C = "C", "C: unconfirmed or incomplete, a person decides"


class Verdict(models.TextChoices):
    """What one line of a notice turned out to be."""

    OURS = "ours", "Our article"
    NOT_OURS = "not_ours", "Not on this site"
    GONE = "gone", "Already removed"
    DUPLICATE = "duplicate", "Already in an open case"
    UNRECOGNISED = "unrecognised", "Not recognised as an address"


class ClaimState(models.TextChoices):
    RECEIVED = "received", "Received"
    UNDER_REVIEW = "under_review", "Under review"
    UPHELD = "upheld", "Upheld"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    COUNTERED = "countered", "Countered"
    REINSTATED = "reinstated", "Reinstated"
    ERASED = "erased", "Erased"
    REDUCED = "reduced", "Removed in part"


_S = ClaimState
MOVES: dict[ClaimState, set[ClaimState]] = {
    _S.RECEIVED: {_S.UNDER_REVIEW, _S.UPHELD, _S.REDUCED, _S.REFUSED, _S.WITHDRAWN},
    _S.UNDER_REVIEW: {_S.UPHELD, _S.REDUCED, _S.REFUSED, _S.WITHDRAWN},
    # Shown again only when an objection to it was right.
    _S.UPHELD: {_S.ERASED, _S.COUNTERED, _S.WITHDRAWN, _S.REINSTATED},
    _S.COUNTERED: {_S.UPHELD, _S.REINSTATED, _S.WITHDRAWN},
    _S.REFUSED: {_S.UPHELD},
    _S.REINSTATED: set(),
    _S.WITHDRAWN: set(),
    _S.ERASED: set(),
    # The rest after all, or the part shown again.
    _S.REDUCED: {_S.UPHELD, _S.WITHDRAWN, _S.REINSTATED},
}
OPEN_STATES = (ClaimState.RECEIVED, ClaimState.UNDER_REVIEW)
# What its claimant can take back without asking us.
TAKEN_BACK_FROM = (*OPEN_STATES, ClaimState.UPHELD, ClaimState.COUNTERED)


class AppendOnlyError(TypeError):
    """History is written once: rows of this table are neither changed nor deleted."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("rows of this table are never changed")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("rows of this table are never deleted")


class AppendOnly(models.Model):
    """Abstract: a row that can be added and then only read."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("rows of this table are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("rows of this table are never deleted")


class Notice(models.Model):
    """The letter as it came. May name many articles; each becomes a Claim."""

    reference = models.CharField(max_length=24, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    intake_key = models.CharField(
        max_length=64,
        db_index=True,
        editable=False,
        help_text="SHA-256 of what was sent, so that twice is one case.",
    )
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.FORM)
    received_at = models.DateTimeField(help_text="Arrival at our side; the clock starts here.")
    deadline_at = models.DateTimeField(
        editable=False, help_text="Arrival plus the promised hours. Never moves."
    )
    language = models.CharField(max_length=12, default="en")
    name = models.CharField("full name", max_length=200, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    organisation = models.CharField(max_length=200, blank=True)
    address = models.TextField("postal address", max_length=1000, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    role = models.CharField(max_length=40, blank=True, help_text="Owner, or whom the sender acts for.")
    rights_holder = models.CharField(max_length=200, blank=True)
    ground = models.CharField(max_length=20, choices=Ground, default=Ground.COPYRIGHT)
    work = models.TextField("the work", max_length=10_000, blank=True)
    original_urls = models.TextField("where the original is", max_length=10_000, blank=True)
    explanation = models.TextField(max_length=20_000, blank=True)
    good_faith = models.BooleanField(default=False)
    accurate = models.BooleanField("accurate, under penalty of perjury", default=False)
    signature = models.CharField(max_length=200, blank=True)
    letter = models.TextField(blank=True, editable=False, help_text="What was sent, verbatim.")
    raw = models.BinaryField(null=True, editable=False, help_text="The message as it came, for e-mail.")
    message_id = models.CharField(max_length=500, blank=True, db_index=True, editable=False)
    missing = models.JSONField(default=list, editable=False, help_text="Which legal elements are missing.")
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    proofs = models.JSONField(
        default=list, editable=False, help_text="Domains proved, with method and moment."
    )
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    forgotten_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since then nothing personal is kept of it."
    )

    class Meta:
        ordering = ["-received_at"]
        indexes = [
            models.Index(Lower("email"), name="notice_mailbox"),
            models.Index(
                fields=["closed_at"],
                condition=Q(closed_at__isnull=False, forgotten_at__isnull=True),
                name="notice_to_forget",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["intake_key"], condition=Q(closed_at__isnull=True), name="notice_open_once"
            ),
            models.UniqueConstraint(
                fields=["message_id"], condition=~Q(message_id=""), name="notice_message_once"
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Written(models.Value):
    """A constant that stands in the SQL itself: SQLite uses a partial index only when it can read its condition."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return f"'{self.value}'", ()


class ClaimQuerySet(LeasedQuerySet):
    def open(self) -> ClaimQuerySet:
        """Claims that wait for a person, nearest deadline first."""
        waiting = [Written(state.value) for state in OPEN_STATES]
        return self.filter(state__in=waiting).order_by("deadline_at", "pk")


class Claim(Leased):
    """One article in one notice: this is what has a state and a hold. `due_at` is when erasure is due."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="claims")
    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(help_text="Its place in the notice, from 1.")
    state = models.CharField(max_length=12, choices=ClaimState, default=ClaimState.RECEIVED)
    lane = models.CharField(max_length=1, choices=Lane, default=Lane.C)
    lane_reason = models.CharField(max_length=300, blank=True)
    hold = models.ForeignKey(Hold, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    deadline_at = models.DateTimeField(help_text="The notice's deadline, here for the queue's order.")
    version = models.PositiveIntegerField(default=1, editable=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reviewer_until = models.DateTimeField(null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    proved_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When every surface was seen clean."
    )

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ["deadline_at", "pk"]
        permissions = [("decide_claim", "Can decide claims")]
        constraints = [
            models.UniqueConstraint(fields=["notice", "article"], name="claim_once"),
            models.CheckConstraint(condition=Q(state__in=ClaimState.values), name="claim_state_known"),
            models.CheckConstraint(condition=Q(lane__in=["A", "B", "C"]), name="claim_lane_known"),
            models.CheckConstraint(
                condition=~Q(state__in=["upheld", "countered", "erased"]) | Q(hold__isnull=False),
                name="claim_in_force_has_a_hold",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["refused", "withdrawn", "reinstated", "reduced"])
                | Q(hold__isnull=True),
                name="claim_lifted_has_no_hold",
            ),
        ]
        indexes = [
            models.Index(
                fields=["deadline_at", "id"],
                condition=Q(state__in=["received", "under_review"]),
                name="claim_queue",
            ),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="claim_erasure_due"),
            models.Index(fields=["state", "-deadline_at", "-id"], name="claim_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.notice}/{self.number}"

    @property
    def reference(self) -> str:
        """The opaque name its hold carries."""
        return f"claim:{self.pk}"


class NoticeLine(models.Model):
    """One line of a notice and what it turned out to be; a bad line never discards the rest."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    text = models.CharField(max_length=2000)
    verdict = models.CharField(max_length=12, choices=Verdict)
    claim = models.ForeignKey(Claim, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["notice", "position"], name="line_once")]


class ClaimEvent(AppendOnly):
    """One move of a claim's state."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="events")
    before = models.CharField(max_length=12, blank=True)
    after = models.CharField(max_length=12)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "pk"]


class ReasonCode(models.TextChoices):
    """Why a claim was refused or upheld."""

    OWNER_ASKED = "owner_asked", "The owner asked; the promise applies"
    LICENSED = "licensed", "We hold a licence for this use"
    NOT_THE_OWNER = "not_the_owner", "The claimant does not own the work"
    NOT_PROTECTED = "not_protected", "Not protected (facts, headline, link, very short extract)"
    EXCEPTION = "exception", "An exception of the law covers the use (quotation, reporting)"
    OTHER_WORK = "other_work", "The article does not contain the work"
    ABUSE = "abuse", "Manifestly unfounded or abusive notice"
    CLAIMANT_WITHDREW = "claimant_withdrew", "The claimant withdrew"
    COUNTER_NOTICE = "counter_notice", "Counter-notice"
    OBJECTION = "objection", "Looked at again by another person"
    PART_ONLY = "part_only", "Only a part of the article is the owner's"


class Decision(AppendOnly):
    """What was decided on a claim, by whom and why. The latest stands."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=12, choices=ClaimState)
    reason_code = models.CharField(max_length=20, choices=ReasonCode)
    reasons = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    second = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The second person, without whom no article stays up.",
    )
    automated = models.BooleanField(default=False)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(outcome="refused") | (Q(second__isnull=False) & ~Q(reasons="")),
                name="refusal_has_reasons_and_a_second_person",
            )
        ]


class RefusalProposal(models.Model):
    """A refusal one moderator proposed, waiting for another to second it."""

    claim = models.OneToOneField(Claim, on_delete=models.CASCADE, related_name="proposal")
    reason_code = models.CharField(max_length=20, choices=ReasonCode)
    reasons = models.TextField()
    part = models.CharField(
        max_length=10, choices=CutKind, blank=True, help_text="Set when this part goes and the rest stays."
    )
    name_key = models.CharField(max_length=64, blank=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()


class CounterNoticeQuerySet(models.QuerySet["CounterNotice"]):
    def in_force(self) -> CounterNoticeQuerySet:
        """Those whose mailbox answered, or which staff recorded; newest first. Objections are none."""
        return self.filter(confirmed_at__isnull=False, is_objection=False).order_by("-received_at", "-pk")


class CounterNotice(models.Model):
    """An affected party's answer to a removal (17 U.S.C. 512(g)(3)), or its objection where the law gives none.

    Without effect until its mailbox is confirmed.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="counter_notices")
    received_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    language = models.CharField(max_length=12, default="en", editable=False)
    digest = models.CharField(
        max_length=64, null=True, unique=True, editable=False,
        help_text="Keyed hash of what was sent, so that twice is one answer.",
    )  # fmt: skip
    name = models.CharField(max_length=200)
    email = models.EmailField()
    address = models.TextField(max_length=1000)
    phone = models.CharField(max_length=60, blank=True)
    statement = models.TextField(max_length=20_000)
    consents_to_court = models.BooleanField(default=False)
    accepts_service = models.BooleanField(default=False)
    under_penalty = models.BooleanField(default=False)
    signature = models.CharField(max_length=200)
    is_objection = models.BooleanField(
        default=False, editable=False, help_text="No clock runs: once confirmed it is a complaint."
    )
    reinstate_not_before = models.DateField(null=True, blank=True)
    reinstate_due_on = models.DateField(null=True, blank=True)

    objects = CounterNoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_objection=True)
                | Q(reinstate_not_before__isnull=False, reinstate_due_on__isnull=False),
                name="counter_notice_has_its_days",
            )
        ]


class LetterKind(models.TextChoices):
    RECEIVED = "received", "Received"
    CONFIRM = "confirm", "Please confirm"
    INCOMPLETE = "incomplete", "Something is missing"
    REMOVED = "removed", "Removed"
    REFUSED = "refused", "Refused"
    ERASED = "erased", "Erased"
    WITHDRAWN = "withdrawn", "Withdrawn"
    REINSTATED = "reinstated", "Reinstated"
    COUNTERED = "countered", "Counter-notice"
    REDUCED = "reduced", "Removed in part"
    WARNED = "warned", "A warning"
    SUSPENDED = "suspended", "Suspended"
    LIFTED = "lifted", "A warning or suspension lifted"
    COMPLAINT = "complaint", "Complaint received"
    DISMISSED = "dismissed", "Complaint dismissed"
    ANSWER = "answer", "How to answer a removal"
    VOUCH = "vouch", "Please confirm a counter-notice"
    ANSWERED = "answered", "Counter-notice received"
    SETTLED = "settled", "What became of a counter-notice"


# Not to the claimant but to whoever a removal touches: its publisher or author.
TO_THE_AFFECTED = (LetterKind.ANSWER, LetterKind.VOUCH, LetterKind.ANSWERED, LetterKind.SETTLED)


class Letter(Leased):
    """A mail we owe, written in the transaction that made us owe it. Sent when `sent_at` is set."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="letters")
    claim = models.ForeignKey(Claim, null=True, blank=True, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=12, choices=LetterKind)
    to = models.EmailField(max_length=254)
    language = models.CharField(max_length=12, default="en")
    context = models.JSONField(default=dict)
    key = models.CharField(
        max_length=120, unique=True, help_text="What it is about, so that it is sent once."
    )
    message_id = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    objects = LeasedManager()

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["due_at"], condition=Q(sent_at__isnull=True), name="letter_unsent")]


class Probe(models.Model):
    """One look at one surface through the front door after a removal."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="probes")
    surface = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    is_clean = models.BooleanField()
    found = models.CharField(max_length=200, blank=True, help_text="What was still there.")

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["claim", "-at"], name="probe_of_claim")]


class ProbePlan(Leased):
    """Where an article stood and what to look for there, remembered before its text is gone.

    `marks` are salted hashes of phrases, so that nothing of the article can be read from them.
    """

    claim = models.OneToOneField(Claim, on_delete=models.CASCADE, related_name="plan")
    addresses = models.JSONField(default=list, help_text="Pairs of surface and path.")
    own_path = models.CharField(max_length=300)
    salt = models.CharField(max_length=32)
    marks = models.JSONField(default=list)
    part = models.CharField(
        max_length=10, choices=CutKind, blank=True, help_text="Set when only this part has to be gone."
    )

    objects = LeasedManager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="probe_due")]

    def __str__(self) -> str:
        return f"Where {self.claim} stood"


class Escrow(models.Model):
    """What a withheld article said, enciphered; its key is a file outside the database (moderation/escrow.py).

    `due_at` is set while something is left to do after a commit: files to delete, a key to destroy.
    """

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="+")
    part_of = models.OneToOneField(
        Claim, null=True, blank=True, on_delete=models.PROTECT, related_name="kept_part",
        help_text="Set when only the part is here that was removed for this claim.",
    )  # fmt: skip
    token = models.CharField(max_length=32, unique=True, editable=False)
    content = models.BinaryField()
    sealed_at = models.DateTimeField()
    files = models.JSONField(default=list, help_text="Readable files that are still to be deleted.")
    ended_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["article"], condition=Q(part_of__isnull=True), name="escrow_once_an_article"
            )
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="escrow_due")]

    def __str__(self) -> str:
        return f"What article {self.article_id} said"


class LedgerEntry(AppendOnly):
    """One line of the removal ledger; the same line stands in a file outside the database."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20)
    payload = models.TextField(help_text="Canonical JSON.")
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["seq"]
        verbose_name_plural = "ledger entries"
        indexes = [models.Index(fields=["at"], name="ledger_by_day")]


class DomainProof(models.Model):
    """That a claimant controls a domain, and how that was proved."""

    domain = models.CharField(max_length=253, db_index=True)
    email = models.EmailField(max_length=254, db_index=True)
    method = models.CharField(max_length=12)
    token = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    proved_at = models.DateTimeField(null=True, blank=True)
    notice = models.ForeignKey(
        Notice, null=True, blank=True, on_delete=models.CASCADE, related_name="domain_proofs"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "domain", "method"], name="domain_proof_once")
        ]


class NoticeEvent(AppendOnly):
    """Something that happened to a notice as a whole: arrived, confirmed, completed, a domain proved."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12)
    at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class MailOutcome(models.TextChoices):
    """What became of one message that reached us."""

    NOTICE = "notice", "A notice of its own"
    REPLY = "reply", "Added to a notice"
    CONFIRMED = "confirmed", "Confirmed a notice"
    IGNORED = "ignored", "No answer is owed"


class IncomingMail(models.Model):
    """One message that reached us and what became of it, so that twice delivered is once read."""

    digest = models.CharField(
        max_length=64, unique=True, editable=False, help_text="SHA-256 of what was written."
    )
    message_id = models.CharField(max_length=500, blank=True, db_index=True)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=MailOutcome)
    reason = models.CharField(max_length=200, blank=True)
    notice = models.ForeignKey(Notice, null=True, blank=True, on_delete=models.CASCADE, related_name="mails")
    sender = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True, help_text="What a reply said; a notice keeps its own letter.")

    class Meta:
        ordering = ["-received_at", "-pk"]
        verbose_name = "incoming mail"
        verbose_name_plural = "incoming mail"

    def __str__(self) -> str:
        return self.subject or self.message_id or f"mail {self.pk}"


class RateWindow(models.Model):
    """How often something happened in one window of time. The key is a hash: no address is kept."""

    key = models.CharField(max_length=64)
    began_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "began_at"], name="rate_window_once")]
        indexes = [models.Index(fields=["began_at"], name="rate_window_age")]

    def __str__(self) -> str:
        return f"{self.count} since {self.began_at:%Y-%m-%d %H:%M}"

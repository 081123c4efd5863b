"""After an older database was restored: bring it up to the ledger that stands outside it."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from articles import actions as articles
from articles import cuts
from articles.models import Article, ArticleState, BlockKind, CutKind, Hold, HoldKind
from moderation import actions, escrow, ledger, misuse, owners, receive
from moderation.ledger import Line
from moderation.models import Channel, Claim, ClaimState, Lane, LedgerEntry, Notice
from moderation.references import hash_of, secret_of

logger = logging.getLogger(__name__)

S = ClaimState
KEPT = "Keep the file as it is, find out who wrote to it, and look for a whole copy beside a backup."
PASSED_OVER = (
    " The database has this entry itself: --despite-damage applies what it lacks, which is whole in the file."
)


class CannotReplay(RuntimeError):
    """File and database are not two ages of one ledger; a person has to look."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One entry the database lacked, and to how many of its articles it was applied."""

    line: Line
    articles: int


def replay(*, despite_damage: bool = False) -> Iterator[Replayed]:
    """Apply what the database lacks, each entry in one transaction; ended half-way it can begin again.

    Raises CannotReplay over a file whose chain does not hold anywhere; `despite_damage` lets damage pass
    that lies among the entries which the database has as well.
    """
    with ledger.locked_file():
        for line in _missing(despite_damage):
            yield Replayed(line, _apply(line))


def _missing(despite_damage: bool) -> list[Line]:
    """The file's entries after the last one the two have in common, the whole file checked."""
    lines = [line for line in ledger.file_lines() if line.endswith(b"\n")]
    last = LedgerEntry.objects.filter(seq__lte=len(lines)).order_by("-seq").first()
    seq, previous = (last.seq, last.hash) if last else (0, ledger.GENESIS)
    fault = ledger.fault_in_lines(lines[seq:], seq, previous)
    if fault is None and not despite_damage:
        fault = ledger.fault_in_lines(lines[:seq])
    if seq and not _ends_with(lines[seq - 1], previous):
        raise CannotReplay(
            f"Not replayed: entry {seq} of the database is not entry {seq} of the file. Run verify_ledger."
        )
    if fault:
        raise CannotReplay(f"Not replayed: {fault}. {KEPT if fault.seq > seq else KEPT + PASSED_OVER}")
    return [ledger.parse(line) for line in lines[seq:]]


def _ends_with(line: bytes, digest: str) -> bool:
    try:
        return ledger.parse(line).hash == digest
    except ValueError:
        return False


@transaction.atomic
def _apply(line: Line) -> int:
    verb = VERBS.get(line.kind)
    found = verb(line) if verb else 0
    LedgerEntry(
        seq=line.seq,
        at=datetime.fromisoformat(line.at),
        kind=line.kind,
        payload=ledger.canonical(line.payload),
        previous=line.previous,
        hash=line.hash,
    ).save(force_insert=True)
    return found


def _receive(line: Line) -> int:
    """The notice again, without a word of what it said: the ledger has nothing personal.

    Its reference stays good, its address shows what was decided, and moderators see whom to ask anew.
    """
    said = line.payload
    if Notice.objects.filter(reference=said["reference"]).exists():
        return 0
    arrived = datetime.fromisoformat(said["received_at"])
    notice = Notice(
        reference=said["reference"],
        secret_hash=hash_of(secret_of(said["reference"])),
        intake_key=hashlib.sha256(f"replayed {said['reference']}".encode()).hexdigest(),
        channel=said.get("channel", Channel.FORM),
        received_at=arrived,
        deadline_at=arrived + timedelta(hours=settings.PROMISE_HOURS),
        letter="What this notice said was lost with the database. Its reference and its articles stand in the ledger.",
    )
    notice.missing = receive.missing_elements(notice)
    notice.save(force_insert=True)
    receive.note_event(notice, "replayed", at=arrived, note="Written anew from the ledger after a restore.")
    return sum(_claim_again(notice, number, of) for number, of in enumerate(said["claims"], 1))


def _claim_again(notice: Notice, number: int, of: dict[str, Any]) -> bool:
    """The claim on an article the copy has. On one it lacks the entries that follow place a tombstone."""
    article = Article.objects.filter(key=uuid.UUID(of["article"])).first()
    if article is None:
        return False
    claim = Claim.objects.create(
        notice=notice, article=article, number=number, deadline_at=notice.deadline_at,
        lane=of.get("lane") or (Lane.B if of["effective_at"] else Lane.C),
        lane_reason="As it was before an older database was restored.",
    )  # fmt: skip
    # The entry of its hold may stand before that of its arrival.
    hold = Hold.objects.standing().filter(article=article, reference=f"ledger:{claim}").first()
    if hold is not None:
        Hold.objects.filter(pk=hold.pk).update(reference=claim.reference)
        claim.hold = hold
        claim.save(update_fields=["hold"])
    return True


def _withhold(line: Line) -> int:
    works = _works(line)
    for article in works:
        hold = _place(line, article)
        if line.kind != "held":
            Hold.objects.filter(pk=hold.pk, latched_at__isnull=True).update(latched_at=Now())
    _set_aside_copies(line, works)
    _agree(line)
    return len(works)


def _release(line: Line) -> int:
    _agree(line)
    holds = Hold.objects.standing().filter(reference=_reference(line))
    for hold in holds:
        _put_back(hold.article)
        articles.release_hold(hold=hold, at=datetime.fromisoformat(line.at), by=None)
    return len(holds)


def _reduce(line: Line) -> int:
    """Lift the hold and take out the part again; it is kept as long as the claim it belongs to."""
    found = _release(line)
    at, part = datetime.fromisoformat(line.at), line.payload.get("part", "")
    claim = _claim(line)
    for article in Article.objects.filter(key=uuid.UUID(line.payload["article"])):
        _, taken = cuts.cut(
            article=article, kind=CutKind(part), reference=_reference(line), at=at,
            name_key=line.payload.get("name_key", ""),
        )  # fmt: skip
        if claim is not None and not escrow.has_part(claim):
            escrow.keep_part(claim=claim, sealed=taken, at=at)
    return found


def _put_back(article: Article) -> None:
    """What the copy has under seal says again what it said; without its key it stays with the editors."""
    try:
        escrow.unseal(article=article)
    except escrow.CannotOpen:
        logger.exception("article %s cannot be put back; it waits in review", article.key)
        articles.set_aside(article=article, to=ArticleState.REVIEW, by=None)


def _erase(line: Line) -> int:
    found = _withhold(line)
    for article in _works(line):
        if article.state != ArticleState.ERASED:
            articles.erase(article=article, at=datetime.fromisoformat(line.at))
        escrow.end(article=article, at=datetime.fromisoformat(line.at))
    return found


VERBS: dict[str, Callable[[Line], int]] = {
    "received": _receive,
    "warned": lambda line: misuse.replay(line.kind, line.payload, datetime.fromisoformat(line.at)),
    "suspended": lambda line: misuse.replay(line.kind, line.payload, datetime.fromisoformat(line.at)),
    "lifted": lambda line: misuse.replay_lift(line.payload, datetime.fromisoformat(line.at)),
    "opted_out": owners.replay_opt_out,
    "opted_in": owners.replay_opt_in,
    "held": _withhold,
    S.UPHELD.value: _withhold,
    S.COUNTERED.value: _withhold,
    S.REFUSED.value: _release,
    S.REDUCED.value: _reduce,
    S.WITHDRAWN.value: _release,
    S.REINSTATED.value: _release,
    S.ERASED.value: _erase,
}


def _place(line: Line, article: Article) -> Hold:
    keys = [(BlockKind(kind), key) for kind, key in line.payload.get("blocks", [])]
    return articles.place_hold(
        article=article,
        kind=HoldKind.LEGAL,
        reference=_reference(line),
        effective_at=datetime.fromisoformat(line.payload["effective_at"]),
        at=datetime.fromisoformat(line.at),
        by=None,
        note="Withheld at the request of its owner.",
        other_keys=keys,
    )


def _works(line: Line) -> list[Article]:
    """The article, and copies of it that came in since the restore; a tombstone when there is none.

    A copy that stood here before was not withheld with it then, and is not now.
    The tombstone has no text and no address. It is there so that the hold and its keys have something
    to belong to, and by them the work stays out.
    """
    keys, since = line.payload.get("blocks", []), datetime.fromisoformat(line.at)
    addresses = [key for kind, key in keys if kind == BlockKind.ADDRESS]
    texts = [key for kind, key in keys if kind == BlockKind.TEXT]
    # Each of them by an index of its own; that of texts has no articles without one.
    same = Q(key=uuid.UUID(line.payload["article"])) | Q(url_key__in=addresses, created_at__gte=since)
    same |= Q(~Q(text_key=""), text_key__in=texts, created_at__gte=since)
    return list(Article.objects.filter(same)) or [_tombstone(line)]


def _set_aside_copies(line: Line, works: list[Article]) -> None:
    """Edited copies that came in since the restore wait for an editor, as they would have then."""
    words = {key for kind, key in line.payload.get("blocks", []) if kind == BlockKind.WORDING}
    if not words or line.kind == "held":
        return
    for article in articles.worded_like(words=words, since=datetime.fromisoformat(line.at)):
        if article not in works:
            articles.set_aside(article=article, to=ArticleState.REVIEW, by=None)


def _tombstone(line: Line) -> Article:
    key = uuid.UUID(line.payload["article"])
    return Article.objects.create(key=key, slug=f"removed-{key.hex}", state=ArticleState.ERASED)


def _reference(line: Line) -> str:
    """The claim's own name for its hold; one that no later claim can take when the claim is not here."""
    claim = _claim(line)
    return claim.reference if claim else f"ledger:{line.payload['claim']}"


def _claim(line: Line) -> Claim | None:
    reference, _, number = line.payload["claim"].rpartition("/")
    return Claim.objects.filter(notice__reference=reference, number=number).first()


def _agree(line: Line) -> None:
    claim = _claim(line)
    if claim is None:
        return
    hold = Hold.objects.standing().filter(article=claim.article_id, reference=claim.reference).first()
    state = S(claim.state if line.kind == "held" else line.kind)
    actions.agree(claim_id=claim.pk, to=state, hold=hold, at=datetime.fromisoformat(line.at))

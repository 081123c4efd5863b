"""What whoever proved control of a domain may do beyond one notice: opt out of being shown, and in again; hold keys.

Nothing here reaches beyond the domain that was proved.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from articles import opting_out
from articles.actions import name_key
from articles.leases import back_off
from articles.models import Article
from articles.optouts import OptOut, OptOutKind, author_value, path_value
from moderation import ledger, proof, receive
from moderation.ledger import Line
from moderation.models import DomainProof, Notice
from moderation.owner_models import ApiKey, StandingOptOut
from moderation.references import hash_of

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

PORTION = 500
# What other outlets' feeds brought is not covered by the public query's own look at the source, so this
# many of them are withheld with the rule itself and the rest by the worker.
AT_ONCE = 2_000
LEASE_SECONDS = 300
KEYS_EACH = 10
KEY_MARK = "nrk_"


class NotProved(Exception):
    """The message says what was not proved, or what cannot be understood."""


# --- what was proved --------------------------------------------------------------------------


def proofs(notice: Notice, *, at: datetime) -> dict[str, DomainProof]:
    """Domain to its newest proof: for this notice, or by its mailbox, within the last year.

    None before the mailbox is confirmed. Mail signed by a mailbox provider proves a mailbox and no paper.
    """
    if notice.confirmed_at is None:
        return {}
    mine = Q(notice=notice) | Q(pk__in=receive.proofs_by_mailbox(notice, at=at))
    since = at - timedelta(days=receive.STANDING_PROOF_DAYS)
    rows = DomainProof.objects.filter(mine, proved_at__gte=since).order_by("proved_at")
    return {row.domain: row for row in rows if proof.proves_a_publisher(row.domain)}


def proof_of(notice: Notice, domain: str, at: datetime) -> DomainProof:
    """The proof by which this case may act for the whole domain; raises NotProved."""
    if notice.confirmed_at is None:
        # What is done for a whole domain, and for later notices, needs somebody who can be written to.
        raise NotProved(gettext("Confirm your mailbox first. The page of the case says how."))
    found = proofs(notice, at=at).get(domain)
    if found is None:
        raise NotProved(gettext("Control of this domain was not proved."))
    return found


# --- opting out -------------------------------------------------------------------------------


def opt_out(
    *, notice: Notice, domain: str, kind: OptOutKind | str, value: str = "", at: datetime
) -> StandingOptOut:
    """Show nothing of this domain, of this author there, or under this path, now and from now on.

    `value` is the author's name as printed, or the path. Takes effect when this commits.
    """
    proved = proof_of(notice, domain, at)
    wanted = OptOut(domain=domain, kind=OptOutKind(kind), value=_value(domain, kind, value), since=at)
    # Before anything is locked: this reads every address there is. What comes in meanwhile the worker finds.
    by_others, _ = opting_out.covered_after(wanted, cursor=0, limit=AT_ONCE, by_others=True)
    return _opt_out(notice, proved, wanted, by_others, at)


@transaction.atomic
def _opt_out(
    notice: Notice, proved: DomainProof, wanted: OptOut, by_others: Sequence[Article], at: datetime
) -> StandingOptOut:
    domain = wanted.domain
    rule = opting_out.opt_out(domain=domain, kind=OptOutKind(wanted.kind), value=wanted.value, at=at)
    standing, created = StandingOptOut.objects.get_or_create(
        rule=rule, defaults={"notice": notice, "proof": proved, "due_at": at}
    )
    if created:
        facts = {"opt_out": str(rule.key), "domain": domain, "kind": rule.kind, "value": rule.value}
        ledger.append(kind="opted_out", payload=facts | {"since": ledger.moment(rule.since)}, at=at)
        receive.note_event(notice, "opted_out", at=at, note=f"Opted out: {rule}.")
        standing.withheld = opting_out.hold_covered(rule=rule, articles=by_others, at=at)
        standing.save(update_fields=["withheld"])
    return standing


def _value(domain: str, kind: OptOutKind | str, value: str) -> str:
    if kind == OptOutKind.AUTHOR:
        if not value.strip():
            raise NotProved("Give the author's name as it is printed.")
        return author_value(name_key(value))
    if kind == OptOutKind.PATH:
        path = path_value(domain, value)
        if not path:
            raise NotProved(f"This is no path on {domain}.")
        return path
    return ""


@transaction.atomic
def lift(*, notice: Notice, opt_out_id: int, at: datetime) -> StandingOptOut:
    """The owner of the same domain allows it again; what else withholds an article still does."""
    rows = StandingOptOut.objects.select_for_update(of=("self",)).select_related("rule")
    standing: StandingOptOut = rows.get(pk=opt_out_id)
    proof_of(notice, standing.rule.domain, at)
    if standing.rule.lifted_at is None:
        opting_out.lift(rule=standing.rule, at=at)
        ledger.append(kind="opted_in", payload={"opt_out": str(standing.rule.key)}, at=at)
        receive.note_event(notice, "opted_in", at=at, note=f"Opted in again: {standing.rule}.")
        released = opting_out.release_covered(rule=standing.rule, at=at, limit=PORTION)
        standing.due_at, standing.cursor, standing.withheld = at, 0, _less(standing, released)
        standing.save(update_fields=["due_at", "cursor", "withheld"])
    return standing


def standing_at(domain: str) -> list[StandingOptOut]:
    """The rules that stand for a domain, newest first, whoever of its owners set them."""
    rows = StandingOptOut.objects.filter(rule__domain=domain, rule__lifted_at__isnull=True)
    return list(rows.select_related("rule__contributor")[:200])


def coming_back(domain: str) -> list[StandingOptOut]:
    """The rules that were lifted and whose articles are still being shown again."""
    rows = StandingOptOut.objects.filter(rule__domain=domain, rule__lifted_at__isnull=False)
    return list(rows.filter(due_at__isnull=False).select_related("rule__contributor")[:200])


def newest_article() -> int:
    """The id of the newest article, against which the worker's progress is told."""
    return Article.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


# --- in portions ------------------------------------------------------------------------------


def apply_due(limit: int, at: datetime) -> int:
    """Withhold, or after a lift release, the next portions article by article. Resumes where a dead worker stopped.

    Readers see no difference: the rule itself is obeyed by the public query. The holds keep addresses
    and identifiers from coming in again through other feeds.
    """
    due = list(StandingOptOut.objects.claimable(at).order_by("due_at").values_list("pk", flat=True)[:limit])
    return sum(_apply_portion(pk, at) for pk in due)


def _apply_portion(pk: int, at: datetime) -> int:
    token = StandingOptOut.objects.claim(pk, at=at, seconds=LEASE_SECONDS)
    if not token:
        return 0
    standing = StandingOptOut.objects.select_related("rule").get(pk=pk)
    try:
        changes = _release_portion(standing, at) if standing.rule.lifted_at else _hold_portion(standing, at)
    except Exception:
        logger.exception("opt-out %s: a portion failed; it is tried again", pk)
        StandingOptOut.objects.finish(pk, token, due_at=at + back_off(standing.attempts))
        return 0
    StandingOptOut.objects.finish(pk, token, attempts=0, **changes)
    return 1


def _hold_portion(standing: StandingOptOut, at: datetime) -> dict[str, object]:
    found, last = opting_out.covered_after(standing.rule, cursor=standing.cursor, limit=PORTION)
    held = opting_out.hold_covered(rule=standing.rule, articles=found, at=at)
    return {"cursor": last, "withheld": standing.withheld + held, "due_at": at if last else None}


def _release_portion(standing: StandingOptOut, at: datetime) -> dict[str, object]:
    released = opting_out.release_covered(rule=standing.rule, at=at, limit=PORTION)
    return {"withheld": _less(standing, released), "due_at": at if released else None}


def _less(standing: StandingOptOut, released: int) -> int:
    return max(0, standing.withheld - released)


# --- after a restore --------------------------------------------------------------------------


def replay_opt_out(line: Line) -> int:
    """Set a rule again that a restored database lacks; its portions follow."""
    told = line.payload
    rule = OptOut.objects.filter(key=told["opt_out"]).first()
    if rule is None:
        since = datetime.fromisoformat(told["since"])
        rule = opting_out.opt_out(
            domain=told["domain"], kind=OptOutKind(told["kind"]), value=told["value"], at=since
        )
        OptOut.objects.filter(pk=rule.pk).update(key=told["opt_out"])
    StandingOptOut.objects.get_or_create(rule=rule, defaults={"due_at": datetime.fromisoformat(line.at)})
    return 0


def replay_opt_in(line: Line) -> int:
    """Lift a rule again that a restored database still has."""
    rule = OptOut.objects.filter(key=line.payload["opt_out"]).first()
    if rule is not None:
        at = datetime.fromisoformat(line.at)
        opting_out.lift(rule=rule, at=at)
        StandingOptOut.objects.filter(rule=rule).update(due_at=at, cursor=0)
    return 0


# --- keys -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as its owner sees it, this once."""

    row: ApiKey
    secret: str


@transaction.atomic
def new_key(*, notice: Notice, domain: str, at: datetime) -> NewKey:
    """A key for the domain's programs. Its text is in the answer and nowhere else."""
    proof_of(notice, domain, at)
    if ApiKey.objects.filter(domain=domain, revoked_at__isnull=True).count() >= KEYS_EACH:
        raise NotProved(f"A domain has at most {KEYS_EACH} keys. Revoke one first.")
    secret = KEY_MARK + secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        domain=domain, email=notice.email, notice=notice, begins=secret[:10], key_hash=hash_of(secret), created_at=at
    )  # fmt: skip
    receive.note_event(notice, "key_made", at=at, note=f"A key for {domain}: {row.begins}….")
    return NewKey(row, secret)


@transaction.atomic
def revoke_key(*, notice: Notice, key_id: int, at: datetime) -> ApiKey:
    """From now on the key opens nothing."""
    row = ApiKey.objects.select_for_update().get(pk=key_id)
    proof_of(notice, row.domain, at)
    if row.revoked_at is None:
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
        receive.note_event(notice, "key_revoked", at=at, note=f"Key {row.begins}… of {row.domain}.")
    return row


@transaction.atomic
def end_key(*, key_id: int, by: User, at: datetime) -> ApiKey:
    """A moderator ends a key, such as one that leaked; its notice, while there is one, says so."""
    row = ApiKey.objects.select_for_update().get(pk=key_id)
    if row.revoked_at is None:
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
        if row.notice is not None:
            # The owner reads this: who here did it stands in the log, not there.
            logger.info("key %s… of %s was revoked by user %s", row.begins, row.domain, by.pk)
            note = f"Key {row.begins}… of {row.domain}, by us."
            receive.note_event(row.notice, "key_revoked", at=at, note=note)
    return row


def keys_of(domain: str) -> list[ApiKey]:
    """The domain's keys that open something."""
    return list(ApiKey.objects.filter(domain=domain, revoked_at__isnull=True))


def key_called(text: str, *, at: datetime) -> ApiKey | None:
    """The key with this text, noted as used; None for one never given out, revoked, or a year old.

    A domain may change hands, so a key lives as long as a proof does.
    """
    if not text.startswith(KEY_MARK) or len(text) > 100:
        return None
    since = at - timedelta(days=receive.STANDING_PROOF_DAYS)
    rows = ApiKey.objects.filter(key_hash=hash_of(text), revoked_at__isnull=True, created_at__gte=since)
    row = rows.first()
    if row is not None:
        ApiKey.objects.filter(pk=row.pk).update(used_at=at)
    return row

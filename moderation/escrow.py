"""Withheld articles under seal: what they said, enciphered, each under a key of its own.

The ciphertext is a row; the key is a file beside the ledger, outside the database and outside every
backup of it. Lifting the hold puts everything back byte for byte. When the window ends, or at once when the
owner demands it, the key is destroyed: then the ciphertext is noise, in every copy of the database.
"""

from __future__ import annotations

import logging
import os
import secrets
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from articles import illustrations, sealing
from articles.durable import sync_folder
from articles.models import Article, ArticleState, Hold
from moderation.models import Claim, ClaimState, Escrow

logger = logging.getLogger(__name__)

IN_FORCE = (ClaimState.UPHELD, ClaimState.COUNTERED)
NONCE = 12
# The key of an article that shows again opens the copies in older backups: it is kept as long as those.
SPARE_KEYS_KEPT = timedelta(days=35)


# How long a store that did not delete is left alone before it is asked again.
ASKED_AGAIN = timedelta(minutes=5)


class CannotOpen(RuntimeError):
    """The key is not there, or does not fit."""


class NotDeleted(RuntimeError):
    """The store of pictures did not delete what it was told to."""


# --- sealing ----------------------------------------------------------------------------------


def unsealed() -> QuerySet[Claim]:
    """Claims in force whose article still lies readable in its row."""
    kept = Escrow.objects.filter(article=OuterRef("article"), part_of__isnull=True)
    claims: QuerySet[Claim] = Claim.objects.filter(~Exists(kept), state__in=IN_FORCE)
    return claims.exclude(article__state=ArticleState.ERASED)


@transaction.atomic
def seal(*, article: Article, at: datetime) -> Escrow | None:
    """Move what a withheld article says under a key of its own; None when it is there already."""
    article = Article.objects.select_for_update().get(pk=article.pk)
    if article.state == ArticleState.ERASED or _whole(article).exists():
        return None
    if not Hold.objects.in_effect().filter(article=article).exists():
        return None
    return _keep(sealing.seal(article=article), article=article, at=at)


@transaction.atomic
def keep_part(*, claim: Claim, sealed: sealing.Sealed, at: datetime) -> Escrow:
    """The part of an article that was removed for this claim, under a key of its own."""
    return _keep(sealed, article=claim.article, part_of=claim, at=at)


def _whole(article: Article) -> QuerySet[Escrow]:
    rows: QuerySet[Escrow] = Escrow.objects.filter(article=article, part_of__isnull=True)
    return rows


def _keep(sealed: sealing.Sealed, *, article: Article, at: datetime, part_of: Claim | None = None) -> Escrow:
    token = secrets.token_hex(16)
    # The key is on the disk before the row that needs it is committed.
    content = _encipher(sealed.content, _make_key(token), token)
    row = Escrow.objects.create(
        article=article, part_of=part_of, token=token, content=content, sealed_at=at, files=sealed.files,
        due_at=at,
    )  # fmt: skip
    _settle_after_commit(row.pk)
    return row


def seal_due(limit: int, at: datetime) -> int:
    """Seal what a failure left readable; returns how many were tried."""
    claims = list(unsealed().select_related("article").order_by("pk")[:limit])
    return sum(_seal_one(claim, at) for claim in claims)


def _seal_one(claim: Claim, at: datetime) -> bool:
    try:
        return seal(article=claim.article, at=at) is not None
    except Exception:
        logger.exception("claim %s: its article could not be sealed; it stays withheld all the same", claim)
        return False


def _encipher(content: bytes, key: bytes, token: str) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, zlib.compress(content), token.encode())


# --- opening ----------------------------------------------------------------------------------


def said(article: Article) -> sealing.Said | None:
    """What a sealed article said, for a moderator; None when it is not sealed. Raises CannotOpen."""
    row = _whole(article).filter(ended_at__isnull=True).first()
    return sealing.read(_decipher(row)) if row else None


@transaction.atomic
def unseal(*, article: Article, without: Claim | None = None) -> bool:
    """Put everything back, unless a claim other than `without` keeps it sealed. Raises CannotOpen."""
    row = _whole(article).select_for_update().filter(ended_at__isnull=True).first()
    others = Claim.objects.filter(article=article, state__in=IN_FORCE)
    if row is None or others.exclude(pk=without.pk if without else None).exists():
        return False
    sealing.unseal(article=article, content=_decipher(row))
    _release_key(row)
    return True


def has_part(claim: Claim) -> bool:
    """Can the part that was removed for this claim still be put back?"""
    return Escrow.objects.filter(part_of=claim, ended_at__isnull=True).exists()


@transaction.atomic
def take_part(*, claim: Claim) -> bytes:
    """The part that was removed for this claim, handed out once. Raises CannotOpen when it is destroyed."""
    row = Escrow.objects.select_for_update().filter(part_of=claim, ended_at__isnull=True).first()
    if row is None:
        raise CannotOpen(f"The part that was removed for {claim} is destroyed.")
    content = _decipher(row)
    _release_key(row)
    return content


def _release_key(row: Escrow) -> None:
    """No seal here needs the key any more, copies in backups do: their time begins now, however old the key is."""
    _key_path(row.token).touch()
    row.delete()


def _decipher(row: Escrow) -> bytes:
    content = bytes(row.content)
    try:
        key = _key_path(row.token).read_bytes()
        packed = AESGCM(key).decrypt(content[:NONCE], content[NONCE:], row.token.encode())
    except (FileNotFoundError, InvalidTag, ValueError) as error:
        raise CannotOpen(f"What {row.article} said cannot be opened: its key is gone.") from error
    return zlib.decompress(packed)


# --- ending -----------------------------------------------------------------------------------


def end(*, article: Article, at: datetime) -> None:
    """Nothing can be put back any more: the ciphertext goes with this transaction, its key right after it."""
    _end(Escrow.objects.filter(article=article), at)


@transaction.atomic
def end_part(*, claim: Claim, at: datetime) -> None:
    """The part that was removed for this claim can never be put back any more."""
    _end(Escrow.objects.filter(part_of=claim), at)


def _end(rows: QuerySet[Escrow], at: datetime) -> None:
    for row in rows.select_for_update():
        row.content, row.ended_at, row.due_at = b"", at, at
        row.save(update_fields=["content", "ended_at", "due_at"])
        _settle_after_commit(row.pk)


def settle_due(limit: int, at: datetime) -> int:
    """Finish what a crash or a store that failed left: files to delete, keys to destroy. Returns how much was done."""
    due = Escrow.objects.filter(due_at__lte=at).order_by("due_at").values_list("pk", flat=True)
    return sum(_settle_one(pk, at) for pk in list(due[:limit]))


def _settle_one(pk: int, at: datetime) -> bool:
    try:
        _settle(pk)
    except Exception:
        logger.exception("escrow %s: its files could not be deleted; it is tried again", pk)
        Escrow.objects.filter(pk=pk).update(due_at=at + ASKED_AGAIN)
        return False
    return True


def _settle_after_commit(pk: int) -> None:
    """What fails there is logged and tried again; Django names the function when it logs, so no `partial`."""

    def settle() -> None:
        _settle(pk)

    transaction.on_commit(settle, robust=True)


@transaction.atomic
def _settle(pk: int) -> None:
    """Delete the readable files of what is sealed; destroy the key of what has ended. Safe to run twice."""
    row = Escrow.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return
    _delete(row.files)
    if row.ended_at:
        _destroy_key(row.token)
        row.delete()
    else:
        Escrow.objects.filter(pk=pk).update(files=[], due_at=None)


def files_of(article: Article) -> list[str]:
    """The files in which something of this article can still be read: those of its own picture, under seal or not."""
    kept = [name for row in Escrow.objects.filter(article=article) for name in row.files]
    return [*kept, *(name for media in illustrations.own_of(article) for name in media.files)]


def delete_files(names: Sequence[str]) -> None:
    """They are gone when this returns. Raises NotDeleted: an erasure is not done before its files are."""
    try:
        _delete(names)
    except Exception as error:  # each kind of store has errors of its own
        raise NotDeleted("The store of pictures does not delete.") from error


def _delete(names: Sequence[str]) -> None:
    for name in names:
        default_storage.delete(name)


def undeleted(at: datetime) -> int:
    """Of how many removed articles files are left that should have been deleted by now."""
    return Escrow.objects.filter(due_at__isnull=False, sealed_at__lt=at - 2 * ASKED_AGAIN).count()


# --- keys -------------------------------------------------------------------------------------


def _key_path(token: str) -> Path:
    return Path(settings.LEDGER_PATH).parent / "escrow" / f"{token}.key"


def _make_key(token: str) -> bytes:
    """A new key, on the disk before this returns, readable by its owner alone."""
    path, key = _key_path(token), AESGCM.generate_key(bit_length=256)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return key


def _destroy_key(token: str) -> None:
    path = _key_path(token)
    path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_folder(path.parent)


def destroy_spare_keys(limit: int, at: datetime) -> int:
    """Destroy keys that no row names and no backup kept by rule needs any more; returns how many."""
    folder = _key_path("x").parent
    old = at - SPARE_KEYS_KEPT
    spare = [path for path in folder.glob("*.key") if datetime.fromtimestamp(path.stat().st_mtime, UTC) < old]
    named = set(Escrow.objects.values_list("token", flat=True)) if spare else set()
    gone = [path for path in spare if path.stem not in named][:limit]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)

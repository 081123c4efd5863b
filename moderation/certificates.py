"""A removal's certificate: what was seen where and when, signed so that anybody can check it."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings

from moderation import plain_json
from moderation.ledger import canonical, moment
from moderation.models import Claim, LedgerEntry, Probe, ProbePlan

KIND = "newsroom removal certificate 1"


# What a certificate says is gone, by the part that was to go.
WHAT = {
    "": "everything",
    "picture": "the picture",
    "excerpt": "the text beyond an excerpt",
    "headline": "the text beyond the headline",
    "name": "one name",
}


def part_of(claim: Claim) -> str:
    """Which part had to go; "" when all of the article had to."""
    part: str | None = ProbePlan.objects.filter(claim=claim).values_list("part", flat=True).first()
    return part or ""


def issue(claim: Claim, *, at: datetime) -> dict[str, Any] | None:
    """The certificate of what the prober saw last; None while the claim is not proved."""
    if claim.proved_at is None:
        return None
    seen = list(Probe.objects.filter(claim=claim, at=claim.proved_at).order_by("surface", "url", "pk"))
    return certificate(claim, seen, at=at)


class NotGenuine(ValueError):
    """The certificate was not signed by this key, or was changed since."""


def certificate(claim: Claim, probes: Sequence[Probe], *, at: datetime) -> dict[str, Any]:
    """The signed statement that every surface was seen clean. No person is named in it."""
    head = LedgerEntry.objects.order_by("-seq").first()
    statement = {
        "kind": KIND,
        "site": settings.SITE_URL,
        "claim": str(claim),
        "state": claim.state,
        "removed": WHAT[part_of(claim)],
        "issued_at": moment(at),
        "ledger": {"entry": head.seq, "hash": head.hash} if head else None,
        "surfaces": [
            {
                "surface": one.surface,
                "address": one.url,
                "at": moment(one.at),
                "status": one.status,
                "sha256": one.sha256,
            }
            for one in probes
        ],
    }
    return {
        "statement": statement,
        "signature": base64.b64encode(_private_key().sign(canonical(statement).encode())).decode(),
        "key": f"{settings.SITE_URL}/transparency/key.pem",
    }


def check(text: str | bytes, *, key_pem: bytes | None = None) -> dict[str, Any]:
    """The statement of a certificate; raises NotGenuine unless this site's key (or `key_pem`) signed it."""
    return _checked(_read(text), key_pem)


def check_all(text: str | bytes, *, key_pem: bytes | None = None) -> list[dict[str, Any]]:
    """The statements of a file of certificates, one or a list; raises NotGenuine unless each is genuine."""
    found = _read(text)
    wholes = found if isinstance(found, list) else [found]
    if not wholes:
        raise NotGenuine("There is no certificate in it.")
    return [_checked(whole, key_pem) for whole in wholes]


def _read(text: str | bytes) -> Any:
    try:
        return plain_json.read(text)
    except ValueError as error:
        raise NotGenuine(f"This is not a removal certificate: {error}") from error


def _checked(whole: Any, key_pem: bytes | None) -> dict[str, Any]:
    try:
        statement, signature = whole["statement"], base64.b64decode(whole["signature"], validate=True)
        # Whatever else this key signs is no certificate.
        if statement["kind"] != KIND:
            raise NotGenuine(f"This is not a removal certificate: its kind is not “{KIND}”.")
        key = load_pem_public_key(key_pem or public_key_pem())
        if not isinstance(key, Ed25519PublicKey):
            raise NotGenuine("The key is not an Ed25519 key.")
        key.verify(signature, canonical(statement).encode())
    except InvalidSignature as error:
        raise NotGenuine(
            "The signature does not fit: the certificate was changed, or another key signed it."
        ) from error
    except NotGenuine:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise NotGenuine(f"This is not a removal certificate: {error}") from error
    return dict(statement)


def public_key_pem() -> bytes:
    """What anybody needs to check our certificates."""
    return _private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private_key() -> Ed25519PrivateKey:
    """The site's signing key, made at its first use and readable by its owner alone."""
    path = Path(settings.LEDGER_PATH).parent / "signing_key.pem"
    if not path.exists():
        _make_key(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} is not an Ed25519 key.")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as file:
        file.write(pem)
        os.fsync(handle)
    try:
        # A link fails when another process was faster; then its key is the one.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(fresh)

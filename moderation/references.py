"""The names of a notice: the reference people quote, and the secrets its addresses are made of."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from moderation.models import Claim, CounterNotice, Notice

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Read aloud and typed again, these are the same.
_ALIKE = str.maketrans("OIL", "011")
_WRITTEN = re.compile(r"\bNR-([0-9A-Z]{5})-([0-9A-Z]{5})-([0-9A-Z]{3})\b", re.I)


def new_reference() -> str:
    """NR- and 13 characters of Crockford's base 32: 65 bits that nobody counts up to."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(13))
    return f"NR-{letters[:5]}-{letters[5:10]}-{letters[10:]}"


def references_in(text: str) -> list[str]:
    """Every reference a text quotes, in its one spelling."""
    found = ("-".join(match.groups()).upper().translate(_ALIKE) for match in _WRITTEN.finditer(text[:20_000]))
    return [f"NR-{letters}" for letters in dict.fromkeys(found)]


def secret_of(reference: str, *, key: str | None = None) -> str:
    """The unguessable part of the status address: 192 bits, made anew whenever it is needed."""
    return _derive("status", reference, key or settings.SECRET_KEY)


def hash_of(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def confirm_token(notice: Notice) -> str:
    """What only the mailbox named in the notice is told."""
    return _derive("confirm", f"{notice.reference} {notice.email.casefold()}", settings.SECRET_KEY)


def proof_token(reference: str, domain: str) -> str:
    """What the owner of a domain publishes there for one notice."""
    return _derive("proof", f"{reference} {domain}", settings.SECRET_KEY)


def status_url(notice: Notice) -> str:
    """The whole address of the status page, good for letters."""
    return settings.SITE_URL + reverse("removal-status", args=[_standing_secret(notice)])


def confirm_url(notice: Notice) -> str:
    """The whole address of the page with the button that confirms the mailbox."""
    path = reverse("removal-confirm", args=[_standing_secret(notice), confirm_token(notice)])
    return settings.SITE_URL + path


def answer_url(claim: Claim) -> str:
    """The whole address at which whoever a removal touches answers it. Not for the claimant."""
    about = _about(claim.notice.reference, claim.number)
    parts = [claim.notice.reference, claim.number, _derive("answer", about, settings.SECRET_KEY)]
    return settings.SITE_URL + reverse("removal-answer", args=parts)


def is_answer_token(token: str, *, reference: str, number: int) -> bool:
    """Asked before the database is, so that an address made up takes as long whether or not the case exists."""
    about = _about(reference, number)
    return any(constant_time_compare(token, _derive("answer", about, key)) for key in _keys())


def vouch_url(answer: CounterNotice) -> str:
    """The whole address of the page on which the sender of a counter-notice confirms the mailbox."""
    token = _derive("vouch", f"{answer.pk} {answer.email.casefold()}", settings.SECRET_KEY)
    return settings.SITE_URL + reverse("removal-vouch", args=[answer.pk, token])


def is_vouch_token(token: str, answer: CounterNotice) -> bool:
    about = f"{answer.pk} {answer.email.casefold()}"
    return any(constant_time_compare(token, _derive("vouch", about, key)) for key in _keys())


def keyed(purpose: str, text: str) -> str:
    """A name for a text from which nobody without our key can tell whether it was this text."""
    return _derive(purpose, text, settings.SECRET_KEY)


def _about(reference: str, number: int) -> str:
    return f"{reference}/{number}"


def _keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))


def _standing_secret(notice: Notice) -> str:
    """The secret as it was given out, also after SECRET_KEY was changed and the old one kept as a fallback."""
    for key in _keys():
        secret = secret_of(notice.reference, key=key)
        if hash_of(secret) == notice.secret_hash:
            return secret
    return secret_of(notice.reference)


def _derive(purpose: str, text: str, key: str) -> str:
    digest = hmac.new(key.encode(), f"removal {purpose}: {text}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()

"""What the tests of intake send: complete notices by form, and mails, signed or not."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from functools import lru_cache
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.utils import timezone

from moderation import receive
from moderation.models import Channel, Notice

COMPLETE: dict[str, Any] = {
    "name": "Olena Rights",
    "email": "olena@owner.example",
    "role": "owner",
    "work": "My report on the harbour",
    "good_faith": True,
    "accurate": True,
    "signature": "Olena Rights",
}


def form_of(urls: str, **changes: Any) -> dict[str, Any]:
    """The fields of the form, complete, as a browser sends them."""
    fields = {"urls": urls, "ground": "copyright", "language": "en", **COMPLETE, **changes}
    return {
        name: "on" if value is True else value for name, value in fields.items() if value not in (False, None)
    }


def send(text: str, *, at: datetime | None = None, **changes: Any) -> Notice:
    """Receive a complete notice that names `text`; returns it."""
    told = {"channel": Channel.FORM, "text": text, **COMPLETE, **changes}
    return receive.receive(submission=receive.Submission(**told), at=at or timezone.now()).notice


def address_of(article: Any) -> str:
    """The article's whole address on our site."""
    return f"{settings.SITE_URL}{article.get_absolute_url()}"


def letter_about(*addresses: str) -> str:
    """A complete notice as people write it."""
    listed = "\n".join(addresses)
    return (
        "Dear editors,\n\nplease remove my article, which you show without asking me:\n\n"
        f"{listed}\n\nI have a good faith belief that this use is not authorised. The information in this"
        " notice is accurate, and under penalty of perjury I am the owner.\n\nKind regards,\nOlena Rights\n"
    )


def mail(
    text: str,
    *,
    sender: str = "Olena Rights <olena@owner.example>",
    subject: str = "Removal of my article",
    message_id: str = "<first@owner.example>",
    **headers: str,
) -> bytes:
    """A plain message to the removal address; header names with underscores for hyphens."""
    message = EmailMessage()
    message["From"], message["To"] = sender, settings.REMOVAL_EMAIL
    message["Subject"], message["Message-ID"] = subject, message_id
    message["Date"] = "Thu, 01 Jan 1970 00:00:00 +0000"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


@lru_cache(maxsize=1)
def key_pair() -> tuple[bytes, str]:
    """A private key to sign with, and the TXT record its owner publishes."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, f"v=DKIM1; k=rsa; p={''.join(public.decode().splitlines()[1:-1])}"


def signed(message: bytes, domain: str, headers: tuple[bytes, ...] = (b"From", b"To", b"Subject")) -> bytes:
    """The message as the domain's mail server signs it, with the selector `test`."""
    pem, _ = key_pair()
    message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    header = dkim.sign(message, b"test", domain.encode(), pem, include_headers=list(headers))
    return header + message

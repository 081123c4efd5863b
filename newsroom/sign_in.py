"""Signing in. Guessing is stopped for who guesses; nobody else is kept out by it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.base.forms import AuthenticateForm
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.db.models import F
from django.utils import timezone

from accounts.models import SignInFailure
from moderation.limits import sender_of
from newsroom.security_events import event

TRIES = 5
LOCKED_FOR = timedelta(minutes=15)


class SignInForm(AdminAuthenticationForm):
    """Five wrong passwords for one account from one address, and that address waits: for this account alone."""

    def clean(self) -> dict[str, Any]:
        at = timezone.now()
        key = _key(self.cleaned_data.get("username", ""), self._address())
        if _is_locked(key, at):
            event("sign-in locked", key=key[:10])
            raise forms.ValidationError(
                "Too many wrong passwords for this account from where you are. Try again in a quarter of an hour.",
                code="locked",
            )
        try:
            cleaned: dict[str, Any] = super().clean()
        except forms.ValidationError:
            _count(key, at)
            raise
        SignInFailure.objects.filter(pk=key).delete()
        return cleaned

    def _address(self) -> str:
        return sender_of(self.request.META) if self.request else ""


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """The second step. Somebody who lost the telephone is told what opens as well."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "Without your telephone: one of your recovery codes, each opens once."


def _key(username: str, address: str) -> str:
    return hashlib.sha256(f"{username.casefold()}\n{address}".encode()).hexdigest()


def _is_locked(key: str, at: datetime) -> bool:
    recent = SignInFailure.objects.filter(pk=key, first_at__gt=at - LOCKED_FOR)
    return recent.filter(count__gte=TRIES).exists()


def _count(key: str, at: datetime) -> None:
    SignInFailure.objects.filter(first_at__lte=at - LOCKED_FOR).delete()
    SignInFailure.objects.get_or_create(pk=key, defaults={"first_at": at})
    SignInFailure.objects.filter(pk=key).update(count=F("count") + 1)

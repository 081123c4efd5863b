"""The user model, our own from the first migration so that it can grow."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Somebody who signs in: an editor, a moderator, an operator."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username

"""The user model, our own from the first migration so that it can grow."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody who signs in: an editor, a moderator, an operator."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class UnsavedForm(models.Model):
    """What somebody typed into a form and did not save yet; theirs alone, and gone with what it is about."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=80, help_text="What the form is about, such as article:42.")
    fields = models.TextField(help_text="As the browser would have sent it.")
    version = models.PositiveIntegerField(null=True, help_text="Of what was opened.")
    saved_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "user"], name="unsaved_form_once")]

    def __str__(self) -> str:
        return f"{self.user} on {self.subject}"


class Presence(models.Model):
    """Somebody has a form open; believed for a short while after its last word."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=80)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "user"], name="presence_once")]

    def __str__(self) -> str:
        return f"{self.user} at {self.subject}"


class SignInFailure(models.Model):
    """How often one account was tried in vain from one address since `first_at`."""

    key = models.CharField(max_length=64, primary_key=True, help_text="Account and address, hashed.")
    count = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} since {self.first_at:%H:%M}"

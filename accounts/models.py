"""The user model, our own from the first migration so that it can grow."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

import accounts.mailboxes  # noqa: F401  (a lookup of every EmailField)


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


class AccessToken(models.Model):
    """With it a program works at the desk as this person does, in so far as its scopes allow. Only a hash is kept."""

    class Scope(models.TextChoices):
        """What a program may be let do; the person's own rights are the limit of each."""

        READ = "read", "Read articles as the desk has them"
        WRITE = "write", "Begin and change articles, and send them to review"
        PUBLISH = "publish", "Approve, publish, take back, correct and retract"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100, help_text="Which program has it.")
    scopes = models.JSONField(default=list)
    begins = models.CharField(
        max_length=16, editable=False, help_text="Its first letters, to tell tokens apart."
    )
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(help_text="From then on it opens nothing.")
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.begins}…)"


class HandledRequest(models.Model):
    """A change that a program asked for under a key of its own: asked again, it is not made again.

    It says which request and which row it made, never what stood in either.
    """

    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    about = models.CharField(max_length=80, blank=True, help_text="The row it made or changed.")
    status = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="request_handled_once")]

    def __str__(self) -> str:
        return f"{self.key} of {self.token}"


class RoleRight(models.Model):
    """A right on which something was decided for one of our groups: we gave it, or the operator saw it and did not.

    An upgrade gives what is not here yet, so it never undoes what an operator changed.
    """

    role = models.CharField(max_length=150)
    right = models.CharField(max_length=200, help_text="Such as articles.publish_article.")
    given = models.BooleanField(help_text="By us, not by the operator.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "right"], name="role_right_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.right}"

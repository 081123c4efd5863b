"""What people typed and did not save, kept for them; and who else has the same form open."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import Presence, UnsavedForm, User

LONGEST = 1024 * 1024
PRESENT_FOR = timedelta(seconds=60)
KEPT = timedelta(days=14)


def keep(*, user: User, subject: str, fields: str, version: int | None, at: datetime) -> bool:
    """Keep what was typed in place of what was kept before; False when it is longer than a form can be."""
    if len(fields) > LONGEST:
        return False
    UnsavedForm.objects.update_or_create(
        user=user, subject=subject, defaults={"fields": fields, "version": version, "saved_at": at}
    )
    return True


def of(user: User, subject: str) -> UnsavedForm | None:
    """What this person left unsaved here."""
    return UnsavedForm.objects.filter(user=user, subject=subject).first()


def forget(*, subject: str, user: User | None = None) -> None:
    """Of one person, because it was saved or is not wanted; of everybody, because its subject is no more."""
    kept = UnsavedForm.objects.filter(subject=subject)
    (kept if user is None else kept.filter(user=user)).delete()


def be_present(*, user: User, subject: str, at: datetime) -> None:
    """This person has the form open."""
    Presence.objects.update_or_create(user=user, subject=subject, defaults={"seen_at": at})


def others_at(subject: str, *, besides: User, at: datetime) -> list[str]:
    """Who else has the form open, by name."""
    present = Presence.objects.filter(subject=subject, seen_at__gt=at - PRESENT_FOR).exclude(user=besides)
    return [str(row.user) for row in present.select_related("user").order_by("user__username")[:5]]


def prune(limit: int, at: datetime) -> int:
    """Delete what nobody came back for; returns how many rows went."""
    forms = _some(UnsavedForm.objects.filter(saved_at__lt=at - KEPT), limit)
    present = _some(Presence.objects.filter(seen_at__lt=at - PRESENT_FOR), limit)
    return forms + present


def _some(rows: QuerySet[UnsavedForm] | QuerySet[Presence], limit: int) -> int:
    keys = list(rows.values_list("pk", flat=True)[:limit])
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)

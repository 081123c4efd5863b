"""The front page's arrangement: pins set in one go, by somebody who saw what they replace."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.audit import note
from accounts.models import User
from articles import front, surfaces
from articles.actions import NotAllowed
from articles.models import Article, ArticleState, FrontPin, SurfaceSerial, Tag


@dataclass(frozen=True, slots=True)
class Place:
    """One article's place: a tag's key (None is the top), and when it ends."""

    article_id: int
    tag_id: int | None
    until: datetime | None = None


def arrangement(pins: Iterable[FrontPin]) -> str:
    """A short text that differs when the pins do."""
    said = [f"{pin.article_id} {pin.tag_id} {pin.position} {pin.until}" for pin in pins]
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()[:16]


def most_in(tag_id: int | None) -> int:
    """So many articles a list of the front page holds."""
    return 1 + front.SECONDARY if tag_id is None else front.PER_SECTION


@dataclass(frozen=True, slots=True)
class Rows:
    """The featured tags by their keys: in the order they had when the editor began, and in the order they get."""

    before: list[int]
    after: list[int]


@transaction.atomic
def arrange(
    *, places: Sequence[Place], opened: str, by: User | None, at: datetime, rows: Rows | None = None
) -> list[FrontPin]:
    """Replace all pins by these, in their order, and order the rows; NotAllowed when somebody else did meanwhile.

    `opened` is the `arrangement` of the pins that were on the page when the editor began.
    """
    SurfaceSerial.objects.select_for_update().get(pk=1)
    before = {pin.article_id: pin for pin in FrontPin.objects.all()}
    if arrangement(before.values()) != opened:
        raise NotAllowed(
            "Somebody arranged the front page meanwhile. Your arrangement is still here: look at theirs in"
            " another tab, and save again to replace it."
        )
    check(places)
    pins = pins_of(places, at=at, by=by, before=before)
    FrontPin.objects.all().delete()
    FrontPin.objects.bulk_create(pins)
    _note(before, {pin.article_id: pin for pin in pins}, by)
    if rows and rows.before != rows.after:
        _order(rows, by)
    surfaces.changed([surfaces.FRONT])
    return pins


def _order(rows: Rows, by: User | None) -> None:
    """The rows, and with them the navigation of every page."""
    tags = {tag.pk: tag for tag in Tag.objects.select_for_update().filter(featured=True)}
    if list(tags) != rows.before or sorted(tags) != sorted(rows.after):
        raise NotAllowed("Somebody moved the rows or the featured tags meanwhile. Open the page again.")
    for position, pk in enumerate(rows.after, start=1):
        note(tags[pk], by=by, changes={"position": (tags[pk].position, position)})
        tags[pk].position = position
    Tag.objects.bulk_update(tags.values(), ["position"])
    surfaces.changed([surfaces.SITE])


def _note(before: dict[int, FrontPin], after: dict[int, FrontPin], by: User | None) -> None:
    """Into the audit log where each article stood and where it stands."""
    names = {tag.pk: tag.slug for tag in Tag.objects.filter(featured=True)}

    def told(pin: FrontPin | None) -> str:
        if pin is None:
            return "not pinned"
        where = names.get(pin.tag_id, pin.tag_id) if pin.tag_id else "top"
        return f"{where}, place {pin.position + 1}" + (
            f", until {pin.until:%Y-%m-%d %H:%M}" if pin.until else ""
        )

    for pk in before.keys() | after.keys():
        changes = {"front page": (told(before.get(pk)), told(after.get(pk)))}
        note(Article(pk=pk), by=by, changes=changes)


def pins_of(
    places: Sequence[Place], *, at: datetime, by: User | None, before: dict[int, FrontPin] | None = None
) -> list[FrontPin]:
    """The rows for these places; who pinned an article first stays written down."""
    known = before or {}
    pins = []
    for position, place in enumerate(places):
        old = known.get(place.article_id)
        pins.append(
            FrontPin(
                article_id=place.article_id,
                tag_id=place.tag_id,
                position=position,
                until=place.until,
                pinned_at=old.pinned_at if old else at,
                pinned_by_id=old.pinned_by_id if old else (by.pk if by else None),
            )
        )
    return pins


def check(places: Sequence[Place]) -> None:
    """NotAllowed, in words for the editor, when these places cannot be."""
    ids = [place.article_id for place in places]
    if len(set(ids)) != len(ids):
        raise NotAllowed("An article stands in two places. Take it out of one.")
    for tag_id in {place.tag_id for place in places}:
        count = sum(place.tag_id == tag_id for place in places)
        if count > most_in(tag_id):
            raise NotAllowed(f"{count} articles are pinned in one list, which holds {most_in(tag_id)}.")
    usable = Article.objects.filter(pk__in=ids).exclude(state=ArticleState.ERASED).count()
    tags = {place.tag_id for place in places if place.tag_id}
    if usable != len(ids) or Tag.objects.filter(pk__in=tags).count() != len(tags):
        raise NotAllowed("One of the articles or tags is no more. Open the page again.")

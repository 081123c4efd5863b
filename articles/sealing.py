"""What an article says, taken out of its rows and put back byte for byte.

`seal` leaves an article that says nothing: its address, its keys and its dates stay, so that it is still
recognised and answers 451. What it said is one string of bytes; who keeps that, and under which key, is
not known here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import F

from accounts.models import UnsavedForm
from articles import comparison, fts, history, illustrations, search, surfaces
from articles.fields import CleanHTML
from articles.models import (
    Article,
    ArticleState,
    Contribution,
    Contributor,
    ContributorName,
    Media,
    Note,
    RelatedLink,
    Rendition,
    Revision,
    Story,
    StoryMembership,
    Tag,
    TaggedArticle,
    TagSynonym,
)

TEXT = (
    "headline", "standfirst", "body", "byline", "dateline", "copyright_holder", "usage_terms",
    "licence_url", "signature",
)  # fmt: skip
PICTURE = ("file", "alt", "caption", "credit", "holder", "terms", "original_url", "last_error", "due_at")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What an article said, and the files that are in it: to be deleted once this is committed."""

    content: bytes
    files: list[str]


@dataclass(frozen=True, slots=True)
class Said:
    """What a sealed article said, for whoever decides on it."""

    headline: str
    standfirst: str
    body: CleanHTML
    byline: str
    names: list[str]


def is_sealed(article: Article) -> bool:
    """Does this row say nothing because what it said is kept elsewhere?"""
    return not article.headline and not article.body and article.state != ArticleState.ERASED


# --- taking out -------------------------------------------------------------------------------


@transaction.atomic
def seal(*, article: Article) -> Sealed:
    """Empty the article's rows; returns what was in them. Only for an article that nobody may read."""
    article = Article.objects.select_for_update().get(pk=article.pk)
    keys = surfaces.keys_of([article.pk])
    own = [media.pk for media in illustrations.own_of(article)]
    pictures = list(Media.objects.select_for_update().filter(pk__in=own))
    said: Row = {
        "text": {name: getattr(article, name) for name in TEXT},
        "compared_at": article.compared_at,
        "story": _of_story(article),
        "rows": {name: [packed(row) for row in rows] for name, rows in _rows(article).items()},
        "people": [packed(person) for person in article.contributors.distinct()],
        "tags": [packed(tag) for tag in Tag.objects.filter(tagged__content_object=article)],
        "history": list(history.quoting(article).values("pk", "object_repr", "change_message")),
        "pictures": [_of_picture(picture) for picture in pictures],
    }
    content = to_bytes(said)
    history.blank([entry["pk"] for entry in said["history"]], named=f"article {article.key}")
    _empty(article)
    for picture in pictures:
        _empty_picture(picture)
    search.remove([article.pk])
    fts.forget()
    surfaces.changed(keys)
    return Sealed(content, files_in(said["pictures"]))


def _rows(article: Article) -> dict[str, Iterable[models.Model]]:
    return {
        "contributions": article.contributions.order_by("pk"),
        "tagged": TaggedArticle.objects.filter(content_object=article).order_by("pk"),
        "related_links": article.related_links.order_by("pk"),
        "related_from": article.related_from.order_by("pk"),
        "revisions": article.revisions.order_by("pk"),
        "notes": article.notes.order_by("pk"),
        "unsaved": UnsavedForm.objects.filter(subject=f"article:{article.pk}").order_by("pk"),
    }


def files_in(pictures: Iterable[Row]) -> list[str]:
    """The files of pictures that were taken out."""
    return [name for picture in pictures for name in picture["files"]]


def _of_picture(media: Media) -> Row:
    return {
        "pk": media.pk,
        "fields": {name: _plain_file(getattr(media, name)) for name in PICTURE},
        "renditions": [packed(size) for size in media.renditions.order_by("pk")],
        "files": {name: _read(name) for name in media.files},
    }


def _read(name: str) -> bytes | None:
    """A file's bytes; None when it is not there, which must not keep the rest readable."""
    try:
        with default_storage.open(name, "rb") as file:
            return bytes(file.read())
    except FileNotFoundError:
        return None


def take_picture(media: Media) -> Row:
    """What a picture is and shows, taken out of its rows."""
    taken = _of_picture(media)
    _empty_picture(media)
    # Its bytes are here: as text before the rows they came from change.
    return dict(json.loads(to_bytes(taken)))


def _of_story(article: Article) -> Row:
    membership = StoryMembership.objects.filter(pk=article.pk).first()
    same = article.story is not None and article.story.headline == article.headline
    return {
        "id": article.story_id,
        "headline": article.story.headline if same and article.story else "",
        "reasons": membership.reasons if membership else [],
    }


def _empty(article: Article) -> None:
    people = list(article.contributions.values_list("contributor_id", flat=True))
    for rows in _rows(article).values():
        rows.delete()  # type: ignore[attr-defined]
    Contributor.objects.filter(pk__in=people, contributions__isnull=True).delete()
    comparison.drop([article.pk])
    StoryMembership.objects.filter(pk=article.pk).update(reasons=[])
    # Grouping must not read an empty article; what a story would say it takes from its other articles.
    Story.objects.filter(pk=article.story_id or 0, headline=article.headline).update(headline="")
    blank = dict.fromkeys(TEXT, "") | {"body": CleanHTML(""), "signature": None}
    # Whoever read the words before, to compare them or to change them, finds that they are not these any more.
    compared = article.compared_at or article.created_at
    Article.objects.filter(pk=article.pk).update(**blank, version=F("version") + 1, compared_at=compared)


def _empty_picture(picture: Media) -> None:
    picture.renditions.all().delete()
    nothing = dict.fromkeys(PICTURE, "") | {"due_at": None, "lease_token": "", "lease_until": None}
    Media.objects.filter(pk=picture.pk).update(**nothing)


# --- putting back -----------------------------------------------------------------------------


@transaction.atomic
def unseal(*, article: Article, content: bytes) -> Article:
    """Give the article back what it said: text, credits in order, tags, links, versions, picture."""
    said = json.loads(content)
    article = Article.objects.select_for_update().get(pk=article.pk)
    text = _unpacked(Article, said["text"])
    text["body"] = CleanHTML(text["body"])
    Article.objects.filter(pk=article.pk).update(**text, compared_at=None)
    put_rows(said)
    for entry in said["history"]:
        words = {"object_repr": entry["object_repr"], "change_message": entry["change_message"]}
        LogEntry.objects.filter(pk=entry["pk"]).update(**words)
    _put_story(article, said["story"])
    put_pictures(said)
    search.index([article.pk])
    surfaces.changed(surfaces.keys_of([article.pk]))
    article.refresh_from_db()
    return article


_KINDS = ("contributions", "tagged", "related_links", "related_from", "revisions")


def put_rows(said: Row) -> None:
    """Make the rows again, with whoever and whatever took a name or a tag meanwhile."""
    rows: Row = dict.fromkeys((*_KINDS, "notes", "unsaved"), ())
    rows |= said["rows"]
    people = _stand_ins(Contributor, said["people"], "name_key", also=ContributorName)
    tags = _stand_ins(Tag, said.get("tags", []), "slug", also=TagSynonym)
    typing = [row["user_id"] for row in rows["unsaved"]]
    editors = set(_present(get_user_model(), [*typing, *(row["by_id"] for row in rows["revisions"])]))
    _create(Note, _of_those_here(rows["notes"]))
    links = [*rows["related_links"], *rows["related_from"]]
    here = set(_present(Article, [row[name] for row in links for name in ("article_id", "to_article_id")]))
    _create(
        Contribution,
        [row | {"contributor_id": people[row["contributor_id"]]} for row in rows["contributions"]],
    )
    _create(TaggedArticle, [row | {"tag_id": tags[row["tag_id"]]} for row in rows["tagged"]])
    _create(
        Revision,
        [row | {"by_id": row["by_id"] if row["by_id"] in editors else None} for row in rows["revisions"]],
    )
    _create(UnsavedForm, [row for row in rows["unsaved"] if row["user_id"] in editors])
    _create(RelatedLink, [row for row in links if {row["article_id"], row["to_article_id"]} <= here | {None}])


def _of_those_here(notes: Sequence[Row]) -> list[Row]:
    """The notes, without the people whose accounts are gone."""
    people = ("by_id", "task_of_id", "done_by_id")
    here = set(_present(get_user_model(), [note[name] for note in notes for name in people]))
    return [note | {name: note[name] if note[name] in here else None for name in people} for note in notes]


def _stand_ins(
    model: type[models.Model], rows: Sequence[Row], by: str, also: type[models.Model] | None = None
) -> dict[int, int]:
    """Old key to the key that stands for it now: the row itself, one that took its name meanwhile, or it anew.

    `also` holds further names of rows, for those that were merged into another meanwhile.
    """
    wanted = {f"{by}__in": [row[by] for row in rows]}
    here = set(_present(model, [row["id"] for row in rows]))
    named = dict(model._default_manager.filter(**wanted).values_list(by, "pk"))
    if also:
        named |= dict(also._default_manager.filter(**wanted).values_list(by, f"{model._meta.model_name}_id"))
    gone = [row for row in rows if row["id"] not in here and row[by] not in named]
    _create(model, gone)
    return {
        row["id"]: row["id"] if row["id"] in here else int(named.get(row[by]) or row["id"]) for row in rows
    }


def _present(model: type[models.Model], keys: Iterable[int | None]) -> Iterable[int]:
    found: Iterable[int] = model._default_manager.filter(pk__in={key for key in keys if key}).values_list(
        "pk", flat=True
    )
    return found


def _create(model: type[models.Model], rows: Sequence[Row]) -> None:
    made = [model(**_unpacked(model, row)) for row in rows]
    # What an editor linked anew meanwhile stands already.
    model._default_manager.bulk_create(made, ignore_conflicts=True)


def _put_story(article: Article, said: Row) -> None:
    StoryMembership.objects.filter(pk=article.pk, reasons=[]).update(reasons=said["reasons"])
    if said["headline"]:
        Story.objects.filter(pk=said["id"], headline="").update(headline=said["headline"])


def put_pictures(said: Row) -> None:
    """The pictures' files and rows again. What was sealed before texts had pictures knows one."""
    for picture in said.get("pictures", [said.get("picture")]):
        if picture:
            _put_picture(picture)


def _put_picture(said: Row) -> None:
    for name, data in said["files"].items():
        if data is not None and not default_storage.exists(name):
            default_storage.save(name, ContentFile(base64.b64decode(data)))
    Media.objects.filter(pk=said["pk"]).update(**_unpacked(Media, said["fields"]))
    _create(Rendition, said["renditions"])


# --- reading ----------------------------------------------------------------------------------


def read(content: bytes) -> Said:
    """What the sealed article said, without putting anything back."""
    said = json.loads(content)
    text, people = said["text"], {row["id"]: row["name"] for row in said["people"]}
    names = [people[row["contributor_id"]] for row in said["rows"]["contributions"]]
    return Said(text["headline"], text["standfirst"], CleanHTML(text["body"]), text["byline"], names)


# --- rows as JSON -----------------------------------------------------------------------------


def to_bytes(said: Row) -> bytes:
    """Rows and files in one string of bytes."""
    return json.dumps(said, default=_plain, ensure_ascii=False).encode()


def packed(row: models.Model) -> Row:
    """A row's columns by name."""
    return {field.attname: _plain_file(field.value_from_object(row)) for field in row._meta.concrete_fields}


def _plain_file(value: Any) -> Any:
    return str(value.name or "") if isinstance(value, models.fields.files.FieldFile) else value


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no place in an article")


def _unpacked(model: type[models.Model], row: Mapping[str, Any]) -> Row:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return {name: None if value is None else fields[name].to_python(value) for name, value in row.items()}

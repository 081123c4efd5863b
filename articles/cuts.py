"""A part of an article that its owner had removed while the rest stands: its picture, its text, one name.

A `Cut` row stands for as long as the part is to stay away, and what a feed brings later is trimmed by it.
What was cut is handed back as bytes; who keeps that, and under which key, is not known here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape, unescape
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import UnsavedForm
from articles import fts, hooks, illustrations, search, surfaces
from articles.bylines import parse_byline, split_trailing_credits
from articles.fields import CleanHTML, clean_html
from articles.fingerprint import text_fingerprint
from articles.models import Article, Contribution, Contributor, Cut, CutKind, HookEvent, Media, Revision
from articles.sanitise import excerpt, to_text
from articles.sealing import Row, Sealed, files_in, packed, put_pictures, put_rows, take_picture, to_bytes

TEXT = ("standfirst", "body", "byline")
KNOWN = ("text_key", "signature", "compared_at")
OUR_OWN_EXCERPT = 60
_LAST_PARAGRAPH = re.compile(r"<p>((?:(?!</?p>).)*)</p>\s*\Z", re.DOTALL)
_JOINT = r"(?:\s*(?:,|;|&amp;|&|\band\b|\bund\b|\bet\b|\by\b|\bта\b|\bі\b))?\s*"


def key_of(name: str) -> str:
    """By what a name is recognised without being kept."""
    return hashlib.sha256(search.fold(name).encode()).hexdigest()


@transaction.atomic
def cut(
    *, article: Article, kind: CutKind, reference: str, at: datetime, name_key: str = ""
) -> tuple[Cut, Sealed]:
    """Take one part out; returns the row that keeps it out, and what was taken."""
    article = Article.objects.select_for_update().get(pk=article.pk)
    keys = surfaces.keys_of([article.pk])
    row, _ = Cut.objects.get_or_create(
        article=article, reference=reference, lifted_at=None,
        defaults={"kind": kind, "name_key": name_key, "placed_at": at},
    )  # fmt: skip
    taken = _take_picture(article, row) if kind == CutKind.PICTURE else _take_words(article, row)
    _shown_anew(article, keys, reference=reference)
    return row, taken


@transaction.atomic
def mend(*, cut: Cut, content: bytes | None, at: datetime) -> None:
    """Let the part come back: what was taken, unless it changed since, and what feeds bring from now on."""
    article = Article.objects.select_for_update().get(pk=cut.article_id)
    Cut.objects.filter(pk=cut.pk).update(lifted_at=at)
    if content is None:
        return
    said = json.loads(content)
    put_pictures(said)
    if said.get("media") and article.lead_media_id is None:
        article.lead_media_id = said["media"]
    for name, value in said.get("before", {}).items():
        if getattr(article, name) == said["after"][name]:
            setattr(article, name, CleanHTML(value) if name == "body" else value)
    if "known" in said:
        _known_again(article, said)
    article.save(update_fields=["lead_media", *TEXT, *KNOWN])
    illustrations.place(article)
    if "rows" in said:
        put_rows(said)
    _shown_anew(article, surfaces.keys_of([article.pk]))


def _known_again(article: Article, said: dict[str, Any]) -> None:
    """By what the text was known before, or what a feed or an editor made of it since is known by now."""
    known = known_by(article.body)
    if article.body == said["before"]["body"]:
        sketch = said["known"]["signature"]
        known |= said["known"] | {"signature": bytes.fromhex(sketch) if sketch else None}
    for name, value in known.items():
        setattr(article, name, value)


def known_by(body: str) -> dict[str, Any]:
    """The columns by which a changed text is known. Its sketch, and what else it is compared by, are made anew."""
    key = text_fingerprint(to_text(body)) if body else ""
    return {"text_key": key, "signature": None, "compared_at": None}


def _shown_anew(article: Article, keys: Iterable[str], *, reference: str = "") -> None:
    search.index([article.pk])
    fts.forget()
    surfaces.changed({*keys, *surfaces.keys_of([article.pk])}, reference=reference)
    hooks.owe(HookEvent.CORRECTED, {article.pk: timezone.now()})


# --- taking -----------------------------------------------------------------------------------


def pictures_meant(article: Article, digest: str) -> list[Media]:
    """The article's pictures of these bytes, before and in its text; by default the first there is."""
    pictures = illustrations.pictures_of(article)
    return [one for one in pictures if digest and one.sha256 == digest] or pictures[:1]


def _take_picture(article: Article, row: Cut) -> Sealed:
    meant = pictures_meant(article, row.name_key)
    if meant and not row.name_key:
        Cut.objects.filter(pk=row.pk).update(name_key=meant[0].sha256)
    own = [media for media in illustrations.own_of(article) if media in meant]
    leads = article.lead_media in meant
    body = illustrations.without(article.body, {media.token for media in meant})
    content: Row = {
        "media": article.lead_media_id if leads else None,
        "pictures": [take_picture(media) for media in own],
    }
    if body != article.body:
        content |= {"before": {"body": article.body}, "after": {"body": body}}
    lead = None if leads else article.lead_media_id
    Article.objects.filter(pk=article.pk).update(lead_media=lead, body=body)
    article.illustrations.filter(media__in=meant).delete()
    return Sealed(to_bytes(content), files_in(content["pictures"]))


def _take_words(article: Article, row: Cut) -> Sealed:
    """Text or a name, and the former versions, which have it too."""
    before = {name: str(getattr(article, name)) for name in TEXT}
    after = trimmed(article, before, [row])
    credits = [
        one
        for one in article.contributions.select_related("contributor")
        if row.kind == CutKind.NAME and row.name_key in _keys_of(one.contributor)
    ]
    people = [one.contributor for one in credits]
    typed = UnsavedForm.objects.filter(subject=f"article:{article.pk}")
    rows = {
        "contributions": [packed(one) for one in credits],
        "revisions": [packed(one) for one in article.revisions.order_by("pk")],
        "unsaved": [packed(one) for one in typed],
    }
    known = {"text_key": article.text_key, "signature": bytes(article.signature or b"").hex()}
    content = {
        "before": before, "after": after, "known": known, "rows": rows, "people": [packed(one) for one in people],
    }  # fmt: skip
    Contribution.objects.filter(pk__in=[one.pk for one in credits]).delete()
    Contributor.objects.filter(pk__in=[one.pk for one in people], contributions__isnull=True).delete()
    Revision.objects.filter(article=article).delete()
    typed.delete()
    changed = after | {"body": CleanHTML(after["body"])} | known_by(after["body"])
    Article.objects.filter(pk=article.pk).update(**changed)
    return Sealed(to_bytes(content), [])


def _keys_of(person: Contributor) -> set[str]:
    """By what a person is recognised, under whichever spelling."""
    names = person.other_names.values_list("name", flat=True)
    return {key_of(name) for name in (person.name, *names)}


# --- trimming ---------------------------------------------------------------------------------


def obey(article: Article, changes: dict[str, Any]) -> dict[str, Any]:
    """What a feed says of an article, without the parts that were removed from it."""
    cuts = list(standing_on(article))
    return changes | trimmed(article, {name: str(changes[name]) for name in TEXT}, cuts) if cuts else changes


def obey_edit(article: Article) -> None:
    """Take out of what an editor typed the parts that were removed; stores nothing."""
    standing = list(standing_on(article)) if article.pk else []
    if not standing:
        return
    for name, value in trimmed(
        article, {name: str(getattr(article, name)) for name in TEXT}, standing
    ).items():
        setattr(article, name, value)
    pictures = {one.name_key for one in standing if one.kind == CutKind.PICTURE}
    media = article.lead_media
    # A picture taken out before its bytes were known: then none may stand in its place.
    if media and pictures and ("" in pictures or media.sha256 in pictures):
        article.lead_media = None
    if tokens := illustrations.in_text(article.body):
        gone = Media.objects.filter(token__in=tokens, sha256__in=pictures - {""})
        article.body = illustrations.without(article.body, set(gone.values_list("token", flat=True)))


def obey_credits(article: Article) -> None:
    """Take away again the credits of people whose name was removed."""
    keys = set(standing_on(article).filter(kind=CutKind.NAME).values_list("name_key", flat=True))
    if not keys:
        return
    credits = article.contributions.select_related("contributor")
    gone = [one.pk for one in credits if keys & set(_keys_of(one.contributor))]
    Contribution.objects.filter(pk__in=gone).delete()


def standing_on(article: Article) -> QuerySet[Cut]:
    """The cuts that keep something out of this article."""
    rows: QuerySet[Cut] = Cut.objects.filter(article=article, lifted_at__isnull=True)
    return rows


def trimmed(article: Article, text: dict[str, str], cuts: Sequence[Cut]) -> dict[str, str]:
    """Standfirst, body and byline with every cut made."""
    for one in cuts:
        if one.kind == CutKind.NAME:
            text = _without(text, one.name_key)
        elif one.kind == CutKind.HEADLINE:
            text = text | {"standfirst": "", "body": ""}
        elif one.kind == CutKind.EXCERPT:
            text = text | _short(article, text)
    return text


def _short(article: Article, text: dict[str, str]) -> dict[str, str]:
    """As many words as an excerpt of this source has, standfirst and body together."""
    words = article.source.excerpt_words if article.source else OUR_OWN_EXCERPT
    standfirst = unescape(excerpt(escape(text["standfirst"]), words))
    left = words - len(standfirst.split())
    body = clean_html(f"<p>{excerpt(text['body'], left)}</p>") if left > 0 and text["body"] else ""
    return {"standfirst": standfirst, "body": body}


def _without(text: dict[str, str], key: str) -> dict[str, str]:
    """Byline and last line of the body without the name. Where the report itself speaks of the person, it stays."""
    people = parse_byline(text["byline"])
    left = [one.name for one in people if key_of(one.name) != key]
    byline = text["byline"] if len(left) == len(people) else ", ".join(left)
    return text | {"byline": byline, "body": _without_in_last_line(text["body"], key)}


def _without_in_last_line(body: str, key: str) -> str:
    rest, people = split_trailing_credits(body)
    named = [one.name for one in people if key_of(one.name) == key]
    last = _LAST_PARAGRAPH.search(body)
    if not named or last is None:
        return body
    if len(people) == len(named):
        return str(rest)
    line = last[1]
    for name in named:
        line = re.sub(rf"{_JOINT}{re.escape(escape(name, quote=False))}", "", line, count=1)
    return clean_html(f"{body[: last.start()]}<p>{line}</p>")

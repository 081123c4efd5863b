"""The demo newsroom: invented outlets read through the real fetcher, then curated as editors would."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import connections, transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from aggregator import actions as feeds
from aggregator.models import Feed
from articles import actions, media, notes, search, workflow
from articles.canonical import address_key
from articles.models import Article, Media, Source, Story, Tag, TagSynonym
from moderation import actions as decisions
from moderation.apps import MODERATORS
from moderation.models import OPEN_STATES, Channel, Claim
from moderation.receive import Submission, receive
from newsroom import roles
from newsroom.demo_outlets import FOLDER, OutletClient, outlets

Say = Callable[[str], None]
PAUSED = "demo: loaded once"
EDITOR, MODERATOR, ADMIN = "editor", "moderator", "admin"
LOGINS = {
    "contributor": roles.CONTRIBUTORS,
    EDITOR: roles.EDITORS,
    "chief": roles.CHIEFS,
    MODERATOR: MODERATORS,
    "rights": roles.RIGHTS_MANAGERS,
    "auditor": roles.AUDITORS,
}
PICTURES_AT_ONCE, MOST_WORKERS = 8, 4


def load(*, at: datetime, password: str, say: Say) -> int:
    """Load what is not loaded yet; returns how many articles are public. Doing it twice is harmless."""
    desk = json.loads((FOLDER / "desk.json").read_text(encoding="utf-8"))
    people = sign_ins(password)
    say(f"Logins: {', '.join(sorted(people))}.")
    set_tags(desk["tags"])
    with outlets({one["feed"]: one["file"] for one in desk["outlets"]}, at=at) as client:
        rows = register(desk["outlets"], at=at)
        created = read(rows, client, at=at, say=say)
        credit_pictures(desk["outlets"])
        say(f"Fetched {fetch_pictures(rows, client)} pictures.")
    if created:
        curate(desk, by=people[EDITOR])
        for piece in desk["pieces"]:
            begin(piece, people, at=at)
        claims = [file_notice(letter, by=people[MODERATOR], at=at) for letter in desk["notices"]]
        say(f"Filed {len(claims)} removal notices.")
    return Article.objects.public().filter(source__in={row.source_id for row in rows}).count()


# --- people -----------------------------------------------------------------------------------


@transaction.atomic
def sign_ins(password: str) -> dict[str, User]:
    """The demo's logins, one for each role; one that exists keeps its password."""
    people = {name: _user(name, password, Group.objects.get(name=group)) for name, group in LOGINS.items()}
    return people | {ADMIN: _user(ADMIN, password)}


def _user(name: str, password: str, *groups: Group) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create_user(name, f"{name}@newsroom.example", password)
        user.is_staff, user.is_superuser = True, not groups
        user.save(update_fields=["is_staff", "is_superuser"])
        user.groups.set(groups)
    return user


# --- reading ----------------------------------------------------------------------------------


@transaction.atomic
def set_tags(wanted: Sequence[Mapping[str, Any]]) -> None:
    """The navigation, and the words of other languages that lead to its tags."""
    for position, one in enumerate(wanted, start=1):
        tag, _ = Tag.objects.get_or_create(
            slug=slugify(one["name"], allow_unicode=True),
            defaults={
                "name": one["name"],
                "featured": one.get("featured", False),
                "position": position,
                "description": one.get("description", ""),
            },
        )
        for word in one["synonyms"]:
            slug = slugify(word, allow_unicode=True)
            TagSynonym.objects.get_or_create(slug=slug, defaults={"name": word, "tag": tag})


def register(wanted: Iterable[Mapping[str, Any]], *, at: datetime) -> list[Feed]:
    """Each outlet's feed and source, with its terms. What somebody changed since stays."""
    rows = []
    for one in wanted:
        known = Feed.objects.filter(url_key=address_key(one["feed"])).select_related("source").first()
        rows.append(known or _new_feed(one, at=at))
    return rows


@transaction.atomic
def _new_feed(one: Mapping[str, Any], *, at: datetime) -> Feed:
    feed = feeds.register(url=one["feed"], title=one["name"], homepage=one["homepage"], at=at)
    terms = {
        name: one[name]
        for name in ("usage", "terms", "terms_url", "excerpt_words", "description", "language")
        if name in one
    }
    Source.objects.filter(pk=feed.source_id).update(
        terms_recorded_on=at.date(), copyright_holder=one["name"], **terms
    )
    feed.source.refresh_from_db()
    return feed


def read(rows: Sequence[Feed], client: OutletClient, *, at: datetime, say: Say) -> int:
    """Fetch the feeds that were never read, and pause them: their hosts exist here alone."""
    fresh = [row for row in rows if row.last_success_at is None]
    feeds.resume(feeds=fresh, at=at)
    created = 0
    for report in feeds.fetch_pass(at=at, only=[row.pk for row in fresh], client=client):
        created += report.created
        say(f"  {report.url}: {report.error or f'{report.created} articles'}")
    search.index_all_owed(timezone.now())
    feeds.pause(feeds=rows, at=at, reason=PAUSED)
    return created


# --- pictures ---------------------------------------------------------------------------------


@transaction.atomic
def credit_pictures(wanted: Iterable[Mapping[str, Any]]) -> None:
    """JSON Feed has no word for a picture's credit; these outlets give it in an extension of their own."""
    for one in wanted:
        if not one["file"].endswith(".json"):
            continue
        document = json.loads((FOLDER / "feeds" / one["file"]).read_text(encoding="utf-8"))
        for entry in document["items"]:
            said = entry["_media"]
            Media.objects.filter(original_url=entry["image"], credit="").update(
                alt=said["alt"], credit=said["credit"], holder=said["copyright"], terms=said["terms"]
            )


def fetch_pictures(rows: Sequence[Feed], client: OutletClient) -> int:
    """The pictures of these feeds' articles that are not here yet, on all cores; returns how many were tried."""
    sources = {row.source_id for row in rows}
    if not Media.objects.filter(articles__source__in=sources, due_at__lte=timezone.now()).exists():
        return 0
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    with ThreadPoolExecutor(workers, thread_name_prefix="picture") as pool:
        return sum(pool.map(_fetch_some, [client] * workers))


def _fetch_some(client: OutletClient) -> int:
    total = 0
    try:
        while tried := media.fetch_pictures(PICTURES_AT_ONCE, timezone.now(), client=client):
            total += tried
    finally:
        connections.close_all()
    return total


# --- curating ---------------------------------------------------------------------------------


def curate(desk: Mapping[str, Any], *, by: User) -> None:
    """What editors chose by hand: the stories of several outlets, and where to read on."""
    for story in desk["stories"]:
        _tell(story)
    for address, others in desk["related"].items():
        (article,), related = found_at([address]), found_at(others)
        actions.relate(article=article, to=related, by=by)


@transaction.atomic
def _tell(told: Mapping[str, Any]) -> None:
    story, _ = Story.objects.get_or_create(
        slug=told["slug"], defaults={"headline": told["headline"], "standfirst": told["standfirst"]}
    )
    members = found_at(told["articles"])
    Article.objects.filter(pk__in=[article.pk for article in members]).update(story=story)
    actions.refresh(articles=members)


@transaction.atomic
def begin(piece: Mapping[str, Any], people: Mapping[str, User], *, at: datetime) -> Article:
    """A piece of our own that no reader sees yet, where it stands on its way, with what colleagues say about it."""
    writer = people[piece["by"]]
    words = {name: piece[name] for name in ("headline", "standfirst", "body", "byline")}
    article = actions.save_edit(article=Article(language="en", **words), at=at, by=writer)
    with actions.changing_rows(article):
        article.tags.set(Tag.objects.filter(name__in=piece["tags"]))
    for name in piece["moves"]:
        workflow.make(move=workflow.MOVES[name], article=article, at=at, by=people[EDITOR])
    if "in_hours" in piece:
        later = at + timedelta(hours=piece["in_hours"])
        actions.publish(article=article, at=at, by=people[EDITOR], embargo_until=later)
    for said in piece["notes"]:
        task_of = people.get(said.get("task_of", ""))
        due_on = at.date() + timedelta(days=said.get("due_in_days", 0))
        notes.write(
            article=article, text=said["text"], by=people[said["by"]], at=at, task_of=task_of, due_on=due_on
        )
    return article


def found_at(addresses: Sequence[str]) -> list[Article]:
    """The articles whose originals are at these addresses, in this order."""
    keys = [address_key(address) for address in addresses]
    known = {article.url_key: article for article in Article.objects.filter(url_key__in=keys)}
    return [known[key] for key in keys if key in known]


def file_notice(letter: Mapping[str, Any], *, by: User, at: datetime) -> Claim:
    """A removal notice as an owner would send it; one of them a moderator has already upheld."""
    said = {
        name: letter[name]
        for name in ("name", "email", "organisation", "role", "ground", "work", "explanation", "language")
        if name in letter
    }
    complete = letter["confirmed"]
    received = receive(
        submission=Submission(
            channel=Channel.FORM,
            text=letter["article"],
            good_faith=complete,
            accurate=complete,
            signature=said["name"],
            confirmed=complete,
            quiet=True,
            **said,
        ),
        at=at - timedelta(hours=letter["hours_ago"]),
    )
    claim = Claim.objects.get(notice=received.notice)
    if letter.get("upheld") and claim.state in OPEN_STATES:
        decisions.uphold(claim_id=claim.pk, by=by, at=at, reasons=letter["upheld"])
        claim.refresh_from_db()
    return claim

"""Where an article may go next, who may send it there, and what is still missing before readers see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from articles import actions, illustrations
from articles.canonical import NotAnAddress, address_key
from articles.models import Article, ArticleState
from articles.sealing import is_sealed

S = ArticleState
VIEW, ADD = "articles.view_article", "articles.add_article"
CHANGE, CHANGE_OWN = "articles.change_article", "articles.change_own_article"
PUBLISH, RETRACT = "articles.publish_article", "articles.retract_article"


@dataclass(frozen=True, slots=True)
class Move:
    """One button: from which states it leads where, and the right it takes beside that to change the article."""

    name: str
    label: str
    start: frozenset[ArticleState]
    to: ArticleState
    right: str
    done: str


MOVES = {
    move.name: move
    for move in (
        Move("submit", "Send to review", frozenset({S.DRAFT}), S.REVIEW, "", "sent to review"),
        Move("approve", "Approve", frozenset({S.DRAFT, S.REVIEW}), S.APPROVED, PUBLISH, "approved"),
        Move(
            "publish", "Publish", frozenset({S.DRAFT, S.REVIEW, S.APPROVED}), S.PUBLISHED, PUBLISH, "published"
        ),
        Move("review", "Back to review", frozenset({S.APPROVED, S.PUBLISHED}), S.REVIEW, PUBLISH,
             "taken back to review"),
        Move("draft", "Back to draft", frozenset({S.REVIEW, S.APPROVED, S.PUBLISHED}), S.DRAFT, PUBLISH,
             "taken back to draft"),
        Move("restore", "Publish again", frozenset({S.RETRACTED}), S.PUBLISHED, RETRACT, "published again"),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list before publishing. A `needed` one that is not `met` stops it."""

    name: str
    met: bool
    needed: bool
    why: str


def may_change(user: Any, article: Article) -> bool:
    """Whoever may publish changes everything but what is under seal or erased; others what no reader sees yet."""
    if article.state == S.ERASED or (article.pk and is_sealed(article)):
        return False
    if user.has_perm(CHANGE):
        return article.state in (S.DRAFT, S.REVIEW) or user.has_perm(PUBLISH)
    return article.state == S.DRAFT and is_own(user, article)


def may_view(user: Any, article: Article) -> bool:
    """Those who see no other articles still see what they began, wherever it stands."""
    if user.has_perm(VIEW) or user.has_perm(CHANGE):
        return True
    return is_own(user, article) and article.state != S.ERASED


def seen_by(user: Any, articles: QuerySet[Article]) -> QuerySet[Article]:
    """Those of the articles that this person may look at."""
    if user.has_perm(VIEW) or user.has_perm(CHANGE):
        return articles
    return articles.filter(created_by=user.pk).exclude(state=S.ERASED)


def is_own(user: Any, article: Article) -> bool:
    """A draft that this person began, and may go on with."""
    return bool(user.has_perm(CHANGE_OWN) and (article.pk is None or article.created_by_id == user.pk))


def moves_for(user: Any, article: Article) -> list[Move]:
    """The moves this person may make from where the article stands, in the order of the work."""
    if not may_change(user, article):
        return []
    return [
        move
        for move in MOVES.values()
        if article.state in move.start and (not move.right or user.has_perm(move.right))
    ]


def may_retract(user: Any, article: Article) -> bool:
    """Only what readers have is retracted."""
    return article.state == S.PUBLISHED and bool(user.has_perm(RETRACT)) and may_change(user, article)


def make(*, move: Move, article: Article, at: datetime, by: User) -> Article:
    """Send the article where the move leads; NotAllowed when it no longer stands where the move starts."""
    actions.lock(article)
    if article.state not in move.start:
        raise actions.NotAllowed(
            f"It is {article.get_state_display().lower()} by now, so it was not {move.done}."
        )
    if move.to == S.PUBLISHED:
        missing = [check.why for check in checks(article) if check.needed and not check.met]
        if missing:
            raise actions.NotAllowed(" ".join(missing))
        return actions.publish(article=article, at=at, by=by)
    if move.to == S.APPROVED:
        return actions.approve(article=article, by=by)
    return actions.set_aside(article=article, to=move.to, by=by)


def checks(article: Article) -> Iterator[Check]:
    """What an editor looks at before readers do, as it is stored."""
    yield from _checks_of_text(article)
    yield from _checks_of_origin(article)
    yield from _checks_of_picture(article)


def _checks_of_text(article: Article) -> Iterator[Check]:
    yield Check("Headline", bool(article.headline.strip()), True, "An article needs a headline.")
    yield Check(
        "Language",
        bool(article.language),
        False,
        "Without a language, screen readers and search guess it.",
    )
    yield Check(
        "Tags", article.tags.exists(), False, "Without a tag, readers find it by date and search alone."
    )


def _checks_of_origin(article: Article) -> Iterator[Check]:
    source = article.source
    linked = source is None or _is_address(article.canonical_url)
    yield Check("Primary source", linked, True, "What came from a source links to its original.")
    named = bool(article.byline.strip()) or article.contributions.exists() or source is not None
    yield Check("Credit", named, False, "Nobody is named who made it.")
    if source is None:
        return
    recorded = bool(article.usage_terms or source.terms or source.terms_recorded_on)
    yield Check(
        "Terms", recorded, False, f"No terms of {source.name} are recorded; readers get what its usage says."
    )


def _checks_of_picture(article: Article) -> Iterator[Check]:
    pictures = illustrations.pictures_of(article)
    if not pictures:
        return
    told = illustrations.in_text(article.body)
    silent = [media for media in pictures if not (told.get(media.token) or media.alt).strip()]
    yield Check("Picture's text", not silent, True, "Say what each picture shows, for those who hear it.")
    credited = all(media.credit.strip() or media.holder.strip() for media in pictures)
    yield Check("Picture's credit", credited, False, "Name who made each picture.")
    over = any(media.terms_expire_at and media.terms_expire_at <= timezone.now() for media in pictures)
    if over:
        yield Check("Picture's terms", False, False, "They have ended, so readers are not shown it.")


def _is_address(typed: str) -> bool:
    try:
        return bool(typed and address_key(typed))
    except NotAnAddress:
        return False

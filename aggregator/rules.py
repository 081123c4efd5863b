"""The desk's rules for what feeds bring: which entries are published, wait for an editor, or are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from aggregator.models import EntryRecord, FeedRule
from articles.drafts import Draft
from articles.models import Article
from articles.sanitise import to_text
from articles.search import fold

MOST_TRIED = 300


@dataclass(frozen=True, slots=True)
class Text:
    """What of an entry or article a rule looks at, folded: case and accents make no difference."""

    words: str
    tags: frozenset[str]
    authors: frozenset[str]
    language: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have done with one article that is here already."""

    article: Article
    applies: bool


def standing() -> list[FeedRule]:
    """The rules that are switched on, in their order."""
    return list(FeedRule.objects.filter(enabled_at__isnull=False).order_by("position", "pk"))


def action_for(rules: Sequence[FeedRule], *, feed_id: int, source_id: int, draft: Draft) -> str:
    """What the first rule that applies says; "" where none does."""
    ours = [rule for rule in rules if concerns(rule, feed_id=feed_id, source_id=source_id)]
    if not ours:
        return ""
    text = of_draft(draft)
    return next((rule.action for rule in ours if applies(rule, text)), "")


def concerns(rule: FeedRule, *, feed_id: int, source_id: int) -> bool:
    return rule.feed_id in (None, feed_id) and rule.source_id in (None, source_id)


def applies(rule: FeedRule, text: Text) -> bool:
    """Whether the text meets each condition given: of its words any, of its tags any, and so on."""
    words = _lines(rule.words)
    met = (
        (not words or any(f" {word} " in text.words for word in words))
        and _any_of(_lines(rule.tags), text.tags)
        and _any_of(_lines(rule.authors), text.authors)
        and _any_of(_languages(rule.languages), {text.language})
    )
    return met != rule.otherwise


def _any_of(wanted: Sequence[str], given: Iterable[str]) -> bool:
    return not wanted or not set(wanted).isdisjoint(given)


@lru_cache(maxsize=1024)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(fold, text.splitlines())))


@lru_cache(maxsize=1024)
def _languages(text: str) -> tuple[str, ...]:
    return tuple(word.strip().lower().partition("-")[0] for word in text.replace(",", " ").split())


def of_draft(draft: Draft) -> Text:
    return _text(
        [draft.headline, draft.standfirst, to_text(draft.body)],
        draft.tags,
        [credit.name for credit in draft.credits],
        draft.language,
    )


def of_article(article: Article) -> Text:
    return _text(
        [article.headline, article.standfirst, to_text(article.body)],
        [tag.name for tag in article.tags.all()],
        [person.name for person in article.contributors.all()],
        article.language,
    )


def _text(parts: Iterable[str], tags: Iterable[str], authors: Iterable[str], language: str) -> Text:
    return Text(
        f" {fold(' '.join(parts))} ",
        frozenset(map(fold, tags)),
        frozenset(map(fold, authors)),
        language.lower().partition("-")[0],
    )


def tried(rule: FeedRule) -> list[Trial]:
    """The rule against the newest of what its feeds brought; nothing is changed."""
    articles = Article.objects.exclude(state="erased").exclude(headline="")
    if rule.feed_id:
        brought = EntryRecord.objects.filter(feed=rule.feed_id, article__isnull=False).order_by("-pk")
        articles = articles.filter(pk__in=list(brought.values_list("article_id", flat=True)[:MOST_TRIED]))
    elif rule.source_id:
        articles = articles.filter(source=rule.source_id)
    else:
        articles = articles.filter(source__isnull=False)
    newest = articles.order_by("-pk").select_related("source")
    newest = newest.prefetch_related("tags", "contributors")  # type: ignore[misc]
    return [
        Trial(article, applies(rule, of_article(article)))
        for article in newest.defer("signature")[:MOST_TRIED]
    ]

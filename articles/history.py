"""The desk's history: who did what and when. What it quotes of an article goes with the article."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Model, Q, QuerySet

from articles import illustrations
from articles.models import Article, Contributor, Media, Story

# A headline of fewer words may stand in a line about something else.
TELLING = 3


def quoting(article: Article) -> QuerySet[LogEntry]:
    """Entries about the article, its own picture, its story, the people of whom nothing else is here, and
    entries about anything else that quote its headline."""
    alone = Contributor.objects.annotate(made=Count("contributions__article", distinct=True)).filter(
        made=1, contributions__article=article
    )
    story = Story.objects.filter(pk=article.story_id or 0, headline=article.headline)
    about = _of(Article, [article.pk]) | _of(Contributor, alone.values_list("pk", flat=True))
    about |= _of(Media, [media.pk for media in illustrations.own_of(article)])
    about |= _of(Story, story.values_list("pk", flat=True))
    return LogEntry.objects.filter(about | _quotes(article.headline))


def _of(model: type[Model], pks: Iterable[int]) -> Q:
    kind = ContentType.objects.get_for_model(model)
    return Q(content_type=kind, object_id__in=[str(pk) for pk in pks])


def _quotes(headline: str) -> Q:
    if len(headline.split()) < TELLING:
        return Q(object_repr=headline) if headline else Q(pk=None)
    # Django writes what was changed as JSON, letters beyond ASCII escaped.
    escaped = json.dumps(headline)[1:-1]
    return (
        Q(object_repr__contains=headline[:190])
        | Q(change_message__contains=headline)
        | Q(change_message__contains=escaped)
    )


def blank(entries: Iterable[int], *, named: str) -> None:
    """Keep who did it and when, and nothing of what it was about."""
    LogEntry.objects.filter(pk__in=list(entries)).update(object_repr=named, change_message="")

"""An edited copy of a withheld work does not come back by itself: an editor looks at it first."""

from __future__ import annotations

import random

import pytest
from django.utils import timezone

from articles import actions
from articles.canonical import address_key
from articles.drafts import Draft
from articles.models import Article, ArticleState, HoldKind
from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db
WORDS = [f"{first}{second}" for first in ("har", "bel", "mor", "tin", "sal", "ver") for second in
         ("bour", "low", "tide", "mast", "keel", "rope", "lamp", "gull")]  # fmt: skip


def text(seed: int, length: int = 160) -> str:
    made = random.Random(seed)
    return " ".join(made.choice(WORDS) + str(made.randint(1, 40)) for _ in range(length))


def edited(body: str) -> str:
    """A sub-editor's hand: one word in twenty-five replaced, the end cut, a sentence added."""
    words = body.split()
    words[7::25] = ["altogether"] * len(words[7::25])
    return " ".join(words[: int(len(words) * 0.9)]) + " More to follow in the evening edition."


def offer(body: str, name: str) -> Article:
    url = f"https://mirror.example/{name}"
    draft = Draft(
        canonical_url=url, url_key=address_key(url), guid_key="", headline=name, body=f"<p>{body}</p>"
    )
    actions.ingest(source=SourceFactory(), drafts=[draft], at=timezone.now())
    return Article.objects.get(canonical_url=url)


def withhold(article: Article) -> None:
    at = timezone.now()
    actions.place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=at, at=at, by=None
    )


@pytest.mark.parametrize("seed", range(6))
def test_an_edited_copy_of_a_withheld_work_waits_for_an_editor(seed: int) -> None:
    body = text(seed)
    withhold(ArticleFactory(body=f"<p>{body}</p>"))

    copy = offer(edited(body), "An edited copy")

    assert copy.state == ArticleState.REVIEW
    assert not Article.objects.public().filter(pk=copy.pk).exists()


def test_other_texts_come_in_as_ever() -> None:
    withhold(ArticleFactory(body=f"<p>{text(1)}</p>"))

    for seed in range(100, 130):
        assert offer(text(seed), f"Another text {seed}").state == ArticleState.PUBLISHED


def test_a_copy_of_what_is_shown_comes_in() -> None:
    body = text(2)
    ArticleFactory(body=f"<p>{body}</p>")

    assert offer(edited(body), "A copy").state == ArticleState.PUBLISHED

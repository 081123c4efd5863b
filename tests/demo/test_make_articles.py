"""Synthetic articles for load: valid in every way a real one is."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Max, Min
from django.utils import timezone

from articles import search
from articles.fingerprint import text_fingerprint
from articles.models import Article, Contributor, Tag
from articles.sanitise import sanitise, to_text


def make(count: int, seed: str) -> str:
    said = StringIO()
    call_command("make_articles", str(count), seed=seed, stdout=said)
    return said.getvalue()


@pytest.mark.django_db
def test_synthetic_articles_are_as_valid_as_real_ones() -> None:
    said = make(300, "a seed")

    made = Article.objects.public()
    assert made.count() == 300
    assert "300 of 300" in said
    for article in made.select_related("source")[:40]:
        assert article.canonical_url.startswith("https://")
        assert sanitise(article.body) == article.body
        assert 150 <= len(to_text(article.body).split()) <= 1000
        assert article.text_key == text_fingerprint(to_text(article.body))
    assert Contributor.objects.count() >= 60
    assert made.values("source").distinct().count() >= 20
    words = made.latest("published_at").headline
    assert search.find(f'"{words}"').hits


@pytest.mark.django_db
def test_their_dates_go_back_three_years_and_few_tags_are_on_most() -> None:
    make(300, "a seed")

    dates = Article.objects.aggregate(first=Min("published_at"), last=Max("published_at"))
    assert timezone.now() - dates["first"] > timedelta(days=1000)
    assert timezone.now() - dates["last"] < timedelta(days=30)
    counts = list(Tag.objects.annotate(n=Count("tagged")).order_by("-n").values_list("n", flat=True))
    assert len(counts) > 100
    assert counts[0] > 8 * counts[len(counts) // 2]


@pytest.mark.django_db
def test_one_seed_makes_its_articles_once_and_another_makes_others() -> None:
    make(20, "one")
    assert "20 existed already" in make(20, "one")
    assert Article.objects.count() == 20

    make(20, "another")

    assert Article.objects.count() == 40


@pytest.mark.django_db
def test_none_is_too_few() -> None:
    with pytest.raises(CommandError, match="1 or more"):
        make(0, "a seed")

"""One article that stands on every kind of public page."""

from __future__ import annotations

import pytest
from django.utils import timezone

from articles.models import Article, Revision, SlugRedirect
from tests.factories import (
    ArticleFactory,
    ContributionFactory,
    RelatedLinkFactory,
    RenditionFactory,
    StoryFactory,
    TagFactory,
)


@pytest.fixture
def somewhere_everywhere(db) -> Article:
    """Public, with source, story, featured tag, people, picture, an old address and an article that links to it."""
    TagFactory(name="Climate", featured=True)
    picture = RenditionFactory().media
    picture.file = picture.renditions.get().file.name
    picture.save()
    article = ArticleFactory(
        headline="Zebrafinch colony moves to the lighthouse",
        slug="zz-kx7-colony",
        source__name="Lighthouse Gazette",
        standfirst="Ornithologists counted forty nests.",
        body="<p>The colony was counted at dawn by volunteers.</p>",
        tags=["Climate"],
        people=["Quillon Zebedee"],
        story=StoryFactory(),
        lead_media=picture,
    )
    ContributionFactory(
        article=article, contributor__name="Ada Vance", role="contributing_reporter", position=3
    )
    SlugRedirect.objects.create(slug="an-old-address", article=article)
    Revision.objects.create(
        article=article, number=1, kind="correction", snapshot={}, at=timezone.now(), note="Forty, not fifty."
    )
    RelatedLinkFactory(article=ArticleFactory(), to_article=article)
    return article

"""Rows for tests. Every factory leaves the site as an action would: found by search, old pages gone."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import factory
from django.db import transaction
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import User
from articles.models import (
    Article,
    ArticleState,
    Contribution,
    Contributor,
    Hold,
    HoldKind,
    Media,
    RelatedLink,
    Rendition,
    Role,
    Source,
    Story,
    Tag,
)
from articles.tokens import new_token


def ago(**span: float) -> Any:
    """A moment in the past, read when the row is made: `ago(hours=2)`."""
    return factory.LazyFunction(lambda: timezone.now() - timedelta(**span))


class UserFactory(DjangoModelFactory[User]):
    """A login without rights; `staff=True` may enter the desk, `superuser=True` may do everything there."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        staff = factory.Trait(is_staff=True)
        superuser = factory.Trait(is_staff=True, is_superuser=True)

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@newsroom.example")
    password = factory.django.Password("a long test password")


class SourceFactory(DjangoModelFactory[Source]):
    """An outlet whose full text we may show (the policy's own tests choose another)."""

    class Meta:
        model = Source

    name = factory.Sequence(lambda n: f"Outlet {n}")
    slug = factory.Sequence(lambda n: f"outlet-{n}")
    domain = factory.Sequence(lambda n: f"outlet{n}.example")
    homepage = factory.LazyAttribute(lambda source: f"https://{source.domain}/")
    language = "en"
    usage = "full"
    terms = "Full text with a link to the original."
    copyright_holder = factory.LazyAttribute(lambda source: f"{source.name} Media Ltd")


class ContributorFactory(DjangoModelFactory[Contributor]):
    class Meta:
        model = Contributor
        django_get_or_create = ("name_key",)

    name = factory.Sequence(lambda n: f"Robin Writer{n}")
    slug = factory.LazyAttribute(lambda person: person.name.lower().replace(" ", "-"))
    name_key = factory.LazyAttribute(lambda person: person.name.lower().replace(" ", "-"))


class TagFactory(DjangoModelFactory[Tag]):
    class Meta:
        model = Tag
        django_get_or_create = ("slug",)

    name = factory.Sequence(lambda n: f"Topic {n}")
    slug = factory.LazyAttribute(lambda tag: tag.name.lower().replace(" ", "-"))


class StoryFactory(DjangoModelFactory[Story]):
    class Meta:
        model = Story

    headline = factory.Sequence(lambda n: f"An event numbered {n}")
    slug = factory.Sequence(lambda n: f"an-event-{n}")


class MediaFactory(DjangoModelFactory[Media]):
    """A picture whose file is not here yet and is not due either; `RenditionFactory` gives it bytes."""

    class Meta:
        model = Media

    token = factory.LazyFunction(new_token)
    alt = factory.Sequence(lambda n: f"What picture {n} shows")
    credit = factory.Sequence(lambda n: f"Photographer {n}")


class RenditionFactory(DjangoModelFactory[Rendition]):
    class Meta:
        model = Rendition

    media = factory.SubFactory(MediaFactory)
    width = 480
    height = 320
    file = factory.django.ImageField(width=480, height=320, format="WEBP", filename="rendition.webp")


class ArticleFactory(DjangoModelFactory[Article]):
    """A public article from a source, published an hour ago. `draft=True`, `ours=True` (no source).

    `tags=["Climate"]` and `people=["Ann Ó Briain"]` (authors) give it tags and credits.
    """

    class Meta:
        model = Article
        skip_postgeneration_save = True

    class Params:
        draft = factory.Trait(state=ArticleState.DRAFT, published_at=None)
        published = factory.Trait(state=ArticleState.PUBLISHED)
        ours = factory.Trait(source=None, canonical_url="", url_key=None)

    state = ArticleState.PUBLISHED
    headline = factory.Sequence(lambda n: f"Harbour reopens after storm {n}")
    slug = factory.Sequence(lambda n: f"harbour-reopens-{n}")
    standfirst = factory.Sequence(lambda n: f"Ferries sail again from quay {n}.")
    body = factory.Sequence(
        lambda n: f"<p>The first ferry left quay {n} at dawn, the harbour master said.</p>"
    )
    language = "en"
    source = factory.SubFactory(SourceFactory)
    canonical_url = factory.LazyAttributeSequence(lambda article, n: f"{article.source.homepage}news/{n}")
    url_key = factory.LazyAttribute(lambda article: _address_key(article.canonical_url))
    published_at = ago(hours=1)

    @factory.post_generation
    def tags(self, create: bool, names: Any, **kwargs: Any) -> None:
        if names:
            self.tags.add(*names)

    @factory.post_generation
    def people(self, create: bool, names: Any, **kwargs: Any) -> None:
        for position, name in enumerate(names or ()):
            ContributionFactory(article=self, contributor__name=name, position=position)

    @classmethod
    def _after_postgeneration(cls, instance: Article, create: bool, results: Any = None) -> None:
        if create:
            _refresh(instance)


class ContributionFactory(DjangoModelFactory[Contribution]):
    class Meta:
        model = Contribution

    article = factory.SubFactory(ArticleFactory)
    contributor = factory.SubFactory(ContributorFactory)
    role = Role.AUTHOR


class RelatedLinkFactory(DjangoModelFactory[RelatedLink]):
    class Meta:
        model = RelatedLink

    article = factory.SubFactory(ArticleFactory)
    to_article = factory.SubFactory(ArticleFactory)


class HoldFactory(DjangoModelFactory[Hold]):
    """A legal hold in effect for a minute, placed through the action with all that follows from it."""

    class Meta:
        model = Hold

    article = factory.SubFactory(ArticleFactory)
    kind = HoldKind.LEGAL
    reference = factory.Sequence(lambda n: f"claim:{n}")
    effective_at = ago(minutes=1)
    at = factory.LazyFunction(timezone.now)
    by = None

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Hold:
        from articles.actions import place_hold

        return place_hold(**kwargs)


def correct(*, article: Article, at: Any, by: User | None, note: str, **changes: Any) -> None:
    """A correction as the desk stores it: what is in the form, and then what readers see of it."""
    from articles.actions import save_edit

    for name, value in changes.items():
        setattr(article, name, value)
    with transaction.atomic():
        save_edit(article=article, at=at, by=by, correction=note)
        _refresh(article)


def _address_key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _refresh(article: Article) -> None:
    from articles import search, surfaces

    with transaction.atomic():
        search.index([article.pk])
        surfaces.changed(surfaces.keys_of([article.pk]))

"""Several rows that are one person, or one tag, become one; every address and every spelling leads to it for ever.

What has a new address, a story as well, is still met at its former ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from articles import illustrations, search, surfaces, walks
from articles import media as pictures
from articles.models import (
    Article,
    Contribution,
    Contributor,
    ContributorName,
    FormerAddress,
    Media,
    Story,
    Tag,
    TaggedArticle,
    TagSynonym,
    WalkKind,
)
from articles.optouts import OptOut

ARTICLES_AT_ONCE = 500
Owner = TypeVar("Owner", Contributor, Tag, Story)


class CannotMerge(Exception):
    """These rows are not to become one; the text says why."""


# --- addresses --------------------------------------------------------------------------------


def lead_to(owner: Contributor | Tag | Story, slugs: Iterable[str]) -> None:
    """From now on these former addresses lead to the owner's page, whatever they led to before."""
    kind = _kind(owner)
    wanted = set(slugs)
    FormerAddress.objects.filter(**{f"{kind}__isnull": False}, slug__in={*wanted, owner.slug}).delete()
    FormerAddress.objects.bulk_create(
        FormerAddress(slug=slug, **{kind: owner}) for slug in sorted(wanted - {owner.slug})
    )


def take_addresses(owner: Contributor | Tag, others: Sequence[Contributor] | Sequence[Tag]) -> None:
    """All that led to the others leads to the owner, and their own addresses with it."""
    kind = _kind(owner)
    former = FormerAddress.objects.filter(**{f"{kind}__in": list(others)})
    lead_to(owner, [*former.values_list("slug", flat=True), *(other.slug for other in others)])


def now_at(model: type[Owner], slug: str) -> Owner | None:
    """Whose page this former address leads to; None when it leads nowhere."""
    found: Owner | None = model._default_manager.filter(former_addresses__slug=slug).first()
    return found


def public_person_once_at(slug: str) -> Contributor | None:
    """The same of a person of whom something is public."""
    person = now_at(Contributor, slug)
    public = Article.objects.public().filter(contributions__contributor=person)
    return person if person and public.exists() else None


def _kind(owner: Model) -> str:
    return str(owner._meta.model_name)


# --- people -----------------------------------------------------------------------------------


@transaction.atomic
def merge_contributors(*, kept: Contributor, others: Iterable[Contributor], by: User | None) -> Contributor:
    """Credit to `kept` all that was credited to the others, whose names are other spellings from now on.

    Raises CannotMerge. It cannot be undone: what was whose is not remembered.
    """
    ids = {other.pk for other in others} - {kept.pk}
    _lock_articles(Contribution.objects.filter(contributor__in=ids).values("article"))
    rows = {row.pk: row for row in Contributor.objects.select_for_update().filter(pk__in={kept.pk, *ids})}
    gone = [rows[pk] for pk in sorted(ids) if pk in rows]
    if kept.pk not in rows or not gone:
        raise CannotMerge("Choose at least two people who are still there.")
    kept = rows[kept.pk]
    if len({row.is_agency for row in rows.values()}) > 1:
        raise CannotMerge("A person and an agency are not one. Correct first which of them is what.")
    keys = {f"contributor:{row.pk}" for row in rows.values()}
    articles = _credit(kept, gone)
    OptOut.objects.filter(contributor__in=gone).update(contributor=kept)
    _take_names(kept, gone)
    take_addresses(kept, gone)
    kept.about = kept.about or next((row.about for row in gone if row.about), "")
    kept.homepage = kept.homepage or next((row.homepage for row in gone if row.homepage), "")
    kept.save(update_fields=["about", "homepage"])
    _forget_names(gone)
    Contributor.objects.filter(pk__in=ids).delete()
    _record(kept, len(gone), by)
    _shown_anew(articles, keys, walks.Of(person=kept))
    return kept


def _credit(kept: Contributor, gone: Sequence[Contributor]) -> list[int]:
    """Move the credits, each of an article once; returns whose articles changed."""
    theirs = Contribution.objects.filter(contributor__in=gone)
    articles = list(theirs.order_by().values_list("article_id", flat=True).distinct())
    for other in gone:
        same = Contribution.objects.filter(
            article=OuterRef("article"), role=OuterRef("role"), contributor=kept
        )
        credits = Contribution.objects.filter(contributor=other)
        credits.filter(Exists(same)).delete()
        credits.update(contributor=kept)
    return articles


def _take_names(kept: Contributor, gone: Sequence[Contributor]) -> None:
    ContributorName.objects.filter(contributor__in=gone).update(contributor=kept)
    ContributorName.objects.bulk_create(
        ContributorName(contributor=kept, name=other.name, name_key=other.name_key) for other in gone
    )


def _forget_names(gone: Sequence[Contributor]) -> None:
    """The desk's history of rows that are no more keeps who did what, without names."""
    of_people = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Contributor))
    for person in gone:
        named = f"contributor {person.pk}"
        of_people.filter(object_id=str(person.pk)).update(object_repr=named, change_message="")


def _record(kept: Contributor | Tag, count: int, by: User | None) -> None:
    if by is not None:
        LogEntry.objects.create(
            user_id=by.pk,
            content_type=ContentType.objects.get_for_model(kept),
            object_id=str(kept.pk),
            object_repr=str(kept)[:200],
            action_flag=CHANGE,
            change_message=f"Merged with {count} other{'' if count == 1 else 's'}.",
        )


# --- tags -------------------------------------------------------------------------------------


@transaction.atomic
def merge_tags(*, kept: Tag, others: Iterable[Tag], by: User | None) -> Tag:
    """Give `kept` to all that carries the others, whose words are its synonyms from now on.

    Raises CannotMerge. It cannot be undone: what carried which is not remembered.
    """
    ids = {other.pk for other in others} - {kept.pk}
    _lock_articles(TaggedArticle.objects.filter(tag__in=ids).values("content_object"))
    rows = {row.pk: row for row in Tag.objects.select_for_update().filter(pk__in={kept.pk, *ids})}
    gone = [rows[pk] for pk in sorted(ids) if pk in rows]
    if kept.pk not in rows or not gone:
        raise CannotMerge("Choose at least two tags that are still there.")
    kept = rows[kept.pk]
    keys = {f"tag:{row.pk}" for row in rows.values()} | {surfaces.SITE}
    articles = _retag(kept, gone)
    take_addresses(kept, gone)
    TagSynonym.objects.filter(tag__in=gone).update(tag=kept)
    if any(tag.featured for tag in gone) and not kept.featured:
        kept.featured = True
        kept.save(update_fields=["featured"])
    words = [(other.name, other.slug) for other in gone]
    Tag.objects.filter(pk__in=ids).delete()
    TagSynonym.objects.bulk_create(TagSynonym(tag=kept, name=name, slug=slug) for name, slug in words)
    _record(kept, len(gone), by)
    _shown_anew(articles, keys, walks.Of(tagged=kept))
    return kept


def _retag(kept: Tag, gone: Sequence[Tag]) -> list[int]:
    """Move what the others are on, each article once; returns which articles changed."""
    theirs = TaggedArticle.objects.filter(tag__in=gone)
    articles = list(theirs.order_by().values_list("content_object_id", flat=True).distinct())
    for other in gone:
        same = TaggedArticle.objects.filter(content_object=OuterRef("content_object"), tag=kept)
        tagged = TaggedArticle.objects.filter(tag=other)
        tagged.filter(Exists(same)).delete()
        tagged.update(tag=kept)
    return articles


@transaction.atomic
def save_tag(*, tag: Tag) -> Tag:
    """Store a tag. Renamed, it is still found and met under its former word and address."""
    before = Tag.objects.filter(pk=tag.pk).first() if tag.pk else None
    tag.save()
    if before and before.slug != tag.slug:
        TagSynonym.objects.filter(slug=tag.slug, tag=tag).delete()
        TagSynonym.objects.get_or_create(slug=before.slug, defaults={"tag": tag, "name": before.name})
        lead_to(tag, [before.slug])
    elif before is None:
        lead_to(tag, [])
    if before and before.name != tag.name:
        named = TaggedArticle.objects.filter(tag=tag).values_list("content_object_id", flat=True)
        _shown_anew(list(named), {f"tag:{tag.pk}", surfaces.SITE}, walks.Of(tagged=tag))
    else:
        surfaces.changed([f"tag:{tag.pk}", surfaces.SITE])
    return tag


# --- pictures ---------------------------------------------------------------------------------


@transaction.atomic
def merge_pictures(*, kept: Media, others: Sequence[Media]) -> Media:
    """Let one row stand for several of the same file; raises CannotMerge when the files differ."""
    ids = {other.pk for other in others} - {kept.pk}
    shows_one = Q(lead_media__in=ids) | Q(illustrations__media__in=ids)
    _lock_articles(Article.objects.filter(shows_one).values("pk"))
    gone = list(Media.objects.select_for_update().filter(pk__in=ids))
    if not gone or any(not other.sha256 or other.sha256 != kept.sha256 for other in gone):
        raise CannotMerge("Only rows of one and the same file are merged; these differ.")
    articles = list(Article.objects.filter(lead_media__in=gone).values_list("pk", flat=True))
    Article.objects.filter(pk__in=articles).update(lead_media=kept)
    tokens = {other.token: kept.token for other in gone}
    for article in Article.objects.select_for_update(no_key=True).filter(illustrations__media__in=gone):
        # A form that is open has the former picture in it, so it is stale by this.
        article.body, article.version = illustrations.renamed(article.body, tokens), article.version + 1
        article.save(update_fields=["body", "version"])
        illustrations.place(article)
        articles.append(article.pk)
    for other in gone:
        pictures.delete(other)
    surfaces.changed(surfaces.keys_of(articles))
    return kept


# --- both -------------------------------------------------------------------------------------


def _lock_articles(of: QuerySet[Any, Any]) -> None:
    """Wait for whoever withholds or seals one of these before anything of theirs is locked.

    A removal takes an article first and its credits and tags then; the other way round the two wait in a ring.
    So many that the index follows later are not waited for: then nothing here asks for an article.
    """
    rows = Article.objects.select_for_update(no_key=True).filter(pk__in=of).order_by("pk")
    if of.count() <= ARTICLES_AT_ONCE:
        list(rows.values_list("pk", flat=True))


def _shown_anew(articles: Sequence[int], keys: set[str], of: walks.Of) -> None:
    """Pages follow at once. So does search, unless they are so many that nobody could write meanwhile."""
    if len(articles) > ARTICLES_AT_ONCE:
        walks.ask(WalkKind.INDEX, of, at=timezone.now())
        surfaces.changed({*keys, surfaces.SITE})
    else:
        search.index(articles)
        surfaces.changed(keys | surfaces.keys_of(articles))


def perhaps_the_same(person: Contributor, limit: int = 10) -> list[Contributor]:
    """People whose last name is the same and whose first begins with the same letter: worth a look."""
    words = person.name_key.split("-")
    if len(words) < 2:
        return []
    alike = Contributor.objects.filter(name_key__startswith=words[0][0], name_key__endswith=f"-{words[-1]}")
    return list(alike.filter(is_agency=person.is_agency).exclude(pk=person.pk).order_by("name")[:limit])

"""What an owner does not want shown at all: everything of a domain, of one author there, or under a path.

A rule is one row. The public query obeys it the moment it is committed, however many articles it
covers; ingestion, the desk and a trigger on the articles table keep new ones out.
"""

from __future__ import annotations

import hashlib
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.db import connection, models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from articles.canonical import NotAnAddress, domain_of, readable_url
from articles.visibility import ruled_out_sql

if TYPE_CHECKING:
    from articles.models import Article


class OptOutKind(models.TextChoices):
    """How much of a domain a rule covers."""

    SOURCE = "source", "Everything"
    AUTHOR = "author", "One author"
    PATH = "path", "Everything under a path"


class OptOutQuerySet(models.QuerySet["OptOut"]):
    def standing(self) -> OptOutQuerySet:
        """Rules that nobody lifted."""
        return self.filter(lifted_at__isnull=True)

    def covering_article(self, article: Article) -> OptOutQuerySet:
        """The standing rules of an article's source that cover it, as the public query sees it."""
        covered = ruled_out_sql(connection.vendor, "a", "o").replace("%", "%%")
        rules = f"SELECT o.id FROM articles_optout o, articles_article a WHERE a.id = %s AND {covered}"  # noqa: S608
        return self.filter(pk__in=RawSQL(rules, [article.pk])).order_by("since")  # noqa: S611


class OptOut(models.Model):
    """One standing rule. An author is kept as a hash: the rule outlives everything that named them."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    domain = models.CharField(max_length=253)
    kind = models.CharField(max_length=8, choices=OptOutKind)
    value = models.CharField(
        max_length=500, blank=True, help_text="An author's hashed name, or a path that begins and ends in /."
    )
    contributor = models.ForeignKey(
        "articles.Contributor", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = OptOutQuerySet.as_manager()

    class Meta:
        ordering = ["domain", "since", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(domain=""), name="opt_out_has_a_domain"),
            models.CheckConstraint(condition=Q(kind__in=OptOutKind.values), name="opt_out_kind_known"),
            models.CheckConstraint(
                condition=(Q(kind="source") & Q(value="")) | (~Q(kind="source") & ~Q(value="")),
                name="opt_out_says_of_what",
            ),
            models.UniqueConstraint(
                fields=["domain", "kind", "value"],
                condition=Q(lifted_at__isnull=True),
                name="opt_out_once",
            ),
        ]

    def __str__(self) -> str:
        if self.kind == OptOutKind.AUTHOR:
            return f"{self.contributor or 'one author'} at {self.domain}"
        return f"everything at {self.domain}{self.value}"

    @property
    def named(self) -> str:
        """What it covers, in no language."""
        if self.kind == OptOutKind.AUTHOR:
            return f"{self.contributor or '…'} · {self.domain}"
        return f"{self.domain}{self.value}"

    @property
    def reference(self) -> str:
        """The name its holds carry."""
        return f"optout:{self.pk}"


def author_value(name_key: str) -> str:
    """What a rule keeps of an author's folded name."""
    return hashlib.sha256(f"author:{unicodedata.normalize('NFC', name_key)}".encode()).hexdigest()


def all_spellings(name_keys: Collection[str]) -> set[str]:
    """These folded names, and every other one under which the same people are known here."""
    return set(name_keys).union(*spellings(name_keys).values())


def spellings(name_keys: Collection[str]) -> dict[str, set[str]]:
    """For each of these folded names all those of the people who bear it. One query."""
    from articles.models import Contributor, ContributorName

    # Found one way, then the other: asked for either at once, a database reads everybody.
    known = Contributor.objects.filter(name_key__in=name_keys).order_by().values("pk")
    spelt = ContributorName.objects.filter(name_key__in=name_keys).order_by().values("contributor")
    people = (
        Contributor.objects.filter(pk__in=known.union(spelt)) if name_keys else Contributor.objects.none()
    )
    names: dict[int, set[str]] = defaultdict(set)
    for pk, own, other in people.values_list("pk", "name_key", "other_names__name_key"):
        names[pk] |= {own, other} - {None}
    found: dict[str, set[str]] = defaultdict(set)
    for spelled in names.values():
        for name in spelled.intersection(name_keys):
            found[name] |= spelled
    return found


def path_value(domain: str, path: str) -> str:
    """A path prefix in its one spelling, with or without its address before it; "" for what is none."""
    path = path.strip()
    if "://" not in path:
        path = f"https://{domain}/{path.lstrip('/')}"
    try:
        parts = urlsplit(readable_url(path))
    except NotAnAddress:
        return ""
    clean = parts.path.strip("/").lower()
    return f"/{clean}/" if clean and domain_of(path) == domain and len(clean) < 490 else ""


def rules_of(domains: Iterable[str]) -> list[OptOut]:
    """The standing rules of these domains. One indexed query."""
    return list(OptOut.objects.standing().filter(domain__in={domain for domain in domains if domain}))


def covers(rule: OptOut, *, domains: Iterable[str], url: str, authors: Iterable[str]) -> bool:
    """Whether a rule covers a work of these domains at this address by authors with these folded names."""
    if rule.domain not in set(domains):
        return False
    if rule.kind == OptOutKind.AUTHOR:
        return rule.value in {author_value(name) for name in authors}
    if rule.kind == OptOutKind.PATH:
        return f"{urlsplit(url).path}/".lower().startswith(rule.value)
    return True


def covering(
    rules: Sequence[OptOut], *, source_domain: str, url: str, authors: Iterable[str] = ()
) -> OptOut | None:
    """The first of `rules` that covers a work, by who brought it and by where the original lies."""
    domains = {source_domain.lower(), domain_of(url)} - {""}
    names = list(authors)
    return next((rule for rule in rules if covers(rule, domains=domains, url=url, authors=names)), None)

"""The condition under which a reader may see an article, as one piece of SQL.

Written out, because every public page asks it several times: built from the ORM's parts it cost more
to put together than the database took to answer it. `ArticleQuerySet.public()` and the few statements
written by hand both take it from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F, TextField

# Moments are compared with the database's clock: the same that Now() writes.
CLOCK = {"sqlite": "STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')", "postgresql": "statement_timestamp()"}
_PLACE_OF = {"sqlite": "INSTR", "postgresql": "STRPOS"}

# Each question is one about the article's row alone, which no planner turns into a join of everything:
# so lists are read in the order of their index and stop when the page is full. All together stand in a
# CASE that nearly always has a value: PostgreSQL takes `(SELECT ...) IS NULL` for something that one row
# in two hundred is, three of them for one row in all, and then reads whole tables for each article.
_ALLOWED = """CASE WHEN COALESCE(
        (SELECT pub_s.suspended_at FROM articles_source pub_s WHERE pub_s.id = {a}.source_id) > {now}, TRUE)
    AND (SELECT 1 FROM articles_hold pub_h WHERE pub_h.article_id = {a}.id AND pub_h.released_at IS NULL
        AND (pub_h.latched_at IS NOT NULL OR pub_h.effective_at <= {now}) LIMIT 1) IS NULL
    AND (SELECT 1 FROM articles_optout pub_o WHERE {ruled_out} LIMIT 1) IS NULL
    THEN 1 END IS NOT NULL
"""
# The plus: SQLite, which knows nothing of how many are published, would else read all of them in the order of
# their dates to find a few that are named by key, tag or story. What wants that order says so: `newest_first()`.
_STATE = {"sqlite": "+{a}.state", "postgresql": "{a}.state"}
_PUBLIC = f"""(
    {{state}} = 'published' AND {{a}}.published_at <= {{now}}
    AND ({{a}}.expires_at IS NULL OR {{a}}.expires_at > {{now}})
    AND {_ALLOWED})"""


@lru_cache(maxsize=64)
def public_sql(vendor: str, article: str = "a") -> str:
    """True for an article a reader may see; `article` is its table's name or alias in the statement.

    Published, past any embargo, not expired, of no suspended source, under no rule of an owner who
    opted out, with no hold in effect. Without parameters; percent signs stand singly.
    """
    ruled_out = ruled_out_sql(vendor, article, "pub_o")
    state = _STATE[vendor].format(a=article)
    return _PUBLIC.format(a=article, state=state, now=CLOCK[vendor], ruled_out=ruled_out)


@lru_cache(maxsize=8)
def allowed_sql(vendor: str, article: str = "a") -> str:
    """True for an article that nobody forbids to show, whatever its state: as `public_sql`, without the desk's part."""
    ruled_out = ruled_out_sql(vendor, article, "pub_o")
    return f"({_ALLOWED.format(a=article, now=CLOCK[vendor], ruled_out=ruled_out)})"


def ruled_out_sql(vendor: str, article: str, rule: str) -> str:
    """True for a standing rule of the article's source (a row of articles_optout) that covers the article."""
    place = _PLACE_OF[vendor]
    url = f"{article}.canonical_url"
    rest = f"SUBSTR({url}, {place}({url}, '://') + 3)"
    path = f"SUBSTR({rest}, {place}({rest} || '/', '/'))"
    bare = f"LOWER(SUBSTR({path}, 1, {place}({path} || '?', '?') - 1))"
    return f"""{rule}.lifted_at IS NULL
        AND {rule}.domain = (SELECT rule_s.domain FROM articles_source rule_s WHERE rule_s.id = {article}.source_id)
        AND ({rule}.kind = 'source'
            OR ({rule}.kind = 'author' AND {rule}.contributor_id IN (
                SELECT rule_c.contributor_id FROM articles_contribution rule_c WHERE rule_c.article_id = {article}.id))
            OR ({rule}.kind = 'path' AND {rule}.value = SUBSTR({bare} || '/', 1, LENGTH({rule}.value))))"""  # noqa: S608


@lru_cache(maxsize=8)
def told_sql(vendor: str, story: str = "s") -> str:
    """A story's headline: an editor's, else the leading article's, else its first public article's."""
    of_lead, of_first = public_sql(vendor, "told_l"), public_sql(vendor, "told_f")
    return f"""COALESCE(NULLIF({story}.headline, ''),
        (SELECT told_l.headline FROM articles_article told_l WHERE told_l.id = {story}.lead_id AND {of_lead}),
        (SELECT told_f.headline FROM (SELECT id FROM articles_article WHERE story_id = {story}.id) told_k
            CROSS JOIN articles_article told_f WHERE told_f.id = told_k.id AND {of_first}
            ORDER BY told_f.published_at, told_f.id LIMIT 1),
        'Reports on one event')"""  # noqa: S608


def moment_of(value: datetime | str) -> datetime:
    """A moment as the driver hands it out: SQLite gives what it stores, in UTC without saying so."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class _OfRow(Expression):
    """Written SQL about the row that a key is read from."""

    def __init__(self, key: Any = None) -> None:
        super().__init__()
        self.key = key or F("pk")

    def get_source_expressions(self) -> list[Any]:
        return [self.key]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.key,) = exprs

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[()]]:
        """The SQL about the table that the key is read from."""
        column, _ = compiler.compile(self.key)
        return self.written(connection.vendor, column.rpartition(".")[0]).replace("%", "%%"), ()

    def written(self, vendor: str, table: str) -> str:
        """The SQL about a row of `table`."""
        raise NotImplementedError


class IsPublic(_OfRow):
    """The condition of `public_sql` in a queryset of articles."""

    conditional = True
    output_field = BooleanField()

    def written(self, vendor: str, table: str) -> str:
        """See public_sql."""
        return public_sql(vendor, table)


class IsPublished(_OfRow):
    """The first condition of `public_sql` alone, for articles that something else names."""

    conditional = True
    output_field = BooleanField()

    def written(self, vendor: str, table: str) -> str:
        """True for a row of the state that public articles are in."""
        return f"{_STATE[vendor].format(a=table)} = 'published'"


class IsAllowed(_OfRow):
    """The condition of `allowed_sql` in a queryset of articles."""

    conditional = True
    output_field = BooleanField()

    def written(self, vendor: str, table: str) -> str:
        """See allowed_sql."""
        return allowed_sql(vendor, table)


class ToldHeadline(_OfRow):
    """The headline of `told_sql` in a queryset of stories."""

    output_field = TextField()

    def written(self, vendor: str, table: str) -> str:
        """See told_sql."""
        return told_sql(vendor, table)

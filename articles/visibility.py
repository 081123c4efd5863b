"""The condition under which a reader may see an article, as one piece of SQL.

Written out, because every public page asks it several times: built from the ORM's parts it cost more
to put together than the database took to answer it. `ArticleQuerySet.public()` and the few statements
written by hand both take it from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F

# Moments are compared with the database's clock: the same that Now() writes.
CLOCK = {"sqlite": "STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')", "postgresql": "statement_timestamp()"}
_PLACE_OF = {"sqlite": "INSTR", "postgresql": "STRPOS"}

# Each question is one about the article's row alone, which no planner turns into a join of everything:
# so lists are read in the order of their index and stop when the page is full.
_PUBLIC = """(
    {a}.state = 'published' AND {a}.published_at <= {now}
    AND ({a}.expires_at IS NULL OR {a}.expires_at > {now})
    AND COALESCE((SELECT pub_s.suspended_at FROM articles_source pub_s WHERE pub_s.id = {a}.source_id) > {now}, TRUE)
    AND (SELECT 1 FROM articles_hold pub_h WHERE pub_h.article_id = {a}.id AND pub_h.released_at IS NULL
        AND (pub_h.latched_at IS NOT NULL OR pub_h.effective_at <= {now}) LIMIT 1) IS NULL
    AND (SELECT 1 FROM articles_optout pub_o WHERE {ruled_out} LIMIT 1) IS NULL
)"""


@lru_cache(maxsize=64)
def public_sql(vendor: str, article: str = "a") -> str:
    """True for an article a reader may see; `article` is its table's name or alias in the statement.

    Published, past any embargo, not expired, of no suspended source, under no rule of an owner who
    opted out, with no hold in effect. Without parameters; percent signs stand singly.
    """
    ruled_out = ruled_out_sql(vendor, article, "pub_o")
    return _PUBLIC.format(a=article, now=CLOCK[vendor], ruled_out=ruled_out)


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


class IsPublic(Expression):
    """The same condition in a queryset of articles."""

    conditional = True
    output_field = BooleanField()

    def __init__(self, article: Any = None) -> None:
        super().__init__()
        self.article = article or F("pk")

    def get_source_expressions(self) -> list[Any]:
        return [self.article]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.article,) = exprs

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[()]]:
        """The condition about the table that the article's key is read from."""
        column, _ = compiler.compile(self.article)
        table = column.rpartition(".")[0]
        return public_sql(connection.vendor, table).replace("%", "%%"), ()

"""Lists in the admin that never read or count a big table."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import Func, Q, QuerySet
from django.db.models.expressions import Col
from django.db.models.sql.where import WhereNode
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin
MOST_COUNTED = 10_000
# A condition that more rows meet than this is taken for one that all meet.
MOST_COMPARED = 20_000
FURTHER = "further"


class BoundedPaginator(Paginator):
    """Counts up to MOST_COUNTED rows; what lies beyond is reached by search and filters."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())


class OffIndex(Func):
    """A column that SQLite, which knows nothing of how many rows meet a condition, may not look up in an index."""

    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The column behind a plus."""
        return super().as_sql(compiler, connection, template="+%(expressions)s", **context)


def off_index(node: WhereNode) -> WhereNode:
    """The same conditions on columns that no index is used for, but for the key's."""
    same = copy(node)
    same.children = [
        off_index(child) if isinstance(child, WhereNode) else _off(child) for child in node.children
    ]
    return same


def _off(condition: Any) -> Any:
    column = getattr(condition, "lhs", None)
    if not isinstance(column, Col) or column.target.primary_key:
        return condition
    same = copy(condition)
    same.lhs = OffIndex(column)
    return same


class BoundedChangeList(ChangeList):
    """Rows of a big table, in the order of an index.

    That holds for all rows and for one condition that an index answers. Several, what no index answers and an order
    somebody clicked are asked of so many rows as the admin looks through: the first that meet the condition which
    fewest rows meet. The parameter FURTHER leads to the next so many.
    """

    model_admin: BigTableAdmin
    further = 0
    more = False

    @property
    def in_part(self) -> bool:
        """Whether there are rows that were not asked."""
        return self.more or bool(self.further)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name != FURTHER}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Only another page of the list stays as far down."""
        if not {PAGE_VAR, FURTHER} & set(new_params or ()):
            remove = [*(remove or ()), FURTHER]
        return str(super().get_query_string(new_params, remove))

    def first_rows(self) -> str:
        """The address of what is looked through first."""
        return self.get_query_string({}, [PAGE_VAR])

    def next_rows(self) -> str:
        """The address of what is looked through next."""
        return self.get_query_string({FURTHER: self.further + 1}, [PAGE_VAR])

    def everything(self, request: HttpRequest) -> QuerySet[Any]:
        """Every row that is asked for, however long it takes: for an export."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        query, self.query = self.query, ""
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        self.query = query
        leads = self._leads(request)
        asked, led = len(found.query.where.children), sum(len(rows.query.where.children) for rows, _ in leads)
        if not query and ORDER_VAR not in self.params and asked == led and len(leads) < 2:
            return found
        narrowed = found.all()
        narrowed.query.where = off_index(found.query.where)
        if not self.model_admin.bounded_search or not query:
            narrowed = narrowed.filter(self._some(request, leads))
        searched, has_twice = self.model_admin.get_search_results(request, narrowed, query)
        return searched.distinct() if has_twice else searched

    def _leads(self, request: HttpRequest) -> list[tuple[QuerySet[Any], Any]]:
        """The conditions that an index answers, each alone, with the order of its index."""
        desk = self.model_admin
        leads = [(self.root_queryset, desk.get_ordering(request))] if self.root_queryset.query.where else []
        for name, order in desk.orders(request).items():
            spec = next(one for one in self.filter_specs if name in one.expected_parameters())
            alone = spec.queryset(request, self.model._default_manager.all())
            if alone is not None and alone.query.where:
                leads.append((alone, order))
        return leads

    def _some(self, request: HttpRequest, leads: list[tuple[QuerySet[Any], Any]]) -> Q:
        """The rows that are looked through."""
        rows, order = self.root_queryset, self.model_admin.get_ordering(request)
        if leads:
            rows, order = min(leads, key=_how_many) if len(leads) > 1 else leads[0]
        typed, most = request.GET.get(FURTHER, ""), self.model_admin.looked_through
        self.further = int(typed) if typed.isdecimal() and len(typed) < 5 else 0
        first = self.further * most
        keys = list(rows.order_by(*order).values_list("pk", flat=True)[first : first + most + 1])
        self.more = len(keys) > most
        keys = keys[:most]
        if keys and not leads and list(order) == ["-pk"]:  # one after the other: no need to name each
            return Q(pk__range=(keys[-1], keys[0]))
        return Q(pk__in=keys)


def _how_many(lead: tuple[QuerySet[Any], Any]) -> int:
    return lead[0].order_by().values("pk")[:MOST_COMPARED].count()


class BigTableAdmin(_Admin):
    """A list that stays fast however many rows there are.

    `ordered_by` says of a filter's parameter, or of one value of it (`terms=over`), in which order an index has the
    rows that meet it; the most telling first. `bounded_search` is for a search that finds so many rows at most.
    """

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the table
    paginator = BoundedPaginator
    list_per_page = 50
    looked_through = 1_000
    ordered_by: dict[str, list[str]] = {}
    bounded_search = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList

    def orders(self, request: HttpRequest) -> dict[str, list[str]]:
        """Parameter → order, of the filters that are on and that an index answers."""
        found = {}
        for key, order in self.ordered_by.items():
            name, _, value = key.partition("=")
            typed = request.GET.get(name)
            if typed and value in ("", typed):
                found[name] = order
        return found

    def get_ordering(self, request: HttpRequest) -> Any:
        """That of a filter which is on, so that its index is read in its order."""
        return next(iter(self.orders(request).values()), super().get_ordering(request))

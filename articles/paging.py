"""Lists in the admin that never count a big table."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.utils.functional import cached_property

MOST_COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts up to MOST_COUNTED rows; what lies beyond is reached by search and filters."""

    @cached_property
    def count(self) -> int:  # type: ignore[override]
        return int(self.object_list.order_by()[:MOST_COUNTED].count())  # type: ignore[union-attr]

"""Several rows that are one: an action in the list, and a page that asks under which of them they go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.models import User
from articles.forms import MergeForm
from articles.merging import CannotMerge

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin
MERGED_AT_ONCE = 20


class MergePages(_Admin):
    """For an admin whose rows may be merged. Tells what follows in `merge_warning`, counts `merge_counts`."""

    merge_counts = ""
    merge_warning = ""

    def merge_rows(self, kept: Any, others: Sequence[Any], by: User) -> None:
        """Make them one; raises CannotMerge."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.merge_page)
        return [path("merge/", page, name=self._page_name()), *super().get_urls()]

    def _page_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_merge"

    @admin.action(description="Merge: they are one…", permissions=["change"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Lead to the page that asks which one stays."""
        ids = list(queryset.values_list("pk", flat=True)[: MERGED_AT_ONCE + 1])
        if not 2 <= len(ids) <= MERGED_AT_ONCE:
            messages.error(request, f"Choose between two and {MERGED_AT_ONCE} rows that are one.")
            return None
        address = reverse(f"admin:{self._page_name()}")
        return HttpResponseRedirect(f"{address}?ids={','.join(map(str, ids))}")

    def merge_page(self, request: HttpRequest) -> HttpResponse:
        """Asks under which name several rows go on as one, and merges them."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        ids = [int(pk) for pk in request.GET.get("ids", "").split(",") if pk.isdecimal() and len(pk) < 18]
        rows = self.model._default_manager.filter(pk__in=ids[:MERGED_AT_ONCE])
        rows = rows.annotate(counted=Count(self.merge_counts)).order_by("-counted", "pk")
        form = MergeForm(rows, request.POST or None)
        if request.method == "POST" and form.is_valid():
            kept = form.cleaned_data["kept"]
            try:
                self.merge_rows(kept, list(rows), cast(User, request.user))
            except CannotMerge as reason:
                form.add_error(None, str(reason))
            else:
                messages.success(request, f"They are “{kept}” from now on. Their old addresses lead there.")
                name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
                return HttpResponseRedirect(reverse(name, args=[kept.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Merge {self.opts.verbose_name_plural}",
            "opts": self.opts,
            "form": form,
            "rows": rows,
            "warning": self.merge_warning,
            "list": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/articles/merge.html", context)

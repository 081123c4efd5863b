"""The pages about the site: the desk's own words where it wrote some, ours where not; and the list of corrections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ckeditor.widgets import CKEditorWidget
from csp.decorators import csp_update
from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import F, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from articles import editor, surfaces
from articles.models import Article, Revision, RevisionKind, SitePage, SitePageVersion
from articles.surfaces import LATEST, shows, surface
from articles.visibility import IsPublic

CORRECTIONS = 50


def nowhere(article: Article) -> Iterable[str]:
    """Such a page shows no article."""
    return []


def at_corrections(article: Article) -> Iterable[str]:
    """Under its corrections."""
    corrected = article.revisions.filter(kind=RevisionKind.CORRECTION).exclude(note="")
    return ["/corrections/"] if corrected.exists() else []


# --- for readers ------------------------------------------------------------------------------


@surface("about", locate=nowhere)
def about(request: HttpRequest) -> HttpResponse:
    """What this site is and how it works."""
    return _page(request, "about")


@surface("ethics", locate=nowhere)
def ethics(request: HttpRequest) -> HttpResponse:
    """By what rules the desk works."""
    return _page(request, "ethics")


@surface("corrections", locate=at_corrections)
def corrections(request: HttpRequest) -> HttpResponse:
    """What was corrected lately in what is still public, newest first."""
    found = corrected()
    shows(request, articles=[row.article for row in found], keys=[LATEST])
    return _page(request, "corrections", corrections=found)


def corrected() -> list[Revision]:
    """The newest corrections; each one's article is asked about in turn, for articles are many and corrections few."""
    of_public = Revision.objects.filter(IsPublic(F("article__slug")), kind=RevisionKind.CORRECTION)
    return list(of_public.exclude(note="").select_related("article").order_by("-at", "-pk")[:CORRECTIONS])


def _page(request: HttpRequest, slug: str, **context: Any) -> HttpResponse:
    # A page is asked for by its language alone: what the desk wrote in another one is not shown as this one's.
    own = SitePage.objects.filter(slug=slug, language=get_language()).first()
    shows(request, keys=[key_of(slug)])
    if own:
        context |= {"own": own, "body": SafeString(own.body)}
    return render(request, f"articles/{slug}.html", context)


def key_of(slug: str) -> str:
    """What the ready pages of this page depend on."""
    return f"page:{slug}"


# --- for the desk -----------------------------------------------------------------------------


@transaction.atomic
def write(*, page: SitePage, by: Any) -> SitePage:
    """Save a page about the site; how it read until now is kept."""
    before = SitePage.objects.select_for_update().filter(pk=page.pk).first() if page.pk else None
    if before and (before.title, before.body) != (page.title, page.body):
        number = before.versions.aggregate(last=Max("number"))["last"] or 0
        SitePageVersion.objects.create(
            page=before, number=number + 1, title=before.title, body=before.body, at=timezone.now(), by=by
        )
    page.save()
    page.refresh_from_db()
    surfaces.changed([key_of(page.slug), *([key_of(before.slug)] if before else [])])
    return page


class Versions(admin.TabularInline):  # type: ignore[type-arg]
    """How the page read before, to look up and copy from."""

    model = SitePageVersion
    extra = 0
    can_delete = False
    fields = readonly_fields = ("number", "at", "by_", "title", "body")

    @admin.display(description="by")
    def by_(self, version: SitePageVersion) -> str:
        return str(version.by or "")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("articles.view_sitepage"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SitePageForm(forms.ModelForm):  # type: ignore[type-arg]
    """A page's text in the editor that articles have."""

    class Meta:
        widgets = {"body": CKEditorWidget()}
        help_texts = {"body": ""}


@admin.register(SitePage)
class SitePageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """About, ethics and corrections, in each language of the interface."""

    form = SitePageForm
    list_display = ("title", "slug", "language", "updated_at")
    list_filter = ("slug", "language")
    inlines = (Versions,)

    class Media:
        css = {"all": ["admin-desk/editor.css"]}

    @method_decorator(csp_update(editor.POLICY))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)

    def save_model(self, request: HttpRequest, obj: SitePage, form: Any, change: bool) -> None:
        write(page=obj, by=request.user)

    def delete_model(self, request: HttpRequest, obj: SitePage) -> None:
        with transaction.atomic():
            super().delete_model(request, obj)
            surfaces.changed([key_of(obj.slug)])

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with transaction.atomic():
            slugs = set(queryset.values_list("slug", flat=True))
            super().delete_queryset(request, queryset)
            surfaces.changed({key_of(slug) for slug in slugs})

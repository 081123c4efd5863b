"""The pages beside an article's form at the desk: versions, preview, and what was typed but not saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from csp.constants import NONE, SELF
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from accounts import unsaved
from accounts.models import User
from articles import actions, desk_words, media, notes, preview, search, versions
from articles.forms import NoteForm
from articles.models import Article, ArticleState, Revision

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Article]
else:
    _Admin = admin.ModelAdmin
LINKS = 8
PICTURES = 24
NOT_KEPT = {"csrfmiddlewaretoken", "_move", "_save", "_continue", "_addanother"}


def subject_of(article: Article | None) -> str:
    """Under which name a person's unsaved form of this article is kept."""
    return f"article:{article.pk}" if article and article.pk else "article:new"


class ArticlePages(_Admin):
    """Views of one article for those who may see or change it; each checks for itself."""

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            address: URLPattern = path(
                route, self.admin_site.admin_view(view), name=f"articles_article_{name}"
            )
            return address

        return [
            page("<int:pk>/versions/", self.versions, "versions"),
            page("<int:pk>/versions/<int:number>/restore/", self.restore, "restore"),
            page("unsaved/", self.unsaved, "unsaved_new"),
            page("<int:pk>/unsaved/", self.unsaved, "unsaved"),
            page("preview/", self.preview, "preview_new"),
            page("<int:pk>/preview/", self.preview, "preview"),
            page("preview/page/", self.preview_page, "preview_page_new"),
            page("<int:pk>/preview/page/", self.preview_page, "preview_page"),
            page("<int:pk>/notes/", self.notes, "notes"),
            page("links/", self.links, "links"),
            page("pictures/", self.pictures, "pictures"),
            page("<int:pk>/relate/<int:other>/", self.relate, "relate"),
            *super().get_urls(),
        ]

    def _open(self, request: HttpRequest, pk: int | None, *, to_change: bool) -> Article | None:
        """The article, or None for one that is being begun; PermissionDenied for who may not."""
        article = get_object_or_404(Article, pk=pk) if pk else None
        if article is None:
            allowed = self.has_add_permission(request)
        elif to_change:
            allowed = self.has_change_permission(request, article)
        else:
            allowed = self.has_view_permission(request, article) and article.state != ArticleState.ERASED
        if not allowed:
            raise PermissionDenied
        return article

    # --- versions -----------------------------------------------------------------------------

    def versions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The versions, and what any of them says differently from another or from what stands now."""
        article = cast(Article, self._open(request, pk, to_change=False))
        kept = list(article.revisions.select_related("by")[:200])
        before = _chosen(kept, request.GET.get("before", ""), kept[0] if kept else None)
        after = _chosen(kept, request.GET.get("after", ""), None)
        now = versions.snapshot(article)
        differences = (
            list(versions.compare(before.snapshot, after.snapshot if after else now)) if before else []
        )
        context = {
            **self.admin_site.each_context(request),
            "title": "Versions",
            "opts": self.opts,
            "article": article,
            "revisions": kept,
            "before": before,
            "after": after,
            "differences": differences,
            "may_restore": self.has_change_permission(request, article),
        }
        return TemplateResponse(request, "admin/articles/article/versions.html", context)

    @method_decorator(require_POST)
    def restore(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Make a version the text again, unless somebody saved since the page was opened."""
        article = cast(Article, self._open(request, pk, to_change=True))
        revision = get_object_or_404(Revision, article=article, number=number)
        try:
            if request.POST.get("opened_version") != str(article.version):
                raise actions.NotAllowed("Somebody saved the article meanwhile. Compare again.")
            actions.restore(
                article=article, revision=revision, at=timezone.now(), by=cast(User, request.user)
            )
        except actions.NotAllowed as reason:
            messages.error(request, str(reason))
            return HttpResponseRedirect(reverse("admin:articles_article_versions", args=[pk]))
        messages.success(request, f"Version {number} is the text again; what stood before is kept.")
        return HttpResponseRedirect(reverse("admin:articles_article_change", args=[pk]))

    # --- notes and tasks ----------------------------------------------------------------------

    def notes(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What colleagues said about the article, newest first, and a form for more."""
        article, user = cast(Article, self._open(request, pk, to_change=False)), cast(User, request.user)
        may_write = notes.may_write(user, article)
        form = NoteForm(notes.colleagues(), request.POST if "_done" not in request.POST else None)
        if request.method == "POST":
            if not may_write:
                raise PermissionDenied
            if "_done" in request.POST:
                wanted = request.POST["_done"]
                note = get_object_or_404(article.notes, pk=int(wanted) if wanted.isdecimal() else 0)
                notes.finish(note=note, by=user, at=timezone.now())
                return HttpResponseRedirect(request.path)
            if form.is_valid():
                notes.write(article=article, by=user, at=timezone.now(), **form.cleaned_data)
                return HttpResponseRedirect(request.path)
        else:
            form = NoteForm(notes.colleagues())
        context = {
            **self.admin_site.each_context(request),
            "title": "Notes and tasks",
            "opts": self.opts,
            "article": article,
            "notes": article.notes.select_related("by", "task_of", "done_by")[:200],
            "form": form if may_write else None,
        }
        return TemplateResponse(request, "admin/articles/article/notes.html", context)

    # --- links in the text --------------------------------------------------------------------

    def links(self, request: HttpRequest) -> HttpResponse:
        """Public articles with these words, for the editor's dialog of links."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        found = search.find(request.GET.get("q", "")[:200], limit=LINKS).hits
        told = [
            {
                "headline": hit.article.headline,
                "date": date_format(timezone.localtime(hit.article.published_at)),
                "url": settings.SITE_URL + hit.article.get_absolute_url(),
            }
            for hit in found
        ]
        return JsonResponse({"articles": told}, headers={"Cache-Control": "no-store"})

    # --- pictures in the text -----------------------------------------------------------------

    def pictures(self, request: HttpRequest) -> HttpResponse:
        """Pictures of the library that may be put into a text, newest first; or the one with this token."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        rows = media.pickable().order_by("-pk")
        if token := request.GET.get("token", ""):
            rows = rows.filter(token=token)
        elif words := request.GET.get("q", "")[:200].strip():
            rows = desk_words.having(rows, words)
        told = [
            {
                "token": picture.token,
                "alt": picture.alt,
                "caption": picture.caption,
                "credit": picture.credit or picture.holder,
                "terms": picture.terms[:120],
                "until": date_format(timezone.localtime(picture.terms_expire_at))
                if picture.terms_expire_at
                else "",
            }
            for picture in rows[:PICTURES]
        ]
        return JsonResponse({"pictures": told}, headers={"Cache-Control": "no-store"})

    # --- related links ------------------------------------------------------------------------

    def relate(self, request: HttpRequest, pk: int, other: int) -> HttpResponse:
        """Accept a suggested related article. What is in the form is kept, not saved."""
        article = cast(Article, self._open(request, pk, to_change=True))
        form = reverse("admin:articles_article_change", args=[pk])
        if request.method != "POST":  # as after signing in again
            return HttpResponseRedirect(form)
        to = get_object_or_404(Article.objects.public(), pk=other)
        actions.relate_one(article=article, to=to, by=cast(User, request.user))
        if request.headers.get("Accept") == "application/json":
            return JsonResponse({"added": True})
        if len(request.POST) > 1:
            _keep(request, article)
        messages.success(request, f"“{to}” is a related link now.")
        return HttpResponseRedirect(form)

    # --- what was typed and not saved ---------------------------------------------------------

    @method_decorator(require_POST)
    def unsaved(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Keep what is in the form, or throw away what was kept; answers who else is at it."""
        article = self._open(request, pk, to_change=True)
        user, subject, at = cast(User, request.user), subject_of(article), timezone.now()
        if request.POST.get("_forget"):
            unsaved.forget(subject=subject, user=user)
        elif len(request.POST) > 1 and not _keep(request, article):
            return JsonResponse({"error": "Too long to be kept."}, status=413)
        if article:
            unsaved.be_present(user=user, subject=subject, at=at)
        others = unsaved.others_at(subject, besides=user, at=at) if article else []
        return JsonResponse({"kept_at": f"{timezone.localtime(at):%H:%M}", "others": others})

    # --- preview ------------------------------------------------------------------------------

    @method_decorator(csp_update({"frame-src": [SELF]}))
    def preview(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Frames of several widths around the page of what is in the form; the form is kept for them."""
        article = self._open(request, pk, to_change=True)
        if request.method == "POST":
            _keep(request, article)
            return HttpResponseRedirect(request.path)
        if unsaved.of(cast(User, request.user), subject_of(article)) is None:
            form = reverse("admin:articles_article_change", args=[pk]) if pk else "../add/"
            return HttpResponseRedirect(form)
        filled, _ = self._typed(request, article)
        context = {
            **self.admin_site.each_context(request),
            **preview.as_entry(filled),
            "title": "Preview",
            "opts": self.opts,
            "is_popup": True,
            "page": reverse(
                "admin:articles_article_preview_page" + ("" if pk else "_new"), args=[pk] if pk else []
            ),
        }
        return TemplateResponse(request, "admin/articles/article/preview.html", context)

    @method_decorator(csp_replace({"frame-ancestors": [SELF], "form-action": [NONE]}))
    @method_decorator(xframe_options_sameorigin)
    def preview_page(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """The public template with what is in this person's form; nobody else can ask for it."""
        article = self._open(request, pk, to_change=True)
        filled, tags = self._typed(request, article)
        look = request.GET.get("look", "")
        return preview.page(request, filled, tags, look=look if look in preview.LOOKS else "")

    def _typed(self, request: HttpRequest, article: Article | None) -> tuple[Article, list[Any]]:
        kept = unsaved.of(cast(User, request.user), subject_of(article))
        if kept is None:
            raise Http404("Nothing was typed here. Press Preview in the form.")
        typed = QueryDict(kept.fields, mutable=True)
        typed.pop("opened_version", None)  # nothing is saved here, so no row is locked and compared
        form = self.get_form(request, article, change=article is not None)(typed, instance=article)
        return preview.filled_in(form.instance, form, typed)


def _keep(request: HttpRequest, article: Article | None) -> bool:
    typed = request.POST.copy()
    for name in NOT_KEPT:
        typed.pop(name, None)
    return unsaved.keep(
        user=cast(User, request.user),
        subject=subject_of(article),
        fields=typed.urlencode(),
        version=article.version if article else None,
        at=timezone.now(),
    )


def _chosen(kept: list[Revision], number: str, otherwise: Revision | None) -> Revision | None:
    return next((revision for revision in kept if str(revision.number) == number), otherwise)

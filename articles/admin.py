"""The desk: articles, people, tags, sources and pictures in Django's admin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from csp.decorators import csp_update
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.text import slugify
from taggit.models import Tag as TaggitTag

from accounts import unsaved
from accounts.audit import note_fields
from accounts.models import User
from accounts.paging import BigTableAdmin
from articles import (
    actions,
    cuts,
    desk_words,
    editor,
    merging,
    search,
    stories,
    surfaces,
    versions,
    walks,
    workflow,
)
from articles import front_pages as front_pages  # registers the front page's board
from articles import hook_pages as hook_pages  # registers the webhooks
from articles import library as library  # registers the pictures
from articles import site_pages as site_pages  # registers the pages about the site
from articles.around import suggestions
from articles.article_pages import ArticlePages, subject_of
from articles.canonical import address_key
from articles.forms import (
    ArticleForm,
    ContributorForm,
    RetractionForm,
    StoryForm,
    SynonymForm,
    TagForm,
    WalkForm,
)
from articles.merge_pages import MergePages
from articles.models import (
    Article,
    ArticleState,
    Contribution,
    Contributor,
    ContributorName,
    Hold,
    RelatedLink,
    Revision,
    Source,
    Story,
    Tag,
    TagSynonym,
    UsagePolicy,
    Walk,
    WalkKind,
)
from articles.story_pages import StoryPages

SOURCE_RIGHTS = "articles.change_source_rights"
# What no reader has; of these a newsroom has few.
UNREAD = (ArticleState.DRAFT, ArticleState.REVIEW, ArticleState.APPROVED, ArticleState.RETRACTED)
FOUND = 200


# Our own Tag takes the place of the package's.
admin.site.unregister(TaggitTag)


# What of a source decides which words of its articles search may know.
SEARCHED = {"usage", "excerpt_words", "terms_recorded_on", "agreement_prevails"}


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @classmethod
    def stands(cls, request: HttpRequest, article: Article | None) -> bool:
        """True when there are any to show; of a page that comes back, when it showed them: some may have come since."""
        rows = cls.model._meta.get_field("article").remote_field.get_accessor_name()
        if request.method == "POST":
            return f"{rows}-TOTAL_FORMS" in request.POST
        return article is not None and getattr(article, rows).exists()


class ContributionInline(admin.TabularInline):
    model = Contribution
    extra = 0
    fields = ["position", "contributor", "role"]
    autocomplete_fields = ["contributor"]


class RelatedLinkInline(admin.TabularInline):
    model = RelatedLink
    fk_name = "article"
    extra = 0
    fields = ["position", "to_article", "url", "title"]
    autocomplete_fields = ["to_article"]
    verbose_name = "related link"
    verbose_name_plural = "related links"


class HoldInline(ReadOnlyInline):
    model = Hold
    fields = ["kind", "reference", "effective_at", "latched_at", "released_at", "note"]
    readonly_fields = ["kind", "reference", "effective_at", "latched_at", "released_at", "note"]


class RevisionInline(ReadOnlyInline):
    model = Revision
    fields = readonly_fields = ("number", "kind", "at", "by_", "note")

    @admin.display(description="by")
    def by_(self, revision: Revision) -> str:
        return str(revision.by or "")  # a name, and no link: few may look at accounts


class WithheldFilter(admin.SimpleListFilter):
    title = "withheld"
    parameter_name = "withheld"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "Withheld now"), ("coming", "Deadline running")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> QuerySet[Article]:
        holds = Hold.objects.in_effect() if self.value() == "now" else Hold.objects.standing()
        return queryset.filter(pk__in=holds.values("article")) if self.value() else queryset


class LanguageFilter(admin.SimpleListFilter):
    """The languages of our sources: a small table, where asking the articles would read them all."""

    title = "language"
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = Source.objects.exclude(language="").order_by("language").values_list("language", flat=True)
        return [(language, language) for language in known.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> QuerySet[Article]:
        return queryset.filter(language=self.value()) if self.value() else queryset


class PublishedFilter(admin.SimpleListFilter):
    """Of the published ones only: a draft's date says when it is to be."""

    title = "published"
    parameter_name = "published"
    days = {"1": "Past day", "7": "Past week", "31": "Past month", "366": "Past year"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("coming", "Scheduled"), *self.days.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> QuerySet[Article]:
        now, value = timezone.now(), self.value()
        published = Q(state=ArticleState.PUBLISHED)
        if value == "coming":
            return queryset.filter(published, published_at__gt=now)
        if value in self.days:
            since = now - timedelta(days=int(value))
            return queryset.filter(published, published_at__gt=since, published_at__lte=now)
        return queryset


class SourceFilter(admin.SimpleListFilter):
    """One outlet, chosen by its name in the list: a newsroom has more of them than fit beside it."""

    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        typed = request.GET.get("source", "")
        chosen = (
            Source.objects.filter(pk=typed)
            if typed.isdecimal() and len(typed) < 18
            else Source.objects.none()
        )
        return [*((str(source.pk), source.name) for source in chosen), ("ours", "Our own")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> QuerySet[Article]:
        value = self.value() or ""
        if value == "ours":
            return queryset.filter(source=None)
        return queryset.filter(source_id=int(value)) if value.isdecimal() and len(value) < 18 else queryset


@admin.register(Article)
class ArticleAdmin(ArticlePages, BigTableAdmin):
    form = ArticleForm
    list_display = ["headline_", "state", "source_", "language", "published_at", "withheld"]
    list_filter = ["state", WithheldFilter, PublishedFilter, LanguageFilter, SourceFilter]
    list_select_related = ["source"]
    search_fields = ["headline"]
    search_help_text = "Words of the headline, or the address of the original."
    bounded_search = True
    ordering = ["-pk"]
    ordered_by = {
        "withheld": ["-pk"],
        "source": ["-pk"],
        "published": ["-published_at", "-pk"],
        "language": ["-pk"],
        "state__exact": ["-created_at", "-pk"],
    }
    autocomplete_fields = ["source", "story"]
    raw_id_fields = ["lead_media"]
    readonly_fields = [
        "picture",
        "state",
        "begun_by",
        "fetched_at",
        "updated_at",
        "edited_at",
        "version",
        "key",
    ]
    inlines = [ContributionInline, RelatedLinkInline, HoldInline, RevisionInline]
    actions = ["publish", "to_review", "to_draft"]
    save_on_top = True
    fieldsets = [
        (None, {"fields": ["headline", "standfirst", "body", "tags", "opened_version"]}),
        ("Source and rights", {
            "fields": ["source", "canonical_url", "byline", "dateline", "language", "copyright_holder",
                       "usage_terms", "licence_url", "lead_media", "picture", "story"],
        }),
        ("Publication", {
            "fields": ["state", "published_at", "expires_at", "slug", "correction"],
            "description": "A publication time in the future is an embargo: readers see the article from then on.",
        }),
        ("History", {"classes": ["collapse"], "fields": ["begun_by", "fetched_at", "updated_at", "edited_at",
                                                         "version", "key"]}),
    ]  # fmt: skip

    class Media:
        css = {"all": ["admin-desk/editor.css"]}
        js = [
            forms.Script(f"admin-desk/{name}.js", type="module")
            for name in ("writing", "pasting", "links", "pictures")
        ]

    @admin.display(description="headline", ordering="headline")
    def headline_(self, article: Article) -> str:
        return str(article)

    @admin.display(description="source", ordering="source")
    def source_(self, article: Article) -> str:
        if article.source is None:
            return "ours"
        return format_html('<a href="?source={}">{}</a>', article.source.pk, article.source.name)

    @admin.display(description="picture")
    def picture(self, article: Article) -> str:
        media = article.lead_media
        if media is None or not media.file:
            return (
                "The lens opens the library; a new picture is uploaded there."
                if media is None
                else "Not fetched yet."
            )
        about = " · ".join(filter(None, (media.credit, media.holder, media.terms[:120]))) or "no credit"
        address = library.pictures_address(media, 480)
        return format_html('<img src="{}" alt="{}" width="240"><br>{}', address, media.alt, about)

    @admin.display(description="begun by")
    def begun_by(self, article: Article) -> str:
        return str(article.created_by or "")

    @admin.display(description="withheld")
    def withheld(self, article: Any) -> str:
        return "withheld" if article.is_withheld else ""

    # --- who sees and changes what ------------------------------------------------------------

    def get_inlines(self, request: HttpRequest, obj: Article | None) -> Any:
        """Of what is only read, what there is."""
        return [
            part for part in self.inlines if not issubclass(part, ReadOnlyInline) or part.stands(request, obj)
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        held = Hold.objects.in_effect().filter(article=OuterRef("pk"))
        articles: QuerySet[Article] = super().get_queryset(request).annotate(is_withheld=Exists(held))
        return workflow.seen_by(request.user, articles).defer("body", "signature")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Article | None:
        return Article.objects.filter(pk=object_id).first() if object_id.isdecimal() else None

    def has_view_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        if obj is None:
            return super().has_view_permission(request) or request.user.has_perm(workflow.CHANGE_OWN)
        return workflow.may_view(request.user, obj)

    def has_change_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        if obj is None:
            return super().has_change_permission(request) or request.user.has_perm(workflow.CHANGE_OWN)
        return workflow.may_change(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        """Articles are taken back, retracted or erased, each with its record; never just deleted."""
        return False

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(workflow.PUBLISH) and request.user.has_perm(workflow.CHANGE)

    def get_view_on_site_url(self, obj: Article | None = None) -> str | None:
        """Only where there is a page: a draft, an embargoed or a withheld article has none to look at."""
        if obj is None or not Article.objects.public().filter(pk=obj.pk).exists():
            return None
        return obj.get_absolute_url()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the original's address when one is typed, else by words of the headline."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith(("http://", "https://")):
            return queryset.filter(url_key=address_key(term)), False
        return queryset.filter(pk__in=self._called(term)), False

    @staticmethod
    def _called(term: str) -> set[int]:
        """What readers have by the index of headlines, else by their search; the rest, which is little, word by word.

        Asked of all headlines at once, one query would read every article there is.
        """
        states = Article.objects.filter(state__in=UNREAD)
        held = Article.objects.filter(pk__in=Hold.objects.standing().values("article"))
        coming = Article.objects.filter(state=ArticleState.PUBLISHED, published_at__gt=Now())
        found = set(search.in_headlines(term, limit=FOUND))
        found = found or {hit.article.pk for hit in search.find(term, limit=FOUND).hits}
        for rows in (states, held, coming):
            for word in term.split()[:8]:
                rows = rows.filter(headline__icontains=word)
            found.update(rows.order_by().values_list("pk", flat=True)[:FOUND])
        return found

    # --- saving, and where it goes next -------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Article, form: Any, change: bool) -> None:
        note = form.cleaned_data.get("correction", "")
        unsaved.forget(subject=subject_of(obj), user=cast(User, request.user))
        actions.save_edit(article=obj, at=timezone.now(), by=cast(User, request.user), correction=note)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        with actions.changing_rows(form.instance):
            super().save_related(request, form, formsets, change)
        self._tell_of_cuts(request, form.instance)

    def _tell_of_cuts(self, request: HttpRequest, article: Article) -> None:
        parts = sorted({one.get_kind_display().lower() for one in cuts.standing_on(article)})
        if parts:
            told = f"Removed at its owner's request, and left out of what you saved: {'; '.join(parts)}."
            messages.warning(request, told)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, dict[str, Any]]]:
        """Which fields were changed, and of which rows: without the words of any, which may have to go one day."""
        said: list[dict[str, dict[str, Any]]] = super().construct_change_message(request, form, formsets, add)
        for change in said:
            for facts in change.values():
                if "object" in facts:
                    facts["object"] = ""
        return said

    def response_add(
        self, request: HttpRequest, obj: Article, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._moved(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Article) -> HttpResponse:
        return self._moved(request, obj) or super().response_change(request, obj)

    def _moved(self, request: HttpRequest, article: Article) -> HttpResponse | None:
        """What was typed is saved; now the button's move. None when a plain save was asked for."""
        name = request.POST.get("_move")
        if not name:
            return None
        move = next((m for m in workflow.moves_for(request.user, article) if m.name == name), None)
        if move is None:
            raise PermissionDenied
        try:
            workflow.make(move=move, article=article, at=timezone.now(), by=cast(User, request.user))
        except actions.NotAllowed as reason:
            messages.error(request, f"Saved, but not {move.done}. {reason}")
        else:
            messages.success(request, f"“{article}” was {self._done(move, article)}.")
        return HttpResponseRedirect(reverse("admin:articles_article_change", args=[article.pk]))

    @staticmethod
    def _done(move: workflow.Move, article: Article) -> str:
        at = article.published_at
        if move.to == ArticleState.PUBLISHED and at and at > timezone.now():
            return f"scheduled for {date_format(timezone.localtime(at), 'DATETIME_FORMAT')}"
        return move.done

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        article = kwargs.get("obj") or Article()
        may_save = bool(article.pk) or self.has_add_permission(request)
        user, subject = cast(User, request.user), subject_of(article)
        form = context["adminform"].form
        meanwhile = form.meanwhile() if form.is_bound else None
        context |= {
            "meanwhile": meanwhile,
            "differences": _differences(meanwhile, form) if meanwhile else [],
            "unsaved": unsaved.of(user, subject) if request.method == "GET" else None,
            "others": unsaved.others_at(subject, besides=user, at=timezone.now()) if article.pk else [],
            "moves": workflow.moves_for(request.user, article) if may_save else [],
            "checks": list(workflow.checks(article)) if article.pk else [],
            "open_notes": article.notes.filter(task_of__isnull=False, done_at=None).count()
            if article.pk
            else 0,
            "may_add_picture": request.user.has_perm("articles.add_media"),
            "may_retract": workflow.may_retract(request.user, article),
            "suggested": suggestions(article)
            if article.pk and self.has_change_permission(request, article)
            else [],
        }
        return super().render_change_form(request, context, *args, **kwargs)

    # --- many at once -------------------------------------------------------------------------

    @admin.action(description="Publish now", permissions=["publish"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        self._each(request, queryset, "publish")

    @admin.action(description="Send to review", permissions=["change"])
    def to_review(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        self._each(request, queryset, "submit", "review")

    @admin.action(description="Take back to draft", permissions=["publish"])
    def to_draft(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        self._each(request, queryset, "draft")

    def _each(self, request: HttpRequest, queryset: QuerySet[Article], *names: str) -> None:
        """One move for each, in a transaction of its own; what may not go there is named with the reason."""
        done = 0
        for article in Article.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))):
            move = next((m for m in workflow.moves_for(request.user, article) if m.name in names), None)
            if move is None:
                messages.warning(request, f"{article}: not from {article.get_state_display().lower()}.")
                continue
            try:
                with transaction.atomic():
                    workflow.make(move=move, article=article, at=timezone.now(), by=cast(User, request.user))
                done += 1
            except actions.NotAllowed as reason:
                messages.warning(request, f"{article}: {reason}")
        if done:
            said = workflow.MOVES[names[0]].done
            messages.success(request, f"{done} {'article' if done == 1 else 'articles'} {said}.")

    # --- pages beside the form ----------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        retract = self.admin_site.admin_view(self.retract)
        pages = [path("<int:pk>/retract/", retract, name="articles_article_retract")]
        return [*pages, *super().get_urls()]

    def retract(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for the note that readers are given instead of the article, and retracts it."""
        article = get_object_or_404(Article, pk=pk)
        if not workflow.may_retract(request.user, article):
            raise PermissionDenied
        form = RetractionForm(request.POST or None, initial={"opened_version": article.version})
        form.version = article.version
        if request.method == "POST" and form.is_valid():
            note = form.cleaned_data["note"]
            actions.retract(article=article, at=timezone.now(), by=cast(User, request.user), note=note)
            messages.success(request, "Retracted. Its page says so, with your note, and nothing else.")
            return HttpResponseRedirect(reverse("admin:articles_article_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": "Retract",
            "opts": self.opts,
            "article": article,
            "form": form,
        }
        return TemplateResponse(request, "admin/articles/article/retract.html", context)

    @method_decorator(csp_update(editor.POLICY))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)


def _differences(meanwhile: Article, form: ArticleForm) -> list[versions.Difference]:
    """From what stands now to what was typed."""
    stands = versions.snapshot(meanwhile)
    return list(versions.compare(stands, stands | form.typed()))


@admin.register(Contributor)
class ContributorAdmin(MergePages, BigTableAdmin):
    form = ContributorForm
    list_display = ["name", "is_agency", "homepage"]
    # By the folded name, for which there is an index.
    ordering = ["name_key"]
    ordered_by = {"is_agency__exact=1": ["name_key"]}
    bounded_search = True
    list_filter = ["is_agency"]
    search_fields = ["name", "other_names__name"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["other_names", "perhaps_the_same"]
    actions = ["merge"]
    merge_counts = "contributions"
    merge_warning = (
        "These are one person, or one agency, in several spellings. Their articles and addresses go on as one, and"
        " new articles under any of the names are credited here. Two people who share a name are not one: this"
        " cannot be undone."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        spelt = desk_words.having(ContributorName.objects.all(), search_term).values_list(
            "contributor", flat=True
        )
        found = desk_words.having(Contributor.objects.all(), search_term).values_list("pk", flat=True)
        return queryset.filter(pk__in={*spelt, *found}), False

    def save_model(self, request: HttpRequest, obj: Contributor, form: Any, change: bool) -> None:
        obj.name_key = obj.name_key or actions.name_key(obj.name)
        super().save_model(request, obj, form, change)
        merging.lead_to(obj, [form.initial["slug"]] if change and "slug" in form.changed_data else [])
        surfaces.changed([f"contributor:{obj.pk}", surfaces.SITE])

    @admin.display(description="other spellings")
    def other_names(self, person: Contributor) -> str:
        return ", ".join(person.other_names.values_list("name", flat=True)) if person.pk else ""

    @admin.display(description="perhaps the same")
    def perhaps_the_same(self, person: Contributor) -> str:
        alike = merging.perhaps_the_same(person) if person.pk else []
        address = reverse("admin:articles_contributor_merge")
        return format_html_join(
            ", ", '<a href="{}?ids={},{}">{}</a>', ((address, person.pk, other.pk, other) for other in alike)
        )

    def merge_rows(self, kept: Contributor, others: Sequence[Contributor], by: User) -> None:
        merging.merge_contributors(kept=kept, others=others, by=by)


class TagSynonymInline(admin.TabularInline):
    model = TagSynonym
    form = SynonymForm
    extra = 1
    fields = ["name"]


@admin.register(Tag)
class TagAdmin(MergePages, BigTableAdmin):
    form = TagForm
    list_display = ["name", "slug", "featured", "position"]
    list_filter = ["featured"]
    looked_through = 20_000
    search_fields = ["name", "synonyms__name"]
    inlines = [TagSynonymInline]
    actions = ["merge", "feature", "unfeature"]
    merge_counts = "tagged"
    merge_warning = (
        "Their articles get the one tag, their addresses lead to it for ever, and their names become its synonyms, so"
        " that feeds which use them bring the one tag. This cannot be undone."
    )

    def get_prepopulated_fields(self, request: HttpRequest, obj: Tag | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    @admin.action(description="Show in the navigation", permissions=["change"])
    def feature(self, request: HttpRequest, queryset: QuerySet[Tag]) -> None:
        self._each(request, queryset, featured=True)

    @admin.action(description="Take out of the navigation", permissions=["change"])
    def unfeature(self, request: HttpRequest, queryset: QuerySet[Tag]) -> None:
        self._each(request, queryset, featured=False)

    def _each(self, request: HttpRequest, tags: QuerySet[Tag], *, featured: bool) -> None:
        changed = list(tags.exclude(featured=featured)[:FOUND])
        for tag in changed:
            tag.featured = featured
            merging.save_tag(tag=tag)
        messages.success(request, f"Tags changed: {len(changed)}. The board of the front page orders them.")

    def save_model(self, request: HttpRequest, obj: Tag, form: Any, change: bool) -> None:
        merging.save_tag(tag=obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for synonym in formset.save(commit=False):
            synonym.slug = slugify(synonym.name, allow_unicode=True)[:100]
            synonym.save()
        for gone in formset.deleted_objects:
            gone.delete()

    def merge_rows(self, kept: Tag, others: Sequence[Tag], by: User) -> None:
        merging.merge_tags(kept=kept, others=others, by=by)


@admin.register(Source)
class SourceAdmin(BigTableAdmin):
    list_display = ["name", "domain", "usage", "terms_recorded_on", "suspended_at"]
    list_filter = ["usage", ("suspended_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "domain"]
    looked_through = 20_000
    fieldsets = [
        (None, {"fields": ["name", "slug", "homepage", "domain", "language", "description"]}),
        ("What we may show", {
            "fields": ["usage", "excerpt_words", "terms", "terms_url", "terms_recorded_on", "copyright_holder"],
            "description": "Applied at the page and in every feed: a change changes what is shown at once.",
        }),
        ("What the site signals to machines", {
            "fields": ["signalled", "signals_told", "signals_read_at", "agreement_prevails"],
            "description": "Read from its feeds, robots.txt and tdmrep.json. The stricter of this and the above holds.",
        }),
        ("Suspension", {"fields": ["suspended_at", "suspended_reason"]}),
    ]  # fmt: skip
    about_it = ("name", "slug", "homepage", "domain", "language", "description")
    rights = ("usage", "excerpt_words", "terms", "terms_url", "terms_recorded_on", "copyright_holder",
              "suspended_at", "suspended_reason", "agreement_prevails")  # fmt: skip
    told = ("signalled", "signals_told", "signals_read_at")

    def has_change_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        """What it is, and what we may show of it, are two rights; either opens the form."""
        return super().has_change_permission(request, obj) or request.user.has_perm(SOURCE_RIGHTS)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> tuple[str, ...]:
        shut = () if obj is None or super().has_change_permission(request, obj) else self.about_it
        shut = (*shut, *self.told)
        return shut if request.user.has_perm(SOURCE_RIGHTS) else (*shut, *self.rights)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "agreement_prevails":
            return forms.BooleanField(required=False, help_text=db_field.help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="leaves us")
    def signalled(self, source: Source) -> str:
        """What the signals leave to show, in words."""
        words = []
        if source.signalled_usage:
            words.append(UsagePolicy(source.signalled_usage).label.lower())
        if source.signalled_chars is not None:
            words.append(f"at most {source.signalled_chars} characters")
        if source.signalled_no_pictures:
            words.append("no pictures")
        return ", ".join(words) or "no less than is set above"

    @admin.display(description="signals")
    def signals_told(self, source: Source) -> str:
        """Each signal with where and since when it is seen."""
        rows = [(said["kind"], said["value"], said["where"], said["since"]) for said in source.signals or ()]
        if not rows:
            return "none seen"
        lines = format_html_join("", "<li><strong>{}</strong> {}, at {} since {}</li>", rows)
        return format_html("<ul>{}</ul>", lines)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Source | None = None) -> dict[str, Any]:
        return {} if "slug" in self.get_readonly_fields(request, obj) else {"slug": ["name"]}

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        surfaces.changed([f"source:{obj.pk}", surfaces.SITE])
        if change and SEARCHED & set(form.changed_data):
            walks.ask(WalkKind.INDEX, walks.Of(source=obj), at=timezone.now())


@admin.register(Walk)
class WalkAdmin(BigTableAdmin):
    """Changes to very many articles: ask for one, see how far each is."""

    form = WalkForm
    list_display = ["__str__", "progress", "done", "asked_at", "finished_at"]
    list_display_links = None
    list_select_related = ["tag", "source", "tagged", "person"]
    list_filter = ["kind"]
    autocomplete_fields = ["tag", "source", "tagged"]
    fieldsets = [(None, {
        "fields": ["kind", "tag", "source", "tagged"],
        "description": "Choose what is done, with which tag, and to which articles: those of an outlet or those with a"
        " tag. Readers see it as it goes, fifty articles at a time; the list shows how far it is.",
    })]  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Walk | None = None) -> bool:
        """What was asked for stays as it was asked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Walk | None = None) -> bool:
        return False

    @admin.display(description="how far")
    def progress(self, walk: Walk) -> str:
        percent = round(100 * walk.share)
        return format_html('<progress max="100" value="{}"></progress> {} %', percent, percent)

    def save_model(self, request: HttpRequest, obj: Walk, form: Any, change: bool) -> None:
        of = walks.Of(source=obj.source, tagged=obj.tagged)
        asked = walks.ask(WalkKind(obj.kind), of, tag=obj.tag, at=timezone.now())
        obj.__dict__.update(asked.__dict__)


@admin.register(Story)
class StoryAdmin(StoryPages, BigTableAdmin):
    list_display = ["headline_", "articles_", "merged_into", "created_at"]
    list_filter = [("merged_into", admin.EmptyFieldListFilter)]
    list_select_related = ["lead", "merged_into__lead"]
    search_fields = ["headline"]
    bounded_search = True
    ordering = ["-pk"]
    form = StoryForm
    fields = ["headline", "standfirst", "slug"]
    actions = ["merge"]
    merge_counts = "articles"
    merge_warning = (
        "The articles of the others come to the one that stays, and their addresses lead to it for ever."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Story]:
        # Counted for the rows that are shown, never over all articles.
        counted = Article.objects.filter(story=OuterRef("pk")).order_by().values("story")
        count = Subquery(counted.annotate(count=Count("pk")).values("count"))
        stories_: QuerySet[Story] = super().get_queryset(request)
        return stories_.annotate(article_count=Coalesce(count, 0))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By a headline of its own, or by those of its articles."""
        if not search_term.strip():
            return queryset, False
        named = desk_words.having(Story.objects.all(), search_term).values_list("pk", flat=True)
        told = Article.objects.filter(pk__in=ArticleAdmin._called(search_term)).exclude(story=None)
        return queryset.filter(pk__in={*named, *told.values_list("story", flat=True)}), False

    def get_prepopulated_fields(self, request: HttpRequest, obj: Story | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["headline"]}

    def save_model(self, request: HttpRequest, obj: Story, form: Any, change: bool) -> None:
        stories.save(story=obj)
        note_fields(obj, by=cast(User, request.user), changed=form.changed_data)

    @admin.display(description="headline", ordering="headline")
    def headline_(self, story: Story) -> str:
        return str(story)

    @admin.display(description="articles")
    def articles_(self, story: Any) -> str:
        where = reverse("admin:articles_story_articles", args=[story.pk])
        return format_html('<a href="{}">{}</a>', where, story.article_count)

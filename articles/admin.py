"""The desk: articles, people, tags, sources and pictures in Django's admin."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin, messages
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import slugify
from taggit.models import Tag as TaggitTag

from articles import actions, surfaces
from articles.canonical import address_key
from articles.forms import ArticleForm
from articles.models import (
    Article,
    ArticleState,
    Contribution,
    Contributor,
    Hold,
    Media,
    RelatedLink,
    Revision,
    Source,
    Story,
    Tag,
    TagSynonym,
)
from articles.paging import BoundedPaginator

EDITOR_POLICY = {
    # CKEditor's buttons are event-handler attributes and it writes style attributes; script
    # elements stay limited to our own files (docs/decisions/editor.md).
    "script-src-elem": [SELF],
    "script-src-attr": [UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}


# Our own Tag takes the place of the package's.
admin.site.unregister(TaggitTag)


class BigTableAdmin(admin.ModelAdmin):
    """A list that stays fast however many rows there are."""

    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
    readonly_fields = fields


class RevisionInline(ReadOnlyInline):
    model = Revision
    fields = ["number", "kind", "at", "by", "note"]
    readonly_fields = fields


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


@admin.register(Article)
class ArticleAdmin(BigTableAdmin):
    form = ArticleForm
    list_display = ["headline_", "state", "source", "language", "published_at", "withheld"]
    list_filter = ["state", WithheldFilter, LanguageFilter, "published_at"]
    list_select_related = ["source"]
    search_fields = ["headline"]
    search_help_text = "Words of the headline, or the address of the original."
    ordering = ["-created_at", "-pk"]
    date_hierarchy = None
    autocomplete_fields = ["source", "lead_media", "story"]
    readonly_fields = ["fetched_at", "updated_at", "edited_at", "version", "key"]
    inlines = [ContributionInline, RelatedLinkInline, HoldInline, RevisionInline]
    actions = ["publish", "to_review", "to_draft"]
    save_on_top = True
    fieldsets = [
        (None, {"fields": ["headline", "standfirst", "body", "tags", "opened_version"]}),
        ("Source and rights", {
            "fields": ["source", "canonical_url", "byline", "dateline", "language", "copyright_holder",
                       "usage_terms", "licence_url", "lead_media", "story"],
        }),
        ("Publication", {
            "fields": ["state", "published_at", "expires_at", "slug"],
            "description": "A publication time in the future is an embargo: readers see the article from then on.",
        }),
        ("History", {"classes": ["collapse"], "fields": ["fetched_at", "updated_at", "edited_at", "version", "key"]}),
    ]  # fmt: skip

    class Media:
        css = {"all": ["admin-desk/editor.css"]}

    @admin.display(description="headline", ordering="headline")
    def headline_(self, article: Article) -> str:
        return str(article)

    @admin.display(description="withheld")
    def withheld(self, article: Any) -> str:
        return "withheld" if article.is_withheld else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        held = Hold.objects.in_effect().filter(article=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_withheld=Exists(held)).defer("body", "signature")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Article | None:
        return Article.objects.filter(pk=object_id).first() if object_id.isdigit() else None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the original's address when one is typed, else by words of the headline."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith(("http://", "https://")):
            return queryset.filter(url_key=address_key(term)), False
        return super().get_search_results(request, queryset, term)

    def has_change_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        erased = obj is not None and obj.state == ArticleState.ERASED
        return not erased and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        """Articles are taken back, retracted or erased, each with its record; never just deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: Article, form: Any, change: bool) -> None:
        actions.save_edit(article=obj, at=timezone.now(), by=request.user)  # type: ignore[arg-type]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        before = surfaces.keys_of([form.instance.pk])
        super().save_related(request, form, formsets, change)
        actions.refresh(articles=[form.instance])
        surfaces.changed(before)

    @admin.action(description="Publish now", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        self._each(
            request, queryset, lambda a: actions.publish(article=a, at=timezone.now(), by=None), "published"
        )

    @admin.action(description="Send to review", permissions=["change"])
    def to_review(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        to = ArticleState.REVIEW
        self._each(
            request, queryset, lambda a: actions.set_aside(article=a, to=to, by=None), "sent to review"
        )

    @admin.action(description="Take back to draft", permissions=["change"])
    def to_draft(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        to = ArticleState.DRAFT
        self._each(
            request, queryset, lambda a: actions.set_aside(article=a, to=to, by=None), "taken back to draft"
        )

    def _each(self, request: HttpRequest, queryset: QuerySet[Article], act: Any, done: str) -> None:
        good = 0
        for article in Article.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))):
            try:
                act(article)
                good += 1
            except actions.NotAllowed as reason:
                messages.warning(request, f"{article}: {reason}")
        if good:
            messages.success(request, f"{good} {'article' if good == 1 else 'articles'} {done}.")

    @method_decorator(csp_update(EDITOR_POLICY))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)


@admin.register(Contributor)
class ContributorAdmin(BigTableAdmin):
    list_display = ["name", "is_agency", "homepage"]
    list_filter = ["is_agency"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}

    def save_model(self, request: HttpRequest, obj: Contributor, form: Any, change: bool) -> None:
        obj.name_key = obj.name_key or actions.name_key(obj.name)
        super().save_model(request, obj, form, change)
        surfaces.changed([f"contributor:{obj.pk}", surfaces.SITE])


class TagSynonymInline(admin.TabularInline):
    model = TagSynonym
    extra = 1
    fields = ["name"]


@admin.register(Tag)
class TagAdmin(BigTableAdmin):
    list_display = ["name", "slug", "featured", "position"]
    list_editable = ["featured", "position"]
    list_filter = ["featured"]
    search_fields = ["name", "synonyms__name"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [TagSynonymInline]

    def save_model(self, request: HttpRequest, obj: Tag, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        surfaces.changed([surfaces.SITE])

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for synonym in formset.save(commit=False):
            synonym.slug = slugify(synonym.name, allow_unicode=True)[:100]
            synonym.save()
        for gone in formset.deleted_objects:
            gone.delete()


@admin.register(Source)
class SourceAdmin(BigTableAdmin):
    list_display = ["name", "domain", "usage", "terms_recorded_on", "suspended_at"]
    list_filter = ["usage", ("suspended_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "domain"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "homepage", "domain", "language", "description"]}),
        ("What we may show", {
            "fields": ["usage", "excerpt_words", "terms", "terms_url", "terms_recorded_on", "copyright_holder"],
            "description": "Applied at the page and in every feed: a change changes what is shown at once.",
        }),
        ("Suspension", {"fields": ["suspended_at", "suspended_reason"]}),
    ]  # fmt: skip

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        surfaces.changed([f"source:{obj.pk}", surfaces.SITE])


@admin.register(Story)
class StoryAdmin(BigTableAdmin):
    list_display = ["headline", "articles_", "created_at"]
    search_fields = ["headline"]
    prepopulated_fields = {"slug": ["headline"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Story]:
        return super().get_queryset(request).annotate(article_count=Count("articles"))

    @admin.display(description="articles")
    def articles_(self, story: Any) -> int:
        return int(story.article_count)


@admin.register(Media)
class MediaAdmin(BigTableAdmin):
    list_display = ["thumbnail", "alt", "credit", "holder", "terms_expire_at", "created_at"]
    search_fields = ["alt", "credit", "holder", "caption"]
    fields = ["thumbnail", "alt", "caption", "credit", "holder", "terms", "terms_expire_at", "original_url"]
    readonly_fields = ["thumbnail", "original_url"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Media, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        surfaces.changed([f"article:{pk}" for pk in obj.articles.values_list("pk", flat=True)])

    @admin.display(description="picture")
    def thumbnail(self, media: Media) -> str:
        if not media.file:
            return "–"
        return format_html('<img src="/media/{}/480.webp" alt="{}" width="120">', media.token, media.alt)

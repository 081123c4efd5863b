"""The picture library at the desk: uploaded or fetched, with credit and terms, and where each is used."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from accounts.audit import note_fields
from accounts.models import User
from accounts.paging import BigTableAdmin
from articles import decoding, desk_words, illustrations, merging, surfaces
from articles import media as pictures
from articles.merge_pages import MergePages
from articles.models import Media
from articles.tokens import new_token

MOST_USES = 50
SOON = timedelta(days=30)


class TermsFilter(admin.SimpleListFilter):
    title = "terms"
    parameter_name = "terms"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("over", "Expired"), ("soon", "Expire within 30 days"), ("none", "None recorded")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Media]) -> QuerySet[Media]:
        wanted = {
            "over": Q(terms_expire_at__lte=Now()),
            "soon": Q(terms_expire_at__gt=Now(), terms_expire_at__lte=timezone.now() + SOON),
            "none": Q(terms=""),
        }.get(self.value() or "")
        return queryset.filter(wanted) if wanted else queryset


class NeedsFilter(admin.SimpleListFilter):
    title = "what is missing"
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("alt", "Nobody said what it shows"), ("credit", "No credit"), ("file", "Not fetched"),
                ("use", "No article uses it")]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Media]) -> QuerySet[Media]:
        wanted = {
            "alt": Q(alt=""), "credit": Q(credit="", holder=""), "file": Q(file=""), "use": ~illustrations.is_used(),
        }.get(self.value() or "")  # fmt: skip
        return queryset.filter(wanted) if wanted else queryset


class MediaForm(forms.ModelForm):
    """A picture's facts; a new one comes with its file, checked before anything is stored."""

    upload = forms.FileField(
        label="File",
        help_text="JPEG, PNG, WebP or GIF, at most 12 MB. It is stored anew in our sizes, without its metadata.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
    )
    sizes: Sequence[decoding.Encoded] = ()
    digest = ""

    class Meta:
        model = Media
        fields = ("alt", "caption", "credit", "holder", "terms", "terms_expire_at", "focus_x", "focus_y")
        labels = {"alt": "What it shows", "terms_expire_at": "Terms end"}
        help_texts = {
            "alt": "In a sentence, for those who hear it. Needed before an article with it is published.",
            "credit": "As it is printed, such as: Ann Ó Briain for the Ledger.",
            "holder": "Who owns the rights.",
            "terms_expire_at": "From then on no reader is shown it, by itself.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields.pop("upload", None)
        elif "alt" in self.fields:
            self.fields["alt"].required = True

    def clean_upload(self) -> Any:
        file = self.cleaned_data["upload"]
        if (file.size or 0) > decoding.MOST_BYTES:
            raise forms.ValidationError(f"The file is larger than {decoding.MOST_BYTES // 1024 // 1024} MB.")
        data = file.read()
        self.digest = hashlib.sha256(data).hexdigest()
        if pictures.is_blocked(self.digest):
            raise forms.ValidationError(pictures.REMOVED)
        same = Media.objects.filter(sha256=self.digest).exclude(file="").first()
        if same:
            where = reverse("admin:articles_media_change", args=[same.pk])
            raise forms.ValidationError(
                format_html('This picture is in the library already: <a href="{}">{}</a>.', where, same)
            )
        try:
            self.sizes = decoding.encode_apart(data)
        except decoding.UnusableError as reason:
            raise forms.ValidationError(str(reason)) from reason
        return file


@admin.register(Media)
class MediaAdmin(MergePages, BigTableAdmin):
    form = MediaForm
    list_per_page = 40
    bounded_search = True
    ordered_by = {"terms=over": ["terms_expire_at", "pk"], "terms=soon": ["terms_expire_at", "pk"]}
    ordering = ["-pk"]
    list_display = ["thumbnail", "told", "credit", "holder", "terms_end", "created_at"]
    list_display_links = ["thumbnail", "told"]
    list_filter = [TermsFilter, NeedsFilter]
    search_fields = ["alt", "credit", "holder", "caption"]
    readonly_fields = ["large", "used_by", "same_picture", "original_url", "last_error"]
    actions = ["merge"]
    merge_counts = "articles"
    merge_warning = "They are one file. The articles go on with the row that stays, its credit and terms."

    class Media:
        css = {"all": ["admin-desk/library.css"]}
        js = [forms.Script("admin-desk/focus.js", type="module")]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        rights = ("Rights", {"fields": ["credit", "holder", "terms", "terms_expire_at"]})
        focus = ("Where its subject is", {
            "fields": ["focus_x", "focus_y"],
            "description": "What stays in sight where the picture is cropped, in hundredths from the left and from"
            " the top. A click on the picture sets both.",
        })  # fmt: skip
        if obj is None:
            return [(None, {"fields": ["upload", "alt", "caption"]}), rights, focus]
        same = ["same_picture"] if self.has_change_permission(request, obj) else []
        use = ("Use", {"fields": ["used_by", *same, "original_url", "last_error"]})
        return [(None, {"fields": ["large", "alt", "caption"]}), rights, focus, use]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(is_withheld=pictures.withheld())
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (desk_words.having(queryset, search_term) if search_term.strip() else queryset), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            surfaces.changed(
                [f"article:{pk}" for pk in illustrations.showing(obj).values_list("pk", flat=True)]
            )
        else:
            obj.token = new_token()
            pictures.keep_upload(obj, form.sizes, form.digest)
        note_fields(obj, by=cast(User, request.user), changed=form.changed_data)

    def merge_rows(self, kept: Any, others: Sequence[Any], by: User) -> None:
        merging.merge_pictures(kept=kept, others=others)

    # --- what is shown ------------------------------------------------------------------------

    @admin.display(description="picture")
    def thumbnail(self, media: Any) -> str:
        if media.is_withheld:
            return "withheld"
        if not media.file:
            return "not fetched"
        return format_html('<img class="thumb" src="{}" alt="" loading="lazy">', pictures_address(media, 480))

    @admin.display(description="what it shows", ordering="alt")
    def told(self, media: Any) -> str:
        return media.alt or media.caption or "nobody said yet"

    @admin.display(description="terms end", ordering="terms_expire_at")
    def terms_end(self, media: Any) -> Any:
        at = media.terms_expire_at
        return format_html("<strong>expired {}</strong>", at.date()) if at and at <= timezone.now() else at

    @admin.display(description="picture")
    def large(self, media: Any) -> str:
        if not media.pk or not media.file:
            return media.last_error or "It is not here yet."
        if Media.objects.filter(pictures.withheld(), pk=media.pk).exists():
            return "It is withheld at its owner's request."
        return format_html(
            '<img class="large" data-focus src="{}" alt="{}">', pictures_address(media, 960), media.alt
        )

    @admin.display(description="used by")
    def used_by(self, media: Any) -> str:
        rows = illustrations.showing(media).only("pk", "headline", "state")[:MOST_USES] if media.pk else []
        return (
            format_html_join(
                "",
                '<p><a href="{}">{}</a> ({})</p>',
                (
                    (reverse("admin:articles_article_change", args=[a.pk]), a, a.get_state_display().lower())
                    for a in rows
                ),
            )
            or "No article."
        )

    @admin.display(description="same file")
    def same_picture(self, media: Any) -> str:
        same = Media.objects.filter(sha256=media.sha256).exclude(pk=media.pk) if media.sha256 else ()
        merge = reverse("admin:articles_media_merge")
        found = format_html_join(
            ", ", '<a href="{}?ids={},{}">{}</a>', ((merge, media.pk, other.pk, other) for other in same)
        )
        return (
            format_html("{}. Merge them, and there is one credit to keep.", found)
            if found
            else "No other row."
        )


def pictures_address(media: Any, width: int) -> str:
    """Where the desk sees it."""
    return f"/media/{media.token}/{width}.webp"

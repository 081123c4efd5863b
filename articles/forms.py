"""What an editor typed, checked before it is stored."""

from __future__ import annotations

from typing import Any

from ckeditor.widgets import CKEditorWidget
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.utils import timezone

from articles import actions
from articles.canonical import NotAnAddress, address_key
from articles.models import Article, ArticleState, Tag

EDITABLE_STATES = [
    (state.value, state.label)
    for state in (ArticleState.DRAFT, ArticleState.REVIEW, ArticleState.APPROVED, ArticleState.PUBLISHED)
]


class ArticleForm(forms.ModelForm):
    """An article in the admin. Carries the version it was opened at, so that nobody overwrites unseen."""

    opened_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    tags = forms.ModelMultipleChoiceField(queryset=Tag.objects.all(), required=False)

    class Meta:
        model = Article
        exclude: tuple[str, ...] = ()
        help_texts = {"body": "", "canonical_url": "The http(s) address of the original."}
        widgets = {
            "body": CKEditorWidget(),
            "headline": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "standfirst": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "tags" in self.fields:
            widget = AutocompleteSelectMultiple(Article._meta.get_field("tags"), admin.site)
            widget.choices = self.fields["tags"].choices  # type: ignore[attr-defined]
            self.fields["tags"].widget = widget
        if "opened_version" in self.fields:
            self.fields["opened_version"].initial = self.instance.version if self.instance.pk else None
        if "state" in self.fields:
            self.fields["state"].choices = self._states()  # type: ignore[attr-defined]
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def _states(self) -> list[tuple[str, Any]]:
        now = ArticleState(self.instance.state)
        known = [value for value, _ in EDITABLE_STATES]
        return EDITABLE_STATES if now.value in known else [*EDITABLE_STATES, (now.value, now.label)]

    def clean_canonical_url(self) -> str:
        typed = self.cleaned_data["canonical_url"].strip()
        if not typed:
            return ""
        try:
            address_key(typed)
        except NotAnAddress as reason:
            raise forms.ValidationError(str(reason)) from reason
        return typed

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._check_version(cleaned)
        if cleaned.get("state") == ArticleState.PUBLISHED and not cleaned.get("published_at"):
            cleaned["published_at"] = timezone.now()
        if cleaned.get("source") and not cleaned.get("canonical_url") and "canonical_url" not in self.errors:
            self.add_error("canonical_url", "An article from a source needs the address of the original.")
        return cleaned

    def _check_version(self, cleaned: dict[str, Any]) -> None:
        opened = cleaned.get("opened_version")
        if not self.instance.pk or opened is None:
            return
        stored = Article.objects.values_list("version", flat=True).get(pk=self.instance.pk)
        if stored != opened:
            raise forms.ValidationError(
                "Somebody saved this article while you were editing it. What you typed is still here:"
                " open the article in another tab, compare, and save again from there.",
                code="stale",
            )

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        actions.identify(self.instance)
        same = Article.objects.filter(url_key=self.instance.url_key).exclude(pk=self.instance.pk)
        if self.instance.url_key and same.exists():
            self.add_error("canonical_url", "There is an article with this primary source already.")
        elif actions.is_blocked(article=self.instance):
            self.add_error(None, "This work was removed at its owner's request. It cannot come back.")

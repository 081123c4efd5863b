"""What an editor typed, checked before it is stored."""

from __future__ import annotations

from typing import Any

from ckeditor.widgets import CKEditorWidget
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from articles import actions, walks
from articles.canonical import NotAnAddress, address_key
from articles.fields import clean_html
from articles.illustrations import in_text
from articles.media import may_be_picked
from articles.models import (
    Article,
    ArticleState,
    Contributor,
    ContributorName,
    FormerAddress,
    Media,
    SlugRedirect,
    Tag,
    TagSynonym,
    Walk,
    WalkKind,
)

STALE = (
    "Somebody saved this article while you were editing it. What you typed is still here; above it stands how it"
    " differs from what stands now."
)


class ArticleForm(forms.ModelForm):
    """An article in the admin. Carries the version it was opened at, so that nobody overwrites unseen."""

    opened_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    # Ticked where the differences from what a colleague saved meanwhile are shown.
    seen_version = forms.IntegerField(required=False)
    tags = forms.ModelMultipleChoiceField(queryset=Tag.objects.all(), required=False)
    correction = forms.CharField(
        max_length=1000,
        required=False,
        label="Correction note",
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text="For a published article: what was wrong and is right now. Readers see it under the text.",
    )

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
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug and SlugRedirect.objects.filter(slug=slug).exclude(article=self.instance.pk).exists():
            raise forms.ValidationError("Another article once had this address; it leads there for ever.")
        return slug

    def clean_lead_media(self) -> Media | None:
        media: Media | None = self.cleaned_data["lead_media"]
        if media and media.pk != self.instance.lead_media_id and not may_be_picked(media):
            raise forms.ValidationError("This picture is withheld at its owner's request. Choose another.")
        return media

    def clean_body(self) -> str:
        """Pictures in the text come from the library, none of them withheld, and each is said to show something."""
        body: str = clean_html(self.cleaned_data["body"])
        told = in_text(body)
        if not told:
            return body
        had = (
            in_text(Article.objects.values_list("body", flat=True).get(pk=self.instance.pk))
            if self.instance.pk
            else {}
        )
        known = {media.token: media for media in Media.objects.filter(token__in=told)}
        for token, alt in told.items():
            media = known.get(token)
            if media is None:
                raise forms.ValidationError(
                    "A picture in the text is not in the library any more. Take it out."
                )
            if token not in had and not may_be_picked(media):
                raise forms.ValidationError(
                    "A picture in the text is withheld at its owner's request. Choose another."
                )
            if not (alt or media.alt).strip():
                raise forms.ValidationError(
                    "Say what the picture shows, for those who hear it: double-click it in the text."
                )
        return body

    def clean_correction(self) -> str:
        note: str = self.cleaned_data["correction"].strip()
        if note and self.instance.state != ArticleState.PUBLISHED:
            raise forms.ValidationError("Only what is published is corrected before readers' eyes.")
        return note

    def clean_canonical_url(self) -> str:
        return self._web_address("canonical_url")

    def clean_licence_url(self) -> str:
        return self._web_address("licence_url")

    def _web_address(self, field: str) -> str:
        """As it was typed. Readers get it as a link, so nothing but http(s) is one."""
        typed: str = self.cleaned_data[field].strip()
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
        if self.instance.state == ArticleState.PUBLISHED and not cleaned.get("published_at"):
            cleaned["published_at"] = timezone.now()
        if cleaned.get("source") and not cleaned.get("canonical_url") and "canonical_url" not in self.errors:
            self.add_error("canonical_url", "An article from a source needs the address of the original.")
        begins, ends = cleaned.get("published_at"), cleaned.get("expires_at")
        if begins and ends and ends <= begins:
            self.add_error(
                "expires_at", "It would expire before it is published, and no reader would see it."
            )
        return cleaned

    def _check_version(self, cleaned: dict[str, Any]) -> None:
        opened = cleaned.get("opened_version")
        if not self.instance.pk or opened is None:
            return
        # Under the row's lock: of two who save at the same moment, one is told.
        rows = Article.objects.select_for_update(no_key=True)
        stored = rows.values_list("version", flat=True).get(pk=self.instance.pk)
        if stored not in (opened, cleaned.get("seen_version")):
            raise forms.ValidationError(STALE, code="stale")

    def meanwhile(self) -> Article | None:
        """What stands now, where a colleague saved it after this form was opened."""
        stale = self.has_error(NON_FIELD_ERRORS, "stale")
        return Article.objects.get(pk=self.instance.pk) if stale else None

    def typed(self) -> dict[str, Any]:
        """The words of the form as they would be stored, but those of fields that are not right yet."""
        return {name: self.cleaned_data[name] for name in actions.REVISED_FIELDS if name in self.cleaned_data}

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


class RetractionForm(forms.Form):
    """Why we no longer stand by an article, in words for its readers."""

    note = forms.CharField(
        max_length=1000,
        label="Note to readers",
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="It stands on the article's page, where its text and picture were.",
    )
    opened_version = forms.IntegerField(widget=forms.HiddenInput)
    version = 0

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("opened_version") not in (None, self.version):
            raise forms.ValidationError(
                "Somebody changed the article meanwhile. Read it again before you retract it."
            )
        return cleaned


class ContributorForm(forms.ModelForm):
    """One person is one row, and an address leads to one."""

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        key = actions.name_key(name)
        own = Contributor.objects.filter(name_key=key).exclude(pk=self.instance.pk).first()
        other = ContributorName.objects.filter(name_key=key).exclude(contributor=self.instance.pk).first()
        known = own or (other and other.contributor)
        if known:
            raise forms.ValidationError(
                f"This is {known}, who is listed already. If they are one, merge them."
            )
        return name

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        former = FormerAddress.objects.filter(slug=slug, contributor__isnull=False)
        if former.exclude(contributor=self.instance.pk).exists():
            raise forms.ValidationError("Another person once had this address; it leads there for ever.")
        return slug


class TagForm(forms.ModelForm):
    """A word leads to one tag, and so does an address."""

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        former = FormerAddress.objects.filter(slug=slug, tag__isnull=False).exclude(tag=self.instance.pk)
        if former.exists():
            raise forms.ValidationError("Another tag once had this address; it leads there for ever.")
        word = (
            TagSynonym.objects.filter(slug=slug).exclude(tag=self.instance.pk).select_related("tag").first()
        )
        if word:
            raise forms.ValidationError(f"This is a synonym of “{word.tag}”. Take it from there first.")
        return slug


class StoryForm(forms.ModelForm):
    """An address leads to one story."""

    class Meta:
        help_texts = {"slug": "The end of its address. With a new one, the former goes on leading here."}

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        former = FormerAddress.objects.filter(slug=slug, story__isnull=False).exclude(story=self.instance.pk)
        if former.exists():
            raise forms.ValidationError("Another story once had this address; it leads there for ever.")
        return slug


class SynonymForm(forms.ModelForm):
    """A synonym is no tag of its own and no other tag's synonym."""

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        slug = slugify(name, allow_unicode=True)[:100]
        if not slug:
            raise forms.ValidationError("A synonym needs letters or digits.")
        tag = Tag.objects.filter(slug=slug).first()
        if tag:
            raise forms.ValidationError(f"“{tag}” is a tag itself. If they are one, merge them.")
        word = TagSynonym.objects.filter(slug=slug).exclude(pk=self.instance.pk).select_related("tag").first()
        if word:
            raise forms.ValidationError(f"It is a synonym of “{word.tag}” already.")
        return name


class MergeForm(forms.Form):
    """As which of several rows all of them go on."""

    kept = forms.ModelChoiceField(
        queryset=Contributor.objects.none(), widget=forms.RadioSelect, empty_label=None, label="Go on as"
    )

    def __init__(self, rows: QuerySet[Any], *args: Any) -> None:
        super().__init__(*args)
        choice: Any = self.fields["kept"]
        choice.queryset = rows
        choice.label_from_instance = self.told
        choice.initial = rows.first()

    @staticmethod
    def told(row: Any) -> str:
        kind = ", agency" if getattr(row, "is_agency", False) else ""
        return f"{row} ({row.counted} article{'' if row.counted == 1 else 's'}{kind})"


class NoteForm(forms.Form):
    """A note for colleagues, and whose task it is if it is one."""

    text = forms.CharField(
        max_length=2000,
        label="Note",
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="Colleagues only. Name somebody with @ and their login, and they are told by mail.",
    )
    task_of = forms.ModelChoiceField(
        User.objects.none(), required=False, label="A task of", empty_label="nobody: a note"
    )
    due_on = forms.DateField(
        required=False, label="Due on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, colleagues: QuerySet[User], *args: Any) -> None:
        super().__init__(*args)
        choice: Any = self.fields["task_of"]
        choice.queryset = colleagues


class WalkForm(forms.ModelForm):
    """A change to very many articles, as it is asked for."""

    class Meta:
        model = Walk
        fields = ("kind", "tag", "source", "tagged")

    def clean(self) -> dict[str, Any]:
        """What makes no sense is said here."""
        said: dict[str, Any] = super().clean() or {}
        try:
            of = walks.Of(source=said.get("source"), tagged=said.get("tagged"))
            walks.check(WalkKind(said.get("kind", WalkKind.INDEX)), of, said.get("tag"))
        except walks.NothingToDo as reason:
            raise forms.ValidationError(str(reason)) from reason
        return said

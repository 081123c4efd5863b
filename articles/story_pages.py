"""A story's own desk: which articles it holds, which of them leads, and what is merged into it or taken out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from accounts.models import User
from articles import stories
from articles.merge_pages import MERGED_AT_ONCE, MergePages
from articles.merging import CannotMerge
from articles.models import Article, ArticleState, Hold, Story

MOST_LISTED = 200


class AddForm(forms.Form):
    """An article for the story."""

    article = forms.ModelChoiceField(
        Article.objects.filter(headline__gt="").exclude(state=ArticleState.ERASED),
        widget=AutocompleteSelect(Article._meta.get_field("copy_of"), admin.site),
        label="Add an article",
    )


class MergeStoriesForm(forms.Form):
    """Stories that tell the same."""

    stories = forms.ModelMultipleChoiceField(
        Story.objects.filter(merged_into__isnull=True),
        widget=AutocompleteSelectMultiple(Article._meta.get_field("story"), admin.site),
        label="Merge other stories into this one",
        help_text="Their articles come here, and their addresses lead here for ever.",
    )

    def clean_stories(self) -> QuerySet[Story]:
        chosen: QuerySet[Story] = self.cleaned_data["stories"]
        if len(chosen) > MERGED_AT_ONCE:
            raise forms.ValidationError(f"Merge at most {MERGED_AT_ONCE} stories at once.")
        return chosen


class StoryPages(MergePages):
    """The page of a story's articles."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/articles/", wrap(self.articles_page), name="articles_story_articles"),
            *super().get_urls(),
        ]

    def get_view_on_site_url(self, obj: Story | None = None) -> str | None:
        """Only where readers have a page of it."""
        is_read = obj is not None and Article.objects.public().filter(story=obj).exists()
        return obj.get_absolute_url() if obj and is_read else None

    def articles_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The story's articles, oldest first; each button is one action."""
        story = get_object_or_404(Story.objects.select_related("merged_into", "lead"), pk=pk)
        if not self.has_view_permission(request, story):
            raise PermissionDenied
        forms_of = {"add_form": AddForm(), "merge_form": MergeStoriesForm()}
        if request.method == "POST":
            if not self.has_change_permission(request, story):
                raise PermissionDenied
            answer = self._done(request, story, forms_of)
            if answer:
                return answer
        held = Hold.objects.in_effect().filter(article=OuterRef("pk"))
        articles = Article.objects.filter(story=story).select_related("source", "membership")
        context = {
            **self.admin_site.each_context(request),
            **forms_of,
            "title": "Articles of the story",
            "opts": self.opts,
            "story": story,
            "seen_at": self.get_view_on_site_url(story),
            "articles": articles.annotate(is_withheld=Exists(held)).defer("body", "signature")
            .order_by("published_at", "pk")[:MOST_LISTED],
            "may_change": self.has_change_permission(request, story) and not story.merged_into_id,
            "media": forms_of["add_form"].media,
        }  # fmt: skip
        return TemplateResponse(request, "admin/articles/story/articles.html", context)

    def _done(
        self, request: HttpRequest, story: Story, forms_of: dict[str, forms.Form]
    ) -> HttpResponse | None:
        """Do what the pressed button says; None when the form has to be shown again."""
        chosen = [int(pk) for pk in request.POST.getlist("article_ids") if pk.isdecimal()][:MOST_LISTED]
        act: dict[str, Callable[[], str | None]] = {
            "lead": lambda: self._lead(story, request.POST.get("lead", "")),
            "split": lambda: self._split(request, story, chosen, into_new=False),
            "split_new": lambda: self._split(request, story, chosen, into_new=True),
            "add": lambda: self._add(request, story, forms_of),
            "merge": lambda: self._merge(request, story, forms_of),
        }
        wanted = act.get(request.POST.get("_do", ""))
        try:
            said = wanted() if wanted else "Nothing was asked for."
        except stories.NotTogether as reason:
            messages.error(request, str(reason))
            said = ""
        if said is None:
            return None
        if said:
            messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:articles_story_articles", args=[story.pk]))

    def _lead(self, story: Story, pk: str) -> str:
        article = story.articles.filter(pk=int(pk) if pk.isdecimal() else 0).first()
        if article is None:
            raise stories.NotTogether("Choose the article that leads.")
        stories.choose_lead(story=story, article=article)
        return f"“{article}” leads the story now."

    def _split(self, request: HttpRequest, story: Story, chosen: Sequence[int], *, into_new: bool) -> str:
        mine = list(story.articles.filter(pk__in=chosen).values_list("pk", flat=True))
        if not mine:
            raise stories.NotTogether("Tick the articles that are to leave the story.")
        by, at = cast(User, request.user), timezone.now()
        if into_new:
            stories.split_off(articles=mine, by=by, at=at)
            return f"{len(mine)} moved to a story of their own."
        stories.split(articles=mine, by=by, at=at)
        return f"{len(mine)} taken out; grouping does not put them back."

    def _add(self, request: HttpRequest, story: Story, forms_of: dict[str, forms.Form]) -> str | None:
        form = forms_of["add_form"] = AddForm(request.POST)
        if not form.is_valid():
            return None
        if story.merged_into_id:
            raise stories.NotTogether("This story was merged into another; add the article there.")
        article: Article = form.cleaned_data["article"]
        stories.place(articles=[article.pk], story=story, by=cast(User, request.user), at=timezone.now())
        return f"“{article}” is in the story now."

    def _merge(self, request: HttpRequest, story: Story, forms_of: dict[str, forms.Form]) -> str | None:
        form = forms_of["merge_form"] = MergeStoriesForm(request.POST)
        if not form.is_valid():
            return None
        chosen = list(form.cleaned_data["stories"])
        stories.merge(stories=chosen, into=story, by=cast(User, request.user), at=timezone.now())
        return "They are one story now; the old addresses lead here."

    def merge_rows(self, kept: Story, others: Sequence[Story], by: User) -> None:
        try:
            stories.merge(stories=others, into=kept, by=by, at=timezone.now())
        except stories.NotTogether as reason:
            raise CannotMerge(str(reason)) from reason

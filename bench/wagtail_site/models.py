"""A front page and articles as Wagtail's documentation makes them: authors as snippets, tags by taggit."""

from __future__ import annotations

from typing import Any

from django.db import models
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.fields import RichTextField
from wagtail.models import Orderable, Page
from wagtail.snippets.models import register_snippet

NEWEST = 20


@register_snippet
class Author(models.Model):
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200)


@register_snippet
class Outlet(models.Model):
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200)


class FrontPage(Page):
    template = "front.html"

    def get_context(self, request: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        newest = ArticlePage.objects.live().descendant_of(self).select_related("outlet").order_by("-date")
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        return context | {"articles": newest[:NEWEST]}


class ArticleTag(TaggedItemBase):
    content_object = ParentalKey("ArticlePage", related_name="tagged_items", on_delete=models.CASCADE)


class ArticlePage(Page):
    date = models.DateTimeField(db_index=True)
    standfirst = models.TextField(blank=True)
    body = RichTextField()
    outlet = models.ForeignKey(Outlet, null=True, on_delete=models.SET_NULL, related_name="+")
    original = models.URLField(max_length=2000)
    terms = models.TextField(blank=True)
    tags = ClusterTaggableManager(through=ArticleTag, blank=True)
    template = "article.html"

    def get_context(self, request: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        return context | {
            "authors": [credit.author for credit in self.credits.select_related("author")],
            "tagged": self.tags.all(),
            "related": [link.page for link in self.related.select_related("page__outlet")],
        }


class Credit(Orderable):
    article = ParentalKey(ArticlePage, related_name="credits", on_delete=models.CASCADE)
    author = models.ForeignKey(Author, related_name="+", on_delete=models.CASCADE)


class RelatedArticle(Orderable):
    article = ParentalKey(ArticlePage, related_name="related", on_delete=models.CASCADE)
    page = models.ForeignKey(ArticlePage, related_name="+", on_delete=models.CASCADE)

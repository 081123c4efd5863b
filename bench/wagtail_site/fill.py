"""Fills the site with the articles of a file, a JSON object a line."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import django


def main() -> None:
    django.setup()
    from django.contrib.contenttypes.models import ContentType
    from django.db import transaction
    from taggit.models import Tag
    from wagtail.models import Page, Site
    from wagtail_site.models import (
        ArticlePage,
        ArticleTag,
        Author,
        Credit,
        FrontPage,
        Outlet,
        RelatedArticle,
    )

    articles = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    with transaction.atomic():
        front = FrontPage(title="Newsroom", slug="newsroom")
        Page.objects.get(depth=1).add_child(instance=front)
        Site.objects.update_or_create(
            is_default_site=True, defaults={"hostname": "127.0.0.1", "root_page": front}
        )
        named = {
            (model, slug): row for model in (Author, Outlet, Tag) for slug, row in _named(model, articles)
        }
        kind = ContentType.objects.get_for_model(ArticlePage)
        steps = range(1, len(articles) + 1)
        Page.objects.bulk_create(
            [_page(front, kind, step, one) for step, one in zip(steps, articles, strict=True)]
        )
        pages = dict(Page.objects.child_of(front).values_list("slug", "pk"))
        for one in articles:
            page = ArticlePage(
                page_ptr_id=pages[one["slug"]],
                date=datetime.fromisoformat(one["date"]),
                outlet=named[Outlet, one["outlet"][0]],
                **{name: one[name] for name in ("standfirst", "body", "original", "terms")},
            )
            page.save_base(raw=True)
        Credit.objects.bulk_create(
            Credit(article_id=pages[one["slug"]], author=named[Author, slug], sort_order=order)
            for one in articles
            for order, (slug, _) in enumerate(one["authors"])
        )
        ArticleTag.objects.bulk_create(
            ArticleTag(content_object_id=pages[one["slug"]], tag=named[Tag, slug])
            for one in articles
            for slug, _ in one["tags"]
        )
        RelatedArticle.objects.bulk_create(
            RelatedArticle(article_id=pages[one["slug"]], page_id=pages[slug], sort_order=order)
            for one in articles
            for order, slug in enumerate(one["related"])
        )
    Page.objects.filter(pk=front.pk).update(numchild=len(articles))


def _named(model: Any, articles: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    of = {"Author": "authors", "Tag": "tags"}.get(model.__name__)
    pairs = dict(pair for one in articles for pair in (one[of] if of else [one["outlet"]]))
    rows = model.objects.bulk_create([model(slug=slug, name=name) for slug, name in pairs.items()])
    return [(row.slug, row) for row in rows]


def _page(front: Any, kind: Any, step: int, one: dict[str, Any]) -> Any:
    from django.utils import timezone
    from wagtail.models import Page

    return Page(
        path=Page._get_path(front.path, front.depth + 1, step),
        depth=front.depth + 1,
        title=one["headline"][:255],
        draft_title=one["headline"][:255],
        slug=one["slug"],
        url_path=f"{front.url_path}{one['slug']}/",
        content_type=kind,
        locale_id=front.locale_id,
        live=True,
        search_description=one["standfirst"],
        first_published_at=timezone.now(),
    )


if __name__ == "__main__":
    main()

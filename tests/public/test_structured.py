"""What search engines and other sites read in a page's head."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings

from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db


def data(client, article) -> dict:
    html = client.get(article.get_absolute_url()).content.decode()
    return json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)[1])


def test_an_article_describes_itself_its_makers_and_its_source(client, somewhere_everywhere):
    found = data(client, somewhere_everywhere)

    assert found["@type"] == "NewsArticle"
    assert found["headline"] == somewhere_everywhere.headline
    assert found["mainEntityOfPage"] == settings.SITE_URL + somewhere_everywhere.get_absolute_url()
    assert found["isBasedOn"] == somewhere_everywhere.canonical_url
    assert found["author"][0]["name"] == "Quillon Zebedee"
    assert found["contributor"][0]["name"] == "Ada Vance"
    assert found["publisher"]["name"] == settings.SITE_NAME
    assert found["image"][0]["url"].startswith(f"{settings.SITE_URL}/media/")
    assert found["datePublished"] == somewhere_everywhere.published_at.isoformat(timespec="seconds")


def test_a_headline_cannot_break_out_of_the_data(client):
    headline = "</script><script>alert(1)</script><!-- & \u2028"
    article = ArticleFactory(headline=headline)

    assert data(client, article)["headline"] == headline
    assert "<script>alert" not in client.get(article.get_absolute_url()).content.decode()


def test_the_data_says_no_more_than_the_policy_allows(client):
    article = ArticleFactory(source=SourceFactory(usage="headline"), standfirst="Hidden words")
    assert "description" not in data(client, article)
    assert "Hidden words" not in client.get(article.get_absolute_url()).content.decode()


def test_the_head_names_address_card_and_feeds(client, somewhere_everywhere):
    html = client.get(somewhere_everywhere.get_absolute_url()).content.decode()
    tag = client.get("/tags/climate/").content.decode()

    assert f'<link rel="canonical" href="{settings.SITE_URL}/articles/zz-kx7-colony/">' in html
    assert '<meta property="og:title" content="Zebrafinch colony moves to the lighthouse">' in html
    assert '<meta property="og:image" content="http' in html
    assert '<meta name="twitter:card" content="summary_large_image">' in html
    for form in ("rss", "atom", "json"):
        assert f'href="/tags/climate/feed.{form}"' in tag

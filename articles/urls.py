"""Addresses of the public pages. Slugs may be in any script."""

from __future__ import annotations

from datetime import date

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from articles import cards, feeds, media, signposts, site_pages, sitemaps, views


class UnicodeSlug(StringConverter):
    """Letters of any script, digits, hyphens and underscores."""

    regex = r"[-\w]+"


class Form(StringConverter):
    """The kinds of feed."""

    regex = "|".join(feeds.FORMATS)


class PictureForm(StringConverter):
    """The kinds of picture."""

    regex = "webp|avif"


class Code(StringConverter):
    """A language without its region: de."""

    regex = "[a-z]{2,3}"


class Day:
    """A day as yyyy-mm-dd."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        return value.isoformat()


register_converter(UnicodeSlug, "name")
register_converter(Form, "form")
register_converter(PictureForm, "picture")
register_converter(Code, "code")
register_converter(Day, "day")

urlpatterns = [
    path("", views.front_page, name="front"),
    path("latest/", views.latest, name="latest"),
    path("articles/<name:slug>/", views.article_page, name="article"),
    path("articles/<name:slug>/card.png", cards.card, name="card"),
    path("stories/<name:slug>/", views.story_page, name="story"),
    path("tags/<name:slug>/", views.tag_page, name="tag"),
    path("tags/<name:slug>/feed.<form:form>", feeds.tag, name="tag_feed"),
    path("contributors/<name:slug>/", views.contributor_page, name="contributor"),
    path("contributors/<name:slug>/feed.<form:form>", feeds.contributor, name="contributor_feed"),
    path("sources/<name:slug>/", views.source_page, name="source"),
    path("sources/<name:slug>/feed.<form:form>", feeds.source, name="source_feed"),
    path("languages/", views.languages, name="languages"),
    path("languages/<code:code>/", views.language_page, name="language"),
    path("languages/<code:code>/feed.<form:form>", feeds.language, name="language_feed"),
    path("archive/", views.archive, name="archive"),
    path("archive/<day:on>/", views.archive_day, name="archive_day"),
    path("search/", views.search_page, name="search"),
    path("rights/", views.rights, name="rights"),
    path("tools/", views.tools, name="tools"),
    path("about/", site_pages.about, name="about"),
    path("ethics/", site_pages.ethics, name="ethics"),
    path("corrections/", site_pages.corrections, name="corrections"),
    path("feeds/latest.<form:form>", feeds.latest, name="feed"),
    path("media/<str:token>/<int:width>.<picture:form>", media.picture, name="picture"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemaps/pages.xml", sitemaps.pages, name="sitemap_pages"),
    path("sitemaps/<int:number>.xml", sitemaps.part, name="sitemap_part"),
    path("news-sitemap.xml", sitemaps.news, name="news_sitemap"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("sources.opml", signposts.opml, name="opml"),
    path("oembed", signposts.oembed, name="oembed"),
    path("llms.txt", signposts.llms_txt, name="llms_txt"),
    path("offline.js", signposts.offline, name="offline"),
    path("favicon.ico", signposts.favicon, name="favicon"),
    path("indexnow.txt", signposts.indexnow_key, name="indexnow_key"),
    path(".well-known/security.txt", signposts.security_txt, name="security_txt"),
    path(".well-known/tdmrep.json", signposts.tdmrep, name="tdmrep"),
]

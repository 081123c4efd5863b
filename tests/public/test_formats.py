"""What validators check, as tables: each format by its own rules, on one edition with everything in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone
from lxml import etree, html

from articles.models import Article
from tests.factories import ArticleFactory, HoldFactory, SourceFactory

pytestmark = pytest.mark.django_db

SITE = settings.SITE_URL
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "media": "http://search.yahoo.com/mrss/",
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "news": "http://www.google.com/schemas/sitemap-news/0.9",
}
Rules = dict[str, Callable[[Any], bool]]


# --- what several of them ask -----------------------------------------------------------------


def is_address(text: str | None) -> bool:
    """An absolute address that needs no more escaping (RFC 3986)."""
    parts = urlsplit(text or "")
    return parts.scheme in ("http", "https") and bool(parts.netloc) and is_uri(text)


def is_uri(text: str | None) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", text or ""))


def is_ours(text: str | None) -> bool:
    return is_address(text) and str(text).startswith(f"{SITE}/")


def is_moment(text: str | None) -> bool:
    """RFC 3339, with its zone."""
    return (
        bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text or ""))
        and datetime.fromisoformat(str(text)).tzinfo is not None
    )


def is_mail_date(text: str | None) -> bool:
    """RFC 822 with a year of four digits, and on the weekday it says."""
    at = parsedate_to_datetime(text or "")
    return at.strftime("%a, %d %b %Y %H:%M:%S") in str(text)


def is_language(text: str | None) -> bool:
    return bool(re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", text or ""))


def is_plain(text: str | None) -> bool:
    return bool(text and text.strip()) and not re.search(r"</?[a-z]", str(text))


def is_safe_html(text: str | None) -> bool:
    """No relative address, nothing that runs, nothing that a reader would drop."""
    tree = html.fragment_fromstring(text or "", create_parent=True)
    addresses = [*tree.xpath("//@href"), *tree.xpath("//@src")]
    harmful = tree.xpath("//script|//style|//iframe|//object|//form|//@style|//@*[starts-with(name(), 'on')]")
    return bool(text) and not harmful and all(map(is_address, addresses))


def one(parent: Any, *names: str) -> bool:
    return all(len(parent.findall(name, NS)) == 1 for name in names)


def different(values: list[Any]) -> bool:
    return len(values) == len(set(values)) > 0


def all_text(parent: Any, name: str, rule: Callable[[str | None], bool]) -> bool:
    return all(rule(found.text) for found in parent.iterfind(f".//{name}", NS))


# --- the rules --------------------------------------------------------------------------------

RSS: Rules = {
    "is RSS 2.0": lambda x: x.tag == "rss" and x.get("version") == "2.0",
    "one channel": lambda x: one(x, "channel"),
    "the channel's elements are there, once": lambda x: one(
        x.find("channel"), "title", "link", "description", "language", "lastBuildDate"
    ),
    "plain titles": lambda x: all_text(x, "title", is_plain),
    "it says where it is": lambda x: is_ours(x.find("channel/atom:link[@rel='self']", NS).get("href")),
    "a language": lambda x: is_language(x.findtext("channel/language")),
    "dates": lambda x: all(all_text(x, n, is_mail_date) for n in ("pubDate", "lastBuildDate")),
    "addresses": lambda x: all_text(x, "link", is_address),
    "items have what they may have once": lambda x: all(
        one(i, "title", "link", "guid", "pubDate", "description") for i in x.iter("item")
    ),
    "identities differ and are no addresses": lambda x: (
        different([g.text for g in x.iter("guid")])
        and all(g.get("isPermaLink") == "false" and is_uri(g.text) for g in x.iter("guid"))
    ),
    "descriptions without markup": lambda x: all(is_plain(d.text) for d in x.iter("description") if d.text),
    "an author in one way only": lambda x: (
        not list(x.iter("author")) and all(i.find("dc:creator", NS) is not None for i in x.iter("item"))
    ),
    "a date in one way only": lambda x: x.find(".//dc:date", NS) is None,
    "content that is safe": lambda x: all_text(x, "content:encoded", is_safe_html),
    "sources with addresses": lambda x: all(is_plain(s.text) and is_address(s.get("url")) for s in x.iter("source")),
    "the original": lambda x: all(is_address(a.get("href")) for a in x.iterfind(".//item/atom:link", NS)),
    "pictures": lambda x: all(
        is_ours(m.get("url")) and m.get("type") and int(m.get("width")) for m in x.iterfind(".//media:content", NS)
    ),
}  # fmt: skip

ATOM: Rules = {
    "is a feed": lambda x: x.tag == f"{{{NS['atom']}}}feed" and is_language(x.get(XML_LANG)),
    "the feed has its elements once": lambda x: one(x, "atom:id", "atom:title", "atom:updated", "atom:author"),
    "entries have theirs once": lambda x: all(
        one(e, "atom:id", "atom:title", "atom:updated", "atom:published", "atom:summary")
        for e in x.iterfind("atom:entry", NS)
    ),
    "identities are IRIs and differ": lambda x: (
        all_text(x, "atom:id", is_uri)
        and different([e.findtext("atom:id", "", NS) for e in x.iterfind("atom:entry", NS)])
    ),
    "moments": lambda x: all(all_text(x, n, is_moment) for n in ("atom:updated", "atom:published")),
    "it says where it is": lambda x: is_ours(x.find("atom:link[@rel='self']", NS).get("href")),
    "one alternate of a type and language": lambda x: all(
        len(e.findall("atom:link[@rel='alternate']", NS)) == 1 for e in (x, *x.iterfind("atom:entry", NS))
    ),
    "addresses": lambda x: all(is_address(a.get("href")) for a in x.iterfind(".//atom:link", NS)),
    "everybody has a name": lambda x: all_text(x, "atom:name", is_plain) and all_text(x, "atom:uri", is_ours),
    "every entry has an author": lambda x: all(
        e.find("atom:author", NS) is not None for e in x.iterfind("atom:entry", NS)
    ),
    "categories have terms": lambda x: all(c.get("term") for c in x.iterfind(".//atom:category", NS)),
    "content says what it is and is safe": lambda x: all(
        c.get("type") == "html" and is_safe_html(c.text) for c in x.iterfind(".//atom:content", NS)
    ),
    "what is gone (RFC 6721)": lambda x: all(
        is_uri(d.get("ref")) and is_moment(d.get("when")) for d in x.findall("at:deleted-entry", NS)
    ) and len(x.findall("at:deleted-entry", NS)) == 1,
}  # fmt: skip

JSON_FEED: Rules = {
    "is version 1.1": lambda d: d["version"] == "https://jsonfeed.org/version/1.1",
    "a title": lambda d: is_plain(d["title"]),
    "addresses of page and feed": lambda d: is_ours(d["home_page_url"]) and is_ours(d["feed_url"]),
    "a language": lambda d: is_language(d["language"]) and all(is_language(i["language"]) for i in d["items"]),
    "identities are texts and differ": lambda d: (
        all(isinstance(i["id"], str) for i in d["items"]) and different([i["id"] for i in d["items"]])
    ),
    "content in one of two ways": lambda d: all("content_html" in i or i.get("content_text") for i in d["items"]),
    "content that is safe": lambda d: all(is_safe_html(i["content_html"]) for i in d["items"] if "content_html" in i),
    "addresses": lambda d: all(
        is_ours(i["url"]) and is_address(i.get("external_url", SITE)) and is_ours(i.get("image", f"{SITE}/"))
        for i in d["items"]
    ),
    "moments": lambda d: all(is_moment(i["date_published"]) and is_moment(i["date_modified"]) for i in d["items"]),
    "authors have names, and none is alone (as in 1.0)": lambda d: all(
        "author" not in i and all(a["name"] and is_ours(a["url"]) for a in i.get("authors", [])) for i in d["items"]
    ),
    "tags are texts": lambda d: all(isinstance(t, str) for i in d["items"] for t in i.get("tags", [])),
}  # fmt: skip

SITEMAP: Rules = {
    "in the namespace": lambda x: x.tag in (f"{{{NS['s']}}}urlset", f"{{{NS['s']}}}sitemapindex"),
    "at most 50,000": lambda x: 0 < len(x) <= 50_000,
    "addresses, ours, not too long, each once": lambda x: (
        all_text(x, "s:loc", lambda t: is_ours(t) and len(str(t)) < 2_048)
        and different([u.findtext("s:loc", "", NS) for u in x])
    ),
    "moments": lambda x: all_text(x, "s:lastmod", is_moment),
}  # fmt: skip

NEWS: Rules = SITEMAP | {
    "at most 1,000": lambda x: len(x) <= 1_000,
    "each is news, once": lambda x: all(one(u, "s:loc", "news:news") for u in x),
    "with name, language, date and title": lambda x: all(
        one(n, "news:publication/news:name", "news:publication/news:language", "news:publication_date", "news:title")
        for n in x.iterfind(".//news:news", NS)
    ),
    "a language of two or three letters": lambda x: all_text(
        x, "news:language", lambda t: bool(re.fullmatch("[a-z]{2,3}|zh-cn|zh-tw", t or ""))
    ),
    "of the last two days": lambda x: all_text(
        x, "news:publication_date",
        lambda t: is_moment(t) and (timezone.now() - datetime.fromisoformat(str(t))).days < 2,
    ),
    "nothing Google has given up": lambda x: not x.xpath("//*[local-name() = 'genres' or local-name() = 'access']"),
}  # fmt: skip

STRUCTURED: Rules = {
    "is a news article of schema.org": lambda d: (d["@context"], d["@type"]) == ("https://schema.org", "NewsArticle"),
    "headline": lambda d: is_plain(d["headline"]),
    "dates with zones": lambda d: is_moment(d["datePublished"]) and is_moment(d["dateModified"]),
    "changed after it was published": lambda d: d["dateModified"] >= d["datePublished"],
    "each author with type, name alone and address": lambda d: all(
        a["@type"] in ("Person", "Organization") and is_plain(a["name"]) and is_ours(a["url"])
        and not re.match(r"(?i)by ", a["name"]) for a in d["author"]
    ),
    "pictures that can be fetched": lambda d: all(
        is_ours(i["url"]) and i["width"] and i["height"] and i["creditText"] for i in d["image"]
    ),
    "a publisher": lambda d: d["publisher"]["name"] == settings.SITE_NAME and is_ours(d["publisher"]["url"]),
    "a page": lambda d: is_ours(d["mainEntityOfPage"]),
    "a language": lambda d: is_language(d["inLanguage"]),
    "where it comes from": lambda d: is_address(d["isBasedOn"]),
}  # fmt: skip

CARDS: Rules = {
    "Open Graph's four": lambda d: all(d[f"og:{name}"] for name in ("title", "type", "image", "url")),
    "a type it knows": lambda d: d["og:type"] in ("article", "website", "profile"),
    "addresses": lambda d: is_ours(d["og:url"]) and is_ours(d["og:image"]),
    "the picture's size and words": lambda d: (
        int(d["og:image:width"]) >= 200 and int(d["og:image:height"]) >= 200 and d["og:image:alt"]
    ),
    "a site": lambda d: d["og:site_name"] == settings.SITE_NAME,
    "a card Twitter knows": lambda d: d["twitter:card"] in ("summary", "summary_large_image"),
    "no place in its language": lambda d: re.fullmatch("[a-z]{2}_[A-Z]{2}", d.get("og:locale", "en_GB")),
    "moments": lambda d: is_moment(d.get("article:published_time", "2026-01-01T00:00:00Z")),
}  # fmt: skip

OEMBED: Rules = {
    "version and type": lambda d: d["version"] == "1.0" and d["type"] in ("link", "rich", "photo", "video"),
    "names and addresses": lambda d: all(
        is_plain(d[f"{who}_name"]) and is_ours(d[f"{who}_url"]) for who in ("author", "provider")
    ),
    "a thumbnail's three, or none": lambda d: (
        is_ours(d["thumbnail_url"]) and all(isinstance(d[f"thumbnail_{n}"], int) for n in ("width", "height"))
    ),
    "how long it may be kept": lambda d: int(d["cache_age"]) >= 0,
}  # fmt: skip

OPML: Rules = {
    "is version 2.0": lambda x: x.tag == "opml" and x.get("version") == "2.0",
    "a head and a body": lambda x: one(x, "head", "body") and is_plain(x.findtext("head/title")),
    "outlines with texts": lambda x: len(x.find("body")) > 0 and all(o.get("text") for o in x.iter("outline")),
    "feeds with addresses": lambda x: all(
        o.get("type") == "rss" and is_ours(o.get("xmlUrl")) and is_address(o.get("htmlUrl")) for o in x.iter("outline")
    ),
}  # fmt: skip

NINJS: Rules = {
    "names its standard": lambda d: d["standard"]["name"] == "ninjs" and d["standard"]["version"] == "2.1",
    "an identity": lambda d: is_uri(d["uri"]),
    "words of the standard": lambda d: (
        d["type"] in ("text", "audio", "video", "picture", "graphic", "composite", "component")
        and d["representationType"] in ("complete", "incomplete", "associated")
        and d["pubStatus"] in ("usable", "withheld", "canceled")
    ),
    "texts where texts are asked": lambda d: all(isinstance(d[n], str) for n in ("version", "language")),
    "moments": lambda d: is_moment(d["firstCreated"]) and is_moment(d["versionCreated"]),
    "headlines and bodies have values": lambda d: all(h["value"] for h in d["headlines"] + d["bodies"]),
    "bodies say what they are": lambda d: all(b["contentType"] in ("text/html", "text/plain") for b in d["bodies"]),
    "names and roles": lambda d: all(p["name"] and p["role"] for p in d["people"]),
    "identities of what it is about": lambda d: all(is_ours(s["uri"]) and s["name"] for s in d["subjects"]),
}  # fmt: skip


# --- the test ---------------------------------------------------------------------------------


@pytest.fixture
def edition(somewhere_everywhere: Article) -> Article:
    """Besides an article with everything: an excerpt in a language with its region, and one that is gone."""
    ArticleFactory(
        language="de-AT", headline="A & B mit „Zeichen“", slug="größe-ändern", tags=["Öl & Gas"],
        source=SourceFactory(usage="excerpt", slug="blätter", language="de"),
    )  # fmt: skip
    ArticleFactory(source=SourceFactory(usage="headline"))
    HoldFactory()
    return somewhere_everywhere


def documents(client: Any, article: Article) -> Iterator[tuple[str, str, Rules, Any]]:
    """Each document: its address, its media type, its rules and what is in it."""
    page = article.get_absolute_url()
    asked = f"/oembed?url={SITE}{page}"
    feed = "/feeds/latest"
    for path, kind, rules in (
        (f"{feed}.rss", "application/rss+xml", RSS),
        ("/tags/öl-gas/feed.rss", "application/rss+xml", RSS),
        (f"{feed}.atom", "application/atom+xml", ATOM),
        (f"{feed}.json", "application/feed+json", JSON_FEED),
        ("/sitemap.xml", "application/xml", SITEMAP),
        ("/sitemaps/pages.xml", "application/xml", SITEMAP),
        ("/sitemaps/0.xml", "application/xml", SITEMAP),
        ("/news-sitemap.xml", "application/xml", NEWS),
        (asked, "application/json", OEMBED),
        (f"{asked}&format=xml", "text/xml", {"is oEmbed": lambda x: x.tag == "oembed" and one(x, "version", "type")}),
        ("/sources.opml", "text/x-opml", OPML),
        (f"/api/articles/{article.key}/ninjs", "application/json", NINJS),
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"].partition(";")[0] == kind, path
        read = json.loads if kind.endswith("json") else etree.fromstring
        yield path, kind, rules, read(answer.content)
    for path in (page, "/", "/tags/climate/"):
        head = html.fromstring(client.get(path).content.decode()).find("head")
        told = {m.get("property") or m.get("name"): m.get("content") for m in head.iter("meta")}
        yield path, "cards", CARDS, told
        for block in head.xpath("script[@type='application/ld+json']"):
            yield path, "structured data", STRUCTURED, json.loads(block.text)


def test_every_format_keeps_the_rules_that_its_validators_check(client, edition):
    broken = []
    for path, kind, rules, document in documents(client, edition):
        for name, rule in rules.items():
            try:
                kept = rule(document)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                kept = False
                name += f" ({error!r})"
            if not kept:
                broken.append(f"{path} ({kind}): {name}")

    assert broken == []

"""Every dialect of feed is read, with everyone it credits and all it says of terms."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from aggregator.documents import Category, Credit, Enclosure, Origin, Picture
from aggregator.parse import NotAFeed, parse
from tests.aggregator import corpus
from tests.aggregator.conftest import item, rss

# A program cut the description in the middle of a letter.
CUT_BY_BYTES = rss(item(1, title="Café", description="Für ein Ä|")).replace("Ä|".encode(), b"\xc3")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_an_rss_2_channel_says_what_it_is_and_how_often_to_come() -> None:
    feed = parse(corpus.RSS_2)

    assert (feed.format, feed.title, feed.link) == ("RSS 2.0", "The Harbour Post", "https://harbour.example/")
    assert (feed.language, feed.rights, feed.generator) == ("en-GB", "© The Harbour Post", "Quayside 3")
    assert feed.credits == (Credit("Ines Cole", "editor", "desk@harbour.example"),)
    assert feed.updated == utc(2026, 3, 2, 9)
    assert (feed.ttl_minutes, feed.update_seconds) == (45, 1800)
    assert (feed.skip_hours, feed.skip_days) == ((0, 1), ("sunday",))
    assert (feed.self_link, feed.hubs) == ("https://harbour.example/rss", ("https://hub.example/",))
    assert feed.picture == Picture("https://harbour.example/logo.png")
    assert not feed.repaired


def test_an_rss_2_item_keeps_every_credit_and_every_term() -> None:
    entry = parse(corpus.RSS_2).entries[0]

    assert entry.title == "Ferry & pilot boat collide off Skerry Point"
    assert (entry.id, entry.link) == ("hp-1001", "https://harbour.example/go?u=1")
    assert entry.original_link == "https://harbour.example/2026/ferry"
    assert entry.published == utc(2026, 3, 2, 7, 30)
    assert entry.credits == (
        Credit("Rosa Lind", "author", "rosa@harbour.example"),
        Credit("Tom Oyelaran"),
        Credit("Mei Tan"),
        Credit("Uwe Brandt", "contributor"),
        Credit("Ola Venn", "photographer"),
    )
    assert entry.categories == (Category("Shipping", "https://harbour.example/desks"), Category("Accidents"))
    assert entry.summary == "Nobody was hurt when two boats met in fog."
    assert entry.content.startswith("<p>Nobody was hurt &mdash;")
    assert entry.source == Origin("Coast Wire", "https://wire.example/rss")
    assert entry.rights == "Syndication with credit"
    assert entry.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert entry.language == "en-GB"
    assert Enclosure("https://harbour.example/report.mp3", "audio/mpeg", 4711) in entry.enclosures
    assert entry.picture == Picture(
        "https://img.harbour.example/large.jpg",
        1280,
        800,
        "",
        "Photograph: Ola Venn",
        "The ferry Kittiwake in dock",
        "https://img.harbour.example/terms",
        holder="Harbour Pictures",
    )


def test_a_guid_that_is_an_address_is_the_link_and_a_pixel_is_no_picture() -> None:
    entry = parse(corpus.RSS_2, url="https://harbour.example/rss").entries[1]

    assert entry.link == "https://harbour.example/2026/second"
    assert entry.published == utc(2026, 3, 1, 10)
    assert entry.picture == Picture("https://harbour.example/pier.jpg", caption="The pier", alt="The pier")


def test_rss_1_and_dublin_core_are_read() -> None:
    feed = parse(corpus.RSS_1)
    entry = feed.entries[0]

    assert (feed.format, feed.language, feed.rights) == ("RSS 1.0", "de", "Verlag Aktenlage")
    assert (entry.id, entry.link, entry.language) == (
        "https://akten.example/1",
        "https://akten.example/1",
        "de",
    )
    assert entry.credits == (Credit("Jörg Öztürk"), Credit("Änne Groß", "contributor"))
    assert [category.term for category in entry.categories] == ["Kommunales", "Haushalt"]
    assert entry.licence == "https://creativecommons.org/licenses/by-sa/4.0/"


@pytest.mark.parametrize(
    ("data", "name", "titles"),
    [
        (corpus.RSS_090, "RSS 0.90", ["Low water", "High water"]),
        (corpus.RSS_091, "RSS 0.91", ["La tempête sévit"]),
        (corpus.RSS_092, "RSS 0.92", ["", "Linked"]),
        (corpus.RSS_092.replace(b'"0.92"', b'"0.93"'), "RSS 0.93", ["", "Linked"]),
        (corpus.RSS_092.replace(b'"0.92"', b'"0.94"'), "RSS 0.94", ["", "Linked"]),
        (corpus.ATOM_03, "Atom 0.3", ["Rock & Roll"]),
        (corpus.ATOM_ENTRY, "Atom 1.0", ["Alone"]),
    ],
)
def test_older_dialects_are_read(data: bytes, name: str, titles: list[str]) -> None:
    feed = parse(data)

    assert feed.format == name
    assert [entry.title for entry in feed.entries] == titles
    assert not feed.repaired


def test_names_of_html_in_a_document_with_a_document_type_become_characters() -> None:
    assert parse(corpus.RSS_091).entries[0].summary == "Vents à 120 km/h"


def test_an_atom_feed_is_read_with_bases_types_and_languages() -> None:
    feed = parse(corpus.ATOM_1, url="https://elsewhere.example/")
    entry, second = feed.entries

    assert (feed.title, feed.description, feed.link) == (
        'El "Faro"',
        "Noticias <locales>",
        "https://faro.example/",
    )
    assert feed.self_link == "https://faro.example/blog/atom.xml"
    assert feed.hubs == ("https://hub.example/",)
    assert entry.title == "Dos < tres"
    assert entry.link == "https://faro.example/blog/2026/uno"
    assert (entry.published, entry.updated) == (utc(2026, 3, 1, 2, 30), utc(2026, 3, 1, 8))
    assert entry.credits == (
        Credit("Lucía Paz", "author", "lucia@faro.example", "https://faro.example/lucia"),
        Credit("Iván Sol"),
        Credit("Nora Vega", "contributor"),
    )
    assert entry.categories == (Category("puerto", "https://faro.example/temas", "El puerto"),)
    assert entry.summary == "Resumen &amp; más"
    assert "<p>Un <b>texto</b> &amp; su <img" in entry.content
    assert entry.base == "https://faro.example/blog/fotos/"
    assert entry.source == Origin("Agencia Sur", "https://sur.example/")
    assert entry.licence == "https://creativecommons.org/licenses/by-nd/4.0/"
    assert entry.enclosures == (Enclosure("https://faro.example/blog/audio.mp3", "audio/mpeg", 12),)
    assert (entry.language, second.language) == ("es", "en")
    assert (second.title, second.link) == ("A second one", "https://faro.example/blog/dos")


def test_a_json_feed_is_read() -> None:
    feed = parse(corpus.JSON_11, content_type="application/feed+json")
    entry, second = feed.entries

    assert (feed.format, feed.title, feed.hubs) == ("JSON Feed 1.1", "Tagesblick", ("https://hub.example/",))
    assert (entry.id, entry.link, entry.title) == ("7", "https://blick.example/sieben", "Sieben Gründe")
    assert entry.summary == "A &lt; B"
    assert entry.published == utc(2026, 2, 3, 3, 5, 6)
    assert entry.credits == (Credit("Anna Berg", url="https://blick.example/anna"), Credit("Emil Tal"))
    assert entry.categories == (Category("Wien"),)
    assert entry.picture == Picture("https://blick.example/bild.jpg")
    assert entry.language == "de-AT"
    assert second.content == "<p>Eins &amp; zwei</p><p>drei</p>"
    assert second.credits == (Credit("Old Style"),)


def test_a_podcast_is_read_and_the_outlet_is_not_made_an_author() -> None:
    feed = parse(corpus.PODCAST)
    entry = feed.entries[0]

    assert feed.moved_to == "https://boat.example/new.rss"
    assert entry.credits == (Credit("Vera Holm"),)
    assert entry.published == utc(2026, 2, 3, 15)
    assert [category.term for category in entry.categories] == ["fog", "sea"]
    assert entry.picture == Picture("https://boat.example/1.jpg")


def test_relative_links_are_made_absolute_and_scripts_are_no_links() -> None:
    near, far, script = parse(corpus.RELATIVE).entries

    assert (near.link, far.link) == ("https://near.example/a/b", "https://far.example/x/c")
    assert (script.link, script.id) == ("", "s")


@pytest.mark.parametrize(
    ("written", "credit"),
    [
        ("ann@paper.example (Ann Ray)", Credit("Ann Ray", email="ann@paper.example")),
        ("Ann Ray <ann@paper.example>", Credit("Ann Ray", email="ann@paper.example")),
        ("Ann Ray (ann@paper.example)", Credit("Ann Ray", email="ann@paper.example")),
        ("mailto:ann@paper.example Ann Ray", Credit("Ann Ray", email="ann@paper.example")),
        ("ann@paper.example", Credit("", email="ann@paper.example")),
        ("Ann Ray (Berlin)", Credit("Ann Ray (Berlin)")),
        ("O&amp;#8217;Neil, Ann", Credit("O’Neil, Ann")),
    ],
)
def test_an_author_is_taken_apart(written: str, credit: Credit) -> None:
    written = written.replace("<", "&lt;").replace(">", "&gt;")
    data = f"<rss><channel><item><title>t</title><author>{written}</author></item></channel></rss>"

    assert parse(data.encode()).entries[0].credits == (credit,)


@pytest.mark.parametrize(
    ("data", "content_type", "title"),
    [
        (corpus.UTF16, "", "Der Rat hat getagt"),
        (corpus.UTF8_CALLED_UTF16, "", "Der Rat hat getagt"),
        (corpus.UTF8_CALLED_LATIN1, "text/xml; charset=iso-8859-1", "Der Rat hat getagt"),
        (corpus.WINDOWS, "", "“Smart” – 5 €"),
        (corpus.WINDOWS.replace(b" encoding='iso-8859-1'", b""), "", "“Smart” – 5 €"),
        (corpus.KOI8, "", "Новости порта"),
        (corpus.KOI8.replace(b" encoding='koi8-r'", b""), "text/xml; charset=koi8-r", "Новости порта"),
        (corpus.SHIFT_JIS, "", "朝の便り"),
        (b"\xef\xbb\xbf" + corpus.RSS_1, "", "Der Rat hat getagt"),
        (gzip.compress(corpus.RSS_1, mtime=0), "application/octet-stream", "Der Rat hat getagt"),
        (corpus.RSS_1.replace(b"utf-8", b"klingon"), "text/html", "Der Rat hat getagt"),
        (CUT_BY_BYTES, "text/xml; charset=utf-8", "Café"),
    ],
)
def test_a_feed_is_read_in_its_true_encoding_whatever_it_claims(
    data: bytes, content_type: str, title: str
) -> None:
    assert parse(data, content_type=content_type).entries[0].title == title


def test_rss_1_1_has_its_items_in_a_list() -> None:
    one = b'<Channel xmlns="http://purl.org/net/rss1.1#"><title>T</title><items><item><title>a</title></item></items></Channel>'

    assert [entry.title for entry in parse(one).entries] == ["a"]


def test_an_ill_formed_feed_is_mended_and_says_so() -> None:
    feed = parse(corpus.SOUP)
    first, second = feed.entries

    assert feed.repaired
    assert (feed.title, feed.link) == ("Soup & Bread", "https://soup.example/?a=1&b=2")
    assert first.title == "Café & bar ’n’ grill"
    assert first.link == "https://soup.example/1?x=1&y=2"
    assert first.credits == (Credit("Jo Stew"),)
    assert first.published == utc(2026, 2, 3, 10)
    assert first.summary == "<p>Line<br>break & <b>bold</p>"
    assert second.title.startswith("Bad")
    assert "and" in second.title
    assert second.summary.startswith("Inside &eacute; <br>")


def test_values_without_quotation_marks_and_characters_by_windows_own_number_are_read() -> None:
    text = rss('<item><title>it&#146;s &#x96; ok</title><guid isPermaLink=false>a=b "c"</guid></item>')
    feed = parse(text.replace(b'version="2.0"', b"version=2.0"))

    assert feed.repaired
    assert (feed.format, feed.entries[0].title, feed.entries[0].id) == ("RSS 2.0", "it’s – ok", 'a=b "c"')
    assert parse(rss(item(1, title="it&#146;s"))).entries[0].title == "it’s"


def test_a_feed_cut_short_gives_what_came() -> None:
    feed = parse(corpus.CUT_SHORT)

    assert feed.repaired
    assert [entry.id for entry in feed.entries] == ["hp-1001"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\0", "empty"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "web page"),
        (b"\n<!-- x --><HTML><p>hello", "web page"),
        (b"{}", "no JSON Feed"),
        (b"[1, 2]", "no JSON Feed"),
        (b'{"items": ', "cannot be read"),
        (b"Hello there", "no feed"),
        (b"<catalog><book/></catalog>", "<catalog>"),
        (b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'/>", "sitemap"),
        (b"<opml version='1.0'><body/></opml>", "list of addresses"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "no feed"),
        (b"\x1f\x8b\x08broken", "damaged"),
        (b"<rss><channel>" + b"<a>" * 5_000, "damaged, and no entry"),
        (rss(item(1))[:150], "damaged, and no entry"),
    ],
)
def test_what_is_no_feed_is_told_in_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(NotAFeed, match=reason) as told:
        parse(data)

    assert str(told.value).endswith(".")


def test_a_json_feed_s_picture_has_the_words_of_its_figure() -> None:
    content = (
        '<p>Fog.</p><figure><img src="/big.jpg" alt="A ferry at a quay">'
        "<figcaption>The Kittiwake in dock. Photo: Ola Venn</figcaption></figure>"
    )
    item = {"id": "1", "url": "https://harbour.example/1", "image": "https://harbour.example/big.jpg"}
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Harbour",
        "items": [{**item, "content_html": content}],
    }

    picture = parse(json.dumps(feed).encode(), url="https://harbour.example/feed.json").entries[0].picture

    assert picture == Picture(
        "https://harbour.example/big.jpg",
        alt="A ferry at a quay",
        caption="The Kittiwake in dock. Photo: Ola Venn",
        credit="Photo: Ola Venn",
    )

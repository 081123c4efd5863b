"""Documents made to harm cost a bounded time and end in a feed or a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.documents import Entry, FeedDocument
from aggregator.formats import caps
from aggregator.parse import NotAFeed, parse
from aggregator.sandbox import TOO_COSTLY, Sandbox
from tests.aggregator import corpus
from tests.counted import calls

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + ']><rss version="2.0"><channel><title>&j;</title><item><title>x &j; &eacute;</title></item></channel></rss>'
).encode()
OUTSIDE_FILE = b"""<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">
<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>
<rss><channel><title>&f;</title><item><title>a&f;b</title></item></channel></rss>"""


def rss(inside: str) -> bytes:
    return f'<rss version="2.0"><channel><title>t</title>{inside}</channel></rss>'.encode()


HOSTILE = {
    "laughs": LAUGHS,
    "outside file": OUTSIDE_FILE,
    "quadratic entity": b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 50_000 + b'">]><rss><channel><title>'
    + b"&a;" * 50_000 + b"</title></channel></rss>",
    "attributes": b"<rss " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"><channel/></rss>",
    "namespaces": b"<rss " + b" ".join(b'xmlns:a%d="u%d"' % (n, n) for n in range(20_000)) + b"><channel/></rss>",
    "items": rss("<item><title>x</title></item>" * 60_000),
    "categories": rss("<item>" + "<category>c</category>" * 40_000 + "</item>"),
    "authors": rss("<item>" + "".join(f"<author>{n}</author>" for n in range(40_000)) + "</item>"),
    "one author": rss("<item><author>" + "a@" * 100_000 + "</author></item>"),
    "brackets": rss("<item><author>" + "(" * 100_000 + "a@b.example</author></item>"),
    "deep": rss("<item><description>" + "<b>" * 100_000 + "</description></item>"),
    "deep media": rss("<item>" + "<media:group>" * 50_000 + "</item>"),
    "opened tags": rss("<item><title>" + "&lt;a" * 100_000 + "</title></item>"),
    "opened scripts": rss("<item><title>" + "&lt;script>" * 70_000 + "</title></item>"),
    "opened titles": rss("<title>" * 100_000),
    "opened cdata": rss("<![CDATA[" * 100_000),
    "ampersands": rss("&" * 500_000),
    "comments": b"<!--" * 100_000,
    "doctypes": b"<!DOCTYPE rss [" + b"]" * 400_000,
    "instructions": b"<?" * 200_000 + b"<rss>",
    "spaces": b" " * 1_000_000,
    "pictures": rss("<item><description>" + "&lt;img " * 100_000 + "</description></item>"),
    "long date": rss("<item><pubDate>" + "1 " * 200_000 + "</pubDate></item>"),
    "deep json": b'{"items": ' + b"[" * 600_000,
    "long number": b'{"items": [{"id": ' + b"9" * 500_000 + b"}]}",
    "many tags": json.dumps({"items": [{"id": "1", "tags": ["t"] * 200_000}]}).encode(),
    "nothing but nul": b"\0" * 400_000,
}  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    one = Sandbox(children=1)
    yield one
    one.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_keeps_within_the_limits_of_the_child_that_reads_it(
    name: str, box: Sandbox
) -> None:
    try:
        found: FeedDocument | str = box.parse(HOSTILE[name])
    except NotAFeed as reason:
        found = str(reason)

    assert found != TOO_COSTLY if isinstance(found, str) else within_caps(found)


def test_work_grows_with_length_and_no_faster() -> None:
    def work(times: int) -> int:
        item = "<item><title>a & b</title><description><p>x<br>&nbsp;y</description></item>"
        document = rss(item * times)
        return calls(lambda: parse(document))

    work(10)

    assert work(400) < work(50) * 8 * 1.2


def test_entities_are_never_expanded_and_no_file_is_read() -> None:
    for data in (LAUGHS, OUTSIDE_FILE):
        feed = parse(data)
        assert "root:" not in repr(feed)
        assert "hahaha" not in repr(feed)


def test_a_document_beyond_the_limit_is_refused() -> None:
    with pytest.raises(NotAFeed, match="larger than 8 MiB"):
        parse(b"<rss>" + b" " * caps.BYTES)


def test_entries_beyond_the_limit_are_left_out_and_that_is_told() -> None:
    feed = parse(rss("<item><title>x</title></item>" * 501))

    assert len(feed.entries) == 500
    assert feed.cut_off


def test_short_fields_hold_neither_tags_nor_control_characters() -> None:
    data = rss(
        "<item><title>a&amp;lt;b&amp;gt; &lt;script&gt;alert(1)&lt;/script&gt;&lt;b onclick=x&gt;c\u0085\u200f"
        "&amp;#0;&amp;#x1;&amp;#xD800;</title><dc:creator>&lt;img src=x onerror=y&gt;Bo</dc:creator></item>"
    )
    entry = parse(data).entries[0]

    # Unescaped once: what was escaped twice is text that looks like a tag, and is escaped on output.
    assert entry.title == "a<b> c\u200f\ufffd\ufffd"
    assert [credit.name for credit in entry.credits] == ["Bo"]


def within_caps(feed: FeedDocument) -> bool:
    feed.__repr__().encode("utf-8")
    return len(feed.entries) <= caps.ENTRIES and all(is_storable(entry) for entry in feed.entries)


def is_storable(entry: Entry) -> bool:
    """Short enough, and of characters that a database takes."""
    texts = [entry.id, entry.link, entry.title, entry.summary, entry.content, entry.rights, entry.licence]
    texts += [part for credit in entry.credits for part in (credit.name, credit.email, credit.url)]
    texts += [
        part for category in entry.categories for part in (category.term, category.scheme, category.label)
    ]
    "".join(texts).encode("utf-8")
    return (
        not any("\0" in text for text in texts)
        and len(entry.title) <= caps.TITLE
        and len(entry.content) <= caps.MARKUP
        and len(entry.credits) <= caps.CREDITS
        and len(entry.categories) <= caps.CATEGORIES
        and (not entry.link or entry.link.startswith(("http://", "https://")))
    )


PIECES = st.sampled_from(
    [b"<rss>", b"<channel>", b"<item>", b"</item>", b"<title>", b"</title>", b"<description>", b"</description>",
     b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml version='1.0' encoding='utf-16'?>", b"<!DOCTYPE rss [", b"]>",
     b"&amp;", b"&#0;", b"&#xD800;", b"&eacute;", b"&", b"<", b">", b"<feed xmlns='http://www.w3.org/2005/Atom'>",
     b"<entry>", b"<link href='//[x'/>", b"<link>http://[::1</link>", b"<pubDate>31 Feb 99999</pubDate>", b"\xff",
     b"<author>a@b.example (", b"</author>", b"<media:content url='x'>", b"<content type='xhtml'>", b"<p>", b"\0",
     b"<guid>1</guid>", b"xml:base='http://['", b"<category domain='x'>", b"<itunes:image href=''/>"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES | st.binary(max_size=8), max_size=60).map(b"".join))
def test_no_bytes_make_the_parser_fail_otherwise_than_it_says(data: bytes) -> None:
    for document in (data, b"<rss><channel>" + data, b"<feed xmlns='http://www.w3.org/2005/Atom'>" + data):
        try:
            feed = parse(document, url="https://a.example/")
        except NotAFeed:
            continue
        assert within_caps(feed)


@settings(max_examples=75, deadline=None)
@given(st.sampled_from([*corpus.WELL_FORMED.values(), *corpus.ILL_FORMED.values()]), st.data())
def test_a_real_shape_with_bytes_changed_or_cut_out_is_survived(data: bytes, draw: st.DataObject) -> None:
    start = draw.draw(st.integers(0, len(data)))
    end = min(len(data), start + draw.draw(st.integers(0, 40)))
    broken = data[:start] + draw.draw(st.binary(max_size=10)) + data[end:]
    try:
        feed = parse(broken)
    except NotAFeed:
        return
    assert within_caps(feed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
        ["id", "url", "title", "content_html", "authors", "author", "name", "tags", "date_published", "attachments"]
    ), inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=75, deadline=None)
@given(st.lists(JSON, max_size=5))
def test_a_json_feed_with_values_of_any_kind_is_survived(items: list[object]) -> None:
    assert within_caps(parse(json.dumps({"version": 1, "items": items}).encode()))

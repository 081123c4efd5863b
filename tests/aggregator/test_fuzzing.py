"""Whatever bytes a server sends, reading them ends in a document or in words that say why not."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator import normalise
from aggregator.documents import FeedDocument
from aggregator.parse import NotAFeed, parse
from tests.aggregator import corpus
from tests.aggregator.conftest import NOON

SHAPES = [value for value in vars(corpus).values() if isinstance(value, bytes) and len(value) < 20_000]
PIECES = [
    b"<item>", b"</item>", b"<entry>", b"</entry>", b"<title>", b"]]>", b"<![CDATA[", b"&", b"&#0;", b"&#xD800;",
    b"&nbsp;", b"\x00", b"\xff\xfe", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"<?xml version='1.0'?>",
    b"<dc:creator>",
    b" xmlns:dc='x'", b"<pubDate>Mon, 99 Foo 0000</pubDate>", b"<link href='javascript:1'/>",
    b'{"items":[{"id":null}]}',
    b"<content:encoded>", b"<p><table></p>", b"\xc3", b"<media:content url='::'/>", b"<a:author/>", b"-->", b"<!--",
]  # fmt: skip
OUTLET = normalise.Outlet("outlet", "Outlet", "outlet.example")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real shape with pieces put in, cut out and turned round."""
    data = draw(st.sampled_from(SHAPES))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(data)))
        end = place + draw(st.integers(0, 60))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)))
        data = data[:place] + piece + data[draw(st.sampled_from([place, end])) :]
    return data


def read(data: bytes, content_type: str) -> tuple[FeedDocument | None, str]:
    try:
        return parse(data, content_type=content_type, url="https://outlet.example/feed"), ""
    except NotAFeed as reason:
        return None, str(reason)


@settings(max_examples=150, deadline=None, derandomize=False, suppress_health_check=[HealthCheck.too_slow])
@given(
    damaged(),
    st.sampled_from(["", "text/xml; charset=utf-16", "application/json", "text/xml; charset=nonsense"]),
)
def test_any_bytes_become_a_document_or_a_sentence(data: bytes, content_type: str) -> None:
    document, said = read(data, content_type)
    assert said.endswith(".") if document is None else not said
    if document is None:
        return
    for offer in normalise.offers(document, domain="outlet.example"):
        made = normalise.draft(offer, document, OUTLET, at=NOON)
        if made:
            assert "\x00" not in f"{made.headline}{made.standfirst}{made.body}{made.byline}"
            assert made.canonical_url.startswith(("http://", "https://"))
            assert "<script" not in made.body

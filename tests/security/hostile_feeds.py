"""The vectors as feeds of four formats, with one in every place where a feed can say something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

BENIGN = '<p>Kept word <em>of weight</em> and <a href="https://kept.example/page">a link</a>.</p>'
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'


@dataclass(frozen=True)
class Entry:
    """One entry: a few vectors for its short fields, many for its text."""

    number: int
    short: list[str]
    many: list[str]

    @property
    def title(self) -> str:
        return f"Report {self.number} of the harbour {' '.join(self.short)}"

    @property
    def link(self) -> str:
        return f"https://hostile.example/{self.number}?a={self.short[0]}"

    @property
    def text(self) -> str:
        unlike = " ".join(f"word{self.number}x{place}" for place in range(12))
        return BENIGN + f"<p>{unlike}</p>" + "".join(f"<div>{vector}</div>" for vector in self.many)


def entries(vectors: list[str], share: int, shares: int, count: int) -> Iterator[Entry]:
    """`count` entries for one format of `shares`; over all formats every vector has its turn in a short field."""
    each = -(-len(vectors) // (count * shares))
    ring = vectors * 2
    for number in range(count):
        first = (share * count + number) * each % len(vectors)
        begin = number * len(vectors) // count
        yield Entry(
            share * 1000 + number, ring[first : first + each], ring[begin : begin + len(vectors) // count + 1]
        )


def rss(found: list[Entry], vector: str) -> bytes:
    return (
        f'<?xml version="1.0"?><rss version="2.0" {DC} {MEDIA}><channel><title>{escape("Salt " + vector)}</title>'
        f"<link>https://hostile.example/</link><language>en</language><copyright>{escape(vector)}</copyright>"
        + "".join(map(_rss_item, found))
        + "</channel></rss>"
    ).encode()


def _rss_item(entry: Entry) -> str:
    first_address = quoteattr(f"https://hostile.example/p.jpg?{entry.short[0]}")
    first, last = escape(entry.short[0]), escape(entry.short[-1])
    return (
        f"<item><title>{escape(entry.title)}</title><link>{escape(entry.link)}</link>"
        f"<guid isPermaLink='false'>{entry.number}{first}</guid><dc:creator>Ann {first}</dc:creator>"
        f"<author>{last} (Bo {last})</author><category domain={quoteattr(entry.short[0])}>{last}</category>"
        f"<source url={first_address}>{first}</source><dc:rights>{last}</dc:rights>"
        f"<dc:language>{last}</dc:language><comments>{last}</comments>"
        f"<enclosure url={first_address} type={quoteattr(entry.short[-1])} length='9'/>"
        f"<media:content url={quoteattr('https://hostile.example/q.jpg?' + entry.short[0])} medium='image'>"
        f"<media:title>{first}</media:title><media:credit>{last}</media:credit>"
        f"<media:description>{first}</media:description></media:content>"
        f"<description>{escape(entry.text[:3000])}</description>"
        f"<content:encoded>{escape(entry.text)}</content:encoded></item>"
    )  # fmt: skip


def atom(found: list[Entry], vector: str) -> bytes:
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">'
        f'<title type="html">{escape("Pepper " + vector)}</title><id>urn:x</id><link href="https://pepper.example/"/>'
        f"<rights>{escape(vector)}</rights>" + "".join(map(_atom_entry, found)) + "</feed>"
    ).encode()


def _atom_entry(entry: Entry) -> str:
    first, last = escape(entry.short[0]), escape(entry.short[-1])
    link = quoteattr(entry.link.replace("hostile", "pepper"))
    return (
        f'<entry xml:lang={quoteattr(entry.short[-1])}><title type="html">{escape(entry.title)}</title>'
        f"<link href={link} title={quoteattr(entry.short[0])}/><id>{entry.number}{first}</id>"
        f"<author><name>Cy {first}</name><uri>{last}</uri></author><category term={quoteattr(entry.short[-1])}"
        f" label={quoteattr(entry.short[0])}/><rights>{last}</rights>"
        f'<link rel="enclosure" href={quoteattr("https://pepper.example/p.jpg?" + entry.short[0])} type="image/jpeg"/>'
        f'<summary type="html">{escape(entry.text[:3000])}</summary>'
        f'<content type="html">{escape(entry.text)}</content></entry>'
    )


def json_feed(found: list[Entry], vector: str) -> bytes:
    items = [
        {
            "id": f"{entry.number}{entry.short[0]}",
            "url": entry.link.replace("hostile", "vinegar"),
            "title": entry.title,
            "content_html": entry.text,
            "summary": entry.text[:3000],
            "authors": [{"name": f"Di {entry.short[0]}", "url": entry.short[-1]}],
            "tags": entry.short,
            "language": entry.short[-1],
            "image": f"https://vinegar.example/p.jpg?{entry.short[0]}",
            "attachments": [
                {"url": f"https://vinegar.example/a?{entry.short[0]}", "mime_type": entry.short[-1]}
            ],
        }
        for entry in found
    ]
    head = {"version": "https://jsonfeed.org/version/1.1", "title": f"Vinegar {vector}", "language": "en",
            "home_page_url": "https://vinegar.example/"}  # fmt: skip
    return json.dumps({**head, "items": items}).encode()


def rdf(found: list[Entry], vector: str) -> bytes:
    return (
        f'<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" {DC}'
        f' xmlns="http://purl.org/rss/1.0/"><channel rdf:about="https://mustard.example/"><title>'
        f"{escape('Mustard ' + vector)}</title><link>https://mustard.example/</link><dc:publisher>{escape(vector)}</dc:publisher></channel>"
        + "".join(map(_rdf_item, found))
        + "</rdf:RDF>"
    ).encode()


def _rdf_item(entry: Entry) -> str:
    link, last = entry.link.replace("hostile", "mustard"), escape(entry.short[-1])
    return (
        f"<item rdf:about={quoteattr(link)}><title>{escape(entry.title)}</title><link>{escape(link)}</link>"
        f"<dc:creator>Ed {last}</dc:creator><dc:subject>{last}</dc:subject><dc:rights>{last}</dc:rights>"
        f"<description>{escape(entry.text[:3000])}</description>"
        f"<content:encoded>{escape(entry.text)}</content:encoded></item>"
    )


FORMATS = {"/hostile.rss": rss, "/hostile.atom": atom, "/hostile.json": json_feed, "/hostile.rdf": rdf}

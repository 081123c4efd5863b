# ruff: noqa: E501
"""How exactly titles and bylines are read: pages and feeds in the shapes that outlets use, each with what it says.

The shapes are those of structured data, meta elements, microdata, classes and plain lines as content systems
write them; names and texts are made up. Each lot after the first was written down after the rules and measured once
before these were changed for it (docs/performance.md has both figures); they are reported apart.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from bench.scratch import prepare, print_rows

PEOPLE = {
    "en": ("Ann Ó Briain", "Bo Li", "Cyrus Diaz", "Priya Raman", "J. T. Okafor", "Mary-Jane O’Neill", "Tom van der Berg"),
    "de": ("Jürgen Groß", "Anna-Lena Weiß", "Özlem Kaya", "Klaus von Dohlen", "Ruth Bäumer"),
    "fr": ("Élodie Lefèvre", "Jean-Luc d’Aubigny", "Aïcha Benali", "Noël Le Goff"),
    "es": ("José Ángel Núñez", "María del Carmen Ruiz", "Íñigo Etxeberria", "Lucía Peña"),
    "uk": ("Олена Ковальчук", "Тарас Шевчук", "Ірина Мельник"),
    "ar": ("ليلى حداد", "سامي الخطيب"),
}  # fmt: skip
AND = {"en": "and", "de": "und", "fr": "et", "es": "y", "uk": "та", "ar": "و"}
BY = {"en": "By", "de": "Von", "fr": "Par", "es": "Por", "uk": "Текст:", "ar": "بقلم"}
TITLES = (
    "Harbour & market: what Łódź’s “new” quay costs",
    "Sea wall fails at Port O’Hara, 1 < 2 metres high",
    "AT&T, Müller-Brandt and R&D: a merger explained",
    "Київ — Львів: нова лінія",
    "¿Quién paga? La factura de Ávila",
    "«C’est fini» : le maire d’Aÿ s’en va",
    "مرفأ جديد في الميناء",
    "東京で新しい橋",
)
OUTLET = "The Lesk Echo"
PARAGRAPHS = "".join(
    f"<p>{said} The council of the harbour town met again on Tuesday to hear what the quay would cost.</p>"
    for said in ("It was late.", "Nobody left.", "Twelve spoke.", "The vote was close.", "It ended at ten.", "All went home.")
)  # fmt: skip
VARIANTS = 24


class Case(NamedTuple):
    """A document, whom it names and what it is called."""

    shape: str
    language: str
    document: str
    people: tuple[str, ...]
    title: str


def joined(names: tuple[str, ...], language: str) -> str:
    last = f" {AND[language]} " if language != "ar" else " و "
    return last.join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def ld(**said: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(said, ensure_ascii=False)}</script>'


def people_of(names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"@type": "Person", "name": name, "url": "https://lesk.example/people/1"} for name in names]


def _graph(names: tuple[str, ...], _: str) -> tuple[str, str]:
    """Authors by reference into the graph, as one common plug-in writes them."""
    nodes = [
        {"@type": "Person", "@id": f"https://lesk.example/#/{n}", "name": name}
        for n, name in enumerate(names)
    ]
    article = {"@type": "NewsArticle", "author": [{"@id": node["@id"]} for node in nodes]}
    return ld(**{"@context": "https://schema.org", "@graph": [article, *nodes]}), ""


# By shape: what stands in the head, and above the text.
PAGES: dict[str, Callable[[tuple[str, ...], str], tuple[str, str]]] = {
    "json-ld person": lambda n, _: (ld(**{"@type": "NewsArticle", "author": people_of(n)}), ""),
    "json-ld strings": lambda n, _: (ld(**{"@type": "NewsArticle", "author": list(n)}), ""),
    "json-ld one name for all": lambda n, lang: (
        ld(**{"@type": "Article", "author": {"@type": "Person", "name": joined(n, lang)}}), ""),
    "json-ld list of types": lambda n, _: (ld(**{"@type": ["NewsArticle", "Thing"], "author": people_of(n)}), ""),
    "json-ld graph by reference": _graph,
    "json-ld outlet alone, names above the text": lambda n, lang: (
        ld(**{"@type": "NewsArticle", "author": {"@type": "Organization", "name": OUTLET}}),
        f'<p class="byline">{BY[lang]} {joined(n, lang)}</p>'),
    "meta author": lambda n, lang: (f'<meta name="author" content="{html.escape(joined(n, lang))}">', ""),
    "meta author, one element each": lambda n, _: (
        "".join(f'<meta name="author" content="{html.escape(one)}">' for one in n), ""),
    "meta author is the outlet": lambda n, lang: (
        f'<meta name="author" content="{OUTLET}">', f'<div class="byline">{BY[lang]} {joined(n, lang)}</div>'),
    "article:author": lambda n, _: (
        "".join(f'<meta property="article:author" content="{html.escape(one)}">' for one in n), ""),
    "citation_author": lambda n, _: (
        "".join(f'<meta name="citation_author" content="{html.escape(one)}">' for one in n), ""),
    "rel author": lambda n, lang: ("", f"<div>{BY[lang]} " + f" {AND[lang]} ".join(
        f'<a rel="author" href="/people/{i}">{one}</a>' for i, one in enumerate(n)) + "</div>"),
    "microdata": lambda n, _: ("", "".join(
        f'<span itemprop="author" itemscope><span itemprop="name">{one}</span>, reporter</span>' for one in n)),
    "byline class": lambda n, lang: ("", f'<p class="byline">{BY[lang]} {joined(n, lang)}</p>'),
    "byline with date": lambda n, lang: (
        "", f'<p class="byline">{BY[lang]} {joined(n, lang)} <time datetime="2026-05-04">4 May 2026, 10:30</time></p>'),
    "byline with place": lambda n, lang: ("", f'<p class="byline">{BY[lang]} {joined(n, lang)} | {OUTLET}</p>'),
    "classes of a design system": lambda n, lang: ("", f'<div class="c-byline__names">{BY[lang]} ' + ", ".join(
        f'<a class="c-byline__link" href="/p/{i}">{one}</a>' for i, one in enumerate(n)) + "</div>"),
    "author links without a class": lambda n, lang: ("", f"<p>{BY[lang]} " + f" {AND[lang]} ".join(
        f'<a href="/authors/{i}">{one}</a>' for i, one in enumerate(n)) + "</p>"),
    "address element": lambda n, lang: ("", f"<address>{BY[lang]} {joined(n, lang)}</address>"),
    "a line of text": lambda n, lang: ("", f"<p>{BY[lang]} {joined(n, lang)}</p>"),
    "nobody": lambda n, lang: (f'<meta name="author" content="{OUTLET}">', ""),
}  # fmt: skip

HELD_OUT: dict[str, Callable[[tuple[str, ...], str], tuple[str, str]]] = {
    "json-ld creator": lambda n, _: (ld(**{"@type": "NewsArticle", "creator": list(n)}), ""),
    "json-ld name is a list": lambda n, _: (
        ld(**{"@type": "ReportageNewsArticle", "author": {"@type": "Person", "name": list(n)}}), ""),
    "json-ld inside another thing": lambda n, _: (
        ld(**{"@type": "WebPage", "mainEntity": {"@type": "NewsArticle", "author": people_of(n)}}), ""),
    "meta authors": lambda n, lang: (f'<meta name="authors" content="{html.escape(", ".join(n))}">', ""),
    "twitter:data1": lambda n, lang: (
        f'<meta name="twitter:label1" content="Written by"><meta name="twitter:data1" content="{html.escape(joined(n, lang))}">', ""),
    "data-testid": lambda n, lang: ("", f'<div data-testid="byline"><span>{BY[lang]} {joined(n, lang)}</span></div>'),
    "post-author class": lambda n, lang: ("", f'<span class="post-author">{BY[lang]} {joined(n, lang)}</span>'),
    "role beside each name": lambda n, lang: ("", '<ul class="byline">' + "".join(
        f'<li><a href="/x/{i}">{one}</a><span>, Senior Correspondent</span></li>' for i, one in enumerate(n)) + "</ul>"),
    "in capitals": lambda n, lang: ("", f'<p class="byline">{BY[lang].upper()} {joined(n, lang).upper()}</p>'),
    "under a picture": lambda n, lang: (
        "", f'<figure><img src="/1.jpg"><figcaption>The quay</figcaption></figure><p>{BY[lang]} {joined(n, lang)}</p>'),
    "at the end of the text": lambda n, lang: ("", f"{PARAGRAPHS}<p>{BY[lang]} {joined(n, lang)}</p><!--"),
}  # fmt: skip

# Written after all that, and measured first as it was: the third lot, and after what it taught the fourth.
THIRD: dict[str, Callable[[tuple[str, ...], str], tuple[str, str]]] = {
    "json-ld people beside the outlet": lambda n, _: (
        ld(**{"@context": "https://schema.org", "@type": "NewsArticle", "author": [
            {"@type": "Organization", "name": OUTLET}, *people_of(n)]}), ""),
    "article:author is an address, names in a marked box": lambda n, lang: (
        '<meta property="article:author" content="https://social.example/lesk">',
        '<div class="article-meta"><span class="article-meta__author">' + f"{BY[lang]} {joined(n, lang)}</span></div>"),
    "nested microdata with job and place": lambda n, _: ("", "".join(
        '<div itemprop="author" itemscope itemtype="https://schema.org/Person"><a itemprop="url" href="/j/1">'
        f'<span itemprop="name">{one}</span></a><span itemprop="jobTitle">Political editor</span></div>' for one in n)),
    "a place after each name": lambda n, lang: (
        "", f'<p class="story-byline">{BY[lang]} ' + f" {AND[lang]} ".join(f"{one} in Port Lesk" for one in n) + "</p>"),
    "read time beside the names": lambda n, lang: (
        "", f'<div class="byline">{BY[lang]} {joined(n, lang)} • 4 min read</div>'),
    "names twice, once for phones": lambda n, lang: (
        "", f'<div class="byline byline--mobile">{BY[lang]} {joined(n, lang)}</div>'
        f'<div class="byline byline--desktop">{BY[lang]} {joined(n, lang)}</div>'),
    "a box of each author with a line about the person": lambda n, _: ("", "".join(
        f'<div class="author-card"><img alt="{one}" src="/f.jpg"><strong class="author-card__name">{one}</strong>'
        f'<p class="author-card__bio">{one.split()[0]} has covered the coast since 2011.</p></div>' for one in n)),
    "definition list": lambda n, lang: (
        "", f"<dl><dt>Author</dt>{''.join(f'<dd>{one}</dd>' for one in n)}<dt>Section</dt><dd>Business</dd></dl>"),
    "published line with names behind it": lambda n, lang: (
        "", f"<p>Published 4 May 2026 | {BY[lang]} {joined(n, lang)}</p>"),
    "small capitals, line by line": lambda n, lang: (
        "", f'<div class="credits"><div>{BY[lang].upper()}</div>'
        + "".join(f"<div>{one.upper()}</div>" for one in n) + "</div>"),
}  # fmt: skip

FOURTH: dict[str, Callable[[tuple[str, ...], str], tuple[str, str]]] = {
    "json-ld person of an outlet": lambda n, _: (
        ld(**{"@type": "NewsArticle", "author": [
            {"@type": "Person", "name": one, "worksFor": {"@type": "Organization", "name": OUTLET}} for one in n],
            "publisher": {"@type": "Organization", "name": OUTLET}}), ""),
    "json-ld review inside a page": lambda n, _: (
        ld(**{"@context": "https://schema.org", "@graph": [{"@type": "WebSite", "name": OUTLET}, {
            "@type": "Review", "author": people_of(n)}]}), ""),
    "an id that says author": lambda n, lang: (
        "", f'<div id="article-author">{joined(n, lang)}</div><div id="article-date">4 May 2026</div>'),
    "heading of the author box": lambda n, _: ("", "".join(
        f'<section class="writer-box"><h4 class="writer-box-title">{one}</h4><p>Writes about ports.</p></section>'
        for one in n)),
    "words label in a list": lambda n, lang: (
        "", "<ul class='facts'><li>4 May 2026</li><li>Text: " + joined(n, lang) + "</li><li>Photos: Ida Holm</li></ul>"),
    "date and names in one line, names last": lambda n, lang: (
        "", f"<div>4 May 2026 · {BY[lang]} {joined(n, lang)}</div>"),
    "names then desk": lambda n, lang: (
        "", f'<p class="byline">{BY[lang]} {joined(n, lang)}, <em>{OUTLET}</em></p>'),
    "label and names in table cells": lambda n, lang: (
        "", "<table><tr><td>Authors</td>" + "".join(f"<td>{one}</td>" for one in n) + "</tr></table>"),
    "span of names, span of the last change": lambda n, lang: (
        "", f'<span class="story-credit">{BY[lang]} {joined(n, lang)}</span><span class="story-updated">Updated 11:40</span>'),
    "buttons in the author box": lambda n, _: ("", '<div class="contributors">' + "".join(
        f'<div class="contributors__one"><a href="/c/{i}">{one}</a><button>Follow</button></div>'
        for i, one in enumerate(n)) + '</div><div class="share">Share this article</div>'),
    "nobody, but a picture's credit and a teaser's author": lambda n, lang: (
        "", f'<figure><img src="/1.jpg"><figcaption class="credit">{n[0]}</figcaption></figure>'
        f'<aside><p>Read on</p><a class="teaser-author" href="/authors/1">{joined(n, lang)}</a></aside>'),
    "nobody, but words that look like names": lambda n, lang: (
        "", '<div class="credits-bar"><span class="section-name">Port Affairs</span></div><ul><li>Share Article</li>'
        "<li>Print Page</li></ul><p>Port Lesk | Tuesday</p>"),
}  # fmt: skip

LOTS = {
    "pages, first lot": PAGES,
    "pages, second lot": HELD_OUT,
    "pages, third lot": THIRD,
    "pages, fourth lot": FOURTH,
}

# By shape: how an item names its people.
FEEDS: dict[str, Callable[[tuple[str, ...], str], str]] = {
    "rss dc:creator each": lambda n, _: "".join(f"<dc:creator>{html.escape(one)}</dc:creator>" for one in n),
    "rss dc:creator joined": lambda n, lang: f"<dc:creator><![CDATA[{joined(n, lang)}]]></dc:creator>",
    "rss dc:creator with by": lambda n, lang: f"<dc:creator>{BY[lang]} {joined(n, lang)}</dc:creator>",
    "rss author with mail": lambda n, _: "".join(f"<author>desk@lesk.example ({one})</author>" for one in n),
    "rss author with outlet": lambda n, lang: f"<author>{joined(n, lang)} | {OUTLET}</author>",
    "rss outlet as author": lambda n, _: f"<dc:creator>{OUTLET}</dc:creator>",
    "rss atom:author": lambda n, _: "".join(
        f"<atom:author><atom:name>{one}</atom:name></atom:author>" for one in n
    ),
}


def pages() -> Iterator[Case]:
    for shape, write in (shape for lot in LOTS.values() for shape in lot.items()):
        for language, names, title in _variants(shape):
            head, above = write(names, language)
            spelled = html.escape(title, quote=False)
            document = (
                f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{spelled} | {OUTLET}</title>'
                f'<meta property="og:title" content="{html.escape(title)}">{head}</head><body><nav><a href="/">Home</a></nav>'
                f"<main><article><h1>{spelled}</h1>{above}{PARAGRAPHS}</article></main></body></html>"
            )
            yield Case(shape, language, document, () if shape.startswith("nobody") else names, title)


def feeds() -> Iterator[Case]:
    for shape, write in FEEDS.items():
        for number, (language, names, title) in enumerate(_variants(shape)):
            # Feeds escape a title once, twice, or not at all behind CDATA; all say the same.
            spelled = (
                html.escape(html.escape(title, quote=False), quote=False),
                f"<![CDATA[{html.escape(title, quote=False)}]]>",
                "".join(c if c.isascii() and c not in "&<>" else f"&amp;#{ord(c)};" for c in title),
            )[number % 3]
            document = (
                '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">'
                f"<channel><title>{OUTLET}</title><link>https://lesk.example/</link><language>{language}</language><item>"
                f"<title>{spelled}</title><link>https://lesk.example/{number}</link>{write(names, language)}"
                f"<description>{html.escape(PARAGRAPHS)}</description></item></channel></rss>"
            )
            yield Case(shape, language, document, () if "outlet as" in shape else names, title)


def _variants(shape: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    chance = Random(shape)
    for number in range(VARIANTS):
        language = list(PEOPLE)[number % len(PEOPLE)]
        count = chance.choice((1, 1, 1, 2, 2, 3))
        names = tuple(chance.sample(PEOPLE[language], min(count, len(PEOPLE[language]))))
        yield language, names, TITLES[chance.randrange(len(TITLES))]


def main() -> None:
    prepare()
    rows = []
    for what, cases, read in (("pages", list(pages()), page_says), ("feeds", list(feeds()), feed_says)):
        said = [read(case) for case in cases]
        exact = [found[0] == case.people for case, found in zip(cases, said, strict=True)]
        if what == "pages":
            for lot, shapes in LOTS.items():
                rows.append(
                    share(lot, [e for e, case in zip(exact, cases, strict=True) if case.shape in shapes])
                )
            rows.append(
                share("all pages, trafilatura alone", [library_says(case) == case.people for case in cases])
            )
        else:
            rows.append(share("feeds: bylines exact", exact))
            rows.append(
                share("feeds: titles exact", [f[1] == c.title for c, f in zip(cases, said, strict=True)])
            )
        for shape in dict.fromkeys(case.shape for case in cases):
            of_shape = [e for e, case in zip(exact, cases, strict=True) if case.shape == shape]
            rows.append(share(f"  {shape}", of_shape))
    print_rows(*rows)


def share(what: str, right: list[bool]) -> tuple[str, float, str]:
    return what, 100 * sum(right) / len(right), f"% of {len(right)}"


def page_says(case: Case) -> tuple[tuple[str, ...], str]:
    """Whom the page's article would credit."""
    from aggregator.normalise import whole_text
    from aggregator.pages import read_page

    page = read_page(case.document.encode(), url="https://lesk.example/1")
    _, credits = whole_text(page, url="https://lesk.example/1", language=case.language, outlet=OUTLET)
    return tuple(credit.name for credit in credits), ""


def library_says(case: Case) -> tuple[str, ...]:
    import trafilatura

    found = trafilatura.extract_metadata(case.document, default_url="https://lesk.example/1")
    return tuple(part.strip() for part in (found.author or "").split(";") if part.strip()) if found else ()


def feed_says(case: Case) -> tuple[tuple[str, ...], str]:
    """Whom the item's article would credit, and its headline."""
    from django.utils import timezone

    from aggregator.normalise import Outlet, draft, offers
    from aggregator.parse import parse

    document = parse(case.document.encode())
    outlet = Outlet("lesk", OUTLET, "lesk.example", case.language)
    made = draft(offers(document, domain="lesk.example")[0], document, outlet, at=timezone.now())
    return (tuple(credit.name for credit in made.credits), made.headline) if made else ((), "")


if __name__ == "__main__":
    main()

"""The original of an article, fetched while a moderator looks; nothing of it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import html as lxml_html
from lxml.etree import ParserError

from articles.fingerprint import signature, similarity
from articles.sanitise import to_text
from webclient.client import Limits, default_client
from webclient.errors import OutgoingError

LIMITS = Limits(seconds=8, connect_seconds=4, silent_seconds=5, wire_bytes=2_000_000, body_bytes=4_000_000)
MOST_TEXT = 20_000
SILENT = [
    "script",
    "style",
    "noscript",
    "template",
    "nav",
    "header",
    "footer",
    "aside",
    "form",
    "iframe",
    "svg",
]
DATED = ("article:published_time", "datePublished", "date", "dc.date", "dcterms.created")


@dataclass(frozen=True, slots=True)
class Original:
    """What stands at the original's address now, as plain text; `alike` in a hundred of its wording is ours."""

    error: str = ""
    status: str = ""
    title: str = ""
    text: str = ""
    dated: str = ""
    alike: int = 0


def look(url: str, *, ours: str) -> Original:
    """Fetch and read a page, within bounds; `ours` is the text it is compared with."""
    try:
        answer = default_client().get(url, limits=LIMITS)
    except OutgoingError as error:
        return Original(error=str(error))
    said = f"answer {answer.status} from {answer.url}"
    if answer.status != 200:
        return Original(error=said)
    try:
        page = lxml_html.document_fromstring(answer.body, parser=lxml_html.HTMLParser(no_network=True))
    except (ParserError, ValueError):
        return Original(error=f"{said}, which is no page that can be read")
    title, dated = " ".join((page.findtext(".//title") or "").split())[:300], _dated(page)
    text = _text(page)
    alike = round(100 * similarity(signature(text), signature(to_text(ours)))) if text else 0
    return Original(status=said, title=title, text=text[:MOST_TEXT], dated=dated, alike=alike)


def _dated(page: lxml_html.HtmlElement) -> str:
    """When the page says it appeared, in its own words."""
    marks = {
        mark.get("property") or mark.get("name") or mark.get("itemprop"): mark for mark in page.iter("meta")
    }
    found = next((marks[name] for name in DATED if name in marks), None)
    time = page.find(".//time[@datetime]")
    said = (
        found.get("content", "")
        if found is not None
        else time.get("datetime", "")
        if time is not None
        else ""
    )
    return str(said)[:40]


def _text(page: lxml_html.HtmlElement) -> str:
    """The paragraphs of the part that looks like the report."""
    for element in list(page.iter(*SILENT)):
        element.drop_tree()
    body = page.find(".//article")
    body = page.find(".//main") if body is None else body
    body = page if body is None else body
    paragraphs = (" ".join(one.text_content().split()) for one in body.iter("p"))
    return "\n\n".join(one for one in paragraphs if one)

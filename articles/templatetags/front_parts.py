"""What stands inside the frame of the front page.

Set here and not in the template: as tags there the same pieces cost several times as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext

from articles import teasers
from articles.front import Front, Section
from articles.models import Article, Tag
from articles.templatetags import frame
from articles.templatetags.headlines import headline, meta, teaser_block
from articles.templatetags.reading import moment

LEAD_SIZES = "(min-width: 80rem) 49rem, (min-width: 62rem) 62vw, (min-width: 40rem) 92vw, 70vw"
ROW_SIZES = "(min-width: 62rem) 18rem, (min-width: 34rem) 45vw, 70vw"


def answer(
    request: HttpRequest, page: Front, navigation: Sequence[Tag], *, edition: datetime | None = None
) -> HttpResponse:
    """The front page; `edition`: when the latest report on it came."""
    main = _main(page, page.lead, edition) if page.lead else _nothing_yet()
    return HttpResponse(frame.framed("articles/front.html", frame.sections(navigation, request.path), main))


def _nothing_yet() -> str:
    said = {
        "title": gettext("The first edition is being set"),
        "text": gettext("No article has been published yet. As soon as the first one is, it stands here."),
    }
    return render_to_string("articles/_empty.html", said)


def _main(page: Front, lead: Article, edition: datetime | None) -> str:
    said = gettext("Latest report %(edition_when)s") % {"edition_when": moment(edition)}
    beside = "".join(teaser_block(article, pictured=not n) for n, article in enumerate(page.secondary))
    parts = [
        f'<p class="meta edition">{said}</p>' if edition else "",
        f'<div class="lead">\n{_lead(lead)}',
        f'<div class="stack">\n{beside}\n</div>' if beside else "",
        f'</div>\n<div class="halves">{"".join(map(_row, page.sections))}</div>',
        _river(page.river) if page.river else "",
    ]
    return "\n".join(filter(None, parts))


def _lead(article: Article) -> str:
    teaser = teasers.of(article)
    return f"""<article class="teaser teaser-lead"{teaser.marks}>
        {teaser.picture(LEAD_SIZES, eager=True)}
        {headline(article, 2)}
        {teaser.standfirst}
        {meta(article)}
      </article>"""


def _row(section: Section) -> str:
    """A featured tag's row: one article with its picture, the others as headlines."""
    name, first = escape(section.tag.name), section.articles[0]
    teaser = teasers.of(first)
    others = "".join(f"<li>{teaser_block(other, bare=True)}</li>" for other in section.articles[1:])
    listed = f'<ul class="headlines" role="list">\n        {others}\n      </ul>' if others else ""
    return f"""<section class="section" aria-label="{name}">
      <div class="section-head"><h2><a href="{escape(section.tag.get_absolute_url())}">{name}</a></h2></div>
      <article class="teaser{" pictured" if teaser.pictured else ""}"{teaser.marks}>
        {teaser.picture(ROW_SIZES)}
        <div class="text">
          {headline(first)}
          {teaser.standfirst}
          {meta(first)}
        </div>
      </article>
      {listed}
    </section>"""


def _river(articles: Sequence[Article]) -> str:
    """The newest, line by line."""
    latest = gettext("Latest")
    lines = "".join(
        f"""<li>
          <p class="clock">{teasers.of(article).short}</p>
          {teaser_block(article, bare=True, undated=True)}
        </li>"""
        for article in articles
    )
    return f"""<section class="section" aria-label="{latest}">
      <div class="section-head">
        <h2><a href="/latest/">{latest}</a></h2>
        <p class="label"><a href="/latest/">{gettext("Everything, newest first")}</a></p>
      </div>
      <ol class="river dated two" role="list">
        {lines}
      </ol>
    </section>"""

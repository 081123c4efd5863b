"""The desk's help: the guides of docs/ by section, those of one's own work first; where each page leads into them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt

from moderation.apps import MODERATORS
from newsroom.roles import AUDITORS, CHIEFS, CONTRIBUTORS, EDITORS, RIGHTS_MANAGERS

GUIDES = ("editing", "moderating", "aggregating")
# What of the guides is for operators and developers.
NOT_FOR_THE_DESK = {"For the operator", "The commands", "Adding a format"}
# Headings of the guides that say most to who is in this group.
FIRST = {
    MODERATORS: ("The queue", "One claim", "Unfounded notices", "Many at once"),
    RIGHTS_MANAGERS: ("Sources and their terms", "Pictures", "The queue", "One claim"),
    AUDITORS: ("The audit log", "The queue", "One claim", "Versions"),
    CHIEFS: ("An article", "Publishing", "The front page", "A story", "Tags", "Sources and their terms",
             "The desk's list of feeds", "Rules", "Very many articles at once", "Pages about the site"),
    EDITORS: ("An article", "Publishing", "Pictures", "A story", "The front page", "Notes and tasks", "Versions"),
    CONTRIBUTORS: ("An article", "Pictures", "What you did not save", "Notes and tasks"),
}  # fmt: skip
# What the names of the admin's pages begin with → the section that is about them.
ABOUT = {
    "index": "The first page of the desk",
    "articles_article": "An article",
    "articles_article_notes": "Notes and tasks",
    "articles_article_versions": "Versions",
    "articles_contributor": "Contributors",
    "articles_media": "Pictures",
    "articles_frontpin": "The front page",
    "articles_tag": "Tags",
    "articles_story": "A story",
    "articles_source": "Sources and their terms",
    "articles_walk": "Very many articles at once",
    "articles_sitepage": "Pages about the site",
    "articles_hook": "From another system, and to one",
    "aggregator_feed": "The desk's list of feeds",
    "aggregator_feedrule": "Rules",
    "aggregator_refusedtag": "What becomes a tag",
    "moderation": "What owners have set up",
    "moderation_claim": "The queue",
    "moderation_claim_change": "One claim",
    "moderation_cannedreason": "One claim",
    "moderation_measure": "Unfounded notices",
    "auditlog_logentry": "The audit log",
    "admin_logentry": "The audit log",
    "accounts_user": "Signing in",
    "accounts_accesstoken": "From another system, and to one",
    "auth_group": "Who may do what",
}
_PICTURE = re.compile(r"^!\[.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading of a guide."""

    title: str
    guide: str
    html: SafeString

    @property
    def anchor(self) -> str:
        return slugify(self.title)


@cache
def sections() -> dict[str, Section]:
    """Title → section, in the order of the guides. Their pictures, which docs/ has for the newcomer, are left out."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    found = {}
    for guide in GUIDES:
        text = (settings.BASE_DIR / "docs" / f"{guide}.md").read_text(encoding="utf-8")
        for part in _PICTURE.sub("", text).split("\n## ")[1:]:
            title, _, words = part.partition("\n")
            if title in NOT_FOR_THE_DESK:
                continue
            # Our own words, and HTML in them is not let through.
            found[title] = Section(title, guide, mark_safe(markdown.render(words)))  # noqa: S308
    return found


def ordered(groups: set[str]) -> tuple[list[Section], list[Section]]:
    """What is first for a member of these groups, and the rest."""
    titles = [title for group, some in FIRST.items() if group in groups for title in some]
    first = [sections()[title] for title in dict.fromkeys(titles)]
    return first, [section for section in sections().values() if section not in first]


def about(request: HttpRequest) -> str:
    """The address of the help about this page of the desk; nothing where there is none."""
    page = request.resolver_match.url_name if request.resolver_match else None
    known = [name for name in ABOUT if page and f"{page}_".startswith(f"{name}_")]
    if not known:
        return ""
    return f"{reverse('admin:help')}#{sections()[ABOUT[max(known, key=len)]].anchor}"

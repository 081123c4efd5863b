"""In which language the pages themselves speak: the first step of their address says it, nothing else does.

/rights/ is English, /de/rights/ German. The rest of the program knows a page by its address without
that step; docs/decisions/languages.md tells why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language, get_language_info

# The kinds of page that people read. Feeds, maps and interfaces for programs have one address each.
PAGES = frozenset(
    {
        "", "latest", "articles", "stories", "tags", "contributors", "sources", "languages", "archive", "search",
        "rights", "about", "ethics", "corrections", "tools", "follow", "removal", "transparency",
    }
)  # fmt: skip
# A link or form that does not name its language leads on in the language of the page it stands on.
_LEADING = re.compile(r"""(<(?:a|form)\b(?:(?!hreflang)[^<>"]|"[^"<>]*")*?\s(?:href|action)=")(/[^"]*)""")


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language of the interface: its code, its own name, its direction, and the first step of its addresses."""

    code: str
    name: str
    direction: str
    prefix: str

    def at(self, path: str) -> str:
        """The address in this language of the page at `path`."""
        return self.prefix + path


def _tongue(code: str) -> Tongue:
    info = get_language_info(code)
    direction = "rtl" if info["bidi"] else "ltr"
    prefix = "" if code == settings.LANGUAGE_CODE else f"/{code}"
    return Tongue(code, info["name_local"].capitalize(), direction, prefix)


TONGUES = {code: _tongue(code) for code, _ in settings.LANGUAGES}
DEFAULT = TONGUES[settings.LANGUAGE_CODE]


def tongue() -> Tongue:
    """The language of the page that is being made."""
    return TONGUES.get(get_language() or "", DEFAULT)


def split(path: str) -> tuple[Tongue, str]:
    """The language of an address, and the address without it."""
    _, first, rest = (*path.split("/", 2), "", "")[:3]
    tongue = TONGUES.get(first, DEFAULT)
    inner = f"/{rest}"
    if tongue is DEFAULT or not is_page(inner):
        return DEFAULT, path
    return tongue, inner


def choices(path: str) -> list[tuple[Tongue, str]]:
    """Every language with its address of the page at `path` (without a language), or of the front page where that
    page has no other.
    """
    kept = path if is_page(path) else "/"
    return [(tongue, tongue.at(kept)) for tongue in TONGUES.values()]


def is_page(path: str) -> bool:
    """True for the address of a page for people (without its language)."""
    first, _, rest = path.lstrip("/").partition("/")
    return first in PAGES and "." not in rest.rpartition("/")[2]


def leading_on(html: str, tongue: Tongue) -> str:
    """A rendered page whose links and forms stay in its language."""
    return _LEADING.sub(lambda found: found[1] + address_in(found[2], tongue), html)


def address_in(address: str, tongue: Tongue) -> str:
    """One of our addresses in this language; anything else as it is."""
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    ours = address.startswith("/") and not address.startswith("//") and is_page(path)
    return tongue.at(address) if ours else address


def in_every_language(paths: Iterable[str]) -> list[str]:
    """The paths as they are, and in each other language."""
    return [tongue.at(path) for path in paths for tongue in TONGUES.values()]

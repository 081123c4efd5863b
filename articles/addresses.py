"""Addresses of our pages, without asking the URL patterns anew for each of the hundred on a page."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from django.conf import settings
from django.urls import get_script_prefix, reverse

_STAND_IN = "stand-in"
# What Django leaves as it is in a path (RFC 3986).
_SAFE = "!$&'()*+,;=/~:@"


def page_address(name: str, slug: str) -> str:
    """The same as `reverse(name, args=[slug])`."""
    if not slug:
        return reverse(name, args=[slug])
    return _address(name, slug, settings.ROOT_URLCONF, get_script_prefix())


@lru_cache(maxsize=4096)
def _address(name: str, slug: str, urlconf: str, prefix: str) -> str:
    return _pattern(name, urlconf, prefix).replace(_STAND_IN, quote(slug, safe=_SAFE))


@lru_cache(maxsize=256)
def _pattern(name: str, urlconf: str, prefix: str) -> str:
    # Everything but the name is here for the memory alone. No pattern of ours depends on the language.
    return reverse(name, args=[_STAND_IN])

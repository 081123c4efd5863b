"""How sessions are told apart by those whose they are."""

from __future__ import annotations

from django import template

register = template.Library()
# Each says what those after it say too.
BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox": "Firefox", "Chrom": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS", "Linux": "Linux",
}  # fmt: skip


@register.filter
def browser(user_agent: str) -> str:
    """`Firefox on Android`; what is neither a browser nor a system we know stays as it calls itself."""
    parts = [_first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)]
    return " on ".join(filter(None, parts)) or user_agent[:80] or "Unknown"


def _first(names: dict[str, str], user_agent: str) -> str:
    return next((name for sign, name in names.items() if sign in user_agent), "")

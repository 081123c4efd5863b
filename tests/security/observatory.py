"""What the Mozilla HTTP Observatory would give an answer's headers, by its published rules."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser

ENOUGH_FOR_EXTRA_CREDIT = 90
HALF_A_YEAR = 15_768_000
PRIVATE_REFERRERS = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


def directives(policy: str) -> dict[str, list[str]]:
    """A Content-Security-Policy by the names of its directives."""
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {name: values for name, *values in parts}


def score(headers: Mapping[str, str], cookies: list[str], html: str = "") -> int:
    """Points from 100: losses always count, extras only for who has 90 without them."""
    policy = directives(headers.get("Content-Security-Policy", ""))
    changes = [
        _policy(policy),
        _cookies(cookies),
        _hsts(headers.get("Strict-Transport-Security", "")),
        _framing(policy, headers.get("X-Frame-Options", "")),
        0 if headers.get("X-Content-Type-Options") == "nosniff" else -5,
        5 if headers.get("Referrer-Policy") in PRIVATE_REFERRERS else -5,
        10 if headers.get("Cross-Origin-Resource-Policy") in ("same-origin", "same-site") else 0,
        -50 if headers.get("Access-Control-Allow-Credentials") else 0,
        _scripts(html),
    ]
    lost = 100 + sum(change for change in changes if change < 0)
    extra = sum(change for change in changes if change > 0)
    return lost + extra if lost >= ENOUGH_FOR_EXTRA_CREDIT else max(lost, 0)


def _policy(policy: dict[str, list[str]]) -> int:
    if not policy:
        return -25
    default = policy.get("default-src", ["*"])
    scripts, styles = (policy.get(name, default) for name in ("script-src", "style-src"))
    objects = policy.get("object-src", default)
    loose = {"'unsafe-inline'", "data:", "https:", "http:", "*"}
    if loose & {*scripts, *objects} or "'unsafe-inline'" in policy.get("script-src-attr", []):
        return -20
    if "'unsafe-eval'" in scripts:
        return -10
    if loose & set(styles):
        return 0
    shut = default == ["'none'"] and set(policy.get("form-action", ["*"])) <= {"'self'", "'none'"}
    return 10 if shut else 5


def _cookies(cookies: list[str]) -> int:
    if not cookies:
        return 0
    changes = []
    for cookie in cookies:
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        if "secure" not in flags:
            changes.append(-40)
        elif "httponly" not in flags:
            changes.append(-30)
        else:
            changes.append(5 if flags & {"samesite=lax", "samesite=strict"} else 0)
    return min(changes)


def _hsts(value: str) -> int:
    parts = dict(part.strip().partition("=")[::2] for part in value.split(";"))
    seconds = parts.get("max-age", "")
    if not seconds.isdecimal():
        return -20
    return 0 if int(seconds) >= HALF_A_YEAR else -10


def _framing(policy: dict[str, list[str]], option: str) -> int:
    if policy.get("frame-ancestors") in (["'none'"], ["'self'"]):
        return 5
    return 0 if option in ("DENY", "SAMEORIGIN") else -20


def _scripts(html: str) -> int:
    read = _Scripts()
    read.feed(html)
    return -50 if any(address.startswith(("http:", "https:", "//")) for address in read.loaded) else 0


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.loaded += [value or "" for name, value in attrs if name == "src"]

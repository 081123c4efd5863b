"""Every payload of payloads.txt in every disguise: what hostile feeds and letters are made of."""

from __future__ import annotations

import html
from collections.abc import Callable
from itertools import product
from pathlib import Path

RUN = "canary(1)"
URL = "/canary.js"

DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "escaped once": html.escape,
    "escaped twice": lambda text: html.escape(html.escape(text)),
    "in numbers": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "in capitals": lambda text: text.upper().replace(RUN.upper(), RUN).replace(URL.upper(), URL),
    "out of a quoted attribute": lambda text: f'">{text}',
    "out of a title, comment and script": lambda text: f"--></title></textarea></script>{text}",
    "with breaks in it": lambda text: text.replace("javascript:", "java\tscript\n:").replace(" on", "\n\ton"),
    "in full width": lambda text: text.replace("<", "\uff1c").replace(">", "\uff1e"),
}


def payloads() -> list[str]:
    lines = Path(__file__).with_name("payloads.txt").read_text().splitlines()
    return [
        line.replace("RUN", RUN).replace("URL", URL) for line in lines if line and not line.startswith("# ")
    ]


def vectors() -> list[str]:
    """All of them, in an order that puts different payloads side by side."""
    made = [disguise(payload) for disguise, payload in product(DISGUISES.values(), payloads())]
    return list(dict.fromkeys(made))

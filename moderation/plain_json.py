"""JSON from outside that says each thing once, so that whoever reads it and whoever checks it read the same."""

from __future__ import annotations

import json
from typing import Any


def read(text: str | bytes) -> Any:
    """What the text says. Raises ValueError for no JSON, a name given twice in one object, and endless nesting.

    RFC 8259 leaves open which of two members of one name counts; programs differ in it.
    """
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except RecursionError as error:
        raise ValueError("It is nested too deeply.") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in pairs:
        if name in said:
            raise ValueError(f"“{name[:60]}” stands there twice.")
        said[name] = value
    return said

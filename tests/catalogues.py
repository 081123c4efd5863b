"""The catalogues of the interface's languages: what is to be translated, taken from templates and code.

`script/translations` brings locale/<language>/LC_MESSAGES/django.po up to date and compiles it. The compiled
files are committed, so a machine that only runs the site needs no tool for them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.apps import apps
from django.conf import settings
from django.utils.translation.template import templatize

ROOMS = ("articles", "moderation", "newsroom", "readers")
# Named by a model and shown to readers, always through `translate`.
CHOICES = {
    "articles.models": ("Role", "RevisionKind"),
    "articles.optouts": ("OptOutKind",),
    "moderation.models": ("Channel", "Ground", "Verdict", "ClaimState", "ReasonCode", "LetterKind"),
}
_LITERAL = r"""(u?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))"""
_IN_TEMPLATE = re.compile(rf"\b(?:gettext|ngettext|_)\(\s*{_LITERAL}(?:\s*,\s*{_LITERAL})?")
_CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop"}

Message = str | tuple[str, str]


def wanted() -> dict[Message, list[tuple[str, int]]]:
    """Every message of the interface, and the files in which it stands."""
    found: dict[Message, list[tuple[str, int]]] = {}
    for message, place in (*_of_templates(), *_of_code(), *_of_choices()):
        places = found.setdefault(message, [])
        if (place, 0) not in places:
            places.append((place, 0))
    return found


def _of_templates() -> Iterator[tuple[Message, str]]:
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.[ht][tx][mt]*")):
        for one, many in _IN_TEMPLATE.findall(templatize(path.read_text())):
            singular = ast.literal_eval(one)
            yield (singular, ast.literal_eval(many)) if many else singular, _name(path)


def _of_code() -> Iterator[tuple[Message, str]]:
    for room in ROOMS:
        for path in sorted((settings.BASE_DIR / room).rglob("*.py")):
            if path.name in ("admin.py", "article_pages.py"):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield from ((message, _name(path)) for message in _message(node))


def _message(call: ast.Call) -> Iterator[Message]:
    texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if call.func.id in _CALLS and texts:  # type: ignore[attr-defined]
        yield texts[0]
    elif call.func.id == "ngettext" and len(texts) == 2:  # type: ignore[attr-defined]
        yield texts[0], texts[1]


def _of_choices() -> Iterator[tuple[Message, str]]:
    assert apps.ready
    for module, names in CHOICES.items():
        for name in names:
            for _, label in getattr(sys.modules[module], name).choices:
                yield str(label), module.replace(".", "/") + ".py"


def _name(path: Path) -> str:
    return path.relative_to(settings.BASE_DIR).as_posix()


# --- the files --------------------------------------------------------------------------------


def path_of(code: str) -> Path:
    return Path(settings.BASE_DIR) / "locale" / code / "LC_MESSAGES" / "django.po"


def read(code: str) -> Catalog:
    with path_of(code).open("rb") as file:
        return read_po(file, locale=code)


def languages() -> list[str]:
    """All but the one in which the messages are written."""
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def update(code: str) -> list[str]:
    """Write the catalogue with exactly the messages wanted, and compile it; returns what is not translated."""
    old = read(code) if path_of(code).exists() else Catalog(locale=code)
    # Without the hour of its making: what did not change is the same file.
    new = Catalog(
        locale=code,
        project="Newsroom",
        version="1",
        charset="utf-8",
        fuzzy=False,
        header_comment=f"# {code}: the public pages.",
        creation_date=datetime(2026, 1, 1, tzinfo=UTC),
    )
    for message, places in wanted().items():
        known = old.get(message if isinstance(message, str) else message[0])
        new.add(message, known.string if known and not known.fuzzy else "", locations=places)
    path_of(code).parent.mkdir(parents=True, exist_ok=True)
    with path_of(code).open("wb") as file:
        write_po(file, new, include_lineno=False, width=120, omit_header=False)
    compile_catalogue(code)
    return [str(message.id) for message in untranslated(new)]


def compile_catalogue(code: str) -> None:
    with path_of(code).with_suffix(".mo").open("wb") as file:
        write_mo(file, read(code))


def untranslated(catalogue: Catalog) -> list[object]:
    """Messages without a translation, or with one that somebody still has to look at."""
    return [
        message
        for message in catalogue
        if message.id and (message.fuzzy or not all(_forms(message.string)) or not message.string)
    ]


def _forms(string: object) -> tuple[object, ...]:
    return string if isinstance(string, tuple) else (string,)

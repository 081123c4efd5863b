"""Ready pages as files, for a web server in front that sends them without asking us.

A file stands beside the row of its page and never outlives it: it is written under the lock that every
change takes, once the row is committed, and unlinked before the change that deletes the row commits. A page
with a time of its own (`valid_until`) is never a file, so that a deadline needs nobody alive. Only pages whose
headers are those the web server was told to send become files. docs/decisions/page-files.md.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from secrets import token_hex

from django.conf import settings

from articles.durable import sync_folder

LIVE, HEADERS, MARK, GONE = "live", "headers.conf", "mark", "gone"
INDEX = "index.html"
# The web server says these itself, of its own file; what remains must be the same for all pages.
_ITS_OWN = {"content-type", "content-length", "etag", "vary", "last-modified", "date"}
_LONGEST_STEP = 200


class NotOurFolder(RuntimeError):
    """Pages are published in a folder that this process was not given: it cannot take them back."""


def folder() -> Path | None:
    """Where this process publishes pages; None when it does not."""
    return Path(settings.PAGES_DIR) if settings.PAGES_DIR else None


def mark() -> str:
    """What tells this folder from another; made with the folder. Empty without a folder."""
    root = folder()
    return _mark(root) if root else ""


@lru_cache(maxsize=4)
def _mark(root: Path) -> str:
    (root / LIVE).mkdir(parents=True, exist_ok=True)
    file = root / MARK
    if not file.exists():
        file.write_text(token_hex(16))
    return file.read_text().strip()


def file_of(path: str) -> Path | None:
    """The file of the page at this path; None for what could mean another file than it says."""
    root, steps = folder(), path.split("/")
    if root is None or not path.startswith("/") or steps[-1] or not path.isprintable():
        return None
    inner = steps[1:-1]
    if any(not step or step.startswith(".") or len(step.encode()) > _LONGEST_STEP for step in inner):
        return None
    return (root / LIVE).joinpath(*inner, INDEX)


def as_directives(headers: Mapping[str, str]) -> str:
    """These headers in nginx's notation, as far as they are not about one page."""
    lines = [
        f'add_header {name} "{_quoted(_ordered(name, value))}" always;\n'
        for name, value in sorted(headers.items())
        if name.lower() not in _ITS_OWN
    ]
    return "".join(lines)


def _ordered(name: str, value: str) -> str:
    """A policy's parts in one order: each process writes them in another, and means the same."""
    if name.lower() != "content-security-policy":
        return value
    parts = [part.split() for part in value.split(";") if part.strip()]
    return "; ".join(" ".join([first, *sorted(rest)]) for first, *rest in sorted(parts))


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def write_headers(headers: Mapping[str, str]) -> Path:
    """Tell the web server which headers every page has. It reads them when it is told to reload."""
    root = folder()
    if root is None:
        raise NotOurFolder("Set PAGES_DIR to the folder in which pages are to be published.")
    mark()
    _replace(root / HEADERS, as_directives(headers).encode(), at=None)
    _told.cache_clear()
    return root / HEADERS


@lru_cache(maxsize=4)
def _told(root: Path, changed: int) -> str:
    return (root / HEADERS).read_text()


def may_be_file(path: str, headers: Mapping[str, str], valid_until: datetime | None) -> bool:
    """Can this page be a file: no time of its own, a page for people, and the headers the web server sends?"""
    root = folder()
    if root is None or valid_until or file_of(path) is None or '"' in path or "\n" in str(headers):
        return False
    if not headers.get("Content-Type", "").startswith("text/html") or "$" in as_directives(headers):
        return False
    try:
        told = _told(root, (root / HEADERS).stat().st_mtime_ns)
    except FileNotFoundError:
        return False
    return as_directives(headers) == told


# --- writing and taking back ------------------------------------------------------------------


def write(path: str, etag: str, body: bytes) -> None:
    """Publish a page. The caller holds the lock of changes and has seen the page's committed row."""
    file = file_of(path)
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    at = stamp(etag)
    _replace(file.with_name(INDEX + ".gz"), gzip.compress(body, 6, mtime=0), at=at)
    _replace(file, body, at=at)


def stamp(etag: str) -> int:
    """The file's time: made from its content, since the web server makes its entity tag from it."""
    return int(etag[:7], 16)


def _replace(file: Path, content: bytes, *, at: int | None) -> None:
    new = file.with_name(f".{file.name}.{token_hex(6)}")
    try:
        new.write_bytes(content)
        if at is not None:
            os.utime(new, (at, at))
        new.chmod(0o644)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def take_back(paths: Iterable[str]) -> None:
    """Unlink the files of these pages, for good even if the power fails now. What fails is raised: no removal
    may commit while its file stands.
    """
    emptied: set[Path] = set()
    for path in paths:
        file = file_of(path)
        for one in (file, file.with_name(INDEX + ".gz")) if file else ():
            if _unlinked(one):
                emptied.add(one.parent)
    for parent in emptied:
        sync_folder(parent)


def take_back_all() -> None:
    """Take every file back at once: one rename, then tidying."""
    root = folder()
    if root is None:
        return
    gone = root / f"{GONE}-{token_hex(6)}"
    if (root / LIVE).exists():
        (root / LIVE).rename(gone)
    (root / LIVE).mkdir()
    sync_folder(root)
    for old in root.glob(f"{GONE}-*"):
        shutil.rmtree(old, ignore_errors=True)


def _unlinked(file: Path) -> bool:
    try:
        file.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def found() -> Iterator[tuple[str, int]]:
    """The paths of all pages that are files, and their stamps."""
    root = folder()
    if root is None:
        return
    live = root / LIVE
    for file in live.rglob("*"):
        if file.name in (INDEX, INDEX + ".gz"):
            steps = file.parent.relative_to(live).parts
            try:
                yield "/" + "".join(f"{step}/" for step in steps), int(file.stat().st_mtime)
            except FileNotFoundError:
                continue

"""`parse` in child processes that may be killed: hostile documents cost one of them, never the site."""

from __future__ import annotations

import atexit
import io
import pickle
import queue
import struct
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from aggregator import documents
from aggregator.documents import FeedDocument, Page
from aggregator.pages import NotAPage, read_page
from aggregator.parse import NotAFeed, parse

ROOT = Path(__file__).resolve().parent.parent
CPU_SECONDS = 10
WALL_SECONDS = 30.0
MEMORY_BYTES = 768 * 1024 * 1024
DOCUMENTS_PER_CHILD = 500
FEED, PAGE = b"f", b"p"
REQUEST, ANSWER = struct.Struct("!cIII"), struct.Struct("!?I")
TOO_COSTLY = "The document takes more time or memory to read than is allowed."


class Sandbox:
    """A fixed number of child processes, each reused for many documents; safe for threads."""

    def __init__(self, children: int = 2, *, wall_seconds: float = WALL_SECONDS) -> None:
        self.wall_seconds = wall_seconds
        self.children: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children):
            self.children.put(None)

    def parse(self, data: bytes, *, content_type: str = "", url: str = "") -> FeedDocument:
        """As `aggregator.parse.parse`; a document that kills its reader is NotAFeed too."""
        found = self._read(FEED, data, content_type, url)
        if not isinstance(found, FeedDocument):
            raise NotAFeed(TOO_COSTLY)
        return found

    def read_page(self, data: bytes, *, url: str) -> Page:
        """As `aggregator.pages.read_page`; raises NotAFeed for what is no readable page."""
        found = self._read(PAGE, data, "", url)
        if not isinstance(found, Page):
            raise NotAFeed(TOO_COSTLY)
        return found

    def _read(self, kind: bytes, data: bytes, content_type: str, url: str) -> FeedDocument | Page:
        child = self.children.get()
        try:
            if child is None or child.is_spent():
                child = _renewed(child)
            return child.read(kind, data, content_type, url, self.wall_seconds)
        except (OSError, EOFError, struct.error) as error:
            if child:
                child.close()
            child = None
            raise NotAFeed(TOO_COSTLY) from error
        finally:
            self.children.put(child)

    def close(self) -> None:
        """End the children. Whoever parses at this moment is waited for."""
        waiting = [self.children.get() for _ in range(self.children.qsize())]
        for child in waiting:
            if child:
                child.close()
            self.children.put(None)


@lru_cache(maxsize=1)
def default_sandbox() -> Sandbox:
    """The sandbox the whole process shares."""
    sandbox = Sandbox()
    atexit.register(sandbox.close)
    return sandbox


class _Child:
    """One process that reads documents, one after the other."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603  (our own program, no shell)
            # -B as the parent: a site that may write into its own folder alone stays so.
            [sys.executable, *(["-B"] if sys.dont_write_bytecode else []), "-m", "aggregator.sandbox"],
            cwd=ROOT,
            env={"LANG": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.documents = 0

    def is_spent(self) -> bool:
        return self.documents >= DOCUMENTS_PER_CHILD or self.process.poll() is not None

    def read(
        self, kind: bytes, data: bytes, content_type: str, url: str, seconds: float
    ) -> FeedDocument | Page:
        self.documents += 1
        guard = threading.Timer(seconds, self.process.kill)
        guard.start()
        try:
            return self._converse(
                kind, data, content_type.encode("utf-8", "replace"), url.encode("utf-8", "replace")
            )
        finally:
            guard.cancel()

    def _converse(self, kind: bytes, data: bytes, content_type: bytes, url: bytes) -> FeedDocument | Page:
        into, out = self._pipes()
        into.write(REQUEST.pack(kind, len(content_type), len(url), len(data)) + content_type + url + data)
        into.flush()
        is_feed, length = ANSWER.unpack(_exactly(out, ANSWER.size))
        answer = _exactly(out, length)
        if not is_feed:
            raise NotAFeed(answer.decode("utf-8", "replace"))
        return _read_document(answer)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self.process.stdin is None or self.process.stdout is None:
            raise EOFError
        return self.process.stdin, self.process.stdout

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                try:
                    pipe.close()
                except OSError:  # what was still to be written to a dead child
                    continue


def _renewed(child: _Child | None) -> _Child:
    if child:
        child.close()
    return _Child()


class _Reader(pickle.Unpickler):
    """Builds feed documents and nothing else, whatever a subverted child sends."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "aggregator.documents" and hasattr(documents, name):
            return getattr(documents, name)
        if (module, name) in {("datetime", "datetime"), ("datetime", "timezone"), ("datetime", "timedelta")}:
            return super().find_class(module, name)
        raise EOFError(f"{module}.{name} is no part of a feed document")


def _read_document(answer: bytes) -> FeedDocument | Page:
    try:
        found = _Reader(io.BytesIO(answer)).load()
    except (pickle.UnpicklingError, AttributeError, TypeError, ValueError, IndexError) as error:
        raise EOFError from error
    if not isinstance(found, FeedDocument | Page):
        raise EOFError
    return found


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data


def _allow_more_time() -> None:
    """Give the next document its own share of processor time."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _serve(into: IO[bytes], out: IO[bytes]) -> None:
    """The child: read documents from one pipe and answer on the other until it closes."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while header := into.read(REQUEST.size):
        _allow_more_time()
        kind, *lengths = REQUEST.unpack(header)
        content_type, url, data = (_exactly(into, length) for length in lengths)
        is_feed, answer = _answer(kind, data, content_type.decode(), url.decode())
        out.write(ANSWER.pack(is_feed, len(answer)) + answer)
        out.flush()


def _answer(kind: bytes, data: bytes, content_type: str, url: str) -> tuple[bool, bytes]:
    try:
        found = read_page(data, url=url) if kind == PAGE else parse(data, content_type=content_type, url=url)
        return True, pickle.dumps(found, protocol=5)
    except (NotAFeed, NotAPage) as error:
        return False, str(error).encode("utf-8", "replace")
    except (MemoryError, RecursionError):
        return False, TOO_COSTLY.encode()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)

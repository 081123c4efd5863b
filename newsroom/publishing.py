"""Pages as files: publishing them, and comparing files with rows at the start and every minute."""

from __future__ import annotations

import gzip
import logging
from datetime import datetime

from django.db import DatabaseError, connection, transaction

from articles import page_files
from articles.models import ReadyPage, SurfaceSerial
from moderation import ledger

logger = logging.getLogger(__name__)


def begin() -> None:
    """Make this folder the one in which pages are published, when there is none yet; then compare.

    NotOurFolder when pages are published elsewhere: two folders cannot both be taken back.
    """
    ours = page_files.mark()
    with transaction.atomic():
        row = SurfaceSerial.objects.select_for_update().get(pk=1)
        if ours and not row.files:
            page_files.take_back_all()
            SurfaceSerial.objects.filter(pk=1).update(files=ours)
        elif row.files != ours:
            raise page_files.NotOurFolder(OTHER_FOLDER)


OTHER_FOLDER = (
    "Pages are published as files in another folder than PAGES_DIR names. Set PAGES_DIR to that folder, or stop"
    " publishing with `manage.py page_files --stop` once no web server sends from it."
)


def stop() -> None:
    """Publish no more, and take back what is in our folder."""
    with transaction.atomic():
        SurfaceSerial.objects.select_for_update().get(pk=1)
        SurfaceSerial.objects.filter(pk=1).update(files="")
        page_files.take_back_all()


def publish(path: str, *, build: str) -> bool:
    """Write the page's file, if its row is stored and may be a file. False when it was not written."""
    try:
        with transaction.atomic():
            row = SurfaceSerial.objects.select_for_update().get(pk=1)
            page = current(build).filter(path=path).first()
            if page is None or row.files != page_files.mark():
                return False
            if not page_files.may_be_file(page.path, page.headers, page.valid_until):
                return False
            page_files.write(page.path, page.etag, gzip.decompress(bytes(page.body_gzip)))
    except DatabaseError:
        connection.close()
        return False
    except OSError:
        # The page is stored and the site sends it; only the web server in front has to ask for it.
        logger.exception("%s could not be published as a file", path)
        return False
    return True


def current(build: str):  # type: ignore[no-untyped-def]  # a queryset with an annotation
    """The rows that are sent today and have no time of their own."""
    site = SurfaceSerial.objects.filter(pk=1).values("site")
    return ReadyPage.objects.filter(build=build, valid_until__isnull=True, serial__gte=site)


def compare(limit: int, at: datetime, *, build: str) -> int:
    """Take back files without a row that says the same, and publish rows that have no file yet.

    Returns how many files were taken back or written.
    """
    if not page_files.mark():
        return 0
    if ledger.is_behind():
        page_files.take_back_all()
        return 0
    stamps = {path: page_files.stamp(etag) for path, etag in current(build).values_list("path", "etag")}
    files: dict[str, set[int]] = {}
    for path, stamp in page_files.found():
        files.setdefault(path, set()).add(stamp)
    strays = [path for path, found in files.items() if found != {stamps.get(path)}]
    if strays:
        with transaction.atomic():
            SurfaceSerial.objects.select_for_update().get(pk=1)
            page_files.take_back(strays)
    written = [path for path in stamps if path not in files][:limit]
    return len(strays) + sum(publish(path, build=build) for path in written)

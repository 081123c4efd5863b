"""Where backups are kept, when the next is due, and which may go: BACKUP_URL, a folder or object storage.

The worker makes one every BACKUP_EVERY_HOURS and looks at what arrived. The removal ledger lies beside them
and is brought up to date every few minutes: it is small, holds no person and no text, and says what an older
backup must not bring back.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.files import File

from articles.models import Heartbeat
from newsroom import backup, envelope
from newsroom.health import MADE_BACKUP

LEDGER = "ledger.jsonl"
NAME = re.compile(r"newsroom-(\d{8}T\d{6}Z)\.tar(?:\.age)?")
STAMP = "%Y%m%dT%H%M%SZ"
ALL_OF = timedelta(days=2)
ONE_A_DAY = timedelta(days=7)


class Store(Protocol):
    """A place for files under names without folders."""

    def names(self) -> list[str]: ...
    def put(self, name: str, path: Path) -> None: ...
    def get(self, name: str, path: Path) -> None: ...
    def delete(self, name: str) -> None: ...


class Folder:
    """Files readable by their owner alone; a name appears only when the file is whole and on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def names(self) -> list[str]:
        return [file.name for file in self.path.iterdir() if file.is_file()]

    def put(self, name: str, path: Path) -> None:
        partial = self.path / f"{name}.partial"
        try:
            with path.open("rb") as source, backup.private_file(partial) as target:
                shutil.copyfileobj(source, target, backup.CHUNK)
                target.flush()
                os.fsync(target.fileno())
            partial.replace(self.path / name)
        finally:
            partial.unlink(missing_ok=True)

    def get(self, name: str, path: Path) -> None:
        shutil.copyfile(self.path / name, path)

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


class Bucket:
    """Object storage that speaks S3, through django-storages; a name appears only when the object is whole."""

    def __init__(self, options: dict[str, str]) -> None:
        from storages.backends.s3 import S3Storage  # optional: requirements-scale.txt

        self.storage = S3Storage(**options, file_overwrite=True, default_acl=None)

    def names(self) -> list[str]:
        return list(self.storage.listdir("")[1])

    def put(self, name: str, path: Path) -> None:
        with path.open("rb") as source:
            self.storage.save(name, File(source))

    def get(self, name: str, path: Path) -> None:
        with self.storage.open(name) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, backup.CHUNK)

    def delete(self, name: str) -> None:
        self.storage.delete(name)


def store() -> Store:
    """The place BACKUP_URL names; BackupError when it names none."""
    place = settings.BACKUP_PLACE
    if place is None:
        raise backup.BackupError(
            "BACKUP_URL is not set; set it to where backups are kept (what reads one takes a file, too)"
        )
    return Bucket(place) if isinstance(place, dict) else Folder(place)


# --- making them ------------------------------------------------------------------------------


def back_up(*, at: datetime) -> str:
    """Make a backup, keep it, look whether what is kept is what was made, and let old ones go. Returns its name."""
    place = store()
    name = f"newsroom-{at.astimezone(UTC).strftime(STAMP)}.tar{'.age' if settings.BACKUP_KEYS else ''}"
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.VAR_DIR) as folder:
        made, kept = Path(folder) / name, Path(folder) / "kept"
        backup.create(made, at=at)
        place.put(name, made)
        place.get(name, kept)
        if _digest(made) != _digest(kept):
            place.delete(name)
            raise backup.BackupError(f"{name} came back from BACKUP_URL otherwise than it was sent")
        if _is_readable_here():
            backup.check(kept)
        size = made.stat().st_size
    remember(at=at, name=name, size=size)
    for old in expired(place.names(), at=at, kept=timedelta(days=settings.BACKUP_KEPT_DAYS)):
        place.delete(old)
    return name


def remember(*, at: datetime, name: str, size: int) -> None:
    """Leave word of a backup that was made, for /readyz and /metrics."""
    detail = {"name": name, "bytes": size}
    Heartbeat.objects.update_or_create(name=MADE_BACKUP, defaults={"at": at, "detail": detail})


def back_up_due(limit: int, at: datetime) -> int:
    """The worker's part: a backup when the newest is BACKUP_EVERY_HOURS old, and the ledger beside it."""
    if settings.BACKUP_PLACE is None:
        return 0
    copied = copy_ledger()
    last = Heartbeat.objects.filter(name=MADE_BACKUP).values_list("at", flat=True).first()
    if last is not None and at - last < timedelta(hours=settings.BACKUP_EVERY_HOURS):
        return copied
    back_up(at=at)
    return copied + 1


def copy_ledger() -> int:
    """Bring the copy beside the backups up to date; 1 when it was not. A shorter or other ledger replaces nothing."""
    place = store()
    ours = backup.whole_lines(Path(settings.LEDGER_PATH))
    theirs = _kept_ledger(place)
    if theirs.startswith(ours):
        return 0
    if not ours.startswith(theirs):
        raise backup.BackupError(
            f"the ledger at {settings.LEDGER_PATH} and {LEDGER} beside the backups tell different stories"
        )
    with tempfile.NamedTemporaryFile(dir=settings.VAR_DIR) as file:
        file.write(ours)
        file.flush()
        place.put(LEDGER, Path(file.name))
    return 1


def _kept_ledger(place: Store) -> bytes:
    if LEDGER not in place.names():
        return b""
    with tempfile.NamedTemporaryFile(dir=settings.VAR_DIR) as file:
        place.get(LEDGER, Path(file.name))
        return Path(file.name).read_bytes()


def _is_readable_here() -> bool:
    return not settings.BACKUP_KEYS or any(key.startswith(envelope.SECRET) for key in settings.BACKUP_KEYS)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- letting old ones go ----------------------------------------------------------------------


def expired(names: Iterable[str], *, at: datetime, kept: timedelta) -> list[str]:
    """Which of these may go: all are kept for two days, one a day for a week, one a week until `kept` is over.
    The newest stays whatever its age, and so does every file that is no backup of ours.
    """
    moments = {name: moment for name in names if (moment := _made_at(name))}
    stays = {max(moments, key=lambda name: moments[name])} if moments else set()
    periods: set[tuple[object, ...]] = set()
    for name, moment in sorted(moments.items(), key=lambda pair: pair[1], reverse=True):
        age, week = at - moment, moment.isocalendar()[:2]
        period = (name,) if age < ALL_OF else (moment.date(),) if age < ONE_A_DAY else week
        if age <= kept and period not in periods:
            stays.add(name)
        periods.add(period)
    return sorted(moments.keys() - stays)


def _made_at(name: str) -> datetime | None:
    found = NAME.fullmatch(name)
    if found:
        with suppress(ValueError):
            return datetime.strptime(found[1], STAMP).replace(tzinfo=UTC)
    return None


def listed() -> list[str]:
    """The names of the backups that are kept, newest first."""
    return sorted((name for name in store().names() if _made_at(name)), reverse=True)


# --- bringing one back ------------------------------------------------------------------------


def fetch(name: str, folder: Path) -> Path:
    """One kept backup, and the ledger beside it, as files in `folder`; `latest` is the newest."""
    names = listed()
    name = names[0] if name == "latest" and names else name
    if name not in names:
        raise backup.BackupError(f"{name} is neither a file here nor a backup in BACKUP_URL")
    place = store()
    place.get(name, folder / name)
    if LEDGER in place.names():
        place.get(LEDGER, folder / LEDGER)
    return folder / name

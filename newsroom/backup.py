"""One file that holds a whole newsroom: database, media and removal ledger, with a checksum for each.

Order matters while the site runs on: the database is copied first, then media and ledger. So every picture a
row names was there when it was copied, and the ledger is never older than the database beside it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import django
from django.conf import settings
from django.db import connection

from articles import page_files
from articles.models import Fragment, ReadyPage
from moderation import ledger
from newsroom import envelope

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
LEDGER = "ledger.jsonl"
MEDIA = "media/"
CHUNK = 1024 * 1024


class BackupError(Exception):
    """The backup could not be made or may not be restored; the message says why."""


@dataclass
class Restored:
    """What a restore did with the parts that were already there."""

    made_at: str
    media: int
    ledger: str


# --- making one -------------------------------------------------------------------------------


def create(target: Path, *, at: datetime) -> dict[str, Any]:
    """Write a backup to `target`, which appears there only when whole. Returns its manifest.

    With BACKUP_KEY it is enciphered; in the clear it stands only beside the database, and only meanwhile.
    """
    partial = target.with_name(target.name + ".partial")
    try:
        with _staging() as staging, private_file(partial) as file:
            manifest = (
                _write_closed(file, staging, at=at) if settings.BACKUP_KEYS else _write(file, staging, at=at)
            )
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


@contextmanager
def private_file(path: Path) -> Iterator[io.BufferedWriter]:
    """A new file that its owner alone may read."""
    # Notices hold names and addresses: for the owner's eyes alone from the first byte on.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


@contextmanager
def _staging() -> Iterator[Path]:
    """A folder on the file system of the site's own files, so that moving from it is a rename."""
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.VAR_DIR) as folder:
        yield Path(folder)


def _write_closed(file: io.BufferedWriter, staging: Path, *, at: datetime) -> dict[str, Any]:
    clear = staging / "clear.tar"
    with private_file(clear) as tar:
        manifest = _write(tar, staging, at=at)
    with clear.open("rb") as tar:
        envelope.close(tar, file, settings.BACKUP_KEYS)
    return manifest


def _write(file: IO[bytes], staging: Path, *, at: datetime) -> dict[str, Any]:
    members: dict[str, dict[str, Any]] = {}
    with tarfile.open(fileobj=file, mode="w") as tar:
        dump = staging / DATABASE[connection.vendor]
        _dump_database(dump)
        _add_file(tar, members, dump.name, dump)
        for path in _media_files():
            _add_bytes(
                tar, members, MEDIA + path.relative_to(settings.MEDIA_ROOT).as_posix(), path.read_bytes()
            )
        lines = whole_lines(Path(settings.LEDGER_PATH))
        _add_bytes(tar, members, LEDGER, lines)
        manifest = _manifest(members, lines, at=at)
        _add_bytes(tar, {}, MANIFEST, json.dumps(manifest, indent=2).encode())
    return manifest


def _manifest(members: dict[str, dict[str, Any]], lines: bytes, *, at: datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made_at": at.isoformat(),
        "database": connection.vendor,
        "database_version": ".".join(map(str, connection.get_database_version())),
        "django": django.get_version(),
        "migrations": _migrations(),
        "media": "object storage" if settings.STORAGE_URL else "included",
        "ledger_entries": lines.count(b"\n"),
        "members": members,
    }


def _migrations() -> dict[str, str]:
    from django.db.migrations.recorder import MigrationRecorder

    applied = MigrationRecorder(connection).migration_qs.order_by("app", "name").values_list("app", "name")
    return dict(applied)


def _media_files() -> Iterator[Path]:
    if not settings.STORAGE_URL:
        yield from sorted(path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())


def whole_lines(path: Path) -> bytes:
    """The ledger up to its last complete line: another process may be writing the next one."""
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]


def _add_file(tar: tarfile.TarFile, members: dict[str, dict[str, Any]], name: str, path: Path) -> None:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    members[name] = {"sha256": sha256, "size": path.stat().st_size}
    tar.add(path, arcname=name, filter=_anonymous)


def _add_bytes(tar: tarfile.TarFile, members: dict[str, dict[str, Any]], name: str, content: bytes) -> None:
    members[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


# --- bringing one back ------------------------------------------------------------------------


@dataclass
class _Unpacked:
    folder: Path
    manifest: dict[str, Any]
    names: list[str] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.folder / DATABASE[connection.vendor]


def restore(source: Path) -> Restored:
    """Put a backup in place of what is here. Everything is checked first; when the check fails nothing has changed.

    The ledger that stands here is never replaced by an older one: what was removed since the backup stays known,
    and public pages answer 503 until `replay_ledger` has removed it again. A file `ledger.jsonl` beside the
    backup counts like one of our own.
    """
    with _staging() as staging:
        unpacked = _unpack(source, staging)
        with _ledger_first(_ledger_to_write(unpacked, source)) as kept:
            page_files.take_back_all()
            _load_database(unpacked.database)
        # Whatever was ready to send was ready in another time.
        ReadyPage.objects.all().delete()
        # A backup of the versions before has none, and no table for them until it is migrated.
        if Fragment._meta.db_table in connection.introspection.table_names():
            Fragment.objects.all().delete()
        media = _swap_media(unpacked)
    return Restored(unpacked.manifest["made_at"], media, kept)


def check(source: Path) -> dict[str, Any]:
    """The manifest of a backup that could be restored: opened, every checksum compared, its database looked at."""
    with _staging() as staging:
        unpacked = _unpack(source, staging)
        _ledger_to_write(unpacked, source)
        return unpacked.manifest


@contextmanager
def _opened(source: Path, staging: Path) -> Iterator[Path]:
    """The backup in the clear."""
    if not source.is_file() or not envelope.is_closed(source):
        yield source
        return
    clear = staging / "clear.tar"
    try:
        with source.open("rb") as inside, private_file(clear) as outside:
            envelope.open_(inside, outside, settings.BACKUP_KEYS)
    except envelope.EnvelopeError as error:
        raise BackupError(f"{source} cannot be opened: {error}") from error
    yield clear
    clear.unlink()


def _unpack(source: Path, staging: Path) -> _Unpacked:
    """The backup's files in `staging`, each with the checksum the manifest promises."""
    sums: dict[str, str] = {}
    try:
        with _opened(source, staging) as clear, tarfile.open(clear, mode="r:") as tar:
            for entry in tar:
                sums[entry.name] = _extract(tar, entry, staging)
        manifest = json.loads((staging / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        missing = (
            f"{source} does not exist"
            if not source.exists()
            else f"{source} has no manifest: it is cut short"
        )
        raise BackupError(missing) from error
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise BackupError(f"{source} is not a readable backup: {error}") from error
    try:
        _check(source, manifest, sums)
    except (KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{source} has a damaged manifest") from error
    unpacked = _Unpacked(staging, manifest, [name for name in sums if name.startswith(MEDIA)])
    _check_database(source, unpacked)
    return unpacked


def _extract(tar: tarfile.TarFile, entry: tarfile.TarInfo, staging: Path) -> str:
    name = PurePosixPath(entry.name)
    content = tar.extractfile(entry) if entry.isreg() else None
    if content is None or name.is_absolute() or ".." in name.parts:
        raise BackupError(f"the backup holds {entry.name!r}, which no backup of ours does")
    path = staging / name
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _check(source: Path, manifest: dict[str, Any], sums: dict[str, str]) -> None:
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{source} has format {manifest.get('format')!r}; this version reads {FORMAT}")
    promised = {name: member["sha256"] for name, member in manifest["members"].items()}
    found = {name: value for name, value in sums.items() if name != MANIFEST}
    if damaged := sorted(
        name for name in promised.keys() | found.keys() if promised.get(name) != found.get(name)
    ):
        raise BackupError(f"{source} is damaged: {', '.join(damaged[:5])} differs from its checksum")
    if manifest["database"] != connection.vendor:
        raise BackupError(
            f"{source} holds a {manifest['database']} database; this site runs on {connection.vendor}"
        )


def _ledger_to_write(unpacked: _Unpacked, source: Path) -> bytes | None:
    """The longest ledger of the backup, beside it and here; None when that is ours and it is to stay."""
    ours = whole_lines(Path(settings.LEDGER_PATH))
    longest = ours
    for theirs in ((unpacked.folder / LEDGER).read_bytes(), whole_lines(source.with_name(LEDGER))):
        if theirs.startswith(longest):
            longest = theirs
        elif not longest.startswith(theirs):
            raise BackupError(
                f"the removal ledger at {settings.LEDGER_PATH} and the one with the backup tell different stories;"
                " one of them is not of this site"
            )
    return None if longest == ours else longest


@contextmanager
def _ledger_first(lines: bytes | None) -> Iterator[str]:
    """The ledger before the database: a reader meets 503, never what was removed since. Undone when the database
    does not come.
    """
    if lines is None:
        yield "kept: it is not older than the backup's"
        return
    before = whole_lines(Path(settings.LEDGER_PATH))
    _write_ledger(lines)
    try:
        yield "taken from the backup"
    except BackupError:
        _write_ledger(before)
        raise


def _write_ledger(content: bytes) -> None:
    path = Path(settings.LEDGER_PATH)
    partial = path.with_name(path.name + ".restored")
    # The lock every process takes that adds a line; it also makes the folder.
    with ledger.locked_file(), private_file(partial) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        partial.replace(path)


def _swap_media(unpacked: _Unpacked) -> int:
    if settings.STORAGE_URL:
        return 0
    root = Path(settings.MEDIA_ROOT)
    fresh = unpacked.folder / MEDIA
    fresh.mkdir(exist_ok=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    if root.exists():
        shutil.move(root, unpacked.folder / "replaced")
    shutil.move(fresh, root)
    root.chmod(0o755)
    return len(unpacked.names)


# --- the two databases ------------------------------------------------------------------------


def _dump_database(target: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
    else:
        _postgres("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def _check_database(source: Path, unpacked: _Unpacked) -> None:
    """The copy must open before the original is touched."""
    if connection.vendor == "postgresql":
        _postgres("pg_restore", "--list", str(unpacked.database), connect=False)
        return
    with closing(sqlite3.connect(unpacked.database)) as copy:
        try:
            verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            verdict = str(error)
    if verdict != "ok":
        raise BackupError(f"the database in {source} is damaged: {verdict}")


def _load_database(dump: Path) -> None:
    """All or nothing on both: SQLite copies in one transaction, PostgreSQL runs one script in one."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        try:
            with closing(sqlite3.connect(dump)) as copy:
                copy.backup(connection.connection)
        except sqlite3.Error as error:
            raise BackupError(f"SQLite did not take the copy: {error}") from error
        return
    script = dump.with_suffix(".sql")
    _postgres("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump), connect=False)
    connection.close()
    _postgres(
        "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction",
        "--command=DROP SCHEMA public CASCADE", "--command=CREATE SCHEMA public", f"--file={script}",
    )  # fmt: skip


def _postgres(program: str, *arguments: str, connect: bool = True) -> None:
    """Run one of PostgreSQL's own programs on this site's database."""
    database = connection.settings_dict
    given = {"PGHOST": database["HOST"], "PGPORT": database["PORT"], "PGUSER": database["USER"]}
    given |= {"PGPASSWORD": database["PASSWORD"], "PGDATABASE": database["NAME"]}
    environment = os.environ | (
        {name: str(value) for name, value in given.items() if value} if connect else {}
    )
    try:
        done = subprocess.run(  # noqa: S603  (our own arguments, no shell)
            [program, *arguments], env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise BackupError(
            f"{program} is not installed; it comes with PostgreSQL's client programs"
        ) from error
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()[-500:]}")

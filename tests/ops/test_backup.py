"""A backup is worth what its restore is worth."""

from __future__ import annotations

import shutil
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from articles.models import Article, Fragment, Hold, ReadyPage, Source
from moderation.models import ClaimState
from tests.moderation.cases import claim_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("pg_dump"), reason="PostgreSQL's client programs are not installed"),
]


@pytest.fixture
def site(settings) -> Path:
    """A newsroom with an article, a picture and a ledger of one line."""
    settings.LEDGER_PATH.parent.mkdir()
    settings.LEDGER_PATH.write_bytes(b'{"seq": 1}\n')
    (settings.MEDIA_ROOT / "pictures").mkdir(parents=True)
    (settings.MEDIA_ROOT / "pictures" / "harbour.webp").write_bytes(b"a picture")
    make_article("The harbour freezes over")
    return settings.LEDGER_PATH.parent.parent


def make_article(headline: str) -> Article:
    source, _ = Source.objects.get_or_create(slug="the-quay", defaults={"name": "The Quay"})
    slug = headline.lower().replace(" ", "-")
    return Article.objects.create(
        slug=slug, headline=headline, source=source, canonical_url=f"https://quay.example/{slug}"
    )


def headlines() -> set[str]:
    return set(Article.objects.values_list("headline", flat=True))


def rewrite(backup: Path, change: dict[str, bytes]) -> None:
    """The same backup with some members' bytes replaced, as a bad disk would."""
    with tarfile.open(backup) as tar:
        members = [(entry.name, tar.extractfile(entry).read()) for entry in tar]
    with tarfile.open(backup, "w") as tar:
        for name, content in members:
            content = change.get(name, content)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))


def test_what_was_backed_up_comes_back_and_what_came_later_goes(site: Path, settings) -> None:
    call_command("backup", site / "monday.tar")
    make_article("A later story")
    (settings.MEDIA_ROOT / "pictures" / "harbour.webp").unlink()
    (settings.MEDIA_ROOT / "pictures" / "later.webp").write_bytes(b"later")
    ReadyPage.objects.create(path="/", etag="x", body_gzip=b"", body_br=b"")
    Fragment.objects.create(article=Article.objects.first(), kind="page", text="x", build="x", serial=0)

    call_command("restore", site / "monday.tar")

    assert headlines() == {"The harbour freezes over"}
    assert [path.name for path in (settings.MEDIA_ROOT / "pictures").iterdir()] == ["harbour.webp"]
    assert not ReadyPage.objects.exists()
    assert not Fragment.objects.exists()


def test_a_backup_is_readable_by_its_owner_alone(site: Path) -> None:
    call_command("backup", site / "monday.tar")

    assert (site / "monday.tar").stat().st_mode & 0o077 == 0
    assert not list(site.glob("*.partial"))


def test_a_restored_site_takes_new_articles(site: Path) -> None:
    call_command("backup", site / "monday.tar")
    call_command("restore", site / "monday.tar")

    make_article("The thaw")

    assert "The thaw" in headlines()


def test_a_newer_ledger_stays(site: Path, settings) -> None:
    call_command("backup", site / "monday.tar")
    settings.LEDGER_PATH.write_bytes(b'{"seq": 1}\n{"seq": 2}\n')

    call_command("restore", site / "monday.tar")

    assert settings.LEDGER_PATH.read_bytes() == b'{"seq": 1}\n{"seq": 2}\n'


def test_a_lost_ledger_comes_back_from_the_backup(site: Path, settings) -> None:
    call_command("backup", site / "monday.tar")
    settings.LEDGER_PATH.unlink()

    call_command("restore", site / "monday.tar")

    assert settings.LEDGER_PATH.read_bytes() == b'{"seq": 1}\n'


def test_half_a_ledger_line_is_not_backed_up(site: Path, settings) -> None:
    settings.LEDGER_PATH.write_bytes(b'{"seq": 1}\n{"seq":')
    call_command("backup", site / "monday.tar")
    settings.LEDGER_PATH.unlink()

    call_command("restore", site / "monday.tar")

    assert settings.LEDGER_PATH.read_bytes() == b'{"seq": 1}\n'


def damaged(kind: str, backup: Path) -> None:
    database = "database.sqlite3" if connection.vendor == "sqlite" else "database.pgdump"
    whole = backup.read_bytes()
    match kind:
        case "cut short":
            backup.write_bytes(whole[: len(whole) // 2])
        case "empty":
            backup.write_bytes(b"")
        case "no archive":
            backup.write_bytes(b"\x00\xff" * 10_000)
        case "a changed picture":
            rewrite(backup, {"media/pictures/harbour.webp": b"another"})
        case "a changed database":
            rewrite(backup, {database: b"not a database"})
        case "a changed manifest":
            rewrite(backup, {"manifest.json": b'{"format": 1}'})
        case "a format of the future":
            rewrite(backup, {"manifest.json": b'{"format": 99, "members": {}}'})


@pytest.mark.parametrize(
    "kind",
    [
        "cut short",
        "empty",
        "no archive",
        "a changed picture",
        "a changed database",
        "a changed manifest",
        "a format of the future",
    ],
)
def test_a_damaged_backup_is_refused_and_changes_nothing(site: Path, settings, kind: str) -> None:
    call_command("backup", site / "monday.tar")
    make_article("A later story")
    damaged(kind, site / "monday.tar")

    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", site / "monday.tar")

    assert headlines() == {"The harbour freezes over", "A later story"}
    assert (settings.MEDIA_ROOT / "pictures" / "harbour.webp").read_bytes() == b"a picture"
    assert not list(settings.VAR_DIR.glob("backup-*"))


def test_a_file_that_is_not_there_is_said_so(site: Path) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        call_command("restore", site / "tuesday.tar")


def test_the_ledger_of_another_site_is_refused(site: Path, settings) -> None:
    call_command("backup", site / "monday.tar")
    settings.LEDGER_PATH.write_bytes(b'{"seq": "another"}\n')

    with pytest.raises(CommandError, match="tell different stories"):
        call_command("restore", site / "monday.tar")

    assert settings.LEDGER_PATH.read_bytes() == b'{"seq": "another"}\n'


@pytest.mark.parametrize("name", ["../outside.txt", "/tmp/outside.txt", "media/../../outside.txt"])
def test_a_backup_cannot_write_outside_its_folder(site: Path, name: str) -> None:
    call_command("backup", site / "monday.tar")
    with tarfile.open(site / "monday.tar", "a") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 3
        tar.addfile(entry, BytesIO(b"out"))

    with pytest.raises(CommandError, match="no backup of ours"):
        call_command("restore", site / "monday.tar")


def test_a_backup_that_cannot_be_written_leaves_nothing_behind(site: Path) -> None:
    with pytest.raises(CommandError, match="No backup was made"):
        call_command("backup", site / "no-such-folder" / "monday.tar")


def test_what_was_removed_since_the_backup_stays_removed_after_a_restore(site: Path, client) -> None:
    (site / "ledger" / "ledger.jsonl").unlink()
    article = make_article("The mayor's letter")
    call_command("backup", site / "monday.tar")
    claim_in(ClaimState.UPHELD, article=article)

    call_command("restore", site / "monday.tar")

    assert not Hold.objects.exists()
    assert client.get("/").status_code == 503
    assert client.get("/readyz").json()["ready"] is False

    call_command("replay_ledger")

    assert client.get("/readyz").json()["ready"] is True
    assert Hold.objects.in_effect().filter(article=article).exists()

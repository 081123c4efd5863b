"""Backups under lock, in a folder or in object storage: made when due, kept by rule, and good for a restore."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from articles.models import Heartbeat, Hold
from moderation.models import ClaimState
from newsroom import envelope, vault
from newsroom.health import MADE_BACKUP
from newsroom.work import KINDS, one_round
from tests.moderation.cases import claim_in
from tests.ops.object_storage import ObjectStorage, object_storage
from tests.ops.test_backup import headlines, make_article

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
OPENS, CLOSES = envelope.make_key()
BACK_UP = [kind for kind in KINDS if kind.name == "back up"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("pg_dump"), reason="PostgreSQL's client programs are not installed"),
]


@pytest.fixture
def folder(settings, tmp_path: Path) -> Path:
    """Backups go to a folder, enciphered with a key that this server has whole."""
    settings.BACKUP_PLACE = tmp_path / "backups"
    settings.BACKUP_KEYS = [OPENS]
    return tmp_path / "backups"


@pytest.fixture
def bucket(settings) -> Iterator[ObjectStorage]:
    with object_storage() as held:
        settings.BACKUP_KEYS = [OPENS]
        settings.BACKUP_PLACE = {
            "bucket_name": "vault",
            "location": "nightly",
            "endpoint_url": f"http://127.0.0.1:{held.port}",
            "access_key": "the-key",
            "secret_key": "the/secret",
            "region_name": "eu-central-1",
        }
        yield held


def output(*command: str) -> str:
    said = StringIO()
    call_command(*command, stdout=said)
    return said.getvalue()


def test_an_enciphered_backup_says_nothing_and_comes_back(settings, tmp_path: Path) -> None:
    settings.BACKUP_KEYS = [CLOSES]
    make_article("The harbour freezes over")
    call_command("backup", tmp_path / "monday.tar")
    make_article("A later story")

    settings.BACKUP_KEYS = [OPENS]
    call_command("restore", tmp_path / "monday.tar")

    assert b"harbour" not in (tmp_path / "monday.tar").read_bytes()
    assert headlines() == {"The harbour freezes over"}


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ([], "holds no AGE-SECRET-KEY"),
        ([CLOSES], "holds no AGE-SECRET-KEY"),
        ([envelope.make_key()[0]], "another key"),
    ],
    ids=["none", "only the one that closes", "another"],
)
def test_without_the_right_key_nothing_is_restored(
    settings, tmp_path: Path, keys: list[str], word: str
) -> None:
    settings.BACKUP_KEYS = [CLOSES]
    call_command("backup", tmp_path / "monday.tar")
    make_article("What stands here")
    settings.BACKUP_KEYS = keys

    with pytest.raises(CommandError, match=word):
        call_command("restore", tmp_path / "monday.tar")

    assert headlines() == {"What stands here"}


def test_a_changed_byte_of_an_enciphered_backup_is_noticed(settings, tmp_path: Path) -> None:
    settings.BACKUP_KEYS = [OPENS]
    call_command("backup", tmp_path / "monday.tar")
    content = bytearray((tmp_path / "monday.tar").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "monday.tar").write_bytes(content)

    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", tmp_path / "monday.tar", "--check")


def test_the_worker_backs_up_once_a_day_and_keeps_the_ledger_beside(folder: Path, settings) -> None:
    settings.LEDGER_PATH.parent.mkdir()
    settings.LEDGER_PATH.write_bytes(b'{"seq": 1}\n')
    for hours in range(0, 50, 5):
        assert one_round(BACK_UP, at=NOON + timedelta(hours=hours)) == []

    assert sorted(file.name for file in folder.iterdir()) == [
        "ledger.jsonl",
        "newsroom-20260504T120000Z.tar.age",
        "newsroom-20260505T130000Z.tar.age",
    ]
    assert (folder / "ledger.jsonl").read_bytes() == b'{"seq": 1}\n'
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


def test_a_failed_backup_is_tried_again_soon(folder: Path) -> None:
    folder.write_bytes(b"a file where the folder should be")
    assert one_round(BACK_UP, at=NOON) == ["back up"]

    folder.unlink()
    one_round(BACK_UP, at=NOON + timedelta(minutes=6))

    assert len(vault.listed()) == 1


def test_a_ledger_that_was_lost_here_does_not_replace_its_copy(folder: Path, settings) -> None:
    settings.LEDGER_PATH.parent.mkdir()
    settings.LEDGER_PATH.write_bytes(b'{"seq": 1}\n')
    assert vault.copy_ledger() == 1
    settings.LEDGER_PATH.unlink()

    assert vault.copy_ledger() == 0
    assert (folder / "ledger.jsonl").read_bytes() == b'{"seq": 1}\n'


def test_what_was_removed_since_stays_removed_when_the_whole_machine_is_lost(
    folder: Path, settings, client: Client
) -> None:
    article = make_article("The mayor's letter")
    call_command("backup")
    claim_in(ClaimState.UPHELD, article=article)
    vault.copy_ledger()
    settings.LEDGER_PATH.unlink()

    call_command("restore", "latest")

    assert client.get("/").status_code == 503
    call_command("replay_ledger")
    assert client.get("/readyz").json()["ready"] is True
    assert Hold.objects.in_effect().filter(article=article).exists()


def test_object_storage_holds_a_backup_and_gives_it_back(bucket: ObjectStorage) -> None:
    make_article("The harbour freezes over")
    call_command("backup")
    [path] = bucket.objects
    make_article("A later story")

    assert output("list_backups").strip() == path.removeprefix("/vault/nightly/")
    call_command("restore", "latest")

    assert headlines() == {"The harbour freezes over"}
    assert b"harbour" not in bucket.objects[path]
    assert bucket.signed_by == {"the-key"}


def test_a_backup_too_large_for_one_request_goes_in_parts(bucket: ObjectStorage, tmp_path: Path) -> None:
    large, back = tmp_path / "large", tmp_path / "back"
    large.write_bytes(b"0123456789abcdef" * (600 << 10))

    vault.store().put("large", large)
    vault.store().get("large", back)

    assert filecmp.cmp(large, back, shallow=False)


def test_a_backup_that_arrives_damaged_is_none(bucket: ObjectStorage, client: Client) -> None:
    bucket.breaks = True

    with pytest.raises(CommandError, match="otherwise than it was sent"):
        call_command("backup")

    assert not bucket.objects
    assert client.get("/readyz").json()["warnings"] == ["No backup has been made yet."]


def test_a_stale_backup_is_told_by_readiness_and_metrics(folder: Path, client: Client) -> None:
    call_command("backup")
    assert client.get("/readyz").json()["warnings"] == []

    Heartbeat.objects.filter(name=MADE_BACKUP).update(at=timezone.now() - timedelta(hours=50))

    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["warnings"]) == (
        200,
        ["The newest backup is 50 hours old; one is due every 24."],
    )
    assert "newsroom_backup_age_seconds 18" in client.get("/metrics").content.decode()

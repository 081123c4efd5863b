"""A wrong value in the environment stops the start and says what to set; the value itself is not printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings

from newsroom.checks import environment

ROOT = Path(__file__).resolve().parents[2]
WRONG = {
    "DATABASE_URL": "garbage-4711",
    "EMAIL_URL": "garbage-4711",
    "REDIS_URL": "http://garbage-4711",
    "MAILBOX_URL": "pop://garbage-4711",
    "REMOVAL_EMAIL": "garbage-4711",
    "FETCH_ALLOW_NETWORKS": "garbage-4711",
    "WEB_WORKERS": "garbage-4711",
    "DEBUG": "garbage-4711",
    "PORT": "99999",
    "LOG_LEVEL": "garbage-4711",
    "TIME_ZONE": "Garbage/4711",
    "WORK_ENGINE": "garbage-4711",
    "STORAGE_URL": "s3+https://garbage-4711",
    "BACKUP_URL": "garbage-4711",
    "BACKUP_KEY": "garbage-4711",
    "BACKUP_KEPT_DAYS": "garbage-4711",
    "CDN_URL": "akamai://garbage-4711",
    "CDN_SECONDS": "4711000",
    "INDEXNOW_URL": "https://garbage-4711",
    "RDAP_URL": "ftp://garbage-4711",
}


def check(tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), **changes}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What a start says whose every value is wrong."""
    return check(tmp_path_factory.mktemp("refused"), **WRONG)


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_cannot_be_read_is_named_with_what_to_set(
    name: str, refused: subprocess.CompletedProcess[str]
) -> None:
    assert refused.returncode == 1
    assert f"{name} cannot be read" in refused.stderr
    assert f"Set {name} " in refused.stderr


def test_a_wrong_value_is_not_printed(refused: subprocess.CompletedProcess[str]) -> None:
    said = refused.stderr + refused.stdout
    assert "4711" not in said
    assert "Traceback" not in said


def test_empty_values_are_unset(tmp_path: Path) -> None:
    answer = check(tmp_path, **dict.fromkeys([*WRONG, "SECRET_KEY", "SITE_URL", "ALLOWED_HOSTS"], ""))

    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"VAR_DIR": "/dev/null/var"}, "Set VAR_DIR to a folder you may write to"),
        ({"SITE_URL": "news.example"}, "Set SITE_URL to scheme and host alone"),
        ({"SITE_URL": "https://news.example", "ALLOWED_HOSTS": "other.example"}, "not in ALLOWED_HOSTS"),
        ({"SECRET_KEY": "short"}, "at least 50 random characters"),
        ({"BACKUP_URL": "s3+https://key:secret@vault.example/newsroom"}, "manage.py make_backup_key"),
        ({"WORK_ENGINE": "celery"}, "REDIS_URL is not set"),
    ],
)
def test_values_that_do_not_fit_together_are_explained(
    changes: dict[str, str], says: str, tmp_path: Path
) -> None:
    answer = check(tmp_path, **changes)

    assert answer.returncode == 1
    assert says in answer.stderr


def test_the_web_server_does_not_start_with_a_wrong_value(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "WEB_WORKERS": "many"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:newsroom.gunicorn", "newsroom.wsgi"]

    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    assert answer.returncode != 0
    assert "Set WEB_WORKERS to a whole number" in answer.stderr


@pytest.mark.parametrize(
    ("address", "is_refused"), [("http://id.example", True), ("http://127.0.0.1:9", False)]
)
def test_a_provider_is_believed_over_an_encrypted_connection(
    address: str, is_refused: bool, settings: LazySettings
) -> None:
    settings.OIDC_SERVER_URL = address

    assert ("newsroom.E013" in {error.id for error in environment(None)}) == is_refused

"""manage.py outside the virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import django
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def run_without_django(manage: Path) -> subprocess.CompletedProcess[str]:
    """`manage.py version` under a Python that sees no installed package (-S)."""
    bare = [sys._base_executable, "-S", str(manage), "version"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VAR_DIR") if name in os.environ}
    return subprocess.run(bare, env=kept, capture_output=True, text=True, check=False)


def test_it_starts_itself_again_where_django_is() -> None:
    done = run_without_django(ROOT / "manage.py")

    assert done.stdout.strip() == django.get_version(), done.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "Run manage.py migrate first."),
        ("postgres://nobody@127.0.0.1:1/none", "The database does not answer"),
    ],
)
def test_a_database_that_is_not_ready_is_told_in_a_sentence(
    tmp_path: Path, address: str, sentence: str
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    given = {"VAR_DIR": str(tmp_path), **({"DATABASE_URL": address} if address else {})}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "export_opml"],
        env={**kept, **given},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert sentence in done.stderr


def test_without_an_environment_it_says_what_to_run(tmp_path: Path) -> None:
    shutil.copy(ROOT / "manage.py", tmp_path)

    done = run_without_django(tmp_path / "manage.py")

    assert done.returncode == 1
    assert "Run script/run once" in done.stderr

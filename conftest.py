"""The test environment: set before Django reads its settings, the same for `pytest` and for `script/test`.

TEST_DATABASE_URL chooses the database (default: SQLite in a temporary folder). Nothing else of the caller's
environment reaches the settings.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import django
import pytest
from whitenoise.base import WhiteNoise

ROOT = Path(__file__).resolve().parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
SETTINGS = """
ALLOWED_HOSTS BACKUP_EVERY_HOURS BACKUP_KEPT_DAYS BACKUP_KEY BACKUP_URL BIND CDN_SECONDS CDN_URL DEBUG
DEMO_PASSWORD EMAIL_URL INDEXNOW_URL LEDGER_PATH LOG_FORMAT LOG_LEVEL LOG_REQUESTS MAILBOX_URL METRICS_TOKEN
OTEL_EXPORTER_OTLP_ENDPOINT PORT RDAP_URL REDIS_URL REMOVAL_EMAIL REPLICA_URLS SENTRY_DSN SITE_NAME SITE_URL
STORAGE_URL TIME_ZONE WEB_THREADS WEB_WORKERS WORK_ENGINE
"""

# One folder for the session, made by the process that began it; each parallel process has its own inside.
if not WORKER:
    os.environ["NEWSROOM_TEST_DIR"] = tempfile.mkdtemp(prefix="newsroom-pytest-")
SESSION_DIR = Path(os.environ["NEWSROOM_TEST_DIR"])
VAR_DIR = SESSION_DIR / (WORKER or "alone")
VAR_DIR.mkdir(exist_ok=True)

for name in SETTINGS.split():
    os.environ.pop(name, None)
os.environ.update(
    DJANGO_SETTINGS_MODULE="newsroom.settings",
    SECRET_KEY="a key for tests alone, long enough that no check complains about it",
    VAR_DIR=str(VAR_DIR),
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{VAR_DIR}/newsroom.sqlite3",
    FETCH_ALLOW_NETWORKS="127.0.0.0/8,::1/128",
    # Playwright runs an event loop in the thread of the test; Django would refuse the database there.
    DJANGO_ALLOW_ASYNC_UNSAFE="true",
    # A name nobody answers for is given up at once, whatever the machine's resolver is like.
    RES_OPTIONS="timeout:1 attempts:1",
)

# Before the fixtures below `tests/` import our models.
django.setup()
# Parallel processes inherit the environment; with this name in it they would read the settings too early.
del os.environ["DJANGO_SETTINGS_MODULE"]


# Tests of these files share what takes long to start: one process runs each file, and begins with the longest.
TOGETHER = {
    f"tests/{name}.py"
    for name in (
        "ops/test_run",
        "ops/test_environment",
        "moderation/test_receive_mailbox",
        "webclient/test_client",
    )
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each test to the process that is free; the grouping of xdist 3.8 does nothing under pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return path if path in TOGETHER else nodeid

    return Together(config, log)


def _newest_static_change() -> str:
    sources = [*ROOT.glob("static/**/*"), *ROOT.glob("*/static/**/*"), ROOT / "requirements.txt"]
    sources += [ROOT / "newsroom" / "settings.py", ROOT / "newsroom" / "apps.py"]
    return f"{len(sources)}-{max(path.stat().st_mtime_ns for path in sources if path.exists())}"


def pytest_configure(config: pytest.Config) -> None:
    """Pages name their style sheets by hash, so the static files are collected, again when they change."""
    _look_at_static_files_once()
    if WORKER:
        (VAR_DIR / "static").symlink_to(SESSION_DIR / "static")
        return
    collected = Path(config.cache.mkdir("static")) / _newest_static_change()
    if not collected.exists():
        _collect_static(collected)
    # Links of its own: another session may throw away what was collected before the files changed.
    shutil.copytree(collected, SESSION_DIR / "static", copy_function=_link_or_copy)
    (VAR_DIR / "static").symlink_to(SESSION_DIR / "static")


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a folder on another disk
        shutil.copy2(source, target)


def _collect_static(collected: Path) -> None:
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    an_hour_ago = time.time() - 3600
    for stale in collected.parent.iterdir():
        if stale.stat().st_mtime < an_hour_ago:
            shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=collected.parent) as folder:
        fresh = Path(folder) / "static"
        shutil.move(VAR_DIR / "static", fresh)
        # Another session may have put the same files there a moment before.
        with contextlib.suppress(OSError):
            fresh.rename(collected)


def _look_at_static_files_once() -> None:
    """Each visitor in a test makes the middleware anew, and with it a tenth of a second's look through one folder."""
    look, found = WhiteNoise.update_files_dictionary, dict[tuple[str, str], dict[str, Any]]()

    def look_once(self: Any, root: str, prefix: str) -> None:
        if (root, prefix) not in found:
            look(self, root, prefix)
            found[root, prefix] = dict(self.files)
        self.files.update(found[root, prefix])

    WhiteNoise.update_files_dictionary = look_once


def pytest_unconfigure() -> None:
    if not WORKER:
        shutil.rmtree(SESSION_DIR, ignore_errors=True)

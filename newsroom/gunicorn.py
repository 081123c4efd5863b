"""How gunicorn serves the site: `gunicorn --config python:newsroom.gunicorn newsroom.wsgi`.

Read before Django is set up, so it looks at the environment itself. WEB_WORKERS and WEB_THREADS say how
many; BIND (or PORT) says where. A wrong value of any setting stops the start (newsroom/checks.py).
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from newsroom import environment as env
from newsroom import logs, memory

# systemd and script/run control the processes; gunicorn's own control socket would lie in the home folder.
control_socket_disable = True

bind = os.environ.get("BIND") or f"127.0.0.1:{env.number('PORT', default=8000, most=65535)}"
workers = env.number("WEB_WORKERS", default=0, most=256) or min(os.cpu_count() or 1, 8)
worker_class = "newsroom.web_worker.Worker"
threads = env.number("WEB_THREADS", default=4, most=64) or 4

# A worker that hangs is replaced; one that is asked to stop may finish what it has begun.
timeout = 60
graceful_timeout = 20
keepalive = 5

# The heartbeat file of each worker lives in memory: a slow disk must not look like a hanging worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# The proxy in front is believed about https only where it says who it is.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1,::1"

# No header says which path is meant: not every proxy drops one of that name which a visitor sent.
forwarder_headers = ""

accesslog = os.environ.get("ACCESS_LOG") or None
errorlog = "-"
loglevel = env.choice("LOG_LEVEL", default="INFO", among=env.LOG_LEVELS).lower()
# The same words in the same form as the site's own log.
logconfig_dict = logs.configuration(
    level=loglevel.upper(), form=env.choice("LOG_FORMAT", default="line", among=("line", "json"))
)


# The status with which a worker tells gunicorn to give up instead of starting another.
NOT_BOOTED = 3


def post_fork(server: Any, worker: Any) -> None:
    """A worker reads the whole program, so that after a reload it is the new one: the master has imported nothing
    of it but what this file needs, and that is read again.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == "newsroom"]:
        del sys.modules[name]
    memory.one_heap()


def post_worker_init(worker: Any) -> None:
    """The system checks, before the first answer: what would not work must not start."""
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    from articles.reads import reads

    try:
        call_command("check", stdout=io.StringIO())
    except SystemCheckError as error:
        worker.log.error("%s", error)
        raise SystemExit(NOT_BOOTED) from error
    _begin_files()
    memory.keep()
    reads.start()


def worker_exit(server: Any, worker: Any) -> None:
    """What was counted and not written down yet."""
    from articles.reads import reads

    if reads.is_on:
        reads.write()


def _begin_files() -> None:
    """Compare the pages that are files with their rows before anybody can be sent one by us."""
    from django.conf import settings
    from django.utils import timezone

    from articles.build import build_of_the_program
    from newsroom import publishing

    if settings.PAGES_DIR:
        publishing.begin()
        publishing.compare(0, timezone.now(), build=build_of_the_program())

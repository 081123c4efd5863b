"""How gunicorn serves the site: `gunicorn --config python:newsroom.gunicorn newsroom.wsgi`.

Read before Django is set up, so it looks at the environment itself. WEB_WORKERS and WEB_THREADS say how
many; BIND (or PORT) says where.
"""

from __future__ import annotations

import os

# systemd and script/run control the processes; gunicorn's own control socket would lie in the home folder.
control_socket_disable = True

bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_WORKERS") or 0) or min(os.cpu_count() or 1, 8)
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS") or 0) or 4

# A worker that hangs is replaced; one that is asked to stop may finish what it has begun.
timeout = 60
graceful_timeout = 20
keepalive = 5

# The heartbeat file of each worker lives in memory: a slow disk must not look like a hanging worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# The proxy in front is believed about https only where it says who it is.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1,::1"

accesslog = os.environ.get("ACCESS_LOG") or None
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL", "info").lower()

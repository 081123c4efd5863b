"""The Celery application: `celery --app newsroom worker` on every host that is to do work.

A task names a kind of work and nothing more; what is due is in the database. So a task that is lost, late or
delivered twice costs nothing: the next tick sends another, and leases see to it that each row is done once.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")

from django.conf import settings

app = Celery("newsroom", broker=settings.REDIS_URL, include=["newsroom.tasks"])
app.conf.update(
    task_default_queue="newsroom",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 900},
)

"""A feed the worker is fetching when somebody asks for it is waited for, never passed over in silence."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from aggregator.models import Feed
from tests.aggregator.conftest import item, rss
from tests.loopback import WebServer


def run(name: str, *args: Any) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def in_other_hands(**how_long: float) -> None:
    Feed.objects.update(lease_until=timezone.now() + timedelta(**how_long), lease_token="worker")


@pytest.mark.django_db
def test_a_feed_the_worker_has_in_hand_is_waited_for_and_fetched(web: WebServer) -> None:
    run("add_feed", web.put("/feed", rss(item(1), item(2))))
    in_other_hands(seconds=2)

    assert json.loads(run("fetch_feeds", "--all", "--json"))["created"] == 2


@pytest.mark.django_db
def test_a_feed_the_worker_keeps_is_named(web: WebServer) -> None:
    url = web.put("/feed", rss(item(1)))
    run("add_feed", url)
    in_other_hands(hours=1)

    line = json.loads(run("fetch_feeds", "--all", "--json", "--wait", "1"))

    assert line["url"] == url
    assert "another worker" in line["error"]
    with pytest.raises(CommandError, match="another worker"):
        run("fetch_feeds", "--feed", url, "--wait", "0")

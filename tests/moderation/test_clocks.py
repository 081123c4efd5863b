"""A day is 24 elapsed hours, whatever the clocks on the wall, in the server or in the notice say."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as site
from django.db import connection
from django.utils import timezone

from articles.models import Article
from moderation.models import Channel, Notice
from moderation.receive import Submission, receive
from tests.clock import Clocks, clocks
from tests.factories import ArticleFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db
BEFORE = timedelta(seconds=1)

CHANGES = [
    # In spring an hour is left out, in autumn one comes twice; on Lord Howe it is half an hour.
    ("Europe/Berlin", "2026-03-28 12:30", "2026-03-29 13:30"),
    ("Europe/Berlin", "2026-10-24 12:30", "2026-10-25 11:30"),
    ("Australia/Lord_Howe", "2026-04-04 12:30", "2026-04-05 12:00"),
    ("Asia/Kathmandu", "2026-06-01 12:30", "2026-06-02 12:30"),
    ("UTC", "2027-12-31 23:59", "2028-01-01 23:59"),
]


def received(begin: datetime) -> tuple[Article, Notice]:
    article = ArticleFactory(published_at=begin - timedelta(days=1), headline="Ferries sail again")
    submission = Submission(
        channel=Channel.FORM, text=site.SITE_URL + article.get_absolute_url(), email="o@owner.example", name="O",
        work="Mine", good_faith=True, accurate=True, signature="O", confirmed=True,
    )  # fmt: skip
    return article, receive(submission=submission, at=timezone.now()).notice


def status(article: Article) -> int:
    door = FrontDoor()
    listed = "Ferries sail again" in door.get("/feeds/latest.json").text
    own = door.get(article.get_absolute_url()).status
    assert listed is (own == 200)
    return own


@pytest.mark.parametrize(("zone", "arrives", "promised"), CHANGES)
def test_24_hours_are_elapsed_hours_in_every_zone(zone, arrives, promised, settings):
    begin, end = (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) for text in (arrives, promised))
    settings.TIME_ZONE = zone
    with clocks(begin) as clock:
        article, notice = received(begin)
        hidden_from = notice.claims.get().hold.effective_at

        assert notice.deadline_at == end
        assert hidden_from == begin.astimezone(ZoneInfo("UTC")) + timedelta(hours=site.HOLD_AFTER_HOURS)
        clock.set(hidden_from - BEFORE)
        assert status(article) == 200
        clock.set(hidden_from)
        assert status(article) == 451


@pytest.mark.parametrize("skew", [-3, 3])
def test_the_database_decides_when_the_application_s_clock_is_wrong(skew):
    begin = datetime(2026, 6, 1, 12, tzinfo=ZoneInfo("UTC"))
    with clocks(begin) as clock:
        article, notice = received(begin)
        hidden_from = notice.claims.get().hold.effective_at

        clock.set(hidden_from - BEFORE, skew=timedelta(hours=skew))
        assert status(article) == 200
        clock.set(hidden_from, skew=timedelta(hours=skew))
        assert status(article) == 451
        _set_back(clock, article)


def _set_back(clock: Clocks, article: Article) -> None:
    """What a reader once met withheld stays so when the clock is wrong later."""
    clock.set(clock.db - timedelta(hours=12))
    assert status(article) == 451


def test_a_server_that_moves_to_another_zone_meanwhile_keeps_the_moment(settings):
    begin = datetime(2026, 3, 28, 12, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    settings.TIME_ZONE = "Europe/Berlin"
    with clocks(begin) as clock:
        article, notice = received(begin)
        settings.TIME_ZONE = "America/Adak"
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Whatever zone the server is in, each of our connections sets its own.
                cursor.execute("SHOW TIME ZONE")
                assert cursor.fetchone() == ("UTC",)
        hidden_from = Notice.objects.get(pk=notice.pk).claims.get().hold.effective_at

        assert hidden_from - begin.astimezone(ZoneInfo("UTC")) == timedelta(hours=site.HOLD_AFTER_HOURS)
        clock.set(hidden_from - BEFORE)
        assert status(article) == 200
        clock.set(hidden_from)
        assert status(article) == 451

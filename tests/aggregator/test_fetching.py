"""A feed becomes articles: once, politely, and whatever its server does."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from aggregator import actions
from aggregator.documents import FeedDocument
from aggregator.models import EntryRecord, Feed, Fetch
from aggregator.parse import parse
from articles.actions import erase, place_hold, release_hold
from articles.models import Article, ArticleState, HoldKind, Source
from tests.aggregator import corpus
from tests.aggregator.conftest import NOON, fetch_once, item, rss
from tests.loopback import Answer, Asked, WebServer

Outlet = Callable[..., Feed]
pytestmark = pytest.mark.django_db


def test_an_entry_becomes_an_article_that_credits_and_links(outlet: Outlet) -> None:
    report = fetch_once(outlet(body=corpus.RSS_2))

    assert (report.entries, report.created, report.error) == (2, 2, "")
    article = Article.objects.get(canonical_url="https://harbour.example/2026/ferry")
    assert article.headline == "Ferry & pilot boat collide off Skerry Point"
    assert article.source.name == "The Harbour Post"
    assert article.source.domain == "harbour.example"
    assert "<p>A second paragraph.</p>" in article.body
    assert article.licence_url == "https://creativecommons.org/licenses/by/4.0/"
    assert article.state == ArticleState.PUBLISHED
    credited = [(one.contributor.name, one.role) for one in article.contributions.order_by("position")]
    assert credited == [
        ("Rosa Lind", "author"),
        ("Tom Oyelaran", "author"),
        ("Mei Tan", "author"),
        ("Uwe Brandt", "contributing_reporter"),
        ("Ola Venn", "photographer"),
    ]
    assert sorted(article.tags.names()) == ["Accidents", "Shipping"]
    assert article.lead_media.original_url == "https://img.harbour.example/large.jpg"
    assert article.lead_media.credit == "Photograph: Ola Venn"


def test_a_second_fetch_asks_conditionally_and_imports_nothing_twice(outlet: Outlet, web: WebServer) -> None:
    validators = {"ETag": 'W/"odd, \\"one\\""', "Last_Modified": "Mon, 02 Mar 2026 08:00:00 GMT"}
    feed = outlet(body=rss(item(1), item(2)), **validators)

    first = fetch_once(feed)
    second = fetch_once(feed, NOON + timedelta(hours=1))

    assert (first.created, second.created) == (2, 0)
    assert (second.entries, second.skipped, second.blocked) == (2, 2, 0)
    assert web.asked[1].headers["If-None-Match"] == 'W/"odd, \\"one\\""'
    assert web.asked[1].headers["If-Modified-Since"] == "Mon, 02 Mar 2026 08:00:00 GMT"
    assert Article.objects.count() == 2


def test_validators_are_renewed_by_304_and_kept_through_a_failed_parse(
    outlet: Outlet, web: WebServer
) -> None:
    feed = outlet(body=rss(item(1)), ETag='"one"')
    fetch_once(feed)

    web.put("/feed", status=304, headers=[("ETag", '"two"')])
    without = outlet("/without", rss("<item><title>No address</title></item>"))
    assert "address of an original" in fetch_once(without).error
    unread = actions.register(url=web.put("/unread", status=304), at=NOON)
    assert "was not asked" in fetch_once(unread).error
    fetch_once(feed, NOON + timedelta(hours=1))
    assert feed.etag == '"two"'

    web.put("/feed", b"<!DOCTYPE html><html>Log in</html>", headers=[("ETag", '"three"')])
    report = fetch_once(feed, NOON + timedelta(hours=2))
    assert "web page" in report.error
    assert (feed.etag, feed.failures) == ('"two"', 1)

    web.put("/feed", rss(item(1), item(2)))
    assert fetch_once(feed, NOON + timedelta(hours=3)).created == 1
    assert (feed.etag, feed.failures, feed.last_error) == ("", 0, "")


def test_a_changed_entry_updates_its_article_and_the_rest_is_skipped(outlet: Outlet, web: WebServer) -> None:
    feed = outlet(body=rss(item(1), item(2)))
    fetch_once(feed)

    web.put("/feed", rss(item(1, title="Ship number 1 left again"), item(2)))
    report = fetch_once(feed, NOON + timedelta(hours=1))

    assert (report.entries, report.updated, report.skipped, report.created) == (2, 1, 1, 0)
    assert (
        Article.objects.get(canonical_url="https://harbour.example/1").headline == "Ship number 1 left again"
    )


@pytest.mark.parametrize(
    "again",
    [
        item(1, link="https://harbour.example/1?utm_source=feed"),
        item(1, link="http://www.harbour.example/1"),
        item(1, guid="another-identifier"),
        item(1, link="https://harbour.example/renamed"),
    ],
)
def test_the_same_work_under_another_name_is_not_doubled(outlet: Outlet, web: WebServer, again: str) -> None:
    feed = outlet(body=rss(item(1)))
    fetch_once(feed)

    web.put("/feed", rss(again))
    fetch_once(feed, NOON + timedelta(hours=1))

    assert Article.objects.count() == 1


def test_entries_that_share_one_identifier_are_told_apart(outlet: Outlet) -> None:
    report = fetch_once(outlet(body=rss(*(item(number, guid="1") for number in range(5)))))

    assert report.created == 5


def test_another_outlets_feed_cannot_change_an_article(outlet: Outlet) -> None:
    fetch_once(outlet("/own", rss(item(1))))
    foreign = rss(item(1, title="Quite another story", guid="x"), link="https://thief.example/")

    report = fetch_once(outlet("/thief", foreign))

    assert (report.skipped, report.updated) == (1, 0)
    assert Article.objects.get().headline == "Ship number 1 came in on the tide"


def test_an_entry_without_an_original_to_link_to_is_left_out(outlet: Outlet) -> None:
    bad = item(1, link="javascript:alert(1)").replace("<guid>", '<guid isPermaLink="false">')

    report = fetch_once(outlet(body=rss(bad, item(2))))

    assert (report.created, report.skipped) == (1, 1)


def test_a_feed_under_review_publishes_nothing(web: WebServer) -> None:
    feed = actions.register(url=web.put("/feed", rss(item(1))), at=NOON, review=True)

    assert fetch_once(feed).created == 1
    assert Article.objects.get().state == ArticleState.REVIEW


def hold(article: Article) -> object:
    return place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", by=None,
        at=timezone.now() - timedelta(hours=2), effective_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip


@pytest.mark.parametrize(
    "disguise",
    [
        item(1),
        item(1, guid="new"),
        item(1, title="Retold: a ship came in", description="Altered text."),
        item(1, link="https://harbour.example/elsewhere"),
        item(1, link="https://harbour.example/1?utm_campaign=again", guid="new"),
        item(1, link="https://harbour.example/other", title="Retold", description="Altered"),
    ],
)
@pytest.mark.parametrize("erased", [False, True])
def test_a_removed_article_does_not_come_back(
    outlet: Outlet, web: WebServer, disguise: str, erased: bool
) -> None:
    feed = outlet(body=rss(item(1)))
    fetch_once(feed)
    hold(Article.objects.get())
    if erased:
        erase(article=Article.objects.get(), at=timezone.now())

    web.put("/feed", rss(disguise, item(2)))
    report = fetch_once(feed, timezone.now())

    assert (report.created, report.blocked + report.skipped) == (1, 1)
    assert list(Article.objects.public().values_list("canonical_url", flat=True)) == [
        "https://harbour.example/2"
    ]
    assert Article.objects.count() == 2


@pytest.mark.parametrize("erased", [False, True])
def test_a_removed_work_is_known_by_its_identifier_in_any_feed(outlet: Outlet, erased: bool) -> None:
    guid = "tag:harbour.example,2026:1"
    fetch_once(outlet("/own", rss(item(1, guid=guid))))
    hold(Article.objects.get())
    if erased:
        erase(article=Article.objects.get(), at=timezone.now())
    retold = item(
        9,
        guid=guid,
        title="Quite other words",
        description="And another text.",
        link="https://mirror.example/9",
    )

    mirror = outlet("/mirror", rss(retold, item(2), link="https://mirror.example/"))
    report, again = fetch_once(mirror, timezone.now()), fetch_once(mirror, timezone.now())

    assert (report.created, report.blocked) == (1, 1)
    assert (again.entries, again.created, again.skipped, again.blocked) == (2, 0, 1, 1)
    assert not Article.objects.filter(headline="Quite other words").exists()


def test_a_blocked_entry_comes_in_when_its_hold_is_lifted(outlet: Outlet, web: WebServer) -> None:
    fetch_once(outlet(body=rss(item(1))))
    standing = hold(Article.objects.get())
    mirror = outlet(
        "/mirror", rss(item(1, link="https://mirror.example/1", guid="m"), link="https://mirror.example/")
    )
    assert fetch_once(mirror, timezone.now()).blocked in (0, 1)
    was_blocked = EntryRecord.objects.filter(feed=mirror, blocked=True).exists()

    release_hold(hold=standing, at=timezone.now(), by=None)  # type: ignore[arg-type]
    web.put(
        "/mirror",
        rss(item(1, link="https://mirror.example/1", guid="m"), item(3), link="https://mirror.example/"),
    )
    report = fetch_once(mirror, timezone.now())

    assert report.created == (2 if was_blocked else 1)


# --- servers that fail ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "password"),
        (403, "refuses"),
        (404, "no feed at this address"),
        (500, "fault"),
        (503, "overloaded"),
    ],
)
def test_a_failure_is_told_in_words_and_the_next_try_comes_later_each_time(
    outlet: Outlet, web: WebServer, status: int, words: str
) -> None:
    feed = outlet()
    web.put("/feed", status=status)
    waits = []
    for number in range(4):
        at = NOON + timedelta(days=number)
        report = fetch_once(feed, at)
        waits.append(feed.due_at - at)
        assert words in report.error
        assert report.http_status == status

    assert feed.failures == 4
    assert waits == sorted(waits)
    assert waits[-1] > 3 * waits[0]
    assert Fetch.objects.filter(feed=feed, http_status=status).count() == 4


def test_retry_after_is_kept_even_when_all_feeds_are_fetched(outlet: Outlet, web: WebServer) -> None:
    feed = outlet()
    web.put("/feed", status=429, headers=[("Retry-After", "7200")])
    fetch_once(feed)
    assert feed.not_before >= NOON + timedelta(hours=2)

    actions.make_due(at=NOON + timedelta(hours=1))
    assert list(actions.fetch_pass(at=NOON + timedelta(hours=1))) == []

    web.put("/feed", rss(item(1)))
    later = NOON + timedelta(hours=3)
    actions.make_due(at=later)
    assert [report.created for report in actions.fetch_pass(at=later)] == [1]


def test_a_feed_that_is_gone_is_asked_no_more(outlet: Outlet, web: WebServer) -> None:
    feed = outlet()
    web.put("/feed", status=410)

    report = fetch_once(feed)
    actions.make_due(at=NOON + timedelta(days=1))

    assert "ended" in report.error
    assert feed.gone_at is not None
    assert list(actions.fetch_pass(at=NOON + timedelta(days=1))) == []


def test_a_permanent_move_is_believed_after_days_and_a_temporary_one_never(
    outlet: Outlet, web: WebServer
) -> None:
    feed, other = outlet("/old"), outlet("/lent")
    web.redirect("/old", "/new", 301)
    web.redirect("/lent", "/new2", 302)
    web.put("/new", rss(item(1)))
    web.put("/new2", rss(item(2), link="https://other.example/"))
    urls = []
    for day in range(5):
        fetch_once(other, NOON + timedelta(days=day))
        fetch_once(feed, NOON + timedelta(days=day))
        urls.append(feed.url)

    assert urls[:3] == [web.url("/old")] * 3
    assert urls[4] == web.url("/new")
    assert other.url == web.url("/lent")
    # The outlet's feed is what our own feeds name as its source.
    assert Source.objects.get(pk=feed.source_id).feed_url == web.url("/new")


def test_a_move_to_a_feed_already_read_pauses_the_old_one(outlet: Outlet, web: WebServer) -> None:
    feed = outlet("/old")
    outlet("/new", rss(item(1)))
    web.redirect("/old", "/new", 308)
    for day in (0, 1, 2, 4):
        fetch_once(feed, NOON + timedelta(days=day))

    assert feed.paused_at is not None
    assert "read already" in feed.pause_reason


def test_a_feed_on_a_private_address_is_refused_in_words(settings: object) -> None:
    feed = actions.register(url="http://10.0.0.1/feed", at=NOON)

    assert "private network" in fetch_once(feed).error


def test_one_bad_feed_never_stops_the_others(outlet: Outlet, web: WebServer) -> None:
    outlet("/broken", b"<rss><channel><item><title>&bad; \x00", Content_Type="text/html")
    outlet("/page", b"<html>no</html>")
    outlet("/bomb", gzip.compress(b" " * 60_000_000), Content_Encoding="gzip")
    web.play("/hang", lambda connection: connection.close())
    actions.register(url=web.url("/hang"), at=NOON)
    outlet(
        "/laughs",
        b'<!DOCTYPE r [<!ENTITY a "x">]><rss><channel><item><title>&a;</title></item></channel></rss>',
    )
    good = outlet("/good", rss(item(1)))

    reports = {report.url: report for report in actions.fetch_pass(at=NOON)}

    assert len(reports) == 6
    assert reports[good.url].created == 1
    assert "larger than" in reports[web.url("/bomb")].error
    assert Fetch.objects.count() == 6
    assert Feed.objects.filter(lease_token="").count() == 6


REFUSE = {
    "sqlite": [
        "CREATE TRIGGER refuse BEFORE INSERT ON articles_article WHEN NEW.canonical_url LIKE '%/2' "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END",
    ],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.canonical_url LIKE '%/2' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON articles_article FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}


def test_a_fault_of_ours_and_a_stop_lose_nothing_that_came(outlet: Outlet) -> None:
    class Parser:
        """Ours has a fault at one document, and somebody presses Ctrl-C at another."""

        def parse(self, data: bytes, *, content_type: str = "", url: str = "") -> FeedDocument:
            if url.endswith("/2"):
                raise RuntimeError
            if url.endswith("/3"):
                raise KeyboardInterrupt
            return parse(data, url=url)

    first, second, _ = (outlet(f"/{number}", rss(item(number))) for number in (1, 2, 3))

    with pytest.raises(KeyboardInterrupt):
        list(actions.fetch_pass(at=NOON, parser=Parser()))

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.last_error, Article.objects.count()) == ("", 1)
    assert (second.last_error, second.failures) == (actions.NOT_READ, 1)
    assert not Feed.objects.exclude(lease_token="").exists()


def test_an_entry_the_database_refuses_does_not_hold_up_its_neighbours(outlet: Outlet) -> None:
    feed = outlet(body=rss(item(1), item(2), item(3)))
    with connection.cursor() as cursor:
        for statement in REFUSE[connection.vendor]:
            cursor.execute(statement)
    report = fetch_once(feed)

    assert report.created == 2
    assert "could not be stored" in report.error


# --- pace -------------------------------------------------------------------------------------


def test_one_host_is_asked_for_one_feed_at_a_time_and_hosts_side_by_side(web: WebServer) -> None:
    def slow(asked: Asked) -> Answer:
        time.sleep(0.1)
        return Answer(200, rss())

    for number in range(4):
        actions.register(url=web.decide(f"/{number}", slow), at=NOON)

    list(actions.fetch_pass(at=NOON))
    assert web.most_open == 1

    for number in range(4):
        web.decide(f"/host{number}", slow)
        actions.register(url=f"http://127.0.0.{number + 2}:{web.port}/host{number}", at=NOON)
    assert len(list(actions.fetch_pass(at=NOON))) == 4


def test_a_feed_is_asked_more_often_the_more_it_brings(outlet: Outlet) -> None:
    def dated(*minutes: int) -> bytes:
        dates = [(NOON - timedelta(minutes=ago)).strftime("%a, %d %b %Y %H:%M:%S GMT") for ago in minutes]
        return rss(*(item(f"{minutes[0]}-{n}", pubDate=date) for n, date in enumerate(dates)))

    busy, calm = outlet("/busy", dated(*range(5, 200, 10))), outlet("/calm", dated(*range(60, 20_000, 2_000)))
    fetch_once(busy)
    fetch_once(calm)

    assert timedelta(minutes=4) < busy.due_at - NOON < timedelta(minutes=12)
    assert timedelta(hours=10) < calm.due_at - NOON <= timedelta(hours=27)


def test_paused_feeds_and_suspended_sources_are_left_alone(outlet: Outlet, web: WebServer) -> None:
    paused, suspended = outlet("/paused", rss()), outlet("/suspended", rss())
    Source.objects.filter(pk=suspended.source_id).update(suspended_at=NOON)
    actions.pause(feeds=[paused], at=NOON, reason="noise")

    assert list(actions.fetch_pass(at=NOON)) == []
    Source.objects.update(suspended_at=None)
    actions.resume(feeds=[paused], at=NOON)
    assert len(list(actions.fetch_pass(at=NOON))) == 2


# --- many workers -----------------------------------------------------------------------------


def test_a_feed_taken_over_meanwhile_is_stored_by_nobody_else(outlet: Outlet) -> None:
    feed = outlet(body=rss(item(1)))
    began = actions.fetch_pass(at=NOON, only=[feed.pk])
    one = actions._Pass(NOON, actions.default_client(), actions.default_sandbox())
    one.waiting = {feed.pk: "127.0.0.1"}
    work = one.begin(feed)
    assert work is not None
    late = NOON + timedelta(seconds=actions.LEASE_SECONDS + 1)
    outcome = work()

    taken_over = list(actions.fetch_pass(at=late, only=[feed.pk]))
    token, started_at = one.claims[feed.pk]
    assert actions.store_all([actions.Attempt(feed, token, started_at, outcome)], at=late) == [None]

    assert [report.created for report in taken_over] == [1]
    assert Article.objects.count() == 1
    assert Fetch.objects.count() == 1
    assert list(began) == []


def test_more_feeds_than_are_claimed_at_once_are_fetched_once_each(outlet: Outlet, web: WebServer) -> None:
    for number in range(2 * actions.CLAIMED_AT_ONCE + 3):
        outlet(f"/{number}", rss(item(number)))

    reports = list(actions.fetch_pass(at=NOON))

    assert {report.created for report in reports} == {1}
    assert len(reports) == len(web.asked) == Article.objects.count() == 2 * actions.CLAIMED_AT_ONCE + 3
    assert not Feed.objects.exclude(lease_token="").exists()


def test_feeds_that_offer_the_same_article_at_once_do_not_double_it(outlet: Outlet) -> None:
    for number in range(3):
        outlet(f"/{number}", rss(item(1), item(f"{number}0")))

    reports = list(actions.fetch_pass(at=NOON))

    assert sorted((report.created, report.skipped) for report in reports) == [(1, 1), (1, 1), (2, 0)]
    assert Article.objects.count() == 4


def worker(program: str) -> subprocess.Popen[bytes]:
    """Another process on the test's own database."""
    database = connection.settings_dict
    setup = (
        "import django, os; django.setup()\n"
        "from django.db import connections\n"
        f"connections['default'].settings_dict.update(NAME={database['NAME']!r})\n"
        "from django.utils import timezone\nfrom aggregator import actions\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "newsroom.settings",
        "VAR_DIR": str(settings.VAR_DIR),
        "FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
    }
    return subprocess.Popen(
        [sys.executable, "-c", setup + program],
        cwd=Path(settings.BASE_DIR),
        env=environment,
        stdout=subprocess.PIPE,
    )


PASS = "print(sum(r.created for r in actions.fetch_pass(at=timezone.now())), flush=True)"


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_nothing_half_done_and_is_taken_over(web: WebServer) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(asked: Asked) -> Answer:
        reached.set()
        go_on.wait(20)
        return Answer(200, rss(item(1)))

    feed = actions.register(url=web.decide("/feed", slow), at=NOON)
    killed = worker(PASS)
    assert reached.wait(30)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    go_on.set()

    feed.refresh_from_db()
    assert feed.lease_token
    assert list(actions.fetch_pass(at=timezone.now())) == []

    after = timezone.now() + timedelta(seconds=actions.LEASE_SECONDS + 1)
    assert [report.created for report in actions.fetch_pass(at=after)] == [1]
    assert (Article.objects.count(), Fetch.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("homes", "slugs"),
    [
        (("https://one.example/", "https://two.example/"), ["the-harbour-post", "the-harbour-post-2"]),
        (("https://one.example/", "https://one.example/news"), ["the-harbour-post"]),
    ],
    ids=["of one name", "of one site"],
)
def test_outlets_that_two_workers_meet_at_once_are_both_kept_and_neither_twice(
    homes: tuple[str, str], slugs: list[str]
) -> None:
    def meet(url: str) -> None:
        with closing(connection):
            actions.source_of(url=url, name="The Harbour Post", language="en")

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            actions.source_of(url=homes[0], name="The Harbour Post", language="en")
            other = pool.submit(meet, homes[1])
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
        other.result(timeout=60)

    assert sorted(Source.objects.values_list("slug", flat=True)) == slugs


@pytest.mark.django_db(transaction=True)
def test_of_three_workers_one_is_killed_and_every_feed_comes_in_once(web: WebServer) -> None:
    begun = threading.Semaphore(0)

    def slow(asked: Asked) -> Answer:
        begun.release()
        time.sleep(0.02)
        number = asked.path.strip("/")
        return Answer(200, rss(item(number), link=f"https://outlet{number}.example/"))

    for number in range(100):
        actions.register(url=web.decide(f"/{number}", slow), at=NOON)
    workers = [worker(PASS) for _ in range(3)]
    was_begun = [begun.acquire(timeout=60) for _ in range(10)]
    os.kill(workers[0].pid, signal.SIGKILL)
    for one in workers:
        one.communicate(timeout=60)

    asked = web.paths()

    after = timezone.now() + timedelta(seconds=actions.LEASE_SECONDS + 1)
    list(actions.fetch_pass(at=after))

    assert all(was_begun)
    # While the leases ran, nobody asked for a feed that another had.
    assert len(asked) == len(set(asked))
    assert (Article.objects.count(), Fetch.objects.count()) == (100, 100)
    assert not Feed.objects.filter(last_success_at__isnull=True).exists()

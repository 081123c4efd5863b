"""Ready pages: what is stored, what is sent, and that nothing wrong ever is."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import (
    around,
    cuts,
    display,
    front,
    interface,
    opting_out,
    optouts,
    site_pages,
    spelling,
    stories,
    surfaces,
    views,
    whole,
)
from articles.actions import place_hold, refresh, release_hold, save_edit
from articles.models import (
    Article,
    ArticleState,
    Hold,
    HoldKind,
    ReadCount,
    ReadyPage,
    ReadyPageKey,
    SurfaceChange,
    SurfaceSerial,
)
from articles.optouts import OptOut
from articles.reads import Reads
from articles.search import find
from moderation import email, misuse
from moderation.probes import locate
from newsroom.web_worker import AT_ONCE
from readers.models import Subscription
from tests.articles import pages
from tests.factories import ArticleFactory, MediaFactory, SourceFactory, StoryFactory
from tests.front_door import FrontDoor

SAFETY_HEADERS = {
    "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy", "Link",
    "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "X-Frame-Options",
}  # fmt: skip


@pytest.fixture
def door(settings) -> FrontDoor:
    settings.ROOT_URLCONF = "tests.articles.pages"
    pages.rendered.clear()
    pages.meanwhile.clear()
    return FrontDoor()


def withhold(article: Article, *, seconds: float = -1) -> Hold:
    now = timezone.now()
    return place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", at=now, by=None,
        effective_at=now + timedelta(seconds=seconds),
    )  # fmt: skip


@pytest.mark.django_db
def test_a_page_is_rendered_once_and_then_comes_from_its_row(door):
    article = ArticleFactory()

    first, second = door.get(f"/a/{article.pk}"), door.get(f"/a/{article.pk}")

    assert pages.rendered == [f"/a/{article.pk}"]
    assert (first.status, second.status) == (200, 200)
    assert article.headline in second.text


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["br", "gzip", ""])
def test_a_stored_answer_has_the_headers_and_body_of_the_rendered_one(door, encoding):
    article = ArticleFactory()

    rendered = door.get(f"/a/{article.pk}", HTTP_ACCEPT_ENCODING=encoding)
    stored = door.get(f"/a/{article.pk}", HTTP_ACCEPT_ENCODING=encoding)

    assert len(pages.rendered) == 1
    assert stored == rendered
    assert stored.headers.get("Content-Encoding", "") == encoding
    assert int(stored.headers["Content-Length"]) == len(stored.body)
    assert set(stored.headers) >= SAFETY_HEADERS
    assert stored.headers["Cache-Control"] == "no-cache"
    assert stored.headers["Vary"] == "Accept-Encoding"


@pytest.mark.django_db
def test_asked_at_once_what_lies_ready_is_sent_and_nothing_else_is_done(door):
    article = ArticleFactory()
    at_once = partial(door.get, f"/a/{article.pk}", **{AT_ONCE: True})
    assert (at_once().status, pages.rendered) == (0, [])

    rendered = door.get(f"/a/{article.pk}")

    assert at_once() == rendered
    assert at_once(HTTP_IF_NONE_MATCH=rendered.headers["ETag"]).status == 304
    assert at_once(method="HEAD").headers == rendered.headers
    assert at_once(method="POST").status == 0
    assert at_once(HTTP_COOKIE=f"{settings.SESSION_COOKIE_NAME}=x").status == 0
    withhold(article)
    assert (at_once().status, len(pages.rendered)) == (0, 1)


@pytest.mark.django_db
def test_a_visitor_who_has_the_page_gets_304_and_no_body(door):
    article = ArticleFactory()
    tag = door.get(f"/a/{article.pk}", HTTP_ACCEPT_ENCODING="br").headers["ETag"]

    again = door.get(f"/a/{article.pk}", HTTP_ACCEPT_ENCODING="br", HTTP_IF_NONE_MATCH=f'"other", W/{tag}')
    other_encoding = door.get(f"/a/{article.pk}", HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=tag)

    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert "Content-Length" not in again.headers
    assert other_encoding.status == 200


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["br", "gzip", ""])
def test_head_has_the_headers_of_get_and_no_body(door, encoding):
    article = ArticleFactory()

    first = door.get(f"/a/{article.pk}", method="HEAD", HTTP_ACCEPT_ENCODING=encoding)
    page = door.get(f"/a/{article.pk}", HTTP_ACCEPT_ENCODING=encoding)
    stored = door.get(f"/a/{article.pk}", method="HEAD", HTTP_ACCEPT_ENCODING=encoding)

    assert first.headers == page.headers == stored.headers
    assert (first.body, stored.body) == (b"", b"")
    assert len(pages.rendered) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [("", ""), ("gzip", "gzip"), ("gzip, deflate, br", "br"), ("br;q=0, gzip;q=0.5", "gzip"), ("*", "br"),
     ("identity", ""), ("gzip;q=0", ""), ("*;q=0", ""), ("GZIP", "gzip"), (";;;,=,q=", "")],
)  # fmt: skip
def test_the_encoding_is_one_the_visitor_takes(door, accepted, chosen):
    article = ArticleFactory()

    answer = door.get(f"/a/{article.pk}", HTTP_ACCEPT_ENCODING=accepted)

    assert answer.headers.get("Content-Encoding", "") == chosen
    assert article.headline in answer.text


@pytest.mark.django_db
def test_personal_pages_are_never_stored(door, client):
    article = ArticleFactory()

    door.get("/form")
    door.get("/greeting")
    door.get(f"/a/{article.pk}", HTTP_COOKIE="session=abc")
    door.get(f"/a/{article.pk}", HTTP_AUTHORIZATION="Bearer x")
    door.get("/list?before=x")
    door.get("/missing")

    assert not ReadyPage.objects.exists()


@pytest.mark.django_db
def test_parameters_that_a_page_does_not_read_lead_to_the_stored_page(door):
    article = ArticleFactory()
    path = f"/a/{article.pk}"
    page = door.get(f"{path}?utm_source=first")
    odd = [
        "utm_source=x&fbclid=y",
        "before=1",
        "%00=%00",
        "a[]=1",
        "=",
        "&&&",
        "%ff",
        "&".join(["a=1"] * 3000),
    ]

    assert all(door.get(f"{path}?{query}") == page for query in odd)
    assert door.get("/list?utm=1&before=&before%3D=2") == door.get("/list")
    assert pages.rendered == [path, "/list"]
    assert ReadyPage.objects.filter(path__contains="?").count() == 0

    withhold(article)
    assert {door.get(f"{path}?{query}").status for query in odd} == {410}
    assert article.headline not in door.get("/list?utm=1").text


@pytest.mark.django_db
def test_parameters_that_a_page_reads_reach_it_alone(door):
    assert "before x" in door.get("/list?utm=1&be%66ore=x").text
    assert "before" not in door.get("/list").text
    assert "before x" in door.get("/list?before=x", HTTP_COOKIE="session=abc").text


@pytest.mark.django_db
def test_a_host_that_is_not_ours_gets_nothing_from_the_store(door):
    article = ArticleFactory()
    door.get(f"/a/{article.pk}")

    assert door.get(f"/a/{article.pk}", HTTP_HOST="evil.example").status == 400


@pytest.mark.django_db
def test_plain_http_is_redirected_before_a_stored_page_is_looked_for(door, settings):
    article = ArticleFactory()
    door.get(f"/a/{article.pk}")
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    redirecting = FrontDoor()

    assert redirecting.get(f"/a/{article.pk}").status == 301
    assert redirecting.get(f"/a/{article.pk}", HTTP_X_FORWARDED_PROTO="https").status == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/a/\x00", "/\xff\xfe", "/a/" + "9" * 500, "/list/../list", "//list"])
def test_odd_paths_are_answered_by_django(door, path):
    assert door.get(path).status in (400, 404, 410)


@pytest.mark.django_db
def test_a_database_that_is_gone_is_a_503_that_says_when_to_come_back(door):
    answer = door.get("/broken")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_another_build_does_not_send_the_pages_of_the_last(door):
    article = ArticleFactory()
    door.get(f"/a/{article.pk}")
    door.application.build = "another"

    door.get(f"/a/{article.pk}")

    assert len(pages.rendered) == 2


@pytest.mark.django_db
def test_a_change_deletes_the_pages_that_show_it_and_no_other(door):
    changed, other = ArticleFactory(), ArticleFactory()
    for path in (f"/a/{changed.pk}", f"/a/{other.pk}", "/list"):
        door.get(path)

    with transaction.atomic():
        refresh(articles=[changed])

    assert list(ReadyPage.objects.values_list("path", flat=True)) == [f"/a/{other.pk}"]
    assert set(ReadyPageKey.objects.values_list("page_id", flat=True)) == {f"/a/{other.pk}"}


@pytest.mark.django_db
def test_a_change_to_the_whole_site_costs_two_statements(door, django_assert_num_queries):
    paths = [f"/a/{ArticleFactory().pk}" for _ in range(5)]
    for path in paths:
        door.get(path)

    with django_assert_num_queries(1):
        surfaces.changed([surfaces.SITE])

    pages.rendered.clear()
    for path in paths:
        door.get(path)
    assert pages.rendered == paths


@pytest.mark.django_db
def test_a_batch_of_any_size_costs_the_same_number_of_statements(door, django_assert_num_queries):
    ids = [ArticleFactory(tags=["Ports"], people=[f"Person {n}"]).pk for n in range(6)]
    door.get("/list")

    for batch in (ids[:1], ids):
        door.get("/list")
        with django_assert_num_queries(9):
            surfaces.changed(surfaces.keys_of(batch))


@pytest.mark.django_db(transaction=True)
def test_a_change_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError):
        surfaces.changed(["list:latest"])


@pytest.mark.django_db(transaction=True)
def test_a_renderer_that_began_before_a_removal_cannot_store(door):
    article = ArticleFactory()
    pages.meanwhile.append(lambda: in_a_thread(lambda: withhold(article)))

    late = door.get(f"/a/{article.pk}")

    assert late.status == 200
    assert not ReadyPage.objects.exists()
    assert door.get(f"/a/{article.pk}").status == 410


@pytest.mark.django_db(transaction=True)
def test_a_renderer_cannot_store_while_a_removal_is_about_to_commit(door):
    article = ArticleFactory()
    written, seen = threading.Event(), threading.Event()

    def remove() -> None:
        with transaction.atomic():
            withhold(article)
            written.set()
            seen.wait(5)

    removal = threading.Thread(target=closing(remove))
    pages.meanwhile.append(lambda: (removal.start(), written.wait(5)))
    threading.Timer(0.1, seen.set).start()
    door.get(f"/a/{article.pk}")
    seen.set()
    removal.join()

    assert not ReadyPage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_busy_database_delays_no_reader(door):
    article = ArticleFactory()
    holding, done = threading.Event(), threading.Event()

    def write_for_long() -> None:
        with transaction.atomic():
            surfaces.changed(["list:else"])
            holding.set()
            done.wait(10)

    writer = threading.Thread(target=closing(write_for_long))
    writer.start()
    holding.wait(5)
    began = time.monotonic()
    answer = door.get(f"/a/{article.pk}")
    counter = Reads()
    counter.start()
    counter.note(f"/articles/{article.slug}/", "Mozilla/5.0")
    counter.write()
    took = time.monotonic() - began
    done.set()
    writer.join()
    counter.write()

    assert answer.status == 200
    assert took < 3
    assert ReadCount.objects.get().count == 1
    assert not ReadyPage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_visitors_who_come_at_once_wait_for_one_renderer(door):
    article = ArticleFactory()
    pages.meanwhile.append(lambda: time.sleep(0.3))
    answers = []

    visitors = [
        threading.Thread(target=closing(lambda: answers.append(door.get(f"/a/{article.pk}"))))
        for _ in range(6)
    ]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()

    assert [answer.status for answer in answers] == [200] * 6
    assert len(pages.rendered) == 1


@pytest.mark.django_db(transaction=True)
def test_a_deadline_passes_on_stored_pages_with_nobody_at_work(door):
    article = ArticleFactory()
    withhold(article, seconds=1800)
    assert article.headline in door.get("/list").text
    assert door.get(f"/a/{article.pk}").status == 200
    assert ReadyPage.objects.count() == 2

    # An hour passes: for the hold, and for what the stored pages were told of it.
    hour = timedelta(hours=1)
    Hold.objects.update(effective_at=F("effective_at") - hour)
    ReadyPage.objects.update(valid_until=F("valid_until") - hour)

    assert door.get(f"/a/{article.pk}").status == 410
    assert article.headline not in door.get("/list").text
    assert Hold.objects.get().latched_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_deadline_that_passes_while_a_page_is_made_is_not_overlooked(door):
    article = ArticleFactory()
    withhold(article, seconds=0.4)
    pages.meanwhile.append(lambda: time.sleep(0.6))

    door.get(f"/a/{article.pk}")

    assert door.get(f"/a/{article.pk}").status == 410


@pytest.mark.django_db(transaction=True)
def test_no_stale_answer_begins_after_a_removal_has_committed(door):
    article = ArticleFactory()
    removed: list[int] = []
    stale, answers = [], []
    done = threading.Event()

    def hammer() -> None:
        while not done.is_set():
            for path in (f"/a/{article.pk}", "/list"):
                before = list(removed)
                answer = door.get(path)
                answers.append(answer.status)
                # Judged only when the same removal stood from before the request until after it.
                if before and before == removed and article.headline in answer.text:
                    stale.append(path)

    readers = [threading.Thread(target=closing(hammer)) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(3):
        time.sleep(0.15)
        hold = withhold(article)
        removed.append(number)
        time.sleep(0.15)
        removed.clear()
        release_hold(hold=hold, at=timezone.now(), by=None)
    withhold(article)
    removed.append(3)
    time.sleep(0.3)
    done.set()
    for reader in readers:
        reader.join()

    assert {200, 410} <= set(answers)
    assert stale == []


@pytest.mark.django_db
def test_tidying_forgets_old_changes_and_pages_past_their_time(door):
    article = ArticleFactory()
    door.get("/list")
    ReadyPage.objects.update(stored_at=timezone.now() - timedelta(days=8))
    door.get(f"/a/{article.pk}")
    SurfaceChange.objects.update(at=timezone.now() - timedelta(hours=2))
    SurfaceChange.objects.filter(key=surfaces.LATEST).update(at=timezone.now())

    surfaces.prune(1000, timezone.now())

    assert list(ReadyPage.objects.values_list("path", flat=True)) == [f"/a/{article.pk}"]
    assert list(SurfaceChange.objects.values_list("key", flat=True)) == [surfaces.LATEST]


@pytest.mark.django_db
def test_a_renderer_older_than_the_remembered_changes_stores_nothing():
    began = surfaces.Moment(SurfaceSerial.objects.get().serial - 1, timezone.now() - timedelta(minutes=11))
    shown = surfaces.Shown(began=began, keys={"list:else"})

    stored = surfaces.store("/x", build="", headers={}, packed=surfaces.pack(b"x", "x"), shown=shown)

    assert not stored


def in_a_thread(work) -> None:
    thread = threading.Thread(target=closing(work))
    thread.start()
    thread.join()


def closing(work):
    """A thread's own connection ends with it, or the test database could not be taken down."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    return run


# --- the register, and how the database finds things ------------------------------------------


def explained(sql: str, parameters=(), without: tuple[str, ...] = ("seqscan",)) -> str:
    """The database's plan, made as if the tables were large: PostgreSQL is to do `without` this where it can."""
    with transaction.atomic(), connection.cursor() as cursor:
        for way in without if connection.vendor == "postgresql" else ():
            cursor.execute(f"SET LOCAL enable_{way} = off")
        sql = sql if parameters else sql.replace("%", "%%")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def queries_of(work) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        work()
    return [
        query["sql"] for query in captured if query["sql"].lstrip().startswith(("SELECT", "DELETE", "UPDATE"))
    ]


def whole_tables(plan: str, small: str) -> list[str]:
    """The tables that this plan reads from one end to the other, but for small ones."""
    scans = re.findall(r"(?:SCAN|Seq Scan on) (\w+)(.*)", plan)
    return [table + how for table, how in scans if "USING" not in how and not re.search(small, table + how)]


SMALL = "articles_surfaceserial|articles_source|articles_media|json_each|VIRTUAL TABLE|part_|CONSTANT ROW"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "work",
    [
        "latch", "public list", "changed", "store", "tidying", "search", "slip", "corrections", "copies", "spellings",
        "a mail's case", "a lifted rule", "a sender's record", "what is followed", "a part comes back",
        "front page", "article page",
        "beside it", "some by their keys", "part of the sitemap", "story",
    ],
)  # fmt: skip
def test_no_hot_query_reads_a_whole_table(work):
    article = ArticleFactory(tags=["Ports"], people=["Ann Bo"], story=StoryFactory(), text_key="t" * 64)
    tags = list(article.tags.all())
    shown = surfaces.Shown(began=surfaces.now(), keys={"article:1", "tag:1"}, article_ids={article.pk})
    works = {
        "latch": surfaces.latch,
        "public list": lambda: list(Article.objects.public().newest_first()[:30]),
        "changed": lambda: surfaces.changed(surfaces.keys_of([article.pk])),
        "store": lambda: surfaces.store(
            "/x", build="", headers={}, packed=surfaces.pack(b"x", "x"), shown=shown
        ),
        "tidying": lambda: surfaces.prune(100, timezone.now()),
        "search": lambda: find("ferry harbour"),
        "slip": lambda: (find('"ferri harbuor" -ship'), spelling.forget({"ferry"})),
        "corrections": site_pages.corrected,
        "copies": lambda: stories.copies_of(article),
        "spellings": lambda: optouts.all_spellings({"ann bo"}),
        "a mail's case": lambda: email._case_of(SimpleNamespace(answers=["<1@x.example>"], subject="")),
        "a lifted rule": lambda: opting_out.release_covered(rule=OptOut(pk=1), at=timezone.now(), limit=9),
        "a sender's record": lambda: misuse.record_of("o@x.example", at=timezone.now()),
        "what is followed": lambda: Subscription.objects.filter(email__mailbox="o@x.example").count(),
        "a part comes back": lambda: cuts.standing_on(article).filter(reference="claim:1").first(),
        "front page": lambda: front.compose(tags),
        "article page": lambda: (views._ARTICLE(slug="x"), list(whole.make([1])), whole._TAGS(article=1)),
        "beside it": lambda: (around.around(article), around._linked([1, 2]), front._LISTED(keys=[1])),
        "some by their keys": lambda: display.listed().in_bulk([1, 2, 3]),
        "part of the sitemap": lambda: list(
            Article.objects.public().filter(pk__gte=0, pk__lt=5000).order_by("pk")
        ),
        "story": lambda: list(display.listed().filter(story=article.story).order_by("-published_at", "-pk")),
    }

    for sql in queries_of(works[work]):
        plan = explained(sql)
        assert not whole_tables(plan, SMALL), f"{sql}\n{plan}"
        if work in list(works)[-4:] and connection.vendor == "sqlite":
            # The few are looked up by their keys: never all articles read in the order of their dates.
            assert "article_newest" not in plan, f"{sql}\n{plan}"


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["public", "withheld", "erased", "moved", "never there"])
def test_no_address_makes_a_database_read_a_whole_table(state, client):
    article = ArticleFactory(
        tags=["Ports"],
        people=["Ann Bo"],
        story=StoryFactory(),
        lead_media=MediaFactory(),
        source=SourceFactory(),
    )
    refresh(articles=[article])
    paths = {interface.split(path)[1] for _, path in locate(article)}
    if state == "withheld":
        withhold(article)
    elif state == "erased":
        Article.objects.filter(pk=article.pk).update(state=ArticleState.ERASED)
    elif state == "moved":
        article.slug = "moved"
        save_edit(article=article, at=timezone.now(), by=None)
        refresh(articles=[article])
    elif state == "never there":
        slugs = (article.slug, "ports", "ann-bo", article.story.slug, article.source.slug)
        paths = {re.sub("|".join(map(re.escape, slugs)), "no-such", path) for path in paths}

    paths |= {f"/follow/?of={path}" for path in paths if path.endswith("/")}

    read = {}
    for path in sorted(paths):
        for sql in queries_of(partial(client.get, path)):
            if found := whole_tables(explained(sql), f"{SMALL}|articles_tag$|articles_frontpin"):
                read[path] = f"{found} {sql}"

    assert not read, "\n".join(f"{path}: {sql}" for path, sql in read.items())


@pytest.mark.django_db
@pytest.mark.parametrize("narrowed", [{}, {"source": 1}])
def test_the_newest_articles_are_read_in_order_and_never_sorted(narrowed):
    (sql,) = queries_of(lambda: list(Article.objects.public().filter(**narrowed).newest_first()[:30]))

    plan = explained(sql, without=("seqscan", "sort"))

    assert "article_newest" in plan, plan
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan, plan


@pytest.mark.django_db
def test_postgresql_expects_most_articles_to_be_public():
    """Else it takes a list of thousands for a list of one, and reads whole tables for each of its rows."""
    if connection.vendor == "sqlite":
        return  # It guesses nothing from its rows; its plans are held above.
    article = ArticleFactory()
    names = [
        field.attname
        for field in Article._meta.concrete_fields
        if field.attname not in ("id", "key", "slug", "url_key")
    ]
    others = "gen_random_uuid(), 's' || n, 'u' || n"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO articles_article ({', '.join(names)}, key, slug, url_key)"
            f" SELECT {', '.join(names)}, {others} FROM articles_article, generate_series(1, 200) n WHERE id = %s",
            [article.pk],
        )
        cursor.execute("ANALYZE articles_article")
        cursor.execute(
            "EXPLAIN (FORMAT JSON) " + str(Article.objects.public().order_by().query.sql_with_params()[0])
        )
        (plan,) = cursor.fetchone()

    assert plan[0]["Plan"]["Plan Rows"] > 100


@pytest.mark.django_db
def test_a_hit_is_found_by_its_primary_key():
    sql = surfaces._ready_sql(connection.vendor, "br", False).replace("?", "'x'").replace("%s", "'x'")

    plan = explained(sql)

    assert re.search(r"SEARCH articles_readypage USING INDEX|Index Scan using articles_readypage", plan), plan

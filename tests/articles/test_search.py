"""Search: what is found, in which order, how it is shown, and what never comes out."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.core.exceptions import BadRequest
from django.db import connection, transaction
from django.utils import timezone

from articles import fts, search
from articles.actions import Delivery, erase, ingest_all, release_hold, retract, set_aside
from articles.drafts import Draft
from articles.models import Article, ArticleState, SearchOwed, SearchRow, SearchSlip
from articles.search import find, fold
from tests.factories import ArticleFactory, HoldFactory, SourceFactory

pytestmark = pytest.mark.django_db


def headlines(query: str, **filters: str) -> list[str]:
    return [hit.article.headline for hit in find(query, **filters).hits]


@pytest.fixture
def ferry() -> Article:
    return ArticleFactory(
        headline="Ferry to Zürich sails again",
        standfirst="The quay was repaired overnight.",
        body="<p>Captain Ångström said the <b>timetable</b> stands. The old crew is back on board.</p>",
        tags=["Ports and harbours"],
        people=["Ann Ó Briain"],
    )


@pytest.mark.parametrize(
    "query",
    ["ferry", "FERRY", "zurich", "ZÜRICH", "angstrom", "timetable", "repaired", "harbours", "briain", "o briain",
     '"old crew"', "ferry timetable", "ferr*", "zeppelin OR ferry", "ferry -zeppelin", '"sails again" captain',
     "Zu\u0308rich", "outlet"],
)  # fmt: skip
def test_an_article_is_found_by(ferry, query):
    assert headlines(query) == [ferry.headline]


def test_of_a_whole_headline_every_word_counts():
    headline = "The old ferry of the Zürich line was again put to the test in May"
    article, _other = (
        ArticleFactory(headline=headline),
        ArticleFactory(headline=headline.replace("May", "June")),
    )

    assert search.in_headlines(headline, limit=9) == [article.pk]
    assert headlines(headline) == [headline]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "-ferry",
        '"crew old"',
        "ferry zeppelin",
        "ferry -timetable",
        "OR",
        '""',
        "*",
        "-",
        '"',
    ],
)
def test_nothing_is_found_by(ferry, query):
    assert headlines(query) == []


@pytest.mark.parametrize(
    "query",
    ["'; DROP TABLE articles_article; --", '" OR 1=1', "NEAR(a b)", "headline: x", "{headline} : x", "a AND", "(((((",
     "\x00", "\ud800", "%s %(x)s", "a" * 100_000, "-" * 5000, '"a" "b" ' * 500, "a* " * 300, "^a", "a + b", "& | ! <->",
     "💥💥", "\u202eferry", "ferry:*", "':*", "\\", "xxsource1", "a\tb\nc", "İstanbul ß ﬁ"],
)  # fmt: skip
def test_whatever_is_typed_is_harmless(ferry, query):
    began = time.monotonic()

    find(query)

    assert time.monotonic() - began < 2


def test_the_headline_counts_most_then_names_and_standfirst_then_text():
    in_text = ArticleFactory(headline="A", body="<p>glacier</p>")
    in_headline = ArticleFactory(headline="Glacier retreats")
    in_tags = ArticleFactory(headline="B", tags=["Glacier"])
    newer_in_text = ArticleFactory(headline="C", body="<p>a glacier again</p>")

    found = [hit.article for hit in find("glacier").hits]

    assert found == [in_headline, in_tags, newer_in_text, in_text]


def test_pages_follow_one_another_without_gap_or_repetition():
    for number in range(5):
        ArticleFactory(headline=f"Glacier {number}")
        ArticleFactory(headline=f"Other {number}", body="<p>glacier</p>")
    seen, cursor = [], ""

    while True:
        page = find("glacier", limit=3, before=cursor)
        seen += [hit.article.headline for hit in page.hits]
        cursor = page.next_cursor
        if not cursor:
            break

    assert seen == [f"Glacier {n}" for n in (4, 3, 2, 1, 0)] + [f"Other {n}" for n in (4, 3, 2, 1, 0)]
    assert find("glacier", limit=3).total_is_at_least == 10


@pytest.mark.parametrize("cursor", ["x", "9.9", "3.-1", "1.zz", "3.0", "." * 500])
def test_a_cursor_that_is_not_ours_is_refused(ferry, cursor):
    with pytest.raises(BadRequest):
        find("ferry", before=cursor)


def test_filters_narrow_the_hits(ferry):
    ArticleFactory(headline="Ferry elsewhere", language="de-AT", tags=["Lakes"])

    assert headlines("ferry", language="de") == ["Ferry elsewhere"]
    assert headlines("ferry", tag="lakes") == ["Ferry elsewhere"]
    assert headlines("ferry", source=ferry.source.slug) == [ferry.headline]
    assert headlines("ferry", tag="no-such-tag") == []


def test_what_is_found_is_marked_and_everything_else_escaped():
    ArticleFactory(
        headline='Zürich <script>alert(1)</script> & "ferries"',
        standfirst="",
        body="<p>" + "before " * 30 + "the zurich &lt;img src=x&gt; deal" + " after" * 60 + "</p>",
    )

    (hit,) = find("zurich").hits

    assert (
        hit.headline == "<mark>Zürich</mark> &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;ferries&quot;"
    )
    assert "the <mark>zurich</mark> &lt;img src=x&gt; deal" in hit.excerpt
    assert hit.excerpt.startswith("… ")
    assert hit.excerpt.endswith(" …")


@pytest.mark.parametrize(
    "query", ["fery", "ferrry", "timetabel", "tmietalbe", "Zurihc", "timet", '"fery timetable"']
)
def test_a_slip_of_the_finger_still_finds(query):
    article = ArticleFactory(headline="Ferry timetable of Zurich")

    results = find(query)

    assert [hit.article for hit in results.hits] == [article]
    assert results.corrected_to in ("ferry", "timetable", "zurich", "timet*", '"ferry timetable"')
    assert results.suggestions == [results.corrected_to]


def test_the_spelling_that_more_articles_have_is_meant():
    for headline in ("Harbor", "Harbour one", "Harbour two", "Marbour"):
        ArticleFactory(headline=headline)

    assert find("harbuor").corrected_to == "harbour"


def test_a_word_that_readers_may_not_see_is_offered_to_nobody(ferry):
    HoldFactory(article=ferry)

    assert find("ferrry") == search.Results()


def test_only_what_the_source_allows_is_searchable():
    hidden = SourceFactory(usage="headline", terms="")
    short = SourceFactory(usage="excerpt", excerpt_words=8, terms="")
    ArticleFactory(headline="One", source=hidden, standfirst="walrus", body="<p>walrus</p>")
    body = "<p>heron one two three four five six seven walrus</p>"
    ArticleFactory(headline="Two", source=short, standfirst="", body=body)

    assert headlines("walrus") == []
    assert headlines("heron") == ["Two"]


def test_what_is_withheld_is_not_found_although_its_row_is_there(ferry):
    assert find("ferry").hits

    HoldFactory(article=ferry)

    assert SearchRow.objects.filter(pk=ferry.pk).exists()
    results = find("ferry")
    assert (results.hits, results.total_is_at_least, results.next_cursor) == ([], 0, "")


def test_what_is_erased_or_retracted_leaves_the_index(ferry):
    other = ArticleFactory(headline="Ferry retracted")
    retract(article=other, at=other.published_at, by=None, note="Wrong.")
    HoldFactory(article=ferry)
    erase(article=ferry, at=ferry.published_at)

    assert not SearchRow.objects.exists()
    assert not SearchSlip.objects.exists()
    assert headlines("ferry") == []
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO articles_searchindex (articles_searchindex) VALUES ('integrity-check')"
            )


@pytest.mark.parametrize("around", ["plain", "Ångström", "an “quoted”"])
@pytest.mark.parametrize(
    ("query", "marked"),
    [("harbour", ["Harbour", "harbour"]), ("harb*", ["Harbour", "harbours", "harbour"]), ("rs", []),
     ("s in", ["s", "in"]), ("harbour harb*", ["Harbour", "harbours", "harbour"])],
)  # fmt: skip
def test_the_same_words_are_marked_beside_plain_letters_and_others(around, query, marked) -> None:
    text = f"Harbour's {around} harbours in_harbour"

    assert re.findall("<mark>(.*?)</mark>", search.highlight(text, search.parse(query))) == marked


def brought(*headlines: str) -> list[Article]:
    """Articles as a pass over feeds leaves them: stored, their search rows owed."""
    drafts = [
        Draft(f"https://harbour.example/{number}", f"{number:064}", "", headline)
        for number, headline in enumerate(headlines)
    ]
    ingest_all(deliveries=[Delivery(SourceFactory(), drafts)], at=timezone.now())
    return list(Article.objects.order_by("pk"))


def test_what_a_feed_brought_is_found_once_its_turn_came() -> None:
    brought("Heron one", "Heron two", "Heron three")

    assert headlines("heron") == []
    assert search.index_due(2, timezone.now()) == 2
    assert headlines("heron") == ["Heron two", "Heron one"]
    search.index_all_owed(timezone.now())
    assert len(headlines("heron")) == 3
    assert not SearchOwed.objects.exists()


def test_what_is_removed_before_its_turn_never_enters_the_index() -> None:
    held, erased, unpublished, public = brought("Heron held", "Heron erased", "Heron away", "Heron public")
    holds = [HoldFactory(article=article) for article in (held, erased)]
    erase(article=erased, at=timezone.now())
    set_aside(article=unpublished, to=ArticleState.REVIEW, by=None)

    search.index_all_owed(timezone.now())

    assert set(SearchRow.objects.values_list("pk", flat=True)) == {public.pk}
    assert set(SearchOwed.objects.values_list("pk", flat=True)) == {held.pk}
    release_hold(hold=holds[0], at=timezone.now(), by=None)
    assert headlines("heron") == ["Heron public", "Heron held"]


def test_a_dead_workers_articles_are_indexed_by_the_next_and_without_any_by_whoever_searches() -> None:
    now = timezone.now()
    brought("Heron one")
    SearchOwed.objects.update(lease_until=now + timedelta(seconds=30), lease_token="dead")

    assert search.index_due(9, now) == 0
    assert headlines("heron") == []
    SearchOwed.objects.update(due_at=now - timedelta(hours=1), lease_until=now - timedelta(minutes=6))
    assert headlines("heron") == ["Heron one"]


def test_an_article_is_indexed_again_when_it_changes(ferry):
    Article.objects.filter(pk=ferry.pk).update(headline="Balloon to Zürich")
    search.index([ferry.pk])

    assert headlines("ferry") == []
    assert headlines("balloon") == ["Balloon to Zürich"]
    known = set(SearchSlip.objects.values_list("word", flat=True))
    assert "balloon" in known
    assert "ferry" not in known


def test_a_batch_is_indexed_with_a_constant_number_of_queries(django_assert_num_queries):
    ids = [ArticleFactory(tags=["Ports"], people=["Ann Bo"]).pk for _ in range(5)]

    with django_assert_num_queries(6):
        search.index(ids[:1])
    with django_assert_num_queries(6):
        search.index(ids)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Ångström", "angstrom"), ("Łódź – ÆSIR", "lodz aesir"), ("Straße", "strasse"), ("東京の港", "東 京 の 港"),
     ("well-known, isn't it?", "well known isn t it"), ("Ελλάδα", "ελλαδα"), ("Ёлка", "елка"),
     ("a\u19b0b", "a b"), ("", "")],
)  # fmt: skip
def test_words_are_folded(text, folded):
    assert fold(text) == folded


def test_languages_without_blanks_are_found_by_part():
    article = ArticleFactory(headline="東京の港が再開")

    assert [hit.article for hit in find("港").hits] == [article]
    assert [hit.article for hit in find("東京").hits] == [article]
    assert headlines("京東") == []


def test_the_index_outlives_more_removals_than_sqlite_has_levels(ferry) -> None:
    """FTS5 takes each merge for a new level, and has 2,000 of them: then nothing more could be removed."""
    if connection.vendor != "sqlite":
        return  # PostgreSQL keeps no levels.
    # A part of many pages is never put on a lower level again, as one page would be.
    SearchRow.objects.filter(pk=ferry.pk).update(body=" ".join(f"word{number:x}" for number in range(9_000)))
    fts.forget()
    with connection.cursor() as cursor:
        # As after many removals: its one part stands on level 1,998, and below are none.
        cursor.execute("SELECT block FROM articles_searchindex_data WHERE id = 10")
        record = bytes(cursor.fetchone()[0])
        cookie, part = record[:4], record[record.index(b"\0\1", 7) :]
        worn = cookie + b"\x8f\x4e\1\1" + bytes(2 * 1997) + part
        cursor.execute("UPDATE articles_searchindex_data SET block = %s WHERE id = 10", [worn])
    transaction.savepoint_rollback(transaction.savepoint())

    removed = ArticleFactory(headline="Zeppelin over the bay")
    for _ in range(10):
        with transaction.atomic():
            search.index([removed.pk])
        with transaction.atomic():
            search.remove([removed.pk])
    transaction.savepoint_rollback(transaction.savepoint())

    assert headlines("ferry") == [ferry.headline]
    assert headlines("zeppelin") == []
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO articles_searchindex (articles_searchindex, rank) VALUES ('integrity-check', 1)"
        )


def test_every_full_text_index_is_made_to_forget() -> None:
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%USING fts5%'")
        assert {name for (name,) in cursor.fetchall()} == set(fts.TABLES)


def test_levels_without_parts_are_left_out_of_a_structure(monkeypatch) -> None:
    monkeypatch.setattr(fts, "MOST", 2)
    cookie, part = b"\0\0\0\7", bytes([9, 1, 3])
    empty, full = bytes([0, 0]), bytes([0, 1]) + part

    # 5 levels, 2 parts, 300 writes: two bytes, seven bits each.
    record = cookie + bytes([5, 2, 0x82, 0x2C]) + empty + full + empty + empty + full

    assert fts.without_empty_levels(record) == cookie + bytes([2, 2, 0x82, 0x2C]) + full + full
    assert fts.without_empty_levels(cookie + b"\xff\0\0\1" + record) == cookie + b"\xff\0\0\1" + record

# ruff: noqa: E501
"""Feeds are added, listed, fetched and removed from the command line, with plain words for what goes wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aggregator.actions import import_outlines
from aggregator.admin import NamesField
from aggregator.discovery import feeds_named
from aggregator.models import Feed
from aggregator.opml import NotOPML, Outline, read_opml, write_opml
from articles.models import Article, ArticleState, Source
from tests.aggregator import corpus
from tests.aggregator.conftest import item, rss
from tests.counted import calls
from tests.loopback import WebServer

OPML = """<?xml version="1.0" encoding="utf-8"?><!-- kept by hand --><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Ports"><outline text="North &nbsp; Sea"><outline type="rss" text="Harbour &amp; Co" xmlUrl="https://harbour.example/rss" htmlUrl="https://harbour.example/"/></outline>
<outline text="Faro" xmlURL="feed:https://faro.example/atom.xml"/></outline>
<outline type="rss" text="A folder called rss"><outline title="Blick" xmlUrl="feed://blick.example/feed.json"/></outline>
<outline type="rss" text="Bad line" xmlUrl="javascript:alert(1)"/><outline type="rss" text="No address"/>
<outline text="Same again" xmlUrl="https://harbour.example/rss"/><outline text="just a note"/></body></opml>"""


def run(name: str, *args: Any) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_nested_lists_are_read_and_bad_lines_named() -> None:
    found = read_opml(OPML.encode())

    assert [(one.url, one.title, one.folders) for one in found] == [
        ("https://harbour.example/rss", "Harbour & Co", ("Ports", "North Sea")),
        ("https://faro.example/atom.xml", "Faro", ("Ports",)),
        ("http://blick.example/feed.json", "Blick", ("A folder called rss",)),
        ("", "Bad line", ()),
        ("", "No address", ()),
        ("https://harbour.example/rss", "Same again", ()),
    ]
    assert found[3].problem == "no web address: javascript:alert(1)"


def test_ten_thousand_lines_and_two_hundred_folders_deep_cost_as_much_each_as_a_few() -> None:
    lines = "".join(f'<outline text="{n}" xmlUrl="https://f{n}.example/rss"/>' for n in range(10_000))
    deep = "<outline text='d'>" * 200 + "<outline xmlUrl='https://deep.example/'/>" + "</outline>" * 200
    found: list[Outline] = []

    work = calls(lambda: found.extend(read_opml(f"<opml><body>{lines}{deep}</body></opml>".encode())))

    assert len(found) >= 10_000
    assert work < 100 * len(found)


@pytest.mark.parametrize("data", [b"", b"hello", b"<html/>", corpus.RSS_2, b"\x00\xff"])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(NotOPML):
        read_opml(data)


def test_a_list_written_is_the_list_read() -> None:
    outlines = [
        Outline("https://a.example/rss", "A & <b>", "https://a.example/", ("News", "Local")),
        Outline("https://b.example/rss", "Bé", "", ("News",)),
        Outline("https://c.example/rss", "https://c.example/rss"),
    ]

    assert read_opml(write_opml(outlines, "Ours")) == outlines


@pytest.mark.django_db
def test_a_list_is_imported_whatever_a_line_holds_and_exported_again(tmp_path: Path) -> None:
    (tmp_path / "mine.opml").write_text(OPML)

    said = run("import_opml", tmp_path / "mine.opml")
    again = run("import_opml", tmp_path / "mine.opml")

    assert "3 feeds added, 1 were known, 2 lines left out" in said
    assert "0 feeds added, 4 were known" in again
    assert Feed.objects.get(url="https://harbour.example/rss").tags == ["Ports", "North Sea"]
    exported = {one.url for one in read_opml(run("export_opml").encode())}
    assert exported == set(Feed.objects.values_list("url", flat=True))


@pytest.mark.django_db
def test_a_list_of_thousands_of_feeds_is_imported_in_few_statements() -> None:
    outlines = [
        Outline(
            f"https://outlet{number % 800}.example/feed{number}",
            f"Outlet {number % 800}",
            folders=("Ports",),
        )
        for number in range(2_000)
    ]

    with CaptureQueriesContext(connection) as captured:
        counted = import_outlines(outlines=[*outlines, outlines[0]], at=timezone.now())

    assert counted == (2_000, 1, [])
    assert len(captured) < 100
    assert (Feed.objects.count(), Source.objects.count()) == (2_000, 800)
    assert Feed.objects.get(url="https://outlet7.example/feed807").source.domain == "outlet7.example"


def test_a_missing_or_empty_list_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.opml").write_text("<opml><body/></opml>")

    for name in ("missing.opml", "empty.opml"):
        with pytest.raises(CommandError):
            run("import_opml", tmp_path / name)


@pytest.mark.django_db
def test_a_feed_is_added_fetched_and_removed(web: WebServer) -> None:
    url = web.put("/feed", rss(item(1), item(2)))

    assert "The Harbour Post" in run("add_feed", url)
    assert "already" not in run("add_feed", url)
    assert Feed.objects.get().source.domain == "harbour.example"
    line = json.loads(run("fetch_feeds", "--json"))
    assert {name: line[name] for name in line if name != "seconds"} == {
        "url": url, "http_status": 200, "entries": 2, "created": 2, "updated": 0, "skipped": 0, "blocked": 0,
        "error": "",
    }  # fmt: skip
    assert line["seconds"] >= 0
    assert run("fetch_feeds", "--json") == ""
    assert json.loads(run("fetch_feeds", "--all", "--json"))["created"] == 0
    assert "1 feeds, 0 with an error" in run("fetch_feeds", "--feed", url)
    assert url in run("remove_feed", url)
    assert not Feed.objects.exists()
    assert Article.objects.filter(state=ArticleState.PUBLISHED).count() == 2


@pytest.mark.django_db
def test_a_page_leads_to_the_feed_it_names(web: WebServer) -> None:
    web.put("/rss", rss(item(1)))
    page = web.put(
        "/",
        b"<!doctype html><html><head><link rel=alternate type='application/rss+xml' title='Comments' href='/comments'>"
        b"<link rel='stylesheet' href='x'><link rel='alternate feed' type='application/rss+xml' href='rss'></head>",
    )

    run("add_feed", page, "--review")

    assert (Feed.objects.get().url, Feed.objects.get().review) == (web.url("/rss"), True)


def test_only_feeds_are_taken_from_a_page() -> None:
    page = b"""<head><base href="https://other.example/a/"><link rel="alternate" hreflang="de" href="/de">
    <link rel="alternate" type="application/atom+xml" href="x.xml"><link rel="alternate" type="application/feed+json" href="javascript:1">
    <link rel="alternate" type="application/json" href="/wp-json/1"><LINK REL=ALTERNATE TYPE="text/xml; charset=x" HREF=//c.example/y>"""

    assert feeds_named(page, "https://a.example/") == ["https://other.example/a/x.xml", "https://c.example/y"]
    assert feeds_named(b"<" * 100_000 + b"<link rel=alternate", "https://a.example/") == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://10.0.0.1/feed", "private network"),
        ("ftp://a.example/", "http"),
        ("nonsense", "http"),
        ("http://nowhere.invalid/", "no server by the name"),
    ],
)
def test_what_cannot_be_added_is_told(address: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("add_feed", address)
    assert not Feed.objects.exists()


@pytest.mark.django_db
def test_a_page_without_a_feed_cannot_be_added(web: WebServer) -> None:
    with pytest.raises(CommandError, match="web page, not a feed"):
        run("add_feed", web.put("/", b"<!doctype html><html>Nothing here</html>"))


@pytest.mark.django_db
def test_unknown_feeds_are_errors_and_failing_ones_are_not(web: WebServer) -> None:
    for command in (
        ["fetch_feeds", "--feed", "https://unknown.example/"],
        ["remove_feed", "https://unknown.example/"],
    ):
        with pytest.raises(CommandError, match="No feed is read at"):
            run(*command)

    url = web.put("/feed", rss())
    run("add_feed", url)
    web.put("/feed", status=500)
    assert "1 with an error" in run("fetch_feeds", "--all")


@pytest.mark.django_db
def test_why_a_single_feed_is_not_fetched_is_told(web: WebServer) -> None:
    url = web.put("/feed", rss())
    run("add_feed", url)
    now = timezone.now()
    for changes, words in [
        ({"not_before": now + timedelta(hours=1)}, "stay away until"),
        ({"not_before": None, "gone_at": now}, "ended"),
        ({"gone_at": None, "paused_at": now}, "paused"),
        ({"paused_at": None, "lease_until": now + timedelta(hours=1), "lease_token": "x"}, "another worker"),
    ]:
        Feed.objects.update(**changes)
        with pytest.raises(CommandError, match=words):
            run("fetch_feeds", "--feed", url, "--wait", "0")


@pytest.mark.django_db
def test_feeds_are_added_and_steered_at_the_desk(web: WebServer, admin_client: Any) -> None:
    url = web.put("/feed", rss(item(1)))
    run("add_feed", url)
    run("fetch_feeds")
    feed = Feed.objects.get()
    web.put("/feed", status=404)
    run("fetch_feeds", "--all")

    shown = admin_client.get("/admin/aggregator/feed/").content.decode()
    page = admin_client.get(f"/admin/aggregator/feed/{feed.pk}/change/").content.decode()
    assert "There is no feed at this address (404)." in shown
    assert "Failed last time" in shown
    assert page.count("The Harbour Post") >= 1
    for action, changed in [("pause", "paused_at"), ("resume", ""), ("fetch_now", "")]:
        admin_client.post("/admin/aggregator/feed/", {"action": action, "_selected_action": [feed.pk]})
        feed.refresh_from_db()
        assert bool(feed.paused_at) == (changed == "paused_at")
    assert feed.due_at <= timezone.now()


def test_a_feeds_tags_are_written_one_a_line() -> None:
    field = NamesField(required=False)

    assert field.clean("North Sea\n\n Ports \r\nports") == ["North Sea", "Ports"]
    assert field.clean("") == []
    assert field.prepare_value(["North Sea", "Ports"]) == "North Sea\nPorts"
    assert not field.has_changed(["Ports"], "Ports\n")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["add_feed", "remove_feed", "import_opml", "export_opml", "fetch_feeds"])
def test_each_command_says_in_a_sentence_what_it_does(name: str) -> None:
    from django.core.management import get_commands, load_command_class

    command = load_command_class(get_commands()[name], name)

    assert command.help.endswith(".")

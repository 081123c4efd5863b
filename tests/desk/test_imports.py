"""What comes in from other systems' files, what does not, and what goes out."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from articles import actions
from articles.bylines import Credit, Role
from articles.models import Article, ArticleState, HoldKind, Source
from articles.opting_out import opt_out
from articles.optouts import OptOutKind
from newsroom.imports import (
    LeftOut,
    NotReadable,
    Piece,
    as_paragraphs,
    read_csv,
    read_ninjs,
    read_wordpress,
)
from tests.factories import ArticleFactory, ContributionFactory, HoldFactory, SourceFactory, TagFactory

pytestmark = pytest.mark.django_db
LONG = (
    "The harbour opened again on Monday after eleven years of work that the council "
    "had first promised for the spring of another decade."
)
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>Bay</title><language>en-US</language>
<wp:wxr_version>1.2</wp:wxr_version>
<wp:author><wp:author_login>ann</wp:author_login>
<wp:author_display_name><![CDATA[Ann Marlow]]></wp:author_display_name></wp:author>
"""
TAIL = "</channel></rss>"


def item(number: int, *, title: str = "", status: str = "publish", kind: str = "post", more: str = "") -> str:
    return f"""<item><title>{title or f"Bay story {number}"}</title><link>https://bay.example/{number}/</link>
<pubDate>Tue, 05 Mar 2024 10:00:00 +0000</pubDate><dc:creator>ann</dc:creator>
<guid isPermaLink="false">https://bay.example/?p={number}</guid><description></description>
<content:encoded><![CDATA[<!-- wp:paragraph -->
<p onclick="x()">{LONG} Number {number}.</p><script>bad()</script>]]></content:encoded>
<excerpt:encoded><![CDATA[Ships are back.]]></excerpt:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date_gmt>2024-03-05 10:00:00</wp:post_date_gmt>
<wp:status>{status}</wp:status><wp:post_type>{kind}</wp:post_type>
<category domain="category" nicename="ports">Ports</category>
<category domain="post_tag" nicename="tides">Tides</category>
<category domain="category" nicename="uncategorized">Uncategorized</category>
<wp:comment><wp:comment_author>troll</wp:comment_author><wp:comment_content>first!</wp:comment_content></wp:comment>
{more}</item>"""


def wordpress(*items: str) -> bytes:
    return (HEAD + "".join(items) + TAIL).encode()


def run(name: str, path: Path, *options: str) -> tuple[str, str]:
    """What the command wrote and named; a refusal's sentence last."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(name, str(path), *options, stdout=out, stderr=err)
    except CommandError as error:
        err.write(f"CommandError: {error}")
    return out.getvalue(), err.getvalue()


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(content: bytes | str, name: str = "file") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# --- reading ----------------------------------------------------------------------------------


def test_a_wordpress_post_is_read_with_all_that_is_ours_to_take() -> None:
    (piece,) = read_wordpress(io.BytesIO(wordpress(item(1))))

    assert isinstance(piece, Piece)
    assert (piece.identity, piece.url) == ("https://bay.example/?p=1", "https://bay.example/1/")
    assert (piece.headline, piece.standfirst, piece.byline) == (
        "Bay story 1",
        "Ships are back.",
        "Ann Marlow",
    )
    assert piece.tags == ("Ports", "Tides")
    assert piece.published_at == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert "first!" not in piece.body


@pytest.mark.parametrize(
    ("status", "more", "state"),
    [
        ("publish", "", ArticleState.PUBLISHED),
        ("draft", "", ArticleState.DRAFT),
        ("pending", "", ArticleState.REVIEW),
        ("future", "", ArticleState.PUBLISHED),
        ("private", "", ArticleState.DRAFT),
        ("publish", "<wp:post_password>shut</wp:post_password>", ArticleState.DRAFT),
    ],
)
def test_wordpress_states_are_ours(status: str, more: str, state: ArticleState) -> None:
    (piece,) = read_wordpress(io.BytesIO(wordpress(item(1, status=status, more=more))))

    assert isinstance(piece, Piece)
    assert piece.state == state


def test_what_is_no_post_is_named_and_left_out() -> None:
    picture = "<wp:attachment_url>https://bay.example/quay.jpg</wp:attachment_url>"
    file = wordpress(item(1, kind="attachment", more=picture), item(2, kind="page"), item(3, status="trash"))

    found = list(read_wordpress(io.BytesIO(file)))

    assert [one.why for one in found if isinstance(one, LeftOut)] == [
        "a picture or file, not fetched: https://bay.example/quay.jpg",
        "no article but page",
        "its state is trash",
    ]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"not XML",
        b"<rss><channel><item><title>A feed</title></item></channel></rss>",
        wordpress(item(1))[:-40],
        wordpress(item(1)).replace(b"<rss ", b'<!DOCTYPE rss [<!ENTITY a "b">]><rss ', 1),
    ],
)
def test_what_is_no_whole_wordpress_export_is_refused(file: bytes) -> None:
    with pytest.raises(NotReadable):
        list(read_wordpress(io.BytesIO(file)))


def test_an_entity_is_never_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET WORDS")
    declared = f'<!DOCTYPE rss [<!ENTITY s SYSTEM "file://{secret}">]><rss '.encode()
    file = wordpress(item(1, title="&s;")).replace(b"<rss ", declared, 1)

    with pytest.raises(NotReadable, match="document type"):
        list(read_wordpress(io.BytesIO(file)))


def test_control_characters_in_an_export_do_no_harm() -> None:
    (piece,) = read_wordpress(io.BytesIO(wordpress(item(1, title="Bay\x0b story"))))

    assert isinstance(piece, Piece)
    assert piece.headline == "Bay  story"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("One\ntwo\n\nThree", "<p>One<br>two</p>\n<p>Three</p>"),
        ("<h2>Head</h2>\r\n\r\nText", "<h2>Head</h2>\n<p>Text</p>"),
        ("<p>Own</p>\n\nleft alone", "<p>Own</p>\n\nleft alone"),
        ('[caption id="a"]Quay[/caption]', "<p>Quay</p>"),
        ("", ""),
    ],
)
def test_blank_lines_make_paragraphs(stored: str, shown: str) -> None:
    assert as_paragraphs(stored) == shown


NINJS_1 = {
    "uri": "urn:x:1", "type": "text", "pubstatus": "usable", "headline": "Old form", "body_html": "<p>Text</p>",
    "description_text": "Short", "byline": "By Ann Marlow", "language": "en", "versioncreated": "2024-03-05T10:00:00Z",
    "subject": [{"name": "Ports"}], "person": [{"name": "The Mayor"}],
}  # fmt: skip
NINJS_2 = {
    "uri": "urn:x:2", "type": "text", "pubStatus": "withheld", "headlines": [{"role": "main", "value": "New form"}],
    "bodies": [{"role": "main", "contentType": "text/html", "value": "<p>Text</p>"}],
    "descriptions": [{"role": "summary", "value": "Short"}], "by": "By Ann Marlow", "language": "en",
    "firstCreated": "2024-03-05T10:00:00", "subjects": [{"name": "Ports"}],
    "people": [{"name": "Ann Marlow", "role": "author"}, {"name": "The Mayor"}],
    "altIds": [{"role": "original", "value": "https://news.bay.example/2"}],
}  # fmt: skip


@pytest.mark.parametrize(
    "file",
    [
        json.dumps([NINJS_1, NINJS_2]),
        json.dumps([NINJS_1, NINJS_2], indent=2),
        f"{json.dumps(NINJS_1)}\n\n{json.dumps(NINJS_2)}\n",
    ],
)
def test_both_forms_of_ninjs_are_read(file: str) -> None:
    old, new = read_ninjs(io.BytesIO(file.encode()))

    assert isinstance(old, Piece)
    assert isinstance(new, Piece)
    assert (old.headline, old.standfirst, old.body) == ("Old form", "Short", "<p>Text</p>")
    assert (new.headline, new.standfirst, new.body) == ("New form", "Short", "<p>Text</p>")
    assert old.published_at == new.published_at == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert old.tags == new.tags == ("Ports",)
    assert (old.credits, new.credits) == ((), (Credit("Ann Marlow", Role.AUTHOR),))
    assert (old.state, new.state) == (ArticleState.PUBLISHED, ArticleState.DRAFT)
    assert (old.outlet, new.outlet) == ("", "bay.example")


def test_bad_lines_of_ninjs_are_named_and_the_rest_is_read() -> None:
    lines = [
        json.dumps(NINJS_1), "{broken", "[]", json.dumps(NINJS_1 | {"pubstatus": "canceled"}),
        json.dumps(NINJS_1 | {"versioncreated": "soon"}), json.dumps(NINJS_1 | {"type": "picture"}),
    ]  # fmt: skip

    found = list(read_ninjs(io.BytesIO("\n".join(lines).encode())))

    assert [isinstance(one, Piece) or one.is_fault for one in found] == [True, True, True, True, True, False]
    assert isinstance(found[0], Piece)
    assert all(isinstance(one, LeftOut) for one in found[1:])


def test_a_table_is_read_by_its_columns() -> None:
    table = (
        "id,headline,body,tags,published_at,state\n"
        'a,"Quay, open","<p>Text</p>",Ports; Tides,2024-03-05T10:00:00Z,review\n'
        "b,Bad date,,,yesterday,\nc,Bad state,,,,gone\n"
    )

    piece, *faults = read_csv(io.BytesIO(table.encode("utf-8-sig")))

    assert isinstance(piece, Piece)
    assert (piece.headline, piece.tags, piece.state) == ("Quay, open", ("Ports", "Tides"), "review")
    assert [isinstance(one, LeftOut) and one.is_fault for one in faults] == [True, True]


@pytest.mark.parametrize("table", [b"", b"id,title\n", b"id,body\n", b"id,headline\n1,\xff\n"])
def test_a_table_that_cannot_be_read_says_so(table: bytes) -> None:
    with pytest.raises(NotReadable):
        list(read_csv(io.BytesIO(table)))


# --- taking in --------------------------------------------------------------------------------


def test_a_wordpress_site_becomes_our_own_articles(written: Any) -> None:
    ahead = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S")
    later = item(3, status="future").replace("2024-03-05 10:00:00", ahead)
    file = written(wordpress(item(1), item(2, status="draft"), later))

    out, err = run("import_wordpress", file)

    assert out.startswith("3 articles came in")
    assert err == ""
    public = Article.objects.public().get()
    assert (public.headline, public.source, public.canonical_url) == ("Bay story 1", None, "")
    assert public.published_at == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert public.body == f"<p>{LONG} Number 1.</p>"
    assert public.contributions.get().contributor.name == "Ann Marlow"
    assert sorted(tag.name for tag in public.tags.all()) == ["Ports", "Tides"]
    assert sorted(Article.objects.values_list("state", flat=True)) == ["draft", "published", "published"]


@pytest.mark.parametrize("options", [(), ("--source", "bay.example")])
def test_run_twice_nothing_is_here_twice(written: Any, options: tuple[str, ...]) -> None:
    SourceFactory(domain="bay.example")
    file = written(wordpress(item(1), item(2)))

    run("import_wordpress", file, *options)
    out, _ = run("import_wordpress", file, *options)

    assert Article.objects.count() == 2
    assert "0 articles came in, 2 were known" in out


def test_a_source_s_articles_lead_to_it(written: Any) -> None:
    source = SourceFactory(domain="bay.example")

    run("import_wordpress", written(wordpress(item(1), item(2, status="draft"))), "--source", "bay.example")

    public = Article.objects.public().get()
    assert (public.source, public.canonical_url) == (source, "https://bay.example/1/")
    assert Article.objects.exclude(pk=public.pk).get().state == ArticleState.DRAFT


def test_an_unknown_source_is_never_made_up(written: Any) -> None:
    _, err = run("import_wordpress", written(wordpress(item(1))), "--source", "bay.example")

    assert "Add it at the desk" in err
    assert not Source.objects.exists()


def test_everything_can_wait_for_review(written: Any) -> None:
    run("import_wordpress", written(wordpress(item(1), item(2, status="draft"))), "--review")

    assert {article.state for article in Article.objects.all()} == {"review"}


def test_the_good_half_comes_in_and_the_rest_is_named(written: Any) -> None:
    untitled = item(2, title=" ")

    out, err = run("import_wordpress", written(wordpress(item(1), untitled, item(3))))

    assert Article.objects.count() == 2
    assert out.startswith("2 articles came in")
    assert "refused: 2, without a title: it has no headline" in err
    assert "CommandError: Not all of it is here" in err


def test_what_stood_before_a_break_is_in(written: Any) -> None:
    _, err = run("import_wordpress", written(wordpress(item(1), item(2))[:-80]))

    assert Article.objects.count() == 1
    assert "breaks off" in err
    assert "1 articles came in" in err


@pytest.mark.parametrize("options", [(), ("--source", "bay.example")])
def test_a_removed_work_does_not_come_back_by_a_file(written: Any, options: tuple[str, ...]) -> None:
    SourceFactory(domain="bay.example")
    file = written(wordpress(item(1), item(2)))
    run("import_wordpress", file, *options)
    removed, at = Article.objects.get(headline="Bay story 1"), timezone.now()
    actions.place_hold(
        article=removed, kind=HoldKind.LEGAL, reference="claim:1", effective_at=at, at=at, by=None
    )
    actions.erase(article=removed, at=at)

    _, err = run("import_wordpress", file, *options)

    assert "refused: 1, Bay story 1: it was removed at its owner's request" in err
    assert not Article.objects.filter(headline="Bay story 1").exists()


def test_ninjs_comes_in_under_the_source_it_names(written: Any) -> None:
    file = written(json.dumps([NINJS_1, NINJS_2 | {"pubStatus": "usable"}]))

    _, before = run("import_ninjs", file)
    source = SourceFactory(domain="bay.example")
    run("import_ninjs", file)

    assert "its source bay.example is not known here" in before
    assert Article.objects.get(headline="Old form").source is None
    assert Article.objects.get(headline="New form").source == source


def test_a_table_comes_in(written: Any) -> None:
    table = "id,headline,body,state\n1,Quay open,One\\n,published\n2,Quay shut,Two,draft\n"

    out, err = run("import_articles", written(table))

    assert out.startswith("2 articles came in")
    assert Article.objects.public().get().headline == "Quay open"
    assert err == ""


def test_hostile_lines_harm_only_themselves(written: Any) -> None:
    lines = [
        NINJS_1 | {"headline": "Half \ud800 a sign", "byline": "\ud800", "uri": "urn:x:3"},
        NINJS_1
        | {"headline": "Nought \x00", "body_html": "<p>\x00</p>", "located": {"a": 1}, "uri": "urn:x:4"},
        NINJS_1 | {"headline": "Nameless", "uri": ""},
        NINJS_1 | {"headline": "Deep", "body_html": "<div>" * 5_000, "uri": "urn:x:5"},
        NINJS_1 | {"headline": "Sound", "uri": "urn:x:6"},
    ]

    _, err = run("import_ninjs", written("\n".join(map(json.dumps, lines))))

    assert Article.objects.filter(headline="Sound").exists()
    assert "refused: 3, Nameless: it has no identifier" in err


def test_no_file_is_a_plain_error(tmp_path: Path) -> None:
    assert "CommandError: The file cannot be read" in run("import_articles", tmp_path / "none.csv")[1]


# --- going out --------------------------------------------------------------------------------


def exported(path: Path, *options: str) -> dict[str, dict[str, Any]]:
    run("export_articles", path, *options)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {row["headlines"][0]["value"]: row for row in rows}


def test_what_is_exported_is_public_and_never_withheld(tmp_path: Path) -> None:
    ArticleFactory(headline="Public")
    ArticleFactory(headline="Unfinished", state=ArticleState.DRAFT)
    HoldFactory(article=ArticleFactory(headline="Withheld"))
    at = timezone.now()
    erased = ArticleFactory(headline="Erased")
    HoldFactory(article=erased)
    actions.erase(article=erased, at=at)
    suspended = ArticleFactory(headline="Suspended")
    actions.suspend_source(source=suspended.source, at=at, by=None, reason="Asked")

    public = exported(tmp_path / "public.jsonl")
    everything = exported(tmp_path / "all.jsonl", "--all")

    assert set(public) == {"Public"}
    assert set(everything) == {"Public", "Unfinished"}
    assert (public["Public"]["pubStatus"], everything["Unfinished"]["pubStatus"]) == ("usable", "withheld")
    assert not list(tmp_path.glob("*.part"))


def test_what_went_out_comes_in_again_the_same(tmp_path: Path) -> None:
    own = ArticleFactory(
        headline="Ours", body=f"<p>{LONG}</p>", source=None, canonical_url="", published=True
    )
    ContributionFactory(article=own, contributor__name="Ann Marlow")
    own.tags.add(TagFactory(name="Ports"))
    path = tmp_path / "all.jsonl"
    run("export_articles", path)

    known, _ = run("import_ninjs", path)
    own.contributions.all().delete()
    own.tags.clear()
    own.delete()
    came, _ = run("import_ninjs", path)

    assert "1 were known" in known
    assert "1 articles came in" in came
    again = Article.objects.get()
    assert (again.headline, again.body, again.state) == ("Ours", f"<p>{LONG}</p>", "published")
    assert [one.contributor.name for one in again.contributions.all()] == ["Ann Marlow"]
    assert [tag.name for tag in again.tags.all()] == ["Ports"]


def test_a_shortened_text_in_a_file_changes_nothing_here(tmp_path: Path) -> None:
    source = SourceFactory(usage="excerpt", excerpt_words=5)
    article = ArticleFactory(source=source, body=f"<p>{LONG}</p>")
    path = tmp_path / "public.jsonl"
    exported(path)
    assert LONG not in path.read_text()

    run("import_ninjs", path)

    assert Article.objects.get().body == article.body


def test_what_was_withheld_since_the_export_is_refused(tmp_path: Path) -> None:
    article = ArticleFactory(ours=True, headline="Short", body="<p>Few words.</p>")
    path = tmp_path / "public.jsonl"
    exported(path)
    HoldFactory(article=article)

    _, err = run("import_ninjs", path)

    assert "refused: 1, Short: it was removed" in err
    assert Article.objects.count() == 1


def test_an_owner_s_opt_out_holds_for_files_too(written: Any) -> None:
    opt_out(domain="bay.example", kind=OptOutKind.PATH, value="/2/", at=timezone.now())

    out, err = run("import_wordpress", written(wordpress(item(1), item(2))))

    assert out.startswith("1 articles came in")
    assert "refused: 2" in err


def test_an_export_takes_as_many_questions_as_portions(
    tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        ArticleFactory(published=True)

    with django_assert_max_num_queries(6):
        exported(tmp_path / "public.jsonl")

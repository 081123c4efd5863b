"""Whatever is pasted, every address is found and every line is answered."""

from __future__ import annotations

import time

import pytest
from django.conf import settings
from django.utils import timezone

from articles.actions import erase, place_hold, save_edit
from articles.models import HoldKind
from moderation import lines
from moderation.models import Verdict
from tests.factories import ArticleFactory, HoldFactory, MediaFactory
from tests.moderation.intake import address_of, send

A, B = "https://one.example/a", "https://two.example/b?id=7"

SHAPES = {
    "one a line": (f"{A}\n{B}\n", [A, B]),
    "commas": (f"{A}, {B}", [A, B]),
    "commas without a space": (f"{A},{B}", [f"{A}", B]),
    "spaces and semicolons": (f"{A} ;  {B};", [A, B]),
    "a table with a heading": (f"title;url\nOne;{A}\nTwo;{B}", [A, B]),
    "a quoted table": (f'"Title","URL"\r\n"Salt, and more","{A}"\r\n"Two","{B}"', [A, B]),
    "a table with tabs": (f"number\taddress\n1\t{A}\n2\t{B}", [A, B]),
    "glued": (f"{A}{B}", [A, B]),
    "angle brackets": (f"<{A}> <{B}>", [A, B]),
    "broken in angle brackets": ("<https://one.example/\n a>", [A]),
    "markdown": (f"- [my report]({A})\n* **{B}**", [A, B]),
    "markdown with the address twice": (f"[{A}]({A})", [A]),
    "in a sentence": (f"You copied {A}. And ({B})!", [A, B]),
    "HTML": (f'<p><a href="{A}">{A}</a></p>', [A]),
    "quoted reply": (f"> {A}\n> {B}", [A, B]),
    "a balanced bracket of its own": ("https://one.example/a_(b)", ["https://one.example/a_(b)"]),
    "without a scheme": ("www.one.example/a and two.example/b", ["www.one.example/a", "two.example/b"]),
    "masked": ("hxxps://one.example/a", ["hxxps://one.example/a"]),
    "capital letters": ("HTTPS://ONE.example/a", ["HTTPS://ONE.example/a"]),
    "an internal name": ("tag:one.example,2026:12", ["tag:one.example,2026:12"]),
    "our own path": ("/articles/harbour/", ["/articles/harbour/"]),
    "a Windows file": (f"{A}\r\n{B}\r\n", [A, B]),
    "a mail address is none": ("write to me@one.example/ please", ["write to me@one.example/ please"]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_addresses_are_found_in(shape: str) -> None:
    text, expected = SHAPES[shape]

    assert list(lines.split(text).lines) == expected


def test_in_a_list_a_bad_line_is_a_line() -> None:
    assert lines.split(f"{A}\nnot a url\n{B}").lines == (A, "not a url", B)


def test_in_a_letter_prose_is_no_line_but_a_broken_address_is() -> None:
    letter = f"Dear Sir or Madam, I am the author of the following work.\n{A}\nhttp//broken\nRegards\nAnn"

    pasted = lines.split(letter)

    assert pasted.lines == (A, "http//broken")
    assert pasted.prose == 3


def test_text_without_any_address_is_one_line() -> None:
    assert len(lines.split("Please take down the article about me that you published last week.").lines) == 1
    assert lines.split("  \n\n").lines == ()


def test_lines_beyond_the_most_are_counted_not_forgotten() -> None:
    text = "\n".join(f"https://one.example/{n}" for n in range(lines.MAX_LINES + 5))

    pasted = lines.split(text)

    assert (len(pasted.lines), pasted.unread) == (lines.MAX_LINES, 5)


@pytest.mark.parametrize(
    "hostile",
    [
        "http://a" + "." * 1_000_000,
        "http://" * 300_000,
        "<" * 1_000_000,
        "a." * 500_000,
        "https://x/" + ")" * 900_000,
    ],
    ids=["dots", "glue", "brackets", "labels", "parentheses"],
)
def test_hostile_text_takes_no_time(hostile: str) -> None:
    started = time.monotonic()

    lines.split(hostile)

    assert time.monotonic() - started < 5


OURS = {
    "as it stands": "{own}",
    "by http": "{own_http}",
    "host in capitals": "{own_upper}",
    "without the last slash": "{own_bare}",
    "with tracking": "{own}?utm_source=mail&fbclid=1",
    "as AMP": "{own}amp/",
    "with a fragment": "{own}#comments",
    "as a path": "{path}",
    "the original": "{original}",
    "the original by http": "{original_http}",
    "the original with tracking": "{original}?utm_campaign=x",
    "the original with www": "{original_www}",
    "the original without a scheme": "{original_schemeless}",
    "the original in a table": "{original},Harbour,2026-11-20",
    "the original masked": "{original_masked}",
}


@pytest.mark.django_db
@pytest.mark.parametrize("form", OURS)
def test_an_article_is_recognised(form: str) -> None:
    article = ArticleFactory()
    own, original = address_of(article), article.canonical_url
    host = settings.SITE_HOST
    line = OURS[form].format(
        own=own,
        own_http=own.replace("https://", "http://"),
        own_upper=own.replace(host, host.upper()),
        own_bare=own.rstrip("/"),
        path=article.get_absolute_url(),
        original=original,
        original_http=original.replace("https://", "http://"),
        original_www=original.replace("https://", "https://www."),
        original_schemeless=original.removeprefix("https://"),
        original_masked=original.replace("https://", "hxxps://"),
    )

    judged = lines.judge([line])[0]

    assert (judged.verdict, [a.pk for a in judged.articles]) == (Verdict.OURS, [article.pk])


@pytest.mark.django_db
def test_an_address_in_another_script_is_recognised_however_it_is_escaped() -> None:
    article = ArticleFactory(slug="порт-відкрито", headline="Порт відкрито")
    escaped = "/articles/%D0%BF%D0%BE%D1%80%D1%82-%D0%B2%D1%96%D0%B4%D0%BA%D1%80%D0%B8%D1%82%D0%BE/"

    verdicts = lines.judge([f"{settings.SITE_URL}{escaped}", f"{settings.SITE_URL}/articles/порт-відкрито"])

    assert [judged.articles[0].pk for judged in verdicts] == [article.pk, article.pk]


@pytest.mark.django_db
def test_an_address_the_article_once_had_is_recognised() -> None:
    article = ArticleFactory(slug="before")
    article.slug = "after"
    save_edit(article=article, at=timezone.now(), by=None)

    assert lines.judge([f"{settings.SITE_URL}/articles/before/"])[0].articles[0].pk == article.pk


@pytest.mark.django_db
def test_a_picture_leads_to_every_article_it_stands_over() -> None:
    picture = MediaFactory(original_url="https://photos.example/harbour.jpg")
    first, second = ArticleFactory(lead_media=picture), ArticleFactory(lead_media=picture)

    judged = lines.judge(["https://photos.example/harbour.jpg"])[0]

    assert {article.pk for article in judged.articles} == {first.pk, second.pk}


@pytest.mark.django_db
def test_what_only_looks_similar_is_not_ours() -> None:
    article = ArticleFactory(slug="harbour")

    verdicts = lines.judge(
        [
            f"{article.canonical_url}0",
            # A Cyrillic letter in its host, as it looks and as it is sent.
            article.canonical_url.replace("example", "ex\u0430mple"),
            article.canonical_url.replace("example", "xn--exmple-4nf"),
            article.canonical_url.replace("https://", "https://not-"),
            f"{settings.SITE_URL}/articles/harbour-2/",
            f"https://evil.example/{settings.SITE_HOST}/articles/harbour/",
            f"{settings.SITE_URL}/tags/harbour/",
            "not a url",
        ]
    )

    assert [judged.verdict for judged in verdicts] == [
        Verdict.NOT_OURS,
        Verdict.NOT_OURS,
        Verdict.NOT_OURS,
        Verdict.NOT_OURS,
        Verdict.UNRECOGNISED,
        Verdict.NOT_OURS,
        Verdict.UNRECOGNISED,
        Verdict.UNRECOGNISED,
    ]


@pytest.mark.django_db
def test_removed_and_open_articles_are_said_to_be() -> None:
    held, erased, open_ = HoldFactory().article, HoldFactory().article, ArticleFactory()
    erase(article=erased, at=timezone.now())
    send(address_of(open_), email="somebody@else.example")

    verdicts = lines.judge([address_of(article) for article in (held, erased, open_)])

    assert [judged.verdict for judged in verdicts] == [Verdict.GONE, Verdict.GONE, Verdict.DUPLICATE]


@pytest.mark.django_db
def test_an_editorial_hold_removes_nothing_for_its_owner() -> None:
    article, now = ArticleFactory(), timezone.now()
    place_hold(article=article, kind=HoldKind.EDITORIAL, reference="desk", effective_at=now, at=now, by=None)

    assert lines.judge([address_of(article)])[0].verdict == Verdict.OURS


@pytest.mark.django_db
def test_ten_thousand_lines_cost_as_many_queries_as_ten(django_assert_max_num_queries) -> None:
    article = ArticleFactory()
    few = [address_of(article), *(f"https://else.example/{n}" for n in range(9))]
    many = [address_of(article), *(f"https://else.example/{n}" for n in range(9_999))]
    started = time.monotonic()

    with django_assert_max_num_queries(20):
        assert len(lines.judge(few)) == 10
    with django_assert_max_num_queries(40):
        assert lines.judge(many)[0].verdict == Verdict.OURS

    assert time.monotonic() - started < 10

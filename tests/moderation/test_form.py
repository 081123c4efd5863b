"""The removal form: it forgives, keeps what was typed, and gives a reference only for what is stored."""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from datetime import timedelta
from http.cookiejar import CookieJar

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from articles.models import Article, Hold
from moderation.models import Claim, ClaimEvent, Lane, LedgerEntry, Letter, LetterKind, Notice, Verdict
from moderation.references import confirm_url, status_url
from tests.factories import ArticleFactory
from tests.moderation.intake import address_of, form_of, send

REFERENCE = re.compile(r"NR-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{3}")


def path_of(url: str) -> str:
    return urllib.parse.urlsplit(url).path


@pytest.mark.django_db
def test_the_form_asks_for_every_element_of_a_notice(client: Client) -> None:
    page = client.get("/removal/", {"url": "https://one.example/a"}).content.decode()

    for name in ("urls", "name", "email", "role", "rights_holder", "ground", "work", "original_urls", "explanation",
                 "address", "phone", "good_faith", "accurate", "signature"):  # fmt: skip
        assert f'name="{name}"' in page
        assert f'for="id_{name}"' in page
    assert "https://one.example/a" in page
    assert "512(f)" in page
    assert 'autocomplete="email"' in page


@pytest.mark.django_db
def test_a_notice_is_acknowledged_with_reference_status_and_a_verdict_for_each_line(client: Client) -> None:
    article = ArticleFactory()
    urls = f"{address_of(article)}\nhttps://else.example/x\nnot a url"

    answer = client.post("/removal/", form_of(urls))

    page, notice = answer.content.decode(), Notice.objects.get()
    assert answer.status_code == 200
    assert REFERENCE.fullmatch(notice.reference)
    assert notice.reference in page
    assert path_of(status_url(notice)) in page
    verdicts = list(notice.lines.values_list("verdict", flat=True))
    assert verdicts == [Verdict.OURS, Verdict.NOT_OURS, Verdict.UNRECOGNISED]
    for verdict in verdicts:
        assert Verdict(verdict).label in page
    assert notice.deadline_at.isoformat(timespec="seconds")[:16] in page
    assert (notice.deadline_at - notice.received_at) == timedelta(hours=24)


@pytest.mark.django_db
def test_a_notice_leaves_a_claim_its_history_a_letter_and_a_ledger_entry(client: Client) -> None:
    article = ArticleFactory()

    client.post("/removal/", form_of(address_of(article)))

    claim = Claim.objects.get()
    assert (claim.article, claim.lane, claim.state, claim.hold) == (article, Lane.C, "received", None)
    assert "not confirmed" in claim.lane_reason
    assert ClaimEvent.objects.get().claim == claim
    assert Letter.objects.get().kind == LetterKind.CONFIRM
    entry = LedgerEntry.objects.get(kind="received")
    assert str(article.key) in entry.payload
    assert "olena" not in entry.payload.lower()


@pytest.mark.django_db
def test_what_is_missing_refuses_nothing_and_is_told(client: Client) -> None:
    article = ArticleFactory()

    answer = client.post("/removal/", {"urls": address_of(article), "email": "olena@owner.example"})

    notice = Notice.objects.get()
    assert notice.missing == ["name", "work", "good_faith", "accurate", "signature"]
    assert "your full name" in answer.content.decode()
    assert Claim.objects.get().lane == Lane.C


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"urls": ""}, "urls", "Name at least one address"),
        ({"urls": "  \n "}, "urls", "Name at least one address"),
        ({"email": ""}, "email", "Without one we cannot answer"),
        ({"email": "olena at owner"}, "email", "does not look like an e-mail address"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "email", "does not look like"),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(
    client: Client, changes: dict[str, str], field: str, words: str
) -> None:
    fields = form_of("https://one.example/a", explanation="Typed for an hour.") | changes

    answer = client.post("/removal/", fields)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page.partition(f'id="id_{field}_error"')[2][:200]
    assert f'href="#id_{field}"' in page
    assert 'aria-invalid="true"' in page
    assert "Typed for an hour." in page
    assert "checked" in page.partition('name="good_faith"')[2].partition(">")[0]
    assert not Notice.objects.exists()


@pytest.mark.django_db
def test_checking_stores_nothing_and_keeps_what_was_typed(client: Client) -> None:
    article = ArticleFactory()

    answer = client.post("/removal/", form_of(address_of(article), check="1", name="Half Typed", email=""))

    page = answer.content.decode()
    assert "Our article" in page
    assert "Half Typed" in page
    assert not Notice.objects.exists()


@pytest.mark.django_db
def test_the_same_form_sent_again_is_the_same_case(client: Client) -> None:
    fields = form_of(address_of(ArticleFactory()))

    first, second = client.post("/removal/", fields), client.post("/removal/", fields)

    assert Notice.objects.count() == 1
    assert REFERENCE.findall(first.content.decode()) == REFERENCE.findall(second.content.decode())
    assert Letter.objects.count() == 1


@pytest.mark.django_db
def test_spaces_and_letter_case_of_the_mailbox_make_no_second_case() -> None:
    article = ArticleFactory()

    first = send(address_of(article))
    second = send(f"  {address_of(article)}\r\n", email="Olena@Owner.example")

    assert first == second


@pytest.mark.django_db
def test_another_article_or_another_sender_is_another_case() -> None:
    article = ArticleFactory()

    references = {
        send(address_of(article)).reference,
        send(address_of(article), email="somebody@else.example").reference,
        send(address_of(ArticleFactory())).reference,
    }

    assert len(references) == 3


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_one_case(live_server) -> None:
    article = ArticleFactory()
    body = urllib.parse.urlencode(form_of(address_of(article))).encode()
    headers = {"Origin": live_server.url}
    references: list[set[str]] = []

    def post() -> None:
        request = urllib.request.Request(f"{live_server.url}/removal/", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            references.append(set(REFERENCE.findall(answer.read().decode())))

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)

    assert len(references) == 20
    assert len(set.union(*references)) == 1
    assert (Notice.objects.count(), Claim.objects.count(), Letter.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_form_works_with_cookies_and_without(live_server) -> None:
    url = f"{live_server.url}/removal/"
    article = ArticleFactory()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(url, timeout=30).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token

    with_cookies = form_of(address_of(article), csrfmiddlewaretoken=token[1])
    answer = browser.open(url, urllib.parse.urlencode(with_cookies).encode(), timeout=30).read().decode()
    assert REFERENCE.search(answer)

    bare = urllib.parse.urlencode(form_of(address_of(article), name="Without Cookies")).encode()
    request = urllib.request.Request(url, bare, {"Origin": live_server.url})
    assert REFERENCE.search(urllib.request.urlopen(request, timeout=30).read().decode())


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_form_from_elsewhere_is_answered_kindly_and_stores_nothing(headers: dict[str, str]) -> None:
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post(
        "/removal/", form_of("https://one.example/a", explanation="Long text"), headers=headers
    )

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "once more" in page
    assert "Long text" in page
    assert not Notice.objects.exists()


@pytest.mark.django_db
def test_ten_thousand_addresses_are_received_whole_in_seconds(client: Client) -> None:
    article = ArticleFactory()
    urls = "\n".join([*(f"https://else.example/{n}" for n in range(9_999)), address_of(article)])
    started = timezone.now()

    answer = client.post("/removal/", form_of(urls))

    assert answer.status_code == 200
    notice = Notice.objects.get()
    assert notice.lines.count() == 10_000
    assert notice.claims.get().article == article
    assert notice.letter == urls
    assert timezone.now() - started < timedelta(seconds=20)


@pytest.mark.django_db
def test_hostile_text_in_every_field_stays_text(client: Client) -> None:
    attack = '"><script>alert(1)</script>{{ 7|add:7 }}{% load x %}\u202e=cmd()'
    names = ("name", "work", "original_urls", "explanation", "address", "phone", "rights_holder", "signature")

    answer = client.post("/removal/", form_of(f"https://x.example/{attack}", **dict.fromkeys(names, attack)))

    notice = Notice.objects.get()
    for page in (answer, client.get(path_of(status_url(notice)))):
        assert "<script>alert" not in page.content.decode()
        assert "14" not in page.content.decode().partition("alert(1)")[2][:40]


@pytest.mark.django_db
def test_a_value_longer_than_its_column_is_told_not_cut(client: Client) -> None:
    answer = client.post("/removal/", form_of("https://one.example/a", name="x" * 201))

    assert answer.status_code == 422
    assert "at most 200 characters" in answer.content.decode()


@pytest.mark.django_db
def test_a_line_longer_than_can_be_shown_is_kept_whole_in_the_letter() -> None:
    line = "https://one.example/" + "x" * 3_000

    notice = send(line)

    assert notice.lines.get().text.endswith("(shortened)")
    assert notice.letter == line


@pytest.mark.django_db
def test_private_pages_are_kept_by_nobody(client: Client) -> None:
    notice = send("https://one.example/a")

    for path in ("/removal/", path_of(status_url(notice)), path_of(confirm_url(notice))):
        answer = client.get(path)
        assert "no-store" in answer.headers["Cache-Control"]
        assert "noindex" in answer.headers["X-Robots-Tag"]


@pytest.mark.django_db
def test_one_unverified_sender_naming_everything_hides_nothing() -> None:
    articles = ArticleFactory.create_batch(30)

    notice = send("\n".join(address_of(article) for article in articles))

    assert set(notice.claims.values_list("lane", flat=True)) == {Lane.C}
    assert not Hold.objects.exists()
    assert Article.objects.public().count() == 30


@pytest.mark.django_db
def test_two_cases_about_one_article_each_have_their_own_claim() -> None:
    article = ArticleFactory()

    first = send(address_of(article), confirmed=True)
    second = send(address_of(article), email="somebody@else.example", confirmed=True)

    assert first.claims.get().hold != second.claims.get().hold
    assert second.lines.get().verdict == Verdict.DUPLICATE


@pytest.mark.django_db
def test_the_secret_is_stored_only_as_a_hash() -> None:
    notice = send("https://one.example/a")
    secret = path_of(status_url(notice)).split("/")[2]

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM moderation_notice")
        row = repr(cursor.fetchall())

    assert len(secret) >= 22
    assert secret not in row
    assert settings.SECRET_KEY not in row

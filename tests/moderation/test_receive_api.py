"""Notices from programs: the same case, the same clock, the same caution as by form."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from moderation import api
from moderation.models import Lane, Notice
from moderation.references import status_url
from tests.factories import ArticleFactory
from tests.moderation.intake import COMPLETE, address_of

pytestmark = pytest.mark.django_db


def post(body: Any, **headers: str) -> tuple[HttpResponse, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body)
    request = RequestFactory().post("/api/notices/", raw, content_type="application/json", headers=headers)
    answer = api.post_notice(request)
    return answer, json.loads(answer.content)


def test_a_notice_is_received_with_a_verdict_for_each_address() -> None:
    article = ArticleFactory()

    answer, told = post({**COMPLETE, "urls": [address_of(article), "https://else.example/x"]})

    notice = Notice.objects.get()
    assert answer.status_code == 202
    assert (told["reference"], told["status_url"]) == (notice.reference, status_url(notice))
    assert [(line["verdict"], line["claim"]) for line in told["lines"]] == [("ours", 1), ("not_ours", None)]
    assert notice.claims.get().lane == Lane.C


def test_sent_again_it_is_the_same_case() -> None:
    body = {**COMPLETE, "urls": address_of(ArticleFactory())}

    (first, told), (second, again) = (
        post(body, **{"Idempotency-Key": "k"}),
        post(body, **{"Idempotency-Key": "k"}),
    )

    assert (first.status_code, second.status_code) == (202, 200)
    assert told == again
    assert Notice.objects.count() == 1


def test_a_key_used_for_another_notice_loses_none_of_the_two() -> None:
    for article in ArticleFactory.create_batch(2):
        post({**COMPLETE, "urls": address_of(article)}, **{"Idempotency-Key": "k"})

    assert Notice.objects.count() == 2


def xarf_4(url: str) -> dict[str, Any]:
    return {
        "xarf_version": "4.0.0",
        "report_id": "c0ffee00-0000-4000-8000-000000000001",
        "reporter": {
            "org": "Harbour Press",
            "contact": "rights@harbour.example",
            "domain": "harbour.example",
        },
        "category": "copyright",
        "type": "copyright",
        "work_title": "Ferries sail again",
        "rights_holder": "Harbour Press Ltd",
        "infringing_url": url,
        "evidence": [{"content_type": "text/plain", "payload": "eA=="}],
    }


def xarf_3(url: str) -> dict[str, Any]:
    return {
        "Version": "3.0.0",
        "ReporterInfo": {
            "ReporterOrg": "Harbour Press",
            "ReporterContactEmail": "rights@harbour.example",
            "ReporterContactName": "Ann Harbour",
        },
        "Report": {
            "ReportClass": "Content",
            "ReportType": "Copyright",
            "Source": {"Type": "uri", "URL": url},
        },
    }


@pytest.mark.parametrize("shape", [xarf_3, xarf_4])
def test_a_xarf_copyright_report_is_a_notice(shape: Any) -> None:
    article = ArticleFactory()

    answer, told = post(shape(article.canonical_url))

    notice = Notice.objects.get()
    assert answer.status_code == 202
    assert (notice.email, notice.organisation) == ("rights@harbour.example", "Harbour Press")
    assert notice.claims.get().article == article
    assert "good_faith" in told["missing"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b'{"urls": "https://a.example/1", "email": "ann@x.example", "email": "eve@y.example"}', 400),
        ([], 422),
        ({}, 422),
        ({"urls": "https://x.example/"}, 422),
        ({"urls": "", "email": "a@b.example"}, 422),
        ({"urls": [], "email": "a@b.example"}, 422),
        ({"urls": ["https://x.example/"], "email": "nobody"}, 422),
        ({"urls": ["https://x.example/"], "email": "a@b.example", "ground": "spite"}, 422),
        ({"urls": ["https://x.example/"], "email": "a@b.example", "nmae": "typo"}, 422),
        ({"urls": ["https://x.example/half-\ud800"], "email": "a@b.example"}, 422),
        ({"urls": ["https://x.example/"], "email": "a@b.example", "original_urls": "\ud800"}, 422),
        ({"xarf_version": "4.0.0", "category": "messaging", "type": "spam"}, 422),
        ({"xarf_version": "4.0.0", "category": "copyright", "reporter": "x"}, 422),
        ({"Version": "3", "ReporterInfo": None, "Report": {"ReportType": "Phishing"}}, 422),
    ],
)
def test_what_cannot_be_read_is_a_problem_in_words(body: Any, status: int) -> None:
    answer, told = post(body)

    assert (answer.status_code, told["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert told["title"]
    assert told["detail"]
    assert not Notice.objects.exists()


def test_once_the_mailbox_is_confirmed_a_guessed_repeat_does_not_tell_the_page() -> None:
    body = {**COMPLETE, "urls": address_of(ArticleFactory())}
    _, first = post(body)
    _, while_open = post(body)
    Notice.objects.update(confirmed_at=timezone.now())

    answer, guessed = post(body)

    assert while_open["status_url"] == first["status_url"]
    assert answer.status_code == 200
    assert guessed["reference"] == first["reference"]
    assert guessed["status_url"] == ""
    secret = first["status_url"].rstrip("/").rpartition("/")[2]
    assert secret not in answer.content.decode()


def test_the_form_sent_again_does_not_tell_the_page_of_a_confirmed_case(client: Client) -> None:
    told = {**COMPLETE, "urls": address_of(ArticleFactory())}
    first = client.post("/removal/", told).content.decode()
    path = urlsplit(status_url(Notice.objects.get())).path
    Notice.objects.update(confirmed_at=timezone.now())

    again = client.post("/removal/", told)

    assert path in first
    assert Notice.objects.count() == 1
    assert path not in again.content.decode()
    assert "stands in our letters to" in again.content.decode()

"""A key speaks for its domain and its mailbox, and for nobody else's."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from moderation import api, owners
from moderation.models import Lane, Notice
from tests.factories import ArticleFactory, SourceFactory
from tests.moderation.intake import COMPLETE, address_of
from tests.moderation.test_owners import DOMAIN, notice_source, owner_of

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"


@pytest.fixture
def key() -> str:
    return owners.new_key(notice=owner_of(), domain=DOMAIN, at=timezone.now()).secret


def call(client: Client, method: str, path: str, key: str = "", body: Any = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = json.dumps(body) if body is not None else ""
    answer = client.generic(method, f"/api/{path}", data, content_type="application/json", headers=headers)
    return answer.status_code, json.loads(answer.content)


def test_a_notice_with_a_key_withholds_its_domains_articles_at_once_and_no_others(
    client: Client, key: str
) -> None:
    ours = ArticleFactory(source=notice_source(DOMAIN))
    others = ArticleFactory()

    status, told = call(client, "POST", "notices/", key, {"urls": [address_of(ours), address_of(others)]})

    assert (status, told["mailbox_confirmed"]) == (202, True)
    claims = Notice.objects.get(reference=told["reference"]).claims.order_by("number")
    assert [claim.lane for claim in claims] == ["A", "C"]
    public = set(Article.objects.public())
    assert ours not in public
    assert others in public


def test_who_sends_the_same_without_the_key_gets_a_case_of_its_own(client: Client, key: str) -> None:
    ours = ArticleFactory.create_batch(2, source=notice_source(DOMAIN))
    guessed = [{"urls": address_of(article), "email": COMPLETE["email"]} for article in ours]
    _, before = call(client, "POST", "notices/", "", guessed[0])

    sent = [call(client, "POST", "notices/", key, {"urls": address_of(article)}) for article in ours]
    again, _ = call(client, "POST", "notices/", key, {"urls": address_of(ours[0])})
    _, after = call(client, "POST", "notices/", "", guessed[1])

    assert ([status for status, _ in sent], again) == ([202, 202], 200)
    owners_cases = {told["status_url"] for _, told in sent}
    assert len(owners_cases | {before["status_url"], after["status_url"]}) == 4
    for stranger in (before, after):
        notice = Notice.objects.get(reference=stranger["reference"])
        assert owners.proofs(notice, at=timezone.now()) == {}
        assert (notice.confirmed_at, notice.claims.get().lane) == (None, Lane.C)


def test_a_key_writes_to_its_own_mailbox_only(client: Client, key: str) -> None:
    status, told = call(
        client, "POST", "notices/", key, {"urls": "https://x.example/", "email": "a@victim.example"}
    )

    assert (status, told["errors"][0]["field"]) == (422, "email")


@pytest.mark.parametrize("wrong", ["nonsense", "nrk_nonsense", "nrk_" + "x" * 200])
def test_a_key_that_opens_nothing_is_said_so(client: Client, wrong: str) -> None:
    for method, path in (
        ("POST", "notices/"),
        ("GET", "notices/NR-00000-00000-000"),
        ("GET", "owner/opt-outs"),
    ):
        status, told = call(client, method, path, wrong, {"urls": "https://x.example/"})
        assert (status, told["status"]) == (401, 401)


def test_revoked_it_opens_nothing(client: Client, key: str) -> None:
    row = owners.key_called(key, at=timezone.now())
    owners.revoke_key(notice=row.notice, key_id=row.pk, at=timezone.now())

    assert call(client, "GET", "owner/opt-outs", key)[0] == 401


def test_the_case_is_there_for_its_owner_and_for_nobody_else(client: Client, key: str) -> None:
    article = ArticleFactory(source=notice_source(DOMAIN))
    _, sent = call(client, "POST", "notices/", key, {"urls": address_of(article)})

    status, case = call(client, "GET", f"notices/{sent['reference']}", key)

    assert (status, case["claims"][0]["lane"], case["claims"][0]["state"]) == (200, "A", "received")
    assert case["claims"][0]["withheld_from"]
    stranger = owner_of("other.example", email="else@other.example")
    others = owners.new_key(notice=stranger, domain="other.example", at=timezone.now()).secret
    assert call(client, "GET", f"notices/{sent['reference']}", others)[0] == 404
    assert call(client, "GET", f"notices/{sent['reference']}")[0] == 401


def test_looking_is_limited_and_sending_never(client: Client, key: str, monkeypatch) -> None:
    monkeypatch.setattr(api, "LOOKS", 1)
    call(client, "GET", "owner/opt-outs", key)

    assert call(client, "GET", "owner/opt-outs", key)[0] == 429
    assert call(client, "POST", "notices/", key, {"urls": address_of(ArticleFactory())})[0] == 202


def test_opt_outs_through_the_api(client: Client, key: str) -> None:
    article = ArticleFactory(source=notice_source(DOMAIN), canonical_url=f"https://{DOMAIN}/culture/1")

    status, rule = call(client, "POST", "owner/opt-outs", key, {"kind": "path", "value": "/culture/"})
    assert (status, rule["what"]) == (200, f"everything at {DOMAIN}/culture/")
    assert article not in Article.objects.public()
    assert [one["id"] for one in call(client, "GET", "owner/opt-outs", key)[1]] == [rule["id"]]

    assert call(client, "DELETE", f"owner/opt-outs/{rule['id']}", key)[0] == 200
    assert article in Article.objects.public()
    assert call(client, "DELETE", "owner/opt-outs/999", key)[0] == 404
    assert call(client, "POST", "owner/opt-outs", key, {"kind": "path", "value": "/"})[0] == 422


def test_the_description_names_the_key_and_every_operation(client: Client) -> None:
    described = client.get("/api/openapi.json").json()

    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert {"/api/notices/", "/api/notices/{reference}", "/api/owner/opt-outs", "/api/owner/webhook"} <= set(
        described["paths"]
    )
    for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(described)):
        room, schema = name.removeprefix("#/components/").split("/")
        assert schema in described["components"][room], name
    assert "XarfReport" in json.dumps(described["paths"]["/api/notices/"])


@pytest.mark.django_db(transaction=True)
def test_the_examples_of_the_documentation_work(live_server, settings) -> None:
    settings.SITE_URL = live_server.url
    source = SourceFactory(domain=DOMAIN)
    ArticleFactory(source=source, canonical_url=f"https://{DOMAIN}/news/1", url_key=None)
    secret = owners.new_key(notice=owner_of(), domain=DOMAIN, at=timezone.now()).secret
    reference = ""

    for command in re.findall(r"```sh\n(.*?)```", DOCS.read_text(), re.S):
        script = f"SITE={live_server.url} KEY={secret} REFERENCE={reference} NUMBER=1\nset -e\n{command}"
        ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)
        reference = (re.findall(r"NR-[0-9A-Z-]{15}", ran.stdout) or [reference])[0]

    assert reference

"""Proof of a removal, through the front door of a site that really answers."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from articles import cuts, surfaces
from articles.models import Article
from moderation import actions, certificates, probes
from moderation.ledger import canonical
from moderation.models import Claim, ClaimState, Notice, Probe, ProbePlan
from moderation.references import hash_of
from tests.conftest import free_port
from tests.factories import ArticleFactory, MediaFactory, RenditionFactory
from tests.loopback import Answer, Asked, web_server
from tests.moderation.cases import claim_in, notice_about, reduce_to
from tests.site_server import serving

S = ClaimState
pytestmark = pytest.mark.django_db
BODY = "<p>The ferry <em>left</em> quay nine at dawn under a pink and restless sky.</p>"


class Door:
    """Answers for the site over real HTTP; `leaks` are addresses at which a forgotten copy is served."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.leaks: dict[str, str] = {}
        self.status = 451


@pytest.fixture
def door() -> Iterator[Door]:
    with web_server() as web:
        door = Door(web.url("")[:-1] if web.url("").endswith("/") else web.url(""))

        def answer(asked: Asked) -> Answer:
            if asked.path in door.leaks:
                return Answer(200, door.leaks[asked.path].encode())
            own = (
                asked.path.startswith("/articles/")
                or "/ferries-sail/" in asked.path
                or "/media/" in asked.path
            )
            return Answer(door.status if own else 200, b"<p>Other news of the day.</p>")

        web.answers = _Every(answer)  # type: ignore[assignment]
        yield door


class _Every(dict):
    """One answer for every path."""

    def __init__(self, answer) -> None:
        super().__init__()
        self.answer = answer

    def get(self, path, default=None):
        return self.answer


@pytest.fixture
def removed() -> Claim:
    """A claim upheld on an article of which every mark is telling."""
    article = ArticleFactory(
        headline="Ferries sail from quay nine again", slug="ferries-sail", standfirst="Harbour master relieved.",
        body=BODY, people=["Petronella Quist"], tags=["Harbours"], lead_media=MediaFactory(),
    )  # fmt: skip
    return claim_in(S.UPHELD, article=article)


def test_a_clean_site_is_proved_and_certified(door, removed, capsys, tmp_path):
    output = tmp_path / "certificate.json"

    call_command("prove_removal", removed.notice.reference, "--base-url", door.url, "--output", output)

    said = capsys.readouterr().out
    removed.refresh_from_db()
    assert removed.proved_at is not None
    assert "/articles/ferries-sail/" in said
    assert "clean" in said
    assert Probe.objects.filter(claim=removed).count() > 1
    statement = json.loads(output.read_text())["statement"]
    assert {"surface", "address", "status", "sha256", "at"} == set(statement["surfaces"][0])
    assert statement["ledger"]["hash"]
    call_command("prove_removal", "--verify", output)
    assert f"Genuine: {removed}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("leak", "found"),
    [
        ("<h2>FERRIES sail from Quay nine, again</h2>", "headline"),
        ("<p>… the ferry left quay nine at dawn under a … </p>", "text"),
        (
            '<meta content="under a pink and restless sky">left quay nine at dawn under a pink and restless sky',
            "text",
        ),
        ('<a href="/articles/ferries-sail/">x</a>', "address"),
        ("<img src='/media/{token}-480.webp'>", "picture"),
    ],
)
def test_whatever_is_left_anywhere_is_found(door, removed, leak, found):
    path = next(path for _, path in removed.plan.addresses if not path.startswith("/articles/"))
    door.leaks[path] = leak.replace("{token}", removed.article.lead_media.token)

    seen = probes.probe(removed.plan, at=timezone.now(), base_url=door.url)

    assert [one.found for one in seen if not one.is_clean] == [found]
    removed.refresh_from_db()
    assert removed.proved_at is None
    with pytest.raises(CommandError, match="not proved"):
        call_command("prove_removal", removed.notice.reference, "--base-url", door.url)


def test_another_outlets_copy_in_a_list_is_told_from_the_article(door, removed):
    copy = ArticleFactory(
        headline=removed.article.headline, body=BODY, copy_of=removed.article, text_key="t" * 64
    )
    Article.objects.filter(pk=removed.article_id).update(text_key=copy.text_key)
    path = next(path for _, path in removed.plan.addresses if not path.startswith("/articles/"))
    door.leaks[path] = f"<h2>{copy.headline}</h2>{BODY}"

    plan = ProbePlan.objects.get(claim=removed)
    seen = probes.probe(plan, at=timezone.now(), base_url=door.url)

    assert [(one.is_clean, one.found) for one in seen if one.found] == [(True, probes.COPY)]
    removed.refresh_from_db()
    assert removed.proved_at is not None

    door.leaks[path] += '<a href="/articles/ferries-sail/">x</a>'
    seen = probes.probe(plan, at=timezone.now(), base_url=door.url)
    assert [one.found for one in seen if not one.is_clean] == [f"address, {probes.COPY}"]

    copy.delete()
    door.leaks[path] = BODY
    seen = probes.probe(plan, at=timezone.now(), base_url=door.url)
    assert [one.found for one in seen if not one.is_clean] == ["text"]


def test_its_own_page_must_be_gone_and_name_nobody(door, removed):
    door.leaks["/articles/ferries-sail/"] = "By Petronella Quist"

    seen = probes.probe(removed.plan, at=timezone.now(), base_url=door.url)

    (own,) = [one for one in seen if one.url == "/articles/ferries-sail/"]
    assert (own.is_clean, own.found) == (False, "name")

    door.leaks.clear()
    door.status = 200
    seen = probes.probe(removed.plan, at=timezone.now(), base_url=door.url)
    assert not all(one.is_clean for one in seen)


def test_an_erased_article_is_still_recognised_by_what_was_remembered(door, removed):
    actions.erase(claim_id=removed.pk, at=timezone.now(), demanded=True)
    removed.refresh_from_db()
    path = next(path for _, path in removed.plan.addresses if not path.startswith("/articles/"))
    door.leaks[path] = BODY

    seen = probes.probe(probes.remember(removed, at=timezone.now()), at=timezone.now(), base_url=door.url)

    assert [one.found for one in seen if not one.is_clean] == ["text"]


def test_the_plan_holds_no_word_of_the_article(removed):
    kept = json.dumps(removed.plan.marks).casefold()

    for word in ("ferr", "quay", "quist", "dawn", "harbour", removed.article.lead_media.token):
        assert word not in kept


def test_every_registered_surface_on_which_it_stood_is_looked_at(removed):
    looked_at = {surface for surface, _ in removed.plan.addresses}
    stood = {name for name, surface in surfaces.REGISTER.items() if list(surface.locate(removed.article))}

    assert stood <= looked_at
    assert len(stood) > 5


def test_without_a_server_nothing_is_proved(removed):
    with pytest.raises(CommandError, match="Could not be proved"):
        call_command(
            "prove_removal", removed.notice.reference, "--base-url", f"http://127.0.0.1:{free_port()}"
        )
    assert not Probe.objects.exists()


def test_the_worker_proves_what_is_due_once_and_comes_back_to_what_is_not(door, removed, settings):
    settings.SITE_URL = door.url
    now = timezone.now()
    path = next(path for _, path in removed.plan.addresses if not path.startswith("/articles/"))
    door.leaks[path] = BODY

    assert probes.probe_due(10, now) == 1
    assert probes.probe_due(10, now) == 0
    door.leaks.clear()
    assert probes.probe_due(10, now + timedelta(hours=1)) == 1

    removed.refresh_from_db()
    assert removed.proved_at is not None
    assert ProbePlan.objects.get().due_at is None


def test_what_is_shown_again_is_not_proved_any_more(removed):
    actions.withdraw(claim_id=removed.pk, at=timezone.now())

    assert probes.probe_due(10, timezone.now() + timedelta(days=1)) == 0


@pytest.mark.parametrize("change", ["claim", "surfaces", "signature"])
def test_a_certificate_that_was_changed_is_not_genuine(door, removed, change, tmp_path):
    seen = probes.probe(removed.plan, at=timezone.now(), base_url=door.url)
    whole = certificates.certificate(removed, seen, at=timezone.now())
    assert certificates.check(json.dumps(whole))["claim"] == str(removed)

    if change == "signature":
        whole["signature"] = "A" * 86 + "=="
    else:
        whole["statement"][change] = []

    with pytest.raises(certificates.NotGenuine):
        certificates.check(json.dumps(whole))
    file = tmp_path / "c.json"
    file.write_text(json.dumps(whole))
    with pytest.raises(CommandError):
        call_command("prove_removal", "--verify", file)


@pytest.mark.parametrize("member", ["statement", "signature", "key"])
def test_a_certificate_that_says_a_thing_twice_is_not_genuine(door, removed, member, tmp_path):
    seen = probes.probe(removed.plan, at=timezone.now(), base_url=door.url)
    text = json.dumps(certificates.certificate(removed, seen, at=timezone.now()))
    # The first is what a person reads, the last what most programs do.
    twice = f'{{"{member}": {{"claim": "NR-FORGED.1"}}, {text[1:]}'

    with pytest.raises(certificates.NotGenuine, match="twice"):
        certificates.check(twice)
    (tmp_path / "c.json").write_text(twice)
    with pytest.raises(CommandError, match="twice"):
        call_command("prove_removal", "--verify", tmp_path / "c.json")


@pytest.mark.parametrize("kind", [None, "newsroom refund 1", ["newsroom removal certificate 1"]])
def test_what_our_key_signed_for_another_purpose_is_no_certificate(removed, kind):
    statement = {"kind": kind, "claim": str(removed), "surfaces": [], "issued_at": ""}
    signature = certificates._private_key().sign(canonical(statement).encode())
    whole = {"statement": statement, "signature": base64.b64encode(signature).decode()}

    with pytest.raises(certificates.NotGenuine, match="kind"):
        certificates.check(json.dumps(whole))


@pytest.mark.parametrize("text", ["", "[]", "7", "null", "[" * 100_000, "{}", b"\xff\xfe{"])
def test_what_is_no_certificate_is_refused_in_words(text, tmp_path):
    (tmp_path / "c.json").write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(certificates.NotGenuine):
        certificates.check(text)
    with pytest.raises(CommandError, match="certificate"):
        call_command("prove_removal", "--verify", tmp_path / "c.json")


def test_a_certificate_is_checked_with_the_published_key_alone(door, removed, settings, tmp_path):
    seen = probes.probe(removed.plan, at=timezone.now(), base_url=door.url)
    whole = json.dumps(certificates.certificate(removed, seen, at=timezone.now()))
    published = Client().get("/transparency/key.pem").content
    settings.LEDGER_PATH = tmp_path / "elsewhere" / "ledger.jsonl"

    assert certificates.check(whole, key_pem=published)
    with pytest.raises(certificates.NotGenuine):
        certificates.check(whole)


def test_many_threads_agree_on_one_key():
    keys = []
    threads = [threading.Thread(target=lambda: keys.append(certificates.public_key_pem())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(keys)) == 1
    assert len(keys) == 8


@pytest.mark.parametrize("command", ["remove", "prove_removal"])
def test_a_reference_nobody_was_given_is_refused_in_words(command):
    with pytest.raises(CommandError, match="There is no notice NR-NOBODY"):
        call_command(command, "nr-nobody")


def test_the_operator_removes_by_reference_and_reads_what_happened(capsys):
    notice = notice_about(ArticleFactory(), ArticleFactory(), lane="C")

    call_command("remove", notice.reference.lower())

    said = capsys.readouterr().out
    assert said.count("withheld now") == 2
    assert set(notice.claims.values_list("state", flat=True)) == {S.UPHELD}
    call_command("remove", notice.reference)
    assert capsys.readouterr().out.count("left as it is: upheld") == 2


def test_removing_what_ended_fails_and_says_so():
    claim = claim_in(S.WITHDRAWN)

    with pytest.raises(CommandError, match="had ended"):
        call_command("remove", claim.notice.reference)


def test_nothing_withheld_is_nothing_to_prove():
    claim = claim_in(S.RECEIVED)

    with pytest.raises(CommandError, match="nothing to prove"):
        call_command("prove_removal", claim.notice.reference)


@pytest.mark.django_db(transaction=True)
def test_the_site_itself_is_dirty_before_a_removal_and_clean_after_it(live_server):
    article = ArticleFactory(
        headline="Ferries sail from quay nine again", standfirst="Harbour master relieved.", body=BODY,
        people=["Petronella Quist"], tags=["Harbours"],
    )  # fmt: skip
    claim = notice_about(article).claims.get()
    plan = probes.remember(claim, at=timezone.now())

    before = probes.probe(plan, at=timezone.now(), base_url=live_server.url)
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    after = probes.probe(plan, at=timezone.now(), base_url=live_server.url)

    assert sum(not one.is_clean for one in before) > len(before) / 2
    assert [(one.surface, one.url, one.status, one.found) for one in after if not one.is_clean] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("part", "name", "found", "says"),
    [
        ("picture", "", "picture", "the picture"),
        ("headline", "", "text", "the text beyond the headline"),
        ("excerpt", "", "text", "the text beyond an excerpt"),
        ("name", "Petronella Quist", "name", "one name"),
    ],
)
def test_a_part_is_proved_as_well_and_the_certificate_says_which(
    part, name, found, says, client, capsys, tmp_path, settings
):
    media = MediaFactory(file="pictures/one.webp", sha256="1" * 64)
    default_storage.save("pictures/one-480.webp", ContentFile(b"RIFF not really a picture"))
    RenditionFactory(media=media, file="pictures/one-480.webp", width=480, height=320)
    article = ArticleFactory(
        headline="Ferries sail again", slug="ferries-sail", body=BODY + "<p>Nobody knew where the gulls had gone.</p>",
        byline="By Petronella Quist and Bo Li", people=["Petronella Quist", "Bo Li"], lead_media=media,
        source__excerpt_words=6,
    )  # fmt: skip
    notice = notice_about(article, secret_hash=hash_of("known"))
    now = timezone.now()
    # What the part looks like on a site that has not taken it out yet.
    plan = probes.remember_part(notice.claims.get(), kind=part, name_key=cuts.key_of(name), at=now)
    with serving() as site:
        url = f"http://127.0.0.1:{site.port}"
        before = probes.probe(plan, at=now, base_url=url)
        assert found in {one.found for one in before} | {"picture" for one in before if not one.is_clean}
        reduce_to(notice.claims.get(), part, name)

        after = probes.probe(ProbePlan.objects.get(), at=timezone.now(), base_url=url)

        assert [(one.surface, one.url, one.status, one.found) for one in after if not one.is_clean] == []
        assert 200 in {one.status for one in after if one.url == "/articles/ferries-sail/"}
        call_command("prove_removal", notice.reference, "--base-url", url)
        assert f'"removed": "{says}"' in capsys.readouterr().out
    answer = client.get("/removal/known/certificate/1.json")
    assert certificates.check(answer.content)["removed"] == says
    assert "certificate/1.json" in client.get("/removal/known/").content.decode()


def test_a_name_the_report_speaks_of_cannot_be_told_apart_and_is_not_claimed_to_be_gone():
    article = ArticleFactory(body="<p>Petronella Quist spoke.</p>", people=["Petronella Quist"])
    claim = notice_about(article).claims.get()

    reduce_to(claim, "name", "Petronella Quist")

    assert not ProbePlan.objects.exists()
    with pytest.raises(CommandError, match="cannot be told from what stays"):
        call_command("prove_removal", claim.notice.reference)


def test_what_is_not_proved_has_no_certificate(client, door, removed):
    Notice.objects.filter(pk=removed.notice_id).update(secret_hash=hash_of("known"))
    assert client.get("/removal/known/certificate/1.json").status_code == 404

    probes.probe(removed.plan, at=timezone.now(), base_url=door.url)
    assert client.get("/removal/known/certificate/1.json").status_code == 200
    assert client.get("/removal/unknown/certificate/1.json").status_code == 404

    actions.withdraw(claim_id=removed.pk, at=timezone.now())
    assert client.get("/removal/known/certificate/1.json").status_code == 404

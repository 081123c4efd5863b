"""The drill: a removal nobody asked for, from the form to the certificate, seen by no reader and in no figure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone

import newsroom.urls  # noqa: F401  (registers every surface)
from articles import canary
from articles.models import Article, Heartbeat
from articles.surfaces import REGISTER
from moderation import drill, exports, transparency
from moderation.models import Channel, Claim, ClaimState, Letter, Notice
from newsroom.alarms import alarms
from newsroom.health import heartbeat_ages
from tests.conftest import free_port
from tests.factories import ArticleFactory, HoldFactory, UserFactory
from tests.site_server import serving


@pytest.mark.django_db(transaction=True)
def test_the_drill_walks_the_whole_path_and_leaves_no_trace_in_figures(settings, capsys, client):
    with serving() as site:
        settings.SITE_URL = f"http://127.0.0.1:{site.port}"

        call_command("drill", "--clock", "2")

        said = capsys.readouterr().out
        assert [line.split()[0] for line in said.splitlines()[:7]] == [
            "page", "form", "confirm", "deadline", "decision", "proof", "erasure",
        ]  # fmt: skip
        claim = Claim.objects.select_related("notice", "article").get()
        assert f"The drill {claim.notice.reference} passed." in said
        assert (claim.notice.channel, claim.state, claim.lane) == (Channel.DRILL, ClaimState.ERASED, "B")
        assert claim.decisions.filter(automated=True).exists()
        assert Letter.objects.filter(sent_at__isnull=False).exists()
        assert (site.asked.count("/removal/"), claim.article.headline) == (2, "")
        at = timezone.now()
        assert transparency.cases(at=at) == []
        assert transparency.figures(at=at).hidden == 0
        assert exports.lumen_notices(at.year) + exports.statements(at.year) == []
        assert all(figure.value in (0, None) for figure in exports.report(at.year, at=at))
        assert claim.notice.reference not in client.get("/transparency/").content.decode()
        assert str(claim.article.key) not in client.get("/feeds/latest.atom").content.decode()
        assert [alarm for alarm in alarms(at) if alarm.name == "drill"] == []
        figures = client.get("/metrics").content.decode()
        assert "newsroom_drill_age_seconds" in figures
        assert 'newsroom_alarm{alarm="drill"} 0.0' in figures
        call_command("verify_ledger")


@pytest.mark.django_db
def test_a_canary_is_on_its_own_page_and_nowhere_else(client):
    ArticleFactory()
    article = canary.make()

    page = client.get(article.get_absolute_url())
    assert article.headline in page.content.decode()
    assert "noindex" in page.headers["X-Robots-Tag"]
    for name, surface in REGISTER.items():
        for path in surface.locate(article):
            if name == "article":
                continue  # itself, in each language of the interface
            answer = client.get(path, follow=True)
            said = answer.content.decode("utf-8", "replace")
            assert article.standfirst not in said, (name, path)
            assert article.slug not in said, (name, path)
            # A search repeats what was asked.
            assert name == "search" or article.headline not in said, (name, path)
    HoldFactory(article=article)
    assert client.get(article.get_absolute_url()).status_code == 451
    assert str(article.key) not in client.get("/feeds/latest.atom").content.decode()


@pytest.mark.django_db
def test_nobody_else_makes_a_canary_or_shortens_a_clock(client):
    chosen = ArticleFactory(state="approved", slug="drill-0123456789abcdef0123456789abcdef")
    assert client.get(chosen.get_absolute_url()).status_code == 404
    public = ArticleFactory()
    forged = TimestampSigner(key="another key", salt="drill").sign("2")
    typed = {
        "urls": f"http://127.0.0.1:8000{public.get_absolute_url()}", "email": "a@owner.example", "name": "A",
        "work": "Mine", "good_faith": "on", "accurate": "on", "signature": "A",
    }  # fmt: skip

    client.post("/removal/", typed, headers={drill.HEADER: forged})

    notice = Notice.objects.get()
    assert notice.channel == Channel.FORM
    assert notice.deadline_at > timezone.now() + timedelta(hours=23)


@pytest.mark.django_db(transaction=True)
def test_a_drill_that_fails_rings_until_one_passes(settings, client: Client):
    at = timezone.now()
    for beat in ("worker", "send letters", "prove removals"):
        Heartbeat.objects.create(name=beat, at=at + timedelta(minutes=30))
    assert not drill.is_due(at)  # not in the first quarter of an hour
    assert alarms(at) == []
    assert drill.is_due(at + timedelta(minutes=16))
    settings.SITE_URL = f"http://127.0.0.1:{free_port()}"

    assert drill.practise(1, at) == 0

    assert not Article.objects.exists()
    (alarm,) = alarms(at)
    assert alarm.name == "drill"
    assert "page: No connection" in alarm.words
    assert "The drill failed" in client.get("/readyz").json()["alarms"][0]
    assert client.get("/readyz").status_code == 200
    assert "machinery is late" in client.get("/removal/").content.decode()
    client.force_login(UserFactory(superuser=True))
    assert "The drill failed" in client.get("/admin/").content.decode()
    assert not drill.is_due(at + timedelta(minutes=1))
    drill.leave_word(drill.PASSED, {"reference": "NR-1", "seconds": {"page": 1.0}})
    assert alarms(timezone.now()) == []
    assert "machinery is late" not in client.get("/removal/").content.decode()
    late = [one.words for one in alarms(timezone.now() + timedelta(hours=40)) if one.name == "drill"]
    assert late
    assert late[0].startswith("No drill since")
    assert drill.is_due(timezone.now() + timedelta(hours=25))
    assert "drill passed" not in heartbeat_ages()


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_away_fails_the_drill(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    with serving() as site:
        settings.SITE_URL = f"http://127.0.0.1:{site.port}"

        with pytest.raises(drill.DrillFailed, match="letter: The letter that asks to confirm"):
            drill.run(clock=timedelta(seconds=2), patience=0.5)

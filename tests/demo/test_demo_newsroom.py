"""The demo: loaded through the fetcher over real HTTP, curated, and about nobody who exists."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Q
from django.test import Client

from accounts.models import User
from aggregator.models import Feed
from articles.models import Article, ArticleState, Media, Mention, Note, Role, Story, Tag
from articles.notes import open_tasks_of
from moderation.models import Claim, ClaimState
from newsroom import demo_outlets
from newsroom.demo import LOGINS, PAUSED, sign_ins
from newsroom.demo_outlets import FOLDER, dated, outlets

WAR_REPORT = "https://meridianledger.example/world/brenna-market-shelling"
DOCUMENTS = sorted((FOLDER / "feeds").iterdir())
# Names of vocabularies, which every feed has to spell as they are.
VOCABULARIES = {
    "www.w3.org", "purl.org", "search.yahoo.com", "backend.userland.com", "jsonfeed.org",
}  # fmt: skip


def load(**options: str) -> str:
    said = StringIO()
    call_command("load_demo", stdout=said, **options)
    return said.getvalue()


def test_the_demo_fills_a_newsroom_once_and_only_once(transactional_db: None, monkeypatch) -> None:
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    made_up = re.search(r"Sign in as contributor, .*auditor or admin with (\S+)", load())
    assert made_up
    public = set(Article.objects.public().values_list("pk", flat=True))
    assert len(public) >= 100
    assert Article.objects.public().values("source").distinct().count() >= 10
    assert (
        len({language[:2] for language in Article.objects.public().values_list("language", flat=True)}) >= 6
    )
    counted = [model.objects.count() for model in (Article, Media, Feed, Tag, Story, Claim, User, Note)]

    again = load(password="another long password")

    assert set(Article.objects.public().values_list("pk", flat=True)) == public
    assert [model.objects.count() for model in (Article, Media, Feed, Tag, Story, Claim, User, Note)] == counted
    assert f"{len(public)} articles" in again
    assert "another long password" not in again
    _its_feeds_wait_for_nobody()
    _its_pictures_are_credited_and_here()
    _the_war_report_names_those_who_contributed()
    _its_stories_are_told_by_several_outlets()
    _its_queue_is_not_empty()
    _its_desk_has_a_day_before_it()
    _a_reader_finds_it()
    _the_logins_keep_their_password(made_up[1])


def _its_feeds_wait_for_nobody() -> None:
    assert not Feed.objects.filter(Q(paused_at=None) | ~Q(pause_reason=PAUSED)).exists()
    assert not Feed.objects.exclude(last_error="").exists()


def _its_pictures_are_credited_and_here() -> None:
    # The picture of the article that was removed is under seal with it.
    pictures = Media.objects.filter(articles__in=Article.objects.public())
    assert pictures.count() >= 40
    assert not pictures.filter(Q(alt="") | Q(credit="") | Q(terms="")).exists()
    assert not pictures.filter(Q(file="") | Q(width__lt=1000)).exists()


def _the_war_report_names_those_who_contributed() -> None:
    report = Article.objects.public().get(canonical_url=WAR_REPORT)
    people = report.contributions.filter(role=Role.CONTRIBUTING_REPORTER).order_by("position")
    names = ["Mirela Kostan", "Orla Ní Cheallach", "Daoud Rahimpour", "Lev Tarasin"]
    assert [one.contributor.name for one in people] == names
    assert not any(name in report.body for name in [*names, "Reporting was contributed"])
    assert report.contributions.filter(role=Role.AUTHOR).count() == 3
    assert report.related_links.filter(to_article__isnull=False).count() >= 3
    assert len(re.sub("<[^>]+>", " ", report.body).split()) > 900


def _its_stories_are_told_by_several_outlets() -> None:
    told = [story.articles.values("source").distinct().count() for story in Story.objects.all()]
    assert len([outlets for outlets in told if outlets >= 3]) >= 6
    assert Story.objects.filter(articles__language__startswith="uk").exists()


def _its_queue_is_not_empty() -> None:
    claims = {claim.state: claim for claim in Claim.objects.all()}
    assert claims[ClaimState.UPHELD].hold is not None
    assert not Article.objects.public().filter(pk=claims[ClaimState.UPHELD].article_id).exists()
    assert Claim.objects.filter(state=ClaimState.RECEIVED, hold__isnull=False).exists()


def _its_desk_has_a_day_before_it() -> None:
    own = Article.objects.filter(source=None)
    assert set(own.values_list("state", flat=True)) == set(ArticleState.values) - {"retracted", "erased"}
    assert not Article.objects.public().filter(source=None).exists()
    assert open_tasks_of(User.objects.get(username="editor")).count() == 1
    assert Mention.objects.filter(user__username="chief").exists()


def _a_reader_finds_it() -> None:
    client = Client()
    front = client.get("/").content.decode()
    for tag in ("World", "Climate", "Culture"):
        assert tag in front
    report = Article.objects.get(canonical_url=WAR_REPORT)
    page = client.get(report.get_absolute_url()).content.decode()
    assert WAR_REPORT in page
    assert "Daoud Rahimpour" in page


def _the_logins_keep_their_password(password: str) -> None:
    for name in (*LOGINS, "admin"):
        assert Client().login(username=name, password=password), name


@pytest.mark.django_db
def test_each_login_may_do_its_own_work_and_no_more() -> None:
    people = sign_ins("a long demo password")
    editor, moderator = people["editor"], people["moderator"]

    assert editor.has_perm("articles.change_article")
    assert not editor.has_perm("moderation.decide_claim")
    assert moderator.has_perm("moderation.decide_claim")
    assert not moderator.has_perm("articles.change_article")
    assert not editor.is_superuser
    assert not moderator.is_superuser


def test_the_outlets_are_found_on_the_loopback_and_nobody_else_is() -> None:
    at = datetime(2031, 5, 4, 12, tzinfo=UTC)
    with outlets({"https://northline.example/feed.xml": "northline.xml"}, at=at) as client:
        feed = client.get("https://northline.example/feed.xml")
        picture = client.get("https://northline.example/pictures/bridge-dusk.jpg")
        missing = client.get("https://northline.example/pictures/../feeds/northline.xml")

        with pytest.raises(demo_outlets.Unreachable):
            client.get("https://www.w3.org/")

    assert (feed.status, feed.url) == (200, "https://northline.example/feed.xml")
    assert b"Sun, 04 May 2031 11:30:00 +0000" in feed.body
    assert b"{{" not in feed.body
    assert picture.body.startswith(b"\xff\xd8")
    assert missing.status == 404


def test_moments_are_written_as_each_format_writes_them() -> None:
    at = datetime(2031, 1, 1, 0, 30, tzinfo=UTC)

    assert (
        dated("{{rfc822:60}} {{rfc3339:90}}", at=at)
        == "Tue, 31 Dec 2030 23:30:00 +0000 2030-12-31T23:00:00+00:00"
    )


@pytest.mark.parametrize("document", [*DOCUMENTS, FOLDER / "desk.json"], ids=lambda path: path.name)
def test_no_document_of_the_demo_names_a_host_that_exists(document) -> None:
    text = document.read_text(encoding="utf-8")
    hosts = set(re.findall(r"https?://([\w.-]+)", text)) | set(
        re.findall(r"[\w.-]+@([\w-]+(?:\.[\w-]+)+)", text)
    )

    assert hosts
    assert {host for host in hosts if not host.endswith(".example")} <= VOCABULARIES


def test_every_picture_is_drawn_used_and_light() -> None:
    drawn = {path.name: path.stat().st_size for path in (FOLDER / "pictures").glob("*.jpg")}
    used = {name for path in DOCUMENTS for name in re.findall(r"/pictures/([a-z-]+\.jpg)", path.read_text())}

    assert set(drawn) == used
    assert len(drawn) >= 40
    assert max(drawn.values()) < 120 * 1024
    assert sum(drawn.values()) < 3 * 1024 * 1024


def test_the_desk_speaks_of_articles_that_are_in_the_feeds() -> None:
    desk = json.loads((FOLDER / "desk.json").read_text(encoding="utf-8"))
    printed = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    named = [address for story in desk["stories"] for address in story["articles"]]
    named += [letter["article"] for letter in desk["notices"]]
    named += [address for pair in desk["related"].items() for address in (pair[0], *pair[1])]

    assert [address for address in named if address not in printed] == []

"""After an erasure nothing of the article is left: not in any column of any table, nor in any file."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as site
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image

import newsroom.urls  # noqa: F401  (registers every surface)
from accounts import unsaved
from articles import actions as articles
from articles import cdn, indexnow, stories
from articles.media import fetch_pictures
from articles.models import Article, FrontPin, ReadyPage, RevisionKind, Source, Story
from articles.surfaces import REGISTER
from articles.views import at_search
from moderation import actions, escrow
from moderation.models import ClaimState, Probe, ProbePlan
from newsroom.prune import empty_journal
from tests.conftest import free_port
from tests.factories import ArticleFactory, UserFactory, correct
from tests.front_door import FrontDoor
from tests.loopback import web_server
from tests.moderation.cases import notice_about
from tests.moderation.leftovers import places_with, tables

TELLING = [
    "Zanzibär quartz trembles", "velvet anchovies sing", "pistachio standfirst", "Petronella Quist",
    "photographed by quist", "a caption of marmalade", "teleported dateline", "guid-of-wonders",
]  # fmt: skip
FEED = """<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Outlet</title><link>{site}/</link>
 <description>News</description><item><title>Zanzibär quartz trembles</title><link>{site}/a-slug</link>
 <guid isPermaLink="false">guid-of-wonders</guid><description>Pistachio standfirst about it all.</description>
 <dc:creator>Petronella Quist</dc:creator><category>Minerals</category>
 <media:content url="{site}/quist.png" medium="image"><media:credit>Photographed by Quist</media:credit>
 <media:description>A caption of marmalade</media:description></media:content>
 <content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/"><![CDATA[<p>Velvet anchovies sing
 for an hour, and then the harbour is quiet again until the evening ferry comes in.</p>]]></content:encoded>
 </item></channel></rss>"""


def fetched() -> Article:
    """An article that a real feed brought, with its picture, grouped into a story."""
    picture = io.BytesIO()
    Image.new("RGB", (900, 600), "teal").save(picture, "PNG")
    with web_server() as web:
        web.put("/quist.png", picture.getvalue(), headers=[("Content-Type", "image/png")])
        feed = web.put("/feed.rss", FEED.format(site=web.url("")[:-1]).encode())
        call_command("add_feed", feed, stdout=io.StringIO())
        Source.objects.update(usage="full", terms="Full text.")
        call_command("fetch_feeds", "--all", stdout=io.StringIO())
        fetch_pictures(10, timezone.now())
    stories.relate_due(50, timezone.now())
    return Article.objects.get()


def worked_on(article: Article) -> None:
    """Everything the desk may do with an article that leaves its words somewhere."""
    now, editor = timezone.now(), UserFactory(superuser=True)
    Article.objects.filter(pk=article.pk).update(dateline="Teleported dateline", slug="a-slug")
    article.refresh_from_db()
    story = Story.objects.create(slug="told", headline=article.headline)
    Article.objects.filter(pk=article.pk).update(story=story)
    article.refresh_from_db()
    articles.keep_revision(article=article, kind=RevisionKind.EDIT, at=now, by=editor)
    correct(article=article, at=now, by=editor, note="Corrected.", standfirst="Pistachio standfirst!")
    unsaved.keep(
        user=editor, subject=f"article:{article.pk}", fields="body=Velvet+anchovies sing velvet anchovies sing",
        version=1, at=now,
    )  # fmt: skip
    FrontPin.objects.create(article=article, position=1, pinned_at=now, pinned_by=editor)
    other = ArticleFactory()
    articles.relate(article=other, to=[article], by=editor)
    person, picture = article.contributors.first(), article.lead_media
    for row, flag in (
        (article, CHANGE),
        (story, CHANGE),
        (person, CHANGE),
        (picture, CHANGE),
        (other, ADDITION),
    ):
        LogEntry.objects.create(
            user=editor, content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk),
            object_repr=str(row)[:200], action_flag=flag,
            change_message=[{"added": {"name": "related link", "object": article.headline}}],
        )  # fmt: skip
    desk = Client()
    desk.force_login(editor)
    desk.get(f"/admin/articles/article/{article.pk}/change/")
    desk.get(f"/admin/articles/article/{article.pk}/history/")


def visited(article: Article) -> None:
    """All its pages lie ready."""
    door = FrontDoor()
    for surface in REGISTER.values():
        for path in surface.locate(article):
            for encoding in ("br", "gzip"):
                door.get(path, HTTP_ACCEPT_ENCODING=encoding)


@pytest.mark.django_db(transaction=True)
def test_nothing_of_an_erased_article_is_left_anywhere(settings, tmp_path: Path):
    settings.CDN = cdn.read(f"varnish://127.0.0.1:{free_port()}")  # nobody there: what it is owed stays
    settings.INDEXNOW = indexnow.read(f"http://k3yk3yk3y@127.0.0.1:{free_port()}/indexnow")
    folders = (tmp_path, Path(site.VAR_DIR) / "turns", Path(site.VAR_DIR) / "tmp")
    article = fetched()
    worked_on(article)
    visited(article)
    planted = places_with(TELLING[:-1], *folders)
    assert set(planted) == set(TELLING[:-1])
    assert {
        "articles_readypage.body_br", "articles_fragment.text", "articles_revision.snapshot",
        "django_admin_log.change_message", "accounts_unsavedform.fields",
    } <= set().union(*planted.values())  # fmt: skip
    claim, article_said = notice_about(article).claims.get(), Article(headline=article.headline)

    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    visited(article)
    # As the prober leaves it, having looked among what a search for the headline finds.
    ProbePlan.objects.update(due_at=None)
    Probe.objects.create(claim=claim, url=at_search(article_said)[0], at=timezone.now(), is_clean=True)
    actions.erase(claim_id=claim.pk, at=timezone.now(), demanded=True)
    escrow.settle_due(100, timezone.now())
    visited(article)

    assert places_with(TELLING, *folders) == {}
    claim.refresh_from_db()
    assert claim.state == ClaimState.ERASED
    assert ReadyPage.objects.exists()
    if connection.vendor == "sqlite":
        # Not even in pages of the file that are no longer in use.
        empty_journal(1, timezone.now())
        database = Path(connection.settings_dict["NAME"])
        # By another process: a file of SQLite's that is closed in this one takes this one's locks with it.
        files = sorted(database.parent.glob(f"{database.name}*"))
        raw = subprocess.run(["cat", *files], check=True, capture_output=True, timeout=30).stdout
        assert not [words for words in TELLING if words.encode().lower() in raw.lower()]


@pytest.mark.django_db
def test_every_table_of_the_site_is_looked_through():
    with connection.cursor() as cursor:
        there = set(tables(cursor))
    assert {model._meta.db_table for model in apps.get_models(include_auto_created=True)} <= there

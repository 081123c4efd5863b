"""What machines find at fixed addresses: cards, embeds, outlets, reservations, and whom to tell."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.conf import settings
from lxml import etree
from PIL import Image

from articles import cards
from articles.actions import refresh
from articles.models import Article, ReadyPage
from tests.factories import ArticleFactory, HoldFactory, SourceFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db


def address(article: Article) -> str:
    return quote(settings.SITE_URL + article.get_absolute_url(), safe="")


# --- cards ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headline",
    ["Short", "Harbour reopens after the storm, and ferries sail again from the old quay", "W" * 300, "word " * 60,
     "الصيادون يعودون إلى المرفأ", "Порт знову відкрито", "港が再開", "Œuvre ‘quoted’ – 5 €", ""],
)  # fmt: skip
def test_a_card_is_a_small_picture_of_the_size_others_ask_for(headline):
    data = cards.draw(headline, "The Gazette")

    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("PNG", (1200, 630))
    assert len(data) < 60_000


def test_a_headline_is_set_as_large_as_it_fits_and_never_over_the_edge():
    sizes = [cards.fitted("word " * n)[0] for n in (2, 12, 24, 60)]
    size, lines = cards.fitted("ministers " * 60)

    assert sizes == sorted(sizes, reverse=True)
    assert len(lines) <= cards.MOST_LINES
    assert lines[-1].endswith("…")
    assert all(cards._serif(size).getlength(line) <= 1200 - cards.MARGIN for line in lines)


def test_no_box_stands_for_a_letter_we_do_not_have():
    assert cards.can_write("Harbour ‘reopens’ – 5 €")
    assert not cards.can_write("港が再開")
    assert cards.draw("港が再開", "Post") == cards.draw("المرفأ", "Post")


def test_the_card_of_a_held_article_goes_with_it(somewhere_everywhere):
    door, path = FrontDoor(), f"/articles/{somewhere_everywhere.slug}/card.png"
    assert door.get(path).status == 200
    assert ReadyPage.objects.filter(path=path).exists()

    HoldFactory(article=somewhere_everywhere)

    assert not ReadyPage.objects.filter(path=path).exists()
    assert door.get(path).status == 451


def test_an_article_names_its_card(client, somewhere_everywhere):
    html = client.get(somewhere_everywhere.get_absolute_url()).content.decode()
    card = f"{settings.SITE_URL}/articles/zz-kx7-colony/card.png"
    assert f'<meta property="og:image" content="{card}">' in html
    assert '<meta property="og:image:width" content="1200">' in html


# --- embedding --------------------------------------------------------------------------------


def test_an_article_can_be_embedded_in_both_forms(client, somewhere_everywhere):
    asked = f"/oembed?url={address(somewhere_everywhere)}"
    facts = json.loads(client.get(asked).content)
    tree = etree.fromstring(client.get(asked + "&format=xml").content)

    assert (facts["version"], facts["type"]) == ("1.0", "link")
    assert facts["title"] == tree.findtext("title") == somewhere_everywhere.headline
    assert facts["author_name"] == "Lighthouse Gazette"
    assert facts["thumbnail_url"].endswith("/card.png")
    assert (facts["thumbnail_width"], facts["thumbnail_height"]) == cards.SIZE


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("", 404), ("?url=", 404), ("?url=https://elsewhere.example/articles/x/", 404), ("?url=http://[", 400),
        ("?url=%00", 404), ("?format=yaml", 501),
    ],
)  # fmt: skip
def test_what_cannot_be_embedded_gets_the_right_status(asked, status, client):
    assert client.get("/oembed" + asked).status_code == status


def test_a_held_article_cannot_be_embedded(client, somewhere_everywhere):
    HoldFactory(article=somewhere_everywhere)
    response = client.get(f"/oembed?url={address(somewhere_everywhere)}")
    assert response.status_code == 451
    assert "Zebrafinch" not in response.content.decode()


# --- outlets, ninjs ---------------------------------------------------------------------------


def test_the_outlets_are_an_opml_of_their_feeds_here(client, somewhere_everywhere):
    SourceFactory(name="Nothing Public")
    tree = etree.fromstring(client.get("/sources.opml").content)
    outlines = {o.get("text"): o for o in tree.findall("body/outline")}

    assert tree.get("version") == "2.0"
    assert tree.findtext("head/title")
    assert "Nothing Public" not in outlines
    outline = outlines["Lighthouse Gazette"]
    assert outline.get("type") == "rss"
    assert client.get(outline.get("xmlUrl").removeprefix(settings.SITE_URL)).status_code == 200


def test_ninjs_says_who_made_it_where_it_is_from_and_no_more_than_the_policy(client, somewhere_everywhere):
    whole = json.loads(client.get(f"/api/articles/{somewhere_everywhere.key}/ninjs").content)
    headline = ArticleFactory(
        source=SourceFactory(usage="headline"), standfirst="Secret", body="<p>Secret</p>"
    )
    part = client.get(f"/api/articles/{headline.key}/ninjs").content.decode()

    assert whole["uri"] == f"urn:uuid:{somewhere_everywhere.key}"
    assert whole["pubStatus"] == "usable"
    assert whole["headlines"][0]["value"] == somewhere_everywhere.headline
    assert {"name": "Quillon Zebedee", "role": "author"}.items() <= whole["people"][0].items()
    assert whole["altIds"][0]["value"] == somewhere_everywhere.canonical_url
    assert whole["bodies"][0]["wordCount"] == 8
    assert "Secret" not in part
    assert json.loads(part)["representationType"] == "incomplete"


# --- reservations and contact -----------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/articles/zz-kx7-colony/", "/feeds/latest.rss", "/sources.opml"])
def test_everything_says_that_mining_is_reserved(path, client, somewhere_everywhere):
    response = client.get(path)
    assert response.headers["TDM-Reservation"] == "1"
    assert response.headers["TDM-Policy"] == f"{settings.SITE_URL}/rights/"


def test_the_reservation_is_at_its_well_known_address_too(client):
    everything = json.loads(client.get("/.well-known/tdmrep.json").content)
    assert everything == [
        {"location": "/", "tdm-reservation": 1, "tdm-policy": f"{settings.SITE_URL}/rights/"}
    ]
    assert "tdm-reservation: 1" in client.get("/llms.txt").content.decode()


def test_security_txt_has_a_contact_and_has_not_expired(client):
    text = client.get("/.well-known/security.txt").content.decode()
    said = dict(line.split(": ", 1) for line in text.strip().splitlines())

    assert said["Contact"].startswith("mailto:")
    left = datetime.fromisoformat(said["Expires"].replace("Z", "+00:00")) - datetime.now(UTC)
    assert 0 < left.days < 366


def test_the_icon_is_there_for_who_asks_by_habit(client):
    with Image.open(io.BytesIO(client.get("/favicon.ico").content)) as icon:
        assert icon.format == "ICO"


# --- sitemap parts ----------------------------------------------------------------------------


def test_a_part_of_the_sitemap_is_kept_and_follows_its_own_articles_alone(somewhere_everywhere):
    door, article = FrontDoor(), ArticleFactory()
    path = f"/sitemaps/{article.pk // 5000}.xml"
    assert article.slug in door.get(path).text
    assert ReadyPage.objects.filter(path=path).exists()

    HoldFactory(article=article)

    assert not ReadyPage.objects.filter(path=path).exists()
    assert article.slug not in door.get(path).text
    refresh(articles=[Article(pk=article.pk + 10_000)])
    assert ReadyPage.objects.filter(path=path).exists()

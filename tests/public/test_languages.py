"""The pages in six languages: each address speaks one, completely, and a removal reaches all of them."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from babel.messages.mofile import write_mo
from django.conf import settings
from django.core import mail
from django.utils.html import escape

from articles import interface
from articles.models import Article, ReadyPage
from moderation import letters
from moderation.models import Notice
from tests import catalogues
from tests.factories import HoldFactory
from tests.front_door import FrontDoor
from tests.moderation.intake import address_of

LANGUAGES = [code for code, _ in settings.LANGUAGES]
OTHERS = [code for code in LANGUAGES if code != "en"]
ARTICLE = "/articles/zz-kx7-colony/"
PAGES = [
    "/", "/latest/", ARTICLE, "/tags/climate/", "/contributors/quillon-zebedee/", "/sources/{source}/",
    "/stories/{story}/", "/archive/", "/search/", "/search/?q=colony", "/rights/", "/about/", "/tools/", "/removal/",
    "/transparency/",
]  # fmt: skip
MACHINES = [
    "/feeds/latest.rss",
    "/sitemap.xml",
    "/api/articles/",
    "/robots.txt",
    ARTICLE + "card.png",
    "/healthz",
]
_PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|</?\w+|href=\"[^\"]*\"")


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_is_translated_and_compiled(code):
    catalogue = catalogues.read(code)
    known = {message.id for message in catalogue if message.id}
    compiled = BytesIO()
    write_mo(compiled, catalogue)

    assert {m for m in catalogues.wanted() if m not in known} == set(), "run script/translations"
    assert [message.id for message in catalogues.untranslated(catalogue)] == []
    assert catalogues.path_of(code).with_suffix(".mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize("code", OTHERS)
def test_translations_keep_what_stands_in_for_values_and_markup(code):
    for message in catalogues.read(code):
        if isinstance(message.id, str) and message.id:
            assert sorted(_PLACES.findall(message.id)) == sorted(_PLACES.findall(message.string)), message.id
        elif message.id:
            for form in message.string:
                assert set(_PLACES.findall(form)) <= set(_PLACES.findall(message.id[1])), message.id


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_page_speaks_the_language_of_its_address(code, client, somewhere_everywhere):
    tongue = interface.TONGUES[code]
    for page in PAGES:
        path = page.format(source=somewhere_everywhere.source.slug, story=somewhere_everywhere.story.slug)
        answer = client.get(tongue.at(path), headers={"Accept-Language": "fr"})
        html = answer.content.decode()

        assert answer.status_code == 200, path
        assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}"' in html
        assert "Accept-Language" not in answer.headers.get("Vary", ""), path
        other = interface.TONGUES["de" if code == "en" else "en"].at(path.partition("?")[0])
        assert f'hreflang="{"de" if code == "en" else "en"}"' in html
        assert f'href="{other}"' in html, path
        assert links_that_change_language(html, tongue) == []


def links_that_change_language(html: str, tongue: interface.Tongue) -> list[str]:
    """Links and forms that leave the page's language without saying so."""
    leading = re.findall(r'<(?:a|form)\b(?![^>]*hreflang)[^>]*\s(?:href|action)="(/[^"]*)"', html)
    split = [interface.split(re.split("[?#]", address)[0]) for address in leading]
    return [path for spoken, path in split if spoken is not tongue and interface.is_page(path)]


def test_dates_numbers_and_names_of_languages_follow_the_page(client, somewhere_everywhere):
    Article.objects.update(published_at="2026-03-05T09:07:00Z", language="en")

    assert "5 March 2026, 09:07" in client.get(ARTICLE).content.decode()
    german = client.get("/de" + ARTICLE).content.decode()
    assert "5. März 2026, 09:07" in german
    assert "Englisch" in german
    assert "5 березня 2026" in client.get("/uk" + ARTICLE).content.decode()
    assert "5 de marzo de 2026" in client.get("/es" + ARTICLE).content.decode()
    assert "5 مارس 2026" in client.get("/ar" + ARTICLE).content.decode()


def test_pages_whose_words_are_ours_name_their_translations_and_articles_their_one_address(
    client, somewhere_everywhere
):
    ours = client.get("/fr/rights/").content.decode()
    article = client.get("/fr" + ARTICLE).content.decode()

    assert f'<link rel="canonical" href="{settings.SITE_URL}/fr/rights/">' in ours
    for code in LANGUAGES:
        address = settings.SITE_URL + interface.TONGUES[code].at("/rights/")
        assert f'<link rel="alternate" hreflang="{code}" href="{address}">' in ours
    assert f'hreflang="x-default" href="{settings.SITE_URL}/rights/"' in ours
    assert f'<link rel="canonical" href="{settings.SITE_URL}{ARTICLE}">' in article
    assert 'rel="alternate" hreflang' not in article


@pytest.mark.django_db
def test_what_programs_read_has_one_address(client, somewhere_everywhere):
    assert [client.get("/de" + path).status_code for path in MACHINES] == [404] * len(MACHINES)
    assert client.get("/xx/rights/").status_code == 404
    assert client.get("/en/rights/").status_code == 404
    # A page that has one language leads, in the others, to the front page.
    assert '<a hreflang="de" lang="de" dir="ltr" href="/de/">' in client.get("/api/docs").content.decode()


@pytest.mark.django_db
def test_redirects_stay_in_the_language(client, somewhere_everywhere):
    for given, to in (
        ("/de", "/de/"),
        ("/de/rights", "/de/rights/"),
        ("/de/articles/an-old-address/", "/de" + ARTICLE),
        ("/ar/archive/?day=2026-03-05", "/ar/archive/2026-03-05/"),
    ):
        assert client.get(given).headers["Location"] == to


@pytest.mark.django_db
def test_a_removed_article_is_gone_from_the_stored_pages_of_every_language(somewhere_everywhere):
    door = FrontDoor()
    paths = [
        interface.TONGUES[code].at(path) for code in LANGUAGES for path in (ARTICLE, "/", "/tags/climate/")
    ]
    for path in paths:
        assert "Zebrafinch" in door.get(path).text
    assert ReadyPage.objects.filter(path__in=paths).count() == len(paths)

    HoldFactory(article=somewhere_everywhere)

    for path in paths:
        answer = door.get(path)
        assert "Zebrafinch" not in answer.text, path
        assert answer.status == (451 if "articles" in path else 200)
    assert "Aus rechtlichen Gründen zurückgehalten" in door.get("/de" + ARTICLE).text


@pytest.mark.django_db
def test_the_form_and_the_page_of_a_case_speak_it_and_are_kept_by_nobody(client, somewhere_everywhere):
    form = client.get("/de/removal/")
    assert "Was weg soll" in form.content.decode()
    assert "Urheberrecht" in form.content.decode()

    refused = client.post("/de/removal/", {"email": "kein-postfach"})
    assert escape("Das sieht nicht wie eine E-Mail-Adresse aus.") in refused.content.decode()
    typed = {
        "urls": address_of(somewhere_everywhere),
        "email": "ines@salt-ferry.example",
        "name": "Ines Marlow",
    }
    received = client.post("/de/removal/", typed)
    notice = Notice.objects.get()
    status_page = re.search(r'href="(/de/removal/[^"]+/)"', received.content.decode())
    status = client.get(status_page[1])

    assert notice.language == "de"
    assert notice.reference in received.content.decode()
    assert "Was jetzt geschieht" in status.content.decode()
    assert "der Erklärung" in status.content.decode() or "die Erklärung" in status.content.decode()
    for answer in (form, refused, received, status):
        assert answer.headers["Cache-Control"] == "no-store, private"
        assert "noindex" in answer.headers["X-Robots-Tag"]
    letters.send_letters(limit=5, at=notice.received_at)
    assert notice.reference in mail.outbox[0].body


@pytest.mark.django_db
def test_a_page_that_is_not_there_says_so_in_the_language(client):
    answer = client.get("/uk/articles/nowhere/")

    assert answer.status_code == 404
    assert "Тут немає" in answer.content.decode()

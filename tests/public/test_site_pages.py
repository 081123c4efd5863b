"""About, ethics and corrections: the desk's words where it wrote some, and every correction in one list."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from articles.models import Revision, SitePage
from newsroom import roles
from tests.factories import ArticleFactory, HoldFactory, UserFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db


def typed(title: str, body: str, language: str = "en", versions: int = 0) -> dict[str, str]:
    inline = {f"versions-{name}": "0" for name in ("MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    counts = {f"versions-{name}_FORMS": str(versions) for name in ("TOTAL", "INITIAL")}
    return {"slug": "about", "language": language, "title": title, "body": body, **inline, **counts}


def test_a_chief_writes_a_page_and_readers_see_it_at_once_cleaned_and_in_its_language_alone(client):
    door = FrontDoor()
    assert "Where articles come from" in door.get("/about/").text
    chief = UserFactory(staff=True)
    chief.groups.add(Group.objects.get(name=roles.CHIEFS))
    client.force_login(chief)

    opened = client.get("/admin/articles/sitepage/add/")
    assert "ckeditor-init" in opened.content.decode()
    assert "script-src-attr 'unsafe-inline'" in opened.headers["Content-Security-Policy"]
    client.post(
        "/admin/articles/sitepage/add/", typed("Who we are", "<p>Six of us.</p><script>bad()</script>")
    )

    assert "Six of us." in door.get("/about/").text
    assert "bad()" not in door.get("/about/").text
    assert "Who we are" not in door.get("/de/about/").text
    page = SitePage.objects.get()
    client.post(f"/admin/articles/sitepage/{page.pk}/change/", typed("Who we are", "<p>Seven of us.</p>"))

    assert "Seven of us." in door.get("/about/").text
    (before,) = page.versions.all()
    assert (before.number, before.body, before.by) == (1, "<p>Six of us.</p>", chief)
    page.delete()


@pytest.mark.parametrize("path", ["/about/", "/ethics/", "/corrections/"])
def test_each_page_is_linked_and_has_words_before_anybody_wrote_some(path, client):
    assert f'href="{path}"' in client.get("/").content.decode()
    assert client.get(path).status_code == 200


def test_corrections_are_listed_newest_first_while_their_article_is_public():
    door, now = FrontDoor(), timezone.now()
    first, second = ArticleFactory(headline="The first one"), ArticleFactory(headline="The second one")
    for number, article in enumerate((first, second), 1):
        note = f"It was {number}, not {number + 1}."
        Revision.objects.create(article=article, number=1, kind="correction", snapshot={}, at=now, note=note)
    Revision.objects.create(article=first, number=2, kind="edit", snapshot={}, at=now, note="Nothing to tell")
    text = door.get("/corrections/").text
    assert text.index("The second one") < text.index("The first one")
    assert "It was 1, not 2." in text
    assert "Nothing to tell" not in text

    HoldFactory(article=first)

    text = door.get("/corrections/").text
    assert "The first one" not in text
    assert "It was 1" not in text
    assert "It was 2, not 3." in text

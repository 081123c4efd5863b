"""The desk's help: for every role, with a way to it from each list and form."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client, RequestFactory
from django.urls import resolve, reverse

from moderation.apps import MODERATORS
from newsroom import desk_help
from newsroom.roles import GROUPS
from tests.factories import UserFactory


def test_each_section_that_is_led_to_is_written() -> None:
    named = {*desk_help.ABOUT.values(), *(title for some in desk_help.FIRST.values() for title in some)}

    assert named <= set(desk_help.sections())
    assert set(desk_help.FIRST) == set(GROUPS)


def test_every_list_and_form_of_articles_feeds_and_claims_leads_to_its_help() -> None:
    without = set()
    for model in admin.site._registry:
        if model._meta.app_label not in ("articles", "aggregator", "moderation"):
            continue
        request = RequestFactory().get("/")
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        request.resolver_match = resolve(reverse(f"{name}_changelist"))
        if not desk_help.about(request):
            without.add(model._meta.model_name)

    assert without == set()


@pytest.mark.django_db
def test_what_a_role_needs_most_stands_first(client: Client) -> None:
    moderator = UserFactory(staff=True)
    moderator.groups.add(Group.objects.get(name=MODERATORS))
    client.force_login(moderator)

    page = client.get(reverse("admin:help")).content.decode()
    queue = client.get(reverse("admin:moderation_claim_changelist")).content.decode()

    assert page.index('id="the-queue"') < page.index('id="an-article"')
    assert f'href="{reverse("admin:help")}#the-queue"' in queue
    assert "![" not in page

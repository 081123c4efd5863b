"""Killed in the middle of anything (kill -9), the site is either before it or after it, and goes on from there."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from moderation import letters, probes
from moderation.models import Claim, ClaimState, Letter
from tests.moderation import kills
from tests.moderation.cases import claim_in
from tests.site_server import serving

S = ClaimState
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def groups(transactional_db):
    call_command("migrate", verbosity=0)


@pytest.mark.parametrize("name", ["a notice", "withholding", "erasing", "withdrawing"])
def test_killed_it_is_before_its_work_or_after_it_and_ends_where_it_would_have(name: str):
    steps, wrong = kills.walk(kills.PATHS[name], count(1), kills.some)

    assert steps > 10
    assert not wrong


def test_letters_go_out_in_the_end_and_under_one_name():
    claim_in(S.UPHELD)

    def send() -> None:
        letters.send_letters(20, timezone.now())

    assert kills.killed_at(2, send)

    letters.send_letters(20, timezone.now() + timedelta(hours=1))
    letter = Letter.objects.get()
    assert letter.sent_at is not None
    assert letter.lease_token == ""


def test_a_proof_that_died_is_taken_over():
    claim = claim_in(S.UPHELD)
    with serving() as site:
        url = f"http://127.0.0.1:{site.port}"

        def prove() -> None:
            settings.SITE_URL = url
            probes.probe_due(5, timezone.now())

        assert kills.killed_at(3, prove)
        assert Claim.objects.get(pk=claim.pk).proved_at is None
        before, settings.SITE_URL = settings.SITE_URL, url
        try:
            probes.probe_due(5, timezone.now() + timedelta(hours=1))
        finally:
            settings.SITE_URL = before

    assert Claim.objects.get(pk=claim.pk).proved_at is not None

"""Proves that what a notice named is gone."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from articles.models import Hold
from moderation import actions, certificates, probes
from moderation.models import Claim, ClaimState, Notice, Probe, ProbePlan


class Command(BaseCommand):
    help = "Fetch every address where a notice's articles stood, from the running site, and print a signed certificate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "reference", metavar="REFERENCE", nargs="?", help="The notice, as its letters name it."
        )
        parser.add_argument("--base-url", default="", help="Where the site answers, if not at SITE_URL.")
        parser.add_argument("--output", type=Path, metavar="FILE", help="Write the certificates there too.")
        parser.add_argument("--verify", type=Path, metavar="FILE", help="Check a certificate instead.")
        parser.add_argument(
            "--key", type=Path, metavar="FILE", help="The key to check with: /transparency/key.pem."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verify"]:
            self._verify(options["verify"], options["key"])
        elif options["reference"]:
            self._prove(options["reference"].strip().upper(), options["base_url"], options["output"])
        else:
            raise CommandError("Give a reference, or --verify FILE.")

    def _verify(self, path: Path, key: Path | None) -> None:
        try:
            pem = key.read_bytes() if key else None
            for statement in certificates.check_all(path.read_bytes(), key_pem=pem):
                surfaces = len(statement["surfaces"])
                self.stdout.write(
                    f"Genuine: {statement['claim']}, {surfaces} surfaces clean, {statement['issued_at']}."
                )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _prove(self, reference: str, base_url: str, output: Path | None) -> None:
        notice = Notice.objects.filter(reference=reference).first()
        if notice is None:
            raise CommandError(f"There is no notice {reference}.")
        signed = [self._certificate(claim, base_url) for claim in _withheld(notice)]
        text = json.dumps(signed[0] if len(signed) == 1 else signed, indent=2)
        self.stdout.write(text)
        if output:
            output.write_text(text + "\n")

    def _certificate(self, claim: Claim, base_url: str) -> dict[str, Any]:
        at = timezone.now()
        plan = _plan_of(claim, at)
        try:
            seen = probes.probe(plan, at=at, base_url=base_url)
        except probes.FrontDoorClosed as error:
            raise CommandError(f"Could not be proved: {error}") from error
        self._table(claim, seen)
        if not seen or not all(one.is_clean for one in seen):
            raise CommandError(f"{claim} is not proved: it can still be met, see above.")
        claim.refresh_from_db()
        return certificates.certificate(claim, seen, at=at)

    def _table(self, claim: Claim, seen: list[Probe]) -> None:
        self.stdout.write(f"{claim}")
        for one in seen:
            said = f"clean, {one.found}" if one.found else "clean"
            verdict = said if one.is_clean else f"STILL THERE: {one.found or 'unexpected status'}"
            self.stdout.write(f"  {one.status}  {one.surface:<24} {one.url}  {verdict}")


def _plan_of(claim: Claim, at: datetime) -> ProbePlan:
    """What is to be looked for. A part that is gone can no longer be described, only looked for as planned."""
    plan: ProbePlan | None = ProbePlan.objects.filter(claim=claim).exclude(part="").first()
    if claim.state == ClaimState.REDUCED:
        if plan is None:
            raise CommandError(f"{claim}: the part cannot be told from what stays, so it cannot be proved.")
        return plan
    return probes.remember(claim, at=at)


def _withheld(notice: Notice) -> list[Claim]:
    """The notice's claims whose articles must be gone by now."""
    for claim in notice.claims.all():
        actions.settle(claim_id=claim.pk, at=timezone.now())
    gone = Q(hold__in=Hold.objects.in_effect()) | Q(state=ClaimState.REDUCED)
    claims = list(notice.claims.filter(gone).order_by("number"))
    if not claims:
        raise CommandError(
            f"Nothing of {notice.reference} is withheld at the moment, so there is nothing to prove."
        )
    return claims

"""The operator's decision on a whole notice."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from moderation import actions
from moderation.models import ClaimState, Notice


class Command(BaseCommand):
    help = (
        "Uphold every claim of a notice now, whatever its lane: the articles are withheld when this returns."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "reference", metavar="REFERENCE", help="as on the acknowledgement, such as NR-7K3M9-QX2TV-8B4"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        reference = options["reference"].strip().upper()
        try:
            outcomes = actions.remove(reference=reference, at=timezone.now())
        except Notice.DoesNotExist as error:
            raise CommandError(f"There is no notice {reference}.") from error
        if not outcomes:
            raise CommandError(f"{reference} names no article of this site; nothing was removed.")
        for claim, outcome in outcomes:
            self.stdout.write(f"{claim}  {claim.article.get_absolute_url()}  {outcome}")
        visible = [
            claim for claim, _ in outcomes if claim.state in (ClaimState.WITHDRAWN, ClaimState.REINSTATED)
        ]
        if visible:
            raise CommandError(
                f"{len(visible)} of {len(outcomes)} claims had ended and cannot be upheld again."
            )

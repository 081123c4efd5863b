from __future__ import annotations

import os
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from newsroom import demo


class Command(BaseCommand):
    help = (
        "Fills the newsroom with invented outlets, their articles and pictures, logins and removal notices."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--password",
            default=os.environ.get("DEMO_PASSWORD", ""),
            help="of the demo's logins (default: DEMO_PASSWORD, or one made up and printed)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = options["password"] or secrets.token_urlsafe(12)
        public = demo.load(at=timezone.now(), password=password, say=self.stdout.write)
        if not public:
            raise CommandError("No article of the demo is public; the lines above say why.")
        self.stdout.write(f"{public} articles of the demo are public.")
        if not options["password"]:
            self.stdout.write(f"Sign in as {', '.join(demo.LOGINS)} or {demo.ADMIN} with {password}")

"""Compare what each role may do with what it may do in a new newsroom, and give back what is missing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from newsroom import roles


class Command(BaseCommand):
    help = (
        "Show where the rights of a role differ from those it has in a newsroom set up today: rights it lacks,"
        " rights it has beside them. With --restore each role gets what it lacks; what an operator added stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--restore", action="store_true", help="give each role the rights that it lacks")
        parser.add_argument("--role", choices=sorted(roles.GROUPS), help="this role alone")

    def handle(self, *args: Any, restore: bool, role: str | None, **options: Any) -> None:
        for name in [role] if role else list(roles.GROUPS):
            lacking, beside = roles.differences(name)
            for right in sorted(lacking):
                self.stdout.write(f"{name}: {'now has' if restore else 'lacks'} {right}")
            for right in sorted(beside):
                self.stdout.write(f"{name}: has {right} beside ours")
            if restore:
                roles.restore(name)
            if not lacking and not beside:
                self.stdout.write(f"{name}: as in a newsroom set up today")

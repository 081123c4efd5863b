"""App configuration."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

MODERATORS = "Moderators"
PERMISSIONS = (
    "view_claim", "decide_claim", "view_notice", "view_noticeline", "view_letter", "view_claimevent",
    "view_decision", "view_counternotice", "view_probe", "view_ledgerentry", "view_noticeevent",
    "view_cannedreason", "add_cannedreason", "change_cannedreason", "view_measure", "view_complaint",
    "view_domainproof", "view_standingoptout", "view_apikey", "view_webhook",
)  # fmt: skip


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = "Moderation"

    def ready(self) -> None:
        from articles.gone import met
        from moderation.actions import do_what_fell_due

        post_migrate.connect(make_moderators, sender=self)
        met.connect(do_what_fell_due)


def make_moderators(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """The group of those who decide claims, made once; what an operator changes in it later stays."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    if Group.objects.using(using).filter(name=MODERATORS).exists():
        return
    create_permissions(sender, verbosity=0, using=using)
    ours = Permission.objects.using(using).filter(content_type__app_label=sender.label)
    group = Group.objects.using(using).create(name=MODERATORS)
    group.permissions.set(ours.filter(codename__in=PERMISSIONS))

"""Who may do what: the groups a newsroom starts with. What an operator changes in them later stays."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps

from moderation.apps import MODERATORS
from moderation.apps import PERMISSIONS as OF_MODERATORS

CONTRIBUTORS, EDITORS, CHIEFS = "Contributors", "Editors", "Chiefs"
RIGHTS_MANAGERS, AUDITORS = "Rights managers", "Auditors"
OURS = ("accounts", "articles", "aggregator", "moderation")

_CREDITS_AND_LINKS = {
    f"articles.{verb}_{model}"
    for verb in ("view", "add", "change", "delete")
    for model in ("contribution", "relatedlink")
}
_CHOICES = {f"articles.view_{model}" for model in ("tag", "source", "story", "media", "contributor")}
_ARTICLES = {f"articles.view_{model}" for model in ("article", "revision", "hold")}
_CLAIMS = {f"moderation.{codename}" for codename in OF_MODERATORS}
_OF_DECIDING = {
    "moderation.decide_claim", "moderation.add_cannedreason", "moderation.change_cannedreason",
}  # fmt: skip
_CONTRIBUTORS = _CREDITS_AND_LINKS | _CHOICES | {
    "articles.add_article", "articles.change_own_article", "articles.view_revision",
    "articles.add_contributor", "articles.add_media",
}  # fmt: skip
_EDITORS = _CREDITS_AND_LINKS | _CHOICES | _ARTICLES | {
    "articles.add_article", "articles.change_article", "articles.publish_article",
    "articles.add_contributor", "articles.change_contributor",
    "articles.add_media", "articles.change_media",
    "articles.add_story", "articles.change_story", "articles.view_tagsynonym", "aggregator.view_feed",
    "articles.view_frontpin", "articles.change_frontpin",
}  # fmt: skip
_CHIEFS = _EDITORS | {
    "articles.retract_article", "articles.change_source_rights",
    "articles.add_source", "articles.change_source",
    "articles.add_tag", "articles.change_tag",
    "articles.view_sitepage", "articles.add_sitepage", "articles.change_sitepage",
    "articles.add_tagsynonym", "articles.change_tagsynonym", "articles.delete_tagsynonym",
    "articles.view_walk", "articles.add_walk",
    "aggregator.add_feed", "aggregator.change_feed", "aggregator.view_fetch",
    "aggregator.view_refusedtag", "aggregator.add_refusedtag", "aggregator.change_refusedtag",
    "aggregator.delete_refusedtag", "aggregator.view_feedrule", "aggregator.add_feedrule",
    "aggregator.change_feedrule", "aggregator.delete_feedrule",
}  # fmt: skip
_RIGHTS_MANAGERS = _CHOICES | _ARTICLES | (_CLAIMS - _OF_DECIDING) | {
    "articles.change_source_rights", "articles.change_media",
}  # fmt: skip

GROUPS: dict[str, set[str]] = {
    CONTRIBUTORS: _CONTRIBUTORS,
    EDITORS: _EDITORS,
    CHIEFS: _CHIEFS,
    MODERATORS: _CLAIMS | _CHOICES | _ARTICLES,
    RIGHTS_MANAGERS: _RIGHTS_MANAGERS,
    AUDITORS: {"admin.view_logentry", "auditlog.view_logentry"},
}


def make_groups(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Make the groups that are missing, once all their permissions can be had. Auditors may view everything."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    missing = GROUPS.keys() - set(Group.objects.using(using).values_list("name", flat=True))
    if not missing:
        return
    for label in (*OURS, "admin", "auditlog"):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    rows = Permission.objects.using(using).select_related("content_type")
    known = {f"{row.content_type.app_label}.{row.codename}": row for row in rows}
    for name in sorted(missing):
        wanted = GROUPS[name] | (_views(known) if name == AUDITORS else set())
        group = Group.objects.using(using).create(name=name)
        group.permissions.set([row for codename, row in known.items() if codename in wanted])


def _views(known: dict[str, Any]) -> set[str]:
    """Every right to look at something of ours."""
    return {name for name in known if name.split(".")[0] in OURS and name.split(".")[1].startswith("view_")}

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
    "articles.add_contributor", "articles.add_media", "accounts.add_accesstoken",
}  # fmt: skip
_EDITORS = _CREDITS_AND_LINKS | _CHOICES | _ARTICLES | {
    "articles.add_article", "articles.change_article", "articles.publish_article",
    "articles.add_contributor", "articles.change_contributor",
    "articles.add_media", "articles.change_media",
    "articles.add_story", "articles.change_story", "articles.view_tagsynonym", "aggregator.view_feed",
    "articles.view_frontpin", "articles.change_frontpin", "accounts.add_accesstoken",
}  # fmt: skip
_CHIEFS = _EDITORS | {
    "articles.retract_article", "articles.change_source_rights",
    "articles.add_source", "articles.change_source",
    "articles.add_tag", "articles.change_tag",
    "articles.view_sitepage", "articles.add_sitepage", "articles.change_sitepage",
    "articles.view_hook", "articles.add_hook", "articles.change_hook",
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
    """Make the groups, and give them the rights that are new since.

    What we gave once and give no more is taken back. Whatever else an operator changed stays: a right that
    was taken away, one that was added, a group that was deleted or renamed.
    """
    from accounts.models import RoleRight

    known: dict[str, dict[str, bool]] = {name: {} for name in GROUPS}
    for role, right, given in RoleRight.objects.using(using).values_list("role", "right", "given"):
        known.setdefault(role, {})[right] = given
    for name in GROUPS:
        wanted = _wanted(name)
        new = wanted - known[name].keys()
        old = {right for right, given in known[name].items() if given} - wanted
        if new or old:
            _bring_up(name, new=new, old=old, is_first=not known[name], using=using)


def _wanted(name: str) -> set[str]:
    return GROUPS[name] | (_views() if name == AUDITORS else set())


def differences(name: str) -> tuple[set[str], set[str]]:
    """The rights that the role lacks of those we give it, and those that it has beside them."""
    from django.contrib.auth.models import Permission

    rows = Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
    had = {f"{app}.{codename}" for app, codename in rows}
    return _wanted(name) - had, had - _wanted(name)


def restore(name: str) -> None:
    """Give the role what it lacks, its group anew where that was deleted or renamed. What was added stays."""
    from django.contrib.auth.models import Group

    lacking, _ = differences(name)
    Group.objects.get_or_create(name=name)[0].permissions.add(*_permissions(lacking, "default"))


def _bring_up(name: str, *, new: set[str], old: set[str], is_first: bool, using: str) -> None:
    from django.contrib.auth.models import Group

    from accounts.models import RoleRight

    groups = Group.objects.using(using)
    group = groups.get_or_create(name=name)[0] if is_first else groups.filter(name=name).first()
    if group is not None:
        group.permissions.add(*_permissions(new, using))
        group.permissions.remove(*_permissions(old, using))
    ours = RoleRight.objects.using(using)
    ours.filter(role=name, right__in=old).delete()
    ours.bulk_create([RoleRight(role=name, right=right, given=True) for right in sorted(new)])


def _permissions(rights: set[str], using: str) -> list[Any]:
    """The rows of these rights, made where Django has not come to making them yet."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Permission

    for label in sorted({right.partition(".")[0] for right in rights}):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    rows = Permission.objects.using(using).select_related("content_type")
    return [row for row in rows if f"{row.content_type.app_label}.{row.codename}" in rights]


def _views() -> set[str]:
    """Every right to look at something of ours."""
    models = (model for label in OURS for model in apps.get_app_config(label).get_models())
    return {
        f"{m._meta.app_label}.view_{m._meta.model_name}"
        for m in models
        if "view" in m._meta.default_permissions
    }

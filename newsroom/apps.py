"""The app configurations of the site itself."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig as DjangoStaticFilesConfig
from django.db.models.signals import post_migrate


class NewsroomConfig(AppConfig):
    name = "newsroom"
    verbose_name = "Newsroom"

    def ready(self) -> None:
        from newsroom import audit, checks, reporting, roles, security_events, sessions  # noqa: F401  (system checks)

        reporting.start_errors()
        audit.register()
        sessions.listen()
        security_events.listen()
        # An app without models is not told of migrations; moderation is, after us in its own turn.
        moderation = apps.get_app_config("moderation")
        post_migrate.connect(roles.make_groups, sender=moderation)


class DeskConfig(AdminConfig):
    default_site = "newsroom.desk.DeskSite"


class StaticFilesConfig(DjangoStaticFilesConfig):
    """Django's own, without the editor plugins that `articles.editor` switches off: dead code is not served."""

    from articles.editor import REMOVED_PLUGINS as _removed

    ignore_patterns = [
        *DjangoStaticFilesConfig.ignore_patterns,
        *(f"ckeditor/ckeditor/plugins/{plugin}/*" for plugin in _removed),
        "ckeditor/ckeditor/samples/*",
        "ckeditor/ckeditor/skins/[!m]*/*",
    ]

"""The app configurations of the site itself."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig as DjangoStaticFilesConfig


class NewsroomConfig(AppConfig):
    name = "newsroom"
    verbose_name = "Newsroom"

    def ready(self) -> None:
        from newsroom import checks  # noqa: F401  (registers the system checks)


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

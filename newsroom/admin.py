"""How the admin names itself."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin

admin.site.site_header = f"{settings.SITE_NAME} desk"
admin.site.site_title = settings.SITE_NAME
admin.site.index_title = "The desk"

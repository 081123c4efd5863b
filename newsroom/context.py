"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from articles import front, interface
from newsroom.alarms import alarms


def site(request: HttpRequest) -> dict[str, Any]:
    """The page's language and its others, names and addresses, and the navigation (read only where shown)."""
    desk = admin.site.each_context(request) if request.path.startswith("/admin/account/") else {}
    tongue = getattr(request, "tongue", interface.DEFAULT)
    return {
        **desk,
        "interface": tongue,
        "tongues": interface.choices(request.path),
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "removal_email": settings.REMOVAL_EMAIL,
        # Looked at only by the pages that say so.
        "alarms": SimpleLazyObject(lambda: alarms(timezone.now())),
        "navigation": front.featured,
    }

"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from articles.models import Tag


def site(request: HttpRequest) -> dict[str, Any]:
    """The site's name and addresses, and the navigation (read only where a template shows it)."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "removal_email": settings.REMOVAL_EMAIL,
        "navigation": Tag.objects.filter(featured=True),
    }

"""The WSGI application: ready pages first, then Django."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")

django = get_wsgi_application()

# Our modules may be imported only once Django is set up.
from newsroom.ready_pages import ReadyPages  # noqa: E402

# While developing, a page is made anew for each request.
application = django if settings.DEBUG else ReadyPages(django)

"""The WSGI application: a request gets its id, then ready pages are asked, then Django."""

from __future__ import annotations

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")

# A library's warning is a line of the log like any other.
logging.captureWarnings(True)
django = get_wsgi_application()

# Our modules may be imported only once Django is set up.
from newsroom.logs import RequestIds  # noqa: E402
from newsroom.ready_pages import ReadyPages  # noqa: E402
from newsroom.reporting import Traces  # noqa: E402

# While developing, a page is made anew for each request.
pages = django if settings.DEBUG else ReadyPages(django)
traced = Traces(pages) if settings.OTEL_EXPORTER_OTLP_ENDPOINT else pages
# The loop of a web worker may ask for ready pages.
at_once = traced is pages is not django
application = RequestIds(traced, log=settings.LOG_REQUESTS, at_once=at_once)

"""The site as it is, but for addresses that say `again=`: these are made anew, whatever lies ready."""

from __future__ import annotations

import newsroom.wsgi

application = newsroom.wsgi.application

# Only now is Django set up.
from articles import surfaces  # noqa: E402

_as_read = surfaces.as_read
surfaces.as_read = lambda view, query: query if "again=" in query else _as_read(view, query)

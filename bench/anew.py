"""The site as it is, but for addresses that say `again=`: these are made anew, whatever lies ready."""

from __future__ import annotations

from articles import surfaces
from newsroom.wsgi import application

__all__ = ["application"]

_as_read = surfaces.as_read
surfaces.as_read = lambda view, query: query if "again=" in query else _as_read(view, query)

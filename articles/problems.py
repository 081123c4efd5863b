"""A refusal in the form that programs know: application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse


def problem(status: int, title: str, detail: str = "", **more: Any) -> HttpResponse:
    """The one shape of every refusal; `more` are further members, such as `errors`. Kept by nobody on the way."""
    said = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return HttpResponse(
        json.dumps(said),
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )

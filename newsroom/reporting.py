"""Errors to Sentry and traces to OpenTelemetry, each only when its setting names where. Both need
requirements-scale.txt, and neither is told who anybody is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from django.conf import settings

from newsroom.logs import Application, Environ, StartResponse, request_id, without_people

NAME = "newsroom"


def lacking() -> list[str]:
    """Settings whose library is not installed."""
    wanted = {"SENTRY_DSN": "sentry_sdk", "OTEL_EXPORTER_OTLP_ENDPOINT": "opentelemetry"}
    return [name for name, module in wanted.items() if getattr(settings, name) and not find_spec(module)]


# --- errors -----------------------------------------------------------------------------------


def start_errors() -> None:
    """Report what is logged as an error, without cookies, bodies, users, local variables and addresses."""
    if not settings.SENTRY_DSN or lacking():
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        before_send=_clean,
    )


def _clean(event: Any, hint: Any) -> Any:
    asked = event.get("request", {})
    kept = {name: asked[name] for name in ("method", "url") if name in asked}
    if request_id.get():
        event.setdefault("tags", {})["request"] = request_id.get()
    event.pop("user", None)
    event.pop("server_name", None)
    return _cleaned(event | ({"request": kept} if asked else {}))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return without_people(value)
    if isinstance(value, dict):
        return {name: _cleaned(part) for name, part in value.items()}
    return [_cleaned(part) for part in value] if isinstance(value, list) else value


# --- traces -----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _tracer() -> Any:
    """Made once in each process, after it was forked: the exporter has a thread of its own."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": NAME}))
    endpoint = f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider.get_tracer(NAME)


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[Any]:
    """A span while the block runs; nothing at all when traces go nowhere."""
    tracer = _tracer()
    with tracer.start_as_current_span(name, attributes=attributes) if tracer else nullcontext() as current:
        yield current


class Traces:
    """A WSGI application around ours: a span for each request, with its method, path, status and id."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = without_people(environ.get("PATH_INFO", ""))
        method = environ["REQUEST_METHOD"]
        with span(f"{method} {path}", **{"http.request.method": method, "url.path": path}) as current:

            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                current.set_attribute("http.response.status_code", int(status[:3]))
                return start_response(status, headers, *more)

            current.set_attribute("newsroom.request", request_id.get())
            return self.application(environ, start)

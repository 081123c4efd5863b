"""What a key opens beside notices: the domain's opt-outs, and where its outcomes are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema

from articles.optouts import OptOutKind
from articles.webhooks import NotUsable, secret_of
from moderation import owners, webhooks
from moderation.api import COMPONENTS, Problem, Refused, WholeText, needed_key
from moderation.ledger import LedgerBehind
from moderation.models import Notice
from moderation.owner_models import ApiKey, StandingOptOut

router = Router(tags=["owners"])
BEARER: dict[str, Any] = {"security": [{"bearer": []}]}


class OptOutIn(Schema):
    """What to leave out: everything of the key's domain, an author there, or what lies under a path."""

    kind: OptOutKind = OptOutKind.SOURCE
    value: WholeText = ""


class OptOutOut(Schema):
    """A standing rule. Readers see nothing it covers; `percent` is how far each article was also withheld by itself."""

    id: int
    kind: str
    what: str
    since: str
    withheld: int
    percent: int


class WebhookIn(Schema):
    """Where to tell every outcome; an empty address ends it."""

    url: WholeText = ""


class WebhookOut(Schema):
    """Where outcomes are told, and the secret its signatures are checked with."""

    url: str
    secret: str


class Told(Schema):
    """What a webhook is sent of one outcome; no person is in it."""

    id: UUID
    type: str
    at: datetime
    reference: str
    claim: int
    article_url: str
    before: str
    state: str
    case_url: str


# What we ask of an owner's server, for the description of the API.
WEBHOOKS: dict[str, Any] = {
    "outcome": {
        "post": {
            "summary": "An outcome of a claim on the domain's articles",
            "description": "Sent to the address set by PUT /api/owner/webhook until it is answered with 2xx: later"
            " each time, up to 20 times. `id` stays the same. `Newsroom-Signature` is `t=<unix seconds>,v1=<hex>`,"
            " the HMAC-SHA256 of `<t>.<body>` with the webhook's secret.",
            "parameters": [
                {"name": "Newsroom-Signature", "in": "header", "required": True, "schema": {"type": "string"}}
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": f"{COMPONENTS}Told"}}},
            },
            "responses": {"2XX": {"description": "It has arrived."}},
        }
    }
}


def components() -> dict[str, Any]:
    """What the description of the webhooks refers to."""
    return {"Told": Told.model_json_schema()}


def _answered(request: HttpRequest, act: Callable[[ApiKey, Notice, datetime], Any]) -> HttpResponse:
    """What `act` returns for the key's owner, or the problem in its way."""
    at = timezone.now()
    try:
        key = needed_key(request, at=at)
        if key.notice is None:
            raise Refused(403, "Prove it again", "The case this key was made for is gone. Make a new key.")
        answer = act(key, key.notice, at)
    except Refused as refused:
        return refused.answer()
    except LedgerBehind:
        return Refused(503, "Being restored", "Try again in a few minutes.").answer()
    except (owners.NotProved, NotUsable) as error:
        return Refused(422, "Not done", str(error)).answer()
    except StandingOptOut.DoesNotExist:
        return Refused(404, "Not found", "This domain has no such rule.").answer()
    return HttpResponse(
        json.dumps(answer), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _told(row: StandingOptOut) -> dict[str, Any]:
    rule = row.rule
    return OptOutOut(
        id=row.pk, kind=rule.kind, what=str(rule), since=rule.since.isoformat(), withheld=row.withheld,
        percent=row.percent(owners.newest_article()),
    ).model_dump()  # fmt: skip


@router.get(
    "/opt-outs",
    response={200: list[OptOutOut], 401: Problem},
    openapi_extra=BEARER,
    summary="What is left out",
)
def list_opt_outs(request: HttpRequest) -> HttpResponse:
    """The standing rules of the key's domain."""
    return _answered(request, lambda key, notice, at: [_told(row) for row in owners.standing_at(key.domain)])


@router.post(
    "/opt-outs",
    response={200: OptOutOut, 401: Problem, 422: Problem},
    openapi_extra=BEARER,
    summary="Leave out a domain's articles",
)
def add_opt_out(request: HttpRequest, given: OptOutIn) -> HttpResponse:
    """Leave it out, what is here already and what would come; the same rule sent again is one rule."""
    return _answered(
        request,
        lambda key, notice, at: _told(
            owners.opt_out(notice=notice, domain=key.domain, kind=given.kind, value=given.value, at=at)
        ),
    )


@router.delete(
    "/opt-outs/{number}",
    response={200: OptOutOut, 401: Problem, 404: Problem},
    openapi_extra=BEARER,
    summary="Allow it again",
)
def lift_opt_out(request: HttpRequest, number: int) -> HttpResponse:
    """End a rule: what only it left out shows again."""

    def lift(key: ApiKey, notice: Notice, at: datetime) -> Any:
        StandingOptOut.objects.get(pk=number, rule__domain=key.domain)
        return _told(owners.lift(notice=notice, opt_out_id=number, at=at))

    return _answered(request, lift)


@router.put(
    "/webhook",
    response={200: WebhookOut, 401: Problem, 422: Problem},
    openapi_extra=BEARER,
    summary="Say where outcomes are sent",
)
def set_webhook(request: HttpRequest, given: WebhookIn) -> HttpResponse:
    """Tell every outcome of the domain's claims to this address, with a new secret."""

    def register(key: ApiKey, notice: Notice, at: datetime) -> Any:
        hook = webhooks.register(domain=key.domain, url=given.url.strip()[:1000], at=at)
        return {"url": hook.url, "secret": secret_of(hook)} if hook else {"url": "", "secret": ""}

    return _answered(request, register)

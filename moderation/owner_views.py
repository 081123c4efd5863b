"""The page behind a case on which a proved owner opts out, holds keys and names a webhook."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from articles.optouts import OptOutKind
from articles.webhooks import NotUsable, secret_of
from moderation import limits, owners, webhooks
from moderation.ledger import LedgerBehind
from moderation.models import Notice
from moderation.owner_models import ApiKey, StandingOptOut
from moderation.views import notice_for

Said = dict[str, Any]
PER_HOUR = 60


@require_http_methods(["GET", "HEAD", "POST"])
def owner(request: HttpRequest, secret: str) -> HttpResponse:
    """What the owner may do for each proved domain. A new key stands in the answer to its POST, and only there."""
    notice, at = notice_for(secret), timezone.now()
    said: Said = {}
    status = 200
    if request.method == "POST":
        said, status = _done(request, notice, at)
    newest = owners.newest_article()
    domains = [
        {
            "name": domain,
            "opt_outs": [(row, row.percent(newest)) for row in owners.standing_at(domain)],
            "coming_back": owners.coming_back(domain),
            "keys": owners.keys_of(domain),
            "webhook": webhooks.of(domain),
        }
        for domain in owners.proofs(notice, at=at)
    ]
    context = {"notice": notice, "secret": secret, "domains": domains, "kinds": OptOutKind.choices, **said}
    return render(request, "moderation/owner.html", context, status=status)


def _done(request: HttpRequest, notice: Notice, at: datetime) -> tuple[Said, int]:
    if limits.count("owner", str(notice.pk), window=limits.HOUR, at=at) > PER_HOUR:
        return {"wrong": _("That was very often. Please wait an hour.")}, 429
    verb = VERBS.get(request.POST.get("do", ""))
    if verb is None:
        return {"wrong": _("That is not one of the buttons of this page.")}, 422
    try:
        return verb(request, notice, at), 200
    except LedgerBehind:
        return {"wrong": _("The site is being restored. Please try again in a few minutes.")}, 503
    except (owners.NotProved, NotUsable) as error:
        return {"wrong": str(error)}, 422
    except (StandingOptOut.DoesNotExist, ApiKey.DoesNotExist):
        return {"wrong": _("That is no longer there.")}, 422


def _opt_out(request: HttpRequest, notice: Notice, at: datetime) -> Said:
    kind = request.POST.get("kind", "")
    if kind not in OptOutKind.values:
        raise owners.NotProved(_("Choose what should not be shown."))
    value = request.POST.get("value", "")[:500]
    owners.opt_out(notice=notice, domain=_domain(request), kind=kind, value=value, at=at)
    return {"said": _("Done. None of it is shown any more, and none of it will be taken in again.")}


def _lift(request: HttpRequest, notice: Notice, at: datetime) -> Said:
    owners.lift(notice=notice, opt_out_id=_number(request), at=at)
    return {"said": _("Lifted. What nothing else withholds shows again within minutes.")}


def _new_key(request: HttpRequest, notice: Notice, at: datetime) -> Said:
    made = owners.new_key(notice=notice, domain=_domain(request), at=at)
    return {"said": _("Your new key. Copy it now: it is shown this once."), "shown_once": made.secret}


def _revoke(request: HttpRequest, notice: Notice, at: datetime) -> Said:
    owners.revoke_key(notice=notice, key_id=_number(request), at=at)
    return {"said": _("Revoked. The key opens nothing any more.")}


def _webhook(request: HttpRequest, notice: Notice, at: datetime) -> Said:
    domain = _domain(request)
    owners.proof_of(notice, domain, at)
    hook = webhooks.register(domain=domain, url=request.POST.get("url", "")[:1000].strip(), at=at)
    if hook is None:
        return {"said": _("No outcome is sent to a server any more.")}
    return {
        "said": _("Every outcome is sent there. The secret to check it with:"),
        "shown_once": secret_of(hook),
    }


VERBS: dict[str, Callable[[HttpRequest, Notice, datetime], Said]] = {
    "opt-out": _opt_out,
    "lift": _lift,
    "key": _new_key,
    "revoke": _revoke,
    "webhook": _webhook,
}


def _domain(request: HttpRequest) -> str:
    return request.POST.get("domain", "")[:253]


def _number(request: HttpRequest) -> int:
    text = request.POST.get("number", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0

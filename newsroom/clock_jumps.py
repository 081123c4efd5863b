"""What a clock that ran ahead left behind: turns, leases and tries for a time that has not come.

A machine whose clock was a day ahead and was put right would otherwise read no mailbox, make no backup and send
no letter for a day, since all of that had its turn "tomorrow".
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.apps import apps
from django.db.models import Q

from aggregator.models import HostTurn
from articles.leases import Leased
from articles.models import Heartbeat
from moderation.models import Claim, Letter
from moderation.owner_models import StandingOptOut
from newsroom.health import TURN

# The clocks of one site's machines differ by less.
AHEAD = timedelta(minutes=2)
# Longer than any lease; the longest, of a proof, is ten minutes.
LEASE = timedelta(minutes=15)
LONG_AGO = timedelta(days=7)
# Beside a machine whose clock stays ahead there is always something to mend: not at every step, or nobody would
# wait after a failure any more, nor between two visits to an outlet.
AT_MOST_EVERY = timedelta(hours=1)
MENDED = f"{TURN}mend clock jumps"
# `due_at` of these is a date that somebody was told; of all others it is the next try, which may be made early.
PROMISED = (Claim, StandingOptOut)


def happened(at: datetime) -> bool:
    """Somebody left word, or owed a letter, at a moment that lies ahead, and it was not mended lately."""
    if Heartbeat.objects.filter(name=MENDED, at__gt=at - AT_MOST_EVERY, at__lte=at + AHEAD).exists():
        return False
    return (
        Heartbeat.objects.filter(at__gt=at + AHEAD).exists()
        or Letter.objects.filter(sent_at__isnull=True, created_at__gt=at + AHEAD, due_at__gt=at).exists()
    )


def mend(limit: int, at: datetime) -> int:
    """All that waits for that moment may be done now. Safe at any time: at worst something is tried early."""
    for model in apps.get_models():
        if issubclass(model, Leased):
            model._default_manager.filter(lease_until__gt=at + LEASE).update(lease_until=None, lease_token="")
            if model not in PROMISED:
                model._default_manager.filter(due_at__gt=at).update(due_at=at)
    later = Q(until__gt=at + LEASE) | Q(asked_at__gt=at)
    HostTurn.objects.filter(later).update(until=None, token="", asked_at=at)
    Heartbeat.objects.filter(at__gt=at + AHEAD).update(at=at - LONG_AGO)
    Heartbeat.objects.update_or_create(name=MENDED, defaults={"at": at})
    return 1

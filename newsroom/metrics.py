"""Figures for Prometheus, with the promise first: what waits, until when, and whether the worker lives."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from aggregator.models import Feed
from articles.models import Heartbeat
from moderation import drill, ledger
from moderation.models import OPEN_STATES, Channel, Claim, Lane, LedgerEntry, Letter
from newsroom.alarms import NAMES, alarms
from newsroom.health import backup_age, heartbeat_ages


def metrics(request: HttpRequest) -> HttpResponse:
    """Today's figures, for this machine and for whoever has METRICS_TOKEN."""
    if not may_read(request):
        return HttpResponse("Not allowed.\n", status=403, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(Promise())
    return HttpResponse(
        generate_latest(registry), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )


def may_read(request: HttpRequest) -> bool:
    """True on loopback and with the token. Through a proxy everybody comes from loopback, so there only the token."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return True
    proxied = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return not proxied and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class Promise(Collector):
    """Gauges read from the domain's own rows at the moment they are asked for."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._claims()
        yield from self._letters()
        yield from self._feeds()
        yield from self._worker()
        yield from self._ledger()
        yield from self._backup()
        yield from self._alarms()
        yield from self._drill()
        yield _gauge(
            "newsroom_database_is_behind_ledger", "1 while public pages answer 503.", int(ledger.is_behind())
        )

    def _claims(self) -> Iterator[GaugeMetricFamily]:
        waiting = Claim.objects.filter(state__in=OPEN_STATES).exclude(notice__channel=Channel.DRILL)
        by_lane = dict(waiting.order_by().values_list("lane").annotate(Count("pk")))
        lanes = GaugeMetricFamily("newsroom_open_claims", "Claims that wait for a person.", labels=["lane"])
        for lane in Lane.values:
            lanes.add_metric([lane], by_lane.get(lane, 0))
        yield lanes
        nearest = waiting.aggregate(at=Min("deadline_at"))["at"]
        if nearest:
            yield _gauge(
                "newsroom_nearest_deadline_seconds",
                "Time until the nearest deadline of an open claim; absent when none is open.",
                (nearest - timezone.now()).total_seconds(),
            )

    def _letters(self) -> Iterator[GaugeMetricFamily]:
        unsent = Letter.objects.filter(sent_at__isnull=True).aggregate(
            number=Count("pk"), oldest=Min("created_at")
        )
        yield _gauge("newsroom_letters_unsent", "Letters owed and not yet sent.", unsent["number"])
        age = (timezone.now() - unsent["oldest"]).total_seconds() if unsent["oldest"] else 0
        yield _gauge("newsroom_oldest_unsent_letter_seconds", "How long the oldest of them waits.", age)

    def _feeds(self) -> Iterator[GaugeMetricFamily]:
        due = Feed.objects.active().filter(due_at__lte=timezone.now())
        figures = due.aggregate(number=Count("pk"), oldest=Min("due_at"))
        late = (timezone.now() - figures["oldest"]).total_seconds() if figures["oldest"] else 0
        yield _gauge("newsroom_feeds_due", "Feeds whose turn has come.", figures["number"])
        yield _gauge("newsroom_oldest_due_feed_seconds", "How long the first of them waits.", late)
        newest = Feed.objects.aggregate(at=Max("last_entry_at"))["at"]
        if newest:
            age = (timezone.now() - newest).total_seconds()
            yield _gauge("newsroom_newest_entry_seconds", "Since a feed last brought something new.", age)

    def _worker(self) -> Iterator[GaugeMetricFamily]:
        ages = GaugeMetricFamily(
            "newsroom_heartbeat_age_seconds", "Since each kind of work was last done.", labels=["work"]
        )
        for name, age in heartbeat_ages().items():
            ages.add_metric([name], age)
        yield ages

    def _alarms(self) -> Iterator[GaugeMetricFamily]:
        ringing = {alarm.name for alarm in alarms(timezone.now())}
        gauge = GaugeMetricFamily("newsroom_alarm", "1 while this is wrong.", labels=["alarm"])
        for name in NAMES:
            gauge.add_metric([name], int(name in ringing))
        yield gauge

    def _drill(self) -> Iterator[GaugeMetricFamily]:
        passed = Heartbeat.objects.filter(name=drill.PASSED).first()
        if passed is not None:
            age = (timezone.now() - passed.at).total_seconds()
            yield _gauge("newsroom_drill_age_seconds", "Since the drill of a removal last passed.", age)
            took = sum(passed.detail.get("seconds", {}).values())
            yield _gauge("newsroom_drill_seconds", "How long it took, its shortened clock included.", took)

    def _ledger(self) -> Iterator[GaugeMetricFamily]:
        head = LedgerEntry.objects.aggregate(seq=Max("seq"))["seq"] or 0
        yield _gauge("newsroom_ledger_head", "Number of the last entry of the removal ledger.", head)

    def _backup(self) -> Iterator[GaugeMetricFamily]:
        age = backup_age()
        if age is not None:
            yield _gauge("newsroom_backup_age_seconds", "Since the last backup was made.", age)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)

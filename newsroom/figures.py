"""The desk's figures of each day, counted by the worker so that no page has to, and their charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Sum
from django.utils import timezone
from django.utils.formats import date_format

from articles.models import Article, ArticleState, DayFigure, ReadCount
from moderation.models import Claim

DAYS = 14
WIDTH, HEIGHT, GAP = 280, 80, 4
KEPT = timedelta(days=800)


def _claims(begin: datetime, end: datetime) -> int:
    return Claim.objects.filter(notice__received_at__gte=begin, notice__received_at__lt=end).count()


def _articles(begin: datetime, end: datetime) -> int:
    came = Article.objects.filter(state__in=ArticleState.values, created_at__gte=begin, created_at__lt=end)
    return came.filter(fetched_at__isnull=False).count()


def _reads(begin: datetime, end: datetime) -> int:
    return int(ReadCount.objects.filter(day=begin.date()).aggregate(sum=Sum("count"))["sum"] or 0)


COUNTED: dict[str, Callable[[datetime, datetime], int]] = {
    "claims": _claims,
    "articles": _articles,
    "reads": _reads,
}


def count_days(limit: int, at: datetime) -> int:
    """Count today and yesterday anew, and any of the last days that nobody counted; forget what is very old."""
    today = timezone.localdate(at)
    known = set(DayFigure.objects.filter(day__gt=today - timedelta(days=DAYS)).values_list("name", "day"))
    for back in range(DAYS):
        day = today - timedelta(days=back)
        begin = timezone.make_aware(datetime.combine(day, time.min))
        for name, count in COUNTED.items():
            if back < 2 or (name, day) not in known:
                value = count(begin, begin + timedelta(days=1))
                DayFigure.objects.update_or_create(name=name, day=day, defaults={"value": value})
    DayFigure.objects.filter(day__lt=today - KEPT).delete()
    return 0


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a chart, in the units of its drawing."""

    x: float
    y: float
    height: float
    width: float
    day: str
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A row of days. `told` is the same in words, for who does not see it."""

    name: str
    title: str
    bars: list[Bar]
    told: str
    most: int


def charts(wanted: dict[str, str], *, today: date) -> list[Chart]:
    """A chart for each of these figures, by name and title, in one query."""
    since = today - timedelta(days=DAYS - 1)
    rows = DayFigure.objects.filter(name__in=wanted, day__gte=since).values_list("name", "day", "value")
    values = {(name, day): value for name, day, value in rows}
    days = [since + timedelta(days=number) for number in range(DAYS)]
    return [
        chart(name, title, [(day, values.get((name, day), 0)) for day in days])
        for name, title in wanted.items()
    ]


def chart(name: str, title: str, values: list[tuple[date, int]]) -> Chart:
    """The bars of these days, the highest as high as the drawing."""
    most = max((value for _, value in values), default=0)
    step = WIDTH / max(1, len(values))
    bars = []
    for number, (day, value) in enumerate(values):
        height = round(HEIGHT * value / most, 1) if most else 0
        bars.append(
            Bar(
                round(number * step, 1),
                HEIGHT - height,
                height,
                round(step - GAP, 1),
                date_format(day, "j M"),
                value,
            )
        )
    total = sum(value for _, value in values)
    told = f"{total:,} in {len(values)} days, {values[-1][1]:,} today, at most {most:,} a day."
    return Chart(name, title, bars, told, most)

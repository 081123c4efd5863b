"""Dates in every shape feeds write them. What cannot be read is no date, never an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import lru_cache

from dateutil import parser as dateutil_parser

LONGEST = 80
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
ISO = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
RFC822 = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(\d\d?)[ -]([A-Za-z]{3})[A-Za-z]*\.?[ -](\d{4})\s+(\d\d?):(\d\d)(?::(\d\d))?"
    r"\s*(Z|UTC?|GMT|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
OFFSET = re.compile(r"(?:GMT|UTC)\s*([+-])\s*(\d{1,2}):?(\d\d)?\b", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")
DAY = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}", re.IGNORECASE
)
EAST = str.maketrans({"年": "-", "月": "-", "日": " "})
EPOCH = re.compile(r"\d{9,10}|\d{13}")
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

# Month names beside the English ones, by their first letters, longest first where they clash.
FOREIGN_MONTHS = {
    "jan": "januar januari janvier janv enero ene gennaio gen janeiro ocak styczeń stycznia января янв "
    "січня leden ledna január ιαν ιανουαρίου",
    "feb": "februar februari février févr fév febrero febbraio fevereiro fev şubat luty lutego февраля фев "
    "лютого únor února február φεβ φεβρουαρίου",
    "mar": "märz mrz maart mars marzo março mart marzec marca марта мар березня březen března március μαρ "
    "μαρτίου",
    "apr": "avril avr abril abr aprile nisan kwiecień kwietnia апреля апр квітня duben dubna április απρ "
    "απριλίου",
    "may": "mai mei maj mayo maggio mag maio mayıs maja мая травня květen května május μαϊ μαΐου",
    "jun": "juni juin junio giugno giu junho haziran czerwiec czerwca июня июн червня červen června június "
    "ιουν ιουνίου",
    "jul": "juli juillet juil julio luglio lug julho temmuz lipiec lipca июля июл липня červenec července "
    "július ιουλ ιουλίου",
    "aug": "august augustus augusti août aout agosto ago ağustos sierpień sierpnia августа авг серпня srpen "
    "srpna augusztus αυγ αυγούστου",
    "sep": "september septembre sept septiembre set settembre setembro eylül wrzesień września сентября сен "
    "вересня září szeptember σεπ σεπτεμβρίου",
    "oct": "oktober octobre octubre ottobre ott outubro out okt ekim październik października октября окт "
    "жовтня říjen října október οκτ οκτωβρίου",
    "nov": "november novembre noviembre novembro kasım listopad listopada ноября ноя листопада листопад νοε "
    "νοεμβρίου",
    "dec": "dezember dez december décembre déc diciembre dic dicembre dezembro aralık grudzień grudnia "
    "декабря дек грудня prosinec prosince δεκ δεκεμβρίου",
}
MONTH_OF = {word: month for month, words in FOREIGN_MONTHS.items() for word in words.split()}
HOURS_OF_ZONE = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9,
    "AKDT": -8, "HST": -10, "AST": -4, "ADT": -3, "BRT": -3, "ART": -3, "WET": 0, "WEST": 1, "BST": 1,
    "IST": 5.5, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "TRT": 3,
    "SAST": 2, "EAT": 3, "PKT": 5, "HKT": 8, "SGT": 8, "AWST": 8, "KST": 9, "JST": 9, "AEST": 10,
    "AEDT": 11, "ACST": 9.5, "ACDT": 10.5, "NZST": 12, "NZDT": 13,
}  # fmt: skip
MEANS = frozenset({"AM", "PM", "A", "P", "T", "Z", "UTC", "GMT", "UT"})
SECONDS_OF_ZONE = {name: int(hours * 3600) for name, hours in HOURS_OF_ZONE.items()}


@lru_cache(maxsize=4096)
def read_date(text: str) -> datetime | None:
    """The moment meant, in UTC; one that names no zone is taken as UTC."""
    text = " ".join(text[: LONGEST + 1].split())
    if not text or len(text) > LONGEST:
        return None
    for reader in (_iso, _rfc822, _epoch, _mail, _any):
        try:
            found = reader(text)
        # The readers of libraries raise many kinds of errors on hostile text.
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue
        if found is not None:
            return found if EARLIEST <= found < LATEST else None
    return None


def _iso(text: str) -> datetime | None:
    match = ISO.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    hours, extra = (0, 1) if hour == "24" else (int(hour or 0), 0)
    made = datetime(
        int(year), int(month), int(day), hours, int(minute or 0), min(int(second or 0), 59), tzinfo=UTC
    )
    return made + timedelta(days=extra) - _offset(zone)


def _rfc822(text: str) -> datetime | None:
    match = RFC822.fullmatch(text)
    if not match or match[2].lower() not in MONTHS:
        return None
    day, name, year, hour, minute, second, zone = match.groups()
    month = MONTHS.index(name.lower()) + 1
    made = datetime(int(year), month, int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=UTC)
    return made - _offset(zone)


def _offset(zone: str | None) -> timedelta:
    if not zone or zone[0] not in "+-":
        return timedelta()
    digits = zone[1:].replace(":", "")
    distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return -distance if zone[0] == "-" else distance


def _epoch(text: str) -> datetime | None:
    if not EPOCH.fullmatch(text):
        return None
    return datetime.fromtimestamp(int(text[:10]), tz=UTC)


def _mail(text: str) -> datetime | None:
    """RFC 822 and its many misspellings, foreign month names included."""
    english = _in_english(text)
    found = parsedate_tz(english)
    if found is None or found[0] < 100 or not 1 <= found[1] <= 12:
        return None
    seconds = SECONDS_OF_ZONE.get(english.split()[-1].strip("()").upper(), found[9] or 0)
    moment = datetime(*found[:5], min(found[5], 59), tzinfo=timezone(timedelta(seconds=seconds)))
    return moment.astimezone(UTC)


def _in_english(text: str) -> str:
    text = OFFSET.sub(lambda m: f"{m[1]}{int(m[2]):02}{m[3] or '00'}", text)
    return WORD.sub(lambda m: MONTH_OF.get(m[0].lower(), m[0]), text)


def _counts(word: str) -> bool:
    return word[:3].lower() in MONTHS or word.upper() in SECONDS_OF_ZONE or word.upper() in MEANS


def _any(text: str) -> datetime | None:
    """Whatever else reads as a full date. A bare weekday or hour would be completed with today's."""
    if sum(character.isdigit() for character in text) < 5:
        return None
    default = datetime(2000, 1, 1)  # noqa: DTZ001 (dateutil compares it with naive results)
    english = _in_english(text.translate(EAST))
    if DAY.search(english):
        # Then days of the week, "Uhr", "um" or "kl." say nothing; else a word may be a month we do not know.
        english = WORD.sub(lambda m: m[0] if _counts(m[0]) else " ", english)
    moment = dateutil_parser.parse(english, default=default, tzinfos=SECONDS_OF_ZONE)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

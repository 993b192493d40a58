"""Dates and times as the field's messages write them, read in the time of Paris.

Format 102 of UNTDID 2379 is a day, `20260901`; format 204 is a second, `20260901083000`, without a zone: the law's time
is that of Paris. The hour that autumn repeats is read as its first passage (summer time).
"""

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
"""The zone of every moment that a message writes without one."""

_DAY = re.compile(r"[0-9]{8}")
_SECOND = re.compile(r"[0-9]{14}")


def day(text: str) -> date:
    """Read a day of format 102; ValueError when it is not eight digits or not a real day.

    >>> day("20260901")
    datetime.date(2026, 9, 1)
    """
    if not _DAY.fullmatch(text):
        raise ValueError(f"not a day of format 102 (AAAAMMJJ): {text!r}")
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def day_text(value: date) -> str:
    """Write a day in format 102.

    >>> day_text(date(2026, 9, 1))
    '20260901'
    """
    return f"{value.year:04}{value.month:02}{value.day:02}"


def second(text: str) -> datetime:
    """Read a second of format 204 in the time of Paris; ValueError when it is not one.

    >>> second("20260901083000").isoformat()
    '2026-09-01T08:30:00+02:00'
    """
    if not _SECOND.fullmatch(text):
        raise ValueError(f"not a second of format 204 (AAAAMMJJHHMMSS): {text!r}")
    hour, minute, seconds = (int(text[at : at + 2]) for at in (8, 10, 12))
    return datetime.combine(day(text[:8]), time(hour, minute, seconds), PARIS)


def second_text(value: datetime) -> str:
    """Write a moment in format 204, in the time of Paris; ValueError when the moment has no zone.

    >>> from datetime import UTC
    >>> second_text(datetime(2026, 9, 1, 6, 30, tzinfo=UTC))
    '20260901083000'
    """
    if value.tzinfo is None:
        raise ValueError("a moment without a zone is no moment")
    here = value.astimezone(PARIS)
    return day_text(here) + f"{here.hour:02}{here.minute:02}{here.second:02}"


def paris_day(value: datetime) -> date:
    """Give the day it is in Paris at a moment; ValueError when the moment has no zone.

    >>> from datetime import UTC
    >>> paris_day(datetime(2026, 8, 31, 22, 30, tzinfo=UTC))
    datetime.date(2026, 9, 1)
    """
    if value.tzinfo is None:
        raise ValueError("a moment without a zone is no moment")
    return value.astimezone(PARIS).date()

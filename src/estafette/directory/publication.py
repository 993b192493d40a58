"""When the directory is published to the platforms (F14), and in files of what size: the State's calendar, dated.

A differential leaves every day, a full extract in the night from Sunday to Monday. The hour is published nowhere; one
o'clock is that of the extracts seen. Both are rows of a table: a revision adds one and closes the former.

Source: external specifications v3.2, general file §3.5.4 (rhythm), §3.4.5 (sizes); directory.md §8.2 (hour observed).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from estafette.values.moments import PARIS, paris_day

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """Between two days: when the daily differential leaves, on which day of the week (0 Monday) a full one, sizes."""

    since: date
    until: date
    daily_at: time
    full_on: int
    file_bytes_max: int
    """One file, uncompressed: the decimal megabyte, so that no reading of the text is passed."""


CALENDARS = (Calendar(date(2024, 12, 18), date.max, time(1), 0, 100 * MEGABYTE),)
"""As of v3.0, the first with this directory, to v3.2."""


@dataclass(frozen=True, slots=True)
class Publication:
    """An extract to come: when, and whether a full one goes with the differential."""

    at: datetime
    is_full: bool


def calendar(on: date) -> Calendar:
    """Return the calendar of a day; before the first, the first."""
    return next((row for row in CALENDARS if row.since <= on <= row.until), CALENDARS[0])


def next_publication(after: datetime) -> Publication:
    """Return the first publication of the calendar after a moment.

    >>> from datetime import UTC
    >>> next_publication(datetime(2026, 11, 29, 12, tzinfo=UTC))
    Publication(at=datetime.datetime(2026, 11, 30, 1, 0, tzinfo=zoneinfo.ZoneInfo(key='Europe/Paris')), is_full=True)
    """
    day = paris_day(after)
    while True:
        row = calendar(day)
        at = datetime.combine(day, row.daily_at, PARIS)
        if at > after:
            return Publication(at, is_full=day.weekday() == row.full_on)
        day += timedelta(days=1)


def is_full_due(planned: Publication, now: datetime) -> bool:
    """Tell whether a full extract is due by now, one publication or several being late since one was planned."""
    coming = planned
    while coming.at <= now:
        if coming.is_full:
            return True
        coming = next_publication(coming.at)
    return planned.is_full

"""How much, how often and when a partner may send to the public portal: one table of dated parameters.

A revision of the State's adds a row and closes the former one. Where nothing is published, the bound is ours and the
row says so; the lots are indicative in the specifications, which announce a revision.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from estafette.formats.flow_archive import Bounds
from estafette.values import limits
from estafette.values.moments import PARIS


class Limit(StrEnum):
    """What is bounded."""

    FLOW_BYTES = "flow_bytes"
    FILE_BYTES = "file_bytes"
    FLOW_BYTES_BY_HTTPS = "flow_bytes_by_https"
    EXTRACTED_BYTES = "extracted_bytes"
    FILES_OF_F1 = "files_of_F1"
    FILES_OF_F6 = "files_of_F6"
    FILES_OF_F10 = "files_of_F10"
    FILES_OF_F13 = "files_of_F13"
    OBJECTS_OF_F13 = "objects_of_F13"
    ANSWERS = "answers"
    FLOWS_AN_HOUR = "flows_an_hour"
    SESSIONS = "sessions"
    RETRIEVAL_DAYS = "retrieval_days"
    OPENS = "opens"
    CLOSES = "closes"


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter between two days, both in it. Hours are counted in minutes from midnight, Paris time."""

    limit: Limit
    value: int
    source: str
    since: date = date.min
    until: date = date.max


MEGABYTE = 1024 * 1024
SPECIFIED = "external specifications v3.2"
OURS = "our bound: nothing is published"

ROWS = (
    Row(Limit.FLOW_BYTES, limits.FLOW_BYTES_MAX, f"{SPECIFIED} §3.4.5: 1 GB"),
    Row(Limit.FILE_BYTES, 120 * MEGABYTE, "external specifications v3.1: 120 MB", until=date(2026, 4, 29)),
    Row(Limit.FILE_BYTES, limits.FILE_BYTES_MAX, f"{SPECIFIED} note 67: 100 MB", since=date(2026, 4, 30)),
    Row(
        Limit.FLOW_BYTES_BY_HTTPS,
        limits.FILE_BYTES_MAX,
        "our bound: HTTPS is our own transport, it holds a flow in memory",
    ),
    Row(Limit.EXTRACTED_BYTES, limits.FLOW_EXTRACTED_BYTES_MAX, OURS),
    Row(Limit.FILES_OF_F1, 1000, f"{SPECIFIED} §3.4.6, indicative"),
    Row(Limit.FILES_OF_F6, 2000, f"{SPECIFIED} §3.4.6, indicative"),
    Row(Limit.FILES_OF_F10, 100, f"{SPECIFIED} §3.4.6, indicative"),
    Row(Limit.FILES_OF_F13, 100, "our bound: one is recommended (§3.4.6), more are allowed"),
    Row(Limit.OBJECTS_OF_F13, 2000, "our bound: the lines and routing codes of one flow, done in one transaction"),
    Row(Limit.ANSWERS, 2000, "our bound: how the portal batches its answers is not published (§3.4.6, note 72)"),
    Row(Limit.FLOWS_AN_HOUR, 1000, f"{SPECIFIED} §3.4.6, for one sender"),
    Row(Limit.SESSIONS, 10, OURS),
    Row(Limit.RETRIEVAL_DAYS, 7, f"{SPECIFIED} §3.3.2.1"),
    Row(Limit.OPENS, 0, "no hours are published: open at all hours"),
    Row(Limit.CLOSES, 24 * 60, "no hours are published: open at all hours"),
)


class FlowLimits:
    """The parameters, asked by day."""

    def __init__(self, rows: tuple[Row, ...] = ROWS) -> None:
        self.rows = rows

    def at(self, limit: Limit, day: date) -> int:
        """Return a parameter on a day; of rows that hold the last one. Raises: LookupError, when none does."""
        values = [row.value for row in self.rows if row.limit is limit and row.since <= day <= row.until]
        if not values:
            raise LookupError(f"{limit} has no value on {day}")
        return values[-1]

    def changed(self, **values: int) -> "FlowLimits":
        """Return others, where these parameters have these values from the beginning."""
        return FlowLimits((*self.rows, *(Row(Limit(name), value, "changed") for name, value in values.items())))

    def files_max(self, flow: str, day: date) -> int:
        """Return how many files a flow may hold: of F1, F6, F10, F13."""
        return self.at(Limit(f"files_of_{flow}"), day)

    def bounds(self, flow: str, day: date) -> Bounds:
        """Return how much a flow may hold once unpacked: of F1, F6, F10, F13."""
        file_bytes, extracted = self.at(Limit.FILE_BYTES, day), self.at(Limit.EXTRACTED_BYTES, day)
        return Bounds(self.files_max(flow, day), file_bytes, extracted)

    def opens_in(self, now: datetime) -> timedelta:
        """Return how long it is before flows are taken; nothing while they are.

        >>> from datetime import UTC
        >>> night = PUBLISHED.changed(opens=6 * 60)
        >>> night.opens_in(datetime(2026, 9, 15, 1, tzinfo=UTC)), night.opens_in(datetime(2026, 9, 15, 8, tzinfo=UTC))
        (datetime.timedelta(seconds=10800), datetime.timedelta(0))
        """
        local = now.astimezone(PARIS)
        today = local.date()
        minute = local.hour * 60 + local.minute
        opens, closes = self.at(Limit.OPENS, today), self.at(Limit.CLOSES, today)
        if opens <= minute < closes:
            return timedelta()
        day = today if minute < opens else today + timedelta(days=1)
        opening = datetime.combine(day, time(*divmod(self.at(Limit.OPENS, day), 60)), PARIS)
        return opening - now


PUBLISHED = FlowLimits()
"""As published, and our bounds where nothing is."""


def lot(flow: str, on: date) -> int:
    """Return how many objects of a flow are sent together on a day (§3.4.6).

    >>> lot("F6", date(2026, 9, 1))
    2000
    """
    return PUBLISHED.files_max(flow, on)

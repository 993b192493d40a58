"""By when the State must be told: a dated table, and what is late by it.

What a platform owes the portal is the data of each invoice it submits and each obligatory status; the time runs from a
moment that the life cycle holds. An obligation is met once the portal has taken the flow: what waits, or left without
an answer, is still owed; what was rejected must be corrected and is owed anew.

Source: external specifications v3.2 (2026-04-30), general file §3.6.5 and §3.6.6.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from estafette.lifecycle.statuses import OBLIGATORY
from estafette.values.moments import paris_day

INVOICE_DATA = "F1"
"""The data of an invoice (Flow 1), beside the codes of the obligatory statuses."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Within how long the State is told of something, from what moment, since when, and where that is written."""

    owed: frozenset[str]
    within: timedelta
    runs_from: tuple[str, str]
    since: date
    source: str


DEADLINES: tuple[Deadline, ...] = (
    Deadline(
        frozenset({INVOICE_DATA}),
        timedelta(hours=24),
        ("émission du statut 200 (MDT-8)", "issue of status 200 (MDT-8)"),
        date(2024, 12, 18),
        "external specifications v3.2, general file §3.6.5",
    ),
    Deadline(
        OBLIGATORY,
        timedelta(hours=24),
        ("horodatage du statut (MDT-78)", "moment of the status (MDT-78)"),
        date(2024, 12, 18),
        "external specifications v3.2, general file §3.6.6",
    ),
)
"""The latest row that holds on the day the time begins is the one that counts. The limits are those of every edition
since the portal is a concentrator of data (external specifications v3.0, 2024-12-18)."""


class Standing(StrEnum):
    """Where an obligation stands."""

    MET = "met"
    MET_LATE = "met late"
    PENDING = "pending"
    LATE = "late"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something owed to the portal: what (F1 or a status), since when, when the portal took it, whether it refused."""

    owed: str
    begins_at: datetime
    taken_at: datetime | None = None
    is_rejected: bool = False

    @property
    def due_at(self) -> datetime | None:
        """The moment by which the portal must have it; None when nothing is owed."""
        return due(self.owed, self.begins_at)

    def standing(self, *, now: datetime) -> Standing:
        """Tell where it stands at a moment."""
        if self.is_rejected:
            return Standing.REJECTED
        limit = self.due_at
        is_late = limit is not None and (self.taken_at or now) > limit
        if self.taken_at:
            return Standing.MET_LATE if is_late else Standing.MET
        return Standing.LATE if is_late else Standing.PENDING


def due(owed: str, begins_at: datetime) -> datetime | None:
    """Tell by when the State must be told of something that began at a moment; None when it need not be told.

    >>> due("210", datetime.fromisoformat("2026-09-01T10:00:00+02:00")).isoformat()
    '2026-09-02T10:00:00+02:00'
    >>> due("205", datetime.fromisoformat("2026-09-01T10:00:00+02:00")) is None
    True
    """
    day = paris_day(begins_at)
    holding = [row for row in DEADLINES if owed in row.owed and row.since <= day]
    return begins_at + max(holding, key=lambda row: row.since).within if holding else None


def late(obligations: Iterable[Obligation], *, now: datetime) -> tuple[Obligation, ...]:
    """Give those that should have been taken by now and were not, the longest due first."""
    found = [one for one in obligations if one.standing(now=now) is Standing.LATE]
    return tuple(sorted(found, key=lambda one: (one.begins_at, one.owed)))

"""Reporting periods and deadlines, by VAT regime: the table of the law, dated.

A transmission covers one period; the company hands its data in by the end of a day, the platform sends them by 08:00 of
the next (Paris time). The doctrine sometimes wants them earlier than the table: both are kept, and the screens show the
earliest.

Source: external specifications v3.2, table 13; BOI-TVA-DECLA-20-30-50-30 (advised days).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from estafette.formats.flux10 import Kind
from estafette.values.moments import PARIS

PLATFORM_HOUR = time(8)
"""Until when the platform may send, the day after the company's last."""

DAY = timedelta(days=1)
MONTH_END = 0


class Regime(StrEnum):
    """VAT regimes."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SIMPLIFIED = "simplified"
    FRANCHISE = "franchise"


REGIME_NAMES = {
    Regime.MONTHLY: ("Réel normal mensuel", "Normal, monthly"),
    Regime.QUARTERLY: ("Réel normal trimestriel", "Normal, quarterly"),
    Regime.SIMPLIFIED: ("Réel simplifié", "Simplified"),
    Regime.FRANCHISE: ("Franchise en base", "Small-business exemption"),
}


@dataclass(frozen=True, slots=True)
class Slice:
    """A kind of period: `first` to `last` day of every `months` months, and until when it is handed in.

    `limit` is (months after the period's own, day); day 0 is the last of the month. `advised` is the doctrine's.
    """

    regime: Regime
    kind: Kind
    first: int
    last: int
    limit: tuple[int, int]
    months: int = 1
    advised: tuple[int, int] | None = None
    since: date = date(2026, 9, 1)
    until: date = date.max


_END_OF_SIMPLIFIED = date(2026, 12, 31)
_TX, _PAY = Kind.TRANSACTIONS, Kind.PAYMENTS


def _both(regime: Regime, limit: tuple[int, int], **more: object) -> tuple[Slice, ...]:
    return tuple(Slice(regime, kind, 1, MONTH_END, limit, **more) for kind in Kind)  # type: ignore[arg-type]


SLICES: tuple[Slice, ...] = (
    Slice(Regime.MONTHLY, _TX, 1, 10, (0, 20)),
    Slice(Regime.MONTHLY, _TX, 11, 20, (0, MONTH_END), advised=(0, 30)),
    Slice(Regime.MONTHLY, _TX, 21, MONTH_END, (1, 10)),
    Slice(Regime.MONTHLY, _PAY, 1, MONTH_END, (1, 10)),
    *_both(Regime.QUARTERLY, (1, 10)),
    *_both(Regime.SIMPLIFIED, (1, MONTH_END), advised=(1, 25), until=_END_OF_SIMPLIFIED),
    *_both(Regime.SIMPLIFIED, (1, 10), since=_END_OF_SIMPLIFIED + DAY),  # the regime ends: as the quarterly one
    *_both(Regime.FRANCHISE, (1, MONTH_END), months=2, advised=(1, 25)),
)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A reporting period, both days included; `limit`: the company's last day, `advised`: the doctrine's if earlier."""

    start: date
    end: date
    limit: date
    advised: date

    @property
    def opens_at(self) -> datetime:
        """When it may be sent at the earliest: the period is over."""
        return datetime.combine(self.end + DAY, time(), PARIS)

    @property
    def sent_from(self) -> datetime:
        """When the platform sends by itself: the company's last day is over."""
        return datetime.combine(self.limit + DAY, time(), PARIS)

    @property
    def due_at(self) -> datetime:
        """When it must have been sent."""
        return datetime.combine(self.limit + DAY, PLATFORM_HOUR, PARIS)


@dataclass(frozen=True, slots=True, order=True)
class RegimeChange:
    """A regime from a day on, always the first of a month; `on_debits`: VAT on services is owed when invoicing."""

    since: date
    regime: Regime
    on_debits: bool = False


DEFAULT = RegimeChange(date.min, Regime.MONTHLY)
"""What a company that said nothing has: the shortest periods, so that nothing is late [P]."""


def regime_on(changes: Iterable[RegimeChange], day: date) -> RegimeChange:
    """Return the regime in force on a day."""
    return max((change for change in changes if change.since <= day), default=DEFAULT)


def period_of(day: date, kind: Kind, changes: Iterable[RegimeChange] = ()) -> Period:
    """Return the period that a day falls in, cut where the regime changes.

    >>> period = period_of(date(2026, 11, 12), Kind.TRANSACTIONS)
    >>> period.start.isoformat(), period.end.isoformat(), period.due_at.isoformat()
    ('2026-11-11', '2026-11-20', '2026-12-01T08:00:00+01:00')
    """
    held = sorted(changes)
    current = regime_on(held, day)
    found = _slice(current.regime, kind, day)
    first_month = (day.month - 1) // found.months * found.months + 1
    last_month = first_month + found.months - 1
    start = date(day.year, first_month, found.first)
    end = _day(day.year, last_month, found.last)
    following = min((change.since for change in held if change.since > day), default=None)
    if following is not None:
        end = min(end, following - DAY)
    limit = _after(day.year, last_month, found.limit)
    advised = _after(day.year, last_month, found.advised) if found.advised else limit
    return Period(max(start, current.since), end, limit, min(limit, advised))


def last_due(kind: Kind, start: date, end: date) -> datetime | None:
    """Return by when a period of these days must have been sent at the latest, whatever the regime; None for no period.

    >>> last_due(Kind.TRANSACTIONS, date(2026, 9, 1), date(2026, 9, 10)).isoformat()
    '2026-09-21T08:00:00+02:00'
    """
    found = (_period_of_regime(regime, kind, start) for regime in Regime)
    return max((one.due_at for one in found if one and (one.start, one.end) == (start, end)), default=None)


def _period_of_regime(regime: Regime, kind: Kind, day: date) -> Period | None:
    try:
        return period_of(day, kind, [RegimeChange(date.min, regime)])
    except LookupError:
        return None


def next_period(period: Period, kind: Kind, changes: Iterable[RegimeChange] = ()) -> Period:
    """Return the period that follows."""
    return period_of(period.end + DAY, kind, changes)


def next_sending(now: datetime, kind: Kind, changes: Iterable[RegimeChange] = ()) -> datetime:
    """Return the next moment after `now` at which the platform sends this kind: late data leave then.

    Periods are looked at from three months before: no limit is further from its period.
    """
    changes = tuple(changes)
    period = period_of((now - timedelta(days=92)).astimezone(PARIS).date(), kind, changes)
    while period.sent_from <= now:
        period = next_period(period, kind, changes)
    return period.sent_from


def _slice(regime: Regime, kind: Kind, day: date) -> Slice:
    """Return the slice that holds a day; before the obligation, the first one applies (voluntary reports)."""
    for found in SLICES:
        if (found.regime, found.kind) == (regime, kind) and max(found.since, day) <= found.until:
            held = found.since <= day or found.since == SLICES[0].since
            if held and found.first <= day.day <= (found.last or 31):
                return found
    raise LookupError(f"no period of {kind} for {regime} on {day}")


def _after(year: int, month: int, offset: tuple[int, int]) -> date:
    months, number = offset
    index = year * 12 + month - 1 + months
    return _day(index // 12, index % 12 + 1, number)


def _day(year: int, month: int, number: int) -> date:
    """Return a day of a month; 0, or a day that it has not, is its last."""
    following = date(year + month // 12, month % 12 + 1, 1)
    last = (following - DAY).day
    return date(year, month, min(number or last, last))

"""What the law, or the administration's doctrine, dates: terms, thresholds and their sources.

A parameter is a list of values with a day of effect; what is read is what was in force on a day. Ours (no text fixes
them) say so.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Value:
    """A value from a day on, with the text that fixes it; `source_en` where the title of that text has words."""

    since: date
    value: Decimal
    source: str
    source_en: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """The values of one parameter, oldest first."""

    name: str
    values: tuple[Value, ...]

    def on(self, day: date) -> Value:
        """Return the value in force on this day. Raises: LookupError before the first."""
        held = [value for value in self.values if value.since <= day]
        if not held:
            raise LookupError(f"{self.name} has no value on {day.isoformat()}")
        return held[-1]


def _parameter(name: str, since: date, value: str, source: str, source_en: str = "") -> Parameter:
    return Parameter(name, (Value(since, Decimal(value), source, source_en or source),))


_FILES = date(2023, 5, 1)  # the registration service opens
_B = "CGI annexe II, art. 242 nonies B"

REGISTRATION_YEARS = _parameter("registration, years", _FILES, "3", "CGI art. 290 B")
DECISION_MONTHS = _parameter("decision after a complete file, months", _FILES, "2", f"{_B} III")
RESERVATION_MONTHS = _parameter("test reports under reservation, months", _FILES, "3", f"{_B} V")
AUDIT_YEARS = _parameter("conformity audit after registration, years", _FILES, "1", f"{_B} I 6° c")
SURVEILLANCE_YEARS = _parameter("surveillance audit after registration, years", date(2026, 2, 21), "2", f"{_B} I 6°")
RENEWAL_MONTHS = _parameter("renewal asked before expiry, months", _FILES, "5", "CGI annexe II, art. 242 nonies C")
FOREIGN_EXTRACT_MONTHS = _parameter("age of a foreign register extract, months", _FILES, "3", f"{_B} I 1° and 2°")

SECRECY_UNITS = _parameter(
    "units in a published cell",
    date(1960, 1, 1),
    "3",
    "loi n° 51-711 ; INSEE, protection des tableaux",
    "law no. 51-711; INSEE, protection of tables",
)
SECRECY_SHARE = _parameter(
    "share of one unit in a published cell", date(1960, 1, 1), "0.85", "INSEE, règle de 1960", "INSEE, rule of 1960"
)

_OURS = date(2023, 1, 1)
DUPLICATE_DAYS = _parameter(
    "days between two copies of an invoice", _OURS, "10", "ours: shorter than a monthly subscription"
)
DUPLICATE_TOLERANCE = _parameter("gap between the amounts of two copies", _OURS, "0.005", "ours: half a percent")


def month_after(day: date, months: int) -> date:
    """Return the same day so many months later (before, when negative), or the last day of that month.

    >>> month_after(date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - date.resolution).day))

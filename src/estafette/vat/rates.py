"""The VAT rates and the line of the return where each is declared, by territory and date.

Source: CGI art. 278 (20 %), 278-0 bis (5.5 %), 278 bis to 279 (10 %), 281 quater to 281 nonies (2.1 %), 294 to 296 ter
(overseas), 297 (Corsica); form 3310-CA3-SD. `since` is the day from which this table answers, which for the present
rates is 1 January 2014 (law no. 2012-1510, art. 68), when 19.6 and 7 % became former rates.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Territory(StrEnum):
    """Where the supplier is established, as far as rates differ."""

    CONTINENT = "continent"
    CORSICA = "corsica"
    OVERSEAS = "overseas"  # Guadeloupe, Martinique, La Réunion (CGI art. 294, 2)


OVERSEAS_COUNTRIES = frozenset({"GP", "MQ", "RE"})


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in percent and the gross VAT line that declares it, `until` excluded."""

    percent: Decimal
    territory: Territory | None
    line: str
    since: date
    source: str
    until: date | None = None


_2014 = date(2014, 1, 1)


def _rate(percent: str, territory: Territory | None, line: str, source: str) -> Rate:
    return Rate(Decimal(percent), territory, line, _2014, source)


RATES: tuple[Rate, ...] = (
    _rate("20", Territory.CONTINENT, "08", "CGI art. 278"),
    _rate("5.5", Territory.CONTINENT, "09", "CGI art. 278-0 bis"),
    _rate("10", Territory.CONTINENT, "9B", "CGI art. 278 bis to 279"),
    _rate("2.1", Territory.CONTINENT, "T6", "CGI art. 281 quater to 281 nonies"),
    _rate("13", Territory.CONTINENT, "P2", "form 3310-CA3-SD, oil products"),
    _rate("8.5", Territory.OVERSEAS, "10", "CGI art. 296, 1"),
    _rate("2.1", Territory.OVERSEAS, "11", "CGI art. 296, 1"),
    _rate("1.75", Territory.OVERSEAS, "T1", "CGI art. 296 ter"),
    _rate("1.05", Territory.OVERSEAS, "T2", "CGI art. 296 ter"),
    _rate("13", Territory.CORSICA, "TC", "CGI art. 297"),
    _rate("10", Territory.CORSICA, "T3", "CGI art. 297"),
    _rate("2.1", Territory.CORSICA, "T4", "CGI art. 297"),
    _rate("0.9", Territory.CORSICA, "T5", "CGI art. 297"),
    *(_rate(old, None, "13", "former rate") for old in ("19.6", "7", "20.6", "9.2", "9.6")),
)


class UnknownRate(LookupError):
    """No line declares this rate on this day."""


def territory_of(country: str) -> Territory:
    """Tell the territory of a seller's country code (BT-40); Corsica cannot be told from it."""
    return Territory.OVERSEAS if country in OVERSEAS_COUNTRIES else Territory.CONTINENT


def line_of(percent: Decimal, *, territory: Territory, on: date) -> str:
    """Return the gross VAT line where this rate is declared.

    The territory decides between lines that share a rate; a rate that the territory does not have goes to the line
    that has it (a supplier overseas who sells at 20 % to the continent). Raises: UnknownRate.

    >>> line_of(Decimal("2.1"), territory=Territory.OVERSEAS, on=date(2026, 9, 1))
    '11'
    """
    rows = [rate for rate in RATES if rate.percent == percent and _in_force(rate, on)]
    here = [rate for rate in rows if rate.territory is territory]
    if not rows:
        raise UnknownRate(f"{percent} % on {on.isoformat()}")
    return (here or rows)[0].line


def _in_force(rate: Rate, on: date) -> bool:
    return rate.since <= on and (rate.until is None or on < rate.until)

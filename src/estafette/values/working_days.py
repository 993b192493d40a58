"""Working days (jours ouvrés): Monday to Friday, the public holidays of the whole of France left out.

Source: Code du travail, art. L. 3133-1. The further days of Alsace-Moselle and overseas are worked elsewhere: a delay
counted here is never longer there.
"""

from datetime import date, timedelta

_FIXED = frozenset({(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)})
_AFTER_EASTER = (1, 39, 50)
"""Easter Monday, Ascension, Whit Monday: days after Easter Sunday."""

SATURDAY = 5


def easter(year: int) -> date:
    """Return Easter Sunday (the Gregorian computation of Meeus, Jones and Butcher).

    >>> easter(2026), easter(2027)
    (datetime.date(2026, 4, 5), datetime.date(2027, 3, 28))
    """
    century, rest = divmod(year, 100)
    golden = year % 19
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    month, day = divmod(moon + week - 7 * ((golden + 11 * moon + 22 * week) // 451) + 114, 31)
    return date(year, month, day + 1)


def is_working(day: date) -> bool:
    """Tell whether a day is worked.

    >>> is_working(date(2026, 5, 14)), is_working(date(2026, 5, 15))
    (False, True)
    """
    moving = {easter(day.year) + timedelta(days=after) for after in _AFTER_EASTER}
    return day.weekday() < SATURDAY and (day.month, day.day) not in _FIXED and day not in moving


def working_day_after(day: date, count: int) -> date:
    """Return the day so many working days after another.

    >>> working_day_after(date(2026, 11, 6), 5)
    datetime.date(2026, 11, 16)
    """
    while count:
        day += timedelta(days=1)
        count -= is_working(day)
    return day

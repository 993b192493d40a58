"""How much of the directory may be asked, and how often: dated parameters, most of them ours.

No quota of the gateway (PISTE) is published for this API, nor any bound of a page; a revision adds a row.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Limit(StrEnum):
    """What is bounded."""

    PAGE = "entries in a page where none is asked"
    PAGE_MAX = "entries in a page at most"
    CALLS_A_MINUTE = "calls a minute of one platform"
    CALLS_AT_ONCE = "calls of one platform at once"
    SEARCH_S = "seconds that a search may take"
    PUBLIC_RESULTS = "companies shown by one public search"
    PUBLIC_LINES = "addresses shown of one company on the public page"
    PUBLIC_SEARCH_S = "seconds that a public search may take"
    PUBLIC_SEARCHES_A_MINUTE = "public searches a minute from one address"
    PUBLIC_SEARCHES_AT_ONCE = "public searches at once from one address"


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter from a day on."""

    limit: Limit
    value: int
    source: str
    since: date = date.min


EXAMPLE = "the example of the published contract (1.11.0)"
OURS = "our bound: nothing is published"

ROWS = (
    Row(Limit.PAGE, 50, EXAMPLE),
    Row(Limit.PAGE_MAX, 100, "our bound: that of XP Z12-013 §4.3"),
    Row(Limit.CALLS_A_MINUTE, 600, OURS),
    Row(Limit.CALLS_AT_ONCE, 200, OURS),
    Row(Limit.SEARCH_S, 10, OURS),
    Row(Limit.PUBLIC_RESULTS, 10, "our bound: no bulk (issue of the portal)"),
    Row(Limit.PUBLIC_LINES, 50, "our bound: no bulk (issue of the portal)"),
    Row(Limit.PUBLIC_SEARCH_S, 2, OURS),
    Row(Limit.PUBLIC_SEARCHES_A_MINUTE, 20, "our bound: a person's pace"),
    Row(Limit.PUBLIC_SEARCHES_AT_ONCE, 20, "our bound: a person's pace"),
)


class DirectoryLimits:
    """The parameters, asked by day."""

    def __init__(self, rows: tuple[Row, ...] = ROWS) -> None:
        self.rows = rows

    def at(self, limit: Limit, day: date) -> int:
        """Return a parameter on a day. Raises: LookupError, when it has no value yet.

        >>> PUBLISHED.at(Limit.PAGE, date(2026, 9, 1))
        50
        """
        values = [row.value for row in self.rows if row.limit is limit and row.since <= day]
        if not values:
            raise LookupError(f"{limit} has no value on {day}")
        return values[-1]

    def changed(self, limit: Limit, value: int) -> "DirectoryLimits":
        """Return others, where this parameter has this value from the beginning.

        >>> PUBLISHED.changed(Limit.PAGE, 5).at(Limit.PAGE, date(2026, 9, 1))
        5
        """
        return DirectoryLimits((*self.rows, Row(limit, value, "changed")))


PUBLISHED = DirectoryLimits()
"""As published, and our bounds where nothing is."""

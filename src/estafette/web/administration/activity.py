"""The page of activity: turnover by sector and week, as charts made here and as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from estafette.administration import activity
from estafette.administration.activity import Cell
from estafette.administration.administration import Administration
from estafette.administration.parameters import SECRECY_SHARE, SECRECY_UNITS
from estafette.store.identity import Person
from estafette.web.desk import Desk

WEEKS_SHOWN = 26
"""Half a year to a chart; the table holds the same weeks."""

BAR, GAP, HEIGHT = 26, 8, 120
"""Width of a bar, space beside it, height of the tallest, in pixels."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One week of a chart: where its bar stands and how high; a secret cell has a mark and no height."""

    cell: Cell
    x: int
    height: int

    @property
    def y(self) -> int:
        """Where it begins, from the top."""
        return HEIGHT - self.height

    @property
    def middle(self) -> int:
        """Where its label is centred."""
        return self.x + BAR // 2


@dataclass(frozen=True, slots=True)
class Chart:
    """The weeks of one sector."""

    sector: str
    bars: tuple[Bar, ...]

    @property
    def is_shown(self) -> bool:
        """Tell whether there is a bar to draw."""
        return any(bar.height for bar in self.bars)

    @property
    def width(self) -> int:
        """The whole, in pixels."""
        return max(len(self.bars) * (BAR + GAP), BAR + GAP)


def chart(sector: str, cells: Sequence[Cell]) -> Chart:
    """Return the chart of these weeks, oldest first; the tallest bar takes the whole height."""
    shown = sorted(cells, key=lambda cell: cell.week)[-WEEKS_SHOWN:]
    tallest = max((cell.turnover for cell in shown if cell.turnover is not None), default=Decimal(0))
    bars = tuple(Bar(cell, place * (BAR + GAP), _height(cell, tallest)) for place, cell in enumerate(shown))
    return Chart(sector, bars)


def _height(cell: Cell, tallest: Decimal) -> int:
    if cell.turnover is None or cell.turnover <= 0 or tallest <= 0:
        return 0
    return max(int(cell.turnover * HEIGHT / tallest), 1)


class ActivityPages:
    """The page of activity."""

    def __init__(self, administration: Administration, desk: Desk) -> None:
        self._database = administration.actor.database
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return where it is."""
        return [Route("/activity", self._desk.signed_in(self.show))]

    async def show(self, request: Request, _person: Person) -> Response:
        """Show the turnover of each sector, what is secret marked so."""
        with self._database.read() as connection:
            cells = activity.activity(connection)
        charts = [chart(sector, list(group)) for sector, group in groupby(cells, key=lambda cell: cell.sector)]
        today = self._desk.today()
        units, share = SECRECY_UNITS.on(today), SECRECY_SHARE.on(today)
        values: dict[str, Any] = {
            "charts": charts,
            "units": units,
            "share": share,
            "size": {"bar": BAR, "height": HEIGHT},
        }
        values |= {"labels": activity.SECTORS, "unknown": activity.UNKNOWN_SECTOR}
        return self._desk.render(request, "activity.html", **values)

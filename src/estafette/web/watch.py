"""The watch desk of the portal: its partners hour by hour, who is late, why things are rejected, what waits.

The operator of the portal sees every platform, and no invoice. The people of a platform see their own, whatever they
ask, with the invoices whose data it owes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from estafette.exchange.actor import Actor
from estafette.formats import envelope
from estafette.lifecycle.reasons import REASONS
from estafette.portal import holdings, watch
from estafette.portal.hall import UNKNOWN_INTERFACE
from estafette.portal.watch import HOURS_MAX
from estafette.store.identity import Person
from estafette.store.roles import Capability
from estafette.values.moments import PARIS, paris_day
from estafette.web.desk import Desk

PATH = "/watch"
NAVIGATION = (PATH, "Veille", "Watch")
"""The way to it, for whom may see it."""

CHOICES = (24, 48, HOURS_MAX)
"""Hours that one may look back."""

BAR, GAP, HEIGHT = 14, 4, 100
"""Width of a bar, space beside it, height of the tallest, in pixels."""

LABEL_EVERY = 6
"""Hours between two labels under a chart of a day; as many labels for a longer one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An hour of a chart: what was sent in it, what of that was rejected, drawn from the bottom."""

    hour: datetime
    sent: int
    rejected: int
    x: int
    height: int
    height_rejected: int
    label: str

    @property
    def y(self) -> int:
        """Where the bar begins, from the top."""
        return HEIGHT - self.height

    @property
    def y_rejected(self) -> int:
        """Where its rejected part begins."""
        return HEIGHT - self.height_rejected


def chart(hours: Sequence[tuple[datetime, int, int]]) -> tuple[Bar, ...]:
    """Return the bars of these hours; the tallest takes the whole height, what is not nothing is seen."""
    tallest = max((sent for _hour, sent, _rejected in hours), default=0)
    every = LABEL_EVERY * max(len(hours) // 24, 1)
    return tuple(
        Bar(
            hour, sent, rejected, place * (BAR + GAP), _height(sent, tallest), _height(rejected, tallest),
            _label(hour) if place % every == 0 else "",
        )
        for place, (hour, sent, rejected) in enumerate(hours)
    )  # fmt: skip


def _height(count: int, tallest: int) -> int:
    return max(min(count, tallest) * HEIGHT // tallest, 1) if count and tallest else 0


def _label(hour: datetime) -> str:
    return f"{hour.astimezone(PARIS):%d/%m %H h}"


def routes(actor: Actor, desk: Desk) -> list[BaseRoute]:
    """Return the page."""

    async def show(request: Request, person: Person) -> Response:
        asked = request.query_params.get("hours", "")
        hours = int(asked) if asked in map(str, CHOICES) else CHOICES[0]
        sees_all, now = person.may(Capability.OPERATE), actor.clock()
        partner = (request.query_params.get("platform") or None) if sees_all else person.tenant
        with actor.database.read() as connection:
            if not sees_all and not _is_registered(connection, partner, now):
                raise HTTPException(403)
            view = watch.look(connection, now=now, hours=hours, partner=partner)
            names = {one: _name(connection, one) for one in view.partners}
        charts = [(one, chart(view.of(one))) for one in view.partners]
        values: dict[str, Any] = {"view": view, "names": names, "charts": charts, "hours": hours, "partner": partner}
        values |= {"sees_all": sees_all, "owed": () if sees_all else view.owed}
        values |= {"choices": CHOICES, "size": {"bar": BAR, "gap": GAP, "height": HEIGHT}}
        values["reason_of"] = _reason
        values["title_of"] = lambda interface: _title(interface, now)
        return desk.render(request, "watch.html", **values)

    return [Route(PATH, desk.signed_in(show, get=Capability.WATCH))]


def _reason(code: str) -> tuple[str, str]:
    """Return what a code of rejection says, in French and in English; nothing for one of ours or unknown."""
    reason = REASONS.get(code)
    return (reason.label, reason.name) if reason else ("", "")


def _is_registered(connection: Connection, matricule: str | None, now: datetime) -> bool:
    platform = holdings.platform_of(connection, matricule) if matricule else None
    return platform is not None and platform.is_registered(paris_day(now))


def _name(connection: Connection, matricule: str) -> str:
    platform = holdings.platform_of(connection, matricule)
    return platform.name if platform else ""


def _title(interface: str, now: datetime) -> str:
    """Return what an interface carries, in French as the specifications have it; its code when it is unknown."""
    if interface[1:] == UNKNOWN_INTERFACE[1:]:
        return "Nom de flux illisible"
    try:
        return envelope.interface(interface, on=paris_day(now)).title
    except envelope.Irreceivable:
        return interface

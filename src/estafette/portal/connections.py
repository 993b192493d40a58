"""Who is connected to the portal and how: the rules of §5 (ppf-flows.md), looked at before anything is read.

A connection is an application code: its protocol is one and declared, it may end on a day, it is subscribed to some
interfaces. Beyond that there are hours and a number of flows in an hour (`formats.flow_limits`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Connection, bindparam, func, select

from estafette.exchange.messages import Kind, Listed
from estafette.exchange.post import Refused
from estafette.formats.envelope import FlowName
from estafette.formats.flow_limits import Limit
from estafette.portal.hall import Hall
from estafette.portal.intake_tables import refused_flow
from estafette.portal.partners import HTTPS, declared
from estafette.portal.tables import partner_flow
from estafette.store import gathered
from estafette.store.columns import Instant
from estafette.values.moments import paris_day

HOUR = timedelta(hours=1)


def admit(hall: Hall, connection: Connection, listed: Sequence[Listed]) -> None:
    """The flows of a parcel may be read. Raises: Refused, 403, 413, 429 or 503, as HTTPS says it; nothing was read.

    Acknowledgements, which answer the portal, are always taken and count for nothing.
    """
    flows = [one for one in listed if one.message.kind is Kind.FLOW and not _is_answer(one.message.name)]
    partner = hall.partner(connection, listed[0].message.sender) if flows else None
    if partner is None:
        return
    now = hall.actor.clock()
    said = declared(connection, partner.application_code)
    if said.protocol != HTTPS or not said.is_valid(paris_day(now)):
        fr = f"Le raccordement {partner.application_code} n'est pas en HTTPS ou a pris fin."
        raise Refused(403, f"{fr} / Connection {partner.application_code} does not go by HTTPS, or has ended.")
    most = hall.limits.at(Limit.FLOW_BYTES_BY_HTTPS, paris_day(now))
    for one in flows:
        if one.size > most:
            raise Refused(413, f"IRR_TAILLE: {one.message.name[:80]}, {one.size} > {most} octets / bytes")
    if wait := busy_for(hall, connection, partner.matricule, len(flows)):
        raise Refused(*wait)


def _is_answer(file: str) -> bool:
    """Tell whether a name is that of an acknowledgement: whatever else begins by C is turned away as any flow is."""
    name = FlowName.in_front_of(file)
    return name is not None and name.is_acknowledgement


def busy_for(hall: Hall, connection: Connection, matricule: str, flows: int = 1) -> tuple[int, str, timedelta] | None:
    """Return why so many flows cannot be taken now, 503 or 429, in two languages, for how long; None when they can."""
    now = hall.actor.clock()
    if closed := hall.limits.opens_in(now):
        return 503, f"Le portail est fermé jusqu'à {now + closed:%H:%M} UTC. / The portal is closed until then.", closed
    most = hall.limits.at(Limit.FLOWS_AN_HOUR, paris_day(now))
    taken, first = _lately(connection, matricule, now)
    if taken + flows <= most:
        return None
    wait = (first or now) + HOUR - now
    fr = f"{most} flux par heure au plus ; réessayez dans {_seconds(wait)} s."
    return 429, f"{fr} / At most {most} flows an hour; try again in {_seconds(wait)} s.", wait


def _seconds(wait: timedelta) -> int:
    return max(1, ceil(wait.total_seconds()))


def lately(connection: Connection, matricule: str, now: datetime) -> int:
    """Return how many flows a partner sent in the last hour, those turned away among them."""
    return _lately(connection, matricule, now)[0]


def _lately(connection: Connection, matricule: str, now: datetime) -> tuple[int, datetime | None]:
    """Return how many flows a partner sent in the last hour, and when the first of them came."""
    asked = {"partner": matricule, "since": now - HOUR}
    found = [connection.execute(query, asked).one() for query in (_ENTERED, _TURNED_AWAY)]
    return sum(row[0] for row in found), min((row[1] for row in found if row[1] is not None), default=None)


_TURNED_AWAY = gathered.reads(
    select(  # type: ignore[arg-type]
        func.count(refused_flow.c.id).label("flows"),
        func.min(refused_flow.c.recorded_at, type_=Instant).label("first"),
    ).where(
        refused_flow.c.partner == bindparam("partner"),
        refused_flow.c.recorded_at > bindparam("since", type_=Instant),
    )
)
_ENTERED = gathered.reads(
    select(  # type: ignore[arg-type]
        func.count(partner_flow.c.name).label("flows"),
        func.min(partner_flow.c.created_at, type_=Instant).label("first"),
    ).where(
        partner_flow.c.partner == bindparam("partner"),
        partner_flow.c.created_at > bindparam("since", type_=Instant),
        partner_flow.c.direction == "In",
        partner_flow.c.interface.startswith("F"),
    )
)

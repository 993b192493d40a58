"""The directory authority: legal units, platforms, addresses.

The registration service tells of a platform; the register gives the legal units and, at the opening of the pilot, their
addresses. What changes is published (`extracts`). A private unit without any other line has its default one: taxable,
no platform chosen (9998).
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.directory.rules import Fault
from estafette.exchange.post import Peer, peer_of
from estafette.portal import extracts, holdings
from estafette.portal.hall import Hall
from estafette.portal.register import Register, Source
from estafette.portal.tables import directory_line
from estafette.store import jobs, sequences
from estafette.store.jobs import Job
from estafette.store.worker import Apply
from estafette.values.moments import PARIS

LAPSE = "lapse"
"""The queue of registrations that end, each at midnight, and of the lines that have to say so."""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What the registration service tells of a platform."""

    matricule: str
    name: str
    registered_from: date
    siren: str | None = None
    application_code: str | None = None
    url: str | None = None
    public_key: str | None = None
    registered_until: date | None = None
    platform_type: str = "PDP"


class Unsound(Exception):
    """What is loaded cannot be held: the line, and the rule that it breaks."""

    def __init__(self, line: str, fault: Fault) -> None:
        super().__init__(f"{line} : {fault.rule} {fault.fr} / {fault.en}")


def learn(hall: Hall, connection: Connection, told: Registered, *, message: str | None = None) -> None:
    """The platform is known, or what changed of it is; a registration that ends closes its lines that day."""
    reached = Peer(told.matricule, told.url, told.public_key) if told.url and told.public_key else None
    platform = ReceivingPlatform(
        matricule=told.matricule,
        platform_type=told.platform_type,
        name=told.name,
        siren=told.siren,
        trade_name=told.name if told.platform_type == "PDP" else None,
        contact=reached.contact if reached else None,
        registered_from=told.registered_from,
        registered_until=told.registered_until,
    )
    held = holdings.platform_of(connection, told.matricule)
    register = _register(hall, connection, Source.REGISTRATION, message)
    if register.put_platform(platform, application_code=told.application_code) is None:
        return
    if told.registered_until is not None:  # its lines to come are masked that day, at midnight in Paris
        midnight = datetime.combine(told.registered_until, time(), PARIS)
        key = f"{LAPSE}:{told.matricule}:{told.registered_until}"
        payload = {"matricule": told.matricule}
        jobs.add(connection, queue=LAPSE, key=key, payload=payload, now=hall.actor.clock(), due=midnight)
    _go_on(hall, connection, register, told.matricule, held.registered_until if held else None)


def _go_on(hall: Hall, connection: Connection, register: Register, matricule: str, former: date | None) -> None:
    """The lines of a platform that could not be settled yet are next; once all are, the directory leaves."""
    if register.unsettled is None:
        extracts.publish(hall, connection)
        return
    key = f"{LAPSE}:{matricule}:{sequences.draw(connection, LAPSE)}"
    payload = {"matricule": matricule, "former": former and former.isoformat(), "after": register.unsettled}
    jobs.add(connection, queue=LAPSE, key=key, payload=payload, now=hall.actor.clock())


async def lapse(hall: Hall, job: Job) -> Apply:
    """More lines of a platform say when its registration ends; once it has ended, those to come are masked."""
    matricule, after = job.payload["matricule"], job.payload.get("after", 0)
    said = job.payload.get("former")
    former = date.fromisoformat(said) if said else None

    def apply(connection: Connection) -> None:
        register = _register(hall, connection, Source.REGISTRATION)
        register.settle_lines(matricule, former=former, after=after)
        if after or register.has_changed or register.unsettled:
            _go_on(hall, connection, register, matricule, former)

    return apply


def install(hall: Hall, own: Sequence[Registered]) -> None:
    """The platforms that need no registration are known: the portal's, Chorus Pro's reception, the fictitious one."""
    with hall.actor.database.begin() as connection:
        for told in own:
            learn(hall, connection, told)
        extracts.open_calendar(hall, connection)


def load(
    hall: Hall,
    *,
    units: Sequence[dict[str, Any]] = (),
    establishments: Sequence[Establishment] = (),
    routing_codes: Sequence[RoutingCode] = (),
    lines: Sequence[dict[str, Any]] = (),
) -> dict[str, int]:
    """The register and the addresses of the pilot are in the directory; returns how many of each were new.

    Raises: Unsound, when a line is none, masks nothing, or overlaps another; nothing is loaded then.
    """
    with hall.actor.database.begin() as connection:
        register = _register(hall, connection, Source.OPENING)
        new = {
            "units": _count(register.put_unit(LegalUnit(**unit)) for unit in units),
            "establishments": _count(map(register.put_establishment, establishments)),
            "routing_codes": sum(_put_code(register, code) for code in routing_codes),
            "lines": _count(_define(register, line) for line in lines),
        }
        new["lines"] += _count(_default(register, unit["siren"]) for unit in units)
        new["lines"] += _count(_default(register, one.siret[:9], one.siret) for one in establishments)
        new["lines"] += _count(_default(register, code.siret[:9], code.siret, code.code) for code in routing_codes)
        if register.has_changed:
            extracts.publish(hall, connection)
    return new


def _register(hall: Hall, connection: Connection, source: Source, message: str | None = None) -> Register:
    author = hall.administration if source is Source.REGISTRATION else hall.identifier
    return Register(connection, at=hall.actor.clock(), source=source, author=author, message=message)


def _count(instances: Iterable[int | None]) -> int:
    return sum(instance is not None for instance in instances)


def _put_code(register: Register, code: RoutingCode) -> bool:
    held = register.routing_code(code.siret, code.code)
    return register.put_routing_code(code).instance != (held.instance if held else None)


def _define(register: Register, parts: dict[str, Any]) -> int | None:
    """Write a line, or the mask of one, once by its address and start: what became of it since is not undone."""
    named = {{"routing": "routing_code"}.get(name, name): value for name, value in parts.items()}
    line = DirectoryLine(**named)
    same = (
        directory_line.c.address == line.address,
        directory_line.c.start == line.start,
        directory_line.c.nature == line.nature,
    )
    if register.connection.execute(select(directory_line.c.instance).where(*same)).first():
        return None
    decision = (register.mask if line.nature == "M" else register.define)(line)
    if decision.faults:
        raise Unsound(f"{line.address} {line.start}", decision.faults[0])
    return decision.instance


def _default(register: Register, siren: str, siret: str | None = None, code: str | None = None) -> int | None:
    """Give what never had a line its default one (directory.md §5): a private unit, a public place or its service."""
    mine = holdings.beginning(siren)
    if siret is not None:
        mine = directory_line.c.address == "_".join(part for part in (siren, siret, code) if part)
    had = register.connection.execute(select(directory_line.c.instance).where(mine).limit(1)).first()
    return None if had else register.give_default(siren, siret, code)


def peer(connection: Connection, matricule: str) -> Peer | None:
    """Return a platform as the registration service told it: where it is, and its key."""
    told = holdings.platform_of(connection, matricule)
    return peer_of(matricule, told.contact if told else None)

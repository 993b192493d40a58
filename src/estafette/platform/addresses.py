"""The addresses of the platform's customers: declared to the directory (F13), moved here, left, and what became of it.

A customer that the directory knows and that has chosen no platform is declared by itself, from tomorrow, once: when its
account is opened, or when the copy of the directory first knows it. One that another platform serves is taken over only
when someone asks, with the customer's formal agreement: the other's line is closed on the day that ours starts. One
that leaves has its lines closed.

Each line goes alone in its flow: the portal's answers name the flow and nothing else.

Source: external specifications v3.2, general file §3.5 (Figs 38 to 40), annex 3 (F13).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, insert, not_, or_, select, update

from estafette.directory import DirectoryLine
from estafette.directory.resolution import FICTIVE
from estafette.formats.directory_update import Update, write_update
from estafette.formats.status_message import StatusMessage
from estafette.platform.address_tables import address_request
from estafette.platform.envelopes import send_flow
from estafette.platform.home import Home
from estafette.platform.mirror_tables import is_current, mirror_line, mirror_unit
from estafette.platform.tables import company
from estafette.store import audit
from estafette.values.moments import paris_day

UPDATES, ANSWERS = "FFE1235A", "FFE0634A"
ANSWERED = {"400": "accepted", "401": "rejected"}


class CannotAsk(Exception):
    """The directory cannot be asked this: why, in both languages."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr = fr
        self.en = en


@dataclass(frozen=True, slots=True)
class Addresses:
    """What is shown of a customer's addresses: the lines of the copy, what was asked of the directory."""

    lines: tuple[DirectoryLine, ...]
    requests: Sequence[RowMapping]


def reconcile(home: Home, connection: Connection, *, siren: str | None = None) -> None:
    """Customers whom the directory knows without a platform are declared, from tomorrow; each is asked for once."""
    today = paris_day(home.actor.clock())
    lasts = and_(is_current(mirror_line), mirror_line.c.nature == "D")
    lasts = and_(lasts, or_(mirror_line.c.end.is_(None), mirror_line.c.end > today))
    chosen = and_(mirror_line.c.address == company.c.siren, mirror_line.c.matricule != FICTIVE, lasts)
    query = select(company.c.siren).where(
        exists().where(
            is_current(mirror_unit),
            mirror_unit.c.siren == company.c.siren,
            mirror_unit.c.entity_type == "A",
            mirror_unit.c.status == "A",
        ),
        not_(exists().where(address_request.c.siren == company.c.siren)),
        not_(exists().where(chosen)),
    )
    mine = query if siren is None else query.where(company.c.siren == siren)
    for each in connection.execute(mine.order_by(company.c.siren)).scalars().all():
        _ask(home, connection, _own(home, each, today + timedelta(days=1)))


def arrive(home: Home, connection: Connection, siren: str, on: date) -> None:
    """The customer's SIREN will be received here from a day on; the platform that has it now is closed that day.

    The customer has agreed to it formally. Raises: CannotAsk.
    """
    _check(home, connection, siren, on)
    held = [line for line in _lines(connection, siren) if line.address == siren and line.covers(on)]
    if any(line.matricule == home.identity.matricule for line in held):
        raise CannotAsk("Cette adresse est déjà reçue ici ce jour-là.", "This address is already received here then.")
    for line in held:
        if line.matricule != FICTIVE and line.start < on:
            _ask(home, connection, replace(line, end=on))
    _ask(home, connection, _own(home, siren, on))


def leave(home: Home, connection: Connection, siren: str, on: date) -> None:
    """Nothing will be received here for the customer from a day on. Raises: CannotAsk."""
    _check(home, connection, siren, on)
    own = [line for line in _lines(connection, siren) if line.matricule == home.identity.matricule]
    lasting = [line for line in own if line.end is None or line.end > on]
    if not lasting:
        raise CannotAsk("Aucune adresse n'est reçue ici ce jour-là.", "No address is received here then.")
    for line in lasting:
        _ask(home, connection, replace(line, nature="M") if line.start >= on else replace(line, end=on))


def acknowledged(
    connection: Connection, names: Sequence[str], *, state: str, details: list[dict[str, str]], at: datetime
) -> None:
    """The portal can use these flows, or not."""
    mine = (address_request.c.flow_name.in_(names), address_request.c.state == "packed")
    connection.execute(update(address_request).where(*mine).values(state=state, details=details, answered_at=at))


def answered(home: Home, connection: Connection, message: StatusMessage, details: list[dict[str, str]]) -> None:
    """The portal accepts or rejects a line (400, 401)."""
    state, now = ANSWERED.get(message.status), home.actor.clock()
    code = message.object_identifier[:6]  # an identifier of ours begins with our code, as its name does
    mine = address_request.c.flow_name == f"{UPDATES}_{code}_{message.object_identifier}"
    waiting = address_request.c.state.in_(("packed", "receivable"))
    row = connection.execute(select(address_request).where(mine, waiting)).mappings().first()
    if state is None or row is None:
        return
    values = {"state": state, "details": details, "answered_at": now}
    connection.execute(update(address_request).where(address_request.c.id == row["id"]).values(values))
    told = {"state": state, "address": row["address"], "reasons": [each["reason"] for each in details]}
    audit.record(connection, row["siren"], "address.answered", about=row["flow_name"], at=now, **told)


def of_company(connection: Connection, siren: str) -> Addresses:
    """Return the addresses of a customer and what was asked of them, the latest first."""
    mine = select(address_request).where(address_request.c.siren == siren).order_by(address_request.c.id.desc())
    return Addresses(tuple(_lines(connection, siren)), connection.execute(mine).mappings().all())


def _own(home: Home, siren: str, start: date) -> DirectoryLine:
    return DirectoryLine(siren=siren, matricule=home.identity.matricule, start=start)


def _check(home: Home, connection: Connection, siren: str, on: date) -> None:
    """The directory can be asked of this customer. Raises: CannotAsk."""
    if on <= paris_day(home.actor.clock()):
        raise CannotAsk("L'annuaire change demain au plus tôt.", "The directory changes tomorrow at the earliest.")
    if not home.mirror.has_active(connection, siren):
        raise CannotAsk("L'annuaire ne connaît pas cette entreprise.", "The directory does not know this company.")
    if home.mirror.is_public(connection, siren):
        fr = "Les adresses d'une entité publique viennent de Chorus Pro."
        raise CannotAsk(fr, "The addresses of a public entity come from Chorus Pro.")


def _lines(connection: Connection, siren: str) -> list[DirectoryLine]:
    """Return the lines of the copy, by address and start."""
    query = select(mirror_line).where(_of(siren), mirror_line.c.nature == "D")
    rows = connection.execute(query.order_by(mirror_line.c.address, mirror_line.c.start)).mappings()
    return [
        DirectoryLine(
            siren=row["siren"],
            siret=row["siret"],
            routing_code=row["routing"],
            suffix=row["suffix"],
            matricule=row["matricule"],
            start=row["start"],
            end=row["end"],
            effective_end=row["effective_end"],
        )
        for row in rows
    ]


def _of(siren: str) -> ColumnElement[bool]:
    return and_(is_current(mirror_line), mirror_line.c.siren == siren)


def _ask(home: Home, connection: Connection, line: DirectoryLine) -> None:
    """The line leaves for the portal, alone in its flow."""
    now = home.actor.clock()
    name = send_flow(home, connection, UPDATES, {"F13.xml": write_update(Update(lines=(line,)))})
    row: dict[str, Any] = {
        "siren": line.siren,
        "address": line.address,
        "nature": line.nature,
        "start": line.start,
        "end": line.end,
        "matricule": line.matricule,
        "state": "packed",
        "flow_name": name,
        "details": [],
        "created_at": now,
    }
    connection.execute(insert(address_request).values(row))
    told = {key: str(row[key]) for key in ("address", "nature", "start", "end", "matricule")}
    audit.record(connection, line.siren, "address.asked", about=name, at=now, **told)

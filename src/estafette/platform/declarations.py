"""What the State is owed of an invoice, and what it answers (ppf-flows.md §6–9).

A Flow 1 and each obligatory status is a row, written with the state it follows from; rows waiting are packed together,
in order, into an envelope under its published name, as many as a lot may hold; the portal's answers find their row
again by the identifier of the envelope, then by that of the object.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Integer, RowMapping, bindparam, insert, select, update

from estafette.exchange.messages import Kind, Message
from estafette.formats import cdar, flow_archive, flux1
from estafette.formats.envelope import FlowName
from estafette.formats.envelope import interface as interface_of
from estafette.formats.flow_limits import lot
from estafette.formats.flux1.structure import Fault
from estafette.formats.status_message import Identifier, StatusMessage
from estafette.formats.xml import DAMAGED, Syntax
from estafette.invoice.model import Invoice
from estafette.lifecycle.deadlines import INVOICE_DATA, due
from estafette.lifecycle.messages import for_portal
from estafette.lifecycle.statuses import STATUSES as CATALOGUE
from estafette.lifecycle.statuses import Duty
from estafette.platform.home import KEPT_LINES_MAX, Home, UnitData
from estafette.platform.mirrors import mirror
from estafette.platform.tables import declaration, portal_flow
from estafette.reporting.cashing import REPORTED_BEFORE
from estafette.store import audit, gathered, jobs, sequences
from estafette.store.columns import constant
from estafette.store.jobs import Job
from estafette.store.queries import Query
from estafette.store.worker import Outcome
from estafette.values.moments import paris_day

STATUSES = "FFE0614A"
DATA = {Syntax.UBL: "FFE0111A", Syntax.CII: "FFE0112A"}
SYNTAX_OF = {interface: syntax for syntax, interface in DATA.items()}
ON_INVOICING = frozenset({"3", "35"})
"""Codes of BT-8 that the data tell as the debit option (BR-FR-MAP-03, 29): the portal awaits no collection."""

PACK = "pack"


def declare_invoice(home: Home, connection: Connection, row: dict[str, Any], document: Invoice) -> None:
    """The invoice's data (Flow 1) will reach the portal: as many files as it has sellers (frameworks B8, B9 …)."""
    today = paris_day(home.actor.clock())
    syntax = _data_syntax(row["syntax"])
    limit = due(INVOICE_DATA, home.actor.clock())  # the 200 is of this moment
    for unit in home.data.get((row["sha256"], document.number, today)) or _data(document, syntax, today):
        about = {**row, "seller_siren": unit.seller_siren}
        written = _kept(home, unit)
        _declare(home, connection, about, DATA[syntax], written=written, object_id=unit.number, due_at=limit)


def prepare(home: Home, sha256: str, document: Invoice, syntax: Syntax) -> None:
    """The data of an invoice are made, should they be declared today: writing them keeps no transaction waiting.

    Those of a long one are made when they are declared: they are not kept at hand.
    """
    if len(document.lines) > KEPT_LINES_MAX:
        return
    today = paris_day(home.actor.clock())
    home.data.keep((sha256, document.number, today), _data(document, _data_syntax(syntax.value), today))


def data_of(home: Home, unit: Invoice, syntax: Syntax) -> dict[str, Any]:
    """Return the data of an invoice of one seller, kept: file name, hash, and what they have against the schema."""
    return _kept(home, _unit_data(unit, flux1.profile_on(paris_day(home.actor.clock())), syntax))


def _kept(home: Home, unit: UnitData) -> dict[str, Any]:
    details = [_told(unit.fault)] if unit.fault else []
    return {"file_name": unit.name, "sha256": home.actor.documents.put(unit.content), "details": details}


def _data_syntax(syntax: str) -> Syntax:
    return Syntax.UBL if syntax == Syntax.UBL.value else Syntax.CII


def _data(document: Invoice, syntax: Syntax, today: date) -> tuple[UnitData, ...]:
    profile = flux1.profile_on(today)
    return tuple(_unit_data(unit, profile, syntax) for unit in flux1.units(document))


def _unit_data(unit: Invoice, profile: flux1.Profile, syntax: Syntax) -> UnitData:
    name, content = flux1.build(unit, profile=profile, syntax=syntax, on=unit.issue_date)
    fault = flux1.structure_fault(content, syntax, profile)
    return UnitData(unit.seller_siren or "", portal_number(unit), name, content, fault)


def declare_status(
    home: Home, connection: Connection, row: RowMapping | dict[str, Any], document: Invoice, message: StatusMessage
) -> None:
    """The status will reach the portal when the law asks it; otherwise nothing happens.

    Of a document of several sellers each unit has its life cycle at the portal; a collection (212) is its seller's own.
    """
    for unit in flux1.units(document):
        is_own = (unit.seller_siren or "") == row["seller_siren"]
        if is_own or message.status != "212":
            _declare_status(home, connection, {**row, "seller_siren": unit.seller_siren or ""}, unit, message)


def _declare_status(
    home: Home, connection: Connection, row: dict[str, Any], document: Invoice, message: StatusMessage
) -> None:
    duty = CATALOGUE[message.status].duty
    if duty is Duty.NEVER or (duty is Duty.CONDITIONAL and not vat_on_collection(document)):
        return
    identifier = draw_identifier(home, connection)
    twin = for_portal(
        replace(message, object_issuers=(Identifier(row["seller_siren"], "0002"),)),
        identifier=identifier,
        platform=home.identity.matricule,
        platform_name=home.identity.name,
        portal=home.identity.portal_matricule,
        object_identifier=portal_number(document),
    )
    sha256 = home.actor.documents.put(cdar.write(twin))
    written = {"file_name": f"{identifier}.xml", "sha256": sha256, "details": []}
    limit, status = due(message.status, message.set_at), message.status
    _declare(home, connection, row, STATUSES, written=written, object_id=identifier, status=status, due_at=limit)


def draw_identifier(home: Home, connection: Connection) -> str:
    """Return the number of a status for the portal that no other has (MDT-4)."""
    return f"{STATUSES}_{home.identity.application_code}_{sequences.draw(connection, 'status'):019d}"


def portal_number(document: Invoice) -> str:
    """Return the number that the portal knows the invoice by, the same from both platforms and at any time."""
    return flux1.portal_number(document.number, on=document.issue_date)


def vat_on_collection(document: Invoice) -> bool:
    """Tell whether VAT falls due on payment: services without the debit option, and deposits (CGI 269-2).

    Whoever owes it: reverse-charged VAT falls due so too. Not what was e-reported before (frameworks B7 and S7).
    """
    if document.business_process[1:] == REPORTED_BEFORE:
        return False
    if document.is_deposit:
        return True
    return document.business_process[:1] in ("S", "M") and document.vat_point_code not in ON_INVOICING


def _declare(
    home: Home,
    connection: Connection,
    row: RowMapping | dict[str, Any],
    interface: str,
    *,
    written: dict[str, Any],
    object_id: str,
    due_at: datetime | None,
    status: str | None = None,
) -> None:
    """What is owed waits to be packed; with a fault against the schema, it will leave alone."""
    now, name, sha256 = home.actor.clock(), written["file_name"], written["sha256"]
    values = {
        "interface": interface,
        "object_id": object_id,
        "seller_siren": row["seller_siren"],
        "issue_date": row["issue_date"],
        "invoice_id": row["id"],
        "status": status,
        "flow_id": mirror(connection, row, interface, name=name, sha256=sha256, now=now),
        **written,
        "state": "waiting",
        "created_at": now,
        "due_at": due_at,
    }
    gathered.add(connection, declaration, values)
    told = {"interface": interface, "object": object_id, "sha256": sha256}
    audit.record(connection, row["siren"], "declared", about=row["id"], at=now, **told)
    ask_to_pack(connection, interface, now=now)


def ask_to_pack(connection: Connection, interface: str, *, now: datetime) -> None:
    """What waits for an interface will leave: one job for all that a transaction writes before it packs."""
    if not gathered.remember(connection, (PACK, interface), bool):
        payload = {"interface": interface}
        jobs.add(connection, queue=PACK, key=f"{_key(interface)}{uuid4().hex}", payload=payload, now=now)
        gathered.memorize(connection, (PACK, interface), True)


def _key(interface: str) -> str:
    return f"{PACK}:{interface}:"


async def pack(home: Home, batch: list[Job]) -> Outcome:
    """What waits for the interfaces of these jobs leaves, an envelope each; none, when an earlier one took it all."""
    interfaces = sorted({job.payload["interface"] for job in batch})
    return Outcome(lambda connection: _pack_all(home, connection, interfaces))


def _pack_all(home: Home, connection: Connection, interfaces: list[str]) -> None:
    """What waits leaves; the jobs that asked for it while the queue rested have nothing left to do, or one goes on."""
    now = home.actor.clock()
    for interface in interfaces:
        is_all = _pack(home, connection, interface)
        gathered.memorize(connection, (PACK, interface), False)
        if is_all:
            jobs.end_unclaimed(connection, queue=PACK, keys=_key(interface), now=now)
        else:
            ask_to_pack(connection, interface, now=now)


def fills_a_lot(home: Home, connection: Connection) -> bool:
    """Tell whether what waits for an interface is as much as one envelope may hold."""
    today = paris_day(home.actor.clock())

    def fills(interface: str) -> bool:
        most = lot(interface_of(interface, on=today).flow, today)
        return len(_WAITING.values(connection, interface=interface, most=most)) == most

    return any(map(fills, (*DATA.values(), STATUSES)))


def _told(fault: Fault) -> dict[str, str]:
    return {"reason": DAMAGED, "rule": "", "fr": fault.fr, "en": fault.en, "terms": fault.where}


def _pack(home: Home, connection: Connection, interface: str) -> bool:
    """What waits leaves, in one envelope as far as may be, no more than a lot; tell whether that is all of it."""
    today = paris_day(home.actor.clock())
    most = lot(interface_of(interface, on=today).flow, today)
    waiting = (
        select(declaration.c.id, declaration.c.file_name, declaration.c.sha256, declaration.c.details)
        .where(declaration.c.interface == interface, declaration.c.state == constant("waiting"))
        .order_by(declaration.c.id)
        .limit(most)
    )
    found = connection.execute(waiting).all()
    for rows in _apart(found):
        files = {row.file_name: home.actor.documents.get(row.sha256) for row in rows}
        name = send_flow(home, connection, interface, files)
        packed = declaration.c.id.in_([row.id for row in rows])
        connection.execute(update(declaration).where(packed).values(state="packed", flow_name=name))
    return len(found) < most


def _apart(waiting: Iterable[Any]) -> Iterator[list[Any]]:
    """Give what goes in each envelope: a file that is against the schema goes alone, one bad file being the end of all.

    So does one whose name another bears: numbers of invoices that differ by a character that no file name has.
    """
    together: dict[str, Any] = {}
    for row in waiting:
        if row.details or row.file_name in together:
            yield [row]
        else:
            together[row.file_name] = row
    if together:
        yield list(together.values())


def send_flow(
    home: Home, connection: Connection, interface: str, files: dict[str, bytes], *, answering: FlowName | None = None
) -> str:
    """The files leave for the portal in one envelope; returns its name. An answer keeps the name it answers."""
    code = home.identity.application_code
    if answering is None:
        number = sequences.draw(connection, "flow")
        name = FlowName.numbered(interface, application_code=code, number=number)
    else:
        name = answering.acknowledgement
    sha256 = home.actor.documents.put(flow_archive.pack(files))
    now = home.actor.clock()
    row = {"name": str(name), "direction": "Out", "state": "sent", "sha256": sha256, "created_at": now, "details": []}
    connection.execute(insert(portal_flow).values(row))
    message = Message(
        id=str(name),
        kind=Kind.FLOW,
        sender=home.identity.matricule,
        recipient=home.identity.portal,
        name=name.archive,
        sha256=sha256,
    )
    home.post.send(connection, message, lane=interface)
    return str(name)


_WAITING = Query(
    select(declaration.c.id)
    .where(declaration.c.interface == bindparam("interface"), declaration.c.state == constant("waiting"))
    .order_by(declaration.c.id)
    .limit(bindparam("most", type_=Integer))
)

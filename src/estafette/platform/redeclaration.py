"""What the portal did not take of what it is owed leaves again, by the operator's will, once the cause is mended.

Two ways here. What was irreceivable (501) was set aside, a job each (`refused_envelopes`): the operator runs it again.
What was rejected (251, 601) and lives on is reopened by interface: what the invoice itself has wrong only its company
corrects, so nothing of it leaves again unasked.

Data and statuses are written anew, from the invoice and the status as they are kept: what was mended may be how they
are written. Data keep their number, a status has another of its own each time (MDT-4). A period of e-reporting leaves
as it stands by now, under a new number: what it was may have been replaced since.

Source: external specifications v3.2, general file §3.6.9; ppf-flows.md §11.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select, update

from estafette.formats import cdar, flux1
from estafette.formats.flux10 import Kind, Role
from estafette.platform import declarations, envelopes, reporting_ledger
from estafette.platform.deadlines import IS_REFUSED
from estafette.platform.home import Home
from estafette.platform.mirrors import mirror
from estafette.platform.reporting_ledger import PeriodKey
from estafette.platform.reporting_tables import transmission
from estafette.platform.tables import declaration, invoice
from estafette.store import audit, jobs
from estafette.store.inventory import NONE
from estafette.store.jobs import Job
from estafette.store.worker import Apply

AGAIN = "send-again"
"""The queue of what is to be sent again, by the operator's will."""

TOLD_FOR = timedelta(days=7)
"""How long, from its term, one is told of what the portal did not accept, and may reopen it (ours)."""

REOPENED_MAX = 10_000
"""Objects reopened at once (our bound); the others once these have left."""

KINDS: dict[str, Table] = {"declaration": declaration, "transmission": transmission}
NOT_TAKEN = ("irreceivable", "rejected")


def reopen(connection: Connection, interface: str, *, now: datetime) -> int:
    """What the portal rejected lately of an interface will be declared again; returns how many objects."""
    columns = declaration.c
    lately = (IS_REFUSED, columns.due_at > now - TOLD_FOR, columns.state == "rejected", columns.interface == interface)
    query = select(columns.id, columns.flow_name).where(*lately).order_by(columns.id).limit(REOPENED_MAX)
    rows = connection.execute(query).all()
    for row in rows:
        payload = {"kind": "declaration", "id": row.id}
        jobs.add(connection, queue=AGAIN, key=key_of(row.flow_name, row.id), payload=payload, now=now)
    return len(rows)


def key_of(flow_name: str | None, number: int) -> str:
    """Return the key of what was in an envelope and is to leave again: once for each time it was there."""
    return f"{AGAIN}:{flow_name}:{number}"


async def again(home: Home, job: Job) -> Apply:
    """What the portal did not take will leave again; nothing, when it was taken meanwhile."""
    return lambda connection: _again(home, connection, KINDS[job.payload["kind"]], job)


def _again(home: Home, connection: Connection, table: Table, job: Job) -> None:
    mine = (table.c.id == job.payload["id"], table.c.state.in_(NOT_TAKEN))
    row = connection.execute(select(table).where(*mine)).mappings().first()
    if row is None:
        return
    if table is transmission:
        now, key = home.actor.clock(), PeriodKey(row["siren"], Role(row["role"]), Kind(row["kind"]), row["start"])
        reporting_ledger.ask(connection, key, due=now, now=now, forced=True)
    elif row["sha256"] != NONE:
        _declare_again(home, connection, row)


def _declare_again(home: Home, connection: Connection, row: RowMapping) -> None:
    """The declaration, written anew, waits to be packed, and the company sees it among its flows."""
    now = home.actor.clock()
    held = connection.execute(select(invoice).where(invoice.c.id == row["invoice_id"])).mappings().one()
    written = _status(home, connection, row, now) if row["status"] else _data(home, row, held)
    name, sha256 = written["file_name"], written["sha256"]
    about = {**held, "seller_siren": row["seller_siren"]}
    written["flow_id"] = mirror(connection, about, row["interface"], name=name, sha256=sha256, now=now)
    waits = {"state": "waiting", "flow_name": None, "answered_at": None}
    connection.execute(update(declaration).where(declaration.c.id == row["id"]).values(**waits, **written))
    told = {"interface": row["interface"], "object": written.get("object_id", row["object_id"]), "sha256": sha256}
    audit.record(connection, held["siren"], "declared.again", about=held["id"], at=now, **told)
    envelopes.ask_to_pack(connection, row["interface"], now=now)


def _data(home: Home, row: RowMapping, held: RowMapping) -> dict[str, Any]:
    """Write the data of the invoice, of the seller and number that the portal was told."""
    for unit in flux1.units(home.invoice(held["sha256"])):
        if ((unit.seller_siren or ""), declarations.portal_number(unit)) == (row["seller_siren"], row["object_id"]):
            return declarations.data_of(home, unit, declarations.SYNTAX_OF[row["interface"]])
    return {"file_name": row["file_name"], "sha256": row["sha256"], "details": []}


def _status(home: Home, connection: Connection, row: RowMapping, now: datetime) -> dict[str, Any]:
    """Write the status as it was set, in a message of its own."""
    former = cdar.read(home.actor.documents.get(row["sha256"]))
    identifier = declarations.draw_identifier(home, connection)
    message = replace(former, identifier=identifier, issued_at=now.replace(microsecond=0))
    sha256 = home.actor.documents.put(cdar.write(message))
    return {"object_id": identifier, "file_name": f"{identifier}.xml", "sha256": sha256, "details": []}

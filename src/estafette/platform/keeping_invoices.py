"""The drawers of invoices: each with its whole file; what was sent to the portal of it; deposits without an invoice.

An invoice goes with its statuses, declarations and flows; what was sent to the portal goes before, by its own rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, exists, select

from estafette.platform.keeping import (
    OWED,
    Asked,
    Drawer,
    Kept,
    Source,
    Trace,
    blank,
    kept,
    last_status,
    until_of,
)
from estafette.platform.keeping_tables import imported
from estafette.platform.tables import archive_member, declaration, event, flow, invoice
from estafette.store.columns import constant
from estafette.store.inventory import NONE
from estafette.values.retention import Kind

_REJECTED = constant("rejected")
_WITH_LAST_STATUS = select(invoice, last_status().label("last_status_at"))


@dataclass(slots=True)
class _File:
    """What goes with an invoice."""

    traces: list[Trace]
    needed: str | None = None


def _invoices(drawer: str, connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    files = _files(connection, [row["id"] for row in rows])
    found = []
    for row in rows:
        day, until, kind = until_of(row, row["last_status_at"], asked.retention, asked.on)
        traces = (Trace("invoice", row["id"], row["sha256"]), *files[row["id"]].traces)
        is_sold = row["side"] == "issued"
        found.append(
            Kept(
                drawer=drawer, key=row["id"], siren=row["siren"], reference=row["number"],
                counterpart=row["buyer_siren"] if is_sold else row["seller_siren"], dated=day, until=until, rule=kind,
                traces=traces, documents=tuple(trace.sha256 for trace in traces if trace.sha256),
                needed=files[row["id"]].needed, at=row["kept_day"],
            )
        )  # fmt: skip
    return found


def _files(connection: Connection, ids: Sequence[str]) -> dict[str, _File]:
    files = {identifier: _File([]) for identifier in ids}
    for row in connection.execute(select(event).where(event.c.invoice_id.in_(ids)).order_by(event.c.message_id)):
        files[row.invoice_id].traces.append(Trace("status", f"{row.invoice_id} {row.message_id}"[:255], row.sha256))
    mine = select(declaration).where(declaration.c.invoice_id.in_(ids)).order_by(declaration.c.id)
    for row in connection.execute(mine):
        file = files[row.invoice_id]
        file.traces.append(Trace("declaration", str(row.id), row.sha256))
        if row.state in OWED:
            file.needed = f"declaration {row.id}: {row.state}"
    for row in connection.execute(select(flow).where(flow.c.invoice_id.in_(ids)).order_by(flow.c.id)):
        files[row.invoice_id].traces.append(Trace("flow", row.id, row.sha256))
    for row in connection.execute(select(imported).where(imported.c.invoice_id.in_(ids)).order_by(imported.c.name)):
        files[row.invoice_id].traces.append(Trace("imported", f"{row.invoice_id} {row.name}"[:255], row.sha256))
    return files


def _discard_invoices(connection: Connection, things: Sequence[Kept]) -> None:
    ids = [thing.key for thing in things]
    _discard_flows_of(connection, things)
    connection.execute(delete(imported).where(imported.c.invoice_id.in_(ids)))
    connection.execute(delete(event).where(event.c.invoice_id.in_(ids)))
    connection.execute(delete(declaration).where(declaration.c.invoice_id.in_(ids)))
    connection.execute(delete(invoice).where(invoice.c.id.in_(ids)))


def _discard_flows_of(connection: Connection, things: Sequence[Kept]) -> None:
    """The flows that are among the traces of these things are gone."""
    ids = [trace.object_id for thing in things for trace in thing.traces if trace.kind == "flow"]
    connection.execute(delete(archive_member).where(archive_member.c.flow_id.in_(ids)))
    connection.execute(delete(flow).where(flow.c.id.in_(ids)))


def _declarations(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    """Give what was sent to the portal of an invoice: its bytes, and its mirror among the company's flows."""
    found = []
    for row in rows:
        traces = [Trace("declaration", str(row["id"]), row["sha256"])]
        traces += [Trace("flow", row["flow_id"], row["sha256"])] if row["flow_id"] else []
        other = row["of_buyer_siren"] if row["of_side"] == "issued" else row["seller_siren"]
        said: dict[str, Any] = {
            "siren": row["of_siren"], "reference": row["of_number"], "dated": row["of_issue_date"],
            "counterpart": other, "needed": f"declaration: {row['state']}" if row["state"] in OWED else None,
        }  # fmt: skip
        found.append(kept(asked, row, Kind.FLOW_MESSAGE, *traces, drawer="declaration", **said))
    return found


def _discard_declarations(connection: Connection, things: Sequence[Kept]) -> None:
    _discard_flows_of(connection, things)
    blank(declaration, declaration.c.id)(connection, things)


def _flows(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    """Give flows that are of no invoice; an archive is needed as long as a file of it is there."""
    found = []
    for row in rows:
        why = "archive" if row["holds_files"] else None
        said = {"siren": row["siren"], "reference": row["name"], "needed": why}
        found.append(kept(asked, row, _kind_of(row), Trace("flow", row["id"], row["sha256"]), drawer="flow", **said))
    return found


def _kind_of(row: RowMapping) -> Kind:
    """Return what a flow without an invoice is kept as; an archive, as the invoices in it."""
    if row["acknowledgement"] == "Error":
        return Kind.IRRECEIVABLE
    return Kind.REPORT if row["syntax"] == "FRR" or row["flow_type"].startswith("State") else Kind.ACCOUNTING


_OF_ITS_INVOICE = [
    column.label(f"of_{column.name}")
    for column in (invoice.c.siren, invoice.c.number, invoice.c.side, invoice.c.buyer_siren, invoice.c.issue_date)
]
_SENT = select(declaration, *_OF_ITS_INVOICE).join(invoice, invoice.c.id == declaration.c.invoice_id)
_ALONE = select(flow, exists().where(archive_member.c.archive_id == flow.c.id).label("holds_files"))
_NO_INVOICE = flow.c.invoice_id.is_(None)

INVOICES = Drawer(
    "invoice", "Factures et leurs statuts", "Invoices and their statuses",
    Source(_WITH_LAST_STATUS, invoice.c.id, invoice.c.issue_date, (Kind.TAX_EVIDENCE, Kind.ACCOUNTING),
           (invoice.c.standing != _REJECTED,), all_of=True),
    partial(_invoices, "invoice"), _discard_invoices,
)  # fmt: skip
REJECTED = Drawer(
    "rejected", "Factures rejetées", "Rejected invoices",
    Source(_WITH_LAST_STATUS, invoice.c.id, invoice.c.received_at, (Kind.REJECTED,),
           (invoice.c.standing == _REJECTED,)),
    partial(_invoices, "rejected"), _discard_invoices,
)  # fmt: skip
DECLARATIONS = Drawer(
    "declaration", "Flux 1 et statuts déclarés", "Flow 1 and declared statuses",
    Source(_SENT, declaration.c.id, declaration.c.created_at, (Kind.FLOW_MESSAGE,),
           (declaration.c.sha256 != constant(NONE),)),
    _declarations, _discard_declarations,
)  # fmt: skip
IRRECEIVABLE = Drawer(
    "flow", "Dépôts irrecevables", "Irreceivable deposits",
    Source(_ALONE, flow.c.id, flow.c.submitted_at, (Kind.IRRECEIVABLE,),
           (_NO_INVOICE, flow.c.acknowledgement == constant("Error"))),
    _flows, _discard_flows_of,
)  # fmt: skip
ALONE = Drawer(
    "flow-alone", "Autres flux sans facture", "Other flows without an invoice",
    Source(_ALONE, flow.c.id, flow.c.submitted_at, (Kind.REPORT, Kind.ACCOUNTING),
           (_NO_INVOICE, flow.c.acknowledgement == constant("Ok"))),
    _flows, _discard_flows_of,
)  # fmt: skip

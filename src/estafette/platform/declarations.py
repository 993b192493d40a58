"""What the State is owed of an invoice (ppf-flows.md §6–9).

A Flow 1 and each obligatory status is a row, written with the state it follows from; rows waiting leave together
(`envelopes`); the portal's answers find their row again by the identifier of the envelope, then by that of the object.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from estafette.formats import cdar, flux1
from estafette.formats.flux1.structure import Fault
from estafette.formats.status_message import Identifier, StatusMessage
from estafette.formats.xml import DAMAGED, Syntax
from estafette.invoice.model import Invoice
from estafette.lifecycle.deadlines import INVOICE_DATA, due
from estafette.lifecycle.messages import for_portal
from estafette.lifecycle.statuses import STATUSES as CATALOGUE
from estafette.lifecycle.statuses import Duty
from estafette.platform.envelopes import ask_to_pack
from estafette.platform.home import KEPT_LINES_MAX, Home, UnitData
from estafette.platform.mirrors import mirror
from estafette.platform.tables import declaration
from estafette.reporting.cashing import REPORTED_BEFORE
from estafette.store import audit, gathered, sequences
from estafette.values.moments import paris_day

STATUSES = "FFE0614A"
DATA = {Syntax.UBL: "FFE0111A", Syntax.CII: "FFE0112A"}
INTERFACES = (*DATA.values(), STATUSES)
"""What is owed of invoices: data in two syntaxes, statuses."""
SYNTAX_OF = {interface: syntax for syntax, interface in DATA.items()}
ON_INVOICING = frozenset({"3", "35"})
"""Codes of BT-8 that the data tell as the debit option (BR-FR-MAP-03, 29): the portal awaits no collection."""


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


def _told(fault: Fault) -> dict[str, str]:
    return {"reason": DAMAGED, "rule": "", "fr": fault.fr, "en": fault.en, "terms": fault.where}

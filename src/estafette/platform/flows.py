"""The flows of a customer (XP Z12-013 §3): what it deposited and what the platform gives it, in strict order of update.

A flow is one file. Its acknowledgement says whether the file could be taken (technical), never whether the invoice is
good: that is what the statuses say. What a flow is told as depends on who looks (`View`): its direction follows from
its origin, and the mirrors of what the State receives are shown to whom asked for them.

Order. Every update of a company's flows is at least a millisecond after the one before, and one transaction writes at a
time: updates are committed in the order of their moments, no two equal. So a client that asks for what came after the
last moment it saw, to the millisecond, misses nothing (§3.5).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Update, bindparam, delete, func, insert, or_, select, update

from estafette.invoice import codes
from estafette.platform import webhooks
from estafette.platform.flow_tables import flow_view
from estafette.platform.tables import company, flow, invoice
from estafette.platform.views import View
from estafette.store import audit, gathered, measures
from estafette.store.columns import constant
from estafette.store.identifiers import new_identifier
from estafette.store.queries import AnyRow, Lookup, Query, Row

TICK = timedelta(milliseconds=1)

LISTS = {
    "flow_type": flow.c.flow_type,
    "processing_rule": flow.c.processing_rule,
    "flow_profile": flow.c.profile,
    "ack_status": flow.c.acknowledgement,
}
STATE = "State"
"""How the types of the mirrors begin: what the public portal receives, and what it answers."""

OF_EDITION_1_2 = {"StateInvoice": ("StateCustomerInvoice", "StateSupplierInvoice")}
"""Types that edition 1.3 has replaced."""

PROVISIONAL = dict.fromkeys(("CII", "UBL", "Factur-X"), "CustomerInvoice")
"""What a deposit is told as until it is judged; a self-billed one turns out to be a SupplierInvoice."""

REPORTS = (
    "AggregatedCustomerTransactionReport",
    "UnitaryCustomerTransactionReport",
    "AggregatedCustomerPaymentReport",
    "UnitaryCustomerPaymentReport",
    "UnitarySupplierTransactionReport",
    "MultiFlowReport",
)
"""The types of a deposit of e-reporting (FRR)."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """What a customer says of the file it deposits (XP Z12-013 §3.2, FlowInfo)."""

    syntax: str
    name: str
    tracking_id: str | None = None
    processing_rule: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file could not be taken: a reason code of the acknowledgement (§3.7), its item, its message."""

    code: str
    message: str
    item: str = "file"
    details: dict[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, str]:
        """Return the detail as the acknowledgement carries it."""
        return {"level": "Error", "item": self.item, "reasonCode": self.code, "reasonMessage": self.message}


def types_of(syntax: str) -> tuple[str, ...]:
    """Return the types that a deposit of this syntax may turn out to be (XP Z12-013 §3.6)."""
    if syntax == "CDAR":
        return ("CustomerInvoiceLC", "SupplierInvoiceLC")
    if syntax == "FRR":
        return REPORTS
    return ("CustomerInvoice", "SupplierInvoice")


def repeated(earlier: str) -> Refusal:
    """Say that the very bytes were deposited before, in the flow of that identifier."""
    return Refusal("AlreadyExistingFlow", f"Même fichier que le flux {earlier}. / Same file as flow {earlier}.")


def open_flow(connection: Connection, *, siren: str, deposit: Deposit, sha256: str, now: datetime) -> tuple[Row, bool]:
    """The deposit is registered, pending; returns its flow and whether it is new.

    The same bytes under the same tracking identifier are the same deposit (a client that did not hear our answer),
    unless it failed or its invoice was rejected: it may then be deposited again as it was.
    """
    if deposit.tracking_id:
        same = {"siren": siren, "sha256": sha256, "tracking_id": deposit.tracking_id}
        if held := SAME.value(connection, **same):
            return FLOW.rows(connection, which=held)[0], False
    is_message = deposit.syntax in ("CDAR", "FRR")
    row = _insert(
        connection,
        siren=siren,
        origin="client",
        flow_type=PROVISIONAL.get(deposit.syntax, "Undefined"),
        syntax=deposit.syntax,
        profile=(None if is_message else deposit.profile) or "Undefined",
        name=deposit.name,
        tracking_id=deposit.tracking_id,
        processing_rule="NotApplicable" if is_message else deposit.processing_rule or "Undefined",
        processing_rule_source="Input" if deposit.processing_rule else "Computed",
        sha256=sha256,
        acknowledgement="Pending",
        now=now,
    )
    measures.count(connection, "deposits", deposit.syntax)
    return row, True


def give(
    connection: Connection,
    *,
    siren: str,
    flow_type: str,
    syntax: str,
    name: str,
    sha256: str,
    invoice_id: str | None,
    origin: str,
    now: datetime,
    processing_rule: str = "NotApplicable",
    profile: str = "Undefined",
    acknowledgement: str = "Ok",
) -> str:
    """The customer finds this file, made or received by the platform, among its flows; returns its identifier."""
    row = _insert(
        connection,
        siren=siren,
        origin=origin,
        flow_type=flow_type,
        syntax=syntax,
        profile=profile,
        name=name[:255],
        tracking_id=None,
        processing_rule=processing_rule,
        processing_rule_source="Computed",
        sha256=sha256,
        acknowledgement=acknowledgement,
        invoice_id=invoice_id,
        now=now,
    )
    return str(row["id"])


def acknowledge(
    connection: Connection, identifier: str, *, refusal: Refusal | None, now: datetime, **known: Any
) -> None:
    """The flow's acknowledgement is Ok, or Error with its reason; `known` sets what the platform found out."""
    acknowledge_all(connection, [identifier], refusals=(refusal,) if refusal else (), now=now, **known)


def acknowledge_all(
    connection: Connection,
    identifiers: Sequence[str],
    *,
    refusals: Sequence[Refusal],
    now: datetime,
    **known: Any,
) -> None:
    """Each flow is acknowledged Ok, or Error with its reasons, at a moment of its own."""
    if len(identifiers) == 1:
        rows = FLOW.rows(connection, which=identifiers[0])
    else:
        rows = _THESE.rows(connection, these=list(identifiers)) if identifiers else []
    if len(rows) > 1:
        with Lookup.at_once(connection):
            look_ahead(connection, {row["siren"] for row in rows})
    for row in rows:
        _acknowledge(connection, row, refusals, now, known)
    if len(rows) > 1:
        gathered.look_no_further(connection)


def acknowledge_row(
    connection: Connection, row: AnyRow, *, refusal: Refusal | None, now: datetime, **known: Any
) -> None:
    """As `acknowledge`, of a flow that was just read."""
    _acknowledge(connection, row, (refusal,) if refusal else (), now, known)


def _acknowledge(
    connection: Connection, row: AnyRow, refusals: Sequence[Refusal], now: datetime, known: dict[str, Any]
) -> None:
    values = {
        "acknowledgement": "Error" if refusals else "Ok",
        "details": [refusal.row() for refusal in refusals],
        "updated_at": _moment(connection, row["siren"], now),
        **known,
    }
    gathered.change(connection, _changing(tuple(values)), {"which": row["id"], **_renamed(values)})
    webhooks.announce(connection, {**row, **values}, now=now)
    if row["origin"] == "client":
        measures.count(connection, "verdicts", "file", refusals[0].code if refusals else "Ok")
    if refusals and row["origin"] == "client":
        reason = refusals[0].code
        audit.record(connection, row["siren"], "deposit.refused", about=row["id"], at=now, reason=reason)


def look_ahead(connection: Connection, sirens: Iterable[str]) -> None:
    """Ask at once what telling these companies of a flow needs: when each was told last, and whom else to call."""
    companies = [{"siren": siren} for siren in sirens]
    LATEST.ahead(connection, companies, steady=True)
    webhooks.IN_USE.ahead(connection, companies, steady=True)


def technical_duplicate(connection: Connection, *, siren: str, identifier: str, sha256: str) -> str | None:
    """Return the earlier flow that deposited these very bytes, unless it failed or its invoice was rejected."""
    held: list[str] = REPEATED.values(connection, siren=siren, sha256=sha256)
    return next((one for one in held if one != identifier), None)


def get(connection: Connection, siren: str, identifier: str) -> Row | None:
    """Return this customer's flow; another's is unknown to it."""
    return _ONE.first(connection, siren=siren, which=identifier)


def search(
    connection: Connection, siren: str, *, where: Mapping[str, Any], limit: int, view: View | None = None
) -> list[RowMapping]:
    """Return the customer's flows that meet every criterion, oldest update first (§3.5).

    What the norm has no syntax for, an archive, is shown as the flows of its files only.
    """
    view = view or View()
    query = (
        _with_standing()
        .where(flow.c.siren == siren, flow.c.syntax != "unknown")
        .order_by(flow.c.updated_at)
        .limit(limit)
    )
    if after := where.get("updated_after"):
        query = query.where(flow.c.updated_at > after)
    if before := where.get("updated_before"):
        query = query.where(flow.c.updated_at < before)
    types = [each for one in where.get("flow_type") or () for each in OF_EDITION_1_2.get(one, (one,))]
    for name, column in LISTS.items():
        if values := types if name == "flow_type" else where.get(name):
            query = query.where(column.in_(values))
    if directions := where.get("flow_direction"):
        query = query.where(flow.c.origin.in_(view.origins(directions)))
    if (tracking_id := where.get("tracking_id")) is not None:
        query = query.where(flow.c.tracking_id == tracking_id)
    if view.only is not None:
        query = query.where(flow.c.flow_type.in_(view.only))
    if not (view.state_flows or any(one.startswith(STATE) for one in types)):
        query = query.where(flow.c.flow_type.not_like(f"{STATE}%"))
    return list(connection.execute(query).mappings())


def type_of(row: Mapping[str, Any] | RowMapping) -> str:
    """Return what an invoice is to its company: sold, also when received self-billed, or bought (§3.6)."""
    is_sold = (row["side"] == "issued") != (row["type_code"] in codes.SELF_BILLED)
    return "CustomerInvoice" if is_sold else "SupplierInvoice"


def view_of(connection: Connection, client_id: str) -> View:
    """Return how a client wants to see its flows."""
    row = connection.execute(select(flow_view).where(flow_view.c.client_id == client_id)).first()
    return View(row.direction, row.state_flows) if row else View()


def set_view(connection: Connection, client_id: str, view: View) -> None:
    """The client sees its flows, and is told of them, so from now on."""
    connection.execute(delete(flow_view).where(flow_view.c.client_id == client_id))
    row = {"client_id": client_id, "direction": view.direction, "state_flows": view.state_flows}
    connection.execute(insert(flow_view).values(row))


def _with_standing() -> Select[Any]:
    """Select flows with how the invoice of each stands, and why."""
    known = (invoice.c.standing, invoice.c.explanation, invoice.c.number)
    return select(flow, *known).outerjoin(invoice, invoice.c.id == flow.c.invoice_id)


def _insert(connection: Connection, *, siren: str, now: datetime, invoice_id: str | None = None, **values: Any) -> Row:
    moment = _moment(connection, siren, now)
    row = {
        "id": new_identifier(now),
        "siren": siren,
        "submitted_at": moment,
        "updated_at": moment,
        "details": [],
        "invoice_id": invoice_id,
        **values,
    }
    gathered.add(connection, flow, row)
    webhooks.announce(connection, row, now=now)
    return row


def _moment(connection: Connection, siren: str, now: datetime) -> datetime:
    """Return an instant after every update of this customer's flows, on the millisecond (§3.5.1)."""
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    last = gathered.remember(connection, ("flow", siren), lambda: _last(connection, siren))
    moment = now if last is None or now > last else last + TICK
    gathered.memorize(connection, ("flow", siren), moment)
    return moment


def _last(connection: Connection, siren: str) -> datetime | None:
    """Return the last update of this customer's flows: one transaction writes at a time, whatever the engine."""
    last: datetime | None = LATEST.value(connection, siren=siren)
    return last


@cache
def _changing(names: tuple[str, ...]) -> Update:
    """Make the statement that changes these columns of one flow."""
    values = {name: bindparam(f"new_{name}", type_=flow.c[name].type) for name in names}
    return update(flow).where(flow.c.id == bindparam("which")).values(values)


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


def _standing(query: Select[Any]) -> Select[Any]:
    """Keep the flows whose invoice, where they have one, was not rejected."""
    with_invoice = query.outerjoin(invoice, invoice.c.id == flow.c.invoice_id)
    return with_invoice.where(or_(invoice.c.standing.is_(None), invoice.c.standing != "rejected"))


_OF_COMPANY = select(func.max(flow.c.updated_at)).where(flow.c.siren == company.c.siren).scalar_subquery()
LATEST = Lookup(select(_OF_COMPANY.label("latest")), {"siren": company.c.siren}, sees_gathered=False)
"""Asked before the transaction changes any flow of the company: later it is remembered."""
_THESE = Query(select(flow).where(flow.c.id.in_(bindparam("these", expanding=True))).order_by(flow.c.updated_at))
SAME = Lookup(
    _standing(select(flow.c.id)).where(flow.c.origin == constant("client"), flow.c.acknowledgement != "Error"),
    {"siren": flow.c.siren, "sha256": flow.c.sha256, "tracking_id": flow.c.tracking_id},
    through=("siren", "sha256"),
)
REPEATED = Lookup(
    _standing(select(flow.c.id)).where(flow.c.origin == constant("client"), flow.c.acknowledgement == "Ok"),
    {"siren": flow.c.siren, "sha256": flow.c.sha256},
)
FLOW = Lookup(select(flow), {"which": flow.c.id})
_ONE = Query(_with_standing().where(flow.c.siren == bindparam("siren"), flow.c.id == bindparam("which")))

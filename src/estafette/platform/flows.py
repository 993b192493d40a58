"""The flows of a customer (XP Z12-013 §3): what it deposited and what the platform gives it, in strict order of update.

A flow is one file. Its acknowledgement says whether the file could be taken (technical), never whether the invoice is
good: that is what the statuses say. Deposited twice under the same tracking identifier, the same bytes are one flow.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, Select, Update, bindparam, func, select, update

from estafette.platform.tables import company, flow, invoice
from estafette.store import audit, gathered

TICK = timedelta(milliseconds=1)
LISTS = {"flow_type": flow.c.flow_type, "flow_direction": flow.c.direction, "processing_rule": flow.c.processing_rule}
REPORTS = (
    "AggregatedCustomerTransactionReport",
    "UnitaryCustomerTransactionReport",
    "AggregatedCustomerPaymentReport",
    "UnitaryCustomerPaymentReport",
    "UnitarySupplierTransactionReport",
    "MultiFlowReport",
)
"""The types of a deposit of e-reporting (FRR)."""

SINGLES = {"tracking_id": flow.c.tracking_id, "ack_status": flow.c.acknowledgement}


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


def open_flow(
    connection: Connection, *, siren: str, deposit: Deposit, data: bytes, now: datetime, sha256: str | None = None
) -> tuple[str, bool]:
    """The deposit is registered, pending; returns its identifier and whether it is new. `sha256`, when kept already.

    The same bytes under the same tracking identifier are the same deposit (a client that did not hear our answer).
    """
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    if deposit.tracking_id:
        same = {"siren": siren, "sha256": sha256, "tracking_id": deposit.tracking_id}
        held = connection.execute(_SAME, same).scalar()
        if held:
            return str(held), False
    identifier = _insert(
        connection,
        siren=siren,
        origin="client",
        direction="Out",
        flow_type="Undefined",
        syntax=deposit.syntax,
        profile=deposit.profile or "Undefined",
        name=deposit.name,
        tracking_id=deposit.tracking_id,
        processing_rule=deposit.processing_rule or "Undefined",
        processing_rule_source="Input" if deposit.processing_rule else "Computed",
        sha256=sha256,
        acknowledgement="Pending",
        now=now,
    )
    return identifier, True


def give(
    connection: Connection,
    *,
    siren: str,
    flow_type: str,
    syntax: str,
    name: str,
    sha256: str,
    invoice_id: str,
    origin: str,
    now: datetime,
    processing_rule: str = "NotApplicable",
) -> None:
    """The customer finds this file, made or received by the platform, among its flows."""
    _insert(
        connection,
        siren=siren,
        origin=origin,
        direction="In",
        flow_type=flow_type,
        syntax=syntax,
        profile="Undefined",
        name=name,
        tracking_id=None,
        processing_rule=processing_rule,
        processing_rule_source="Computed",
        sha256=sha256,
        acknowledgement="Ok",
        invoice_id=invoice_id,
        now=now,
    )


def acknowledge(
    connection: Connection, identifier: str, *, refusal: Refusal | None, now: datetime, **known: Any
) -> None:
    """The flow's acknowledgement is Ok, or Error with its reason; `known` sets what the platform found out."""
    siren = connection.execute(_WHOSE, {"which": identifier}).scalar_one()
    values = {
        "acknowledgement": "Error" if refusal else "Ok",
        "details": [refusal.row()] if refusal else [],
        "updated_at": _moment(connection, siren, now),
        **known,
    }
    gathered.change(connection, _changing(tuple(values)), {"which": identifier, **_renamed(values)})
    if refusal:
        audit.record(connection, siren, "deposit.refused", about=identifier, at=now, reason=refusal.code)


def technical_duplicate(connection: Connection, *, siren: str, identifier: str, sha256: str) -> str | None:
    """Return the earlier flow that deposited these very bytes, unless it failed or its invoice was rejected."""
    return connection.execute(_REPEATED, {"siren": siren, "sha256": sha256, "but": identifier}).scalar()


def get(connection: Connection, siren: str, identifier: str) -> RowMapping | None:
    """Return this customer's flow; another's is unknown to it."""
    return connection.execute(_ONE, {"siren": siren, "which": identifier}).mappings().first()


def search(connection: Connection, siren: str, *, where: dict[str, Any], limit: int) -> list[RowMapping]:
    """Return the customer's flows that meet every criterion, oldest update first (§3.5)."""
    query = _with_standing().where(flow.c.siren == siren).order_by(flow.c.updated_at).limit(limit)
    if after := where.get("updated_after"):
        query = query.where(flow.c.updated_at > after)
    if before := where.get("updated_before"):
        query = query.where(flow.c.updated_at < before)
    for name, column in LISTS.items():
        if values := where.get(name):
            query = query.where(column.in_(values))
    for name, column in SINGLES.items():
        if (value := where.get(name)) is not None:
            query = query.where(column == value)
    return list(connection.execute(query).mappings())


def _with_standing() -> Select[Any]:
    """Select flows with how the invoice of each stands, and why."""
    known = (invoice.c.standing, invoice.c.explanation, invoice.c.number)
    return select(flow, *known).outerjoin(invoice, invoice.c.id == flow.c.invoice_id)


def _insert(connection: Connection, *, siren: str, now: datetime, **values: Any) -> str:
    identifier = str(uuid4())
    moment = _moment(connection, siren, now)
    row = {"id": identifier, "siren": siren, "submitted_at": moment, "updated_at": moment, "details": [], **values}
    gathered.add(connection, flow, row)
    return identifier


def _moment(connection: Connection, siren: str, now: datetime) -> datetime:
    """Return an instant after every update of this customer's flows, on the millisecond (§3.5.1)."""
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    last = gathered.remember(connection, ("flow", siren), lambda: _last(connection, siren))
    moment = now if last is None or now > last else last + TICK
    gathered.memorize(connection, ("flow", siren), moment)
    return moment


def _last(connection: Connection, siren: str) -> datetime | None:
    """Return the last update of this customer's flows; where several may write, whoever comes next waits for us."""
    connection.execute(_MINE, {"siren": siren})
    last: datetime | None = connection.execute(_LATEST, {"siren": siren}).scalar()
    return last


@cache
def _changing(names: tuple[str, ...]) -> Update:
    """Make the statement that changes these columns of one flow."""
    values = {name: bindparam(f"new_{name}", type_=flow.c[name].type) for name in names}
    return update(flow).where(flow.c.id == bindparam("which")).values(values)


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


_WHOSE = gathered.reads(select(flow.c.siren).where(flow.c.id == bindparam("which")))
_MINE = gathered.reads(select(company.c.siren).where(company.c.siren == bindparam("siren")).with_for_update())
_LATEST = gathered.reads(select(func.max(flow.c.updated_at)).where(flow.c.siren == bindparam("siren")))
_SAME = gathered.reads(
    select(flow.c.id).where(
        flow.c.siren == bindparam("siren"),
        flow.c.sha256 == bindparam("sha256"),
        flow.c.tracking_id == bindparam("tracking_id"),
    )
)
_REPEATED = gathered.reads(
    select(flow.c.id)
    .outerjoin(invoice, invoice.c.id == flow.c.invoice_id)
    .where(flow.c.siren == bindparam("siren"), flow.c.sha256 == bindparam("sha256"), flow.c.origin == "client")
    .where(flow.c.id != bindparam("but"), flow.c.acknowledgement == "Ok")
    .where(invoice.c.standing.is_(None) | (invoice.c.standing != "rejected"))
)
_ONE = gathered.reads(_with_standing().where(flow.c.siren == bindparam("siren"), flow.c.id == bindparam("which")))

"""What a platform keeps and until when: each thing with its date, its rule, and what stands against its purge.

A drawer is one kind of thing: `find` gives what may be over, page by page in the order of its key, each thing with the
last day it is kept; `discard` deletes it, or blanks the name of its document where the record itself stays. An invoice
goes with its whole file: its statuses, declarations and flows; what was sent to the portal goes before, by its own
rule. What is over is purged by `keeping_purge`, unless it is held, or still needed (`Kept.needed`).
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, exists, func, or_, select, update

from estafette.platform.keeping_tables import departure, imported, package
from estafette.platform.reporting_tables import reporting_file, transmission, unit_record
from estafette.platform.tables import archive_member, declaration, event, flow, invoice, portal_flow
from estafette.store import audit
from estafette.store.inventory import NONE
from estafette.store.tables import account, external_identity, identity_event, inbox, recovery_code
from estafette.values.moments import PARIS, paris_day
from estafette.values.retention import Kind, Retention, rule_of

OWED = ("waiting", "packed")
"""A declaration or transmission that the portal has not taken yet."""


_OF_INBOX = inbox.c.sender + " " + inbox.c.message_id


@dataclass(frozen=True, slots=True)
class Trace:
    """What stays of one record that goes: its kind and identifier, and the hash of its document."""

    kind: str
    object_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A thing that is kept: whose, of which day, number and counterpart, until when by which rule.

    `traces`: the thing first, then what goes with it. `documents`: one for each record that names it and goes.
    """

    drawer: str
    key: Any
    siren: str
    reference: str
    counterpart: str
    dated: date
    until: date
    rule: Kind
    traces: tuple[Trace, ...]
    documents: tuple[str, ...] = ()
    needed: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which things are looked for: those kept no more on a day, after a key, so many; or those of these keys."""

    retention: Retention
    on: date
    after: Any = None
    keys: Sequence[Any] | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Drawer:
    """One kind of thing: its words, what may be over, and how it goes."""

    name: str
    fr: str
    en: str
    find: Callable[[Connection, Asked], tuple[list[Kept], Any]]
    discard: Callable[[Connection, Sequence[Kept]], None]


def rule_text(kind: Kind, *, on: date) -> str:
    """Say a rule as it is written beside what was purged by it: `tax-evidence: LPF, art. L. 102 B`."""
    return f"{kind}: {rule_of(kind, on=on).source}"


def until_of(row: Any, last_status_at: datetime | None, retention: Retention, on: date) -> tuple[date, date, Kind]:
    """Return the day of an invoice, the last on which its file is kept, and by which rule."""
    if row["standing"] == "rejected":
        day = paris_day(row["received_at"])
        until, kind = retention.longest((Kind.REJECTED,), day, on=on)
    else:
        day = row["issue_date"]
        until, kind = retention.longest((Kind.TAX_EVIDENCE, Kind.ACCOUNTING), day, on=on)
    if last_status_at is not None:
        until, kind = max((until, kind), (retention.until(Kind.STATUS, paris_day(last_status_at), on=on), Kind.STATUS))
    return day, until, kind


def last_status() -> Any:
    """Select when the last status of an invoice was set."""
    return select(func.max(event.c.set_at)).where(event.c.invoice_id == invoice.c.id).scalar_subquery()


# ------------------------------------------------------------------------------------------------------ the drawers


def _invoices(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    cutoff = min(asked.retention.before(kind, on=asked.on) for kind in (Kind.TAX_EVIDENCE, Kind.ACCOUNTING))
    rejected = invoice.c.standing == "rejected"
    over = or_(
        and_(rejected, invoice.c.received_at < _end(asked.retention.before(Kind.REJECTED, on=asked.on))),
        and_(~rejected, invoice.c.issue_date <= cutoff),
    )
    query = select(invoice, last_status().label("last_status_at"))
    rows = connection.execute(_page(query, invoice.c.id, over, asked)).mappings().all()
    files = _files(connection, [row["id"] for row in rows])
    found = []
    for row in rows:
        day, until, kind = until_of(row, row["last_status_at"], asked.retention, asked.on)
        traces = (Trace("invoice", row["id"], row["sha256"]), *files[row["id"]].traces)
        is_sold = row["side"] == "issued"
        found.append(
            Kept(
                drawer="invoice", key=row["id"], siren=row["siren"], reference=row["number"],
                counterpart=row["buyer_siren"] if is_sold else row["seller_siren"], dated=day, until=until, rule=kind,
                traces=traces, documents=tuple(trace.sha256 for trace in traces if trace.sha256),
                needed=files[row["id"]].needed,
            )
        )  # fmt: skip
    return found, rows[-1]["id"] if rows else None


@dataclass(slots=True)
class _File:
    """What goes with an invoice."""

    traces: list[Trace]
    needed: str | None = None


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
    flows = [trace.object_id for thing in things for trace in thing.traces if trace.kind == "flow"]
    _discard_flows_of(connection, flows)
    connection.execute(delete(imported).where(imported.c.invoice_id.in_(ids)))
    connection.execute(delete(event).where(event.c.invoice_id.in_(ids)))
    connection.execute(delete(declaration).where(declaration.c.invoice_id.in_(ids)))
    connection.execute(delete(invoice).where(invoice.c.id.in_(ids)))


def _discard_flows_of(connection: Connection, ids: Sequence[str]) -> None:
    connection.execute(delete(archive_member).where(archive_member.c.flow_id.in_(ids)))
    connection.execute(delete(flow).where(flow.c.id.in_(ids)))


def _declarations(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    """Give what was sent to the portal of an invoice: its bytes, and its mirror among the company's flows."""
    over = and_(declaration.c.sha256 != NONE, _older(declaration.c.created_at, Kind.FLOW_MESSAGE, asked))
    columns = (invoice.c.siren, invoice.c.number, invoice.c.side, invoice.c.buyer_siren, invoice.c.issue_date)
    query = select(declaration, *(column.label(f"of_{column.name}") for column in columns)).join(
        invoice, invoice.c.id == declaration.c.invoice_id
    )
    rows = connection.execute(_page(query, declaration.c.id, over, asked)).mappings().all()
    found = []
    for row in rows:
        traces = [Trace("declaration", str(row["id"]), row["sha256"])]
        traces += [Trace("flow", row["flow_id"], row["sha256"])] if row["flow_id"] else []
        found.append(
            _at(
                asked, Kind.FLOW_MESSAGE, row["created_at"], *traces, drawer="declaration", key=row["id"],
                siren=row["of_siren"], reference=row["of_number"], dated=row["of_issue_date"],
                counterpart=row["of_buyer_siren"] if row["of_side"] == "issued" else row["seller_siren"],
                needed=f"declaration: {row['state']}" if row["state"] in OWED else None,
            )
        )  # fmt: skip
    return found, rows[-1]["id"] if rows else None


def _discard_declarations(connection: Connection, things: Sequence[Kept]) -> None:
    flows = [trace.object_id for thing in things for trace in thing.traces if trace.kind == "flow"]
    _discard_flows_of(connection, flows)
    _blank(declaration, declaration.c.id)(connection, things)


def _portal_flows(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    over = and_(portal_flow.c.sha256 != NONE, _older(portal_flow.c.created_at, Kind.FLOW_MESSAGE, asked))
    rows = connection.execute(_page(select(portal_flow), portal_flow.c.name, over, asked)).mappings().all()
    found = []
    for row in rows:
        trace = Trace("portal-flow", row["name"], row["sha256"])
        found.append(_at(asked, Kind.FLOW_MESSAGE, row["created_at"], trace, drawer="portal-flow", key=row["name"]))
    return found, rows[-1]["name"] if rows else None


def _messages(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    """Give what other actors sent: that it came is known for ever, what it said only as long as it must be."""
    over = and_(inbox.c.sha256 != NONE, _older(inbox.c.received_at, Kind.FLOW_MESSAGE, asked))
    query = select(inbox, _OF_INBOX.label("key"))
    rows = connection.execute(_page(query, _OF_INBOX, over, asked)).mappings().all()
    found = []
    for row in rows:
        trace = Trace("message", row["key"][:255], row["sha256"])
        said = {"drawer": "message", "key": row["key"], "reference": row["name"]}
        found.append(_at(asked, Kind.FLOW_MESSAGE, row["received_at"], trace, **said))
    return found, rows[-1]["key"] if rows else None


def _flows(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    """Give the flows that are of no invoice: irreceivable deposits, reports, archives of which no file is left."""
    over = and_(flow.c.invoice_id.is_(None), _older(flow.c.submitted_at, Kind.IRRECEIVABLE, asked))
    holds_files = exists().where(archive_member.c.archive_id == flow.c.id)
    query = select(flow, holds_files.label("holds_files"))
    rows = connection.execute(_page(query, flow.c.id, over, asked)).mappings().all()
    found = []
    for row in rows:
        why = "archive" if row["holds_files"] else "Pending" if row["acknowledgement"] == "Pending" else None
        said = {"drawer": "flow", "key": row["id"], "siren": row["siren"], "reference": row["name"], "needed": why}
        trace = Trace("flow", row["id"], row["sha256"])
        found.append(_at(asked, _kind_of(row), row["submitted_at"], trace, **said))
    return found, rows[-1]["id"] if rows else None


def _kind_of(row: Any) -> Kind:
    """Return what a flow without an invoice is kept as; an archive, as the invoices in it."""
    if row["acknowledgement"] == "Error":
        return Kind.IRRECEIVABLE
    return Kind.REPORT if row["syntax"] == "FRR" or row["flow_type"].startswith("State") else Kind.ACCOUNTING


def _discard_flows(connection: Connection, things: Sequence[Kept]) -> None:
    _discard_flows_of(connection, [thing.key for thing in things])


def _transmissions(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    cutoff = asked.retention.before(Kind.REPORT, on=asked.on)
    over = and_(transmission.c.sha256 != NONE, transmission.c.end <= cutoff)
    rows = connection.execute(_page(select(transmission), transmission.c.id, over, asked)).mappings().all()
    found = []
    for row in rows:
        owed = row["state"] if row["state"] in OWED else None
        trace = Trace("transmission", str(row["id"]), row["sha256"])
        said = {"key": row["id"], "siren": row["siren"], "reference": row["identifier"], "needed": owed}
        found.append(_of(asked, Kind.REPORT, row["end"], trace, drawer="transmission", **said))
    return found, rows[-1]["id"] if rows else None


def _reporting_files(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    over = and_(reporting_file.c.sha256 != NONE, _older(reporting_file.c.recorded_at, Kind.REPORT, asked))
    rows = connection.execute(_page(select(reporting_file), reporting_file.c.id, over, asked)).mappings().all()
    found = []
    for row in rows:
        trace = Trace("reporting-file", row["id"], row["sha256"])
        said = {"key": row["id"], "siren": row["siren"], "reference": row["name"]}
        found.append(_at(asked, Kind.REPORT, row["recorded_at"], trace, drawer="reporting-file", **said))
    return found, rows[-1]["id"] if rows else None


def _unit_records(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    over = unit_record.c.day <= asked.retention.before(Kind.REPORT, on=asked.on)
    rows = connection.execute(_page(select(unit_record), unit_record.c.id, over, asked)).mappings().all()
    found = []
    for row in rows:
        trace = Trace("unit-record", str(row["id"]), _hash(row))
        said = {"key": row["id"], "siren": row["siren"], "reference": row["reference"] or "", "documents": ()}
        found.append(_of(asked, Kind.REPORT, row["day"], trace, drawer="unit-record", **said))
    return found, rows[-1]["id"] if rows else None


def _accesses(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    over = _older(identity_event.c.at, Kind.JOURNAL, asked)
    rows = connection.execute(_page(select(identity_event), identity_event.c.id, over, asked)).mappings().all()
    found = []
    for row in rows:
        trace = Trace("access", str(row["id"]), _hash(row))
        said = {"key": row["id"], "siren": row["organization"], "documents": ()}
        found.append(_at(asked, Kind.JOURNAL, row["at"], trace, drawer="access", **said))
    return found, rows[-1]["id"] if rows else None


def _accounts(connection: Connection, asked: Asked) -> tuple[list[Kept], Any]:
    """Give the closed accounts: of a person only the login stays, which the journals name."""
    is_closed = and_(account.c.closed_at.is_not(None), account.c.password_hash != NONE)
    over = and_(is_closed, _older(account.c.closed_at, Kind.PERSONAL, asked))
    rows = connection.execute(_page(select(account), account.c.login, over, asked)).mappings().all()
    found = []
    for row in rows:
        trace = Trace("account", row["login"], "")
        found.append(_at(asked, Kind.PERSONAL, row["closed_at"], trace, drawer="account", key=row["login"]))
    return found, rows[-1]["login"] if rows else None


def _blank_accounts(connection: Connection, things: Sequence[Kept]) -> None:
    logins = [thing.key for thing in things]
    for table in (external_identity, recovery_code):
        connection.execute(delete(table).where(table.c.login.in_(logins)))
    gone = {"email": None, "password_hash": NONE, "factor_secret": None, "factor_since": None}
    connection.execute(update(account).where(account.c.login.in_(logins)).values(gone))


# ------------------------------------------------------------------------------------------------------ their parts


def _page(query: Select[Any], key: ColumnElement[Any], over: ColumnElement[bool], asked: Asked) -> Select[Any]:
    """Ask for one page, in the order of the key; or for the things of these keys, over or not."""
    if asked.keys is not None:
        return query.where(key.in_(asked.keys), over).order_by(key)
    if asked.after is not None:
        query = query.where(key > asked.after)
    return query.where(over).order_by(key).limit(asked.limit)


def _older(column: ColumnElement[Any], kind: Kind, asked: Asked) -> ColumnElement[bool]:
    return column < _end(asked.retention.before(kind, on=asked.on))


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), PARIS)


def _at(asked: Asked, kind: Kind, at: datetime, *traces: Trace, **said: Any) -> Kept:
    return _of(asked, kind, paris_day(at), *traces, **said)


def _of(asked: Asked, kind: Kind, day: date, *traces: Trace, drawer: str, key: Any, **said: Any) -> Kept:
    """Return a thing of a day; its documents are those of its traces, unless it is said otherwise."""
    said.setdefault("documents", tuple(trace.sha256 for trace in traces if trace.sha256))
    defaults: dict[str, Any] = {"siren": "", "reference": "", "counterpart": "", "dated": day}
    until = asked.retention.until(kind, day, on=asked.on)
    return Kept(drawer, key, until=until, rule=kind, traces=traces, **(defaults | said))


def _blank(table: Table, key: ColumnElement[Any]) -> Callable[[Connection, Sequence[Kept]], None]:
    """Return what leaves the record and takes the name of its document."""

    def discard(connection: Connection, things: Sequence[Kept]) -> None:
        keys = [thing.key for thing in things]
        connection.execute(update(table).where(key.in_(keys)).values(sha256=NONE))

    return discard


def _delete(table: Table, key: ColumnElement[Any]) -> Callable[[Connection, Sequence[Kept]], None]:
    """Return what deletes the record."""
    return lambda connection, things: connection.execute(delete(table).where(key.in_([one.key for one in things])))  # type: ignore[return-value]


def _hash(row: Any) -> str:
    """Return the hash of a record that has no document: of its values, in their only form."""
    text = audit.canonical(
        {name: value if isinstance(value, dict | None) else str(value) for name, value in row.items()}
    )
    return hashlib.sha256(text.encode()).hexdigest()


DRAWERS: tuple[Drawer, ...] = (
    Drawer("invoice", "Factures et leurs statuts", "Invoices and their statuses", _invoices, _discard_invoices),
    Drawer("declaration", "Flux 1 et statuts déclarés", "Flow 1 and declared statuses",
           _declarations, _discard_declarations),
    Drawer("portal-flow", "Enveloppes échangées avec le portail", "Envelopes exchanged with the portal",
           _portal_flows, _blank(portal_flow, portal_flow.c.name)),
    Drawer("message", "Messages d'autres acteurs", "Messages of other actors", _messages, _blank(inbox, _OF_INBOX)),
    Drawer("flow", "Dépôts sans facture", "Deposits without an invoice", _flows, _discard_flows),
    Drawer("transmission", "Transmissions d'e-reporting", "Transmissions of e-reporting",
           _transmissions, _blank(transmission, transmission.c.id)),
    Drawer("reporting-file", "Fichiers d'e-reporting", "Files of e-reporting",
           _reporting_files, _blank(reporting_file, reporting_file.c.id)),
    Drawer("unit-record", "Enregistrements unitaires", "Unit records",
           _unit_records, _delete(unit_record, unit_record.c.id)),
    Drawer("access", "Journal des accès", "Journal of accesses",
           _accesses, _delete(identity_event, identity_event.c.id)),
    Drawer("account", "Comptes fermés", "Closed accounts", _accounts, _blank_accounts),
)  # fmt: skip
"""Every kind of thing that goes, the first first: an invoice's file before the records it may share documents with."""


def needing(connection: Connection, sirens: Iterable[str], *, on: date) -> dict[str, str]:
    """Return the companies of which nothing may go now, and why: a package is being made, or it changes platform."""
    asked = sorted({siren for siren in sirens if siren})
    making = select(package.c.siren).where(package.c.siren.in_(asked), package.c.state == "asked")
    leaving = select(departure.c.siren, departure.c.serves_until).where(
        departure.c.siren.in_(asked), departure.c.withdrawn_at.is_(None), departure.c.serves_until >= on
    )
    found = {row.siren: f"portability until {row.serves_until}" for row in connection.execute(leaving)}
    return found | dict.fromkeys(connection.execute(making).scalars(), "package")

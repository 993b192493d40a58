"""What a restitution package holds: of each invoice the original, a readable form, statuses and proofs, in one folder.

documents/2026-09/COUNTERPART/NUMBER-ID/    original, readable.pdf, statuses/…, state/…, proof.json
e-reporting/                                the transmissions of the period, as they left
journal/                                    audit log of the company, and the signed roots that cover it
manifest.csv, manifest.json, summary.csv    every file; totals by period and counterpart
index.fr.html, index.en.html                the same for people
SHA256SUMS, signature.json                  what makes the whole verifiable alone (`store.sealed_files`)
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, and_, case, extract, func, or_, select

from estafette.formats import read
from estafette.formats.xml import Unreadable, is_pdf
from estafette.lifecycle.guards import StatusEvent
from estafette.platform import keeping, life_cycle
from estafette.platform.reporting_tables import transmission
from estafette.platform.tables import declaration, event, invoice
from estafette.readable import pdf
from estafette.store.documents import Damaged, Documents
from estafette.store.inventory import NONE
from estafette.store.tables import audit_event
from estafette.values.retention import Retention

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
COLUMNS = ("period", "counterpart", "number", "date", "side", "kind", "file", "bytes", "sha256")


@dataclass(frozen=True, slots=True)
class Criteria:
    """What was asked of a company's archives: days of issue (both included), counterpart; None: any."""

    siren: str
    starts_on: date | None = None
    ends_on: date | None = None
    counterpart: str | None = None

    def where(self) -> Any:
        """Hold for the invoices that are asked for."""
        mine = [invoice.c.siren == self.siren]
        mine += [invoice.c.issue_date >= self.starts_on] if self.starts_on else []
        mine += [invoice.c.issue_date <= self.ends_on] if self.ends_on else []
        mine += [counterpart() == self.counterpart] if self.counterpart else []
        return and_(*mine)


@dataclass(frozen=True, slots=True)
class Item:
    """A file of a package and what the manifest says of it."""

    name: str
    data: bytes
    period: str = ""
    counterpart: str = ""
    number: str = ""
    day: str = ""
    side: str = ""
    kind: str = ""

    def line(self, sha256: str) -> dict[str, str | int]:
        """Write its line of the manifest."""
        values = (self.period, self.counterpart, self.number, self.day, self.side, self.kind)
        return dict(zip(COLUMNS, (*values, self.name, len(self.data), sha256), strict=True))


def counterpart() -> Any:
    """Select the SIREN of the other party of an invoice."""
    return case((invoice.c.side == "issued", invoice.c.buyer_siren), else_=invoice.c.seller_siren)


def count(connection: Connection, criteria: Criteria) -> int:
    """Count the invoices that are asked for."""
    return int(connection.execute(select(func.count()).select_from(invoice).where(criteria.where())).scalar_one())


def page(connection: Connection, criteria: Criteria, after: Sequence[str] | None, limit: int) -> list[RowMapping]:
    """Return the next invoices, by date of issue; `after` is the date and the identifier of the last one had."""
    query = select(invoice, keeping.last_status().label("last_status_at")).where(criteria.where())
    if after is not None:
        day, last = date.fromisoformat(after[0]), after[1]
        following = and_(invoice.c.issue_date == day, invoice.c.id > last)
        query = query.where(or_(invoice.c.issue_date > day, following))
    return list(connection.execute(query.order_by(invoice.c.issue_date, invoice.c.id).limit(limit)).mappings())


def items_of(
    connection: Connection, documents: Documents, row: RowMapping, *, language: str, retention: Retention, on: date
) -> Iterator[Item]:
    """Give the files of one invoice; one that is not there is said in its proof, and does not stop the others."""
    events, owed = _events(connection, row["id"]), _owed(connection, row["id"])
    folder, said = _folder(row), _said(row)
    missing: list[str] = []

    def item(name: str, data: bytes, kind: str) -> Item:
        return Item(f"{folder}/{name}", data, kind=kind, **said)

    def kept(sha256: str) -> bytes | None:
        try:
            return documents.get(sha256)
        except (KeyError, Damaged):
            missing.append(sha256)
            return None

    is_handed_over = not (row["side"] == "received" and row["standing"] == "rejected")
    original = kept(row["sha256"]) if is_handed_over else None
    if original is not None:
        yield item(f"original{_suffix(row['file_name'])}", original, "original")
        if (paper := _readable(original, events, language)) is not None:
            yield item("readable.pdf", paper, "readable")
    for place, each in enumerate(events, 1):
        if (data := kept(each["sha256"])) is not None:
            way = "received" if each["received"] else "sent"
            yield item(f"statuses/{place:03d}-{each['status']}-{way}.xml", data, f"status {way}")
    for place, each in enumerate(owed, 1):
        if each["sha256"] != NONE and (data := kept(each["sha256"])) is not None:
            name = f"state/{place:03d}-{each['status'] or 'flow1'}-{_safe(each['file_name'])}"
            yield item(name, data, "declared")
    told = _proof(connection, row, events, owed, retention=retention, on=on)
    yield item("proof.json", _json({**told, "missing": missing}), "proof")


def proof(connection: Connection, row: RowMapping, *, retention: Retention, on: date) -> bytes:
    """Return the proof of one invoice, whose record has `last_status_at`, as a package has it."""
    events, owed = _events(connection, row["id"]), _owed(connection, row["id"])
    return _json(_proof(connection, row, events, owed, retention=retention, on=on))


def _events(connection: Connection, invoice_id: str) -> Sequence[RowMapping]:
    query = select(event).where(event.c.invoice_id == invoice_id)
    return connection.execute(query.order_by(*life_cycle.IN_ORDER)).mappings().all()


def _owed(connection: Connection, invoice_id: str) -> Sequence[RowMapping]:
    query = select(declaration).where(declaration.c.invoice_id == invoice_id)
    return connection.execute(query.order_by(declaration.c.id)).mappings().all()


def _readable(original: bytes, events: Sequence[RowMapping], language: str) -> bytes | None:
    """Make the readable form with the life cycle; None when the original is one, or is too long for one."""
    if is_pdf(original):
        return None
    told = [StatusEvent(each["status"], each["set_at"], each["emitter_role"]) for each in events]
    try:
        return pdf(read(original), language=language, statuses=told)
    except Unreadable:
        return None


def _proof(
    connection: Connection,
    row: RowMapping,
    events: Sequence[RowMapping],
    owed: Sequence[RowMapping],
    *,
    retention: Retention,
    on: date,
) -> dict[str, Any]:
    """Say of an invoice all that is recorded: whence, which hashes, which statuses, what the State answered."""
    _day, until, rule = keeping.until_of(row, row["last_status_at"], retention, on)
    named = ("id", "side", "standing", "seller_siren", "seller_name", "buyer_siren", "buyer_name", "number", "year",
             "issue_date", "due_date", "type_code", "total_with_vat", "currency", "syntax", "sha256", "file_name",
             "peer", "matricule", "message_id", "received_at", "explanation")  # fmt: skip
    said = ("message_id", "status", "emitter_role", "set_at", "recorded_at", "received", "reasons", "characteristics",
            "comment", "sha256")  # fmt: skip
    told = ("interface", "object_id", "status", "file_name", "sha256", "state", "flow_name", "details", "created_at",
            "answered_at")  # fmt: skip
    mine = (audit_event.c.chain == row["siren"], audit_event.c.about == row["id"])
    journal = select(audit_event.c.seq, audit_event.c.hash, audit_event.c.body).where(*mine).order_by(audit_event.c.seq)
    return {
        "invoice": {name: _plain(row[name]) for name in named},
        "kept_until": until.isoformat(),
        "rule": keeping.rule_text(rule, on=on),
        "statuses": [{name: _plain(each[name]) for name in said} for each in events],
        "declarations": [{name: _plain(each[name]) for name in told} for each in owed],
        "journal": [{"seq": each.seq, "hash": each.hash, "event": each.body} for each in connection.execute(journal)],
    }


def transmissions(connection: Connection, criteria: Criteria, documents: Documents) -> Iterator[Item]:
    """Give the transmissions of e-reporting of the period; none when a counterpart is asked for: they are of all.

    Of one that is not there the hash is given, and it does not stop the others.
    """
    if criteria.counterpart:
        return
    mine = [transmission.c.siren == criteria.siren, transmission.c.sha256 != NONE]
    mine += [transmission.c.end >= criteria.starts_on] if criteria.starts_on else []
    mine += [transmission.c.start <= criteria.ends_on] if criteria.ends_on else []
    for row in connection.execute(select(transmission).where(*mine).order_by(transmission.c.id)).mappings():
        name = f"e-reporting/{row['start']:%Y-%m}/{row['role']}-{row['kind']}-{row['id']}.xml"
        said = {"period": f"{row['start']:%Y-%m}", "number": row["identifier"], "day": row["end"].isoformat()}
        try:
            yield Item(name, documents.get(row["sha256"]), kind=f"transmission {row['state']}", **said)
        except (KeyError, Damaged):
            yield Item(f"{name}.missing.txt", row["sha256"].encode(), kind="missing", **said)


def summary(connection: Connection, criteria: Criteria) -> Iterator[tuple[str, str, str, int]]:
    """Give by period, side and counterpart how many invoices there are."""
    year, month = extract("year", invoice.c.issue_date), extract("month", invoice.c.issue_date)
    keys = (year.label("year"), month.label("month"), invoice.c.side, counterpart().label("other"))
    groups = select(*keys).where(criteria.where()).subquery()
    query = select(*groups.c, func.count()).group_by(*groups.c).order_by(*groups.c)
    for row in connection.execute(query):
        yield f"{int(row[0]):04d}-{int(row[1]):02d}", row[2], row[3], row[4]


def _folder(row: RowMapping) -> str:
    other = row["buyer_siren"] if row["side"] == "issued" else row["seller_siren"]
    number = f"{_safe(row['number'])[:60]}-{row['id'][:13]}"
    return f"documents/{row['issue_date']:%Y-%m}/{_safe(other) or 'unknown'}/{number}"


def _said(row: RowMapping) -> dict[str, str]:
    other = row["buyer_siren"] if row["side"] == "issued" else row["seller_siren"]
    return {
        "period": f"{row['issue_date']:%Y-%m}", "counterpart": other, "number": row["number"],
        "day": row["issue_date"].isoformat(), "side": row["side"],
    }  # fmt: skip


def _suffix(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,5}", suffix) else ".bin"


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text).strip(".")[:100]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)

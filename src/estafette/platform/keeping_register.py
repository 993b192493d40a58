"""What a company sees of its archives: its invoices with their last day, what holds them, and what was purged."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, func, select

from estafette.platform import keeping, keeping_contents
from estafette.platform.keeping_contents import Criteria
from estafette.platform.tables import invoice
from estafette.store import audit, holds
from estafette.store.tables import audit_event, audit_leaf, audit_root, purged
from estafette.values.retention import Kind, Retention, rule_of


@dataclass(frozen=True, slots=True)
class Archived:
    """An invoice in the archives: its record, the last day it is kept, by which rule, and the reason of a hold."""

    row: RowMapping
    until: date
    rule: Kind
    hold: str | None

    @property
    def source(self) -> str:
        """Return the text that the rule comes from."""
        return rule_of(self.rule, on=date.max).source


def search(
    connection: Connection,
    criteria: Criteria,
    *,
    retention: Retention,
    on: date,
    number: str = "",
    sides: tuple[str, ...] = ("issued", "received"),
    limit: int,
    offset: int = 0,
) -> list[Archived]:
    """Return the invoices that meet the criteria, the latest first; `number` is the beginning of theirs."""
    query = select(invoice, keeping.last_status().label("last_status_at")).where(criteria.where())
    query = query.where(invoice.c.side.in_(sides))
    if number:
        query = query.where(invoice.c.number.startswith(number, autoescape=True))
    query = query.order_by(invoice.c.issue_date.desc(), invoice.c.id).limit(limit).offset(offset)
    held = holds.active(connection, on=on, organizations=[criteria.siren]).get(criteria.siren, [])
    return [_archived(row, held, retention, on) for row in connection.execute(query).mappings()]


def _archived(row: RowMapping, held: list[holds.Held], retention: Retention, on: date) -> Archived:
    day, until, rule = keeping.until_of(row, row["last_status_at"], retention, on)
    other = row["buyer_siren"] if row["side"] == "issued" else row["seller_siren"]
    covering = next((one.reason for one in held if one.covers(day, other, row["number"])), None)
    return Archived(row, until, rule, covering)


def gone(connection: Connection, criteria: Criteria, *, number: str = "", limit: int = 50) -> list[RowMapping]:
    """Return the traces of invoices that were purged, the latest first."""
    mine = [purged.c.organization == criteria.siren, purged.c.kind == "invoice"]
    mine += [purged.c.dated >= criteria.starts_on] if criteria.starts_on else []
    mine += [purged.c.dated <= criteria.ends_on] if criteria.ends_on else []
    mine += [purged.c.reference.startswith(number, autoescape=True)] if number else []
    query = select(purged).where(*mine).order_by(purged.c.dated.desc(), purged.c.object_id).limit(limit)
    return list(connection.execute(query).mappings())


def proof(connection: Connection, siren: str, invoice_id: str, *, retention: Retention, on: date) -> bytes | None:
    """Return the proof of one invoice as a package has it, in JSON; None when the company has none such."""
    query = select(invoice, keeping.last_status().label("last_status_at"))
    mine = query.where(invoice.c.siren == siren, invoice.c.id == invoice_id)
    row = connection.execute(mine).mappings().first()
    if row is None:
        return None
    return keeping_contents.proof(connection, row, retention=retention, on=on)


def journal(
    connection: Connection, siren: str, *, limit: int, before: int | None = None, about: str = ""
) -> list[dict[str, Any]]:
    """Return what the chain of the company tells, the latest first; `before` a place in it, `about` one thing."""
    query = select(audit_event).where(audit_event.c.chain == siren)
    query = query.where(audit_event.c.seq < before) if before is not None else query
    query = query.where(audit_event.c.about == about) if about else query
    rows = connection.execute(query.order_by(audit_event.c.seq.desc()).limit(limit)).mappings()
    return [audit.told(row) for row in rows]


def daily_roots(connection: Connection, siren: str, *, limit: int) -> list[dict[str, Any]]:
    """Return the signed roots that cover the chain of the company, the latest first, and how far each covers it."""
    query = (
        select(audit_leaf.c.seq, audit_root.c.number, audit_root.c.hash, audit_root.c.body)
        .join(audit_root, audit_root.c.number == audit_leaf.c.number)
        .where(audit_leaf.c.chain == siren)
        .order_by(audit_root.c.number.desc())
        .limit(limit)
    )
    return [
        {"number": row.number, "seq": row.seq, "hash": row.hash, "day": msgspec.json.decode(row.body)["day"]}
        for row in connection.execute(query)
    ]


def length(connection: Connection, siren: str) -> int:
    """Return how many events the chain of the company has."""
    mine = select(func.max(audit_event.c.seq)).where(audit_event.c.chain == siren)
    return int(connection.execute(mine).scalar() or 0)

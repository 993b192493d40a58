"""The invoices of a company as they are listed: those that are sought, the last first, each with where it stands.

A list is read along the index of the company's side, from the last on, until a page is full: what is sought rarely is
looked for through all of them.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select

from estafette.platform import life_cycle
from estafette.platform.tables import declaration, event, invoice


@dataclass(frozen=True, slots=True)
class Sought:
    """What is sought: a number by its beginning, a counterpart by a part of its name or its SIREN, days of issue (both
    included), latest statuses or standings or what became of anything the State is owed; what is not said is any.
    """

    number: str = ""
    counterpart: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    statuses: frozenset[str] = frozenset()
    standings: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()


def listed(
    connection: Connection, siren: str, side: str, sought: Sought, *, limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """Return the company's invoices on one side, the last first, each with its latest `status` and `declared`."""
    query = (
        select(invoice, _latest_status().label("status"), _declared().label("declared"))
        .where(invoice.c.siren == siren, invoice.c.side == side, *_conditions(side, sought))
        .order_by(invoice.c.received_at.desc())
        .limit(limit)
        .offset(offset)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _conditions(side: str, sought: Sought) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if sought.number:
        found.append(invoice.c.number.startswith(sought.number, autoescape=True))
    if sought.counterpart:
        name, number = (
            (invoice.c.buyer_name, invoice.c.buyer_siren)
            if side == "issued"
            else (invoice.c.seller_name, invoice.c.seller_siren)
        )
        siren = sought.counterpart.replace(" ", "")
        found.append(or_(name.icontains(sought.counterpart, autoescape=True), number == siren))
    if sought.starts_on:
        found.append(invoice.c.issue_date >= sought.starts_on)
    if sought.ends_on:
        found.append(invoice.c.issue_date <= sought.ends_on)
    stands: list[ColumnElement[bool]] = [invoice.c.standing.in_(sought.standings)] if sought.standings else []
    stands += [_latest_status().in_(sought.statuses)] if sought.statuses else []
    if sought.declared:
        mine = (declaration.c.invoice_id == invoice.c.id, declaration.c.state.in_(sought.declared))
        stands.append(exists().where(*mine))
    return [*found, or_(*stands)] if stands else found


def _latest_status() -> Any:
    last = select(event.c.status).where(event.c.invoice_id == invoice.c.id)
    return last.order_by(*(column.desc() for column in life_cycle.IN_ORDER)).limit(1).scalar_subquery()


def _declared() -> Any:
    """Say what the State makes of it: rejected when anything was, waiting while anything is, else accepted."""
    mine = declaration.c.invoice_id == invoice.c.id
    return select(func.aggregate_strings(declaration.c.state, ",")).where(mine).scalar_subquery()

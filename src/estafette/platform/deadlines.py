"""What the State should have by now and has not: the declarations that passed their time (lifecycle.deadlines).

A declaration is owed until the portal says that it could take the flow (500), also when it could not (501); one that
was rejected is no longer late, it is wrong: its company or the operator corrects it.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select

from estafette.platform.tables import declaration, invoice
from estafette.store.columns import constant

OWED = ("waiting", "packed", "irreceivable")
"""The states of a declaration that the portal has not taken."""

IS_OWED = declaration.c.state.in_([constant(state) for state in OWED])
"""Hold for one, as its index says it."""

IS_REFUSED = declaration.c.state.in_([constant(state) for state in ("rejected", "irreceivable")])
"""Hold for a declaration that the portal did not accept, as its index says it."""


def late(connection: Connection, *, now: datetime, limit: int = 100) -> list[RowMapping]:
    """Return the declarations that are late, the longest due first.

    Each row: `number`, `seller_siren`, `siren` of the customer, `status` (None for the data of the invoice), `state`,
    `created_at`, `due_at`, `flow_name` when it left without an answer, `invoice_id`.
    """
    columns = declaration.c
    query = (
        select(
            *(invoice.c.number, invoice.c.siren, columns.seller_siren, columns.status, columns.state),
            *(columns.created_at, columns.due_at, columns.flow_name, columns.invoice_id),
        )
        .join(invoice, invoice.c.id == columns.invoice_id)
        .where(_is_late(now))
        .order_by(columns.due_at, columns.id)
        .limit(limit)
    )
    return list(connection.execute(query).mappings())


def count_late(connection: Connection, *, now: datetime) -> int:
    """Return how many declarations are late."""
    return int(connection.execute(select(func.count()).select_from(declaration).where(_is_late(now))).scalar_one())


def next_due(connection: Connection) -> datetime | None:
    """Return by when the portal must have the most urgent of what it has not; None when it has everything."""
    query = select(func.min(declaration.c.due_at)).where(IS_OWED)
    found: datetime | None = connection.execute(query).scalar()
    return found


def _is_late(now: datetime) -> ColumnElement[bool]:
    return IS_OWED & (declaration.c.due_at < now)

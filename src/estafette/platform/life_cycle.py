"""The life cycle of a delivery as it is kept: every status an event, in the order they were set, none ever changed.

A status is the same by its identifier (MDT-4): had twice, it is had once.
"""

from datetime import datetime

from sqlalchemy import Connection, select

from estafette.formats.status_message import Characteristic, StatusMessage
from estafette.lifecycle import StatusEvent
from estafette.platform.deliveries import Row
from estafette.platform.tables import event
from estafette.store import audit, gathered
from estafette.store.queries import Lookup

IN_ORDER = (event.c.set_at, event.c.status, event.c.recorded_at)
"""The order of a life cycle: by the second each status was set; within one, as the codes go."""


def keep(
    connection: Connection,
    row: Row,
    message: StatusMessage,
    *,
    sha256: str,
    now: datetime,
    received: bool,
) -> bool:
    """The status is in the life cycle of this delivery; False when it already was."""
    had = history(connection, row["id"])
    if any(one.message_identifier == message.identifier for one in had):
        return False
    values = {
        "invoice_id": row["id"],
        "message_id": message.identifier,
        "status": message.status,
        "emitter_role": message.issuer.role,
        "set_at": message.set_at,
        "recorded_at": now,
        "received": received,
        "reasons": [
            {"reason": detail.reason_code, "action": detail.requested_action, "text": detail.reason}
            for detail in message.details
            if detail.reason_code
        ],
        "characteristics": [_characteristic(one) for detail in message.details for one in detail.characteristics],
        "comment": "\n".join(message.comments) or None,
        "sha256": sha256,
    }
    gathered.add(connection, event, values)
    fresh = StatusEvent(message.status, message.set_at, message.issuer.role, message.identifier)
    in_order = sorted([*had, fresh], key=lambda one: (one.set_at, one.status))
    gathered.memorize(connection, _life_of(row["id"]), in_order)
    told = {"status": message.status, "message": message.identifier, "sha256": sha256, "role": message.issuer.role}
    what = "status.received" if received else "status.set"
    audit.record(connection, row["siren"], what, about=row["id"], at=now, **told)
    return True


def history(connection: Connection, invoice_id: str) -> list[StatusEvent]:
    """Return the life cycle of a delivery in the order its statuses were set; a transaction reads it once."""
    return gathered.remember(
        connection,
        _life_of(invoice_id),
        lambda: [StatusEvent(*row) for row in HISTORY.tuples(connection, invoice=invoice_id)],
    )


def begin(connection: Connection, invoice_id: str) -> None:
    """The delivery, just recorded, has no status yet: nothing is to be read."""
    gathered.memorize(connection, _life_of(invoice_id), [])


def _life_of(invoice_id: str) -> tuple[str, str]:
    return "life", invoice_id


def _characteristic(one: Characteristic) -> dict[str, str | None]:
    """Return an amount or a datum of a status as it is kept: exact, as text."""
    return {
        "type": one.type_code,
        "term": one.term or None,
        "value": one.value or None,
        "amount": None if one.amount is None else format(one.amount, "f"),
        "currency": one.currency or None,
        "rate": None if one.percent is None else format(one.percent, "f"),
    }


HISTORY = Lookup(
    select(event.c.status, event.c.set_at, event.c.emitter_role, event.c.message_id).order_by(*IN_ORDER),
    {"invoice": event.c.invoice_id},
    sees_gathered=False,
)
"""Asked before the transaction keeps any status of the delivery: later it is remembered."""

"""Statuses come from other platforms: each joins the life cycle of its delivery, or waits for its delivery."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from estafette.formats import cdar
from estafette.formats.status_message import StatusMessage
from estafette.platform.deliveries import delivery_of, is_for_others
from estafette.platform.home import Home
from estafette.platform.life_cycle import keep
from estafette.platform.statuses import give
from estafette.platform.tables import early_status
from estafette.store.queries import Query


def receive(home: Home, connection: Connection, sender: str, message: StatusMessage, sha256: str) -> None:
    """The status come from another platform joins its delivery, or waits for it."""
    now = home.actor.clock()
    day = message.object_day
    key = {
        "seller_siren": message.seller_siren,
        "number": message.object_identifier,
        "year": day.year if day else 0,
    }
    row = delivery_of(connection, sender, message, key)
    if row is None:
        values = {"message_id": message.identifier, "sender": sender, "sha256": sha256, "received_at": now, **key}
        mine = (early_status.c.sender == sender, early_status.c.message_id == message.identifier)
        known = select(early_status.c.sender).where(*mine)
        if connection.execute(known).first() is None:
            connection.execute(insert(early_status).values(values))
        return
    if is_for_others(message, row):
        return
    if keep(connection, row, message, sha256=sha256, now=now, received=True):
        give(connection, row, message, sha256, origin="peer", now=now)


def join_early(home: Home, connection: Connection, row: dict[str, Any]) -> None:
    """The statuses that came before this delivery are in its life cycle."""
    key = {name: row[name] for name in ("peer", "seller_siren", "number", "year")}
    for early in _EARLY.rows(connection, **key):
        message = cdar.read(home.actor.documents.get(early["sha256"]))
        mine = (early_status.c.sender == early["sender"], early_status.c.message_id == early["message_id"])
        connection.execute(delete(early_status).where(*mine))
        receive(home, connection, early["sender"], message, early["sha256"])


_EARLY = Query(
    select(early_status)
    .where(
        early_status.c.sender == bindparam("peer"),
        early_status.c.seller_siren == bindparam("seller_siren"),
        early_status.c.number == bindparam("number"),
        early_status.c.year == bindparam("year"),
    )
    .order_by(early_status.c.received_at)
)

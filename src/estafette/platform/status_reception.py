"""Statuses come from other platforms: each joins the life cycle of its delivery, or waits for its delivery."""

from typing import Any

from sqlalchemy import Connection, delete, insert, select

from estafette.formats import cdar
from estafette.formats.status_message import StatusMessage
from estafette.platform.deliveries import delivery_of, is_for_others, key_of
from estafette.platform.home import Home
from estafette.platform.life_cycle import keep
from estafette.platform.statuses import give
from estafette.platform.tables import early_status
from estafette.store.queries import Lookup


def receive(home: Home, connection: Connection, sender: str, message: StatusMessage, sha256: str) -> None:
    """The status come from another platform joins its delivery, or waits for it."""
    now = home.actor.clock()
    row = delivery_of(connection, sender, message)
    if row is None:
        values = {"message_id": message.identifier, "sender": sender, "sha256": sha256, "received_at": now}
        values |= key_of(message)
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
    key = {"seller": row["seller_siren"], "number": row["number"], "year": row["year"]}
    for early in (one for one in EARLY.rows(connection, **key) if one["sender"] == row["peer"]):
        message = cdar.read(home.actor.documents.get(early["sha256"]))
        mine = (early_status.c.sender == early["sender"], early_status.c.message_id == early["message_id"])
        connection.execute(delete(early_status).where(*mine))
        receive(home, connection, early["sender"], message, early["sha256"])


EARLY = Lookup(
    select(early_status).order_by(early_status.c.received_at),
    {"seller": early_status.c.seller_siren, "number": early_status.c.number, "year": early_status.c.year},
    through=("seller", "number"),
)

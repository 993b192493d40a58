"""One delivery of an invoice, on one side: what the tenant is in it, its lane, and which one a status is about."""

from typing import Any

from sqlalchemy import Connection, RowMapping, select

from estafette.directory.resolution import CHORUS_PRO
from estafette.formats.status_message import Role, StatusMessage
from estafette.lifecycle import STATUSES, Side
from estafette.platform.tables import invoice
from estafette.store.queries import Lookup

Row = RowMapping | dict[str, Any]


def role_of(row: Row) -> Role:
    """Return what the tenant is in the invoice: its seller or its buyer."""
    return Role.SELLER if row["siren"] == row["seller_siren"] else Role.BUYER


def side_of(row: Row) -> Side:
    """Return which platform this one is for the delivery."""
    return Side.SENDING if row["side"] == "issued" else Side.RECEIVING


def is_b2g(row: Row) -> bool:
    """Tell whether Chorus Pro receives the invoice: it then knows fewer statuses, and other reasons."""
    return bool((row["peer"] if row["side"] == "issued" else row["matricule"]) == CHORUS_PRO)


def lane_of(row: Row) -> str:
    """Return the lane in which everything about one invoice travels, in order."""
    return f"{row['seller_siren']}/{row['year']}/{row['number']}"


def key_of(message: StatusMessage) -> dict[str, Any]:
    """Return what a status says of the invoice it is about: its seller, its number, its year (0 when it does not)."""
    day = message.object_day
    return {
        "seller_siren": message.seller_siren,
        "number": message.object_identifier,
        "year": day.year if day else 0,
    }


def delivery_of(connection: Connection, sender: str, message: StatusMessage) -> Row | None:
    """Find the delivery a status is about: exchanged with its sender, the live one rather than a rejected one.

    A platform that could not read the invoice names the message that brought it (501).
    """
    if message.status == "501":
        same = (invoice.c.id == brought_by(message.object_identifier), invoice.c.peer == sender)
        return connection.execute(select(invoice).where(*same)).mappings().first()
    rows = EXCHANGED.rows(connection, **key_of(message), peer=sender)
    return next((row for row in rows if _concerns(message, row)), None)


def brought_by(identifier: str) -> str:
    """Return the delivery that a message brought, by the message's identifier: the first one, or one sent again.

    >>> brought_by("4f6b"), brought_by("4f6b.3")
    ('4f6b', '4f6b')
    """
    return identifier.partition(".")[0]


def _concerns(message: StatusMessage, row: Row) -> bool:
    """Tell whether the other end speaks to this side: its platform to the sender, a party to the other one."""
    if message.issuer.role in ("", Role.PLATFORM):
        return bool(row["side"] == "issued")
    return message.issuer.role != role_of(row)


def is_for_others(message: StatusMessage, row: Row) -> bool:
    """Tell whether the status is between parties of whom the tenant is none (226): it should not have come at all."""
    known = STATUSES.get(message.status)
    return known is not None and Role.PLATFORM not in known.told and role_of(row) not in known.told


EXCHANGED = Lookup(
    select(invoice).order_by(invoice.c.standing, invoice.c.received_at.desc()),
    {
        "seller_siren": invoice.c.seller_siren,
        "number": invoice.c.number,
        "year": invoice.c.year,
        "peer": invoice.c.peer,
    },
    through=("seller_siren", "number"),
)

"""The drawers of messages: envelopes to and from the portal, what other actors sent, statuses that found no invoice."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, select, update

from estafette.platform.keeping import Asked, Drawer, Kept, Source, Trace, blank, kept
from estafette.platform.tables import early_status, portal_flow
from estafette.store.columns import constant
from estafette.store.inventory import NONE
from estafette.store.tables import inbox
from estafette.values.retention import Kind

_OF_INBOX = inbox.c.sender + " " + inbox.c.message_id
_OF_EARLY = early_status.c.sender + " " + early_status.c.message_id


def _these(table: Table, things: Sequence[Kept]) -> ColumnElement[bool]:
    """Hold for the messages of these things, found by the key of the table."""
    parts = [thing.key.partition(" ") for thing in things]
    among = table.c.sender.in_({sender for sender, _, _ in parts}) & table.c.message_id.in_(
        [one for _, _, one in parts]
    )
    return among & (table.c.sender + " " + table.c.message_id).in_([thing.key for thing in things])


def _blank_messages(connection: Connection, things: Sequence[Kept]) -> None:
    connection.execute(update(inbox).where(_these(inbox, things)).values(sha256=NONE))


def _discard_early(connection: Connection, things: Sequence[Kept]) -> None:
    connection.execute(delete(early_status).where(_these(early_status, things)))


def _portal_flows(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    return [
        kept(asked, row, Kind.FLOW_MESSAGE, Trace("portal-flow", row["name"], row["sha256"]), drawer="portal-flow")
        for row in rows
    ]


def _messages(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    """Give what other actors sent: that it came is known for ever, what it said only as long as it must be."""
    found = []
    for row in rows:
        trace = Trace("message", row["kept_key"][:255], row["sha256"])
        found.append(kept(asked, row, Kind.FLOW_MESSAGE, trace, drawer="message", reference=row["name"]))
    return found


def _early_statuses(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    """Give the statuses whose invoice never came."""
    found = []
    for row in rows:
        trace = Trace("early-status", row["kept_key"][:255], row["sha256"])
        found.append(kept(asked, row, Kind.FLOW_MESSAGE, trace, drawer="early-status", reference=row["number"]))
    return found


ENVELOPES = Drawer(
    "portal-flow", "Enveloppes échangées avec le portail", "Envelopes exchanged with the portal",
    Source(select(portal_flow), portal_flow.c.name, portal_flow.c.created_at, (Kind.FLOW_MESSAGE,),
           (portal_flow.c.sha256 != constant(NONE),)),
    _portal_flows, blank(portal_flow, portal_flow.c.name),
)  # fmt: skip
MESSAGES = Drawer(
    "message", "Messages d'autres acteurs", "Messages of other actors",
    Source(select(inbox), _OF_INBOX, inbox.c.received_at, (Kind.FLOW_MESSAGE,), (inbox.c.sha256 != constant(NONE),)),
    _messages, _blank_messages,
)  # fmt: skip
EARLY = Drawer(
    "early-status", "Statuts dont la facture n'est jamais venue", "Statuses whose invoice never came",
    Source(select(early_status), _OF_EARLY, early_status.c.received_at, (Kind.FLOW_MESSAGE,)),
    _early_statuses, _discard_early,
)  # fmt: skip

"""What a batch of work asks the records at once, before each piece of it asks alone (`store.queries.Lookup`).

Nothing here decides anything: whatever is not asked ahead is asked when it is needed. What is asked together costs one
statement for eight pieces of work rather than eight, and what they write is then written together too.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from estafette.exchange.messages import Kind, Message
from estafette.formats.status_message import StatusMessage
from estafette.invoice.model import Invoice
from estafette.platform import flows, intake, mirror, reception, reporting_sources, status_reception
from estafette.platform.deliveries import EXCHANGED, brought_by, key_of
from estafette.platform.flows import Deposit
from estafette.platform.life_cycle import HISTORY
from estafette.store.queries import AnyRow, Lookup


def registrations(connection: Connection, some: Sequence[tuple[str, Deposit, str]]) -> None:
    """Ask what registering these deposits will: which were made before, when each company was told last, webhooks."""
    tracked = [
        {"siren": siren, "sha256": sha256, "tracking_id": deposit.tracking_id}
        for siren, deposit, sha256 in some
        if deposit.tracking_id
    ]
    with Lookup.at_once(connection):
        flows.SAME.ahead(connection, tracked)
        flows.look_ahead(connection, {siren for siren, _, _ in some})


def deposits(connection: Connection, some: Sequence[tuple[AnyRow, Invoice]], *, alone: bool) -> None:
    """Ask what settling these deposits will: duplicates, the directory, what was reported, statuses come early.

    Unless they are settled `alone`, a transmission or a status among them may change what was reported.
    """
    rows, documents = [row for row, _ in some], [document for _, document in some]
    keys = [{"siren": row["siren"], "side": "issued", **intake.key_of(document)} for row, document in some]
    numbers = [{"siren": row["siren"], "number": document.number} for row, document in some]
    with Lookup.at_once(connection):
        flows.REPEATED.ahead(connection, [{"siren": row["siren"], "sha256": row["sha256"]} for row in rows])
        intake.HELD.ahead(connection, keys)
        if alone:
            reporting_sources.REPORTED.ahead(connection, numbers)
        _early(connection, documents)
        _directory(connection, documents)
        flows.look_ahead(connection, {row["siren"] for row in rows})
    _platforms(connection, documents)


def receptions(connection: Connection, documents: Sequence[Invoice]) -> None:
    """Ask what taking these invoices of other platforms will: their addressees, duplicates, statuses come early."""
    addresses = [{"address": _address(document)} for document in documents]
    buyers = {each.buyer.siren for each in documents}
    with Lookup.at_once(connection):
        mirror.LINES.ahead(connection, addresses, steady=True)
        _early(connection, documents)
        mirror.UNIT.ahead(connection, [{"siren": one} for one in buyers], steady=True)
    lines = [mirror.LINES.rows(connection, **address) for address in addresses]
    sirens = [of_address[0]["siren"] if of_address else None for of_address in lines]
    served = [(siren, document) for siren, document in zip(sirens, documents, strict=True) if siren]
    keys = [{"siren": siren, "side": "received", **intake.key_of(document)} for siren, document in served]
    with Lookup.at_once(connection):
        reception.COMPANY.ahead(connection, [{"siren": siren} for siren in sirens if siren], steady=True)
        intake.HELD.ahead(connection, keys)
        flows.look_ahead(connection, {siren for siren, _ in served})


def statuses(connection: Connection, some: Sequence[tuple[str, StatusMessage]]) -> None:
    """Ask what taking these statuses of other platforms will: their deliveries, each with its life cycle."""
    keys = [{**key_of(message), "peer": sender} for sender, message in some if message.status != "501"]
    EXCHANGED.ahead(connection, keys, steady=True)
    _lives(connection, [row for key in keys for row in EXCHANGED.rows(connection, **key)])


def delivered(connection: Connection, messages: Sequence[Message]) -> None:
    """Ask what noting that these messages are delivered will."""
    keys = [{"which": brought_by(message.id)} for message in messages if message.kind is Kind.INVOICE]
    intake.DELIVERED.ahead(connection, keys, steady=True)
    _lives(connection, [row for key in keys for row in intake.DELIVERED.rows(connection, **key)])


def _lives(connection: Connection, rows: Sequence[AnyRow]) -> None:
    with Lookup.at_once(connection):
        HISTORY.ahead(connection, [{"invoice": row["id"]} for row in rows], steady=True)
        flows.look_ahead(connection, {row["siren"] for row in rows})


def _early(connection: Connection, documents: Sequence[Invoice]) -> None:
    keys = [intake.key_of(document) for document in documents]
    status_reception.EARLY.ahead(connection, keys)


def _directory(connection: Connection, documents: Sequence[Invoice]) -> None:
    mirror.LINES.ahead(connection, [{"address": _address(document)} for document in documents], steady=True)
    sirens = {siren for each in documents for siren in (each.seller.siren, each.buyer.siren, _address(each)[:9])}
    mirror.UNIT.ahead(connection, [{"siren": siren or ""} for siren in sirens], steady=True)


def _platforms(connection: Connection, documents: Sequence[Invoice]) -> None:
    """Ask of the platforms that serve the addressees, once their lines are known."""
    lines = [line for each in documents for line in mirror.LINES.rows(connection, address=_address(each))]
    mirror.REGISTRATION.ahead(connection, [{"matricule": line["matricule"]} for line in lines], steady=True)


def _address(document: Invoice) -> str:
    return document.addressee.value if document.addressee else ""

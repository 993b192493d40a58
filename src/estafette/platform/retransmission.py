"""An invoice that reached nobody is sent again: its customer had no platform, or the one written to does not serve it.

Nothing of it changes but where it goes: the document, its number, what the State was told stay. The directory is asked
anew, of today.

Source: XP Z12-012, status 221 (the same invoice may be sent again once the directory is corrected); XP Z12-014, annex
A, case 0c (NON_TRANSMISE: sent when the customer activates an address).
"""

from typing import Any

from sqlalchemy import Connection, RowMapping, update

from estafette.directory.resolution import Outcome
from estafette.exchange.messages import Kind, Message
from estafette.invoice.model import Invoice
from estafette.platform.deliveries import lane_of
from estafette.platform.home import Home
from estafette.platform.life_cycle import history
from estafette.platform.tables import invoice
from estafette.store import audit
from estafette.values.moments import paris_day

ENDED = frozenset({"210", "213", "220"})
TAKEN = frozenset({"202", "203"})
REACHED = (Outcome.PLATFORM, Outcome.GRACE, Outcome.CHORUS_PRO)


class CannotSend(Exception):
    """The invoice cannot be sent again: why, in both languages."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr = fr
        self.en = en


def may_be_sent_again(row: RowMapping | dict[str, Any], said: list[str]) -> bool:
    """Tell whether an invoice reached nobody, by its statuses in order: never transmitted, or misrouted (221)."""
    if row["side"] != "issued" or not ENDED.isdisjoint(said):
        return False
    if row["standing"] == "undelivered":
        return True
    return row["standing"] == "live" and "221" in said and TAKEN.isdisjoint(said) and not _under_way(said)


def send_again(home: Home, connection: Connection, row: RowMapping, document: Invoice) -> str:
    """The invoice is on its way to the platform that the directory now names; returns its matricule.

    Raises: CannotSend, when it reached somebody, is under way, or the directory still names nobody.
    """
    said = [event.status for event in history(connection, row["id"])]
    if not may_be_sent_again(row, said):
        raise CannotSend("La facture est arrivée, ou est en route.", "The invoice has arrived, or is on its way.")
    resolution = home.mirror.resolve(connection, document.addressee, on=paris_day(home.actor.clock()))
    if resolution.outcome not in REACHED or resolution.matricule is None:
        raise CannotSend(
            "L'annuaire ne donne toujours pas de plateforme à cette adresse : demandez la bonne à votre client.",
            "The directory still gives no platform for this address: ask your customer for the right one.",
        )
    _leave(home, connection, row, resolution.matricule, attempt=2 + said.count("221"))
    return resolution.matricule


def _leave(home: Home, connection: Connection, row: RowMapping, matricule: str, *, attempt: int) -> None:
    """The message leaves under a number of its own: whom it comes to a second time must not take it for the first."""
    now = home.actor.clock()
    connection.execute(update(invoice).where(invoice.c.id == row["id"]).values(peer=matricule, standing="live"))
    message = Message(
        id=f"{row['id']}.{attempt}",
        kind=Kind.INVOICE,
        sender=row["matricule"] or home.identity.matricule,
        recipient=matricule,
        name=row["file_name"],
        sha256=row["sha256"],
    )
    home.post.send(connection, message, lane=lane_of(row))
    audit.record(connection, row["siren"], "sent.again", about=row["id"], at=now, to=matricule, attempt=attempt)


def _under_way(said: list[str]) -> bool:
    """Tell whether it was sent since the last 221, and is not answered."""
    return "201" in said[len(said) - said[::-1].index("221") :]

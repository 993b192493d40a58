"""Every kind of thing that goes, in the order they go, and the companies of which nothing may go now."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, select

from estafette.platform.keeping import Drawer
from estafette.platform.keeping_invoices import ALONE, DECLARATIONS, INVOICES, IRRECEIVABLE, REJECTED
from estafette.platform.keeping_messages import EARLY, ENVELOPES, MESSAGES
from estafette.platform.keeping_persons import ACCESSES, ACCOUNTS
from estafette.platform.keeping_reports import FILES, TRANSMISSIONS, UNITS
from estafette.platform.keeping_tables import departure, package

DRAWERS: tuple[Drawer, ...] = (
    INVOICES, REJECTED, DECLARATIONS, ENVELOPES, MESSAGES, EARLY, IRRECEIVABLE, ALONE, TRANSMISSIONS, FILES, UNITS,
    ACCESSES, ACCOUNTS,
)  # fmt: skip
"""The first first: an invoice's file before the records it may share documents with."""


def needing(connection: Connection, sirens: Iterable[str], *, on: date) -> dict[str, str]:
    """Return the companies of which nothing may go now, and why: a package is being made, or it changes platform."""
    asked = sorted({siren for siren in sirens if siren})
    making = select(package.c.siren).where(package.c.siren.in_(asked), package.c.state == "asked")
    leaving = select(departure.c.siren, departure.c.serves_until).where(
        departure.c.siren.in_(asked), departure.c.withdrawn_at.is_(None), departure.c.serves_until >= on
    )
    found = {row.siren: f"portability until {row.serves_until}" for row in connection.execute(leaving)}
    return found | dict.fromkeys(connection.execute(making).scalars(), "package")

"""What is declared of the connections of platforms to the portal (ppf-flows.md §5): protocol, subscriptions, end."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from estafette.portal.intake_tables import partner_connection
from estafette.store import gathered

HTTPS, SFTP = "https", "sftp"


@dataclass(frozen=True, slots=True)
class Declared:
    """What was declared of a connection. `interfaces`: those it is subscribed to, all when none is said."""

    protocol: str = HTTPS
    interfaces: frozenset[str] | None = None
    until: date | None = None

    def is_valid(self, on: date) -> bool:
        """Tell whether the connection has not ended: its last day is still a day of it."""
        return self.until is None or on <= self.until

    def takes(self, interface: str) -> bool:
        """Tell whether flows of an interface may come by it."""
        return self.interfaces is None or interface in self.interfaces


def declared(connection: Connection, application_code: str) -> Declared:
    """Return what was declared of a connection, or what holds when nothing was."""
    row = connection.execute(_DECLARED, {"code": application_code}).first()
    if row is None:
        return Declared()
    return Declared(row.protocol, None if row.interfaces is None else frozenset(row.interfaces), row.until)


def declare(connection: Connection, application_code: str, said: Declared, *, now: datetime) -> None:
    """What is declared of the connection holds from now on."""
    row = {
        "application_code": application_code,
        "protocol": said.protocol,
        "interfaces": None if said.interfaces is None else sorted(said.interfaces),
        "until": said.until,
        "recorded_at": now,
    }
    connection.execute(delete(partner_connection).where(partner_connection.c.application_code == application_code))
    connection.execute(insert(partner_connection).values(row))


def every(connection: Connection) -> list[RowMapping]:
    """Return every declaration."""
    query = select(partner_connection).order_by(partner_connection.c.application_code)
    return list(connection.execute(query).mappings())


_DECLARED = gathered.reads(select(partner_connection).where(partner_connection.c.application_code == bindparam("code")))

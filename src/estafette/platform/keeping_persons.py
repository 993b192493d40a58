"""The drawers of persons: the journal of accesses, and what is known of those whose account is closed."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, select, update

from estafette.platform.keeping import Asked, Drawer, Kept, Source, Trace, hash_of, kept, remove
from estafette.store.columns import constant
from estafette.store.inventory import NONE
from estafette.store.tables import account, external_identity, identity_event, recovery_code
from estafette.values.retention import Kind


def _accesses(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    found = []
    for row in rows:
        trace = Trace("access", str(row["id"]), hash_of(row, identity_event))
        said = {"siren": row["organization"], "documents": ()}
        found.append(kept(asked, row, Kind.JOURNAL, trace, drawer="access", **said))
    return found


def _accounts(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    """Give the closed accounts: of a person only the login stays, which the journals name."""
    return [kept(asked, row, Kind.PERSONAL, Trace("account", row["login"], ""), drawer="account") for row in rows]


def _blank_accounts(connection: Connection, things: Sequence[Kept]) -> None:
    logins = [thing.key for thing in things]
    for table in (external_identity, recovery_code):
        connection.execute(delete(table).where(table.c.login.in_(logins)))
    gone = {"email": None, "password_hash": NONE, "factor_secret": None, "factor_since": None}
    connection.execute(update(account).where(account.c.login.in_(logins)).values(gone))


ACCESSES = Drawer(
    "access", "Journal des accès", "Journal of accesses",
    Source(select(identity_event), identity_event.c.id, identity_event.c.at, (Kind.JOURNAL,)),
    _accesses, remove(identity_event, identity_event.c.id),
)  # fmt: skip
ACCOUNTS = Drawer(
    "account", "Comptes fermés", "Closed accounts",
    Source(select(account), account.c.login, account.c.closed_at, (Kind.PERSONAL,),
           (account.c.password_hash != constant(NONE),)),
    _accounts, _blank_accounts,
)  # fmt: skip

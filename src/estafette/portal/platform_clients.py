"""Who speaks for a registered platform at the portal: its software at the APIs, its people at the watch desk."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from estafette.directory import ReceivingPlatform
from estafette.portal import holdings
from estafette.portal.feed_tables import platform_client
from estafette.store import identity, identity_clients
from estafette.store.identity_events import By
from estafette.store.roles import PLATFORM_SCOPES

PEOPLE = "platform"
"""The role of the people of a platform; the organization that they hold it at is its matricule."""


class NotPossible(Exception):
    """The client, or the account, cannot be opened: why, in both languages."""


class Unknown(NotPossible):
    """The directory has no such platform, or the platform no such client or account."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Software that speaks for a platform, and how far."""

    client_id: str
    platform: ReceivingPlatform
    scopes: frozenset[str]


def open_client(
    connection: Connection, *, matricule: str, client_id: str, secret: str, may_write: bool, now: datetime
) -> None:
    """The software may ask for tokens in the name of a registered platform; an existing client of it is left as it is.

    Raises: Unknown, for one that is not in the directory; NotPossible, for a client of another, or closed.
    """
    platform = _platform(connection, matricule)
    held = connection.execute(
        select(platform_client.c.matricule).where(platform_client.c.client_id == client_id)
    ).scalar()
    if held == matricule:
        if identity_clients.holder_of(connection, client_id) is None:
            raise NotPossible(f"{client_id} : fermé, prenez un autre identifiant. / Closed, take another identifier.")
        return
    if held is not None or identity.has_client(connection, client_id):
        raise NotPossible(f"{client_id} : identifiant déjà pris. / Identifier already taken.")
    identity.create_client(
        connection,
        client_id=client_id,
        secret=secret,
        tenant=platform.siren or matricule,
        now=now,
        scopes=tuple(PLATFORM_SCOPES) if may_write else ("annuaire.read",),
    )
    connection.execute(insert(platform_client).values(client_id=client_id, matricule=matricule))


def close_client(connection: Connection, *, matricule: str, client_id: str, now: datetime) -> None:
    """The software gets nothing any more, and its tokens are over; twice is once. Raises: Unknown."""
    mine = (platform_client.c.client_id == client_id, platform_client.c.matricule == matricule)
    if connection.execute(select(platform_client.c.client_id).where(*mine)).first() is None:
        raise Unknown(f"{client_id} : pas de la plateforme {matricule}. / Not of platform {matricule}.")
    holder = identity_clients.holder_of(connection, client_id)
    if holder is not None:
        identity_clients.revoke_client(connection, By("operator", holder.tenant, now), client_id)


def open_account(connection: Connection, *, matricule: str, login: str, held: str, now: datetime) -> None:
    """The person may watch the flows of a registered platform; twice is once.

    The password of this hash is changed at the first sign-in.

    Raises: Unknown, for a platform that is not in the directory; NotPossible, for a login that is another's.
    """
    _platform(connection, matricule)
    had = identity.organizations_of(connection, login)
    if matricule in had:
        return
    is_new = identity.add_account(
        connection, login=login, held=held, role=PEOPLE, tenant=matricule, now=now, is_given=True
    )
    if not is_new:
        raise NotPossible(f"{login} : identifiant déjà pris. / Identifier already taken.")


def close_account(connection: Connection, *, matricule: str, login: str) -> None:
    """The person watches nothing of the platform any more. Raises: Unknown."""
    if matricule not in identity.organizations_of(connection, login):
        raise Unknown(f"{login} : pas de la plateforme {matricule}. / Not of platform {matricule}.")
    identity.leave(connection, login=login, organization=matricule)
    identity.close_sessions(connection, login)


def _platform(connection: Connection, matricule: str) -> ReceivingPlatform:
    platform = holdings.platform_of(connection, matricule)
    if platform is None or platform.platform_type != "PDP":
        raise Unknown(f"{matricule} : plateforme inconnue. / Platform unknown.")
    return platform


def speaker(connection: Connection, holder: identity.Holder, *, on: date) -> Speaker | None:
    """Return whom the holder of a token speaks for; None when that is no platform, or no longer a registered one."""
    query = select(platform_client.c.matricule).where(platform_client.c.client_id == holder.client_id)
    matricule = connection.execute(query).scalar()
    platform = holdings.platform_of(connection, matricule) if matricule else None
    if platform is None or not platform.is_registered(on):
        return None
    return Speaker(holder.client_id, platform, holder.scopes)

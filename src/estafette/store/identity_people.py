"""The people of an organization, as those who administer it see and change them; every act is in the trace.

An administrator makes new logins only, and resets nothing of an account that also acts elsewhere: otherwise whoever
administers one company could make, or take, the account of somebody who is trusted by another. The operator may.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select

from estafette.store import identity, identity_factor
from estafette.store.identity_events import By, record
from estafette.store.roles import ROLES, Capability, capabilities_of
from estafette.store.tables import account, membership, session


class NotPossible(Exception):
    """The act is refused; why, in both languages."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr, self.en = fr, en


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody at an organization. `is_elsewhere`: also at another one, its account is then the operator's affair."""

    login: str
    role: str
    email: str | None
    has_factor: bool
    password_is_given: bool
    seen_at: datetime | None
    is_elsewhere: bool


def people(connection: Connection, organization: str) -> Sequence[Member]:
    """Return who has a role at the organization, by login."""
    other = membership.alias("other")
    elsewhere = select(func.count()).select_from(other).where(other.c.login == account.c.login).scalar_subquery()
    seen = select(func.max(session.c.seen_at)).where(session.c.login == account.c.login).scalar_subquery()
    query = (
        select(account, membership.c.role, seen.label("seen_at"), elsewhere.label("places"))
        .join(membership, membership.c.login == account.c.login)
        .where(membership.c.organization == organization, account.c.closed_at.is_(None))
        .order_by(account.c.login)
    )
    return [_member(row) for row in connection.execute(query).mappings()]


def add(connection: Connection, by: By, *, login: str, email: str | None, role: str, held: str) -> None:
    """A new account has this role at the organization; the password of this hash is to be changed at its first sign-in.

    Raises: NotPossible.
    """
    _check_role(by, role)
    if not identity.add_account(
        connection, login=login, held=held, role=role, tenant=by.organization, now=by.now, email=email, is_given=True
    ):
        raise NotPossible(
            "Cet identifiant est pris : choisissez-en un autre, ou demandez à l'opérateur d'ajouter cette personne.",
            "This login is taken: choose another, or ask the operator to add this person.",
        )
    record(connection, by, "person.added", login, role=role)


def admit(connection: Connection, by: By, *, login: str, role: str) -> None:
    """An account that exists has this role at the organization too: the operator's act. Raises: NotPossible."""
    _check_role(by, role)
    if identity.password_hash(connection, login) is None:
        raise NotPossible("Aucun compte n'a cet identifiant.", "No account has this login.")
    identity.join(connection, login=login, organization=by.organization, role=role, now=by.now)
    record(connection, by, "person.admitted", login, role=role)


def change_role(connection: Connection, by: By, login: str, role: str) -> None:
    """The person has another role at the organization. Raises: NotPossible."""
    _check_role(by, role)
    before = _found(connection, by, login)
    _check_last(connection, by, before, role)
    identity.join(connection, login=login, organization=by.organization, role=role, now=by.now)
    record(connection, by, "person.role", login, role=role, before=before.role)


def remove(connection: Connection, by: By, login: str) -> None:
    """The person has nothing to do with the organization; an account that is nowhere else is closed for good.

    Raises: NotPossible.
    """
    member = _found(connection, by, login)
    _check_last(connection, by, member, "")
    identity.leave(connection, login=login, organization=by.organization)
    if not member.is_elsewhere:
        identity.close_account(connection, login=login, now=by.now)
    record(connection, by, "person.removed", login, role=member.role)


def reset_password(connection: Connection, by: By, login: str, *, held: str, is_operator: bool = False) -> None:
    """The account has the password of this hash, to be changed at the next sign-in. Raises: NotPossible."""
    _check_whole(_found(connection, by, login), is_operator)
    identity.set_password(connection, login=login, held=held, given_at=by.now)
    record(connection, by, "password.reset", login)


def reset_factor(connection: Connection, by: By, login: str, *, is_operator: bool = False) -> None:
    """The account has no second factor and its sessions are over. Raises: NotPossible."""
    _check_whole(_found(connection, by, login), is_operator)
    identity_factor.remove(connection, login)
    identity.close_sessions(connection, login)
    record(connection, by, "factor.reset", login)


def password_to_give() -> str:
    """Return a password of 80 bits that can be read aloud."""
    return "-".join(secrets.token_hex(3)[:5] for _ in range(4))


def _found(connection: Connection, by: By, login: str) -> Member:
    found = next((member for member in people(connection, by.organization) if member.login == login), None)
    if found is None:
        raise NotPossible("Cette personne n'est pas de l'organisation.", "This person is not of the organization.")
    return found


def _check_role(by: By, role: str) -> None:
    known = ROLES.get(role)
    if known is None or known.is_of_organization is not bool(by.organization):
        raise NotPossible(f"Rôle inconnu ici : {role}.", f"Unknown role here: {role}.")


def _check_last(connection: Connection, by: By, member: Member, role: str) -> None:
    """Somebody is left who can administer the organization."""
    keys = Capability.ADMINISTER if by.organization else Capability.OPERATE
    others = [one for one in people(connection, by.organization) if one.login != member.login]
    had, left = keys in capabilities_of(member.role), any(keys in capabilities_of(one.role) for one in others)
    if had and keys not in capabilities_of(role) and not left:
        raise NotPossible(
            "C'est le dernier administrateur : donnez d'abord ce rôle à quelqu'un d'autre.",
            "This is the last administrator: give this role to somebody else first.",
        )


def _check_whole(member: Member, is_operator: bool) -> None:
    if member.is_elsewhere and not is_operator:
        raise NotPossible(
            "Ce compte agit aussi pour une autre organisation : seul l'opérateur peut le réinitialiser.",
            "This account also acts for another organization: only the operator can reset it.",
        )


def _member(row: RowMapping) -> Member:
    return Member(
        login=row["login"],
        role=row["role"],
        email=row["email"],
        has_factor=row["factor_since"] is not None,
        password_is_given=row["password_given_at"] is not None,
        seen_at=row["seen_at"],
        is_elsewhere=row["places"] > 1,
    )

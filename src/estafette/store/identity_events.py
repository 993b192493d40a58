"""The trace of accesses: who gave, changed or took away which, written in the transaction that did it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from estafette.store import audit
from estafette.store.tables import identity_event

KINDS = {
    "password.changed": ("Mot de passe changé", "Password changed"),
    "password.reset": ("Mot de passe réinitialisé", "Password reset"),
    "factor.added": ("Second facteur ajouté", "Second factor added"),
    "factor.codes": ("Nouveaux codes de secours", "New recovery codes"),
    "factor.removed": ("Second facteur retiré", "Second factor removed"),
    "factor.reset": ("Second facteur retiré par un administrateur", "Second factor removed by an administrator"),
    "identity.linked": ("Compte du fournisseur d'identité lié", "Account of the identity provider linked"),
    "person.added": ("Personne ajoutée", "Person added"),
    "person.admitted": ("Compte existant admis", "Existing account admitted"),
    "person.role": ("Rôle changé", "Role changed"),
    "person.removed": ("Accès retiré", "Access taken away"),
    "client.created": ("Logiciel ajouté", "Software added"),
    "client.key": ("Clé remplacée", "Key replaced"),
    "client.revoked": ("Logiciel retiré", "Software taken away"),
    "accreditation.given": ("Délégation donnée", "Delegation given"),
    "accreditation.ended": ("Délégation terminée", "Delegation ended"),
}
"""Every kind of act, in words."""


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, for which organization (empty: the actor itself), and when."""

    login: str
    organization: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the trace."""

    at: datetime
    actor: str
    kind: str
    subject: str
    detail: dict[str, Any]


def record(connection: Connection, by: By, kind: str, subject: str, **detail: Any) -> None:
    """The act is in the trace of the organization. No secret is ever given to it."""
    row = {"at": by.now, "organization": by.organization, "actor": by.login, "kind": kind, "subject": subject}
    connection.execute(insert(identity_event).values(**row, detail=detail))
    with audit.acting(f"login:{by.login}"):
        audit.record(connection, by.organization, f"access.{kind}", at=by.now, about=subject[:200], **detail)


def events(connection: Connection, organization: str, limit: int) -> Sequence[Event]:
    """Return the latest lines of an organization, the last first."""
    columns = (identity_event.c[name] for name in ("at", "actor", "kind", "subject", "detail"))
    mine = identity_event.c.organization == organization
    query = select(*columns).where(mine).order_by(identity_event.c.id.desc()).limit(limit)
    return [Event(*row) for row in connection.execute(query)]

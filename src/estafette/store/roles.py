"""Who may do what: one table of roles for people, one of scopes for software, both in the same few capabilities.

What is in neither table is refused. The desks and the API ask the same question, `Capability in …`; nothing else
decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Capability(StrEnum):
    """What one may do at an organization, or at the actor itself."""

    READ = "read"
    DEPOSIT = "deposit"
    ANSWER = "answer"
    RESTITUTE = "restitute"
    ADMINISTER = "administer"
    OPERATE = "operate"
    WATCH = "watch"
    DECIDE = "decide"


C = Capability


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its words, what it may do, and where it is held: at an organization, or at the actor itself.

    `is_of_organization` is None for a role that nobody gives at a desk.
    """

    code: str
    fr: str
    en: str
    means_fr: str
    means_en: str
    capabilities: frozenset[Capability]
    is_of_organization: bool | None = True


ROLES: Mapping[str, Role] = {
    role.code: role
    for role in (
        Role(
            "administrator",
            "Administrateur",
            "Administrator",
            "Tout faire pour l'entreprise, et gérer ses accès.",
            "Do everything for the company, and manage its accesses.",
            frozenset({C.READ, C.DEPOSIT, C.ANSWER, C.RESTITUTE, C.ADMINISTER}),
        ),
        Role(
            "accountant",
            "Comptable",
            "Accountant",
            "Lire, déposer, répondre, demander une restitution.",
            "Read, deposit, answer, ask for a restitution package.",
            frozenset({C.READ, C.DEPOSIT, C.ANSWER, C.RESTITUTE}),
        ),
        Role(
            "reader",
            "Lecteur, contrôleur",
            "Reader, controller",
            "Lire seulement.",
            "Read only.",
            frozenset({C.READ}),
        ),
        Role(
            "operator",
            "Opérateur",
            "Operator",
            "Gérer les comptes de la plateforme, sans voir de facture.",
            "Manage the accounts of the platform, without seeing an invoice.",
            frozenset({C.OPERATE, C.WATCH}),
            is_of_organization=False,
        ),
        Role(
            "platform",
            "Plateforme",
            "Platform",
            "Suivre les flux de sa plateforme au concentrateur.",
            "Watch the flows of one's platform at the concentrator.",
            frozenset({C.WATCH}),
            is_of_organization=None,
        ),
        Role(
            "agent",
            "Agent",
            "Agent",
            "Lire et décider pour l'administration.",
            "Read and decide for the administration.",
            frozenset({C.READ, C.DECIDE}),
            is_of_organization=False,
        ),
    )
}
"""Every role, the widest first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a client of the API may be given (RFC 6749 §3.3): its words, and what it lets do."""

    code: str
    fr: str
    en: str
    capabilities: frozenset[Capability]


SCOPES: Mapping[str, Scope] = {
    scope.code: scope
    for scope in (
        Scope("flow.read", "Lire les flux", "Read flows", frozenset({C.READ})),
        Scope("flow.write", "Déposer et répondre", "Deposit and answer", frozenset({C.DEPOSIT, C.ANSWER})),
        Scope("directory.read", "Lire l'annuaire", "Read the directory", frozenset({C.READ})),
        Scope("webhook.write", "Gérer les notifications", "Manage webhooks", frozenset({C.READ})),
        Scope("report.write", "Déclarer (e-reporting)", "Report (e-reporting)", frozenset({C.DEPOSIT})),
        Scope("archive.read", "Demander une restitution", "Ask for restitution packages", frozenset({C.RESTITUTE})),
    )
}
"""Every scope of the software of a company; a token carries those of its client."""

PLATFORM_SCOPES: Mapping[str, Scope] = {
    scope.code: scope
    for scope in (
        Scope("annuaire.read", "Lire l'annuaire du portail", "Read the portal's directory", frozenset({C.READ})),
        Scope("annuaire.write", "Modifier l'annuaire du portail", "Change the portal's directory", frozenset({C.READ})),
    )
}
"""Every scope of the software of a registered platform at the portal's directory API."""

READING = frozenset({"flow.read", "directory.read", "webhook.write"})
WRITING = frozenset({"flow.write", "report.write"})
"""What an accreditation gives for “read” and for “write” (XP Z12-013 §7: search and get, post). Neither gives the whole
of an organization's archives: those are asked for by itself."""


def capabilities_of(role: str) -> frozenset[Capability]:
    """Return what a role may do; an unknown one may do nothing."""
    held = ROLES.get(role)
    return held.capabilities if held else frozenset()


def capabilities_by(scopes: Iterable[str]) -> frozenset[Capability]:
    """Return what the scopes let do together; an unknown one lets do nothing."""
    held = [SCOPES[scope].capabilities for scope in scopes if scope in SCOPES]
    return frozenset().union(*held)

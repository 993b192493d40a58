"""The application to a pilot campaign: its form, and whether it is complete (rules R1 and R2).

R1: received until the day the call closes, 23:59:59 in Paris. R2: the act, the diagram of flows, the motivation letter
and a signed charter for each member; one lead; a supplier and a customer that are two companies; valid SIRENs; flows
between members; and for each company a software vendor or a platform.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from estafette.administration.files import Finding
from estafette.values.identifiers import SIREN
from estafette.values.moments import paris_day

ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=150)]

STATE_SERVICES = frozenset({"PPF", "CHORUS_PRO"})
"""What a company may go through without a member of the team: the public portal, Chorus Pro."""


class Role(StrEnum):
    """What a member does in the team."""

    SUPPLIER = "SUPPLIER"
    CUSTOMER = "CUSTOMER"
    SOFTWARE_VENDOR = "SOFTWARE_VENDOR"
    PLATFORM = "PLATFORM"
    PUBLIC_ENTITY = "PUBLIC_ENTITY"
    ACCOUNTANT = "ACCOUNTANT"
    OBSERVER = "OBSERVER"


class Lead(StrEnum):
    """The two versions of the act: the lead is a future platform, or a company."""

    PLATFORM = "LEAD_PLATFORM"
    COMPANY = "LEAD_COMPANY"


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign: every date is its own."""

    id: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,40}$")]
    name_fr: ShortText
    name_en: ShortText
    source: ShortText
    call_opens: date
    call_closes: date
    selection_by: date
    preparation_starts: date
    run_starts: date
    run_ends: date

    def phase(self, on: date) -> str:
        """Return where the campaign is on this day, in its own calendar."""
        phases = (
            (self.call_opens, "DRAFT"),
            (date.fromordinal(self.call_closes.toordinal() + 1), "CALL_OPEN"),
            (self.preparation_starts, "SELECTION"),
            (self.run_starts, "PREPARATION"),
            (date.fromordinal(self.run_ends.toordinal() + 1), "RUNNING"),
        )
        return next((phase for until, phase in phases if on < until), "CLOSED")


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The act of candidacy, signed."""

    version: Lead
    reference: ShortText
    signed_on: date


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of the team. `through`: the vendors and platforms (SIREN), or the State's service, it goes through."""

    siren: str
    name: ShortText
    roles: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1)]
    naf: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}\.[0-9]{2}[A-Z]$")] | None = None
    through: tuple[str, ...] = ()
    charter_signed_on: date | None = None


class FlowEdge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An arrow of the diagram of flows: invoices from a member to another, a month."""

    sender: str
    recipient: str
    syntax: ShortText
    invoices_per_month: Annotated[int, msgspec.Meta(ge=0)]


class ApplicationForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The application file of a team."""

    campaign: str
    team: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    lead: str
    members: tuple[Member, ...]
    act: Act | None = None
    motivation_letter: ShortText | None = None
    flows: tuple[FlowEdge, ...] = ()
    use_cases: tuple[str, ...] = ()


def findings(form: ApplicationForm, campaign: Campaign, *, submitted_at: datetime) -> tuple[Finding, ...]:
    """Return what is wrong or missing; an empty tuple when the application is complete."""
    return (
        *_in_time(campaign, submitted_at),
        *_papers(form),
        *_team(form),
        *(finding for place, member in enumerate(form.members) for finding in _member(form, place, member)),
        *_diagram(form),
    )


def _in_time(campaign: Campaign, submitted_at: datetime) -> Iterator[Finding]:
    if not campaign.call_opens <= paris_day(submitted_at) <= campaign.call_closes:
        opens, closes = campaign.call_opens.isoformat(), campaign.call_closes.isoformat()
        fr = f"Attendu : du {opens} au {closes} à 23:59:59, heure de Paris."
        en = f"Expected: from {opens} to {closes} at 23:59:59, Paris time."
        yield Finding("R1", "submitted_at", submitted_at.isoformat(), fr, en)


def _papers(form: ApplicationForm) -> Iterator[Finding]:
    if form.act is None:
        yield Finding("R2", "$.act", "—", "Manque l'acte de candidature.", "The act of candidacy is missing.")
    if form.motivation_letter is None:
        yield Finding("R2", "$.motivation_letter", "—", "Manque la lettre de motivation.", "The letter is missing.")
    if not form.flows:
        yield Finding("R2", "$.flows", "—", "Manque le schéma des flux.", "The diagram of flows is missing.")


def _team(form: ApplicationForm) -> Iterator[Finding]:
    held = Counter(member.siren for member in form.members)
    if held[form.lead] != 1:
        fr, en = "Attendu : le SIREN d'un membre de l'équipe.", "Expected: the SIREN of one member of the team."
        yield Finding("R2", "$.lead", form.lead, fr, en)
    for siren in (siren for siren, times in held.items() if times > 1):
        yield Finding("R2", "$.members", siren, "Membre inscrit deux fois.", "Member written twice.")
    suppliers = {member.siren for member in form.members if Role.SUPPLIER in member.roles}
    customers = {member.siren for member in form.members if Role.CUSTOMER in member.roles}
    if not any(supplier != customer for supplier in suppliers for customer in customers):
        fr = "Attendu : un fournisseur et un client, deux entreprises différentes."
        en = "Expected: a supplier and a customer, two different companies."
        yield Finding("R2", "$.members", f"{len(suppliers)} + {len(customers)}", fr, en)


def _member(form: ApplicationForm, place: int, member: Member) -> Iterator[Finding]:
    path = f"$.members[{place}]"
    if not SIREN.is_valid(member.siren):
        fr, en = "Attendu : un SIREN à clé valide.", "Expected: a SIREN with a right check digit."
        yield Finding("R2", f"{path}.siren", member.siren, fr, en)
    if member.charter_signed_on is None:
        fr, en = f"Manque la charte signée de {member.name}.", f"The charter signed by {member.name} is missing."
        yield Finding("R2", f"{path}.charter_signed_on", "—", fr, en)
    trades = {Role.SUPPLIER, Role.CUSTOMER, Role.PUBLIC_ENTITY} & set(member.roles)
    if trades and not set(member.through) & (_providers(form) | STATE_SERVICES):
        fr = "Attendu : un éditeur ou une plateforme de l'équipe (SIREN), PPF ou CHORUS_PRO."
        en = "Expected: a vendor or platform of the team (SIREN), PPF or CHORUS_PRO."
        yield Finding("R2", f"{path}.through", ", ".join(member.through) or "—", fr, en)


def _providers(form: ApplicationForm) -> set[str]:
    wanted = {Role.SOFTWARE_VENDOR, Role.PLATFORM}
    return {member.siren for member in form.members if wanted & set(member.roles)}


def _diagram(form: ApplicationForm) -> Iterator[Finding]:
    members = {member.siren for member in form.members}
    for place, edge in enumerate(form.flows):
        for end, siren in (("sender", edge.sender), ("recipient", edge.recipient)):
            if siren not in members:
                fr, en = "Attendu : le SIREN d'un membre.", "Expected: the SIREN of a member."
                yield Finding("R2", f"$.flows[{place}].{end}", siren, fr, en)

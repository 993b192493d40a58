"""What the directory holds, in the words of XP Z12-013: legal units, establishments, routing codes, platforms, lines.

Intervals are half open: `start` is in, `end` is not, None is no limit. A record is one version: `instance` is its
number, which the portal increments, so the greater of two versions is the later.

Source: external specifications v3.2, annex 3 (V1.8), DG-3 to DG-7.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from estafette.values.identifiers import Address


class Grain(StrEnum):
    """How fine an address is (maille d'adressage)."""

    SIREN = "SIREN"
    SIRET = "SIREN_SIRET"
    ROUTING_CODE = "SIREN_SIRET_CODEROUTAGE"
    SUFFIX = "SIREN_SUFFIXE"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalUnit:
    """A legal unit: taxable (A) or public (P), diffusible (O), partly (P), or against prospecting (M)."""

    siren: str
    name: str
    entity_type: str = "A"
    is_taxable: bool = True
    """As the tax register says; no file carries it: a private unit that is not taxable is shown to nobody."""
    status: str = "A"
    diffusion: str = "O"
    instance: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Establishment:
    """An establishment, main (P) or secondary (S); a public one has six flags, a private one none of them."""

    siret: str
    name: str
    kind: str = "P"
    status: str = "A"
    diffusion: str = "O"
    line_1: str | None = None
    line_2: str | None = None
    line_3: str | None = None
    city: str | None = None
    postal_code: str | None = None
    subdivision: str | None = None
    country: str | None = None
    commitment_required: bool | None = None
    service_required: bool | None = None
    commitment_or_service_required: bool | None = None
    is_contracting_authority: bool | None = None
    is_contracting_authority_only: bool | None = None
    manages_payment_status: bool | None = None
    instance: int = 0

    def __post_init__(self) -> None:
        if len({flag is None for flag in self.public_flags}) > 1:
            raise ValueError(f"establishment {self.siret}: the flags of a public entity are all there or all absent")

    @property
    def public_flags(self) -> tuple[bool | None, ...]:
        """Give the six flags in the order of the annex (DT-4-13)."""
        return (
            self.commitment_required,
            self.service_required,
            self.commitment_or_service_required,
            self.is_contracting_authority,
            self.is_contracting_authority_only,
            self.manages_payment_status,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingCode:
    """A free subdivision of an establishment: a service, a department."""

    siret: str
    code: str
    name: str
    scheme: str = "0224"
    status: str = "A"
    line_1: str | None = None
    line_2: str | None = None
    line_3: str | None = None
    city: str | None = None
    postal_code: str | None = None
    subdivision: str | None = None
    country: str | None = None
    commitment_required: bool | None = None
    instance: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivingPlatform:
    """A platform that invoices are received on: PPF, PDP (approved), AP (other), NA (fictive)."""

    matricule: str
    name: str
    platform_type: str = "PDP"
    status: str = "A"
    siren: str | None = None
    trade_name: str | None = None
    contact: str | None = None
    registered_from: date
    registered_until: date | None = None
    instance: int = 0

    def is_registered(self, on: date) -> bool:
        """Tell whether its registration is in force on a day."""
        return (
            self.status == "A"
            and self.registered_from <= on
            and (self.registered_until is None or on < self.registered_until)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryLine:
    """An address and the platform it is received on, for a time. Nature D defines it, M masks it before it starts."""

    siren: str
    siret: str | None = None
    routing_code: str | None = None
    suffix: str | None = None
    routing_scheme: str = "0224"
    matricule: str
    start: date
    end: date | None = None
    """The end agreed (exclusive): nothing is received from that day."""
    effective_end: date | None = None
    """The end that something outside brought forward; until `end`, what is under way may still be sent."""
    nature: str = "D"
    instance: int = 0
    defined_at: datetime | None = None
    """When the version was made, where that is known (the API tells it, the exports do not)."""

    @property
    def address(self) -> str:
        """Give the address as an invoice writes it."""
        return str(Address(self.siren, self.siret, self.routing_code, self.suffix))

    @property
    def grain(self) -> Grain:
        """Tell how fine the address is."""
        if self.routing_code is not None:
            return Grain.ROUTING_CODE
        if self.siret is not None:
            return Grain.SIRET
        return Grain.SIREN if self.suffix is None else Grain.SUFFIX

    def covers(self, on: date) -> bool:
        """Tell whether a day is within the dates agreed."""
        return self.start <= on and (self.end is None or on < self.end)

    def motive_in_full(self, on: date) -> str:
        """Give why a full export of a day shows the line: C in force, V to come; empty when it does not.

        A line that something outside ended before the day agreed is shown until that day: what is under way may still
        be sent on it (annex 3, DT-7-3-3).
        """
        if self.nature != "D":
            return ""
        if self.covers(on):
            return "C"
        return "V" if self.start > on and (self.end is None or self.start < self.end) else ""

    def overlaps(self, other: "DirectoryLine") -> bool:
        """Tell whether two lines have a day in common, whatever their addresses."""
        return (self.end is None or other.start < self.end) and (other.end is None or self.start < other.end)


Entry = LegalUnit | Establishment | RoutingCode | ReceivingPlatform | DirectoryLine
"""Anything that an export holds."""

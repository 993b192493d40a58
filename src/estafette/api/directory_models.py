"""The words of the Directory Service on the wire (XP Z12-013, annex B, 1.3): what is asked and what is answered.

The names are those published, kept as they are, its doubles included: `managesLegalCommitment` and
`managesLegalCommitmentCode`, `instructions` and `siretInstructions` (both are given wherever one of them is).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from estafette.values.limits import DIRECTORY_PAGE_MAX

Exact = Literal["strict", "contains"]
"""`contains` is what 1.1 has for numbers and types; 1.2 and 1.3 have `strict` only."""
Operator = Literal["contains", "strict", "startWith"]
Order = Literal["ascending", "descending"]

SirenField = Literal["siren", "businessName", "entityType", "administrativeStatus", "instructions"]
SiretField = Literal[
    "siret", "siren", "name", "facilityType", "administrativeStatus", "siretInstructions", "address", "pmStatus",
    "pmOnly", "managesPaymentStatus", "managesLegalCommitment", "managesLegalCommitmentOrService", "serviceCodeStatus",
]  # fmt: skip
RoutingCodeField = Literal[
    "siret", "routingIdentifierType", "routingCodeName", "routingIdentifier", "managesLegalCommitmentCode",
    "administrativeStatus", "address",
]  # fmt: skip
DirectoryLineField = Literal["addressingIdentifier", "siren", "siret", "routingIdentifier", "addressingSuffix"]

EntityType = Literal["Public", "PrivateVatRegistered"]
AdministrativeStatus = Literal["A", "C"]
FacilityType = Literal["P", "S"]
PlatformType = Literal["WK", "DFH"]
"""An approved platform, or the State's own (UNCL 3035): the portal, Chorus Pro, and where none was chosen."""


# ------------------------------------------------------------------------------------------------------------ asked


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class SirenFilter(_Part, frozen=True):
    """A SIREN, or a part of one."""

    value: Annotated[str, Meta(pattern="^[0-9]{1,9}$")]
    op: Exact = "strict"


class SiretFilter(_Part, frozen=True):
    """A SIRET, or a part of one."""

    value: Annotated[str, Meta(pattern="^[0-9]{1,14}$")]
    op: Exact = "strict"


class BusinessNameFilter(_Part, frozen=True):
    """A name of a legal unit, whatever its accents and case."""

    value: Annotated[str, Meta(min_length=1, max_length=150)]
    op: Operator = "contains"


class TextFilter(_Part, frozen=True):
    """A name, a town, a code."""

    value: Annotated[str, Meta(min_length=1, max_length=100)]
    op: Operator = "contains"


class AddressLinesFilter(_Part, frozen=True):
    """Lines of an address, as one text."""

    value: Annotated[str, Meta(min_length=1, max_length=600)]
    op: Operator = "contains"


class PostalCodeFilter(_Part, frozen=True):
    """A postal code, or its beginning."""

    value: Annotated[str, Meta(pattern="^[0-9]{1,5}$")]
    op: Operator = "startWith"


class CountrySubdivisionFilter(_Part, frozen=True):
    """A subdivision of a country."""

    value: Annotated[str, Meta(min_length=1, max_length=255)]
    op: Exact = "strict"


class AddressingIdentifierFilter(_Part, frozen=True):
    """An address, or a part of one."""

    value: Annotated[str, Meta(min_length=1, max_length=125)]
    op: Operator = "strict"


class EntityTypeFilter(_Part, frozen=True):
    """Public, or private and taxable."""

    value: EntityType
    op: Exact = "strict"


class AdministrativeStatusFilter(_Part, frozen=True):
    """Active, or closed."""

    value: AdministrativeStatus
    op: Exact = "strict"


class FacilityTypeFilter(_Part, frozen=True):
    """Main, or secondary."""

    value: FacilityType
    op: Exact = "strict"


class _Filters(msgspec.Struct, rename="camel", frozen=True, forbid_unknown_fields=True):
    pass


class SirenFilters(_Filters, frozen=True):
    """What legal units are looked for by."""

    siren: SirenFilter | UnsetType = UNSET
    business_name: BusinessNameFilter | UnsetType = UNSET
    entity_type: EntityTypeFilter | UnsetType = UNSET
    administrative_status: AdministrativeStatusFilter | UnsetType = UNSET


class SiretFilters(_Filters, frozen=True):
    """What establishments are looked for by."""

    siret: SiretFilter | UnsetType = UNSET
    siren: SirenFilter | UnsetType = UNSET
    facility_type: FacilityTypeFilter | UnsetType = UNSET
    name: TextFilter | UnsetType = UNSET
    address_lines: AddressLinesFilter | UnsetType = UNSET
    postal_code: PostalCodeFilter | UnsetType = UNSET
    country_subdivision: CountrySubdivisionFilter | UnsetType = UNSET
    locality: TextFilter | UnsetType = UNSET
    administrative_status: AdministrativeStatusFilter | UnsetType = UNSET


class RoutingCodeFilters(_Filters, frozen=True):
    """What routing codes are looked for by."""

    routing_identifier: TextFilter | UnsetType = UNSET
    siret: SiretFilter | UnsetType = UNSET
    routing_code_name: TextFilter | UnsetType = UNSET
    administrative_status: AdministrativeStatusFilter | UnsetType = UNSET
    address_lines: AddressLinesFilter | UnsetType = UNSET
    postal_code: PostalCodeFilter | UnsetType = UNSET
    locality: TextFilter | UnsetType = UNSET


class DirectoryLineFilters(_Filters, frozen=True):
    """What addresses are looked for by."""

    addressing_identifier: AddressingIdentifierFilter | UnsetType = UNSET
    siren: SirenFilter | UnsetType = UNSET
    siret: SiretFilter | UnsetType = UNSET
    routing_identifier: TextFilter | UnsetType = UNSET
    addressing_suffix: TextFilter | UnsetType = UNSET


class SirenSort(_Part, frozen=True):
    """One key of the order of legal units."""

    field: SirenField
    order: Order = "ascending"


class SiretSort(_Part, frozen=True):
    """One key of the order of establishments."""

    field: SiretField
    order: Order = "ascending"


class RoutingCodeSort(_Part, frozen=True):
    """One key of the order of routing codes."""

    field: RoutingCodeField
    order: Order = "ascending"


class DirectoryLineSort(_Part, frozen=True):
    """One key of the order of addresses."""

    field: DirectoryLineField
    order: Order = "ascending"


class _Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    limit: Annotated[int, Meta(ge=0, le=DIRECTORY_PAGE_MAX)] = DIRECTORY_PAGE_MAX
    ignore: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class SearchSiren(_Search, frozen=True, kw_only=True):
    """A search for legal units."""

    filters: SirenFilters = SirenFilters()
    sorting: tuple[SirenSort, ...] = ()
    fields: tuple[SirenField, ...] = ()


class SearchSiret(_Search, frozen=True, kw_only=True):
    """A search for establishments."""

    filters: SiretFilters = SiretFilters()
    sorting: tuple[SiretSort, ...] = ()
    fields: tuple[SiretField, ...] = ()
    include: tuple[Literal["siren"], ...] = ()


class SearchRoutingCode(_Search, frozen=True, kw_only=True):
    """A search for routing codes."""

    filters: RoutingCodeFilters = RoutingCodeFilters()
    sorting: tuple[RoutingCodeSort, ...] = ()
    fields: tuple[RoutingCodeField, ...] = ()
    include: tuple[Literal["siren", "siret"], ...] = ()


class SearchDirectoryLine(_Search, frozen=True, kw_only=True):
    """A search for addresses. `platform` is what 1.1 could include; it is the type, and always given."""

    filters: DirectoryLineFilters = DirectoryLineFilters()
    sorting: tuple[DirectoryLineSort, ...] = ()
    fields: tuple[DirectoryLineField, ...] = ()
    include: tuple[Literal["siren", "siret", "routingCode", "platform"], ...] = ()


Search = SearchSiren | SearchSiret | SearchRoutingCode | SearchDirectoryLine


# --------------------------------------------------------------------------------------------------------- answered


class _Told(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    pass


class Instructions(_Told, frozen=True):
    """Whether its data may serve to prospect it: a refusal must be shown with them."""

    is_sales_prospecting_forbidden: bool


class AddressRead(_Told, frozen=True):
    """A postal address; the lines of one that is partly diffusible are withheld."""

    address_line1: str | UnsetType = UNSET
    address_line2: str | UnsetType = UNSET
    address_line3: str | UnsetType = UNSET
    postal_code: str | UnsetType = UNSET
    country_subdivision: str | UnsetType = UNSET
    locality: str | UnsetType = UNSET
    country_code: str | UnsetType = UNSET


class B2gAdditionalData(_Told, frozen=True):
    """What a public establishment asks of the invoices sent to it."""

    pm: bool
    pm_only: bool
    manages_payment_status: bool
    manages_legal_commitment_code: bool
    manages_legal_commitment_or_service_code: bool
    service_code_status: bool


class LegalUnitPayload(_Told, frozen=True):
    """A legal unit."""

    siren: str
    business_name: str
    entity_type: EntityType
    administrative_status: AdministrativeStatus
    instructions: Instructions


class FacilityPayload(_Told, frozen=True):
    """An establishment."""

    siret: str
    siren: str
    name: str
    facility_type: FacilityType
    administrative_status: AdministrativeStatus
    siret_instructions: Instructions
    instructions: Instructions
    address: AddressRead
    b2g_additional_data: B2gAdditionalData | UnsetType = UNSET
    legal_unit: LegalUnitPayload | UnsetType = UNSET


class RoutingCodePayload(_Told, frozen=True):
    """A routing code."""

    routing_identifier: str
    siret: str
    routing_identifier_type: str
    routing_code_name: str
    manages_legal_commitment_code: bool
    manages_legal_commitment: bool
    administrative_status: AdministrativeStatus
    address: AddressRead
    legal_unit: LegalUnitPayload | UnsetType = UNSET
    facility: FacilityPayload | UnsetType = UNSET


class PlatformPayload(_Told, frozen=True):
    """What 1.1 said of a platform."""

    platform_type: PlatformType
    platform_status: Literal["Enabled", "Disabled"]


class DirectoryLinePayload(_Told, frozen=True):
    """An address, and whether invoices can be sent there."""

    addressing_identifier: str
    platform_type: PlatformType
    directory_line_status: Literal["Enabled", "Disabled", "Upcoming"]
    siren: str
    siret: str | UnsetType = UNSET
    routing_identifier: str | UnsetType = UNSET
    addressing_suffix: str | UnsetType = UNSET
    routing_code: RoutingCodePayload | UnsetType = UNSET
    legal_unit: LegalUnitPayload | UnsetType = UNSET
    facility: FacilityPayload | UnsetType = UNSET
    platform: PlatformPayload | UnsetType = UNSET


class SirenSearchResponse(_Told, frozen=True):
    """A page of legal units, and how many there are in all."""

    search: SearchSiren
    total_number_of_results: int
    results: tuple[LegalUnitPayload, ...]


class SiretSearchResponse(_Told, frozen=True):
    """A page of establishments, and how many there are in all."""

    search: SearchSiret
    total_number_of_results: int
    results: tuple[FacilityPayload, ...]


class RoutingCodeSearchResponse(_Told, frozen=True):
    """A page of routing codes, and how many there are in all."""

    search: SearchRoutingCode
    total_number_of_results: int
    results: tuple[RoutingCodePayload, ...]


class DirectoryLineSearchResponse(_Told, frozen=True):
    """A page of addresses, and how many there are in all."""

    search: SearchDirectoryLine
    total_number_of_results: int
    results: tuple[DirectoryLinePayload, ...]

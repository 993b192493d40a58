"""What is looked for through the portal's directory API (1.11.0): filters, orders, searches, and the pages they find.

A filter without a value looks for what has none, since only the absence of a filter lifts it.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from estafette.api.portal_directory_models import (
    AddressText,
    Contains,
    EntityType,
    EstablishmentPayload,
    EstablishmentState,
    Kind,
    LineField,
    LinePayload,
    RoutingCodeField,
    RoutingCodePayload,
    Siren,
    SirenField,
    Siret,
    SiretField,
    Strict,
    Text10,
    Text100,
    Text150,
    Text255,
    Text600,
    UnitPayload,
    UnitState,
)


class _Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    pass


class _Asked(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    pass


# ------------------------------------------------------------------------------------------------------------ filters


class _Strict(_Asked, frozen=True):
    op: Strict = "strict"


class _Contains(_Asked, frozen=True):
    op: Contains = "contient"


class SirenFilter(_Strict, frozen=True):
    """A SIREN."""

    valeur: Siren | UnsetType = UNSET


class SiretFilter(_Strict, frozen=True):
    """A SIRET."""

    valeur: Siret | UnsetType = UNSET


class UnitNameFilter(_Contains, frozen=True):
    """A part of the name of a legal unit."""

    valeur: Text150 | UnsetType = UNSET


class TextFilter(_Contains, frozen=True):
    """A part of a name, a town, an author."""

    valeur: Text100 | UnsetType = UNSET


class StreetFilter(_Contains, frozen=True):
    """A part of the lines of an address."""

    valeur: Text600 | UnsetType = UNSET


class PostalCodeFilter(_Contains, frozen=True):
    """A part of a postal code."""

    valeur: Text10 | UnsetType = UNSET


class SubdivisionFilter(_Contains, frozen=True):
    """A part of a subdivision of a country."""

    valeur: Text255 | UnsetType = UNSET


class RoutingIdentifierFilter(_Contains, frozen=True):
    """A part of a routing code."""

    valeur: Annotated[str, Meta(pattern="^[-_/@a-zA-Z0-9]{0,100}$", max_length=100)] | UnsetType = UNSET


class AddressFilter(_Contains, frozen=True):
    """A part of an electronic address."""

    valeur: AddressText | UnsetType = UNSET


class MatriculeFilter(_Strict, frozen=True):
    """The number of a platform."""

    valeur: Annotated[str, Meta(pattern="^([0-9]{4})?$", max_length=4)] | UnsetType = UNSET


class SuffixFilter(_Strict, frozen=True):
    """A suffix."""

    valeur: Annotated[str, Meta(pattern="^[-_.@a-zA-Z0-9]{0,100}$", max_length=100)] | UnsetType = UNSET


class EntityTypeFilter(_Strict, frozen=True):
    """Public, or private and taxable."""

    valeur: EntityType | UnsetType = UNSET


class UnitStateFilter(_Strict, frozen=True):
    """Active, or ceased."""

    valeur: UnitState | UnsetType = UNSET


class StateFilter(_Strict, frozen=True):
    """Active, or closed."""

    valeur: EstablishmentState | UnsetType = UNSET


class KindFilter(_Strict, frozen=True):
    """Main, or secondary."""

    valeur: Kind | UnsetType = UNSET


class DayFilter(_Strict, frozen=True):
    """A day."""

    valeur: date | UnsetType = UNSET


class AuditFilter(_Strict, frozen=True):
    """Whether versions that were replaced or masked are shown too."""

    valeur: bool | UnsetType = UNSET


class HistoryFilters(_Asked, frozen=True):
    """When it holds or held, who made it, whether its whole history is asked."""

    date_observation: DayFilter | UnsetType = UNSET
    date_debut_recherche: DayFilter | UnsetType = UNSET
    date_fin_recherche: DayFilter | UnsetType = UNSET
    cree_par: TextFilter | UnsetType = UNSET
    mode_audit: AuditFilter | UnsetType = UNSET


class SirenFilters(_Asked, frozen=True):
    """What a legal unit is looked for by."""

    siren: SirenFilter | UnsetType = UNSET
    raison_sociale: UnitNameFilter | UnsetType = UNSET
    type_entite: EntityTypeFilter | UnsetType = UNSET
    etat_administratif: UnitStateFilter | UnsetType = UNSET
    historisation: HistoryFilters | UnsetType = UNSET


class SiretFilters(_Asked, frozen=True):
    """What an establishment is looked for by."""

    siret: SiretFilter | UnsetType = UNSET
    siren: SirenFilter | UnsetType = UNSET
    type_etablissement: KindFilter | UnsetType = UNSET
    denomination: TextFilter | UnsetType = UNSET
    lignes_adresse: StreetFilter | UnsetType = UNSET
    code_postal: PostalCodeFilter | UnsetType = UNSET
    sub_division_pays: SubdivisionFilter | UnsetType = UNSET
    localite: TextFilter | UnsetType = UNSET
    etat_administratif: StateFilter | UnsetType = UNSET
    historisation: HistoryFilters | UnsetType = UNSET


class RoutingCodeFilters(_Asked, frozen=True):
    """What a routing code is looked for by."""

    identifiant_routage: RoutingIdentifierFilter | UnsetType = UNSET
    siret: SiretFilter | UnsetType = UNSET
    libelle_code_routage: TextFilter | UnsetType = UNSET
    etat_administratif: StateFilter | UnsetType = UNSET
    lignes_adresse: StreetFilter | UnsetType = UNSET
    code_postal: PostalCodeFilter | UnsetType = UNSET
    localite: TextFilter | UnsetType = UNSET
    historisation: HistoryFilters | UnsetType = UNSET


class LineFilters(_Asked, frozen=True):
    """What a line is looked for by."""

    identifiant_adressage: AddressFilter | UnsetType = UNSET
    matricule_plateforme: MatriculeFilter | UnsetType = UNSET
    siren: SirenFilter | UnsetType = UNSET
    siret: SiretFilter | UnsetType = UNSET
    identifiant_routage: RoutingIdentifierFilter | UnsetType = UNSET
    suffixe_adressage: SuffixFilter | UnsetType = UNSET
    historisation: HistoryFilters | UnsetType = UNSET


# ----------------------------------------------------------------------------------------------------------- searches

Order = Literal["ascendant", "descendant"]
Limit = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Offset = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class SirenSort(_Asked, frozen=True):
    """A criterion of order."""

    champ: SirenField | UnsetType = UNSET
    ordre: Order = "ascendant"


class SiretSort(_Asked, frozen=True):
    """A criterion of order."""

    champ: SiretField | UnsetType = UNSET
    ordre: Order = "ascendant"


class RoutingCodeSort(_Asked, frozen=True):
    """A criterion of order."""

    champ: RoutingCodeField | UnsetType = UNSET
    ordre: Order = "ascendant"


class LineSort(_Asked, frozen=True):
    """A criterion of order."""

    champ: LineField | UnsetType = UNSET
    ordre: Order = "ascendant"


class SearchSiren(_Asked, frozen=True):
    """A search of legal units."""

    filtres: SirenFilters = SirenFilters()
    tris: tuple[SirenSort, ...] = ()
    champs: tuple[SirenField, ...] = ()
    limite: Limit | UnsetType = UNSET
    ignorer: Offset = 0


class SearchSiret(_Asked, frozen=True):
    """A search of establishments."""

    filtres: SiretFilters = SiretFilters()
    tris: tuple[SiretSort, ...] = ()
    champs: tuple[SiretField, ...] = ()
    inclure: tuple[Literal["siren"], ...] = ()
    limite: Limit | UnsetType = UNSET
    ignorer: Offset = 0


class SearchRoutingCode(_Asked, frozen=True):
    """A search of routing codes."""

    filtres: RoutingCodeFilters = RoutingCodeFilters()
    tris: tuple[RoutingCodeSort, ...] = ()
    champs: tuple[RoutingCodeField, ...] = ()
    inclure: tuple[Literal["siren", "siret"], ...] = ()
    limite: Limit | UnsetType = UNSET
    ignorer: Offset = 0


class SearchLine(_Asked, frozen=True):
    """A search of lines."""

    filtres: LineFilters = LineFilters()
    tris: tuple[LineSort, ...] = ()
    champs: tuple[LineField, ...] = ()
    limite: Limit | UnsetType = UNSET
    ignorer: Offset = 0


Search = SearchSiren | SearchSiret | SearchRoutingCode | SearchLine


# -------------------------------------------------------------------------------------------------------------- pages


class FoundUnits(_Wire, frozen=True):
    """A page of legal units."""

    recherche: SearchSiren | UnsetType = UNSET
    total: int | UnsetType = msgspec.field(name="nombre_total_resultats", default=UNSET)
    resultats: list[UnitPayload] | UnsetType = UNSET


class FoundEstablishments(_Wire, frozen=True):
    """A page of establishments."""

    recherche: SearchSiret | UnsetType = UNSET
    total: int | UnsetType = msgspec.field(name="nombre_total_resultats", default=UNSET)
    resultats: list[EstablishmentPayload] | UnsetType = UNSET


class FoundRoutingCodes(_Wire, frozen=True):
    """A page of routing codes."""

    recherche: SearchRoutingCode | UnsetType = UNSET
    total: int | UnsetType = msgspec.field(name="nombre_total_resultats", default=UNSET)
    resultats: list[RoutingCodePayload] | UnsetType = UNSET


class FoundLines(_Wire, frozen=True):
    """A page of lines."""

    recherche: SearchLine | UnsetType = UNSET
    total: int | UnsetType = msgspec.field(name="nombre_total_resultats", default=UNSET)
    resultats: list[LinePayload] | UnsetType = UNSET

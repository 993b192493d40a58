"""What is written through the portal's directory API (1.11.0): the bodies of its writes, their answers, its errors."""

from datetime import date

import msgspec
from msgspec import UNSET, UnsetType

from estafette.api.portal_directory_models import (
    AddressText,
    EstablishmentState,
    Matricule,
    Nature,
    RoutingIdentifier,
    RoutingName,
    RoutingScheme,
    Siren,
    Siret,
    Suffix,
    Text2,
    Text10,
    Text100,
    Text255,
)


class _Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    pass


class _Asked(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    pass


class WrittenAddress(_Asked, frozen=True):
    """A postal address; what is null is taken away."""

    ligne_adresse1: Text255 | None = None
    ligne_adresse2: Text255 | None = None
    ligne_adresse3: Text255 | None = None
    code_postal: Text10 | None = None
    sub_division_pays: Text255 | None = None
    localite: Text100 | None = None
    code_pays: Text2 | None = None


class CreateRoutingCode(_Asked, frozen=True):
    """A routing code to create."""

    nature_etablissement: Nature
    identifiant_routage: RoutingIdentifier
    siret: Siret
    libelle_code_routage: RoutingName
    etat_administratif: EstablishmentState
    type_identifiant_routage: RoutingScheme | UnsetType = UNSET
    gestion_engagement_juridique: bool | UnsetType = UNSET
    adresse: WrittenAddress | UnsetType = UNSET


class PutRoutingCode(_Asked, frozen=True):
    """A routing code as it is to be: an address that is not given is taken away."""

    type_identifiant_routage: RoutingScheme
    libelle_code_routage: RoutingName
    etat_administratif: EstablishmentState
    adresse: WrittenAddress | UnsetType = UNSET


class PatchRoutingCode(_Asked, frozen=True):
    """What changes of a routing code."""

    type_identifiant_routage: RoutingScheme | UnsetType = UNSET
    libelle_code_routage: RoutingName | UnsetType = UNSET
    etat_administratif: EstablishmentState | UnsetType = UNSET
    adresse: WrittenAddress | UnsetType = UNSET


class Period(_Asked, frozen=True):
    """From a day, to another that is not in it."""

    date_debut_effet: date
    date_fin_effet: date | None = None


class Addressing(_Asked, frozen=True):
    """An address and the platform that receives there."""

    siren: Siren
    matricule_plateforme: Matricule
    siret: Siret | UnsetType = UNSET
    identifiant_routage: RoutingIdentifier | UnsetType = UNSET
    suffixe_adressage: Suffix | UnsetType = UNSET


class CreateLine(_Asked, frozen=True):
    """A line to create. Both parts are needed, though the published contract says of neither that it is."""

    periode_effet: Period
    information_adressage: Addressing


class PutLine(_Asked, frozen=True):
    """A line as it is to be: an end that is not given is taken away."""

    matricule_plateforme: Matricule
    date_fin_effet: date | None = None


class PatchLine(_Asked, frozen=True):
    """What changes of a line; an end that is null is taken away."""

    date_fin_effet: date | UnsetType | None = UNSET
    matricule_plateforme: Matricule | UnsetType = UNSET


class WrittenRoutingCode(_Wire, frozen=True):
    """The version that was made of a routing code."""

    id_instance: int | UnsetType = UNSET
    siret: Siret | UnsetType = UNSET
    identifiant_routage: RoutingIdentifier | UnsetType = UNSET


class WrittenLine(_Wire, frozen=True):
    """The version that was made of a line."""

    id_instance: int | UnsetType = UNSET
    identifiant_adressage: AddressText | UnsetType = UNSET
    date_debut_effet: date | UnsetType = UNSET


class Erreur(_Wire, frozen=True):
    """An error as it travels (`application/problem+json`), in the language that was asked."""

    type: str | UnsetType = UNSET
    titre: str | UnsetType = UNSET
    statut: int | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    instance: str | UnsetType = UNSET

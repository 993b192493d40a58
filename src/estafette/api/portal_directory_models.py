"""The words of the portal's directory API on the wire (PPF API publique annuaire, 1.11.0): values, what is answered.

The names are those published, kept as they are. What is absent of an answer does not exist, or was not chosen: the
contract makes nothing of an answer obligatory.
"""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Siren = Annotated[str, Meta(pattern="^[0-9]{9}$", max_length=9)]
Siret = Annotated[str, Meta(pattern="^[0-9]{14}$", max_length=14)]
Matricule = Annotated[str, Meta(pattern="^[0-9]{4}$", max_length=4)]
RoutingIdentifier = Annotated[str, Meta(pattern=r"^[-_/@a-zA-Z0-9]{1,100}$", max_length=100)]
RoutingScheme = Annotated[str, Meta(pattern="^[0-9]{4}$", max_length=4)]
RoutingName = Annotated[str, Meta(pattern=r"\S", min_length=1, max_length=100)]
Suffix = Annotated[str, Meta(pattern=r"^[-_.@a-zA-Z0-9]{1,100}$", max_length=100)]
AddressText = Annotated[str, Meta(max_length=125)]
Text2 = Annotated[str, Meta(max_length=2)]
Text10 = Annotated[str, Meta(max_length=10)]
Text100 = Annotated[str, Meta(max_length=100)]
Text150 = Annotated[str, Meta(max_length=150)]
Text255 = Annotated[str, Meta(max_length=255)]
Text600 = Annotated[str, Meta(max_length=600)]

EntityType = Literal["Publique", "Privée assujettie"]
UnitState = Literal["A", "C"]
EstablishmentState = Literal["A", "F"]
Kind = Literal["P", "S"]
DiffusionStatus = Literal["O", "P", "M"]
Nature = Literal["Privé", "Public"]
PlatformType = Literal["PDP", "PPF", "AP", "NA"]
PlatformState = Literal["Actif", "Inactif"]
Strict = Literal["strict"]
Contains = Literal["contient"]

HISTORY_FIELDS = ("dateDefinition", "dateDebutEffet", "masque", "idInstance", "creePar")
PUBLIC_FIELDS = (
    "moa", "moaUniquement", "gestionStatutMiseEnPaiement", "gestionEngagementJuridique",
    "gestionEngagementJuridiqueOuService", "gestionCodeService",
)  # fmt: skip
"""Fields that are chosen by their names and answered inside `historisation` and `donneesB2gComplementaires`."""

SirenField = Literal[
    "siren", "raisonSociale", "typeEntite", "diffusible", "etatAdministratif", "dateDefinition", "dateDebutEffet",
    "masque", "idInstance", "creePar",
]  # fmt: skip
SiretField = Literal[
    "siret", "siren", "denomination", "typeEtablissement", "adresse", "diffusible", "etatAdministratif", "moa",
    "moaUniquement", "gestionStatutMiseEnPaiement", "gestionEngagementJuridique", "gestionEngagementJuridiqueOuService",
    "gestionCodeService", "dateDefinition", "dateDebutEffet", "masque", "idInstance", "creePar",
]  # fmt: skip
RoutingCodeField = Literal[
    "siret", "typeIdentifiantRoutage", "libelleCodeRoutage", "identifiantRoutage", "gestionEngagementJuridique",
    "etatAdministratif", "adresse", "dateDefinition", "dateDebutEffet", "masque", "idInstance", "creePar",
]  # fmt: skip
LineField = Literal[
    "identifiantAdressage", "siren", "siret", "identifiantRoutage", "suffixeAdressage", "matriculePlateforme",
    "dateFinEffet", "dateFinEffective", "dateDefinition", "dateDebutEffet", "masque", "idInstance", "creePar",
]  # fmt: skip


class _Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    pass


class History(_Wire, frozen=True):
    """The version: when it was defined, from which day it holds, by whom, whether it masks, its number."""

    date_definition: datetime | UnsetType = UNSET
    date_debut_effet: date | UnsetType = UNSET
    cree_par: Text100 | UnsetType = UNSET
    masque: bool | UnsetType = UNSET
    id_instance: int | UnsetType = UNSET


class Address(_Wire, frozen=True):
    """A postal address."""

    ligne_adresse1: Text255 | UnsetType = UNSET
    ligne_adresse2: Text255 | UnsetType = UNSET
    ligne_adresse3: Text255 | UnsetType = UNSET
    code_postal: Text10 | UnsetType = UNSET
    sub_division_pays: Text255 | UnsetType = UNSET
    localite: Text100 | UnsetType = UNSET
    code_pays: Text2 | UnsetType = UNSET
    libelle_pays: Text100 | UnsetType = UNSET


class PublicData(_Wire, frozen=True):
    """What a public establishment asks of the invoices that it is sent."""

    moa: bool | UnsetType = UNSET
    moa_uniquement: bool | UnsetType = UNSET
    gestion_statut_mise_en_paiement: bool | UnsetType = UNSET
    gestion_engagement_juridique: bool | UnsetType = UNSET
    gestion_engagement_juridique_ou_service: bool | UnsetType = UNSET
    gestion_code_service: bool | UnsetType = UNSET


class IncludedUnit(_Wire, frozen=True):
    """A legal unit beside what is of it."""

    siren: Siren | UnsetType = UNSET
    raison_sociale: Text150 | UnsetType = UNSET
    type_entite: EntityType | UnsetType = UNSET
    etat_administratif: UnitState | UnsetType = UNSET
    diffusible: DiffusionStatus | UnsetType = UNSET


class IncludedEstablishment(_Wire, frozen=True):
    """An establishment beside what is of it."""

    siret: Siret | UnsetType = UNSET
    siren: Siren | UnsetType = UNSET
    denomination: Text100 | UnsetType = UNSET
    type_etablissement: Kind | UnsetType = UNSET
    diffusible: DiffusionStatus | UnsetType = UNSET
    etat_administratif: EstablishmentState | UnsetType = UNSET
    adresse: Address | UnsetType = UNSET
    public_data: PublicData | UnsetType = msgspec.field(name="donneesB2gComplementaires", default=UNSET)


class IncludedRoutingCode(_Wire, frozen=True):
    """The routing code of a line."""

    identifiant_routage: RoutingIdentifier | UnsetType = UNSET
    type_identifiant_routage: RoutingScheme | UnsetType = UNSET
    libelle_code_routage: RoutingName | UnsetType = UNSET
    gestion_engagement_juridique: bool | UnsetType = UNSET
    etat_administratif: EstablishmentState | UnsetType = UNSET
    adresse: Address | UnsetType = UNSET


class IncludedPlatform(_Wire, frozen=True):
    """The platform of a line."""

    type_plateforme: PlatformType | UnsetType = UNSET
    matricule_plateforme: Matricule | UnsetType = UNSET
    raison_sociale_plateforme: Text100 | UnsetType = UNSET
    statut_plateforme: PlatformState | UnsetType = UNSET
    nom_commercial_plateforme: Text100 | UnsetType = UNSET
    contact_ou_url_plateforme: Text100 | UnsetType = UNSET


class UnitPayload(_Wire, frozen=True):
    """A legal unit."""

    siren: Siren | UnsetType = UNSET
    raison_sociale: Text150 | UnsetType = UNSET
    type_entite: EntityType | UnsetType = UNSET
    etat_administratif: UnitState | UnsetType = UNSET
    diffusible: DiffusionStatus | UnsetType = UNSET
    historisation: History | UnsetType = UNSET


class EstablishmentVersion(_Wire, frozen=True):
    """A version of an establishment."""

    siret: Siret | UnsetType = UNSET
    siren: Siren | UnsetType = UNSET
    denomination: Text100 | UnsetType = UNSET
    type_etablissement: Kind | UnsetType = UNSET
    diffusible: DiffusionStatus | UnsetType = UNSET
    etat_administratif: EstablishmentState | UnsetType = UNSET
    adresse: Address | UnsetType = UNSET
    historisation: History | UnsetType = UNSET
    public_data: PublicData | UnsetType = msgspec.field(name="donneesB2gComplementaires", default=UNSET)


class EstablishmentPayload(EstablishmentVersion, frozen=True):
    """An establishment, its legal unit beside it."""

    unite_legale: IncludedUnit | UnsetType = UNSET


class RoutingCodeVersion(_Wire, frozen=True):
    """A version of a routing code."""

    identifiant_routage: RoutingIdentifier | UnsetType = UNSET
    siret: Siret | UnsetType = UNSET
    type_identifiant_routage: RoutingScheme | UnsetType = UNSET
    libelle_code_routage: RoutingName | UnsetType = UNSET
    gestion_engagement_juridique: bool | UnsetType = UNSET
    etat_administratif: EstablishmentState | UnsetType = UNSET
    adresse: Address | UnsetType = UNSET
    historisation: History | UnsetType = UNSET


class RoutingCodePayload(RoutingCodeVersion, frozen=True):
    """A routing code, its legal unit and establishment beside it."""

    unite_legale: IncludedUnit | UnsetType = UNSET
    etablissement: IncludedEstablishment | UnsetType = UNSET


class LineVersion(_Wire, frozen=True):
    """A version of a line of the directory."""

    matricule_plateforme: Matricule | UnsetType = UNSET
    identifiant_routage: RoutingIdentifier | UnsetType = UNSET
    identifiant_adressage: AddressText | UnsetType = UNSET
    siren: Siren | UnsetType = UNSET
    siret: Siret | UnsetType = UNSET
    suffixe_adressage: Suffix | UnsetType = UNSET
    date_fin_effet: date | UnsetType = UNSET
    date_fin_effective: date | UnsetType = UNSET
    historisation: History | UnsetType = UNSET


class LinePayload(LineVersion, frozen=True):
    """A line of the directory, what it is of beside it."""

    code_routage: IncludedRoutingCode | UnsetType = UNSET
    plateforme: IncludedPlatform | UnsetType = UNSET
    unite_legale: IncludedUnit | UnsetType = UNSET
    etablissement: IncludedEstablishment | UnsetType = UNSET

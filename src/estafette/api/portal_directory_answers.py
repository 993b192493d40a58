"""What the portal's directory API answers: versions of entries in the words of its wire, whole or by chosen fields."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection

from estafette.api import portal_directory_models as wire
from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.portal import directory_search
from estafette.portal.holdings import Version
from estafette.values.moments import paris_day

Value = TypeVar("Value")

WITHIN: Mapping[str, tuple[str, ...]] = {
    "historisation": wire.HISTORY_FIELDS,
    "donneesB2gComplementaires": wire.PUBLIC_FIELDS,
}
"""What is answered inside, chosen by the names of its fields."""

INCLUDED = frozenset({"uniteLegale", "etablissement", "codeRoutage", "plateforme"})
"""What is asked with `inclure`, whatever fields are chosen."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What may be answered beside some versions, read at once."""

    units: Mapping[str, LegalUnit] = field(default_factory=dict)
    establishments: Mapping[str, Establishment] = field(default_factory=dict)
    codes: Mapping[tuple[str, str], RoutingCode] = field(default_factory=dict)
    platforms: Mapping[str, ReceivingPlatform] = field(default_factory=dict)


def beside(connection: Connection, versions: Collection[Version], include: Collection[str]) -> Beside:
    """Read what is asked beside these versions: `siren`, `siret`, `codeRoutage`, `plateforme`."""
    entries: list[Any] = [version.entry for version in versions]
    lines = [one for one in entries if isinstance(one, DirectoryLine)]
    sirets = {one.siret for one in entries if getattr(one, "siret", None)}
    sirens = {line.siren for line in lines} | {siret[:9] for siret in sirets}
    search = directory_search
    return Beside(
        search.units_of(connection, sirens) if "siren" in include else {},
        search.establishments_of(connection, sirets) if "siret" in include else {},
        search.routing_codes_of(connection, {line.siret for line in lines if line.routing_code and line.siret})
        if "codeRoutage" in include
        else {},
        search.platforms_of(connection, {line.matricule for line in lines}) if "plateforme" in include else {},
    )


def told(version: Version, near: Beside, *, today: date) -> msgspec.Struct:
    """Return a version as it travels, with what was read beside it."""
    entry, history = version.entry, _history(version)
    if isinstance(entry, LegalUnit):
        return _unit(entry, history)
    if isinstance(entry, Establishment):
        return _establishment(entry, history, near)
    if isinstance(entry, RoutingCode):
        return _routing_code(entry, history, near)
    assert isinstance(entry, DirectoryLine)  # noqa: S101 — platforms are asked for by nobody
    return _line(entry, history, near, today)


def selected(payload: msgspec.Struct, fields: Collection[str]) -> Any:
    """Return what was chosen of an answer; all of it when nothing was."""
    whole = msgspec.to_builtins(payload)
    if not fields:
        return whole
    kept = {name: value for name, value in whole.items() if name in fields or name in INCLUDED}
    for outer, names in WITHIN.items():
        inner = {name: value for name, value in whole.get(outer, {}).items() if name in fields and name in names}
        if inner:
            kept[outer] = inner
    return kept


# ------------------------------------------------------------------------------------------------------- the payloads


def _history(version: Version) -> wire.History:
    entry = version.entry
    is_line = isinstance(entry, DirectoryLine)
    return wire.History(
        date_definition=version.recorded_at,
        date_debut_effet=entry.start if isinstance(entry, DirectoryLine) else paris_day(version.recorded_at),
        cree_par=version.author[:100],
        masque=is_line and getattr(entry, "nature", "D") == "M",
        id_instance=entry.instance,
    )


def _unit(unit: LegalUnit, history: wire.History) -> wire.UnitPayload:
    return wire.UnitPayload(
        siren=unit.siren,
        raison_sociale=unit.name[:150],
        type_entite=_entity_type(unit),
        etat_administratif="A" if unit.status == "A" else "C",
        diffusible=_diffusion(unit.diffusion),
        historisation=history,
    )


def _establishment(one: Establishment, history: wire.History, near: Beside) -> wire.EstablishmentPayload:
    return wire.EstablishmentPayload(
        siret=one.siret,
        siren=one.siret[:9],
        denomination=one.name[:100],
        type_etablissement="P" if one.kind == "P" else "S",
        diffusible=_diffusion(one.diffusion),
        etat_administratif=_state(one.status),
        adresse=_address(one),
        historisation=history,
        public_data=_public(one),
        unite_legale=_included_unit(near.units.get(one.siret[:9])),
    )


def _routing_code(code: RoutingCode, history: wire.History, near: Beside) -> wire.RoutingCodePayload:
    return wire.RoutingCodePayload(
        identifiant_routage=code.code,
        siret=code.siret,
        type_identifiant_routage=code.scheme,
        libelle_code_routage=code.name[:100],
        gestion_engagement_juridique=bool(code.commitment_required),
        etat_administratif=_state(code.status),
        adresse=_address(code),
        historisation=history,
        unite_legale=_included_unit(near.units.get(code.siret[:9])),
        etablissement=_included_establishment(near.establishments.get(code.siret)),
    )


def _line(line: DirectoryLine, history: wire.History, near: Beside, today: date) -> wire.LinePayload:
    code = near.codes.get((line.siret or "", line.routing_code or ""))
    platform = near.platforms.get(line.matricule)
    return wire.LinePayload(
        matricule_plateforme=line.matricule,
        identifiant_routage=_or_unset(line.routing_code),
        identifiant_adressage=line.address,
        siren=line.siren,
        siret=_or_unset(line.siret),
        suffixe_adressage=_or_unset(line.suffix),
        date_fin_effet=_or_unset(line.end),
        date_fin_effective=_or_unset(line.effective_end),
        historisation=history,
        code_routage=_included_code(code),
        plateforme=_platform(platform, today) if platform else UNSET,
        unite_legale=_included_unit(near.units.get(line.siren)),
        etablissement=_included_establishment(near.establishments.get(line.siret or "")),
    )


def _included_unit(unit: LegalUnit | None) -> wire.IncludedUnit | UnsetType:
    if unit is None:
        return UNSET
    return wire.IncludedUnit(
        siren=unit.siren,
        raison_sociale=unit.name[:150],
        type_entite=_entity_type(unit),
        etat_administratif="A" if unit.status == "A" else "C",
        diffusible=_diffusion(unit.diffusion),
    )


def _included_establishment(one: Establishment | None) -> wire.IncludedEstablishment | UnsetType:
    if one is None:
        return UNSET
    return wire.IncludedEstablishment(
        siret=one.siret,
        siren=one.siret[:9],
        denomination=one.name[:100],
        type_etablissement="P" if one.kind == "P" else "S",
        diffusible=_diffusion(one.diffusion),
        etat_administratif=_state(one.status),
        adresse=_address(one),
        public_data=_public(one),
    )


def _included_code(code: RoutingCode | None) -> wire.IncludedRoutingCode | UnsetType:
    if code is None:
        return UNSET
    return wire.IncludedRoutingCode(
        identifiant_routage=code.code,
        type_identifiant_routage=code.scheme,
        libelle_code_routage=code.name[:100],
        gestion_engagement_juridique=bool(code.commitment_required),
        etat_administratif=_state(code.status),
        adresse=_address(code),
    )


def _platform(platform: ReceivingPlatform, today: date) -> wire.IncludedPlatform:
    return wire.IncludedPlatform(
        type_plateforme=_PLATFORM_TYPES.get(platform.platform_type, "AP"),
        matricule_plateforme=platform.matricule,
        raison_sociale_plateforme=platform.name,
        statut_plateforme="Actif" if platform.is_registered(today) else "Inactif",
        nom_commercial_plateforme=_or_unset(platform.trade_name),
        contact_ou_url_plateforme=_or_unset(platform.contact),
    )


_PLATFORM_TYPES: Mapping[str, wire.PlatformType] = {"PDP": "PDP", "PPF": "PPF", "AP": "AP", "NA": "NA"}


def _public(one: Establishment) -> wire.PublicData | UnsetType:
    if one.commitment_required is None:
        return UNSET
    return wire.PublicData(
        moa=bool(one.is_contracting_authority),
        moa_uniquement=bool(one.is_contracting_authority_only),
        gestion_statut_mise_en_paiement=bool(one.manages_payment_status),
        gestion_engagement_juridique=one.commitment_required,
        gestion_engagement_juridique_ou_service=bool(one.commitment_or_service_required),
        gestion_code_service=bool(one.service_required),
    )


def _address(one: Establishment | RoutingCode) -> wire.Address:
    return wire.Address(
        ligne_adresse1=_or_unset(one.line_1),
        ligne_adresse2=_or_unset(one.line_2),
        ligne_adresse3=_or_unset(one.line_3),
        code_postal=_or_unset(one.postal_code),
        sub_division_pays=_or_unset(one.subdivision),
        localite=_or_unset(one.city),
        code_pays=_or_unset(one.country),
    )


def _entity_type(unit: LegalUnit) -> wire.EntityType:
    return "Publique" if unit.entity_type == "P" else "Privée assujettie"


def _state(status: str) -> wire.EstablishmentState:
    return "A" if status == "A" else "F"


def _diffusion(status: str) -> wire.DiffusionStatus:
    return "O" if status == "O" else "M" if status == "M" else "P"


def _or_unset(value: Value | None) -> Value | UnsetType:
    return UNSET if value is None else value

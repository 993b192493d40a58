"""What the Directory Service answers: the entries of the copy in the words of the wire, whole or by chosen fields."""

from collections.abc import Collection
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from estafette.api import directory_models as wire
from estafette.directory import Establishment, LegalUnit, RoutingCode
from estafette.directory.diffusion import diffusion
from estafette.platform.mirror_search import Line, LineStatus

Value = TypeVar("Value")

ALWAYS = frozenset({"legalUnit", "facility", "routingCode", "platform", "platformType", "directoryLineStatus"})
"""What cannot be chosen, and is there when it was asked otherwise or says what the rest is worth."""

PUBLIC_DATA = {
    "pmStatus": "pm",
    "pmOnly": "pmOnly",
    "managesPaymentStatus": "managesPaymentStatus",
    "managesLegalCommitment": "managesLegalCommitmentCode",
    "managesLegalCommitmentOrService": "managesLegalCommitmentOrServiceCode",
    "serviceCodeStatus": "serviceCodeStatus",
}
"""Fields of a public establishment as they are chosen, and as they are answered, inside `b2gAdditionalData`."""

TWINS = {
    "managesLegalCommitmentCode": "managesLegalCommitment",
    "siretInstructions": "instructions",
}
"""What is answered under two names, since annex B has both."""


def legal_unit(unit: LegalUnit) -> wire.LegalUnitPayload:
    """Return a legal unit as it travels."""
    return wire.LegalUnitPayload(
        siren=unit.siren,
        business_name=unit.name,
        entity_type="Public" if unit.entity_type == "P" else "PrivateVatRegistered",
        administrative_status=_status(unit.status),
        instructions=_instructions(unit.diffusion),
    )


def facility(one: Establishment, unit: LegalUnit | None = None) -> wire.FacilityPayload:
    """Return an establishment as it travels, with its legal unit where it is asked."""
    return wire.FacilityPayload(
        siret=one.siret,
        siren=one.siret[:9],
        name=one.name,
        facility_type="S" if one.kind == "S" else "P",
        administrative_status=_status(one.status),
        siret_instructions=_instructions(one.diffusion),
        instructions=_instructions(one.diffusion),
        address=_address(one),
        b2g_additional_data=_public_data(one),
        legal_unit=legal_unit(unit) if unit else UNSET,
    )


def routing_code(
    code: RoutingCode, unit: LegalUnit | None = None, one: Establishment | None = None
) -> wire.RoutingCodePayload:
    """Return a routing code as it travels, with its legal unit and establishment where they are asked."""
    is_required = bool(code.commitment_required)
    return wire.RoutingCodePayload(
        routing_identifier=code.code,
        siret=code.siret,
        routing_identifier_type=code.scheme,
        routing_code_name=code.name,
        manages_legal_commitment_code=is_required,
        manages_legal_commitment=is_required,
        administrative_status=_status(code.status),
        address=_address(code),
        legal_unit=legal_unit(unit) if unit else UNSET,
        facility=facility(one) if one else UNSET,
    )


def line(
    held: Line, include: Collection[str], unit: LegalUnit | None = None, one: Establishment | None = None
) -> wire.DirectoryLinePayload:
    """Return an address as it travels, with what is asked along with it."""
    platform_type: wire.PlatformType = "DFH" if held.is_public_platform else "WK"
    platform = wire.PlatformPayload(
        platform_type=platform_type,
        platform_status="Enabled" if held.status is LineStatus.ENABLED else "Disabled",
    )
    return wire.DirectoryLinePayload(
        addressing_identifier=held.address,
        platform_type=platform_type,
        directory_line_status=held.status.value,
        siren=held.siren,
        siret=_or_unset(held.siret),
        routing_identifier=_or_unset(held.routing),
        addressing_suffix=_or_unset(held.suffix),
        routing_code=_line_code(held) if "routingCode" in include else UNSET,
        legal_unit=legal_unit(unit) if unit else UNSET,
        facility=facility(one) if one else UNSET,
        platform=platform if "platform" in include else UNSET,
    )


def selected(payload: msgspec.Struct, fields: Collection[str]) -> dict[str, Any]:
    """Return what was chosen of an answer; all of it when nothing was."""
    whole: dict[str, Any] = msgspec.to_builtins(payload)
    if not fields:
        return whole
    kept = ALWAYS | set(fields) | {TWINS[name] for name in fields if name in TWINS}
    found = {name: value for name, value in whole.items() if name in kept}
    public = {PUBLIC_DATA[name] for name in fields if name in PUBLIC_DATA}
    data = {name: value for name, value in whole.get("b2gAdditionalData", {}).items() if name in public}
    return {**found, "b2gAdditionalData": data} if data else found


def _line_code(held: Line) -> wire.RoutingCodePayload | UnsetType:
    """Return the routing code of a line; one that the export does not describe is known by its identifier only."""
    if held.routing is None or held.siret is None:
        return UNSET
    named = RoutingCode(siret=held.siret, code=held.routing, name=held.routing, scheme=held.routing_scheme)
    return routing_code(held.routing_code or named)


def _status(status: str) -> wire.AdministrativeStatus:
    return "A" if status == "A" else "C"


def _instructions(status: str) -> wire.Instructions:
    return wire.Instructions(is_sales_prospecting_forbidden=diffusion(status).is_prospecting_forbidden)


def _address(one: Establishment | RoutingCode) -> wire.AddressRead:
    return wire.AddressRead(
        address_line1=_or_unset(one.line_1),
        address_line2=_or_unset(one.line_2),
        address_line3=_or_unset(one.line_3),
        postal_code=_or_unset(one.postal_code),
        country_subdivision=_or_unset(one.subdivision),
        locality=_or_unset(one.city),
        country_code=_or_unset(one.country),
    )


def _public_data(one: Establishment) -> wire.B2gAdditionalData | UnsetType:
    if one.commitment_required is None:
        return UNSET
    return wire.B2gAdditionalData(
        pm=bool(one.is_contracting_authority),
        pm_only=bool(one.is_contracting_authority_only),
        manages_payment_status=bool(one.manages_payment_status),
        manages_legal_commitment_code=one.commitment_required,
        manages_legal_commitment_or_service_code=bool(one.commitment_or_service_required),
        service_code_status=bool(one.service_required),
    )


def _or_unset(value: Value | None) -> Value | UnsetType:
    return UNSET if value is None else value

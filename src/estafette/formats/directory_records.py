"""The records of the directory's files: one table each joins elements, in the order of the schema, to fields.

The components of an address stand inside `Identifiant` in an update (F13), beside it in an export (F14); there
`Identifiant` itself is written and not read back: the components are authoritative. Sentinels seen in real exports
(31/12/9999, SIREN 000000000) are read as absent.

Source: external specifications v3.2, annex 3 (V1.8) and schemas « 0 - Annuaire ».
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, NoReturn

from lxml import etree

from estafette.formats.directory_entries import (
    DirectoryLine,
    Entry,
    Establishment,
    LegalUnit,
    ReceivingPlatform,
    RoutingCode,
)
from estafette.formats.xml import DAMAGED, OTHER_KIND, Unreadable
from estafette.values.moments import day, day_text


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(f"not a boolean: {text!r}")
    return text.lower() in ("true", "1")


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


def _open_day(text: str) -> date | None:
    return None if text == "99991231" else day(text)


def _present_siren(text: str) -> str | None:
    return None if text == "000000000" else text


@dataclass(frozen=True, slots=True)
class _Field:
    """An element, the field that it carries, its qualifier, how it is read and written."""

    path: str
    name: str
    qualifier: str = ""
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str


_day = partial(_Field, read=_open_day, write=day_text)
_flag = partial(_Field, read=_boolean, write=_boolean_text)
_INSTANCE = _Field("IdInstance", "instance", read=int)
_MOTIVE = _Field("MotifPresence", "motive")
_ADDRESS = (
    _Field("LigneAdresse1", "line_1"),
    _Field("LigneAdresse2", "line_2"),
    _Field("LigneAdresse3", "line_3"),
    _Field("Localite", "city"),
    _Field("CP", "postal_code"),
    _Field("SubdivisionPays", "subdivision"),
    _Field("CodePays", "country"),
)
_ROUTING = (
    _Field("Statut", "status"),
    _Field("IdSIRET", "siret", "0009"),
    _Field("IdRoutage", "code", "routing"),
    _Field("Nom", "name"),
    *_ADDRESS,
)


def _line_fields(components: str) -> tuple[_Field, ...]:
    return (
        _Field(f"{components}/IdLinSIREN", "siren", "0002"),
        _Field(f"{components}/IdLinSIRET", "siret", "0009"),
        _Field(f"{components}/IdLinRoutage", "routing_code", "routing"),
        _Field(f"{components}/Suffixe", "suffix"),
        _Field("IdPlateforme", "matricule"),
    )


@dataclass(frozen=True, slots=True)
class Record:
    """A kind of entry: its block, its element, its fields in order, those that may not be absent."""

    kind: type[Any]
    block: str
    element: str
    fields: tuple[_Field, ...]
    required: frozenset[str]


EXPORTED = (
    Record(
        LegalUnit,
        "BlocUnitesLegales",
        "UniteLegale",
        (
            _INSTANCE,
            _MOTIVE,
            _Field("Statut", "status"),
            _Field("IdSIREN", "siren", "0002"),
            _Field("Nom", "name"),
            _Field("TypeEntite", "entity_type"),
            _Field("Diffusible", "diffusion"),
        ),
        frozenset({"motive", "siren", "name"}),
    ),
    Record(
        Establishment,
        "BlocEtablissements",
        "Etablissement",
        (
            _INSTANCE,
            _MOTIVE,
            _Field("Statut", "status"),
            _Field("IdSIRET", "siret", "0009"),
            _Field("TypeEtablissement", "kind"),
            _Field("Nom", "name"),
            *_ADDRESS,
            _flag("DonneesB2G/EngagementJuridique", "commitment_required"),
            _flag("DonneesB2G/Service", "service_required"),
            _flag("DonneesB2G/EngJurServ", "commitment_or_service_required"),
            _flag("DonneesB2G/MOA", "is_contracting_authority"),
            _flag("DonneesB2G/MOAunique", "is_contracting_authority_only"),
            _flag("DonneesB2G/StatutMiseEnPaiement", "manages_payment_status"),
            _Field("Diffusible", "diffusion"),
        ),
        frozenset({"motive", "siret", "name"}),
    ),
    Record(
        RoutingCode,
        "BlocCodesRoutage",
        "CodeRoutage",
        (_INSTANCE, _MOTIVE, *_ROUTING, _flag("EngagementJuridique", "commitment_required")),
        frozenset({"motive", "siret", "code", "name"}),
    ),
    Record(
        ReceivingPlatform,
        "BlocIdPlateformesReception",
        "IdPlateformeReception",
        (
            _INSTANCE,
            _MOTIVE,
            _Field("Statut", "status"),
            _Field("TypePlateforme", "platform_type"),
            _Field("Matricule", "matricule"),
            _Field("IdSIREN", "siren", "0002", read=_present_siren),
            _Field("Nom", "name"),
            _Field("NomCommercial", "trade_name"),
            _Field("Contact", "contact"),
            _day("DateDebutImmatriculation", "registered_from"),
            _day("DateFinImmatriculation", "registered_until"),
        ),
        frozenset({"motive", "matricule", "name", "registered_from"}),
    ),
    Record(
        DirectoryLine,
        "BlocLignesAnnuaire",
        "LigneAnnuaire",
        (
            _INSTANCE,
            _MOTIVE,
            _Field("Nature", "nature"),
            _day("DateEffet/DateDebut", "start"),
            _day("DateEffet/DateFin", "end"),
            _day("DateEffet/DateFinEffective", "effective_end"),
            _Field("InfoAdressage/Identifiant", "address"),
            *_line_fields("InfoAdressage"),
        ),
        frozenset({"motive", "siren", "start", "matricule"}),
    ),
)
UPDATED_CODES = Record(
    RoutingCode, "BlocCodesRoutage", "CodeRoutage", _ROUTING, frozenset({"siret", "code", "name", "status"})
)
UPDATED_LINES = Record(
    DirectoryLine,
    "BlocLignesAnnuaire",
    "LigneAnnuaire",
    (
        _Field("Nature", "nature"),
        _day("DateEffet/DateDebut", "start"),
        _day("DateEffet/DateFin", "end"),
        *_line_fields("InfoAdressage/Identifiant"),
    ),
    frozenset({"nature", "siren", "start", "matricule"}),
)
BY_KIND = {record.kind: record for record in EXPORTED}
BY_ELEMENT = {record.element: record for record in EXPORTED}
ROUTING_SCHEMES = {RoutingCode: "scheme", DirectoryLine: "routing_scheme"}


def written(record: Record, entry: Entry, motive: str = "") -> etree._Element:
    """Give the element that holds an entry."""
    root = etree.Element(record.element)
    for field in record.fields:
        value = motive if field.name == "motive" else getattr(entry, field.name)
        if value is None:
            continue
        parent = root
        for step in field.path.split("/")[:-1]:
            held = parent.find(step)
            parent = etree.SubElement(parent, step) if held is None else held
        leaf = etree.SubElement(parent, field.path.rpartition("/")[2])
        leaf.text = field.write(value)
        if field.qualifier:
            leaf.set("qualifiant", _qualifier(field, entry))
    return root


def _qualifier(field: _Field, entry: Entry) -> str:
    return getattr(entry, ROUTING_SCHEMES[type(entry)]) if field.qualifier == "routing" else field.qualifier


def taken(record: Record, element: etree._Element) -> tuple[Any, str]:
    """Give the entry that an element holds, and the motive of its presence; raises Unreadable."""
    values = _values(record, element)
    motive = values.pop("motive", "")
    values.pop("address", None)
    try:
        return record.kind(**values), motive
    except ValueError:
        unreadable(element, "DonneesB2G", "")


def _values(record: Record, element: etree._Element) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in record.fields:
        leaf = element.find(field.path)
        text = "" if leaf is None else (leaf.text or "").strip()
        if leaf is None or not text:
            if field.name in record.required:
                unreadable(element, field.path, text)
            continue
        try:
            values[field.name] = field.read(text)
        except ValueError:
            unreadable(leaf, field.path, text)
        if field.qualifier == "routing":
            values[ROUTING_SCHEMES[record.kind]] = leaf.get("qualifiant", "")
    return values


def unreadable(element: etree._Element, path: str, text: str) -> NoReturn:
    """Raise Unreadable: an element of the directory is missing, or is not what it should be."""
    line = element.sourceline
    raise Unreadable(
        DAMAGED,
        f"Annuaire : {path} absent ou illisible dans {element.tag} : {text[:80]!r}.",
        f"Directory: {path} missing or unreadable in {element.tag}: {text[:80]!r}.",
        where=f"line {line}" if isinstance(line, int) else "",
    )


def other_kind(root: etree._Element, expected: str) -> Unreadable:
    """Give the reason why a file is no file of the directory, by its root."""
    return Unreadable(
        OTHER_KIND,
        f"Ce n'est pas {expected} sans DOCTYPE : la racine est {root.tag}.",
        f"This is no {expected} without DOCTYPE: the root is {root.tag}.",
        where=str(root.tag),
    )

"""The files of the directory: its export to the platforms (F14), streamed both ways, and its update by them (F13).

An export may hold millions of lines: `write_export` writes entries as they come, `read_export` gives them one by one,
each with the motive of its presence (C in force, V to come; P, S, N in a differential). An update is small: it is read
and written whole, and its order counts (closures before creations).

One table a record joins the elements, in the order of the schema, to the fields of `directory_entries`. The components
of an address stand inside `Identifiant` in F13, beside it in F14; `Identifiant` itself is not read back from F14: the
components are authoritative. Sentinels seen in real exports (31/12/9999, SIREN 000000000) are read as absent.

Source: external specifications v3.2, annex 3 (V1.8) and schemas « 0 - Annuaire ».
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from io import BytesIO
from itertools import groupby
from typing import Any, BinaryIO, NoReturn

from lxml import etree

from estafette.formats.directory_entries import (
    DirectoryLine,
    Entry,
    Establishment,
    LegalUnit,
    ReceivingPlatform,
    RoutingCode,
)
from estafette.formats.xml import DAMAGED, OTHER_KIND, TOO_BIG, Unreadable, parse
from estafette.values import limits
from estafette.values.moments import day, day_text, paris_day, second, second_text

EXPORT_ROOT, UPDATE_ROOT = "AnnuaireConsultationF14", "AnnuaireActualisation"


@dataclass(frozen=True, slots=True)
class Header:
    """When an export was made (DT-0), the moment of the differential before it (DT-1), full or not (DT-2)."""

    produced_at: datetime
    previous_at: datetime | None = None
    is_full: bool = True


@dataclass(frozen=True, slots=True)
class Presence:
    """An entry of an export and why it is there (motif de présence)."""

    entry: Entry
    motive: str = "C"


@dataclass(frozen=True, slots=True)
class Update:
    """What a platform asks the directory to change, in its order."""

    routing_codes: tuple[RoutingCode, ...] = ()
    lines: tuple[DirectoryLine, ...] = ()


# ----------------------------------------------------------------------------------------------------------- tables


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
class _Record:
    """A kind of entry: its block, its element, its fields in order, those that may not be absent."""

    kind: type[Any]
    block: str
    element: str
    fields: tuple[_Field, ...]
    required: frozenset[str]


_EXPORTED = (
    _Record(
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
    _Record(
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
    _Record(
        RoutingCode,
        "BlocCodesRoutage",
        "CodeRoutage",
        (_INSTANCE, _MOTIVE, *_ROUTING, _flag("EngagementJuridique", "commitment_required")),
        frozenset({"motive", "siret", "code", "name"}),
    ),
    _Record(
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
    _Record(
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
_UPDATED_CODES = _Record(
    RoutingCode, "BlocCodesRoutage", "CodeRoutage", _ROUTING, frozenset({"siret", "code", "name", "status"})
)
_UPDATED_LINES = _Record(
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
_BY_KIND = {record.kind: record for record in _EXPORTED}
_BY_ELEMENT = {record.element: record for record in _EXPORTED}
_ROUTING_SCHEMES = {RoutingCode: "scheme", DirectoryLine: "routing_scheme"}


# --------------------------------------------------------------------------------------------------------- exports


def write_export(stream: BinaryIO, header: Header, entries: Iterable[Presence]) -> None:
    """Write an export (F14) as its entries come; memory holds one entry.

    The entries come block by block: legal units, establishments, routing codes, platforms, lines, each in the order
    that the caller wants to see. ValueError when the blocks are in another order.
    """
    order = [record.kind for record in _EXPORTED]
    written = -1
    with etree.xmlfile(stream, encoding="UTF-8") as file:
        file.write_declaration()
        with file.element(EXPORT_ROOT):
            for tag, text in _header_texts(header):
                file.write(_element(tag, text))
            for kind, group in groupby(entries, key=lambda presence: type(presence.entry)):
                if order.index(kind) <= written:
                    raise ValueError(f"entries of {kind.__name__} come after those of a later block")
                written = order.index(kind)
                with file.element(_BY_KIND[kind].block):
                    for presence in group:
                        file.write(_written(_BY_KIND[kind], presence.entry, presence.motive))


def read_export(stream: BinaryIO) -> tuple[Header, Iterator[Presence]]:
    """Give the header of an export (F14), then its entries one by one; memory holds one entry.

    The sort order that the annex promises is not relied on. Raises: Unreadable, at once when the file is no export or
    its header cannot be read, later when an entry cannot; what was given before counts for nothing then.
    """
    records = _records(stream)
    header = next(records)
    assert isinstance(header, Header)  # noqa: S101 - the generator gives it first, or raises
    return header, records  # type: ignore[return-value]


def write(entries: Iterable[Entry], *, produced_at: datetime) -> bytes:
    """Give a full export of what is active, in force or to come among the entries; the order of blocks is theirs."""
    stream = BytesIO()
    write_export(stream, Header(produced_at), _in_full(entries, paris_day(produced_at)))
    return stream.getvalue()


def read(data: bytes) -> Iterator[Entry]:
    """Give the entries of an export, one by one; raises Unreadable as `read_export` does."""
    return (presence.entry for presence in read_export(BytesIO(data))[1])


def _in_full(entries: Iterable[Entry], on: date) -> Iterator[Presence]:
    for entry in entries:
        if isinstance(entry, DirectoryLine):
            motive = entry.motive_in_full(on)
        else:
            motive = "C" if entry.status == "A" else ""
        if motive:
            yield Presence(entry, motive)


def _header_texts(header: Header) -> Iterator[tuple[str, str]]:
    yield "HorodateProduction", second_text(header.produced_at)
    if header.previous_at is not None:
        yield "DernierHorodateProduction", second_text(header.previous_at)
    yield "TypeFlux", "C" if header.is_full else "D"


def _records(stream: BinaryIO) -> Iterator[Header | Presence]:
    texts: dict[str, str] = {}
    told = False
    for element in _elements(stream):
        record = _BY_ELEMENT.get(str(element.tag))
        if record is None:
            texts[str(element.tag)] = (element.text or "").strip()
            continue
        if not told:
            yield _header(texts)
            told = True
        values = _values(record, element)
        motive = values.pop("motive")
        values.pop("address", None)
        yield Presence(_made(record, element, values), motive)
    if not told:
        yield _header(texts)


def _elements(stream: BinaryIO) -> Iterator[etree._Element]:
    """Give each record and each element of the header once it is complete, and forget it afterwards."""
    depth = 0
    try:
        events = etree.iterparse(
            stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
            huge_tree=True, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        for event, element in events:
            if event == "start":
                depth += 1
                _judge_start(element, depth)
                continue
            depth -= 1
            if depth == 1 and not str(element.tag).startswith("Bloc"):
                yield element
            elif depth == 2:
                yield element
                _forget(element)
    except etree.XMLSyntaxError as error:
        raise Unreadable(
            DAMAGED,
            f"L'export n'est pas du XML bien formé : {error.msg}",
            f"The export is not well-formed XML: {error.msg}",
            where=f"line {error.position[0]}",
        ) from error


def _judge_start(element: etree._Element, depth: int) -> None:
    if depth == 1 and (element.tag != EXPORT_ROOT or element.getroottree().docinfo.internalDTD is not None):
        raise _other_kind(element, EXPORT_ROOT)
    if depth > limits.XML_DEPTH_MAX:
        raise Unreadable(
            TOO_BIG,
            f"Plus de {limits.XML_DEPTH_MAX} éléments emboîtés.",
            f"More than {limits.XML_DEPTH_MAX} nested elements.",
        )


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _header(texts: dict[str, str]) -> Header:
    try:
        previous = texts.get("DernierHorodateProduction")
        produced, kind = second(texts["HorodateProduction"]), texts["TypeFlux"]
        return Header(produced, second(previous) if previous else None, is_full={"C": True, "D": False}[kind])
    except (KeyError, ValueError) as error:
        raise Unreadable(
            DAMAGED,
            f"L'en-tête de l'export (DT-0, DT-1, DT-2) ne peut être lu : {error}",
            f"The header of the export (DT-0, DT-1, DT-2) cannot be read: {error}",
        ) from error


# --------------------------------------------------------------------------------------------------------- updates


def write_update(update: Update) -> bytes:
    """Give an update (F13); ValueError when it changes nothing."""
    if not update.routing_codes and not update.lines:
        raise ValueError("an update has one routing code or one line at least")
    root = etree.Element(UPDATE_ROOT)
    blocks: tuple[tuple[_Record, Sequence[RoutingCode] | Sequence[DirectoryLine]], ...] = (
        (_UPDATED_CODES, update.routing_codes),
        (_UPDATED_LINES, update.lines),
    )
    for record, entries in blocks:
        if entries:
            block = etree.SubElement(root, record.block)
            for entry in entries:
                block.append(_written(record, entry))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def read_update(data: bytes) -> Update:
    """Give the update (F13) that the bytes hold, in its order.

    Raises: Unreadable, when they are no update, hold neither routing code nor line, or a field cannot be read.
    """
    root = parse(data).getroot()
    if root.tag != UPDATE_ROOT:
        raise _other_kind(root, UPDATE_ROOT)
    update = Update(
        tuple(_entries(root, _UPDATED_CODES)),
        tuple(_entries(root, _UPDATED_LINES)),
    )
    if update == Update():
        _unreadable(root, "BlocCodesRoutage, BlocLignesAnnuaire", "")
    return update


def _entries(root: etree._Element, record: _Record) -> Iterator[Any]:
    for element in root.iterfind(f"{record.block}/{record.element}"):
        yield _made(record, element, _values(record, element))


# --------------------------------------------------------------------------------------------------------- records


def _written(record: _Record, entry: Entry, motive: str = "") -> etree._Element:
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
    return getattr(entry, _ROUTING_SCHEMES[type(entry)]) if field.qualifier == "routing" else field.qualifier


def _values(record: _Record, element: etree._Element) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in record.fields:
        leaf = element.find(field.path)
        text = "" if leaf is None else (leaf.text or "").strip()
        if leaf is None or not text:
            if field.name in record.required:
                _unreadable(element, field.path, text)
            continue
        try:
            values[field.name] = field.read(text)
        except ValueError:
            _unreadable(leaf, field.path, text)
        if field.qualifier == "routing":
            values[_ROUTING_SCHEMES[record.kind]] = leaf.get("qualifiant", "")
    return values


def _made(record: _Record, element: etree._Element, values: dict[str, Any]) -> Any:
    try:
        return record.kind(**values)
    except ValueError:
        _unreadable(element, "DonneesB2G", "")


def _element(tag: str, text: str) -> etree._Element:
    element = etree.Element(tag)
    element.text = text
    return element


def _unreadable(element: etree._Element, path: str, text: str) -> NoReturn:
    line = element.sourceline
    raise Unreadable(
        DAMAGED,
        f"Annuaire : {path} absent ou illisible dans {element.tag} : {text[:80]!r}.",
        f"Directory: {path} missing or unreadable in {element.tag}: {text[:80]!r}.",
        where=f"line {line}" if isinstance(line, int) else "",
    )


def _other_kind(root: etree._Element, expected: str) -> Unreadable:
    return Unreadable(
        OTHER_KIND,
        f"Ce n'est pas {expected} sans DOCTYPE : la racine est {root.tag}.",
        f"This is no {expected} without DOCTYPE: the root is {root.tag}.",
        where=str(root.tag),
    )

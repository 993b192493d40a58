"""The update of the directory by a platform (F13): read object by object, its order kept; written.

Two kinds of wrong. What is against the schema (an element missing, twice or out of place, a SIREN that is not nine
digits) makes the file irreceivable: `Unreadable`. Everything else is told of one object only, by the rules of annex 7:
so an object is read as it is written, its dates as texts (the schema takes the 31st of February), its qualifiers too.

Source: external specifications v3.2, annex 3 (V1.8), F13, and schemas « 0 - Annuaire ».
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, NoReturn

from lxml import etree

from estafette.formats.directory_entries import DirectoryLine, RoutingCode
from estafette.formats.directory_records import UPDATED_CODES, UPDATED_LINES, Record, other_kind, written
from estafette.formats.xml import DAMAGED, Unreadable, parse
from estafette.values.identifiers import Address
from estafette.values.moments import day, day_text

ROOT = "AnnuaireActualisation"


@dataclass(frozen=True, slots=True)
class Update:
    """What a platform asks the directory to change, in its order."""

    routing_codes: tuple[RoutingCode, ...] = ()
    lines: tuple[DirectoryLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCode:
    """A routing code as a file or a call asks for it."""

    code: RoutingCode
    siret_scheme: str = "0009"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLine:
    """A line as a file or a call asks for it: every value a text, right or wrong. Days are AAAAMMJJ."""

    nature: str
    start: str
    end: str | None = None
    siren: str
    siret: str | None = None
    routing_code: str | None = None
    suffix: str | None = None
    matricule: str
    siren_scheme: str = "0002"
    siret_scheme: str = "0009"
    routing_scheme: str = "0224"

    @classmethod
    def of(cls, line: DirectoryLine) -> "AskedLine":
        """Give the line as one asks for it."""
        given = {name: getattr(line, name) for name in _SAME}
        return cls(start=day_text(line.start), end=day_text(line.end) if line.end else None, **given)

    @property
    def address(self) -> str:
        """Give the address as an invoice writes it."""
        return str(Address(self.siren, self.siret, self.routing_code, self.suffix))

    def line(self) -> DirectoryLine:
        """Give the line that is asked for; ValueError when one of its days is none."""
        given = {name: getattr(self, name) for name in _SAME}
        return DirectoryLine(start=day(self.start), end=day(self.end) if self.end else None, **given)


_SAME = tuple(
    {field.name for field in fields(AskedLine)} & {field.name for field in fields(DirectoryLine)} - {"start", "end"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file asks for, in its order."""

    codes: tuple[AskedCode, ...] = ()
    lines: tuple[AskedLine, ...] = ()

    def update(self) -> Update:
        """Give it as an update; ValueError when a day is none."""
        return Update(tuple(asked.code for asked in self.codes), tuple(asked.line() for asked in self.lines))


def write_update(update: Update) -> bytes:
    """Give an update (F13); ValueError when it changes nothing."""
    if not update.routing_codes and not update.lines:
        raise ValueError("an update has one routing code or one line at least")
    root = etree.Element(ROOT)
    blocks: tuple[tuple[Record, Sequence[RoutingCode] | Sequence[DirectoryLine]], ...] = (
        (UPDATED_CODES, update.routing_codes),
        (UPDATED_LINES, update.lines),
    )
    for record, entries in blocks:
        if entries:
            block = etree.SubElement(root, record.block)
            for entry in entries:
                block.append(written(record, entry))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def read_update(data: bytes) -> Asked:
    """Give what the bytes ask for, in its order.

    Raises: Unreadable, when they are no update, are against its schema, or hold neither routing code nor line.
    """
    root = parse(data).getroot()
    if root.tag != ROOT:
        raise other_kind(root, ROOT)
    _check(root, _LAYOUT)
    codes = tuple(map(_code, root.iterfind("BlocCodesRoutage/CodeRoutage")))
    lines = tuple(map(_line, root.iterfind("BlocLignesAnnuaire/LigneAnnuaire")))
    if not codes and not lines:
        _against(root, "BlocCodesRoutage, BlocLignesAnnuaire", "")
    return Asked(codes, lines)


# -------------------------------------------------------------------------------------------------------- the schema


@dataclass(frozen=True, slots=True)
class _Place:
    """What an element may hold: others in order, or a text of a form; how often it stands; whether it is qualified."""

    tag: str
    children: "tuple[_Place, ...]" = ()
    form: re.Pattern[str] | None = None
    is_required: bool = True
    is_repeated: bool = False
    is_qualified: bool = False


_DAY = re.compile(r"\d{4}(0[1-9]|1[012])(0[1-9]|[12][0-9]|3[01])")
_SIREN, _SIRET, _MATRICULE = re.compile("[0-9]{9}"), re.compile("[0-9]{14}"), re.compile("[0-9]{4}")
_OPTIONAL = ("LigneAdresse1", "LigneAdresse2", "LigneAdresse3", "Localite", "CP", "SubdivisionPays", "CodePays")
_CODE = _Place(
    "CodeRoutage",
    (
        _Place("Statut"),
        _Place("IdSIRET", form=_SIRET, is_qualified=True),
        _Place("IdRoutage", is_qualified=True),
        _Place("Nom"),
        *(_Place(tag, is_required=False) for tag in _OPTIONAL),
    ),
    is_repeated=True,
)
_LINE = _Place(
    "LigneAnnuaire",
    (
        _Place("Nature"),
        _Place("DateEffet", (_Place("DateDebut", form=_DAY), _Place("DateFin", form=_DAY, is_required=False))),
        _Place(
            "InfoAdressage",
            (
                _Place(
                    "Identifiant",
                    (
                        _Place("IdLinSIREN", form=_SIREN, is_qualified=True),
                        _Place("IdLinSIRET", form=_SIRET, is_qualified=True, is_required=False),
                        _Place("IdLinRoutage", is_qualified=True, is_required=False),
                        _Place("Suffixe", is_required=False),
                    ),
                ),
            ),
        ),
        _Place("IdPlateforme", form=_MATRICULE),
    ),
    is_repeated=True,
)
_LAYOUT = _Place(
    ROOT,
    (
        _Place("BlocCodesRoutage", (_CODE,), is_required=False),
        _Place("BlocLignesAnnuaire", (_LINE,), is_required=False),
    ),
)


def _check(element: etree._Element, place: _Place) -> None:
    """Check that an element is as its place wants it. Raises: Unreadable."""
    expected = {"qualifiant"} if place.is_qualified else set()
    if {str(name) for name in element.attrib if not str(name).startswith(_INSTANCE)} != expected:
        _against(element, f"{place.tag}/@", ", ".join(map(str, element.attrib)))
    if not place.children:
        _check_text(element, place)
        return
    if "".join((element.text or "", *(child.tail or "" for child in element))).strip():
        _against(element, place.tag, element.text or "")
    _check_children(element, place)


_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


def _check_text(element: etree._Element, place: _Place) -> None:
    text = element.text or ""
    if len(element) or (place.form is not None and not place.form.fullmatch(" ".join(text.split()))):
        _against(element, place.tag, text)


def _check_children(element: etree._Element, place: _Place) -> None:
    waiting = list(element)
    for child in place.children:
        count = 0
        while waiting and waiting[0].tag == child.tag and (child.is_repeated or count == 0):
            _check(waiting.pop(0), child)
            count += 1
        if count == 0 and child.is_required:
            _against(element, child.tag, "")
    if waiting:
        _against(waiting[0], str(waiting[0].tag), waiting[0].text or "")


def _against(element: etree._Element, path: str, text: str) -> NoReturn:
    line = element.sourceline
    raise Unreadable(
        DAMAGED,
        f"Mise à jour d'annuaire : {path} absent, mal placé ou illisible dans {element.tag} : {text[:80]!r}.",
        f"Directory update: {path} missing, out of place or unreadable in {element.tag}: {text[:80]!r}.",
        where=f"line {line}" if isinstance(line, int) else "",
    )


# ------------------------------------------------------------------------------------------------------- the objects


def _code(element: etree._Element) -> AskedCode:
    given: dict[str, Any] = dict(_texts(element, _CODE_FIELDS))
    code = RoutingCode(scheme=_qualifier(element, "IdRoutage"), **given)
    return AskedCode(code=code, siret_scheme=_qualifier(element, "IdSIRET"))


def _line(element: etree._Element) -> AskedLine:
    place = element.find("InfoAdressage/Identifiant")
    assert place is not None  # noqa: S101 - the schema was checked
    schemes = {
        name: _qualifier(place, tag)
        for name, tag in (
            ("siren_scheme", "IdLinSIREN"),
            ("siret_scheme", "IdLinSIRET"),
            ("routing_scheme", "IdLinRoutage"),
        )
        if place.find(tag) is not None
    }
    return AskedLine(**dict(_texts(element, _LINE_FIELDS)), **schemes)


def _texts(element: etree._Element, named: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Give the fields that are there; one that must be is there even when it is empty: the rules say what of it."""
    for name, path in named.items():
        leaf = element.find(path)
        text = "" if leaf is None else " ".join((leaf.text or "").split())
        if text or (leaf is not None and name in _KEPT):
            yield name, text


def _qualifier(element: etree._Element, tag: str) -> str:
    leaf = element.find(tag)
    return "" if leaf is None else str(leaf.get("qualifiant", "")).strip()


_KEPT = {"nature", "status", "name", "code", "routing_code", "suffix"}
_CODE_FIELDS = {field.name: field.path for field in UPDATED_CODES.fields}
_LINE_FIELDS = {field.name: field.path for field in UPDATED_LINES.fields}

"""The export of the directory to the platforms (F14), streamed both ways. Its update by them is `directory_update`.

An export may hold millions of lines: `write_export` writes entries as they come, `read_export` gives them one by one,
each with the motive of its presence (C in force, V to come; P, S, N in a differential).

`directory_entries` says what an entry is, `directory_records` which elements it has, `directory_writing` how an export
becomes files no larger than allowed.

Source: external specifications v3.2, annex 3 (V1.8) and schemas « 0 - Annuaire ».
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from io import BytesIO
from typing import BinaryIO

from lxml import etree

from estafette.formats.directory_entries import DirectoryLine, Entry
from estafette.formats.directory_records import (
    BY_ELEMENT,
    other_kind,
    taken,
)
from estafette.formats.directory_writing import EXPORT_ROOT, ExportFile, Header, Presence
from estafette.formats.xml import DAMAGED, TOO_BIG, Unreadable
from estafette.values import limits
from estafette.values.moments import paris_day, second

__all__ = ["Header", "Presence", "read", "read_export", "write", "write_export"]


# --------------------------------------------------------------------------------------------------------- exports


def write_export(stream: BinaryIO, header: Header, entries: Iterable[Presence]) -> None:
    """Write an export (F14) as its entries come; memory holds one entry.

    The entries come block by block: legal units, establishments, routing codes, platforms, lines, each in the order
    that the caller wants to see. ValueError when the blocks are in another order.
    """
    file = ExportFile(stream, header)
    for presence in entries:
        file.add(presence)
    file.close()


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
    """Give a full export of what is active, in force or to come among the entries; the order of blocks is theirs.

    The lines are those that count (`directory.resolution.current`): replaced versions are not told apart here.
    """
    stream = BytesIO()
    write_export(stream, Header(produced_at), _in_full(entries, paris_day(produced_at)))
    return stream.getvalue()


def read(data: bytes) -> Iterator[Entry]:
    """Give the entries of an export, one by one; raises Unreadable as `read_export` does."""
    return (presence.entry for presence in read_export(BytesIO(data))[1])


def _in_full(entries: Iterable[Entry], on: date) -> Iterator[Presence]:
    presences = (Presence(entry, _motive(entry, on)) for entry in entries)
    return (presence for presence in presences if presence.motive)


def _motive(entry: Entry, on: date) -> str:
    if isinstance(entry, DirectoryLine):
        return entry.motive_in_full(on)
    return "C" if entry.status == "A" else ""


def _records(stream: BinaryIO) -> Iterator[Header | Presence]:
    texts: dict[str, str] = {}
    told = False
    for element in _elements(stream):
        record = BY_ELEMENT.get(str(element.tag))
        if record is None:
            texts[str(element.tag)] = (element.text or "").strip()
            continue
        if not told:
            yield _header(texts)
            told = True
        yield Presence(*taken(record, element))
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
        raise other_kind(element, EXPORT_ROOT)
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

"""The packs that a user adds: archives of CEN, FNFE or AIFE as they are downloaded, kept beside the built-in ones.

Each pack is a folder: its sheet, the code lists that it reads, and a manifest. A pack is data: its sheet is compiled
before it is kept, and an archive with one sheet that does not compile changes nothing.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import tempfile
import time
import zipfile
from datetime import date
from functools import lru_cache
from pathlib import Path, PurePosixPath

import msgspec

from estafette.rules.catalogue import BUILT_IN, Pack, packs_for
from estafette.rules.compiled import compile_sheet, compiled
from estafette.values.limits import FILE_BYTES_MAX, FLOW_FILES_MAX

SHEET_BYTES_MAX = 20 * 1024 * 1024
"""A sheet or code list of a user's pack; the largest official one is 2 MB (our bound)."""

MANIFEST = "pack.json"
FAMILIES: tuple[tuple[str, str, str, tuple[str, ...], str, bool], ...] = (
    ("EN16931-CII-validation", "cen:en16931:cii", "CII", ("EN16931",), "facturx:en16931:cii", True),
    ("EN16931-UBL-validation", "cen:en16931:ubl", "UBL", ("EN16931",), "", True),
    ("BR-FR-Flux2-Schematron-UBL", "fr.ctc:flux2:ubl", "UBL", (), "", True),
    ("BR-FR-Flux2-Schematron-CII", "fr.ctc:flux2:cii", "CII", (), "", True),
    ("EXTENDED-CTC-FR-UBL", "fr.ctc:extended:ubl", "UBL", ("EXTENDED-CTC-FR",), "", True),
    ("EXTENDED-CTC-FR-CII", "fr.ctc:extended:cii", "CII", ("EXTENDED-CTC-FR",), "", True),
    ("BR-FR-CDV-Schematron-CDAR", "fr.ctc:cdv:cdar", "CDAR", (), "", True),
    ("XRechnung-UBL", "de.xeinkauf:xrechnung:ubl", "UBL", (), "", False),
    ("XRechnung-CII", "de.xeinkauf:xrechnung:cii", "CII", (), "", False),
    ("PEPPOL-EN16931-UBL", "eu.peppol:bis:ubl", "UBL", (), "", False),
    ("PEPPOL-EN16931-CII", "eu.peppol:bis:cii", "CII", (), "", False),
)
"""Beginning of the name of a sheet → family, syntax, profiles, family taken over, run without being asked for."""

NAMESPACES = (
    ("CrossDomainAcknowledgementAndResponse:100", "CDAR"),
    ("CrossIndustryInvoice:100", "CII"),
    ("schema:xsd:Invoice-2", "UBL"),
    ("schema:xsd:CreditNote-2", "UBL"),
)
VERSION = re.compile(r"(?<![\d.])(\d+\.\d+(?:\.\d+)*)(?![\d.]*\.\d)")
DOCUMENTS = re.compile(rb"document\(\s*['\"]([^'\"]+)['\"]\s*\)")


class Manifest(msgspec.Struct, frozen=True):
    """What is kept of an added pack, beside its sheet."""

    coordinate: str
    title: str
    file: str
    syntax: str
    profiles: tuple[str, ...]
    takes_over: str
    automatic: bool
    since: date
    source: str
    checksum: str


class RefusedPackError(Exception):
    """An archive that cannot be added; the message says which sheet, which assertion, and why."""


def shelf_folder() -> Path:
    """Return where added packs are: `ESTAFETTE_PACKS`, else the data folder of the user."""
    chosen = os.environ.get("ESTAFETTE_PACKS")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "estafette" / "packs"


def known_packs() -> tuple[Pack, ...]:
    """Return the built-in packs, then the added ones in the order of their coordinates."""
    return BUILT_IN + added_packs()


def added_packs() -> tuple[Pack, ...]:
    """Return the packs of the shelf; a folder whose manifest cannot be read is passed over."""
    return _shelved(*_state())


def judging_packs(syntax: str, profile: str, on: date | None) -> tuple[Pack, ...]:
    """Return the packs, built-in or added, that judge such a document on that day."""
    return _judging(syntax, profile, on, *_state())


@lru_cache(256)
def _judging(syntax: str, profile: str, on: date | None, folder: str, changed: int) -> tuple[Pack, ...]:
    return packs_for(syntax, profile, on, BUILT_IN + _shelved(folder, changed))


def _state() -> tuple[str, int]:
    """Return where the shelf is and when it last changed (0 when there is none), as of this second."""
    return _looked_up(os.environ.get("ESTAFETTE_PACKS"), os.environ.get("XDG_DATA_HOME"), int(time.monotonic()))


@lru_cache(4)
def _looked_up(chosen: str | None, home: str | None, second: int) -> tuple[str, int]:
    del chosen, home, second
    folder = str(shelf_folder())
    try:
        return folder, os.stat(folder).st_mtime_ns  # noqa: PTH116 - one call of the system
    except OSError:
        return folder, 0


@lru_cache(8)
def _shelved(place: str, changed: int) -> tuple[Pack, ...]:
    if not changed:
        return ()
    folder = Path(place)
    packs = []
    for path in sorted(folder.glob(f"[!.]*/{MANIFEST}")):
        try:
            packs.append(_pack(msgspec.json.decode(path.read_bytes(), type=Manifest), path.parent))
        except (OSError, msgspec.DecodeError):
            continue
    return tuple(packs)


def _pack(manifest: Manifest, folder: Path) -> Pack:
    return Pack(
        manifest.coordinate,
        manifest.title,
        folder / manifest.file,
        manifest.syntax,
        frozenset(manifest.profiles),
        since=manifest.since,
        takes_over=manifest.takes_over,
        automatic=manifest.automatic,
        source=manifest.source,
    )


def add(archive: bytes, name: str, *, since: date = date.min) -> list[Pack]:
    """Add every sheet of an archive, or of one file; raise `RefusedPackError` and change nothing when one fails."""
    files = _files(archive, name)
    sheets = _sheets(files)
    if not sheets:
        raise RefusedPackError(f"{name}: no Schematron and no XSLT made from one")
    prepared = [_prepared(path, files, name, since) for path in sheets]
    from estafette.rules.compiler.syntax import UnsupportedError  # noqa: PLC0415 - loaded only to add a pack

    for data, manifest, _ in prepared:
        try:
            compile_sheet(data)
        except UnsupportedError as error:
            raise RefusedPackError(f"{manifest.file}: {error}") from error
    return [_keep(data, manifest, lists) for data, manifest, lists in prepared]


def _files(archive: bytes, name: str) -> dict[str, bytes]:
    """Return the files of an archive by their path, bounded."""
    if not archive.startswith(b"PK"):
        return {PurePosixPath(name).name: archive}
    files: dict[str, bytes] = {}
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = opened.infolist()
            if len(entries) > FLOW_FILES_MAX:
                raise RefusedPackError(f"{name}: {len(entries)} files")
            for entry in entries:
                if not entry.filename.lower().endswith((".xslt", ".xsl", ".sch", ".xml")):
                    continue
                with opened.open(entry) as stream:
                    content = stream.read(SHEET_BYTES_MAX + 1)
                total += len(content)
                if len(content) > SHEET_BYTES_MAX or total > FILE_BYTES_MAX:
                    raise RefusedPackError(f"{name}: {entry.filename} is too large")
                files[entry.filename] = content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise RefusedPackError(f"{name}: {error}") from error
    return files


def _sheets(files: dict[str, bytes]) -> list[str]:
    """Return the sheets of an archive: the XSLT where there is one, else the Schematron that is not only included."""
    compiled_ones = [
        path for path, data in files.items() if path.lower().endswith((".xslt", ".xsl")) and b"fired-rule" in data
    ]
    stems = {PurePosixPath(path).stem.lower() for path in compiled_ones}
    sources = [
        path
        for path, data in files.items()
        if path.lower().endswith(".sch")
        and re.search(rb"<(?:\w+:)?schema\b", data)
        and PurePosixPath(path).stem.lower() not in stems
        and "preprocessed" not in path
        and "/abstract/" not in path
    ]
    return sorted(compiled_ones) + sorted(sources)


def _prepared(path: str, files: dict[str, bytes], origin: str, since: date) -> tuple[bytes, Manifest, dict[str, bytes]]:
    folder = PurePosixPath(path).parent
    data = files[path]
    if path.lower().endswith(".sch"):
        from estafette.rules.compiler.sheet import flattened  # noqa: PLC0415 - loaded only to add a pack
        from estafette.rules.compiler.syntax import UnsupportedError  # noqa: PLC0415

        try:
            data = flattened(data, lambda href: _sibling(files, folder, href))
        except UnsupportedError as error:
            raise RefusedPackError(f"{path}: {error}") from error
    names = {match.decode("utf-8", "replace") for match in DOCUMENTS.findall(data)}
    lists = {PurePosixPath(name).name: _sibling(files, folder, name) for name in names}
    return data, _manifest(path, data, origin, since), lists


def _sibling(files: dict[str, bytes], folder: PurePosixPath, href: str) -> bytes:
    wanted = os.path.normpath(str(folder / href))
    if wanted not in files:
        raise RefusedPackError(f"{href} is not in the archive")
    return files[wanted]


def _manifest(path: str, data: bytes, origin: str, since: date) -> Manifest:
    stem = PurePosixPath(path).stem
    family, syntax, profiles, takes_over, automatic = _family(stem, data)
    head = data[:4000].decode("utf-8", "replace")
    said = re.search(r"(?:Schematron version|^\s*Version:?)\s+(\d+\.\d+(?:\.\d+)*)", head, re.M)
    named = VERSION.search(origin)
    version = said[1] if said else named[1] if named else hashlib.sha256(data).hexdigest()[:8]
    return Manifest(
        coordinate=f"{family}:{version}",
        title=stem,
        file=PurePosixPath(path).name,
        syntax=syntax,
        profiles=profiles,
        takes_over=takes_over,
        automatic=automatic,
        since=since,
        source=origin,
        checksum=hashlib.sha256(data).hexdigest(),
    )


def _family(stem: str, data: bytes) -> tuple[str, str, tuple[str, ...], str, bool]:
    for beginning, family, syntax, profiles, takes_over, automatic in FAMILIES:
        if stem.lower().startswith(beginning.lower()):
            return family, syntax, profiles, takes_over, automatic
    syntax = next((syntax for mark, syntax in NAMESPACES if mark.encode() in data), "")
    word = re.sub(r"[^a-z0-9.]+", "-", stem.lower()).strip("-") or "pack"
    return f"local:{word}:{(syntax or 'any').lower()}", syntax, (), "", False


def _keep(data: bytes, manifest: Manifest, lists: dict[str, bytes]) -> Pack:
    """Write a pack beside the shelf, then put it in place at once."""
    shelf = shelf_folder()
    shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = Path(tempfile.mkdtemp(dir=shelf, prefix=".new-"))
    (temporary / manifest.file).write_bytes(data)
    for name, content in lists.items():
        (temporary / name).write_bytes(content)
    (temporary / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    target = shelf / _folder_name(manifest.coordinate)
    if target.exists():
        shutil.rmtree(target)
    temporary.replace(target)
    _looked_up.cache_clear()
    compiled(data)
    return _pack(manifest, target)


def _folder_name(coordinate: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", coordinate)


def remove(coordinate: str) -> bool:
    """Remove an added pack; return whether it was there."""
    target = shelf_folder() / _folder_name(coordinate)
    if not (target / MANIFEST).is_file():
        return False
    shutil.rmtree(target)
    _looked_up.cache_clear()
    return True

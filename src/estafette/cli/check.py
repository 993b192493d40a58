"""`estafette check FILE|FOLDER…`: say whether invoices and messages follow the official rules, and what to repair."""

import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estafette.values.limits import FILE_BYTES_MAX, FLOW_EXTRACTED_BYTES_MAX, FLOW_FILES_MAX

if TYPE_CHECKING:
    from estafette.rules.catalogue import Pack
    from estafette.rules.verdict import Verdict

SUFFIXES = {".xml", ".pdf", ".zip", ".gz", ".tgz", ".tar"}
MANY = 20
"""Documents from which a progress line is worth showing."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(check)


def check(
    paths: Annotated[
        list[Path], typer.Argument(help="Fichiers, dossiers, archives. / Files, folders, archives.", exists=True)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Une ligne JSON par document. / A JSON line each.")] = False,
    html: Annotated[Path | None, typer.Option(help="Écrit une page. / Write a page to this file.")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Juge à cette date. / Judge as of that day.")
    ] = None,
    pack: Annotated[
        list[str] | None, typer.Option(help="Paquets à appliquer à la place. / Packs to apply instead.")
    ] = None,
) -> None:
    """Contrôle des factures et messages. / Check invoices and messages against the official rules.

    Code 0 : tout est accepté ; 1 : un document au moins est rejeté ; 2 : un document est illisible, ou mauvais usage.
    """
    from estafette.rules import report

    chosen = _chosen(pack)
    day = on.date() if on else None
    judged: list[tuple[str, Verdict]] = []
    documents = list(_names(paths))
    for name, verdict in _judged(paths, day, chosen, quiet=len(documents) < MANY):
        judged.append((name, verdict))
        if as_json:
            sys.stdout.write(report.as_json(name, verdict).decode() + "\n")
        elif html is None:
            typer.echo(report.as_text(name, verdict))
    if html is not None:
        html.write_text(report.as_html(judged), encoding="utf-8")
    verdicts = [verdict for _, verdict in judged]
    if len(verdicts) > 1 and not as_json:
        typer.echo(report.totals(verdicts))
    raise typer.Exit(_code(verdicts))


def _code(verdicts: list["Verdict"]) -> int:
    if not verdicts or any(not verdict.syntax for verdict in verdicts):
        return 2
    return 0 if all(verdict.accepted for verdict in verdicts) else 1


def _chosen(coordinates: list[str] | None) -> tuple["Pack", ...] | None:
    if not coordinates:
        return None
    from estafette.rules.shelf import known_packs

    known = {known_pack.coordinate: known_pack for known_pack in known_packs()}
    for coordinate in coordinates:
        if coordinate not in known:
            typer.echo(f"--pack {coordinate}? → {', '.join(known)}", err=True)
            raise typer.Exit(2)
    return tuple(known[coordinate] for coordinate in coordinates)


def _judged(
    paths: list[Path], on: date | None, packs: tuple["Pack", ...] | None, *, quiet: bool
) -> Iterator[tuple[str, "Verdict"]]:
    from estafette.rules import check as judge

    for number, (name, data) in enumerate(_documents(paths), 1):
        if not quiet and sys.stderr.isatty():
            typer.echo(f"\r{number} documents… ", nl=False, err=True)
        yield name, judge(data, on=on, packs=packs)
    if not quiet and sys.stderr.isatty():
        typer.echo("\r", nl=False, err=True)


def _names(paths: list[Path]) -> Iterator[Path]:
    """Give every file asked for, those of folders in the order of their names."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        else:
            yield path


def _documents(paths: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Give the name and the bytes of every document, those of archives one by one, never more than the limits."""
    for path in _names(paths):
        try:
            with path.open("rb") as file:
                data = file.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            typer.echo(f"{path}: {error.strerror}", err=True)
            raise typer.Exit(2) from error
        yield from _opened(str(path), data)


def _opened(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Give what an archive holds; a damaged one is said and judged as it is, unreadable, and the others go on."""
    try:
        if data.startswith(b"PK\x03\x04"):
            yield from _zipped(name, data)
        elif data.startswith(b"\x1f\x8b") or name.lower().endswith(".tar"):
            yield from _tarred(name, data)
        else:
            yield name, data
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        typer.echo(f"{name}: {error}", err=True)
        yield name, data


def _zipped(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    left = FLOW_EXTRACTED_BYTES_MAX
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist()[:FLOW_FILES_MAX]:
            if not entry.is_dir() and left > 0:
                with archive.open(entry) as stream:
                    content = stream.read(min(left, FILE_BYTES_MAX + 1))
                left -= len(content)
                yield f"{name}!{entry.filename}", content


def _tarred(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    left = FLOW_EXTRACTED_BYTES_MAX
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
        for number, entry in enumerate(archive):
            if number >= FLOW_FILES_MAX or left <= 0:
                break
            stream = archive.extractfile(entry) if entry.isfile() else None
            if stream is not None:
                content = stream.read(min(left, FILE_BYTES_MAX + 1))
                left -= len(content)
                yield f"{name}!{entry.name}", content

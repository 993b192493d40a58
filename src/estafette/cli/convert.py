"""`estafette convert FILE|FOLDER --to ubl|cii|facturx|json`: the same invoice in another form, term by term."""

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from estafette.formats.conversion import Outcome

SUFFIXES = {".xml", ".pdf"}
MANY = 20
"""Documents from which progress is worth showing."""


class Target(StrEnum):
    """What can be written, and the end of its file name."""

    UBL = "ubl"
    CII = "cii"
    FACTURX = "facturx"
    JSON = "json"


ENDINGS = {Target.UBL: ".ubl.xml", Target.CII: ".cii.xml", Target.FACTURX: ".pdf", Target.JSON: ".json"}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(convert)


def convert(
    source: Annotated[Path, typer.Argument(help="Facture ou dossier. / Invoice or folder.", exists=True)],
    to: Annotated[Target, typer.Option(help="Forme voulue. / Form wanted.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Fichier ou dossier. / File or folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Compte rendu en JSON. / Report in JSON.")] = False,
) -> None:
    """Convertit des factures et dit ce que devient chaque terme. / Convert invoices and account for each term.

    Sans -o, la facture sort sur la sortie standard et le compte rendu sur l'erreur. Code 0 : tout est gardé ;
    1 : un terme au moins est perdu ; 2 : un document est illisible, ou mauvais usage.
    """
    if source.is_dir() and output is None:
        typer.echo("Un dossier demande -o DOSSIER. / A folder needs -o FOLDER.", err=True)
        raise typer.Exit(2)
    files = sorted(_invoices(source))
    codes = [0]
    for number, file in enumerate(files, start=1):
        if len(files) >= MANY and sys.stderr.isatty():
            typer.echo(f"\r{number}/{len(files)}", err=True, nl=number == len(files))
        codes.append(_one(file, to, _target(file, source, to, output), as_json=as_json))
    raise typer.Exit(max(codes))


def _invoices(source: Path) -> Iterator[Path]:
    if source.is_file():
        return iter([source])
    return (file for file in source.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())


def _target(file: Path, source: Path, to: Target, output: Path | None) -> Path | None:
    if output is None or source.is_file():
        return output
    return output / file.relative_to(source).with_suffix(ENDINGS[to])


def _one(file: Path, to: Target, target: Path | None, *, as_json: bool) -> int:
    from estafette.formats import Unreadable
    from estafette.formats.conversion import Fate

    try:
        document, outcomes = _converted(file.read_bytes(), to)
    except Unreadable as unreadable:
        typer.echo(f"{file}: {unreadable.code} {unreadable.reason_fr} / {unreadable.reason_en}", err=True)
        return 2
    if target is None:
        sys.stdout.buffer.write(document)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(document)
    _report(file, outcomes, as_json=as_json)
    return int(any(outcome.fate is Fate.LOST for outcome in outcomes))


def _converted(data: bytes, to: Target) -> tuple[bytes, "tuple[Outcome, ...]"]:
    """Give the document and what became of each term; a Factur-X shows the invoice in its readable form."""
    from estafette import readable
    from estafette.formats import Syntax, facturx_writing, json_form, read
    from estafette.formats.conversion import convert as between

    if to is Target.JSON:
        return json_form.write(read(data)), ()
    made = between(data, Syntax.UBL if to is Target.UBL else Syntax.CII)
    if to is Target.FACTURX:
        return facturx_writing.write(made.document, pdf=readable.pdf(read(made.document))), made.outcomes
    return made.document, made.outcomes


def _report(file: Path, outcomes: "tuple[Outcome, ...]", *, as_json: bool) -> None:
    from estafette.formats.conversion import Fate

    if as_json:
        told = [{"term": one.term, "fate": one.fate, "fr": one.why_fr, "en": one.why_en} for one in outcomes]
        typer.echo(json.dumps({"file": str(file), "outcomes": told}, ensure_ascii=False), err=True)
        return
    counts = {fate: sum(outcome.fate is fate for outcome in outcomes) for fate in Fate}
    typer.echo(f"{file}: " + ", ".join(f"{fate.value} {count}" for fate, count in counts.items()), err=True)
    for outcome in outcomes:
        if outcome.fate is not Fate.KEPT:
            typer.echo(f"  {outcome.fate.value:<6}{outcome.term}  {outcome.why_fr} / {outcome.why_en}", err=True)

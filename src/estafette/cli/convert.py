"""`estafette convert FILE|FOLDER --to ubl|cii|facturx|json`: the same invoice in another form, term by term."""

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from estafette.formats.conversion import Conversion

SUFFIXES = {".xml", ".pdf", ".json"}
MANY = 20
"""Documents from which progress is worth showing."""


class Target(StrEnum):
    """What can be written."""

    UBL = "ubl"
    CII = "cii"
    FACTURX = "facturx"
    JSON = "json"


class Profile(StrEnum):
    """What an invoice can be written under."""

    EN16931 = "en16931"
    EXTENDED_CTC_FR = "extended-ctc-fr"
    EXTENDED = "extended"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(convert)


def convert(
    source: Annotated[Path, typer.Argument(help="Facture ou dossier. / Invoice or folder.", exists=True)],
    to: Annotated[Target, typer.Option(help="Forme voulue. / Form wanted.")],
    profile: Annotated[Profile | None, typer.Option(help="Profil voulu. / Profile wanted.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Fichier ou dossier. / File or folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Compte rendu en JSON. / Report in JSON.")] = False,
) -> None:
    """Convertit des factures et dit ce que devient chaque terme. / Convert invoices and account for each term.

    D'EXTENDED à EN 16931, le lisible de l'original est joint. / The readable version of the original is attached.

    Sans -o, la facture sort sur la sortie standard et le compte rendu sur l'erreur. Code 0 : tout est gardé ;
    1 : un terme au moins est perdu ; 2 : un document est illisible, ou mauvais usage.
    """
    if source.is_dir() and output is None:
        typer.echo("Un dossier demande -o DOSSIER. / A folder needs -o FOLDER.", err=True)
        raise typer.Exit(2)
    if profile and to is Target.JSON:
        typer.echo("--profile : JSON n'en a pas. / JSON has none.", err=True)
        raise typer.Exit(2)
    files = sorted(_invoices(source))
    codes = [0]
    for number, file in enumerate(files, start=1):
        if len(files) >= MANY and sys.stderr.isatty():
            typer.echo(f"\r{number}/{len(files)}", err=True, nl=number == len(files))
        codes.append(_one(file, to, profile, _target(file, source, to, output), as_json=as_json))
    raise typer.Exit(max(codes))


def _invoices(source: Path) -> Iterator[Path]:
    if source.is_file():
        return iter([source])
    return (file for file in source.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())


def _target(file: Path, source: Path, to: Target, output: Path | None) -> Path | None:
    if output is None or source.is_file():
        return output
    from estafette.readable.forms import ENDINGS, Form

    return output / file.relative_to(source).with_suffix(ENDINGS[Form(to)])


def _one(file: Path, to: Target, profile: Profile | None, target: Path | None, *, as_json: bool) -> int:
    from estafette.formats import Unreadable
    from estafette.formats.conversion import PROFILES, Fate
    from estafette.readable.forms import Form, converted
    from estafette.values.limits import FILE_BYTES_MAX

    names = {short: name for name, short in PROFILES.items()}
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
        made = converted(data, Form(to), profile=names.get(profile or ""))
    except Unreadable as unreadable:
        where = f" ({unreadable.where})" if unreadable.where else ""
        typer.echo(f"{file}: {unreadable.code} {unreadable.reason_fr} / {unreadable.reason_en}{where}", err=True)
        return 2
    if target is None:
        sys.stdout.buffer.write(made.document)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(made.document)
    _report(file, made, as_json=as_json)
    return int(bool(made.of(Fate.LOST)))


def _report(file: Path, made: "Conversion", *, as_json: bool) -> None:
    from estafette.formats.conversion import Fate

    if as_json:
        told = [{"term": one.term, "fate": one.fate, "fr": one.why_fr, "en": one.why_en} for one in made.outcomes]
        typer.echo(
            json.dumps({"file": str(file), "source": made.source, "outcomes": told}, ensure_ascii=False), err=True
        )
        return
    counts = {fate: len(made.of(fate)) for fate in Fate}
    typer.echo(f"{file}: " + ", ".join(f"{fate.value} {count}" for fate, count in counts.items()), err=True)
    for outcome in made.outcomes:
        if outcome.fate is not Fate.KEPT:
            typer.echo(f"  {outcome.fate.value:<6}{outcome.term}  {outcome.why_fr} / {outcome.why_en}", err=True)

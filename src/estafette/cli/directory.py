"""`estafette directory`: the feeds of the portal's directory, by whoever holds its data; the portal may be at work."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from estafette.portal.feeding import Feeding, Report

directory = typer.Typer(no_args_is_help=True, help="L'annuaire du portail. / The portal's directory.")

FEEDS = ("sirene-stock", "sirene-daily", "tax", "chorus-pro")
PROGRESS_AFTER_S = 2.0
"""From when on how far a load is is said, and how often."""

Files = Annotated[list[Path], typer.Argument(help="CSV, JSON, ZIP.", metavar="FILE...")]
Data = Annotated[Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA")]
Json = Annotated[bool, typer.Option("--json", help="Réponse en JSON. / Answer in JSON.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Compter sans rien écrire. / Count, write nothing.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(directory, name="directory")


@directory.callback()
def _group() -> None:
    """L'annuaire du portail et ses sources. / The portal's directory and its feeds."""


@directory.command()
def load(
    feed: Annotated[str, typer.Argument(help=" | ".join(FEEDS), metavar="FEED")],
    files: Files,
    *,
    data: Data = Path("data"),
    is_dry: Dry = False,
    as_json: Json = False,
) -> None:
    """Charge des fichiers ; code 1 si des lignes sont refusées. / Load files; exit 1 when rows are refused.

    Un fichier déjà chargé ne l'est pas deux fois ; un chargement interrompu reprend. / A file is loaded once; a load
    that was cut short goes on.
    """
    from estafette.portal.feed_files import Feed

    if feed not in FEEDS:
        _stop(f"{feed}? → {', '.join(FEEDS)}")
    if missing := [str(file) for file in files if not file.is_file()]:
        _stop(f"{', '.join(missing)}: introuvable / not found")
    reports = _loaded(data, Feed(feed), files, is_dry=is_dry, is_shown=not as_json)
    if as_json:
        typer.echo(json.dumps([asdict(report) for report in reports], ensure_ascii=False))
    else:
        for report in reports:
            _tell(report)
    raise typer.Exit(1 if any(report.rejected for report in reports) else 0)


def _loaded(data: Path, feed: Any, files: list[Path], *, is_dry: bool, is_shown: bool) -> list["Report"]:
    from sqlalchemy.exc import DatabaseError

    from estafette.circuit.network import PORT, SEATS, Network, WrongNetwork
    from estafette.portal.feed_files import WrongFile
    from estafette.portal.feeding import Feeding
    from estafette.store.database import NewerData, open_database

    seat = next(seat for seat in SEATS if seat.kind == "portal")
    network = Network(data, PORT)
    try:
        where = network.database(seat)
        if isinstance(where, Path) and not where.exists():
            _stop(f"{where}: rien ici, démarrer d'abord / nothing here, start first: estafette up")
        database = open_database(where, ("platform", "portal"), threaded=False)
        try:
            rejects = network.folder(seat) / "rejects"
            feeding = Feeding(database, clock=lambda: datetime.now(UTC), rejects=rejects)
            return [_one(feeding, file, feed, is_dry=is_dry, is_shown=is_shown) for file in files]
        finally:
            database.close()
    except (DatabaseError, NewerData, OSError, WrongFile, WrongNetwork) as fault:
        _stop(" ".join(str(fault).split())[:500])


def _one(feeding: "Feeding", file: Path, feed: Any, *, is_dry: bool, is_shown: bool) -> "Report":
    report = feeding.load(file, feed, is_dry=is_dry, say=_progress() if is_shown else lambda _report: None)
    if not is_dry:
        feeding.settle()
        feeding.gather()
    return report


def _progress() -> Callable[["Report"], None]:
    """Return what says how far a load is, on the error output, once it lasts."""
    said = time.monotonic()

    def say(report: "Report") -> None:
        nonlocal said
        if time.monotonic() - said < PROGRESS_AFTER_S:
            return
        said = time.monotonic()
        typer.echo(f"{report.file}  {report.share:6.1%}  {report.rows:>12,}", err=True)
        sys.stderr.flush()

    return say


def _tell(report: "Report") -> None:
    if report.already_loaded:
        typer.echo(f"{report.file}: déjà chargé / already loaded")
        return
    numbers = (
        ("lignes / rows", report.rows),
        ("nouvelles / added", report.added),
        ("modifiées / changed", report.changed),
        ("inchangées / same", report.same),
        ("sans effet / passed over", report.passed),
        ("refusées / rejected", report.rejected),
    )
    typer.echo(report.file)
    for words, number in numbers:
        typer.echo(f"  {words:<26}{number:>14,}")
    for row in report.first_rejects:
        typer.echo(
            f"  {report.file}:{row['line']}  {row['field']}  {row['seen']!r}  {row['fr']} / {row['en']}", err=True
        )
    if report.rejects:
        typer.echo(f"  → {report.rejects}", err=True)


def _stop(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)

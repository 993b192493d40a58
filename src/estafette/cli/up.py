"""`estafette up`: open every actor, seed the pilot team the first time, serve until Ctrl-C."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from estafette.cli.logs import configure_log


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(up)


def up(
    data: Annotated[
        Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA", show_default=True)
    ] = Path("data"),
    port: Annotated[int, typer.Option(help="Premier port. / First port.", min=1, max=65000)] = 8400,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Acteur à servir seul (répétable). / Actor to serve alone (repeatable).", metavar="ACTOR"),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Journal complet. / Full log.")] = False,
) -> None:
    """Démarre tout le système et le sert jusqu'à Ctrl-C. / Start the whole system and serve it until Ctrl-C."""
    from estafette.circuit.network import SEATS, WrongNetwork
    from estafette.circuit.seed import SeedFailed, ready
    from estafette.circuit.serve import CannotStart, serve

    configure_log(logging.INFO if verbose else logging.WARNING)
    names = [seat.name for seat in SEATS]
    unknown = sorted(set(only or ()) - set(names))
    if unknown:
        typer.echo(f"--only {', '.join(unknown)}? → {', '.join(names)}", err=True)
        raise typer.Exit(2)
    seats = [seat for seat in SEATS if not only or seat.name in only]
    try:
        serve(data, port=port, seats=seats, ready=ready(data, typer.echo))
    except (CannotStart, WrongNetwork, SeedFailed) as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(2) from None

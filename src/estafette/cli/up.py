"""`estafette up`: open every actor, seed the pilot team the first time, serve until Ctrl-C."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estafette.cli.logs import configure_log

if TYPE_CHECKING:
    from estafette.circuit.network import Seat


class Role(StrEnum):
    """What a process does for its actors."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(up)


def up(
    data: Annotated[
        Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA", show_default=True)
    ] = Path("data"),
    *,
    port: Annotated[int, typer.Option(help="Premier port. / First port.", min=1, max=65000)] = 8400,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Acteur à servir seul (répétable). / Actor to serve alone (repeatable).", metavar="ACTOR"),
    ] = None,
    role: Annotated[
        Role,
        typer.Option(help="Rôle de ce processus ; api et worker : PostgreSQL. / Role of this process."),
    ] = Role.ALL,
    probes: Annotated[
        int | None,
        typer.Option(help="Port local de /health, /ready, /metrics de ce processus. / Of this process alone.", min=1),
    ] = None,
    apart: Annotated[
        bool, typer.Option("--apart", help="Chaque acteur dans son processus. / Each actor in a process of its own.")
    ] = False,
    workers: Annotated[
        int, typer.Option(help="Avec --apart : travailleurs par acteur. / Workers of each actor.", min=0, max=64)
    ] = 0,
    apis: Annotated[
        int, typer.Option(help="Avec --workers : API par acteur. / API processes of each actor.", min=1, max=64)
    ] = 1,
    verbose: Annotated[bool, typer.Option("--verbose", help="Journal complet. / Full log.")] = False,
    part: Annotated[bool, typer.Option("--part", hidden=True)] = False,
) -> None:
    """Démarre tout le système et le sert jusqu'à Ctrl-C. / Start the whole system and serve it until Ctrl-C."""
    from estafette.circuit.network import WrongNetwork
    from estafette.circuit.seed import SeedFailed, ready, silent
    from estafette.circuit.starting import CannotStart

    configure_log(logging.INFO if verbose else logging.WARNING)
    seats = _seats(only)
    try:
        if apart or workers:
            _apart(data, port, seats, apis=apis, workers=workers, verbose=verbose)
            return
        from estafette.circuit.serve import Part, serve

        announce = silent if part or role is Role.WORKER else ready(data, typer.echo)
        serve(data, port=port, part=Part(seats, role.value, probes, stops_at_eof=part), ready=announce)
    except (CannotStart, WrongNetwork, SeedFailed) as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(2) from None


def _seats(only: list[str] | None) -> list["Seat"]:
    """Return the actors that are asked for, all unless some are."""
    from estafette.circuit.network import SEATS

    names = [seat.name for seat in SEATS]
    unknown = sorted(set(only or ()) - set(names))
    if unknown:
        typer.echo(f"--only {', '.join(unknown)}? → {', '.join(names)}", err=True)
        raise typer.Exit(2)
    return [seat for seat in SEATS if not only or seat.name in only]


def _apart(data: Path, port: int, seats: list["Seat"], *, apis: int, workers: int, verbose: bool) -> None:
    """The actors have served, each in processes of its own."""
    import uvloop

    from estafette.circuit.apart import pieces_of, run_apart
    from estafette.circuit.network import Network
    from estafette.circuit.seed import ready

    network = Network(data, port)
    pieces = pieces_of(network, seats, data, port, apis=apis, workers=workers)
    options = ("--verbose",) if verbose else ()
    announce = ready(data, typer.echo)
    uvloop.run(run_apart(network, seats, pieces, ready=announce, say=typer.echo, options=options))

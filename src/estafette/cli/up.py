"""`estafette up`: open every actor, seed the pilot team the first time, serve until Ctrl-C."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer


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

    _configure_log(logging.INFO if verbose else logging.WARNING)
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


def _configure_log(level: int) -> None:
    """Log one JSON object a line on the error output; an exception is its trace, without the values it met."""
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )

"""`estafette sample NAME`: write one of our own sample invoices, numbered and dated, ready to be sent."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(sample)


def sample(
    name: Annotated[str, typer.Argument(help="service, service-cii, service-10, goods, credit-note, public")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Fichier. / File.")] = None,
    number: Annotated[str | None, typer.Option(help="Numéro (BT-1). / Number (BT-1).")] = None,
    facturx: Annotated[bool, typer.Option("--facturx", help="En PDF Factur-X. / As a Factur-X PDF.")] = False,
) -> None:
    """Écrit une de nos factures d'exemple, datée du jour. / Write one of our sample invoices, dated today."""
    from estafette.simulation import samples
    from estafette.values.moments import PARIS, paris_day

    now = datetime.now(UTC)
    if name not in samples.NAMES:
        typer.echo(f"{name}? → {', '.join(samples.NAMES)}", err=True)
        raise typer.Exit(2)
    today = paris_day(now)
    data = samples.load(
        name,
        number=number or f"F{now.astimezone(PARIS):%y%m%d-%H%M%S}",
        issue_date=today,
        due_date=today + timedelta(days=30),
    )
    if facturx:
        data = samples.facturx_from(data)
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        output.write_bytes(data)
    except OSError as fault:
        typer.echo(f"{output}: {fault.strerror}", err=True)
        raise typer.Exit(2) from None
    typer.echo(str(output))

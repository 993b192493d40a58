"""`estafette pilot run`: replay the use cases through the running actors, and say what was expected and seen."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

pilot = typer.Typer(no_args_is_help=True, help="Le pilote. / The pilot.")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(pilot, name="pilot")


@pilot.callback()
def _group() -> None:
    """Le pilote : cas d'usage rejoués par les acteurs. / The pilot: use cases replayed by the actors."""


@pilot.command()
def run(
    cases: Annotated[list[str], typer.Argument(help="uc1 uc2 uc3 uc4 uc5 ereporting | all", metavar="CASE...")],
    data: Annotated[Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA")] = Path(
        "data"
    ),
    port: Annotated[int, typer.Option(help="Premier port. / First port.")] = 8400,
    patience: Annotated[
        float, typer.Option(help="Attente d'une étape, en secondes. / Wait for a step, seconds.")
    ] = 30.0,
) -> None:
    """Rejoue des cas d'usage : code 0 si tout est conforme. / Replay use cases: exit 0 when all is as expected."""
    from estafette.simulation.pilot import USE_CASES

    cases = list(USE_CASES) if cases == ["all"] else cases
    unknown = [case for case in cases if case not in USE_CASES]
    if unknown:
        typer.echo(f"{', '.join(unknown)}? → {', '.join(USE_CASES)}", err=True)
        raise typer.Exit(2)
    import aiohttp

    from estafette.circuit.entries import CannotEnter, entries_of
    from estafette.circuit.network import WrongNetwork

    try:
        held = asyncio.run(_run(cases, entries_of(data, port), patience))
    except (CannotEnter, WrongNetwork, aiohttp.ClientError) as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(0 if held else 1)


async def _run(cases: list[str], entries: Any, patience: float) -> bool:
    """Play each case and print its steps as they come, then the table; return whether all holds."""
    from estafette.circuit.entries import check_ready
    from estafette.simulation.pilot import USE_CASES, play, samples_of
    from estafette.values.moments import PARIS, paris_day

    await check_ready(entries, entries.urls)
    rows = []
    for case in cases:
        now = datetime.now(UTC)
        number = f"{case.upper()}-{now.astimezone(PARIS):%y%m%d%H%M%S%f}"[:-4]  # two runs within a second are two
        typer.echo(f"\n{case} — {(USE_CASES[case].__doc__ or '').splitlines()[0]}")
        start = time.monotonic()
        documents = samples_of(case, number=number, today=paris_day(now))
        steps = await play(case, entries, documents=documents, patience=patience, tell=_tell)
        rows.append((case, len(steps), sum(step.holds for step in steps), time.monotonic() - start))
    typer.echo(f"\n{'cas / case':<12}{'étapes / steps':>16}{'conformes / as expected':>26}{'secondes / s':>14}")
    for case, count, holding, seconds in rows:
        typer.echo(f"{case:<12}{count:>16}{holding:>26}{seconds:>14.2f}")
    return all(count == holding for _case, count, holding, _seconds in rows)


def _tell(step: Any) -> None:
    mark = "✓" if step.holds else "✗"
    typer.echo(f"  {mark} {step.plane:<15}{step.title}")
    typer.echo(f"      attendu / expected  {step.expected}")
    typer.echo(f"      observé / observed  {step.observed}")

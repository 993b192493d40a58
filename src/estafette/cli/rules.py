"""`estafette rules list | show | add | remove`: the packs of rules, and what one rule says."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

rules_app = typer.Typer(
    no_args_is_help=True, help="Les paquets de règles. / The packs of rules.", pretty_exceptions_enable=False
)


def register(app: typer.Typer) -> None:
    """Add the group of verbs."""
    app.add_typer(rules_app, name="rules")


@rules_app.command("list")
def list_packs() -> None:
    """Liste les paquets. / List the packs: coordinate, date, what they judge, number of rules, checksum, source."""
    import hashlib

    from estafette.rules.compiled import compiled
    from estafette.rules.shelf import known_packs

    for pack in known_packs():
        data = pack.path.read_bytes()
        _, tables = compiled(data)
        count = sum(len(rule[1]) for pattern in tables for rule in pattern)
        since = pack.since.isoformat() if pack.since.year > 1 else "—"
        judged = f"{pack.syntax} {'/'.join(sorted(pack.profiles)) or '*'}"
        how = "" if pack.automatic else "  (--pack)"
        typer.echo(
            f"{pack.coordinate:34} {since:10} {count:5} règles  {judged:24} "
            f"sha256:{hashlib.sha256(data).hexdigest()[:12]}  {pack.source}{how}"
        )


@rules_app.command("show")
def show(identifier: Annotated[str, typer.Argument(help="BR-CO-15, BR-FR-10_BT-30…")]) -> None:
    """Explique une règle. / Explain one rule: what it tests, where, and what to do when it fails."""
    from estafette.rules.explain import explained

    found = explained(identifier)
    if not found:
        typer.echo(f"{identifier} ?", err=True)
        raise typer.Exit(2)
    for text in found:
        typer.echo(text + "\n")


@rules_app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="Archive telle que téléchargée. / Archive as downloaded.", exists=True)],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="En vigueur depuis. / In force since.")
    ] = None,
) -> None:
    """Ajoute les paquets d'une archive. / Add the packs of an archive; one that does not compile changes nothing."""
    from datetime import date

    from estafette.rules.shelf import RefusedPackError
    from estafette.rules.shelf import add as keep

    try:
        packs = keep(file.read_bytes(), file.name, since=since.date() if since else date.min)
    except (RefusedPackError, OSError) as error:
        typer.echo(f"Refusé / refused: {error}", err=True)
        raise typer.Exit(2) from error
    for pack in packs:
        instead = f" → {pack.takes_over}" if pack.takes_over else ""
        typer.echo(f"{pack.coordinate}{instead}")


@rules_app.command("remove")
def remove(coordinate: Annotated[str, typer.Argument(help="cen:en16931:cii:1.3.16")]) -> None:
    """Retire un paquet ajouté. / Remove an added pack."""
    from estafette.rules.shelf import remove as discard

    if not discard(coordinate):
        typer.echo(f"{coordinate} ?", err=True)
        raise typer.Exit(2)

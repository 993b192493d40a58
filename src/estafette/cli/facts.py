"""`estafette facts`: the facts that the portal accepted, as Parquet files anyone can read.

Reads the records of the portal as they are kept, served or not, and writes nothing but the files asked for.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

facts = typer.Typer(no_args_is_help=True, help="Les faits du portail. / The facts of the portal.")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(facts, name="facts")


@facts.callback()
def _group() -> None:
    """Les faits que le concentrateur a acceptés. / The facts that the concentrator accepted."""


@facts.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Dossier des fichiers Parquet. / Folder of the Parquet files.")],
    data: Annotated[Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA")] = Path(
        "data"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Réponse en JSON. / Answer in JSON.")] = False,
) -> None:
    """Ajoute au dossier les faits nouveaux, en Parquet. / Add the new facts to the folder, as Parquet.

    Code 0 : tout y est ; 2 : rien n'a pu être lu ou écrit.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from estafette.circuit.network import PORT, SEATS, Network, WrongNetwork
    from estafette.portal import partitions
    from estafette.store.database import reading_database

    seat = next(seat for seat in SEATS if seat.kind == "portal")
    try:
        records = Network(data, PORT).database(seat)
        if isinstance(records, Path) and not records.exists():
            raise FileNotFoundError(f"{records}: absent")
        database = reading_database(records)
        try:
            added = partitions.export(database, folder)
        finally:
            database.close()
    except (SQLAlchemyError, OSError, WrongNetwork) as fault:
        typer.echo(f"illisible / unreadable: {' '.join(str(fault).split())[:300]}", err=True)
        raise typer.Exit(2) from None
    last = partitions.exported(folder)
    if as_json:
        typer.echo(json.dumps({"added": added, "last": last}))
    else:
        typer.echo(f"{added} messages ajoutés, jusqu'au n° {last} / messages added, up to no. {last}")

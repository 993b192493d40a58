"""The store of an actor, opened for a verb by whoever holds its data; the actor may be at work meanwhile."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from estafette.store.database import Database
    from estafette.store.documents import Documents
    from estafette.values.retention import Retention

Tenant = Annotated[str, typer.Option(help="SIREN de l'entreprise. / SIREN of the company.")]
Json = Annotated[bool, typer.Option("--json", help="Réponse en JSON. / Answer in JSON.")]
Day = Annotated[str | None, typer.Option(help="AAAA-MM-JJ. / YYYY-MM-DD.")]


@dataclass(frozen=True, slots=True)
class House:
    """The store of an actor, open, and how long it keeps; `has_drawers`: there is something that a purge may take."""

    folder: Path
    has_drawers: bool
    database: "Database"
    documents: "Documents"
    retention: "Retention"


@contextmanager
def opened(data: Path, actor: str) -> Iterator[House]:
    """Open the store of an actor; what stops it is said on one line, exit code 2."""
    from sqlalchemy.exc import DatabaseError

    from estafette.circuit.network import SEATS, Network, WrongNetwork
    from estafette.platform.keeping_settings import settings_of
    from estafette.store.database import NewerData, open_database
    from estafette.store.documents import Documents
    from estafette.store.objects import ObjectPacks
    from estafette.store.packs import FolderPacks, Packs

    seat = next((seat for seat in SEATS if seat.name == actor), None)
    if seat is None:
        stop(f"--actor {actor}? → {', '.join(seat.name for seat in SEATS)}")
    try:
        network = Network(data, 1)
        folder, records = network.folder(seat), network.database(seat)
        if not (folder / "key.pem").exists():
            stop(f"{folder}: rien ici, démarrer d'abord / nothing here, start first: estafette up")
        database = open_database(records, ("shared",), threaded=False)
        try:
            objects = network.objects(seat)
            packs: Packs = ObjectPacks(objects) if objects else FolderPacks(folder / "documents")
            documents = Documents(database, packs)
            yield House(folder, seat.kind != "administration", database, documents, settings_of(folder).retention)
        finally:
            database.close()
    except (WrongNetwork, NewerData, DatabaseError, OSError) as fault:
        stop(" ".join(str(fault).split())[:300])


def progress(name: str) -> Any:
    """Return what tells a person how far it is, on a line that is written over; a file is told nothing."""
    if not sys.stderr.isatty():
        return lambda _done, _all: None
    return lambda done, total: typer.echo(f"\r{name}: {done}/{total} documents …", err=True, nl=False)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def day_of(text: str | None) -> date | None:
    """Return the day that an option says; what is no day ends the program, exit code 2."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        stop(f"{text}: AAAA-MM-JJ / YYYY-MM-DD")


def stop(reason: str) -> NoReturn:
    """The program ends: nothing could be done, exit code 2."""
    typer.echo(reason, err=True)
    raise typer.Exit(2)

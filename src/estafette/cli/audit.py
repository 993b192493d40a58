"""`estafette audit`: whether the audit log is as it was written, what it tells, its signed roots.

Reads the records as they are kept, served or not, and writes nothing.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from estafette.circuit.network import Seat
    from estafette.store.verification import Report

audit = typer.Typer(no_args_is_help=True, help="Le journal d'audit. / The audit log.")

Data = Annotated[Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA")]
Actor = Annotated[str, typer.Option(help="Acteur : platform-a … / Actor: platform-a …")]
Tenant = Annotated[str, typer.Option(help="SIREN, ou operator. / SIREN, or operator.")]
Json = Annotated[bool, typer.Option("--json", help="Réponse en JSON. / Answer in JSON.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(audit, name="audit")


@audit.callback()
def _group() -> None:
    """Le journal d'audit : vérifié, montré, exporté. / The audit log: verified, shown, exported."""


@audit.command()
def verify(
    data: Data = Path("data"),
    actor: Annotated[list[str] | None, typer.Option(help="Acteur (répétable). / Actor (repeatable).")] = None,
    tenant: Annotated[str | None, typer.Option(help="SIREN, ou operator. / SIREN, or operator.")] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            help="Racines gardées au dehors (audit roots). / Roots kept outside.", exists=True, dir_okay=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Vérifie les chaînes et leurs racines signées. / Verify the chains and their signed roots.

    Code 0 : intact ; 1 : quelque chose a changé, dit où ; 2 : rien n'a pu être lu.
    """
    from estafette.exchange.keys import verifies
    from estafette.store.verification import Report
    from estafette.store.verification import verify as verified

    kept = _kept(against) if against else []
    answers, keys = [], set[str]()
    for seat, connection, key in _opened(data, actor):
        keys.add(key)
        progress, roots = _progress(seat.name), [root for of, root in kept if of == key]
        said: dict[str, Any] = {"chain": tenant, "against": roots, "progress": progress, "on": datetime.now(UTC).date()}
        answers.append(_told(seat.name, verified(connection, key=key, verifies=verifies, **said), as_json=as_json))
    strange = Report()
    for number in (number for number, (of, _root) in enumerate(kept, start=1) if of not in keys):
        fr, en = (
            "racine gardée au dehors, de la clé d'aucun acteur vérifié",
            "root kept outside, of no actor's key here",
        )
        strange.find("roots", number, fr, en)
    if strange.findings:  # else who had put a key of his own in place of the actor's would not be seen
        answers.append(_told(str(against), strange, as_json=as_json))
    if as_json:
        typer.echo(json.dumps(answers, ensure_ascii=False))
    raise typer.Exit(0 if all(one["sound"] for one in answers) else 1)


@audit.command()
def show(
    tenant: Tenant,
    *,
    data: Data = Path("data"),
    actor: Actor = "platform-a",
    about: Annotated[str | None, typer.Option(help="Identifiant de l'objet. / Identifier of the object.")] = None,
    limit: Annotated[int, typer.Option(help="Événements, les derniers. / Events, the latest.", min=1)] = 100,
    as_json: Json = False,
) -> None:
    """Montre les derniers événements d'une chaîne. / Show the latest events of a chain."""
    from estafette.store.audit import latest

    for _seat, connection, _key in _opened(data, [actor]):
        for event in latest(connection, tenant, about=about, limit=limit):
            typer.echo(json.dumps(event, ensure_ascii=False) if as_json else _line(event))


@audit.command()
def roots(data: Data = Path("data"), actor: Actor = "platform-a") -> None:
    """Écrit les racines signées, une par ligne, à garder ailleurs. / Write the signed roots, to be kept elsewhere."""
    from estafette.store.roots import export

    for _seat, connection, _key in _opened(data, [actor]):
        for root in export(connection):
            typer.echo(json.dumps(root, ensure_ascii=False))


def _kept(file: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the roots of a file, each with the key that it says it is of; exit 2 for what is no root."""
    found = []
    for number, line in enumerate(file.read_text(errors="replace").splitlines(), start=1):
        try:
            root = json.loads(line)
            found.append((str(json.loads(root["body"])["key"]), root))
        except (ValueError, KeyError, TypeError, RecursionError):
            _give_up(f"{file}: ligne {number} : aucune racine / line {number}: no root (estafette audit roots)")
    return found


def _opened(data: Path, actors: list[str] | None) -> "Iterator[tuple[Seat, Connection, str]]":
    """Give each actor kept here, its records open, and its public key; exit 2 when nothing can be read."""
    from sqlalchemy.exc import SQLAlchemyError

    from estafette.circuit.network import SEATS, Network, WrongNetwork

    unknown = sorted(set(actors or ()) - {seat.name for seat in SEATS})
    if unknown:
        _give_up(f"--actor {', '.join(unknown)}? → {', '.join(seat.name for seat in SEATS)}")
    try:
        network = Network(data, 1)
        kept = [seat for seat in SEATS if (network.folder(seat) / "key.pem").exists()]
        if not kept:
            _give_up(f"{data}: pas encore démarré / not started yet — estafette up --data {data}")
        for seat in kept:
            if actors is None or seat.name in actors:
                with _reading(network.database(seat)) as connection:
                    yield seat, connection, _public_key(network.folder(seat))
    except (WrongNetwork, SQLAlchemyError, OSError) as fault:
        _give_up(" ".join(str(fault).split())[:300])


@contextmanager
def _reading(where: Path | str) -> "Iterator[Connection]":
    from estafette.store.database import reading_database

    database = reading_database(where)
    try:
        with database.read() as connection:
            yield connection
    finally:
        database.close()


def _public_key(folder: Path) -> str:
    from estafette.exchange.keys import load_key, public_text

    return public_text(load_key(folder / "key.pem"))


def _give_up(reason: str) -> None:
    typer.echo(reason, err=True)
    raise typer.Exit(2)


def _progress(name: str) -> Any:
    """Return what tells a person how far it is, on a line that is written over; a file is told nothing."""
    if not sys.stderr.isatty():
        return lambda _events: None
    return lambda events: typer.echo(f"\r{name}: {events} événements / events …", err=True, nl=False)


def _told(name: str, report: "Report", *, as_json: bool) -> dict[str, Any]:
    findings = [{"chain": one.chain, "seq": one.seq, "fr": one.fr, "en": one.en} for one in report.findings]
    if not as_json:
        said = "intact / sound" if not findings else f"{len(findings)} anomalies / findings"
        counts = (
            f"{report.chains} chaînes / chains, {report.events} événements / events, {report.roots} racines / roots"
        )
        typer.echo(f"{name}: {said} ({counts})")
        for one in findings:
            typer.echo(f"  ✗ {one['chain']} {one['seq']}: {one['fr']} / {one['en']}")
    counted = {"chains": report.chains, "events": report.events, "roots": report.roots}
    return {"actor": name, "sound": not findings, **counted, "findings": findings}


def _line(event: dict[str, Any]) -> str:
    data = " ".join(f"{name}={value}" for name, value in event["data"].items())
    at = f"{event['at'][:19]}Z" if event["at"] else "—"
    return f"{event['seq']:>7} {at:<20} {event['who']:<20} {event['what']:<22} {event['about']} {data}".rstrip()

"""`estafette account`: the accounts of an actor, by whoever holds its data; the actor may be at work meanwhile."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from estafette.store.identity_events import By

account = typer.Typer(no_args_is_help=True, help="Les comptes d'un acteur. / The accounts of an actor.")

Login = Annotated[str, typer.Argument(help="Identifiant. / Login.")]
Data = Annotated[Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA")]
Actor = Annotated[str, typer.Option(help="Acteur : platform-a … / Actor: platform-a …")]
Organization = Annotated[str, typer.Option(help="SIREN ; vide : l'acteur lui-même. / SIREN; empty: the actor itself.")]
Json = Annotated[bool, typer.Option("--json", help="Réponse en JSON. / Answer in JSON.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(account, name="account")


@account.callback()
def _group() -> None:
    """Les comptes d'un acteur : listés, ajoutés, réinitialisés. / The accounts of an actor: list, add, reset."""


@account.command("list")
def list_accounts(
    actor: Actor, organization: Organization = "", data: Data = Path("data"), as_json: Json = False
) -> None:
    """Liste les personnes d'une organisation, ou de l'acteur. / List the people of an organization, or of the actor."""
    from estafette.store.identity_people import people

    with _opened(data, actor, organization) as (connection, by):
        found = people(connection, by.organization)
    if as_json:
        rows = [{"login": one.login, "role": one.role, "second_factor": one.has_factor} for one in found]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.login:<40}{one.role:<16}{'TOTP' if one.has_factor else '—'}")


@account.command()
def add(
    login: Login,
    *,
    actor: Actor,
    role: Annotated[str, typer.Option(help="administrator, accountant, reader, operator, agent")],
    organization: Organization = "",
    email: Annotated[str, typer.Option(help="Adresse électronique. / E-mail address.")] = "",
    data: Data = Path("data"),
    as_json: Json = False,
) -> None:
    """Ajoute un compte ; son mot de passe, montré une fois, sera changé. / Add one; its password is shown once."""
    from estafette.store import identity, identity_people

    given = identity_people.password_to_give()
    held = identity.hashed(given)
    with _opened(data, actor, organization) as (connection, by):
        identity_people.add(connection, by, login=login, email=email.strip().lower() or None, role=role, held=held)
    _tell(login, given, as_json=as_json)


@account.command()
def reset(
    login: Login,
    *,
    actor: Actor,
    organization: Organization = "",
    factor: Annotated[bool, typer.Option("--factor", help="Le second facteur aussi. / The second factor too.")] = False,
    data: Data = Path("data"),
    as_json: Json = False,
) -> None:
    """Réinitialise le mot de passe ; ses sessions sont fermées. / Reset the password; its sessions are over."""
    from estafette.store import identity, identity_people

    given = identity_people.password_to_give()
    held = identity.hashed(given)
    with _opened(data, actor, organization) as (connection, by):
        identity_people.reset_password(connection, by, login, held=held, is_operator=True)
        if factor:
            identity_people.reset_factor(connection, by, login, is_operator=True)
    _tell(login, given, as_json=as_json)


def _tell(login: str, given: str, *, as_json: bool) -> None:
    typer.echo(json.dumps({"login": login, "password": given}) if as_json else f"{login}  {given}")


@contextmanager
def _opened(data: Path, actor: str, organization: str) -> Iterator[tuple["Connection", "By"]]:
    """Open the records of an actor for one act of its operator; what stops it is said on one line, exit code 2 or 1."""
    from sqlalchemy.exc import DatabaseError

    from estafette.circuit.network import PORT, SEATS, Network, WrongNetwork
    from estafette.store.database import NewerData, open_database
    from estafette.store.identity_events import By
    from estafette.store.identity_people import NotPossible

    seat = next((seat for seat in SEATS if seat.name == actor), None)
    if seat is None:
        _stop(f"--actor {actor}? → {', '.join(seat.name for seat in SEATS)}")
    try:
        records: Any = Network(data, PORT).database(seat)
        if isinstance(records, Path) and not records.exists():
            _stop(f"{records}: rien ici, démarrer d'abord / nothing here, start first: estafette up")
        database = open_database(records, ("shared",), threaded=False)
        try:
            with database.begin() as connection:
                yield connection, By("operator", organization.replace(" ", ""), datetime.now(UTC))
        finally:
            database.close()
    except NotPossible as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None
    except (WrongNetwork, NewerData, DatabaseError, OSError) as fault:
        _stop(" ".join(str(fault).split()))


def _stop(reason: str) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(2)

"""`estafette archive verify-package` and `import`: a restitution package verified by itself, or taken over here."""

import json
from pathlib import Path
from typing import Annotated

import typer

from estafette.cli.account import Actor, Data
from estafette.cli.archive import archive
from estafette.cli.stores import Json, Tenant, opened, progress, stop, utc_now


def register(_app: typer.Typer) -> None:
    """Add the verbs to those of the archives."""


@archive.command("verify-package")
def verify_package(
    file: Annotated[Path, typer.Argument(help="Le dossier reçu. / The package received.", exists=True, dir_okay=False)],
    *,
    key: Annotated[
        str | None, typer.Option(help="Clé publique attendue (base64). / Public key expected (base64).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Vérifie un dossier de restitution, seul. / Verify a restitution package, by itself.

    Code 0 : tel qu'il a été fait ; 1 : changé, dit où ; 2 : illisible.
    """
    from estafette.exchange.keys import verifies
    from estafette.store.sealed_check import check
    from estafette.store.sealed_files import Broken

    size = file.stat().st_size
    tell = progress(file.name)
    try:
        with file.open("rb") as opened:
            found = check(opened, verifies, key=key, progress=lambda done: tell(done, size))
    except Broken as broken:
        answer = {"sound": False, "where": broken.where, "fr": broken.fr, "en": broken.en}
        typer.echo(json.dumps(answer, ensure_ascii=False) if as_json else f"✗ {broken}")
        raise typer.Exit(1) from None
    except OSError as fault:
        stop(str(fault))
    told = found.verified.told
    counts = {"files": found.verified.files, "events": found.events, "roots": found.roots}
    if as_json:
        typer.echo(json.dumps({"sound": True, **counts, "told": told}, ensure_ascii=False))
        return
    of = {
        name: str(told.get(name) or "…") for name in ("siren", "from", "to", "platform", "matricule", "made_at", "key")
    }
    typer.echo(f"intact / sound: {of['siren']} {of['from']} → {of['to']}")
    typer.echo(f"{counts['files']} fichiers / files, {counts['events']} événements / events, {counts['roots']} racines")
    typer.echo(f"signé par / signed by {of['platform']} ({of['matricule']}) {of['made_at']}, clé / key {of['key']}")


@archive.command("import")
def take_over(
    file: Annotated[
        Path,
        typer.Argument(help="Le dossier d'une autre plateforme. / Another's package.", exists=True, dir_okay=False),
    ],
    *,
    actor: Actor,
    tenant: Tenant,
    key: Annotated[
        str | None, typer.Option(help="Clé de l'autre ; vide : l'annuaire la dit. / Its key; empty: the directory's.")
    ] = None,
    data: Data = Path("data"),
    as_json: Json = False,
) -> None:
    """Reprend les archives d'un client qui arrive ; rien n'est redéclaré. / Take over the archives of who comes."""
    from estafette.platform.keeping_portability import NotTaken, read_package, signer
    from estafette.store.sealed_files import Broken

    with opened(data, actor) as house:
        try:
            with house.database.read() as connection:
                known = key or signer(connection, file)
            taken = read_package(
                file,
                tenant.replace(" ", ""),
                key=known,
                database=house.database,
                documents=house.documents,
                now=utc_now,
            )
        except (NotTaken, Broken) as refused:
            typer.echo(str(refused), err=True)
            raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"taken": taken.taken, "had": taken.had, "without": taken.without}))
        return
    typer.echo(
        f"{taken.taken} reprises / taken over, {taken.had} déjà là / there already, "
        f"{taken.without} sans original / without an original"
    )

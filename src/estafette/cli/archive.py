"""`estafette archive`: what an actor keeps and until when, whether it is as it was, what may not be purged, the purge.

By whoever holds the data of the actor, which may be at work meanwhile.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estafette.cli.account import Actor, Data
from estafette.cli.stores import Day, House, Json, Tenant, day_of, opened, progress, stop, utc_now

if TYPE_CHECKING:
    from estafette.platform.keeping_purge import Plan, Purge

archive = typer.Typer(no_args_is_help=True, help="Les archives d'un acteur. / The archives of an actor.")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(archive, name="archive")


@archive.callback()
def _group() -> None:
    """Les archives d'un acteur : état, vérification, gel, purge. / Archives: state, verification, holds, purge."""


@archive.command()
def status(*, actor: Actor, data: Data = Path("data"), as_json: Json = False) -> None:
    """Ce qui est gardé, ce dont le temps est passé, ce qui est gelé. / What is kept, what is over, what is held."""
    from estafette.platform.keeping_drawers import DRAWERS
    from estafette.store import holds, inventory
    from estafette.values.moments import paris_day

    with opened(data, actor) as house:
        plans = list(_purge(house).plans()) if house.has_drawers else []
        with house.database.read() as connection:
            size = inventory.size(connection)
            held = holds.active(connection, on=paris_day(utc_now()))
    over = {
        drawer.name: {
            "over": sum(len(one.going) for one in plans if one.drawer is drawer),
            "held": sum(len(one.staying) for one in plans if one.drawer is drawer),
        }
        for drawer in (DRAWERS if house.has_drawers else ())
    }
    lasting = [
        {"number": one.id, "tenant": siren, "reason": one.reason} for siren, some in held.items() for one in some
    ]
    if as_json:
        typer.echo(json.dumps({"actor": actor, **size, "drawers": over, "holds": lasting}, ensure_ascii=False))
        return
    typer.echo(
        f"{actor}: {size['documents']} documents, {size['bytes']} octets / bytes, {size['packs']} packs; "
        f"{size['condemned']} à effacer / to be erased, {size['purged']} traces"
    )
    for drawer in DRAWERS:
        if counts := over.get(drawer.name):
            said = f"{counts['over']} à purger / to purge, {counts['held']} retenus / kept back"
            typer.echo(f"  {drawer.fr} / {drawer.en}: {said}")
    for one in lasting:
        typer.echo(f"  gel / hold {one['number']}, {one['tenant']}: {one['reason']}")


@archive.command()
def verify(
    data: Data = Path("data"),
    actor: Annotated[list[str] | None, typer.Option(help="Acteur (répétable). / Actor (repeatable).")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Relit chaque document : il est là et a son empreinte. / Read every document: it is there and has its hash.

    Code 0 : intact ; 1 : quelque chose manque ou a changé, dit où ; 2 : rien n'a pu être lu.
    """
    from estafette.circuit.network import SEATS, Network, WrongNetwork
    from estafette.store import inventory

    try:
        kept = [seat.name for seat in SEATS if (Network(data, 1).folder(seat) / "key.pem").exists()]
    except WrongNetwork as fault:
        stop(str(fault))
    if not kept:
        stop(f"{data}: pas encore démarré / not started yet — estafette up --data {data}")
    answers = []
    for name in actor or kept:
        with opened(data, name) as house, house.database.read() as connection:
            report = inventory.verify(connection, house.documents, progress=progress(name))
        findings = [{"document": one.sha256, "where": one.where, "fr": one.fr, "en": one.en} for one in report.findings]
        counted = {"documents": report.documents, "packs": report.packs, "bytes": report.bytes, "named": report.named}
        answers.append({"actor": name, "sound": not findings, **counted, "findings": findings})
        if not as_json:
            _say(name, counted, findings)
    if as_json:
        typer.echo(json.dumps(answers, ensure_ascii=False))
    raise typer.Exit(0 if all(one["sound"] for one in answers) else 1)


@archive.command()
def hold(
    *,
    actor: Actor,
    tenant: Tenant,
    reason: Annotated[str, typer.Option(help="Pourquoi : l'avis de contrôle. / Why: the notice of control.")],
    starts: Annotated[str | None, typer.Option("--from", help="Premier jour. / First day.")] = None,
    ends: Annotated[str | None, typer.Option("--to", help="Dernier jour. / Last day.")] = None,
    counterpart: Annotated[str | None, typer.Option(help="SIREN du tiers. / SIREN of the other party.")] = None,
    number: Annotated[str | None, typer.Option(help="Numéro de facture. / Number of the invoice.")] = None,
    until: Day = None,
    data: Data = Path("data"),
) -> None:
    """Gèle : rien de ce qui est dit n'est purgé, jusqu'au jour dit ou jusqu'à `release`. / Hold: nothing is purged."""
    from estafette.store import holds
    from estafette.store.holds import NotAHold, Scope
    from estafette.values.moments import paris_day

    scope = Scope(day_of(starts), day_of(ends), counterpart, number)
    now = utc_now()
    with opened(data, actor) as house:
        try:
            with house.database.begin() as connection:
                said = {"reason": reason, "until": day_of(until), "by": "operator", "now": now, "today": paris_day(now)}
                typer.echo(holds.place(connection, tenant.replace(" ", ""), scope, **said))  # type: ignore[arg-type]
        except NotAHold as refused:
            typer.echo(str(refused), err=True)
            raise typer.Exit(1) from None


@archive.command()
def release(
    number: Annotated[int, typer.Argument(help="Numéro du gel. / Number of the hold.")],
    *,
    actor: Actor,
    tenant: Tenant,
    data: Data = Path("data"),
) -> None:
    """Lève un gel. / Release a hold."""
    from estafette.store import holds

    with opened(data, actor) as house, house.database.begin() as connection:
        done = holds.release(connection, tenant.replace(" ", ""), number, by="operator", now=utc_now())
    if not done:
        typer.echo(f"{number}: aucun gel en cours / no hold that lasts", err=True)
        raise typer.Exit(1)


@archive.command()
def purge(
    *,
    actor: Actor,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Dire sans rien faire. / Say, do nothing.")] = False,
    data: Data = Path("data"),
    as_json: Json = False,
) -> None:
    """Purge ce dont le temps est passé, trace et règle gardées. / Purge what is over; trace and rule stay."""
    with opened(data, actor) as house:
        if not house.has_drawers:
            stop(f"{actor}: rien n'y est purgé / nothing is purged there")
        made = _purge(house)
        if dry_run:
            lines = [line for plan in made.plans() for line in _lines(plan)]
            counts: dict[str, Any] = {"dry_run": True, "things": lines}
        else:
            lines = []
            done = made.run(told=lambda plan: lines.extend(_lines(plan)))
            counts = {"dry_run": False, "things": lines, "documents": done.documents, "erased": done.erased}
    if as_json:
        typer.echo(json.dumps(counts, ensure_ascii=False))
        return
    for line in lines:
        mark = "=" if line["why"] else "−"
        typer.echo(f"{mark} {line['kind']} {line['reference'] or line['id']} {line['dated']} → {line['until']} "
                   f"({line['rule']}) {line['why'] or ''}".rstrip())  # fmt: skip


def _purge(house: House) -> "Purge":
    from estafette.platform.keeping_purge import Purge

    return Purge(house.database, house.documents, house.retention, utc_now)


def _lines(plan: "Plan") -> "Iterator[dict[str, Any]]":
    """Tell a batch: what goes, and what stays with why."""
    for thing, why in [*((one, None) for one in plan.going), *plan.staying]:
        yield {
            "kind": thing.traces[0].kind, "id": thing.traces[0].object_id, "tenant": thing.siren,
            "reference": thing.reference, "dated": str(thing.dated), "until": str(thing.until),
            "rule": str(thing.rule), "why": why,
        }  # fmt: skip


def _say(name: str, counted: dict[str, int], findings: list[dict[str, str]]) -> None:
    said = "intact / sound" if not findings else f"{len(findings)} anomalies / findings"
    typer.echo(f"{name}: {said} ({counted['documents']} documents, {counted['packs']} packs)")
    for one in findings:
        typer.echo(f"  ✗ {one['document']} ({one['where']}): {one['fr']} / {one['en']}")

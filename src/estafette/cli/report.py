"""`estafette report`: hand in unit records, look at drafts and send a period, as a company's software does."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from estafette.simulation.company import Company

report = typer.Typer(no_args_is_help=True, help="L'e-reporting. / E-reporting.")

Data = Annotated[Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA")]
Port = Annotated[int, typer.Option(help="Premier port. / First port.")]
As = Annotated[str, typer.Option("--as", help="Compte qui déclare. / Account that reports.")]
Json = Annotated[bool, typer.Option("--json", help="Réponse en JSON. / Answer in JSON.")]
RoleOf = Annotated[str, typer.Argument(help="SE (ventes / sales) ou/or BY (achats / purchases)")]
KindOf = Annotated[str, typer.Argument(help="transactions ou/or payments")]
Day = Annotated[str, typer.Argument(help="Un jour de la période. / A day of the period: 2026-09-14")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(report, name="report")


@report.callback()
def _group() -> None:
    """E-reporting : remettre, regarder, transmettre. / E-reporting: hand in, look, send."""


@report.command("hand-in")
def hand_in(
    file: Annotated[Path, typer.Argument(help="CSV ou/or JSON", exists=True, dir_okay=False)],
    *,
    partial: Annotated[
        bool, typer.Option("--partial", help="Prendre les bonnes lignes. / Take the good rows.")
    ] = False,
    as_login: As = "fournisseur",
    data: Data = Path("data"),
    port: Port = 8400,
    as_json: Json = False,
) -> None:
    """Remet un fichier de ventes et d'encaissements. / Hand in a file of sales and payments.

    Code 0 : pris en entier ; 1 : refusé, ou pris en partie ; 2 : rien n'a pu être fait.
    """
    content = file.read_bytes()
    taken = _as(as_login, data, port, lambda company: company.report_records(content, name=file.name, partial=partial))
    typer.echo(json.dumps(taken, ensure_ascii=False) if as_json else _taken(taken))
    raise typer.Exit(0 if taken["state"] == "taken" else 1)


@report.command()
def drafts(as_login: As = "fournisseur", data: Data = Path("data"), port: Port = 8400, as_json: Json = False) -> None:
    """Montre chaque période. / Show every period."""
    held = _as(as_login, data, port, lambda company: company.report_drafts())
    typer.echo(json.dumps(held, ensure_ascii=False) if as_json else "\n".join(map(_line, held)) or "—")


@report.command()
def draft(
    role: RoleOf,
    kind: KindOf,
    day: Day,
    *,
    document: Annotated[
        Path | None, typer.Option(help="Écrire ici le Flux 10. / Write the Flow 10 here.", dir_okay=False)
    ] = None,
    as_login: As = "fournisseur",
    data: Data = Path("data"),
    port: Port = 8400,
    as_json: Json = False,
) -> None:
    """Montre une période telle qu'elle partirait ; code 1 si elle serait rejetée. / Show a period as it would leave."""
    period = f"{role}/{kind}/{day}"
    held = _as(as_login, data, port, lambda company: company.report_draft(period))
    if document is not None:
        document.write_bytes(_as(as_login, data, port, lambda company: company.report_document(period)))
    typer.echo(json.dumps(held, ensure_ascii=False) if as_json else _whole(held))
    raise typer.Exit(1 if held["faults"] and held["units"] else 0)


@report.command()
def send(
    role: RoleOf, kind: KindOf, day: Day, *, as_login: As = "fournisseur", data: Data = Path("data"), port: Port = 8400
) -> None:
    """Transmet une période finie et attend la réponse du portail. / Send a period that is over, await the answer.

    Code 0 : acceptée (300) ; 1 : rejetée, irrecevable ou bloquée ; 2 : rien n'a pu être fait.
    """

    async def sent(company: "Company") -> dict[str, Any]:
        period = f"{role}/{kind}/{day}"
        await company.report_send(period)
        return await company.until(lambda: company.report_draft(period), lambda seen: seen["state"] in ANSWERED)

    held = _as(as_login, data, port, sent)
    typer.echo(_whole(held))
    raise typer.Exit(0 if held["state"] == "accepted" else 1)


ANSWERED = ("accepted", "refused")


def _as(login: str, data: Path, port: int, do: Callable[["Company"], Awaitable[Any]]) -> Any:
    """Do it as the software of a company; exit 2 with one line when nothing can be done."""
    import aiohttp

    from estafette.circuit.entries import CannotEnter, entries_of
    from estafette.circuit.network import WrongNetwork
    from estafette.cli.send import company_entry
    from estafette.simulation.company import TooLong

    try:
        entries = entries_of(data, port)
        return asyncio.run(_done(entries, company_entry(entries, login), do))
    except (CannotEnter, WrongNetwork, TooLong, OSError, aiohttp.ClientError) as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(2) from None


async def _done(entries: Any, entry: Any, do: Callable[["Company"], Awaitable[Any]]) -> Any:
    import aiohttp

    from estafette.circuit.entries import check_ready
    from estafette.formats.status_message import Role
    from estafette.simulation.company import Company

    await check_ready(entries, [entry.actor])
    async with aiohttp.ClientSession() as session:
        url = entries.urls[entry.actor]
        return await do(Company(entry.siren, Role.SELLER, url, entry.client_id, entry.client_secret, session))


STATES = {
    "taken": "pris / taken",
    "partial": "pris en partie / taken in part",
    "refused": "refusé, rien n'a été pris / refused, nothing was taken",
}


def _taken(taken: dict[str, Any]) -> str:
    """Say what became of a file, a line a fault."""
    counted = f"{taken['rows']} lignes / rows, {taken['changes']} changements / changes"
    lines = [f"{STATES[taken['state']]} ({counted})"]
    lines += [
        f"  {fault['line']} {fault['column']} « {fault['seen']} »: {fault['fr']} / {fault['en']}"
        for fault in taken["faults"]
    ]
    return "\n".join(lines)


def _line(held: dict[str, Any]) -> str:
    """Say a period on one line."""
    what = f"{held['role']} {held['kind']:<12} {held['start']} → {held['end']}"
    return f"{what}  {held['state']:<12} {held['units']} → {held['limit']}"


def _whole(held: dict[str, Any]) -> str:
    """Say a period, its sums, what the controls say and what was sent."""
    lines = [_line({**held, "units": held["count"]})]
    for block, sums in held["totals"].items():
        lines.append(f"  {block}  " + "  ".join(f"{currency} {value}" for currency, value in sums.items()))
    lines += [f"  ✗ {fault['reason']} {fault['rule']} {fault['fr']} / {fault['en']}" for fault in held["faults"]]
    lines += [
        f"  … {one['reference'] or one['unit']} {one['rule']} {one['fr']} / {one['en']}" for one in held["withheld"]
    ]
    lines += [f"  {sent['type_code']} {sent['identifier']} {sent['state']}" for sent in held["transmissions"]]
    return "\n".join(lines)

"""`estafette send FILE`: deposit an invoice as a company's software would, and wait for the answer of its platform."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(send)


def send(
    file: Annotated[
        Path, typer.Argument(help="UBL, CII ou Factur-X. / UBL, CII or Factur-X.", exists=True, dir_okay=False)
    ],
    as_login: Annotated[str, typer.Option("--as", help="Compte qui dépose. / Account that deposits.")] = "fournisseur",
    data: Annotated[Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA")] = Path(
        "data"
    ),
    port: Annotated[int, typer.Option(help="Premier port. / First port.")] = 8400,
    as_json: Annotated[bool, typer.Option("--json", help="Réponse en JSON. / Answer in JSON.")] = False,
) -> None:
    """Dépose une facture et attend la réponse. / Deposit an invoice and wait for the answer.

    Code 0 : prise (200, ou mise à part) ; 1 : rejetée (213) ou irrecevable (501) ; 2 : rien n'a pu être fait.
    """
    from estafette.circuit.entries import NotSeeded, entries_of
    from estafette.simulation.company import TooLong

    try:
        entries = entries_of(data, port)
        entry = entries.by_login.get(as_login)
        if entry is None or entry.siren is None:
            known = ", ".join(login for login, held in entries.by_login.items() if held.siren)
            typer.echo(f"--as {as_login}? → {known}", err=True)
            raise typer.Exit(2)
        answer = asyncio.run(_send(file, entry, entries.urls[entry.actor]))
    except (NotSeeded, TooLong) as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps(answer, ensure_ascii=False) if as_json else _readable(answer))
    raise typer.Exit(1 if answer["status"] in ("213", "501") else 0)


async def _send(file: Path, entry: object, url: str) -> dict[str, Any]:
    """Deposit, wait for the acknowledgement, then for the first status of the invoice."""
    import aiohttp

    from estafette.circuit.seed import Entry
    from estafette.formats.status_message import Role
    from estafette.formats.xml import Syntax, Unreadable, recognise
    from estafette.simulation.company import Company

    assert isinstance(entry, Entry)  # noqa: S101 — the caller's only use
    content = file.read_bytes()
    try:
        syntax = recognise(content).value
    except Unreadable:
        syntax = Syntax.UBL.value
    tracking = hashlib.sha256(content).hexdigest()[:32]
    async with aiohttp.ClientSession() as session:
        company = Company(
            siren=entry.siren or "",
            role=Role.SELLER,
            url=url,
            client_id=entry.client_id or "",
            client_secret=entry.client_secret or "",
            session=session,
        )
        flow = await company.deposit(content, syntax=syntax, name=file.name, tracking_id=tracking)
        if flow["acknowledgement"]["status"] == "Error":
            return {"status": "501", "flow": flow, "faults": flow["acknowledgement"]["details"]}
        return _decided(flow)


STATUS_OF = {"live": "200", "undelivered": "200", "rejected": "213", "reportable": "-", "archived": "-"}
LABEL_OF = {
    "live": "déposée / submitted",
    "undelivered": "déposée, non transmise (NON_TRANSMISE) / submitted, not transmitted",
    "rejected": "rejetée / rejected",
    "reportable": "hors facturation électronique / outside e-invoicing",
    "archived": "archivée seulement / archived only",
}


def _decided(flow: dict[str, Any]) -> dict[str, Any]:
    """Say what the platform decided of the invoice, with its reasons."""
    standing, why = flow["invoiceStanding"], flow["invoiceExplanation"]
    told = {"fr": why["fr"], "en": why["en"]} if "fr" in why else {}
    label = LABEL_OF[standing]
    return {"status": STATUS_OF[standing], "label": label, "flow": flow, "faults": why["faults"], **told}


def _readable(answer: dict[str, Any]) -> str:
    """Say the answer on a few lines."""
    lines = [f"{answer['status']} {answer.get('label', '')}".strip()]
    lines += [answer[language] for language in ("fr", "en") if language in answer]
    lines += ["  - " + " · ".join(str(value) for value in fault.values() if value) for fault in answer["faults"]]
    return "\n".join(lines)

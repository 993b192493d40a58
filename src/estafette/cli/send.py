"""`estafette send FILE`: deposit an invoice as a company's software would, and wait for the answer of its platform."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

if TYPE_CHECKING:
    from estafette.circuit.entries import Entries
    from estafette.circuit.seed import Entry

FILE_REFUSED = (400, 413, 422)
"""HTTP statuses that speak of the file; the others say that nothing could be done (XP Z12-013 §2.7)."""


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

    Code 0 : prise (200, ou mise à part) ; 1 : refusée, irrecevable (501) ou rejetée (213) ; 2 : rien n'a pu être fait.
    """
    import aiohttp

    from estafette.circuit.entries import CannotEnter, entries_of
    from estafette.circuit.network import WrongNetwork
    from estafette.simulation.company import TooLong

    try:
        entries = entries_of(data, port)
        answer = asyncio.run(_send(file, entries, company_entry(entries, as_login)))
    except (CannotEnter, WrongNetwork, TooLong, OSError, aiohttp.ClientError) as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps(answer, ensure_ascii=False) if as_json else _readable(answer))
    raise typer.Exit(0 if answer["taken"] else 1)


def company_entry(entries: "Entries", login: str) -> "Entry":
    """Return the entry of a company. Raises: CannotEnter, naming those there are."""
    from estafette.circuit.entries import CannotEnter

    entry = entries.by_login.get(login)
    if entry is None or entry.siren is None:
        known = ", ".join(login for login, held in entries.by_login.items() if held.siren)
        raise CannotEnter(f"--as {login}? → {known}")
    return entry


async def _send(file: Path, entries: "Entries", entry: "Entry") -> dict[str, Any]:
    """Deposit, wait for the acknowledgement, then for the first status of the invoice."""
    import aiohttp

    from estafette.circuit.entries import check_ready
    from estafette.formats.status_message import Role
    from estafette.formats.xml import Syntax, recognise
    from estafette.simulation.company import Company, Refused
    from estafette.values.limits import FILE_BYTES_MAX

    await check_ready(entries, [entry.actor])
    with file.open("rb") as opened:
        content = opened.read(FILE_BYTES_MAX + 1)  # one byte too many is enough for the platform to refuse the file
    syntax = recognise(content)
    async with aiohttp.ClientSession() as session:
        company = Company(
            siren=entry.siren or "",
            role=Role.SELLER,
            url=entries.urls[entry.actor],
            client_id=entry.client_id or "",
            client_secret=entry.client_secret or "",
            session=session,
        )
        try:
            flow = await company.deposit(
                content,
                # what is no document of the field is announced as an invoice: the platform says what is wrong with it
                syntax=(Syntax.UBL if syntax is Syntax.UNKNOWN else syntax).value,
                name=file.name,
                tracking_id=uuid4().hex,  # of this run: tried again it counts once, run again it is another deposit
            )
        except Refused as refused:
            if refused.status not in FILE_REFUSED:
                raise
            told = {"errorCode": refused.code, "errorMessage": refused.message}
            return {"taken": False, "status": str(refused.status), "label": "refusée / refused", "faults": [told]}
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
    """Say what the platform decided of the file, then of the invoice, with its reasons."""
    acknowledgement = flow["acknowledgement"]
    if acknowledgement["status"] == "Error":
        label, faults = "irrecevable / inadmissible", acknowledgement["details"]
        return {"taken": False, "status": "501", "label": label, "flow": flow, "faults": faults}
    if "invoiceStanding" not in flow:  # a status or a report: the file is all that is answered
        return {"taken": True, "status": "-", "label": "prise / taken", "flow": flow, "faults": []}
    standing, why = flow["invoiceStanding"], flow["invoiceExplanation"]
    told = {"fr": why["fr"], "en": why["en"]} if "fr" in why else {}
    answer = {"taken": standing != "rejected", "status": STATUS_OF[standing], "label": LABEL_OF[standing]}
    return {**answer, "flow": flow, "faults": why["faults"], **told}


def _readable(answer: dict[str, Any]) -> str:
    """Say the answer on a few lines."""
    lines = [f"{answer['status']} {answer['label']}"]
    lines += [answer[language] for language in ("fr", "en") if language in answer]
    lines += ["  - " + " · ".join(str(value) for value in fault.values() if value) for fault in answer["faults"]]
    return "\n".join(lines)

"""`estafette answer NUMBER STATUS`: set a status of an invoice as a party's software would, by a CDAR."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

if TYPE_CHECKING:
    from estafette.circuit.entries import Entries
    from estafette.circuit.seed import Entry
    from estafette.simulation.company import Reference


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(answer)


def answer(
    number: Annotated[str, typer.Argument(help="Numéro de la facture (BT-1). / Number of the invoice (BT-1).")],
    status: Annotated[str, typer.Argument(help="204, 205, 207, 210, 212 …")],
    *,
    as_login: Annotated[str, typer.Option("--as", help="Compte qui répond. / Account that answers.")] = "client",
    reason: Annotated[str, typer.Option(help="Code du motif. / Reason code.", metavar="CODE")] = "",
    comment: Annotated[str, typer.Option(help="Commentaire. / Comment.")] = "",
    amount: Annotated[str | None, typer.Option(help="Montant TTC en euros. / Amount with VAT, euros.")] = None,
    rate: Annotated[str | None, typer.Option(help="Taux de TVA en %, du montant. / VAT rate of the amount, %.")] = None,
    seller: Annotated[str, typer.Option(help="SIREN du vendeur, si le numéro ne suffit pas. / Seller's SIREN.")] = "",
    year: Annotated[int | None, typer.Option(help="Année d'émission, de même. / Year of issue, likewise.")] = None,
    data: Annotated[Path, typer.Option(help="Dossier des données. / Data folder.", envvar="ESTAFETTE_DATA")] = Path(
        "data"
    ),
    port: Annotated[int, typer.Option(help="Premier port. / First port.")] = 8400,
) -> None:
    """Pose un statut sur une facture reçue ou émise. / Set a status of an invoice received or issued.

    Code 0 : pris ; 1 : refusé par le cycle de vie, avec la raison ; 2 : rien n'a pu être fait.
    """
    import aiohttp

    from estafette.circuit.entries import CannotEnter, entries_of
    from estafette.circuit.network import WrongNetwork
    from estafette.cli.send import company_entry
    from estafette.lifecycle import STATUSES
    from estafette.simulation.company import TooLong

    if status not in STATUSES:
        typer.echo(f"{status}? → {', '.join(STATUSES)}", err=True)
        raise typer.Exit(2)
    if rate is not None and amount is None:
        typer.echo("--rate demande --amount. / --rate needs --amount.", err=True)
        raise typer.Exit(2)
    said = {"reason": reason, "comment": comment, "amounts": _amounts(amount, rate)}
    try:
        entries = entries_of(data, port)
        asked = _Asked(number, seller, year)
        flow = asyncio.run(_answer(asked, status, entries, company_entry(entries, as_login), said))
    except (CannotEnter, WrongNetwork, TooLong, aiohttp.ClientError) as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    details = flow["acknowledgement"].get("details", [])
    known = STATUSES[status]
    fr, en = (
        ("statut non pris", "status not taken") if details else ("statut pris et transmis", "status taken, passed on")
    )
    typer.echo(f"{status} {known.label} : {fr} / {known.name}: {en}")
    for detail in details:
        typer.echo(f"  - {detail['reasonCode']} · {detail['reasonMessage']}")
    raise typer.Exit(1 if details else 0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which invoice is meant: its number and, where that is not enough, its seller and the year of its issue."""

    number: str
    seller: str
    year: int | None

    def is_met_by(self, about: "Reference") -> bool:
        """Tell whether an invoice of this number may be the one."""
        return self.seller in ("", about.seller) and self.year in (None, about.issue_date.year)


async def _answer(
    asked: _Asked, status: str, entries: "Entries", entry: "Entry", said: dict[str, Any]
) -> dict[str, Any]:
    """Find the invoice among the company's own and say the status of it; returns the flow, acknowledged."""
    import aiohttp

    from estafette.circuit.entries import check_ready
    from estafette.formats.status_message import Role
    from estafette.simulation.company import Company

    await check_ready(entries, [entry.actor])
    async with aiohttp.ClientSession() as session:
        company = Company(
            siren=entry.siren or "",
            role=Role.BUYER,
            url=entries.urls[entry.actor],
            client_id=entry.client_id or "",
            client_secret=entry.client_secret or "",
            session=session,
        )
        found = [about for about in await company.invoices(asked.number) if asked.is_met_by(about)]
        about = _only(found, f"{asked.number} ({entry.login})")
        company.role = Role.SELLER if about.seller == entry.siren else Role.BUYER
        return await company.say(status, about, **said, occasion=uuid4().hex[:8])


def _only(found: "list[Reference]", asked: str) -> "Reference":
    """Return the one invoice there is. Raises: CannotEnter, when there is none or several."""
    from estafette.circuit.entries import CannotEnter

    if not found:
        raise CannotEnter(f"{asked}: facture inconnue de ce compte / this account has no such invoice")
    if len(found) > 1:
        several = ", ".join(f"{about.seller} {about.issue_date}" for about in found)
        raise CannotEnter(f"{asked}: plusieurs factures / several invoices ({several}) — --seller SIREN --year AAAA")
    return found[0]


def _amounts(amount: str | None, rate: str | None) -> tuple[tuple[Decimal, Decimal | None], ...]:
    """Read the amount and its rate; one that is no finite number ends the command, code 2."""
    if amount is None:
        return ()
    return ((_number("--amount", amount), None if rate is None else _number("--rate", rate)),)


def _number(option: str, text: str) -> Decimal:
    from estafette.values.money import decimal

    try:
        return decimal(text)
    except ValueError:
        typer.echo(f"{option} {text}? → 1234.56", err=True)
        raise typer.Exit(2) from None

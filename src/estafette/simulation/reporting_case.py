"""The case of e-reporting: a shop's till file becomes a transmission, accepted, then corrected by replacement.

What other runs left in the same period stays: sums are compared before and after, the nature of what is sent with what
the period already had.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from estafette.simulation.pilot import Stage

EXCHANGE, ADMINISTRATION, BUSINESS = "exchange", "administration", "business"

OVER_DAYS = 11
"""A day so long ago is of a period that is over, whatever the day: periods have eleven days at most (table 13)."""

COLUMNS = "id;date;category;rate;taxable_amount;tax_amount;count"


def till(number: str, today: date) -> Iterator[bytes]:
    """Give a day's sales at two rates as a till exports them, then the same with one amount corrected."""
    day = today - timedelta(days=OVER_DAYS)
    for base, tax in (("100.00", "20.00"), ("150.00", "30.00")):
        rows = (f"{number}-A;{day};TLB1;20;{base};{tax};4", f"{number}-B;{day};TLB1;10;50.00;5.00;2")
        yield "\n".join((COLUMNS, *rows)).encode()


async def reported(stage: "Stage", sales: bytes, corrected: bytes) -> None:
    """E-reporting: a till's file handed in counts once, is reported for its period, and corrected by replacement."""
    period = f"SE/transactions/{sales.decode().splitlines()[1].split(';')[1]}"
    before = await stage.supplier.report_draft(period)
    await _handed_in(stage, sales, "taken 2 2")
    await _handed_in(stage, sales, "taken 2 0")
    await _amounts(stage, period, before, "150.00 25.00")
    await _sent(stage, period, "RE" if _has_sent(before) else "IN")
    await _handed_in(stage, corrected, "taken 2 1")
    await _amounts(stage, period, before, "200.00 35.00")
    await _sent(stage, period, "RE")


async def _handed_in(stage: "Stage", data: bytes, expected: str) -> None:
    taken = await stage.supplier.report_records(data, name="caisse.csv")
    seen = f"{taken['state']} {taken['rows']} {taken['changes']}"
    stage.note(EXCHANGE, "fichier remis : lignes, changements / file handed in: rows, changes", expected, seen)


async def _amounts(stage: "Stage", period: str, before: dict[str, Any], expected: str) -> None:
    """The draft has grown by this base and VAT since before the case."""
    after = await stage.supplier.report_draft(period)
    grown = [_sum(after, what) - _sum(before, what) for what in ("EUR", "VAT")]
    seen = " ".join(f"{amount:.2f}" for amount in grown)
    stage.note(BUSINESS, "base et TVA de la période / base and VAT of the period", expected, seen)


async def _sent(stage: "Stage", period: str, nature: str) -> None:
    """The period is sent; the portal accepts it (300), and the platform knows it: of this one, not of one before."""
    had = len((await stage.supplier.report_draft(period))["transmissions"])
    await stage.supplier.report_send(period)

    async def accepted() -> str:
        held = await stage.supplier.report_draft(period)
        return " ".join(f"{each['type_code']} {each['state']}" for each in held["transmissions"][had:])

    title = "transmission et réponse du portail / transmission and the portal's answer"
    await stage.expect(ADMINISTRATION, title, f"{nature} accepted", accepted)


def _sum(draft: dict[str, Any], what: str) -> Decimal:
    return Decimal(str(draft["totals"].get("10.3", {}).get(what, 0)))


def _has_sent(draft: dict[str, Any]) -> bool:
    return any(sent["state"] == "accepted" for sent in draft["transmissions"])

"""How many objects the concentrator carries: Flow 1 and Flow 10, from the deposit to the answers and the facts told.

    python -m bench concentrator [--engine sqlite|postgresql] [--seconds 20] [--facts N] [--flow f1|f10|both]

The portal is a process of its own; this process is the platform and the administration, and takes processor too.
Figures are of objects answered and told, of the processor of the portal alone, of its memory.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from tests.postgresql import shared

from bench.neighbours import CODE, MATRICULE, Neighbours, now
from estafette.exchange.messages import Kind
from estafette.formats import envelope, flux1, read
from estafette.formats.envelope import FlowName
from estafette.simulation import samples

SELLER, BUYER = "100000009", "200000008"
F1, F10 = "FFE0111A", "FFE1025A"
ANSWERS = {F1: "FFE0604A", F10: "FFE0624A"}
LOT = {F1: 1000, F10: 100}
"""Objects in one envelope: the indicative lots (external specifications v3.2, §3.4.6)."""

IN_FLIGHT = 4
"""Envelopes sent whose answers have not all come."""

DECLARANTS = 400
NUMBERS = count(1)


def main() -> None:
    """Print every figure."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder, _database(asked.engine) as database:
        flows = [F1, F10] if asked.flow == "both" else [{"f1": F1, "f10": F10}[asked.flow]]
        asyncio.run(_measure(Neighbours(Path(folder), database), flows, asked))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench concentrator")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--facts", type=int, default=0)
    parser.add_argument("--flow", choices=("f1", "f10", "both"), default="both")
    parser.add_argument("--rate", type=float, default=0, help="objects a second; 0: as many as are carried")
    return parser.parse_args()


def _database(engine: str) -> object:
    return nullcontext(shared().url(shared().fresh())) if engine == "postgresql" else nullcontext()


async def _measure(neighbours: Neighbours, flows: list[str], asked: argparse.Namespace) -> None:
    async with neighbours.around():
        await neighbours.load([SELLER, BUYER, *declarants()])
        for interface in flows:
            await carry(neighbours, interface, asked.seconds, asked.rate)


async def carry(neighbours: Neighbours, interface: str, seconds: float, rate: float = 0) -> None:
    """Print what one kind of flow is carried at, for that long, after one envelope that warms everything up."""
    make = {F1: invoices(), F10: reports()}[interface]
    await _send(neighbours, interface, make)
    await _answered(neighbours, interface, LOT[interface])
    base, told = neighbours.answered[ANSWERS[interface]], neighbours.facts
    started, cpu, memory = now(), neighbours.cpu_s(), neighbours.memory_mb()
    sent, minute = 0, started + 60
    while now() - started < seconds:
        done = neighbours.answered[ANSWERS[interface]] - base
        if sent - done >= IN_FLIGHT * LOT[interface] or (rate and sent > rate * (now() - started)):
            await asyncio.sleep(0.005)
            continue
        await _send(neighbours, interface, make)
        sent += LOT[interface]
        if now() > minute:
            minute += 60
            print(f"  {now() - started:6.0f} s {done:9} answered, {neighbours.memory_mb():.0f} MB", flush=True)
    await _answered(neighbours, interface, base + sent)
    taken = now() - started
    while neighbours.facts - told < sent - neighbours.rejected:
        await asyncio.sleep(0.01)
    spent = neighbours.cpu_s() - cpu
    say(f"{interface} carried, deposit to answer", sent / taken, "a second")
    say(f"{interface} processor of the portal", 1000 * spent / sent, "ms an object")
    say(f"{interface} memory before", memory, "MB")
    say(f"{interface} memory after", neighbours.memory_mb(), "MB")
    say(f"{interface} rejected", neighbours.rejected, "objects")


async def _answered(neighbours: Neighbours, interface: str, wanted: int) -> None:
    while neighbours.answered.get(ANSWERS[interface], 0) < wanted:
        await asyncio.sleep(0.005)


async def _send(neighbours: Neighbours, interface: str, make: Iterator[tuple[str, bytes]]) -> None:
    files = dict(next(make) for _ in range(LOT[interface]))
    name = FlowName.numbered(interface, application_code=CODE, number=next(NUMBERS))
    status = await neighbours.post(MATRICULE, Kind.FLOW, name.archive, envelope.pack(files))
    assert status == 202, f"{name}: {status}"


def invoices() -> Iterator[tuple[str, bytes]]:
    """Give files of regulatory data, like no others: each its own number."""
    mark = "NUMBER-0000000"
    model = read(samples.load("service", number=mark, issue_date=date(2026, 9, 14)))
    _name, data = flux1.build(model, profile=flux1.Profile.BASE)
    for number in count(1):
        yield f"Base_{number}.xml", data.replace(mark.encode(), f"F-{number:012}".encode())


def reports() -> Iterator[tuple[str, bytes]]:
    """Give transmissions of daily totals: each company, ten days after ten days."""
    number = count(1)
    first = date(2001, 1, 1)
    for period in count():
        start = first + timedelta(days=10 * period)
        for siren in declarants():
            yield f"R{next(number)}.xml", _report(siren, start)


def _report(siren: str, start: date) -> bytes:
    days = "".join(_day(start + timedelta(days=rank)) for rank in range(10))
    end = start + timedelta(days=9)
    return (
        f"<Report><ReportDocument><Id>R-{siren}-{start:%Y%m%d}</Id><IssueDateTime><DateTimeString>20261101101500"
        "</DateTimeString></IssueDateTime><TypeCode>IN</TypeCode>"
        f'<Sender><Id schemeId="0238">{MATRICULE}</Id><Name>Relais Atlantique</Name><RoleCode>WK</RoleCode></Sender>'
        f'<Issuer><Id schemeId="0002">{siren}</Id><Name>Vendeur</Name><RoleCode>SE</RoleCode></Issuer></ReportDocument>'
        f"<TransactionsReport><ReportPeriod><StartDate>{start:%Y%m%d}</StartDate><EndDate>{end:%Y%m%d}</EndDate>"
        f"</ReportPeriod>{days}</TransactionsReport></Report>"
    ).encode()


def _day(day: date) -> str:
    """Return the sales of a day: goods, at two rates."""
    return (
        f"<Transactions><Date>{day:%Y%m%d}</Date><TransactionsCurrency>EUR</TransactionsCurrency><CategoryCode>TLB1"
        "</CategoryCode><TaxExclusiveAmount>300.00</TaxExclusiveAmount><TaxTotal>50.00</TaxTotal>"
        "<TaxSubtotal><TaxPercent>20</TaxPercent><TaxableAmount>200.00</TaxableAmount><TaxTotal>40.00</TaxTotal>"
        "</TaxSubtotal><TaxSubtotal><TaxPercent>10</TaxPercent><TaxableAmount>100.00</TaxableAmount>"
        "<TaxTotal>10.00</TaxTotal></TaxSubtotal></Transactions>"
    )


def declarants() -> list[str]:
    """Give SIRENs that are well formed."""
    return [_siren(40_000_000 + rank) for rank in range(DECLARANTS)]


def _siren(number: int) -> str:
    """Add its key to eight digits (Luhn)."""
    digits = [int(one) for one in f"{number:08}"]
    total = sum(sum(divmod(2 * one, 10)) if place % 2 else one for place, one in enumerate(digits))
    return f"{number:08}{-total % 10}"


def say(what: str, value: float, unit: str) -> None:
    """Print one figure."""
    print(f"{what:<58}{value:>10.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()

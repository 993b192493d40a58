"""How many objects the concentrator carries: Flow 1 and Flow 10, from the deposit to the answers and the facts told.

    python -m bench concentrator [--engine sqlite|postgresql] [--seconds 20] [--facts N] [--flow f1|f10|both]

The portal is a process of its own; this process is the platform and the administration, and takes processor too.
Figures are of objects answered and told, of the processor of the portal alone, of its memory.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from sqlalchemy import BigInteger, ColumnElement, Connection, String, cast, func, insert, literal, select

from bench.actors import durable
from bench.neighbours import CODE, MATRICULE, Neighbours, now
from estafette.circuit.network import SEATS, Network
from estafette.exchange.messages import Kind
from estafette.formats import flow_archive, flux1, read
from estafette.formats.envelope import FlowName
from estafette.portal.fact_tables import fact
from estafette.portal.partitions import Range
from estafette.portal.tables import invoice_data
from estafette.simulation import samples
from estafette.store.database import open_database
from estafette.store.tables import sequence

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
        neighbours = Neighbours(Path(folder), database)
        if asked.facts:
            fill(neighbours, asked.facts)
        asyncio.run(_measure(neighbours, flows, asked))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench concentrator")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--facts", type=int, default=0)
    parser.add_argument("--flow", choices=("f1", "f10", "both"), default="both")
    parser.add_argument("--rate", type=float, default=0, help="objects a second; 0: as many as are carried")
    return parser.parse_args()


@contextmanager
def _database(engine: str) -> Iterator[str | None]:
    """Give the URL of a PostgreSQL that waits for its disk; nothing on SQLite."""
    if engine == "sqlite":
        yield None
        return
    server = durable()
    try:
        yield server.url(server.fresh())
    finally:
        server.stop()


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
    flying: deque[tuple[int, float]] = deque()
    lags: list[float] = []
    while now() - started < seconds:
        done = neighbours.answered[ANSWERS[interface]] - base
        _landed(flying, lags, done)
        if sent - done >= IN_FLIGHT * LOT[interface] or (rate and sent > rate * (now() - started)):
            await asyncio.sleep(0.005)
            continue
        await _send(neighbours, interface, make)
        sent += LOT[interface]
        flying.append((sent, now()))
        if now() > minute:
            minute += 60
            print(f"  {now() - started:6.0f} s {done:9} answered, {neighbours.memory_mb():.0f} MB", flush=True)
    while (done := neighbours.answered[ANSWERS[interface]] - base) < sent:
        _landed(flying, lags, done)
        await asyncio.sleep(0.005)
    _landed(flying, lags, done)
    taken = now() - started
    while neighbours.facts - told < sent - neighbours.rejected:
        await asyncio.sleep(0.01)
    spent = neighbours.cpu_s() - cpu
    say(f"{interface} carried, deposit to answer", sent / taken, "a second")
    say(f"{interface} processor of the portal", 1000 * spent / sent, "ms an object")
    say(f"{interface} deposit to the last answer of a flow, median", statistics.median(lags), "s")
    say(f"{interface} the same, the slowest", max(lags), "s")
    say(f"{interface} memory before", memory, "MB")
    say(f"{interface} memory after", neighbours.memory_mb(), "MB")
    say(f"{interface} rejected", neighbours.rejected, "objects")


def _landed(flying: deque[tuple[int, float]], lags: list[float], done: int) -> None:
    """Note how long the flows took whose answers have all come."""
    while flying and flying[0][0] <= done:
        lags.append(now() - flying.popleft()[1])


async def _answered(neighbours: Neighbours, interface: str, wanted: int) -> None:
    while neighbours.answered.get(ANSWERS[interface], 0) < wanted:
        await asyncio.sleep(0.005)


async def _send(neighbours: Neighbours, interface: str, make: Iterator[tuple[str, bytes]]) -> None:
    files = dict(next(make) for _ in range(LOT[interface]))
    name = FlowName.numbered(interface, application_code=CODE, number=next(NUMBERS))
    status = await neighbours.post(MATRICULE, Kind.FLOW, name.archive, flow_archive.pack(files))
    assert status in (200, 202), f"{name}: {status}"


def fill(neighbours: Neighbours, facts: int) -> None:
    """The portal has that many invoices of before, one fact each."""
    data = neighbours.folder / "data"
    seat = next(seat for seat in SEATS if seat.kind == "portal")
    network = Network(data, neighbours.port, database=neighbours.database)
    network.folder(seat).mkdir(parents=True)
    database = open_database(network.database(seat), ("platform", "portal"), threaded=False)
    started = time.process_time()
    with database.begin() as connection:
        connection.execute(insert(sequence).values(name="fact", value=facts))
        for first in range(0, facts, 500_000):
            _fill(connection, first, min(first + 500_000, facts))
    database.close()
    manifests = network.folder(seat) / "facts" / "manifests"  # their Parquet files are of no interest here
    manifests.mkdir(parents=True)
    (manifests / f"{Range(1, facts)}.json").write_text('{"files": []}')
    say(f"{facts} facts of before, written", time.process_time() - started, "s")


def _fill(connection: Connection, first: int, last: int) -> None:
    numbers = select(literal(first + 1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < last))
    seller = func.substr(cast(1_000_000_000 + cast(numbers.c.n, BigInteger) * 7919 % 900_000_000, String), 2)
    number = literal("G-").concat(cast(numbers.c.n, String))
    day, moment = date(2025, 6, 15), datetime(2025, 6, 16, tzinfo=UTC)
    head = {"id": numbers.c.n, "seller_siren": seller, "number": number, "year": 2025, "buyer_siren": BUYER}
    head |= {"issue_date": day, "partner": MATRICULE, "flow_name": "F", "file_name": "a.xml", "sha256": "0" * 64}
    fact_ = {
        "message": numbers.c.n,
        "place": 0,
        "kind": "invoice",
        "platform": MATRICULE,
        "siren": seller,
        "role": "SE",
    }
    fact_ |= {
        "role": "SE",
        "number": number,
        "year": 2025,
        "day": day,
        "category": "S",
        "rate": Decimal(20),
        "base": Decimal(100),
    }
    fact_ |= {"vat": Decimal(20), "currency": "EUR", "known_from": moment}
    for table, row in ((invoice_data, {**head, "recorded_at": moment}), (fact, fact_)):
        columns = [
            value if isinstance(value, ColumnElement) else literal(value, table.c[name].type)
            for name, value in row.items()
        ]
        connection.execute(insert(table).from_select(list(row), select(*columns).select_from(numbers)))


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

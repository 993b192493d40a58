"""The whole circuit measured as a stranger runs it: start, rest, one invoice, five hundred invoices.

Times are wall clock over real HTTP on this machine, the load made by this same process. The floor of one invoice is
what one judgement by the rules costs, printed beside.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import aiohttp
from msgspec.structs import replace
from tests.running import Circuit, free_ports

from estafette.circuit.network import SEATS
from estafette.formats import Syntax, read
from estafette.formats.status_message import Role
from estafette.formats.writing import write
from estafette.invoice.building import complete
from estafette.invoice.model import Totals
from estafette.rules import check
from estafette.simulation import samples
from estafette.simulation.company import Company, Reference

DEPOSITS = 500
AT_ONCE = 16
TODAY = datetime.now(UTC).date()


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as folder:
        running = Circuit(Path(folder) / "data", free_ports(len(SEATS)))
        try:
            say("first start, seeded, to ready", timed(running.start), "s")
            running.stop()
            say("second start to ready", timed(running.start), "s")
            running.wait_quiet()
            say("memory of the whole system at rest", running.memory_mb(), "MB")
            asyncio.run(measure(running))
            say("memory after", running.memory_mb(), "MB")
        finally:
            running.stop()


async def measure(running: Circuit) -> None:
    """Print what one invoice takes, then what many do."""
    document = samples.load("service", number="WARM", issue_date=TODAY)
    check(document)
    say("one judgement by the rules (this process)", 1000 * timed(lambda: check(document)), "ms")
    async with companies(running) as (supplier, customer):
        await one(running, supplier, customer, "WARM-1")
        laps = [await one(running, supplier, customer, f"ONE-{number}") for number in range(10)]
        say("deposit to 203 at the supplier's, median of 10", statistics.median(lap[0] for lap in laps), "ms")
        say("deposit to Flux 1 acknowledged (250), median of 10", statistics.median(lap[1] for lap in laps), "ms")
        await many(running, supplier)


async def one(running: Circuit, supplier: Company, customer: Company, number: str) -> tuple[float, float]:
    """Return milliseconds from the deposit to 203 and to the portal's 250."""
    document = samples.load("service", number=number, issue_date=TODAY)
    about = Reference(number, TODAY, supplier.siren, customer.siren)
    started = time.perf_counter()
    await supplier.deposit(document, syntax="UBL", name=f"{number}.xml", tracking_id=number)
    accepted = asyncio.create_task(acknowledged(running, number))
    while "203" not in [message.status for message in await supplier.statuses(about)]:
        await asyncio.sleep(0.002)
    available = time.perf_counter() - started
    return 1000 * available, 1000 * (await accepted - started)


async def acknowledged(running: Circuit, number: str) -> float:
    """Return the moment when the platform knows that the portal accepted the data."""
    sql = "SELECT state FROM declaration WHERE object_id = ? AND state = 'accepted'"
    while not running.query("platform-a", sql, number):
        await asyncio.sleep(0.002)
    return time.perf_counter()


async def many(running: Circuit, supplier: Company) -> None:
    """Print the rate of deposits over the whole path: judged twice, received, declared, accepted by the portal."""
    gate = asyncio.Semaphore(AT_ONCE)
    answers: list[float] = []

    async def deposit(number: int) -> None:
        document = varied(number)
        async with gate:
            started = time.perf_counter()
            await supplier.hand_in(document, syntax="UBL", name=f"{number}.xml", tracking_id=f"MANY-{number}")
            answers.append(1000 * (time.perf_counter() - started))

    started = time.perf_counter()
    await asyncio.gather(*(deposit(number) for number in range(DEPOSITS)))
    taken = time.perf_counter() - started
    sql = "SELECT count(*) FROM {} WHERE number LIKE 'MANY-%'"
    while running.query("administration", sql.format("fact")) != [str(DEPOSITS)]:
        await asyncio.sleep(0.05)
    while running.query("platform-b", sql.format("invoice")) != [str(DEPOSITS)]:
        await asyncio.sleep(0.05)
    whole = time.perf_counter() - started
    say(f"{DEPOSITS} deposits answered (202)", DEPOSITS / taken, "a second")
    say("answer to a deposit under that load, p95", statistics.quantiles(answers, n=20)[-1], "ms")
    say(f"{DEPOSITS} invoices deposited, received and declared", DEPOSITS / whole, "a second")


def varied(number: int) -> bytes:
    """Return an invoice like no other of the run: its own number and amounts."""
    hours = Decimal(number + 1)
    terms = {"quantity": hours, "net_amount": 80 * hours}
    invoice = read(samples.load("service", number=f"MANY-{number}", issue_date=TODAY))
    line = replace(invoice.lines[0], **terms, price=replace(invoice.lines[0].price, net=Decimal(80)))
    bare = replace(invoice, lines=(line,), totals=Totals(), vat_breakdown=())
    return write(complete(bare).invoice, Syntax.UBL)


@asynccontextmanager
async def companies(running: Circuit) -> AsyncIterator[tuple[Company, Company]]:
    """Give the supplier and the customer of the team."""
    entries = running.entries
    async with aiohttp.ClientSession() as session:
        made = []
        for login, role in (("fournisseur", Role.SELLER), ("client", Role.BUYER)):
            entry = entries.by_login[login]
            url = entries.urls[entry.actor]
            secret = entry.client_secret or ""
            made.append(Company(entry.siren or "", role, url, entry.client_id or "", secret, session))
        yield made[0], made[1]


def timed(work: object) -> float:
    """Return the seconds a call takes."""
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def say(what: str, value: float, unit: str) -> None:
    """Print one figure."""
    print(f"{what:<58}{value:>10.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()

"""The whole path at a fixed rate, each actor in a process of its own: what it carries, what it costs, what it answers.

    python -m bench path                       150 a second for twenty seconds, on SQLite
    python -m bench path --postgresql          the same on a PostgreSQL started for it, which waits for its disk
    python -m bench path --count 50000         is memory flat, does an invoice cost more when many are stored?
    python -m bench path --tenants 500         as many suppliers and customers
    python -m bench path --stored 1000000      when so many are stored already
    python -m bench path --postgresql --apart  the sending platform in two processes, one answers, one works
    python -m bench path --kills 8             each actor killed twice meanwhile: is anything lost or doubled?

An invoice counts once its supplier's platform knows that the portal accepted its Flow 1. At the end each invoice must
be once at the supplier's platform, at the customer's, at the portal and at the administration, and nothing may wait.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec
import uvloop
from msgspec.structs import replace
from tests.running import free_ports

from bench.actors import Actors
from bench.load import Answers, deposit_all, request
from bench.profiles import tell
from bench.stored import multiply
from bench.tenants import Tenant, tenants_of
from estafette.circuit.network import SEATS
from estafette.formats import Syntax, read
from estafette.formats.writing import write
from estafette.invoice.building import complete
from estafette.invoice.model import Invoice, Totals
from estafette.platform.examination import examine
from estafette.simulation import samples

TODAY = datetime.now(UTC).date()
NUMBER = b"NUMBER-OF-THE-INVOICE"
SEED = 1000
"""Invoices deposited to be copied, where many are to be stored beforehand."""

MODELS = 50
"""Documents unlike each other by their amounts, of each tenant; each deposit then has a number of its own."""

STILL_S = 120.0
"""How long nothing may move before the run is given up: longer than envelopes are spaced."""

TENTH_S_MIN = 5.0
"""The tenth part of a run is told apart from this length on."""

DONE = "SELECT count(*) FROM declaration WHERE id > :since AND state = 'accepted' AND interface = 'FFE0111A'"
LAST = "SELECT max(id) FROM declaration"
ONCE = {
    "platform-a": "SELECT number FROM invoice WHERE side = 'issued' AND standing = 'live' AND number LIKE :mine",
    "platform-b": "SELECT number FROM invoice WHERE side = 'received' AND standing = 'live' AND number LIKE :mine",
    "portal": "SELECT number FROM invoice_data WHERE number LIKE :mine",
    "administration": "SELECT number FROM fact WHERE number LIKE :mine",
}
"""Where each invoice is, once."""


class Options(msgspec.Struct, frozen=True):
    """What is asked on the command line."""

    rate: float
    count: int
    tenants: int
    postgresql: bool
    apart: bool
    kills: int
    stored: int
    profile: Path | None


def main() -> None:
    """Print every figure."""
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = free_ports(len(SEATS))
        actors = Actors(folder / "data", ports, on_postgresql=options.postgresql, apart=options.apart)
        stack.callback(actors.close)
        actors.start()
        uvloop.run(measure(actors, options))
    if options.profile:
        tell(options.profile)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench path")
    parser.add_argument("--rate", type=float, default=150.0, help="deposits a second")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--tenants", type=int, default=20, help="suppliers, and customers")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument(
        "--apart", action="store_true", help="the sending platform answers in a process, works in another (PostgreSQL)"
    )
    parser.add_argument(
        "--kills", type=int, default=0, help="processes killed and begun again, one actor after the other"
    )
    parser.add_argument("--stored", type=int, default=0, help="invoices that every actor stores beforehand")
    parser.add_argument("--profile", type=Path, help="folder for what py-spy records of each actor")
    return msgspec.convert(vars(parser.parse_args()), Options)


async def measure(actors: Actors, options: Options) -> None:
    """Print what the run came to, or how it failed."""
    tenants = await tenants_of(actors, options.tenants)
    models = [[_model(tenant, number) for number in range(MODELS)] for tenant in tenants]

    def made(run: str, number: int) -> bytes:
        tenant = number % len(tenants)
        name = f"{run}-{number:06d}"
        document = models[tenant][number % MODELS].replace(NUMBER, name.encode())
        return request("127.0.0.1", tenants[tenant].token, document, name)

    warm = SEED if options.stored else min(300, options.count)
    await deposit_all(actors.urls["platform-a"], lambda number: made("WARM", number), count=warm, rate=50)
    await _until(actors, warm)
    if options.stored:
        await asyncio.to_thread(actors.wait_quiet)
        await asyncio.to_thread(actors.restart, lambda: multiply(actors, options.stored // SEED))
    last = int(actors.query("platform-a", LAST)[0])
    actors.record(options.profile)
    watched = _Watched(actors, models[0][0])
    watching = asyncio.create_task(watched.watch())
    started, before = time.perf_counter(), actors.cpu_s()
    killing = asyncio.create_task(_kill(actors, options))
    url = actors.urls["platform-a"]
    answers = await deposit_all(url, lambda number: made("PATH", number), count=options.count, rate=options.rate)
    deposited = time.perf_counter() - started
    await killing
    await _until(actors, options.count, since=last)
    whole = time.perf_counter() - started
    spent = {name: after - before[name] for name, after in actors.cpu_s().items()}
    watching.cancel()
    await asyncio.to_thread(actors.wait_quiet)
    _tell(options, answers, deposited=deposited, whole=whole)
    _tell_costs(options.count, spent, watched)
    _tell_growth(options, watched)
    _check(actors, options.count)


async def _until(actors: Actors, count: int, *, since: int = 0) -> None:
    """Wait until so many invoices have gone all the way, of those declared after that one.

    Raises: SystemExit, when none has for so long that none will.
    """
    had, moved = 0, time.perf_counter()
    while (done := int(actors.query("platform-a", DONE, since=since)[0])) < count:
        if done > had:
            had, moved = done, time.perf_counter()
        if time.perf_counter() - moved > STILL_S:
            raise SystemExit(f"{done} of {count} acknowledged, then none for {STILL_S:.0f} s")
        await asyncio.sleep(0.25)


async def _kill(actors: Actors, options: Options) -> None:
    """Kill one actor after the other, evenly over the time of the deposits."""
    for number in range(options.kills):
        await asyncio.sleep(options.count / options.rate / (options.kills + 1))
        await asyncio.to_thread(actors.kill, actors.names[number % len(actors.names)])


def _model(tenant: Tenant, number: int) -> bytes:
    """Return a document of this tenant, its number to be put in."""
    hours = Decimal(10 * 1.1**number).quantize(Decimal(1))
    invoice = _sample()
    line = replace(
        invoice.lines[0], quantity=hours, net_amount=80 * hours, price=replace(invoice.lines[0].price, net=Decimal(80))
    )
    bare = replace(tenant.of(invoice), lines=(line,), totals=Totals(), vat_breakdown=())
    return write(complete(bare).invoice, Syntax.UBL)


@cache
def _sample() -> Invoice:
    return read(samples.load("service", number=NUMBER.decode(), issue_date=TODAY))


class _Watched:
    """What is looked at once a second: the memory of each actor, and what one judgement costs on this machine then."""

    def __init__(self, actors: Actors, document: bytes) -> None:
        self._actors = actors
        self._document = document
        self.resident: list[dict[str, float]] = []
        self.spent: list[tuple[float, float]] = []
        """Moments, and the seconds of processor that all the actors had used by then."""
        self.judgements: list[float] = []

    async def watch(self) -> None:
        """Look until cancelled."""
        await asyncio.to_thread(self._judge)
        while True:
            self.resident.append(self._actors.resident_mb())
            self.spent.append((time.perf_counter(), sum(self._actors.cpu_s().values())))
            self.judgements.append(await asyncio.to_thread(self._judge))
            await asyncio.sleep(1)

    def _judge(self) -> float:
        started = time.thread_time()
        examine(self._document, on=TODAY)
        return time.thread_time() - started


def _tell(options: Options, answers: Answers, *, deposited: float, whole: float) -> None:
    engine = "PostgreSQL" if options.postgresql else "SQLite"
    print(f"{options.count} invoices of {options.tenants} tenants on {engine}, {options.rate:g} a second asked")
    say("deposited", options.count / deposited, "a second")
    say("deposited, judged, delivered, Flux 1 acknowledged", options.count / whole, "a second")
    say("the last one acknowledged after the last deposit", whole - deposited, "s")
    for share in (0.5, 0.95, 0.99):
        say(f"answer to a deposit, p{100 * share:.0f}", answers.at(share), "ms")
    print(f"refused: {len(answers.refused)} {Counter(answers.refused).most_common(1) or ''}")
    if options.kills:
        print(f"killed: {options.kills} processes; deposits made again: {answers.broken}")


def _tell_costs(count: int, spent: dict[str, float], watched: _Watched) -> None:
    resident = watched.resident
    print(f"{'':<18}{'processor':>12}{'memory at start, at the middle, at the end':>50}")
    for name, seconds in spent.items():
        seen = [resident[at].get(name, 0.0) for at in (0, len(resident) // 2, -1)]
        print(f"{name:<18}{1000 * seconds / count:>9.2f} ms" + "".join(f"{one:>13.0f} MB" for one in seen))
    print(f"{'all the actors':<18}{1000 * sum(spent.values()) / count:>9.2f} ms an invoice")
    say("one judgement of one of them meanwhile (processor)", 1000 * statistics.mean(watched.judgements), "ms")


def _tell_growth(options: Options, watched: _Watched) -> None:
    """Print what an invoice costs, and what memory all the actors hold, as they store more: for long runs."""
    seconds = options.count / options.rate
    if seconds < 10 * TENTH_S_MIN:
        return
    print("invoices stored, processor an invoice, memory of all the actors")
    began = watched.spent[0][0]
    for tenth in range(10):
        mine = [
            at for at, (moment, _) in enumerate(watched.spent) if tenth <= 10 * (moment - began) / seconds < tenth + 1
        ]
        (first, before), (last, after) = watched.spent[mine[0]], watched.spent[mine[-1]]
        cost = 1000 * (after - before) / (options.rate * (last - first))
        memory = sum(watched.resident[mine[-1]].values())
        print(f"{options.count * (tenth + 1) // 10:>9}{cost:>12.2f} ms{memory:>12.0f} MB")


def _check(actors: Actors, count: int) -> None:
    """Each invoice is once everywhere. Raises: SystemExit, saying where it is not."""
    wrong = []
    for name, sql in ONCE.items():
        found = Counter(actors.query(name, sql, mine="PATH-%"))
        lost, doubled = count - len(found), sum(found.values()) - len(found)
        if lost or doubled:
            wrong.append(f"{name}: {lost} lost, {doubled} doubled")
    print("nothing lost, nothing doubled" if not wrong else "; ".join(wrong), flush=True)
    if wrong:
        raise SystemExit(1)


def say(what: str, value: float, unit: str) -> None:
    """Print one figure."""
    print(f"{what:<58}{value:>10.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()

"""The directory at national scale, on one engine: load, exact look-ups, extracts; each step in a process of its own.

`python -m bench directory [--lines N] [--engine sqlite|postgresql] [--in FOLDER]`. What each step takes is processor
and wall-clock time of its process, and the most memory it held. A look-up is cold when the file is out of the page
cache: dropped where the machine allows it, else given up page by page (`posix_fadvise`); PostgreSQL is restarted too.
"""

import argparse
import asyncio
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from sqlalchemy import func, select

from bench.actors import durable
from estafette.directory.publication import CALENDARS
from estafette.formats.directory import Header
from estafette.formats.directory_writing import portions
from estafette.portal import bulk, extract_contents, holdings
from estafette.portal.extract_contents import Window
from estafette.portal.register import Register, Source
from estafette.portal.tables import directory_line
from estafette.simulation.national import COLUMNS, LINE, Shape, directory
from estafette.store.database import Database, open_database

LOOKUPS = 5000
COLD_LOOKUPS = 300
DAY = date(2027, 3, 1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def main() -> None:
    """Run every step, or one that another process asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench directory")
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--in", dest="folder", type=Path)
    parser.add_argument("--step", choices=tuple(STEPS))
    parser.add_argument("--store")
    parser.add_argument("--sample", type=Path)
    parser.add_argument("--steps", default=",".join(STEPS), help="those to run, the load always first")
    asked = parser.parse_args()
    if asked.step:
        with measured(asked.step):
            asyncio.run(STEPS[asked.step](asked))
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder, store(asked.engine, Path(folder)) as (where, chill):
        sample = Path(folder) / "sample.txt"
        for step in asked.steps.split(","):
            if step == "cold":
                chill()
            command = [sys.executable, "-m", "bench.directory", "--step", step, "--store", where]
            command += ["--sample", str(sample)]
            subprocess.run([*command, "--lines", str(asked.lines)], check=True)
            if step == "load":
                print(f"   disk {size(where, Path(folder)) / 1e9:.2f} GB", flush=True)


@contextmanager
def store(engine: str, folder: Path) -> Iterator[tuple[str, Any]]:
    """Give where a portal's directory is kept, and how it is put out of memory."""
    if engine == "sqlite":
        file = folder / "records.sqlite"
        yield str(file), lambda: put_out(folder)
        return
    server = durable()
    url = server.url(server.fresh(), "portal")

    def restart() -> None:
        server.control("restart", "-w", "-m", "fast")
        put_out(server.folder)

    try:
        yield url, restart
    finally:
        server.stop()


def put_out(folder: Path) -> None:
    """The files of a folder are on the disk and no longer in memory, as far as this machine lets us."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        print("   (the page cache cannot be dropped here: given up page by page)", flush=True)


def size(where: str, folder: Path) -> float:
    """Return the bytes that the directory takes on the disk."""
    if not where.startswith("postgresql"):
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    with opened(where).read() as connection:
        names = "'legal_unit','establishment','routing_code','receiving_platform','directory_line'"
        query = f"SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables WHERE relname IN ({names})"  # noqa: S608
        return float(connection.exec_driver_sql(query).scalar() or 0)


def opened(where: str) -> Database:
    """Open the store of a portal."""
    return open_database(where if where.startswith("postgresql") else Path(where), ("portal",), threaded=False)


@contextmanager
def measured(step: str) -> Iterator[None]:
    """Print what a step took."""
    wall, used = time.perf_counter(), time.process_time()
    yield
    wall, used = time.perf_counter() - wall, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{step}: {wall:.1f} s, {used:.1f} s of processor, peak {peak:.0f} MB", flush=True)


# --------------------------------------------------------------------------------------------------------------- steps


async def load(asked: argparse.Namespace) -> None:
    """The directory is generated and loaded, durable at the end."""
    database = opened(asked.store)
    shape = Shape(lines=asked.lines, today=DAY)
    with asked.sample.open("w") as sample:
        rows = noting(directory(shape), max(1, asked.lines // (LOOKUPS + COLD_LOOKUPS)), sample)
        counts = bulk.load(database, rows, COLUMNS, at=datetime(2027, 3, 1, tzinfo=UTC), author="PPF")
    database.close()
    print(f"   {', '.join(f'{count} {table}' for table, count in counts.items())}", flush=True)


def noting(rows: Iterator[tuple[str, Any]], every: int, sample: IO[str]) -> Iterator[tuple[str, Any]]:
    """Give the rows, the address of one line in so many being noted."""
    seen = 0
    for table, row in rows:
        if table == LINE:
            seen += 1
            if seen % every == 0:
                sample.write(f"{row[1]}\n")
        yield table, row


async def look_up(asked: argparse.Namespace, first: int, count: int) -> None:
    """Print the time of exact look-ups: the line of an address on a day, as the directory API answers."""
    picked = asked.sample.read_text().split()
    random.Random(7).shuffle(picked)  # noqa: S311 - which are asked, the same each time
    database = opened(asked.store)
    times, used = [], []
    for address in picked[first : first + count]:
        started, worked = time.perf_counter(), time.thread_time()
        with database.read() as connection:
            holdings.line_at(connection, address, on=DAY)
        times.append(1000 * (time.perf_counter() - started))
        used.append(1000 * (time.thread_time() - worked))
    for what, some in (("elapsed", times), ("of processor here", used)):
        cuts = statistics.quantiles(some, n=100)
        told = f"p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms, worst {max(some):.2f} ms {what}"
        print(f"   {len(some)} look-ups: {told}", flush=True)


async def cold(asked: argparse.Namespace) -> None:
    """Look up with nothing in memory."""
    await look_up(asked, 0, COLD_LOOKUPS)


async def warm(asked: argparse.Namespace) -> None:
    """Look up once the file has been read."""
    await look_up(asked, COLD_LOOKUPS, LOOKUPS)


async def full(asked: argparse.Namespace) -> None:
    """The full extract is produced, file by file."""
    database = opened(asked.store)
    last, _instance = reached(database)
    with database.read() as connection:
        shown = extract_contents.full(connection, change=last, day=DAY)
        produce(portions(Header(datetime(2027, 3, 1, tzinfo=UTC)), shown, bytes_max=CALENDARS[0].file_bytes_max))


async def change(asked: argparse.Namespace) -> None:
    """One line in a hundred has another end, in one change."""
    with opened(asked.store).begin(durable=False) as connection:
        register = Register(connection, at=NOON, source=Source.OPENING, author="PPF")
        register.rewrite(directory_line.c.instance % 100 == 1, effective_end=DAY + timedelta(days=30))


async def differential(asked: argparse.Namespace) -> None:
    """The differential of the last change is produced, on the next day: the lines are read through."""
    database = opened(asked.store)
    last, instance = reached(database)
    column = directory_line.c
    with database.read() as connection:
        first = connection.execute(select(func.min(column.instance)).where(column.known_from == last)).scalar_one()
        window = Window(
            after_change=last - 1, to_change=last, after_instance=first - 1, to_instance=instance,
            day=DAY + timedelta(days=1), previous_day=DAY,
        )  # fmt: skip
        header = Header(NOON + timedelta(days=1), NOON, is_full=False)
        shown = extract_contents.differential(connection, window)
        produce(portions(header, shown, bytes_max=CALENDARS[0].file_bytes_max))


def reached(database: Database) -> tuple[int, int]:
    """Return the last change and version."""
    column = directory_line.c
    with database.read() as connection:
        change = connection.execute(select(func.max(column.known_from))).scalar_one()
        return change, connection.execute(select(func.max(column.instance))).scalar_one()


def produce(made: Any) -> None:
    """Print what an extract comes to; its files are let go of."""
    files, entries, written = 0, 0, 0
    for portion in made:
        files, entries, written = files + 1, entries + portion.entries, written + portion.size
        portion.file.close()
    print(f"   {files} files, {entries} entries, {written / 1e9:.2f} GB", flush=True)


STEPS = {"load": load, "cold": cold, "warm": warm, "full": full, "change": change, "differential": differential}

if __name__ == "__main__":
    main()

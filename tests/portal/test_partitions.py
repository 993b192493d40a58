"""Facts as Parquet: whole, once, written once, read by another engine, and the same sums as by the events."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.cli.command import one_line, run
from tests.platform.world import World, service
from tests.portal.envelopes import STATUSES, send, status, status_file
from tests.portal.test_facts import Ledger, invoice, ledger, report, set_status, siren

from estafette.administration.facts import documents_of, statuses_of
from estafette.formats.flux1 import Profile, build
from estafette.formats.reading import read
from estafette.portal import known, partitions
from estafette.vat.exigibility import ended_keys

__all__ = ["ledger"]


def ask(folder: Path, question: str, *values: object) -> list[tuple[Any, ...]]:
    """Return what DuckDB answers of the facts (F) and of what was replaced (R) in a folder."""
    tables = {"F": "facts/**/*.parquet", "R": "replaced/**/*.parquet"}
    with duckdb.connect() as engine:
        for name, pattern in tables.items():
            if list(folder.glob(pattern)):
                engine.read_parquet(f"{folder}/{pattern}", hive_partitioning=True).create_view(name)
        return engine.execute(question, values).fetchall()


@pytest.fixture
def filled(ledger: Ledger, tmp_path: Path) -> Iterator[tuple[Ledger, str, Path]]:
    """Give a store with a company's invoice, its payment and a period corrected, and a folder with all that came."""
    mine = siren()
    ledger.arrive(mine, [invoice(mine, "A", "20", "10"), set_status(mine, "A", "212", 1, ("20", "60"))])
    ledger.arrive(mine, [report(mine, "R1", hour=1), report(mine, "R2", hour=2, corrective=True, amount=200)])
    partitions.export(ledger.hall.actor.database, tmp_path / "out")
    yield ledger, mine, tmp_path / "out"


def test_another_engine_reads_the_same_facts(filled: tuple[Ledger, str, Path]) -> None:
    """What stands by the files is what stands by the store, to the cent."""
    ledger, mine, folder = filled
    query = """SELECT kind, number, day, status, category, base, vat, amount, currency FROM F
               WHERE siren = ? AND message NOT IN (SELECT message FROM R)"""
    seen = ask(folder, query, mine)
    with ledger.hall.actor.database.read() as connection:
        facts = list(known.facts(connection, siren=mine))
    expected = [
        (one.kind, one.number, one.day, one.status, one.category, *map(_six, (one.base, one.vat, one.amount)), "EUR")
        for one in facts
    ]
    assert sorted(seen, key=repr) == sorted(expected, key=repr)
    assert len(seen) == 4
    assert ask(folder, "SELECT DISTINCT rate FROM F WHERE siren = ? ORDER BY rate", mine) == [
        (Decimal("10.0000"),),
        (Decimal("20.0000"),),
    ]


def _six(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(Decimal("0.000001"))


def test_partitions_are_by_kind_and_month(filled: tuple[Ledger, str, Path]) -> None:
    """The folders are those that engines know as hive partitions."""
    _ledger, _mine, folder = filled
    assert {"kind=invoice", "kind=collected", "kind=10.3"} <= {one.name for one in (folder / "facts").iterdir()}
    assert {one.name for one in (folder / "facts" / "kind=10.3").iterdir()} == {"period=2026-09"}


def test_what_comes_later_is_added_and_nothing_is_rewritten(filled: tuple[Ledger, str, Path]) -> None:
    """A second round adds files for what is new, and leaves each of the others as it was."""
    ledger, mine, folder = filled
    before = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.rglob("*.parquet")}
    assert partitions.export(ledger.hall.actor.database, folder) == 0
    ledger.arrive(mine, [invoice(mine, "B"), report(mine, "R3", hour=3, corrective=True)])
    assert partitions.export(ledger.hall.actor.database, folder) == 2
    after = set(folder.rglob("*.parquet"))
    assert before == {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in before}
    assert after > set(before)
    assert set(partitions.files(folder)) == after
    query = "SELECT count(*) FROM R WHERE message IN (SELECT message FROM F WHERE siren = ?)"
    assert ask(folder, query, mine) == [(2,)]


def test_interrupted_it_ends_with_each_fact_once(filled: tuple[Ledger, str, Path], tmp_path: Path) -> None:
    """Killed between any two of its steps, the next round writes the same range again, and then what came since."""
    ledger, mine, folder = filled
    count = "SELECT count(*), sum(base) FROM F WHERE siren = ?"
    whole = ask(folder, count, mine)
    manifests = sorted((folder / "manifests").glob("*.json"))
    pending = json.loads(manifests[-1].read_text())
    moved = sorted(folder.rglob("*.parquet"))
    for kept in range(len(moved) + 1):
        broken = tmp_path / f"broken-{kept}"
        shutil.copytree(folder, broken)
        for file in moved[kept:]:
            (broken / file.relative_to(folder)).unlink()
        (broken / "manifests" / manifests[-1].name).unlink()
        (broken / "pending.json").write_text(json.dumps({name: pending[name] for name in ("first", "last")}))
        (broken / "draft").mkdir()
        (broken / "draft" / "facts.csv").write_text("half a li")
        partitions.export(ledger.hall.actor.database, broken)
        assert ask(broken, count, mine) == whole
        assert {file.relative_to(broken) for file in broken.rglob("*.parquet")} == {
            file.relative_to(folder) for file in moved
        }
        assert not (broken / "draft").exists()


def test_manifest_says_what_is_there(filled: tuple[Ledger, str, Path]) -> None:
    """Each file by its path, its size and its digest."""
    _ledger, _mine, folder = filled
    for manifest in (folder / "manifests").glob("*.json"):
        for one in json.loads(manifest.read_text())["files"]:
            content = (folder / one["path"]).read_bytes()
            assert (one["bytes"], one["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_command_adds_to_a_folder(tmp_path: Path, world: World) -> None:
    """`estafette facts export` reads the portal's records, and says what it added."""
    number = world.number("P")
    if world.running["portal"].actor.database.is_shared:
        pytest.skip("the records are on a server: its address is not in the data folder")
    world.deposit(service(number))
    data = world.running["portal"].actor.folder.parent
    done = run("facts", "export", str(tmp_path / "out"), "--data", str(data), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["added"] >= 2
    query = "SELECT count(*) FROM F WHERE number = ? AND kind = 'invoice'"
    assert ask(tmp_path / "out", query, number) == [(1,)]
    assert "unreadable" in one_line(run("facts", "export", str(tmp_path / "none"), "--data", str(tmp_path / "nothing")))


def test_turnover_is_the_same_by_files_and_by_events(own_world: World, tmp_path: Path) -> None:
    """What each company invoiced, without what ended refused: by the events told, and by the Parquet files."""
    world = own_world
    kept, refused = world.number("S"), world.number("S")
    for number in (kept, refused):
        send(world, dict([build(read(service(number)), profile=Profile.BASE)]))
    for code, number in (("200", kept), ("200", refused), ("210", refused)):
        send(world, dict([status_file(status(number, code, at=int(code) - 200))]), STATUSES)
    with world.running["administration"].actor.database.read() as connection:
        ended = ended_keys(statuses_of(connection))
        told: dict[str, Decimal] = {}
        for one in documents_of(connection):
            if one.key not in ended:
                base = one.sign * sum((part.taxable_amount for part in one.vat_breakdown), Decimal(0))
                told[one.seller] = told.get(one.seller, Decimal(0)) + base
    partitions.export(world.running["portal"].actor.database, tmp_path / "out")
    by_files = ask(
        tmp_path / "out",
        """SELECT siren, sum(CASE WHEN type_code IN ('381', '396', '261', '502', '503') THEN -base ELSE base END)
           FROM F AS f WHERE kind = 'invoice' AND NOT EXISTS (
               SELECT 1 FROM F AS e WHERE e.kind = 'status' AND e.status IN (210, 213) AND e.siren = f.siren
               AND e.number = f.number AND e.year = f.year)
           GROUP BY siren""",
    )
    assert dict(by_files) == told
    assert told

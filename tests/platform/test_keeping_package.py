"""A restitution package: everything of its company, nothing of another's, whole whoever dies meanwhile."""

import asyncio
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.platform.world import BUYER, SELLER, World, opened, service

from estafette.exchange.keys import sign, verifies
from estafette.formats.xml import is_pdf
from estafette.platform import keeping_package, tables, watch
from estafette.platform.keeping_drawers import needing
from estafette.platform.keeping_package import Asked, NotPossible
from estafette.store import audit_purge, inventory, roots
from estafette.store.sealed_check import check
from estafette.store.sealed_files import Broken, Writer
from estafette.store.tables import audit_event

NUMBERS = ("PACK1", "PACK2", "PACK3")


@pytest.fixture(scope="module")
def exchanged() -> Iterator[World]:
    """Give a system where some invoices went through, one rejected at reception, and a day was sealed."""
    with opened() as world:
        for number in NUMBERS:
            world.deposit(service(number))
        world.answer(BUYER, "PACK1", "210", reason="TX_TVA_ERR", comment="Taux ?")
        for name in ("platform-a", "platform-b"):
            actor = world.running[name].actor
            with actor.database.begin() as connection:
                said = {"day": world.clock.now.date(), "now": world.clock(), "key": actor.public_key}
                roots.seal(connection, **said, sign=lambda data, key=actor.key: sign(key, data))  # type: ignore[misc]
        yield world


def asked(world: World, siren: str = SELLER, **said: Any) -> str:
    """The company has asked for a package, nothing else is done."""
    platform = world.home(siren)
    with platform.home.actor.database.begin() as connection:
        return platform.packages.ask(connection, siren, Asked(**said), by="login:ada")


def made(world: World, siren: str = SELLER, **said: Any) -> bytes:
    """The company has asked for a package and it is made; return its bytes."""
    identifier = asked(world, siren, **said)
    world.work()
    return fetched(world, siren, identifier)


def fetched(world: World, siren: str, identifier: str) -> bytes:
    """Return the bytes of a package that is ready."""
    file = world.home(siren).packages.fetch(siren, identifier)
    assert file is not None
    return file.read_bytes()


def files(data: bytes) -> dict[str, bytes]:
    """Read every file of a package."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened_zip:
        assert len(set(opened_zip.namelist())) == len(opened_zip.namelist())
        return {name: opened_zip.read(name) for name in opened_zip.namelist()}


def originals(held: dict[str, bytes]) -> list[str]:
    """Give the numbers of the invoices whose original is in a package."""
    lines = json.loads(held["manifest.json"])["files"]
    return sorted(line["number"] for line in lines if line["kind"] == "original")


def test_a_package_is_no_document_that_is_missing(exchanged: World) -> None:
    """Once a package is made the store is still whole: its hash is that of a file of its own."""
    made(exchanged)
    actor = exchanged.running["platform-a"].actor
    with actor.database.read() as connection:
        assert inventory.verify(connection, actor.documents).findings == []


def test_all_that_is_of_an_invoice_is_there(exchanged: World) -> None:
    """Original to the byte, a PDF to read, every status, what the State was told and answered, the proof of it all."""
    data = made(exchanged)
    held = files(data)
    row = exchanged.row(SELLER, "PACK1")
    (folder,) = {name.rsplit("/", 1)[0] for name in held if "/PACK1-" in name and name.endswith("/proof.json")}
    assert folder.startswith(f"documents/{row['issue_date']:%Y-%m}/{BUYER}/")
    assert held[f"{folder}/original.xml"] == exchanged.home(SELLER).document(row["sha256"])
    assert is_pdf(held[f"{folder}/readable.pdf"])
    mine = [name.removeprefix(f"{folder}/") for name in held if name.startswith(folder)]
    assert [name[13:] for name in mine if name.startswith("statuses/")] == [
        "200-sent.xml", "201-sent.xml", "202-received.xml", "203-received.xml", "210-received.xml",
    ]  # fmt: skip
    proof = json.loads(held[f"{folder}/proof.json"])
    assert (proof["invoice"]["sha256"], proof["kept_until"], proof["missing"]) == (row["sha256"], "2036-12-31", [])
    told = {each["status"]: each["state"] for each in proof["declarations"]}
    assert told[None] == "accepted"
    assert len([name for name in mine if name.startswith("state/")]) == len(told)
    assert json.loads(proof["journal"][0]["event"])["what"] == "judged"
    found = check(io.BytesIO(data), verifies, key=exchanged.running["platform-a"].actor.public_key)
    assert (found.verified.told["siren"], found.roots) == (SELLER, 1)
    assert found.events > 10


def test_the_manifest_says_every_file(exchanged: World) -> None:
    """Manifest, CSV and hashes agree with what is there; both indexes lead to files that are there."""
    held = files(made(exchanged))
    manifest = json.loads(held["manifest.json"])
    listed = {line["file"]: line for line in manifest["files"]}
    assert set(held) - set(listed) == {"manifest.json", "manifest.csv", "SHA256SUMS", "signature.json"}
    assert all(len(held[name]) == line["bytes"] for name, line in listed.items())
    assert held["manifest.csv"].decode().count("\n") == len(listed) + 1
    sums = dict(line.split("  ")[::-1] for line in held["SHA256SUMS"].decode().splitlines())
    assert all(sums[name] == line["sha256"] for name, line in listed.items())
    assert {line["counterpart"] for line in listed.values() if line["kind"] == "original"} == {BUYER}
    for language, title in (("fr", "Dossier de restitution"), ("en", "Restitution package")):
        page = held[f"index.{language}.html"].decode()
        assert title in page
        links = {part.partition('"')[0] for part in page.split('href="')[1:]}
        assert links
        assert links <= set(held)
    assert f"2026-09;issued;{BUYER};3" in held["summary.csv"].decode()


def test_nothing_of_another_company(exchanged: World) -> None:
    """A company is given its own side only; another finds no package of it, and cannot fetch one."""
    identifier = asked(exchanged)
    exchanged.work()
    packages = exchanged.home(SELLER).packages
    assert packages.get(BUYER, identifier) is None
    assert packages.fetch(BUYER, identifier) is None
    assert {line["side"] for line in json.loads(files(made(exchanged))["manifest.json"])["files"]} == {"issued", ""}
    assert {line["side"] for line in json.loads(files(made(exchanged, BUYER))["manifest.json"])["files"]} == {
        "received", ""
    }  # fmt: skip


def test_a_period_and_a_counterpart(exchanged: World) -> None:
    """Only what was asked for is in it; of a period without invoices the package is there, and empty of them."""
    day = exchanged.row(SELLER, "PACK1")["issue_date"]
    every = json.loads(files(made(exchanged, starts_on=day, ends_on=day, counterpart=BUYER))["manifest.json"])["files"]
    assert {line["number"] for line in every if line["kind"] == "original"} == set(NUMBERS)
    for nothing in ({"starts_on": date(2027, 1, 1)}, {"ends_on": date(2026, 1, 1)}, {"counterpart": SELLER}):
        lines = json.loads(files(made(exchanged, **nothing))["manifest.json"])["files"]
        assert [line for line in lines if line["number"]] == []


@pytest.mark.parametrize("size", [1, 2, 3])
def test_whoever_dies_in_the_making_goes_on(exchanged: World, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """The process dies after each slice is written and before its record is: each file is in it once, all is sound."""
    monkeypatch.setattr(keeping_package, "SLICE", size)
    packages = exchanged.home(SELLER).packages
    real = packages._slice
    calls: list[int] = []

    def twice(row: Any) -> Any:
        calls.append(row["done"])
        if len(calls) % 2:
            real(row)
            raise OSError("the machine is off")
        return real(row)

    monkeypatch.setattr(packages, "_slice", twice)
    identifier = asked(exchanged)
    while exchanged.home(SELLER).packages.get(SELLER, identifier)["state"] == "asked":  # type: ignore[index]
        exchanged.work_with_troubles()
        exchanged.pass_by(hours=2)
    data = fetched(exchanged, SELLER, identifier)
    held = files(data)
    assert originals(held) == list(NUMBERS)
    assert check(io.BytesIO(data), verifies).events
    assert len(calls) == 2 * (3 // size + 1)


def test_what_cannot_be_made_fails_in_the_end(exchanged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that cannot be made is tried for a while, then has failed: told, alarmed, gone after a month."""
    packages = exchanged.home(SELLER).packages

    def fails(_row: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(packages, "_slice", fails)
        identifier = asked(exchanged)
        for _ in range(keeping_package.TRIES_MAX):
            exchanged.work_with_troubles()
            exchanged.pass_by(hours=2)
    database = exchanged.running["platform-a"].actor.database
    row = packages.get(SELLER, identifier)
    assert row is not None
    assert (row["state"], "No space left" in row["error"]) == ("failed", True)
    with database.read() as connection:
        (alarm,) = [one for one in watch.conditions(connection, exchanged.clock()) if one.kind == "package"]
        assert needing(connection, [SELLER], on=exchanged.clock().date()) == {}
    assert SELLER in alarm.fr
    made(exchanged)
    exchanged.pass_by(days=32)
    asyncio.run(packages.expire())
    assert packages.get(SELLER, identifier)["state"] == "expired"  # type: ignore[index]


def test_what_was_lost_is_begun_anew(exchanged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of a package disappears while it is made: it is made from the beginning."""
    monkeypatch.setattr(keeping_package, "SLICE", 2)
    packages = exchanged.home(SELLER).packages
    identifier = asked(exchanged)
    real = packages._slice
    lost: list[bool] = []

    def losing(row: Any) -> Any:
        if row["done"] and not lost:
            lost.append(True)
            shutil.rmtree(packages._file(identifier).parent)
        return real(row)

    monkeypatch.setattr(packages, "_slice", losing)
    exchanged.work()
    held = files(fetched(exchanged, SELLER, identifier))
    assert lost
    assert originals(held) == list(NUMBERS)


def test_what_is_not_there_is_said(exchanged: World) -> None:
    """A document that is gone from the store is named in the proof of its invoice; all the rest is in the package."""
    row = exchanged.row(SELLER, "PACK2")
    actor = exchanged.running["platform-a"].actor
    with actor.database.begin() as connection:
        connection.execute(update(tables.invoice).where(tables.invoice.c.id == row["id"]).values(sha256="0" * 64))
    try:
        held = files(made(exchanged))
    finally:
        with actor.database.begin() as connection:
            mine = update(tables.invoice).where(tables.invoice.c.id == row["id"])
            connection.execute(mine.values(sha256=row["sha256"]))
    (proof,) = [json.loads(data) for name, data in held.items() if "/PACK2-" in name and name.endswith("proof.json")]
    assert proof["missing"] == ["0" * 64]
    assert len([name for name in held if name.endswith("original.xml")]) == 2


def test_a_change_of_the_journal_is_found(exchanged: World, tmp_path: Path) -> None:
    """Even signed again by the same key, a journal that was rewritten stands on no signed root."""
    data = made(exchanged)
    actor = exchanged.running["platform-a"].actor
    writer = Writer(tmp_path)
    for name, content in files(data).items():
        if name in ("SHA256SUMS", "signature.json"):
            continue
        changed = content.replace(b"PACK1", b"PACK9") if name == "journal/audit.jsonl" else content
        writer.add(name, changed)
    told = {"siren": SELLER, "key": actor.public_key}
    writer.finish(told, lambda body: sign(actor.key, body))
    writer.close()
    with pytest.raises(Broken, match=r"journal/audit\.jsonl"):
        check(io.BytesIO(writer.file.read_bytes()), verifies)


def test_no_more_than_some_at_once(exchanged: World) -> None:
    """A company has so many under way, and is told to wait; a period the wrong way round is refused."""
    with pytest.raises(NotPossible, match=" / "):
        asked(exchanged, starts_on=date(2026, 2, 1), ends_on=date(2026, 1, 1))
    first = [asked(exchanged) for _ in range(keeping_package.UNDER_WAY_MAX)]
    with pytest.raises(NotPossible, match=" / "):
        asked(exchanged)
    exchanged.work()
    states = {row["id"]: row["state"] for row in exchanged.home(SELLER).packages.every(SELLER)}
    assert {states[identifier] for identifier in first} == {"ready"}


def test_it_is_gone_after_a_month(exchanged: World) -> None:
    """Its time over, the file is gone and the record says so; who fetched it and when is in the audit log."""
    identifier = asked(exchanged)
    exchanged.work()
    packages = exchanged.home(SELLER).packages
    assert fetched(exchanged, SELLER, identifier)
    exchanged.pass_by(days=29)
    asyncio.run(packages.expire())
    assert fetched(exchanged, SELLER, identifier)
    exchanged.pass_by(days=4)
    asyncio.run(packages.expire())
    assert packages.fetch(SELLER, identifier) is None
    assert not packages._file(identifier).parent.exists()
    assert packages.get(SELLER, identifier)["state"] == "expired"  # type: ignore[index]
    query = select(audit_event.c.body).where(audit_event.c.about == identifier).order_by(audit_event.c.seq)
    told = [json.loads(row["body"])["what"] for row in exchanged.rows("platform-a", query)]
    assert told == ["package.asked", "package.ready", "package.fetched", "package.fetched", "package.expired"]


def test_a_package_verifies_whose_journal_has_forgotten(exchanged: World) -> None:
    """Where the first events of the journal say nothing more, the package still proves the chain and its roots."""
    actor = exchanged.running["platform-a"].actor
    before = check(io.BytesIO(made(exchanged)), verifies)
    with actor.database.begin() as connection:
        day, said = exchanged.clock.now.date(), {"now": exchanged.clock(), "key": actor.public_key}
        roots.seal(connection, day=day, **said, sign=lambda data: sign(actor.key, data))  # type: ignore[arg-type]
    assert audit_purge.forget(actor.database, last=day, now=exchanged.clock()) >= before.events
    data = made(exchanged)
    lines = files(data)["journal/audit.jsonl"].splitlines()
    assert "sha256:" in json.loads(lines[0])["body"]
    found = check(io.BytesIO(data), verifies)
    assert (found.events, found.roots) == (len(lines), before.roots + 1)

"""A file put in a folder is deposited once, whatever happens meanwhile, and comes out with its answer."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.platform.test_archives import zipped
from tests.platform.world import BUYER, SELLER, World, opened, service

from estafette.circuit import upkeep
from estafette.platform import tables
from estafette.platform.folder import Folder
from estafette.store import alarms
from estafette.values import limits


class Depot:
    """The folders of the companies of platform A."""

    def __init__(self, world: World, root: Path) -> None:
        self.world, self.root = world, root
        self.reopen()

    def reopen(self) -> None:
        """The program has died and was started again: nothing is remembered."""
        platform = self.world.platform("platform-a")
        self.folder = Folder(platform, lambda siren: upkeep._tray(self.root, siren), name="dossier")
        self.visit()

    def visit(self) -> None:
        """The folder is looked at once."""
        asyncio.run(self.folder.visit())

    def put(self, name: str, data: bytes) -> Path:
        """A file lies in `in`, written."""
        file = self.root / SELLER / "in" / name
        file.write_bytes(data)
        return file

    def run(self) -> None:
        """The folder is looked at until everything has its answer."""
        for _time in range(3):
            self.visit()
            self.world.work()

    def names(self, where: str) -> list[str]:
        """Name what lies in one of the company's folders."""
        return sorted(file.name for file in (self.root / SELLER / where).iterdir())

    def answer(self, where: str, name: str) -> Any:
        """Return the answer to a file, as a program reads it."""
        return json.loads((self.root / SELLER / where / f"{name}.json").read_bytes())

    def text(self, where: str, name: str) -> str:
        """Return the answer to a file, as a person reads it."""
        return (self.root / SELLER / where / f"{name}.txt").read_text()

    def flows(self) -> int:
        """Count what was deposited."""
        return self.world.count("platform-a", tables.flow)


@pytest.fixture
def depot(world: World, tmp_path: Path) -> Depot:
    """Give an empty folder."""
    return Depot(world, tmp_path)


def test_a_good_invoice(depot: Depot) -> None:
    """A good invoice goes its way and to `done`, with its answer in both forms and both languages."""
    number = depot.world.number()
    depot.put("facture.xml", service(number))
    depot.run()
    assert depot.names("in") == []
    assert depot.names("done") == ["facture.xml", "facture.xml.json", "facture.xml.txt"]
    told = depot.answer("done", "facture.xml")
    assert (told["acknowledgement"], told["invoice"]["number"], told["invoice"]["standing"]) == ("Ok", number, "live")
    assert f"{number} — Déposée (200)" in depot.text("done", "facture.xml")
    assert f"{number} — Submitted (200)" in depot.text("done", "facture.xml")
    assert depot.world.statuses(BUYER, number) == "202 203"


def test_a_rejected_invoice(depot: Depot) -> None:
    """A rejected invoice comes out in `rejected`, each fault said with its rule and its terms."""
    number = depot.world.number()
    depot.put("f.xml", service(number).replace(b">2400.00<", b">2500.00<"))
    depot.run()
    assert depot.names("done") == []
    assert depot.names("rejected") == ["f.xml", "f.xml.json", "f.xml.txt"]
    assert "BR-CO-15" in depot.text("rejected", "f.xml")
    assert depot.answer("rejected", "f.xml")["invoice"]["explanation"]["faults"]


def test_what_is_no_invoice(depot: Depot) -> None:
    """What is neither invoice nor status is refused, and what to do is said in both languages."""
    depot.put("bruit.txt", b"bonjour")
    depot.run()
    assert depot.names("rejected") == ["bruit.txt", "bruit.txt.json", "bruit.txt.txt"]
    assert depot.answer("rejected", "bruit.txt")["details"][0]["reasonCode"] == "FlowTypeError"
    assert "Irrecevable" in depot.text("rejected", "bruit.txt")
    assert "Irreceivable" in depot.text("rejected", "bruit.txt")


def test_an_archive(depot: Depot) -> None:
    """An archive is answered once each of its files is, and comes out rejected when one of them is bad."""
    good, bad = depot.world.number(), depot.world.number()
    files = {"a.xml": service(good), "b.xml": service(bad).replace(b">2400.00<", b">2500.00<")}
    depot.put("lot.zip", zipped(files))
    depot.run()
    told = depot.answer("rejected", "lot.zip")["files"]
    assert [(one["file"], one["invoice"]["standing"]) for one in told] == [("a.xml", "live"), ("b.xml", "rejected")]


def test_a_file_still_being_written(depot: Depot) -> None:
    """A file that grows between two visits is left alone; whole, it is taken once."""
    number, before = depot.world.number(), depot.flows()
    data = service(number)
    file = depot.put("f.xml", data[:1000])
    depot.visit()
    file.write_bytes(data[:2000])
    depot.visit()
    assert depot.flows() == before
    file.write_bytes(data)
    depot.run()
    assert depot.names("done") == ["f.xml", "f.xml.json", "f.xml.txt"]
    assert depot.world.statuses(BUYER, number) == "202 203"


@pytest.mark.parametrize("name", [".cache", "f.xml.part", "f.xml.TMP", "~f.xml", "f.xml.filepart"])
def test_names_of_unfinished_files(depot: Depot, name: str) -> None:
    """What is hidden or named as unfinished is never taken."""
    before = depot.flows()
    depot.put(name, b"x")
    depot.run()
    assert (depot.names("in"), depot.flows()) == ([name], before)


def test_links_and_folders(depot: Depot, tmp_path: Path) -> None:
    """A link is not followed and a folder is not entered: nothing outside `in` can be deposited."""
    before, secret = depot.flows(), tmp_path / "secret.xml"
    secret.write_bytes(service("SECRET"))
    (depot.root / SELLER / "in" / "lien.xml").symlink_to(secret)
    (depot.root / SELLER / "in" / "sous").mkdir()
    depot.run()
    assert (depot.names("in"), depot.flows()) == (["lien.xml", "sous"], before)


@pytest.mark.parametrize("moment", ["after the deposit", "after the answer"])
def test_a_crash_never_deposits_twice(depot: Depot, moment: str) -> None:
    """The program dies between reading and moving: started again, it finds the same deposit and answers it."""
    number, before = depot.world.number(), depot.flows()
    file = depot.put("f.xml", data := service(number))
    depot.visit()
    depot.visit()
    if moment == "after the answer":
        depot.world.work()
        depot.visit()
        file.write_bytes(data)  # the move never reached the disk
        (depot.root / SELLER / "done" / "f.xml").unlink()
    deposited = depot.flows() - before
    depot.reopen()
    depot.run()
    depot.world.work()
    assert len(depot.world.invoices(SELLER, number)) == 1
    client = depot.world.rows("platform-a", tables.flow.select().where(tables.flow.c.tracking_id.like("dossier-%")))
    assert [row["name"] for row in client if row["invoice_id"] == depot.world.row(SELLER, number)["id"]] == ["f.xml"]
    assert deposited >= 1
    assert depot.names("in") == []
    assert depot.names("done") == ["f.xml", "f.xml.json", "f.xml.txt"]


def test_the_same_name_again(depot: Depot) -> None:
    """Another file of a name already answered comes out beside the first, which stays as it was."""
    first, second = depot.world.number(), depot.world.number()
    depot.put("f.xml", service(first))
    depot.run()
    depot.put("f.xml", service(second))
    depot.run()
    assert depot.answer("done", "f.xml")["invoice"]["number"] == first
    (other,) = [name for name in depot.names("done") if name.endswith(".json") and name != "f.xml.json"]
    assert json.loads((depot.root / SELLER / "done" / other).read_bytes())["invoice"]["number"] == second


def test_the_same_file_by_another_channel(depot: Depot) -> None:
    """What was deposited by software is known as a duplicate when it comes by the folder."""
    number = depot.world.number()
    depot.world.deposit(service(number), tracking_id=number)
    depot.put("f.xml", service(number))
    depot.run()
    assert depot.answer("rejected", "f.xml")["details"][0]["reasonCode"] == "AlreadyExistingFlow"


def test_sizes(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the limit is read; one byte more and it is refused unread, with the field's code."""
    before = depot.flows()
    monkeypatch.setattr(limits, "FILE_BYTES_MAX", 100)
    depot.put("juste.txt", b"x" * 100)
    depot.put("trop.txt", b"x" * 101)
    depot.run()
    assert depot.flows() == before + 1
    assert depot.answer("rejected", "trop.txt")["details"][0]["reasonMessage"].startswith("IRR_TAILLE_F")
    assert depot.names("in") == []


def test_many_files(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visit looks at no more files than the limit; the others are taken by the next visits."""
    before = depot.flows()
    monkeypatch.setattr(limits, "FOLDER_FILES_MAX", 2)
    for place in range(3):
        depot.put(f"{place}.txt", b"bruit %d" % place)
    depot.visit()
    depot.visit()
    assert depot.flows() == before + 2
    for _time in range(2):
        depot.run()
    assert (depot.flows(), depot.names("in")) == (before + 3, [])


def test_a_folder_that_fails(own_world: World, tmp_path: Path) -> None:
    """A folder that cannot be written is an alarm after a while, and none once it can; other companies go on."""
    depot = Depot(own_world, tmp_path)
    done = tmp_path / SELLER / "done"
    done.rmdir()
    done.write_bytes(b"in the way")
    depot.visit()
    assert told(depot) == []
    own_world.pass_by(minutes=20)
    depot.visit()
    (alarm,) = told(depot)
    assert (alarm.kind, alarm.subject) == ("folder", f"dossier/{SELLER}")
    done.unlink()
    depot.visit()
    assert told(depot) == []


def told(depot: Depot) -> list[alarms.Condition]:
    """Return what the folder says is wrong."""
    with depot.world.platform("platform-a").home.actor.database.read() as connection:
        return list(depot.folder.conditions(connection, depot.world.clock.now))


def test_a_file_that_stays(own_world: World, tmp_path: Path) -> None:
    """A file that lies unjudged for a while is an alarm: the scanner is down, or the platform does not work."""
    depot = Depot(own_world, tmp_path)
    depot.put("f.xml", service("L1"))
    depot.visit()
    depot.visit()
    own_world.pass_by(minutes=20)
    assert [(one.kind, "f.xml" in one.en) for one in told(depot)] == [("folder", True)]
    depot.run()
    assert told(depot) == []


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    """Give a system whose platforms have a folder, as the file of the network says."""
    root = tmp_path_factory.mktemp("depots")
    with opened(folder=str(root)) as world:
        yield world, root


def test_configured(configured: tuple[World, Path]) -> None:
    """The folder of `network.yaml` is made for each company, and visited in the rounds of the actor."""
    world, root = configured
    rounds = world.running["platform-a"].rounds
    asyncio.run(rounds.once())
    (root / SELLER / "in" / "f.xml").write_bytes(service("C1"))
    for _time in range(3):
        asyncio.run(rounds.once())
        world.work()
    assert sorted(file.name for file in (root / SELLER / "done").iterdir()) == ["f.xml", "f.xml.json", "f.xml.txt"]
    assert world.statuses(BUYER, "C1") == "202 203"

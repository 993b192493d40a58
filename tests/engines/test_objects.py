"""Documents in an object store are what they are in a folder: one contract, kept by both."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest
import yaml
from tests.objects import SECRET, ObjectServer
from tests.store.conftest import empty_store

from estafette.circuit.network import SEATS, Network, WrongNetwork
from estafette.circuit.serve import Part, serve
from estafette.circuit.starting import CannotStart
from estafette.store.database import Database, open_database
from estafette.store.documents import Documents
from estafette.store.objects import ObjectPacks, WrongStore
from estafette.store.packs import FolderPacks, Packs

__all__ = ["empty_store"]


class Make(Protocol):
    """Gives the same packs to each process that opens them."""

    def __call__(self) -> Packs:
        """Open them."""


@pytest.fixture(params=["folder", "objects"])
def packs(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Packs]:
    """Give what opens the same packs, on each kind of store in turn."""
    if request.param == "folder":
        return lambda: FolderPacks(tmp_path / "documents")
    url = request.getfixturevalue("object_server").bucket()
    return lambda: ObjectPacks(url)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty store."""
    made = open_database(tmp_path / "records.sqlite", ("shared",), threaded=False)
    yield made
    made.close()


def added(packs: Packs, *parts: bytes) -> tuple[str, int]:
    """Return where these parts begin, once they are durable."""
    one = packs.append(parts)
    one.wait()
    return one.pack, one.start


def test_what_is_added_is_read(packs: Callable[[], Packs]) -> None:
    """Parts come back by their place, to whoever opens the packs, none, small or large."""
    parts = [b"first", b"", b"x" * 3_000_000, b"last"]
    pack, start = added(packs(), *parts)
    other = packs()
    for part in parts:
        assert part == b"" or other.read(pack, start, len(part)) == part
        start += len(part)


def test_several_add_at_once(packs: Callable[[], Packs]) -> None:
    """Each process has packs of its own: none writes over another's bytes."""

    def add(number: int) -> list[tuple[str, int, bytes]]:
        own = packs()
        made = [(added(own, data), data) for data in (f"{number} {turn}".encode() for turn in range(5))]
        return [(pack, start, data) for (pack, start), data in made]

    with ThreadPoolExecutor(4) as several:
        made = [one for some in several.map(add, range(4)) for one in some]
    reader = packs()
    assert len(made) == 20
    for pack, start, data in made:
        assert reader.read(pack, start, len(data)) == data


def test_what_is_not_there_is_said(packs: Callable[[], Packs]) -> None:
    """An unknown pack, or a document of the time before packs, is a file that is not found."""
    for ask in (lambda one: one.read("ab" * 16, 0, 1), lambda one: one.loose("ab" * 32)):
        with pytest.raises(FileNotFoundError):
            ask(packs())


def test_erased_bytes_are_gone(packs: Callable[[], Packs]) -> None:
    """What is erased cannot be read, what lies beside it can; twice, or of a pack that is gone, changes nothing."""
    pack, start = added(packs(), b"kept", b"secret", b"kept")
    for _ in range(2):
        packs().erase(pack, start + 4, 6)
    assert packs().read(pack, start, 14) == b"kept" + bytes(6) + b"kept"
    packs().erase("ab" * 16, 0, 5)
    packs().erase_loose("ab" * 32)
    assert packs().drop("ab" * 16)


def test_several_erase_at_once(packs: Callable[[], Packs]) -> None:
    """Two processes that erase in one pack undo nothing of each other."""
    pack, start = added(packs(), b"0123456789")
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda place: packs().erase(pack, start + place, 1), range(0, 8, 2)))
    assert packs().read(pack, start, 10) == b"\x001\x003\x005\x00789"


def test_documents_rest_there(database: Database, packs: Callable[[], Packs]) -> None:
    """Documents put and settled are read by another process; twice is once, and one that is erased is gone."""
    with database.begin():
        documents = Documents(database, packs())
        names = [documents.put(data) for data in (b"<Invoice/>", b"", b"x" * 100_000)]
    assert [Documents(database, packs()).get(name) for name in names] == [b"<Invoice/>", b"", b"x" * 100_000]
    assert names[0] == hashlib.sha256(b"<Invoice/>").hexdigest()


def test_a_check_is_no_document(packs: Callable[[], Packs]) -> None:
    """Looking whether bytes can be added raises nothing, again and again."""
    packs().check()
    packs().check()


def test_a_transaction_is_one_request(database: Database, object_server: ObjectServer) -> None:
    """Fifty documents of one transaction are one object: requests follow commits, not documents."""
    url = object_server.bucket()
    documents = Documents(database, ObjectPacks(url))
    with database.begin():
        names = [documents.put(f"document {number}".encode()) for number in range(50)]
    assert len(object_server.keys(url)) == 1
    assert Documents(database, ObjectPacks(url)).get(names[31]) == b"document 31"
    with database.begin():
        documents.put(b"document 3")
    assert len(object_server.keys(url)) == 1


def test_nothing_is_committed_that_is_not_kept(
    database: Database, object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the store does not take an object nothing is committed, and the document is settled the next time."""
    url = object_server.bucket()
    packs = ObjectPacks(url)
    documents = Documents(database, packs)
    with monkeypatch.context() as broken:
        broken.setattr(packs, "_store", ObjectPacks(object_server.url("nowhere"))._store)
        with pytest.raises(OSError, match=r"nowhere|NoSuchBucket|404"), database.begin():
            name = documents.put(b"late")
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM document").scalar() == 0
    with database.begin():
        pass
    assert Documents(database, ObjectPacks(url)).get(name) == b"late"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("s3:///prefix", "bucket"),
        ("ftp://bucket/prefix", "ftp"),
        ("s3://k:hidden@bucket/prefix?speed=1", "speed"),
        ("s3://k:hidden@[bucket/prefix", "s3://"),
    ],
)
def test_a_wrong_url_is_told_without_its_secret(written: str, why: str) -> None:
    """What cannot be used is named, and the secret is not."""
    with pytest.raises(WrongStore) as told:
        ObjectPacks(written)
    assert why in str(told.value)
    assert "hidden" not in str(told.value)


def test_each_actor_has_a_folder_of_the_common_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store for all has one folder an actor; one that an actor names is its own; variables are put in."""
    monkeypatch.setenv("BUCKET", "one")
    actors = {"platform-b": {"documents": "s3://own/here"}}
    written = {"documents": "s3://${BUCKET}/kept?region=x", "actors": actors}
    (tmp_path / "network.yaml").write_text(yaml.safe_dump(written))
    network = Network(tmp_path, 8400)
    _portal, first, second, _administration = (network.objects(seat) for seat in SEATS)
    assert (first, second) == ("s3://one/kept/platform-a?region=x", "s3://own/here")
    (tmp_path / "network.yaml").write_text(yaml.safe_dump({"documents": "s3:?"}))
    with pytest.raises(WrongNetwork, match="documents"):
        Network(tmp_path, 8400).objects(SEATS[0])


def test_a_store_out_of_reach_stops_the_start(object_server: ObjectServer, tmp_path: Path) -> None:
    """A bucket that is not there is said before anything is opened, without its secret."""
    url = object_server.url("nowhere")
    (tmp_path / "network.yaml").write_text(yaml.safe_dump({"documents": url}))

    async def never(*_: object) -> None:
        raise AssertionError

    with pytest.raises(CannotStart, match="object store") as told:
        serve(tmp_path, port=_free(), part=Part([SEATS[3]]), ready=never)
    assert SECRET not in str(told.value)
    assert not (tmp_path / "administration").exists()


def _free() -> int:
    from tests.running import free_ports

    return free_ports(len(SEATS))

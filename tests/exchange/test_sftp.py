"""A real SFTP client puts and fetches what is its own, and nothing else, whatever it asks."""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import asyncssh
import pytest

from estafette.exchange.keys import UnreadableKey
from estafette.exchange.sftp import Door
from estafette.exchange.sftp_client import SftpClient
from estafette.exchange.sftp_terms import COMPANIES, Terms
from estafette.values import limits

ACCOUNT, OTHER = "100000009", "200000008"


class Place:
    """An SFTP server on this machine, with two accounts."""

    def __init__(self, folder: Path, terms: Terms = COMPANIES) -> None:
        self.keys = {account: asyncssh.generate_private_key("ssh-ed25519") for account in (ACCOUNT, OTHER)}
        self.closed = 0
        self.door = Door(folder, "127.0.0.1", 0, self._closed, terms)
        for account, key in self.keys.items():
            self.door.authorize(account, key.export_public_key().decode())

    def _closed(self) -> None:
        self.closed += 1

    @asynccontextmanager
    async def session(self, account: str = ACCOUNT, key: Any = None, **said: Any) -> AsyncIterator[Any]:
        """Sign in."""
        options = {"known_hosts": None, "client_keys": [key or self.keys[account]], "agent_path": None, "config": []}
        async with asyncssh.connect(
            "127.0.0.1", self.door.listens_at, username=account, **{**options, **said}
        ) as connection:
            yield connection

    @asynccontextmanager
    async def client(self, account: str = ACCOUNT) -> AsyncIterator[Any]:
        """Give an SFTP client signed in."""
        async with self.session(account) as connection, connection.start_sftp_client() as client:
            yield client

    def held(self, folder: str = "depot", account: str = ACCOUNT) -> list[str]:
        """Name everything in a folder of an account, hidden files too."""
        return sorted(file.name for file in (self.door.area(account) / folder).iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give a server that is not open yet."""
    return Place(tmp_path / "sftp")


@pytest.fixture
def once(tmp_path: Path) -> Place:
    """Give a server where each file is fetched once, that is not open yet."""
    return Place(tmp_path / "sftp", Terms(once=True))


def run(place: Place, story: Callable[[], Awaitable[None]]) -> None:
    """Open the server for a while."""

    async def all_of_it() -> None:
        await place.door.open()
        try:
            async with asyncio.timeout(20):
                await story()
        finally:
            await place.door.close()

    asyncio.run(all_of_it())


def test_put_list_and_fetch(place: Place, tmp_path: Path) -> None:
    """A file that is put is whole in `depot`; what lies in `retrait` is listed, fetched and removed."""
    data = bytes(range(256)) * 4000
    (tmp_path / "facture.xml").write_bytes(data)

    async def story() -> None:
        async with place.client() as client:
            await client.put(str(tmp_path / "facture.xml"), "depot/facture.xml", preserve=True)
            assert sorted(await client.listdir("/")) == ["depot", "retrait"]
            assert (await client.stat("depot/facture.xml")).size == len(data)
            (place.door.area(ACCOUNT) / "retrait" / "reponse.json").write_bytes(b"{}")
            assert await client.listdir("retrait") == ["reponse.json"]
            await client.get("retrait/reponse.json", str(tmp_path / "got.json"))
            await client.remove("retrait/reponse.json")

    run(place, story)
    assert (place.door.area(ACCOUNT) / "depot" / "facture.xml").read_bytes() == data
    assert ((tmp_path / "got.json").read_bytes(), place.held("retrait"), place.closed) == (b"{}", [], 1)


def test_seen_only_once_closed(place: Place) -> None:
    """A file being written is hidden, from the client too, until it is closed."""

    async def story() -> None:
        async with place.client() as client:
            file = await client.open("depot/f.xml", "wb")
            await file.write(b"<a>")
            assert await client.listdir("depot") == []
            assert [name.startswith(".") for name in place.held()] == [True]
            await file.close()
            assert await client.listdir("depot") == ["f.xml"]

    run(place, story)


def test_a_connection_that_is_lost(place: Place) -> None:
    """What was being written when the connection was lost is not there: nobody takes half a file."""

    async def story() -> None:
        async with place.session() as connection:
            client = await connection.start_sftp_client()
            file = await client.open("depot/f.xml", "wb")
            await file.write(b"<a>")
            connection.abort()
        while place.held():
            await asyncio.sleep(0.01)

    run(place, story)
    assert place.held() == []
    assert place.closed == 0


def test_renamed_once_written(place: Place) -> None:
    """A program that writes under a temporary name and renames has its file under the name it chose."""

    async def story() -> None:
        async with place.client() as client:
            async with client.open("depot/f.xml.part", "wb") as file:
                await file.write(b"<a/>")
            await client.rename("depot/f.xml.part", "depot/f.xml")

    run(place, story)
    assert place.held() == ["f.xml"]


def test_a_session_that_ends_with_files_open(once: Place) -> None:
    """A program that dies may end its session in order: half a file is not taken, and one read whole is not let go."""
    area = once.door.area(ACCOUNT)
    (area / "retrait" / "r.xml").write_bytes(b"<r/>")

    async def story() -> None:
        async with once.session() as connection:
            async with connection.start_sftp_client() as client:
                half = await client.open("depot/f.xml", "wb")
                await half.write(b"<a>")
                whole = await client.open("retrait/r.xml", "rb")
                assert await whole.read() == b"<r/>"
            while once.held() or once.door._held.fetching:
                await asyncio.sleep(0.01)
            assert await _names(connection) == ([], ["r.xml"])

    run(once, story)
    assert once.closed == 0


async def _names(connection: Any) -> tuple[list[str], list[str]]:
    async with connection.start_sftp_client() as client:
        return await client.listdir("depot"), await client.listdir("retrait")


@pytest.mark.parametrize("terms", [COMPANIES, Terms(once=True)])
def test_tried_again_after_a_cut(tmp_path: Path, terms: Terms) -> None:
    """A program that was cut before it renamed writes its unfinished file anew: what is taken is what it wrote last."""
    place = Place(tmp_path / "sftp", terms)

    async def story() -> None:
        for content in (b"<old/>", b"<new/>"):
            async with place.client() as client, client.open("depot/f.xml.part", "wb") as file:
                await file.write(content)
        async with place.client() as client:
            await client.rename("depot/f.xml.part", "depot/f.xml")

    run(place, story)
    assert place.held() == ["f.xml"]
    assert (place.door.area(ACCOUNT) / "depot" / "f.xml").read_bytes() == b"<new/>"


def test_what_was_being_written_when_the_server_died(place: Place) -> None:
    """It is gone when the server is open again: nobody would see it, and it would fill the depot for ever."""
    depot = place.door.area(ACCOUNT) / "depot"
    (depot / ".0123456789abcdef.part").write_bytes(b"<a>")
    (depot / "f.xml.part").write_bytes(b"<a/>")

    async def story() -> None:
        pass

    run(place, story)
    assert place.held() == ["f.xml.part"]


@pytest.mark.parametrize("fault", [OSError("refused"), RuntimeError("the store does not answer")])
def test_what_is_not_taken_stays(once: Place, tmp_path: Path, fault: Exception) -> None:
    """A file that was fetched and could not be taken still waits at its server; one refused holds back no other."""
    retrait = once.door.area(ACCOUNT) / "retrait"
    for name in ("1.xml", "2.xml", "3.xml"):
        (retrait / name).write_bytes(b"<a/>")
    once.keys[ACCOUNT].write_private_key(tmp_path / "key.pem")
    taken = []

    async def take(name: str, held: IO[bytes]) -> None:
        if name == "2.xml":
            raise fault
        taken.append((name, held.read()))

    async def story() -> None:
        host_key = tmp_path / "host.pub"
        async with once.session() as connection:
            connection.get_server_host_key().write_public_key(host_key)
        client = SftpClient("127.0.0.1", once.door.listens_at, ACCOUNT, tmp_path / "key.pem", host_key)
        with pytest.raises(type(fault), match=str(fault)):
            await client.fetch(tmp_path, take)
        while once.door._held.fetching:
            await asyncio.sleep(0.01)

    run(once, story)
    others = ["1.xml", "3.xml"] if isinstance(fault, OSError) else ["1.xml"]
    assert taken == [(name, b"<a/>") for name in others]
    assert once.held("retrait") == sorted({"1.xml", "2.xml", "3.xml"} - set(others))


def test_never_written_over(place: Place) -> None:
    """A second file of the same name lies beside the first, which waits for its answer."""

    async def story() -> None:
        async with place.client() as client:
            for content in (b"1", b"2"):
                async with client.open("depot/f.xml", "wb") as file:
                    await file.write(content)

    run(place, story)
    assert place.held() == ["f-2.xml", "f.xml"]


PATHS = [
    "/etc/passwd",
    "../../200000008/depot/x",
    "depot/../../x",
    "depot/sous/x",
    "autre",
    "depot/.cache",
    "/x",
    "depot",
]


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_lead_elsewhere(place: Place, path: str) -> None:
    """No path leads out of the two folders, to read or to write."""
    place.door.area(OTHER).joinpath("depot", "x").write_bytes(b"secret")

    async def story() -> None:
        async with place.client() as client:
            for mode in ("rb", "wb"):
                with pytest.raises(asyncssh.SFTPError):
                    await client.open(path, mode)

    run(place, story)
    assert (place.held(), place.held("depot", OTHER)) == ([], ["x"])


def test_a_link_is_not_followed(place: Place, tmp_path: Path) -> None:
    """A link that would lie in the area is neither listed, nor told of, nor read."""
    (tmp_path / "secret").write_bytes(b"secret")
    (place.door.area(ACCOUNT) / "retrait" / "lien").symlink_to(tmp_path / "secret")

    async def story() -> None:
        async with place.client() as client:
            assert await client.listdir("retrait") == []
            for ask in (client.stat, client.open, client.readlink):
                with pytest.raises(asyncssh.SFTPError):
                    await ask("retrait/lien")

    run(place, story)


REFUSED: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "mkdir": lambda client: client.mkdir("depot/sous"),
    "rmdir": lambda client: client.rmdir("retrait"),
    "symlink": lambda client: client.symlink("/etc/passwd", "depot/lien"),
    "link": lambda client: client.link("retrait/a", "depot/b"),
    "read the depot while writing": lambda client: client.open("depot/f", "rb+"),
    "append": lambda client: client.open("depot/f", "ab"),
    "write to retrait": lambda client: client.open("retrait/f", "wb"),
    "move out of retrait": lambda client: client.rename("retrait/a", "depot/a"),
    "disk": lambda client: client.statvfs("/"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(place: Place, what: str) -> None:
    """What is not needed to put and to fetch is refused."""
    (place.door.area(ACCOUNT) / "retrait" / "a").write_bytes(b"a")

    async def story() -> None:
        async with place.client() as client:
            with pytest.raises(asyncssh.SFTPError):
                await REFUSED[what](client)

    run(place, story)
    assert (place.held(), place.held("retrait")) == ([], ["a"])


def test_who_may_sign_in(place: Place) -> None:
    """Another's key, no key, a password, an unknown or strange account: nobody; and there is no shell."""
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    tries: list[dict[str, Any]] = [
        {"account": ACCOUNT, "key": stranger},
        {"account": ACCOUNT, "key": place.keys[OTHER]},
        {"account": "999999999", "key": place.keys[ACCOUNT]},
        {"account": "../keys/100000009", "key": place.keys[ACCOUNT]},
        {"account": ACCOUNT, "key": stranger, "password": "x"},
    ]

    async def story() -> None:
        for said in tries:
            with pytest.raises(asyncssh.PermissionDenied):
                async with place.session(**said):
                    pass
        async with place.session() as connection:
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.run("id", check=True)
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("127.0.0.1", 22)

    run(place, story)


def test_keys_replaced(place: Place) -> None:
    """New keys replace those before; what is no key changes nothing; a key comes without options."""
    fresh = asyncssh.generate_private_key("ssh-ed25519")
    line = fresh.export_public_key().decode()
    for wrong in ("bonjour", f'command="sh" {line}', "ssh-ed25519 AAAA"):
        with pytest.raises((ValueError, asyncssh.KeyImportError)):
            place.door.authorize(ACCOUNT, wrong)
    assert place.door.authorize(ACCOUNT, f"# poste 12\n{line}\n") == 1

    async def story() -> None:
        with pytest.raises(asyncssh.PermissionDenied):
            async with place.session():
                pass
        async with place.session(key=fresh):
            pass

    run(place, story)


def test_the_host_key_is_kept(place: Place) -> None:
    """The server has the same key after a restart, readable by its owner only; a damaged one is not replaced."""
    seen = []

    async def story() -> None:
        async with place.session() as connection:
            seen.append(connection.get_server_host_key().get_fingerprint())

    run(place, story)
    run(place, story)
    file = place.door.folder / "host.pem"
    assert (len(set(seen)), stat.S_IMODE(file.stat().st_mode)) == (1, 0o600)
    file.write_text("damaged")
    with pytest.raises(UnreadableKey):
        asyncio.run(place.door.open())


def test_sizes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the limit is taken; one byte more and it is refused, and nothing of it stays."""
    monkeypatch.setattr(limits, "FILE_BYTES_MAX", 10)

    async def story() -> None:
        async with place.client() as client:
            async with client.open("depot/juste", "wb") as file:
                await file.write(b"x" * 10)
            with pytest.raises(asyncssh.SFTPFailure, match="IRR_TAILLE_F"):
                async with client.open("depot/trop", "wb") as file:
                    await file.write(b"x" * 11)

    run(place, story)
    assert place.held() == ["juste"]


def test_a_full_depot(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are put up to the limit; one more is refused until some are taken."""
    monkeypatch.setattr(limits, "SFTP_FILES_MAX", 2)

    async def story() -> None:
        async with place.client() as client:
            for name in ("a", "b"):
                async with client.open(f"depot/{name}", "wb"):
                    pass
            with pytest.raises(asyncssh.SFTPFailure):
                await client.open("depot/c", "wb")
            await client.remove("depot/a")
            async with client.open("depot/c", "wb"):
                pass

    run(place, story)
    assert place.held() == ["b", "c"]


def test_connections(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many connections are served at once; one more is cut."""
    monkeypatch.setattr(limits, "SFTP_CONNECTIONS_MAX", 1)

    async def story() -> None:
        async with place.session():
            with pytest.raises((asyncssh.Error, OSError)):
                async with place.session():
                    pass

    run(place, story)

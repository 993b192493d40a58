"""What leaves for another actor by SFTP, and what waits there: the client of a server like that of `sftp`.

A file is written under an unfinished name, then renamed: whoever looks at file names sees whole files only. What waits
is read to its end, taken, and only then closed: a server that gives each file once has it until then.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import asyncssh

from estafette.exchange.messages import Message
from estafette.exchange.sftp_terms import DEPOT, RETRAIT
from estafette.store.documents import PIECE_BYTES
from estafette.store.worker import Later
from estafette.values import limits

CONNECT_S, WHOLE_S = 30, 600
"""Seconds to sign in, and for one visit or one parcel altogether (our bounds)."""


class NoSuchKey(Exception):
    """The key of the client or that of the server cannot be read."""


@dataclass(frozen=True, slots=True)
class SftpClient:
    """An account at another actor's SFTP: its own key (a file, PEM or OpenSSH), the server's public key (a file)."""

    host: str
    port: int
    account: str
    key: Path
    host_key: Path

    def check(self) -> None:
        """Both keys can be read. Raises: NoSuchKey, naming the file."""
        for file, read in ((self.key, asyncssh.read_private_key), (self.host_key, asyncssh.read_public_key)):
            try:
                read(file)
            except (OSError, ValueError) as fault:
                raise NoSuchKey(f"{file}: {fault}") from None

    async def carry(self, parcel: list[tuple[Message, bytes]]) -> None:
        """Every document lies in `depot` under its name. Raises: Later; what was put stays put."""
        try:
            async with asyncio.timeout(WHOLE_S), self._client() as client:
                for message, body in parcel:
                    await _put(client, message.name, body)
        except (OSError, TimeoutError, asyncssh.Error) as fault:
            raise Later(f"sftp {self.host}:{self.port}: {type(fault).__name__} {fault}") from None

    async def fetch(self, folder: Path, take: Callable[[str, IO[bytes]], Awaitable[None]]) -> None:
        """Every file that waited was given to `take` and let go; meanwhile it is in a file of this folder, unnamed.

        One that `take` raises OSError for stays there, and holds back no other. Raises: OSError, TimeoutError,
        asyncssh.Error; whatever `take` raises.
        """
        faults: list[OSError] = []
        async with asyncio.timeout(WHOLE_S), self._client() as client:
            for name in sorted(await client.listdir(RETRAIT)):
                if name in (".", ".."):
                    continue
                with TemporaryFile(dir=folder) as held:
                    file = await client.open(f"{RETRAIT}/{name}", "rb")
                    await _copy(name, file, held)
                    try:
                        await take(name, held)
                    except OSError as fault:
                        faults.append(fault)  # it is not closed: closed, it would be let go
                    else:
                        await file.close()
            if faults:
                raise faults[0]

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Any]:
        """Give a session; one that ends by a fault is cut, so that no file that is open counts as closed."""
        known: Any = ([asyncssh.read_public_key(self.host_key)], [], [])
        async with (
            asyncssh.connect(
                self.host,
                self.port,
                username=self.account,
                client_keys=[str(self.key)],
                known_hosts=known,
                agent_path=None,
                config=[],
                login_timeout=CONNECT_S,
            ) as connection,
            connection.start_sftp_client() as client,
        ):
            try:
                yield client
            except BaseException:
                connection.abort()
                raise


async def _copy(name: str, file: Any, held: IO[bytes]) -> None:
    """The file is held whole, from its beginning. Raises: SFTPFailure, when it is larger than a flow can be."""
    while piece := await file.read(PIECE_BYTES):
        if held.tell() + len(piece) > limits.FLOW_BYTES_MAX:
            raise asyncssh.SFTPFailure(f"{name}: > {limits.FLOW_BYTES_MAX}")
        await asyncio.to_thread(held.write, piece)
    held.seek(0)


async def _put(client: Any, name: str, body: bytes) -> None:
    """The document lies in `depot`; one that lies there already, by an attempt that did not hear of it, is left."""
    if await client.exists(f"{DEPOT}/{name}"):
        return
    draft = f"{DEPOT}/{name}.part"
    async with client.open(draft, "wb") as file:
        await file.write(body)
    await client.rename(draft, f"{DEPOT}/{name}")

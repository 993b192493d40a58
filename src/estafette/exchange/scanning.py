"""Looking for viruses: a port, and ClamAV behind it.

Once a scanner is configured nothing goes unscanned: while it does not answer, what is to be scanned waits and is tried
again. The adapter speaks INSTREAM of clamd (`man clamd`): the bytes go over the connection, clamd needs no right on our
files.
"""

import asyncio
from io import BufferedReader, BytesIO
from typing import Protocol
from urllib.parse import urlsplit

from estafette.store.worker import Later

VIRUS = "IRR_ANTIVIRUS"
DOWN = "antivirus: "
"""How the error of a job begins while the scanner cannot answer: the alarms look for it."""

CHUNK_BYTES = 256 * 1024
ANSWER_BYTES_MAX = 4096
CONNECT_S, SCAN_S = 5.0, 120.0
"""Seconds to reach clamd, and to be answered on one document (our bounds; clamd's own MaxScanTime is 120 s)."""

AT_ONCE_MAX = 4
"""Documents before the scanner at once (our bound on its memory)."""


class Scanner(Protocol):
    """Something that knows viruses."""

    async def scan(self, data: bytes | BufferedReader) -> str | None:
        """Return the name of what is in there; None when nothing is. Raises: ScannerDown."""


class ScannerDown(Later):
    """The scanner cannot say: the document waits."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{DOWN}{why}")


class WrongScanner(Exception):
    """The address of a scanner cannot be used."""


def told(found: str) -> tuple[str, str]:
    """Return what is said of a virus that was found, in French and in English."""
    return (
        f"« {found} » trouvé : retirez le fichier en cause.",
        f"'{found}' found: remove the file at fault.",
    )


def scanner_at(url: str | None) -> Scanner | None:
    """Return the scanner at an address, `tcp://host:port` or `unix:/path`; None without. Raises: WrongScanner."""
    if not url:
        return None
    parts = urlsplit(url)
    try:
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return Clamd(host=parts.hostname, port=parts.port)
    except ValueError:
        raise WrongScanner(f"scanner: {url} ?") from None
    if parts.scheme == "unix" and parts.path:
        return Clamd(path=parts.path)
    raise WrongScanner(f"scanner: {url} ? → tcp://127.0.0.1:3310 | unix:/run/clamav/clamd.ctl")


class Clamd:
    """ClamAV's daemon, at a TCP or a UNIX socket."""

    def __init__(self, *, host: str = "", port: int = 0, path: str = "") -> None:
        self._host, self._port, self._path = host, port, path
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)

    async def scan(self, data: bytes | BufferedReader) -> str | None:
        """Return the name of what is in there; None when nothing is. Raises: ScannerDown."""
        async with self._at_once:
            try:
                async with asyncio.timeout(CONNECT_S):
                    reader, writer = await self._connect()
            except (OSError, TimeoutError) as fault:
                raise ScannerDown(f"{self._where} {type(fault).__name__}") from None
            try:
                async with asyncio.timeout(SCAN_S):
                    return self._verdict(await _instream(reader, writer, data))
            except (OSError, TimeoutError) as fault:
                raise ScannerDown(f"{self._where} {type(fault).__name__}") from None
            finally:
                writer.close()

    @property
    def _where(self) -> str:
        return self._path or f"{self._host}:{self._port}"

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._path:
            return await asyncio.open_unix_connection(self._path)
        return await asyncio.open_connection(self._host, self._port)

    def _verdict(self, answer: str) -> str | None:
        """Read `stream: OK` or `stream: Name FOUND`; anything else, such as a size limit, is no verdict."""
        said = answer.removeprefix("stream: ")
        if said == "OK":
            return None
        if said.endswith(" FOUND"):
            return said.removesuffix(" FOUND")
        raise ScannerDown(f"{self._where} « {answer[:200]} »")


async def _instream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes | BufferedReader) -> str:
    """Send the bytes by chunks, each after its length on four bytes, then a length of zero; return the answer."""
    source = BytesIO(data) if isinstance(data, bytes) else data
    try:
        writer.write(b"zINSTREAM\0")
        while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
            writer.write(len(chunk).to_bytes(4, "big") + chunk)
            await writer.drain()
        writer.write(bytes(4))
        await writer.drain()
    except ConnectionError:
        pass  # clamd closes on what it will not take, having said why
    answer = await reader.read(ANSWER_BYTES_MAX)
    return answer.partition(b"\0")[0].decode(errors="replace").strip()

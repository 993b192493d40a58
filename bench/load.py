"""A lean client that deposits at a fixed rate: open loop, one request after the other on each of a few connections.

The moment of each deposit is fixed beforehand, and an answer's time is counted from that moment: a server that is slow
is not asked less, and what waits for a free connection waits for the server. A request costs the client 0.1 ms. A
deposit whose connection breaks is made again, as a client does that did not hear the answer.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CONNECTIONS_MAX = 256
IDLE_S = 3.0
"""A connection left alone for longer is not used again: the server closes it after five seconds."""

AGAIN_S, AGAIN_S_MAX = 0.5, 60.0
"""How long a client waits before it deposits again what broke, and until it gives up."""

BOUNDARY = b"of-the-bench"


@dataclass
class Answers:
    """What came back: the seconds each answer took, and each answer that was not 202."""

    seconds: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    broken: int = 0
    """Deposits made again, their connection having broken."""

    def at(self, share: float) -> float:
        """Return the milliseconds within which this share of the answers came."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def request(host: str, token: str, document: bytes, name: str) -> bytes:
    """Return a deposit as it travels (XP Z12-013 §3.2), the name as its tracking identifier."""
    stated = f'{{"flowSyntax":"UBL","name":"{name}.xml","trackingId":"{name}"}}'.encode()
    parts = (
        b'Content-Disposition: form-data; name="flowInfo"\r\nContent-Type: application/json\r\n\r\n' + stated,
        b'Content-Disposition: form-data; name="file"; filename="%b.xml"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%b" % (name.encode(), document),
    )
    body = b"".join(b"--%b\r\n%b\r\n" % (BOUNDARY, part) for part in parts) + b"--%b--\r\n" % BOUNDARY
    head = (
        f"POST /v1/flows HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def deposit_all(url: str, made: Callable[[int], bytes], *, count: int, rate: float) -> Answers:
    """Deposit `count` requests, `rate` a second, whatever the answers take; return the answers."""
    answers, free = Answers(), asyncio.LifoQueue[_Line]()
    place = urlsplit(url)
    lines = [_Line(place.hostname or "", place.port or 80) for _ in range(CONNECTIONS_MAX)]
    for line in lines:
        free.put_nowait(line)
    started = time.perf_counter()
    under_way: set[asyncio.Task[None]] = set()
    for number in range(count):
        moment = started + number / rate
        if (wait := moment - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(_one(free, made(number), moment, answers))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for line in lines:
        line.close()
    return answers


async def _one(free: "asyncio.LifoQueue[_Line]", sent: bytes, moment: float, answers: Answers) -> None:
    line = await free.get()
    try:
        status, body = await _asked(line, sent, answers)
    finally:
        free.put_nowait(line)
    answers.seconds.append(time.perf_counter() - moment)
    if status != 202:
        answers.refused.append(f"{status} {body[:200]!r}")


async def _asked(line: "_Line", sent: bytes, answers: Answers) -> tuple[int, bytes]:
    """Ask until an answer comes. Raises: OSError, when none has come for as long as a server takes to start."""
    until = time.perf_counter() + AGAIN_S_MAX
    while True:
        try:
            return await line.ask(sent)
        except (OSError, asyncio.IncompleteReadError):
            line.close()
            if time.perf_counter() > until:
                raise
            answers.broken += 1
            await asyncio.sleep(AGAIN_S)


class _Line:
    """A connection that is kept."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._used = 0.0
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        if time.perf_counter() - self._used > IDLE_S:
            self.close()
        if self._ends is None:
            self._ends = await asyncio.open_connection(*self._place)
        self._used = time.perf_counter()
        reader, writer = self._ends
        writer.write(sent)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        return int(head.split(b" ", 2)[1]), await reader.readexactly(size)

    def close(self) -> None:
        """Let go of it."""
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None

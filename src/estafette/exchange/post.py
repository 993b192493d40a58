"""The post of one actor: what it sends is written with its state, what it receives is taken once.

`Post.send` is called inside the transaction of the state that the message follows from. `Post.deliver` is the worker's
part: it posts, and only an answer of the peer ends the job. The other side is `Post.admit`, which needs no body, then
`Post.receive`: inbox and the actor's own handling in one transaction.

The peer's answers: 202 taken, 200 already had, 400/403/413/422 never (the message is parked), anything else later. A
redirection is not followed: only the peer itself can say that it has the message.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import aiohttp
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, insert, select

from estafette.exchange.keys import sign, verifies
from estafette.exchange.messages import Kind, Message
from estafette.store import jobs
from estafette.store.database import Database
from estafette.store.documents import Documents
from estafette.store.jobs import Job
from estafette.store.tables import inbox
from estafette.store.worker import Apply, Later, Never

log = structlog.get_logger()

QUEUE = "deliver"
KEY_MARK = " ed25519:"
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)
FINAL = frozenset({400, 403, 413, 422})


@dataclass(frozen=True, slots=True)
class Peer:
    """Another actor as this one knows it."""

    identifier: str
    url: str
    public_key: str

    @property
    def contact(self) -> str:
        """Write where it is and its key on one line of 100 characters: the contact of a platform (DT-6-8)."""
        return f"{self.url}{KEY_MARK}{self.public_key}"


def peer_of(identifier: str, contact: str | None) -> Peer | None:
    """Read a contact back; None when it does not say how the platform is reached."""
    url, mark, key = (contact or "").partition(KEY_MARK)
    return Peer(identifier, url, key) if mark else None


class Refused(Exception):
    """A message that this actor will not take. `status` is the HTTP answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Post:
    """Sends and takes messages for one actor.

    `peers` finds an actor by its identifier; `taken` is what this actor does with a message, inside the transaction;
    `delivered` is told of each message that its recipient has taken.
    """

    def __init__(
        self,
        *,
        identifiers: frozenset[str],
        key: Ed25519PrivateKey,
        database: Database,
        documents: Documents,
        clock: Callable[[], datetime],
        peers: Callable[[Connection, str], Peer | None],
        taken: Callable[[Connection, Message, bytes], None],
        delivered: Callable[[Connection, Message], None] = lambda _connection, _message: None,
    ) -> None:
        self.identifiers = identifiers
        self._key = key
        self._database = database
        self._documents = documents
        self._clock = clock
        self._peers = peers
        self._taken = taken
        self._delivered = delivered
        self._session: aiohttp.ClientSession | None = None

    def send(self, connection: Connection, message: Message, *, lane: str) -> None:
        """The message will reach its recipient, after those already in its lane."""
        fields = (message.id, message.kind.value, message.sender, message.recipient, message.name, message.sha256)
        key = f"{QUEUE}:{message.recipient}:{message.id}"
        payload = {"message": list(fields)}
        lane = f"{message.recipient}:{lane}"
        jobs.add(connection, queue=QUEUE, key=key, lane=lane, payload=payload, now=self._clock())

    async def deliver(self, job: Job) -> Apply:
        """The peer has taken the message. Raises: Later, Never."""
        identifier, kind, *rest = job.payload["message"]
        message = Message(identifier, Kind(kind), *rest)
        with self._database.read() as connection:
            peer = self._peers(connection, message.recipient)
        if peer is None:
            raise Later(f"no such actor is known yet: {message.recipient}")
        await self._post(peer, message)
        return lambda connection: self._delivered(connection, message)

    async def _post(self, peer: Peer, message: Message) -> None:
        headers = {**message.headers(), "Estafette-Signature": sign(self._key, message.signed_text())}
        url = f"{peer.url}/exchange/v1/messages/{quote(message.id, safe='')}"
        body = self._documents.get(message.sha256)
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                status, text = answer.status, (await answer.content.read(500)).decode(errors="replace")
        except (TimeoutError, aiohttp.ClientError) as fault:
            raise Later(f"{peer.identifier} cannot be reached: {type(fault).__name__} {fault}") from None
        if status in FINAL:
            raise Never(f"{peer.identifier} answers {status}: {text}")
        if status not in (200, 202):
            raise Later(f"{peer.identifier} answers {status}: {text}")

    async def receive(self, message: Message, body: bytes) -> bool:
        """The message, admitted, is had, once; False when it already was. Raises: Refused."""
        if not message.is_of(body):
            raise Refused(401, "the body is not the document that was signed")
        self._documents.put(body)
        return await self._database.write(lambda connection: self.take(connection, message, body))

    def admit(self, message: Message, signature: str) -> None:
        """The message is for this actor and from whom it says. Raises: Refused."""
        if message.recipient not in self.identifiers:
            raise Refused(422, f"{message.recipient} is not served here")
        with self._database.read() as connection:
            peer = self._peers(connection, message.sender)
        if peer is None or not verifies(peer.public_key, signature, message.signed_text()):
            raise Refused(401, "unknown sender or wrong signature")

    def take(self, connection: Connection, message: Message, body: bytes) -> bool:
        """The message, admitted, is had in this transaction, once; False when it already was. Raises: Refused."""
        had = select(inbox.c.sha256).where(inbox.c.sender == message.sender, inbox.c.message_id == message.id)
        if held := connection.execute(had).scalar():
            if held != message.sha256:
                raise Refused(422, f"{message.id} came already, with another document")
            return False
        row = {"sender": message.sender, "message_id": message.id, "kind": message.kind.value, "name": message.name}
        connection.execute(insert(inbox).values(**row, sha256=message.sha256, received_at=self._clock()))
        self._taken(connection, message, body)
        return True

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

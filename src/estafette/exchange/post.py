"""The post of one actor: what it sends is written with its state, what it receives is taken once.

`Post.send` is called inside the transaction of the state that the message follows from. `Post.deliver` is the worker's
part: what waits for one peer leaves in one parcel, and only the peer's reply to a message ends its job. The other side
is `Post.admit`, which needs no document, then `Post.receive`: inbox and the actor's own handling in one transaction.

The peer's replies: 202 taken, 200 already had, 400/403/413/422 never (the message is parked), anything else later. A
redirection is not followed: only the peer itself can say that it has the message.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import aiohttp
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, bindparam, select

from estafette.exchange.keys import sign, verifies
from estafette.exchange.messages import Kind, Listed, Message, Reply, manifest_of
from estafette.exchange.tls import Tls
from estafette.store import correlation, gathered, jobs, measures
from estafette.store.database import Database
from estafette.store.documents import Documents
from estafette.store.jobs import Job
from estafette.store.queries import Query
from estafette.store.tables import inbox
from estafette.store.worker import PART, Apply, Later, Never, Outcome, nothing

log = structlog.get_logger()

QUEUE, REST_S = "deliver", 0.05
"""The queue of what leaves, and how long it is left alone after a parcel: what comes meanwhile goes together."""

KEY_MARK = " ed25519:"
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)
CONNECTIONS_MAX = 8
"""Connections to one peer at once: parcels for it leave one after the other, answers apart (our bound)."""

FINAL = frozenset({400, 403, 413, 422})
TOO_MUCH = frozenset({429, 503})
RETRY_AFTER_S_MAX = 24 * 3600
"""Answers that may say when to try again, and the longest that is believed, in seconds (our bound)."""

PARCEL_BYTES = 8 * 1024 * 1024
"""Documents that go together; a larger one goes alone."""
REPLY_BYTES_MAX = 1024 * 1024
"""What is read of the replies of a peer: as many as a manifest may list."""

_replies = msgspec.json.Decoder(list[Reply])
_HAD = Query(
    select(inbox.c.sender, inbox.c.message_id, inbox.c.sha256).where(
        inbox.c.sender == bindparam("sender"),
        inbox.c.message_id.in_(bindparam("ids", expanding=True)),
    )
)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another actor as this one knows it."""

    identifier: str
    url: str
    public_key: str

    def fault(self, reply: Reply) -> Later | Never | None:
        """Return why this actor does not have a message, by its reply; None when it has."""
        if reply.status in (200, 202):
            return None
        return (Never if reply.status in FINAL else Later)(f"{self.identifier} answers {reply.status}: {reply.reason}")

    def replies(self, body: bytes, count: int) -> list[Reply]:
        """Read the replies to a parcel of so many messages. Raises: Later, when they are not that."""
        try:
            replies = _replies.decode(body)
        except msgspec.DecodeError as wrong:
            raise Later(f"{self.identifier} answers no list of replies: {wrong}") from None
        if len(replies) != count:
            raise Later(f"{self.identifier} answers {len(replies)} replies to {count} messages")
        return replies

    @property
    def contact(self) -> str:
        """Write where it is and its key on one line of 100 characters: the contact of a platform (DT-6-8)."""
        return f"{self.url}{KEY_MARK}{self.public_key}"


def peer_of(identifier: str, contact: str | None) -> Peer | None:
    """Read a contact back; None when it does not say how the platform is reached."""
    url, mark, key = (contact or "").partition(KEY_MARK)
    return Peer(identifier, url, key) if mark else None


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Return an answer, or its beginning when it goes past what a list of replies can be."""
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > REPLY_BYTES_MAX:
            break
    return bytes(body)


def _text(body: bytes) -> str:
    return body[:500].decode(errors="replace")


def _message(job: Job) -> Message:
    identifier, kind, sender, recipient, name, sha256 = job.payload["message"]
    return Message(identifier, Kind(kind), sender, recipient, name, sha256, job.correlation or "")


class Refused(Exception):
    """A message that this actor will not take. `status` is the HTTP answer, `after` when another try may succeed."""

    def __init__(self, status: int, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.after = after


class Carrier(Protocol):
    """Another way to an actor than HTTP."""

    async def carry(self, parcel: list[tuple[Message, bytes]]) -> None:
        """Every document is at the actor's. Raises: Later."""


NOT_THE_DOCUMENT = Reply(401, "the body is not the document that was signed")


class Post:
    """Sends and takes messages for one actor.

    `peers` finds an actor by its identifier; `taken` is what this actor does with a message, inside the transaction,
    and raises Refused before it writes anything; `delivered` is told of the messages that their recipient has taken,
    having asked `ahead` what several of them need;
    `admitted` raises Refused when what is signed may not be read now: too much, too often.
    With `tls`, calls show the actor's certificate, and what is admitted comes from whom the caller's certificate names.
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
        delivered: Callable[[Connection, list[Message]], None] = lambda _connection, _messages: None,
        ahead: Callable[[Connection, Sequence[Message]], None] = lambda _connection, _messages: None,
        admitted: Callable[[Connection, Sequence[Listed]], None] = lambda _connection, _listed: None,
        tls: Tls | None = None,
    ) -> None:
        self.identifiers = identifiers
        self.tls = tls
        self._key = key
        self._database = database
        self._documents = documents
        self._clock = clock
        self._peers = peers
        self._taken = taken
        self._delivered = delivered
        self._ahead = ahead
        self._admitted = admitted
        self._session: aiohttp.ClientSession | None = None
        self.carriers: dict[str, Carrier] = {}
        """How documents go to whom they do not go to over HTTP: by an actor's identifier."""

    def send(self, connection: Connection, message: Message, *, lane: str) -> None:
        """The message will reach its recipient, after those already in its lane."""
        fields = (message.id, message.kind.value, message.sender, message.recipient, message.name, message.sha256)
        jobs.add(
            connection,
            queue=f"{QUEUE}:{message.recipient}",
            key=f"{QUEUE}:{message.recipient}:{message.id}",
            lane=f"{message.recipient}:{lane}",
            payload={"message": list(fields)},
            now=self._clock(),
        )

    async def deliver(self, batch: list[Job]) -> Outcome:
        """The peer has what it replied to; each other message is put off, or never goes."""
        messages = {job.id: _message(job) for job in batch}
        recipient = messages[batch[0].id].recipient
        if carrier := self.carriers.get(recipient):
            return await self._by(carrier, messages)
        with self._database.glance() as connection:
            peer = self._peers(connection, recipient)
        if peer is None:
            late = Later(f"no such actor is known yet: {recipient}")
            return Outcome(nothing, dict.fromkeys(messages, late))
        put_off: dict[int, Later | Never] = {}
        for parcel in self._parcels(messages):
            put_off |= await self._carried(peer, parcel)
        taken = [message for job, message in messages.items() if job not in put_off]
        self._measure(recipient, len(taken), put_off.values())
        parts = {job: self._told(message) for job, message in messages.items() if job not in put_off}

        def ahead(connection: Connection, jobs: Sequence[Job]) -> None:
            self._ahead(connection, [messages[job.id] for job in jobs])

        return Outcome(nothing, put_off, parts, ahead, 2 * PART)

    def _told(self, message: Message) -> Apply:
        return lambda connection: self._delivered(connection, [message])

    def _measure(self, peer: str, taken: int, faults: Iterable[Later | Never]) -> None:
        counter = self._database.measures.messages
        counter.labels(peer, "taken").inc(taken)
        for fault in faults:
            counter.labels(peer, "refused" if isinstance(fault, Never) else "later").inc()

    async def _by(self, carrier: "Carrier", messages: dict[int, Message]) -> Outcome:
        put_off: dict[int, Later | Never] = {}
        for parcel in self._parcels(messages):
            try:
                await carrier.carry(list(parcel.values()))
            except Later as fault:
                put_off |= dict.fromkeys(parcel, fault)
        taken = [message for job, message in messages.items() if job not in put_off]
        return Outcome(lambda connection: self._delivered(connection, taken), put_off)

    def _parcels(self, messages: dict[int, Message]) -> Iterator[dict[int, tuple[Message, bytes]]]:
        """Give the messages in parcels: as many as go together, a large one alone."""
        parcel: dict[int, tuple[Message, bytes]] = {}
        size = 0
        for job, message in messages.items():
            body = self._documents.get(message.sha256)
            if parcel and size + len(body) > PARCEL_BYTES:
                yield parcel
                parcel, size = {}, 0
            parcel[job] = (message, body)
            size += len(body)
        yield parcel

    async def _carried(self, peer: Peer, parcel: dict[int, tuple[Message, bytes]]) -> dict[int, Later | Never]:
        """Return why messages of a parcel are not had; one that the peer refuses whole is taken apart."""
        try:
            status, body = await self.post(peer, list(parcel.values()))
            replies = peer.replies(body, len(parcel)) if status == 200 else [Reply(status, _text(body))]
        except Later as fault:
            return dict.fromkeys(parcel, fault)
        if status != 200 and len(parcel) > 1:
            parts = [await self._carried(peer, {job: one}) for job, one in parcel.items()]
            return {job: why for part in parts for job, why in part.items()}
        faults = {job: peer.fault(reply) for job, reply in zip(parcel, replies, strict=True)}
        return {job: fault for job, fault in faults.items() if fault}

    async def post(self, peer: Peer, parcel: list[tuple[Message, bytes]]) -> tuple[int, bytes]:
        """Return the status and the body of what the peer answers to a parcel. Raises: Later, when it does not."""
        manifest = manifest_of([message for message, _ in parcel], [body for _, body in parcel])
        data = b"\n".join((manifest, b"".join(body for _, body in parcel)))
        headers = {"Estafette-Signature": sign(self._key, manifest), "Content-Type": "application/octet-stream"}
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit_per_host=CONNECTIONS_MAX, ssl=self.tls.calling() if self.tls else True
            )
            self._session = aiohttp.ClientSession(timeout=TIMEOUT, connector=connector)
        url = f"{peer.url}/exchange/v1/messages"
        try:
            async with self._session.post(url, data=data, headers=headers, allow_redirects=False) as answer:
                status, body = answer.status, await _read(answer.content)
                after = answer.headers.get("Retry-After", "")
        except (TimeoutError, aiohttp.ClientError) as fault:
            raise Later(f"{peer.identifier} cannot be reached: {type(fault).__name__} {fault}") from None
        if status in TOO_MUCH and after.isdecimal():
            wait = timedelta(seconds=min(int(after), RETRY_AFTER_S_MAX))
            raise Later(f"{peer.identifier} answers {status}: {_text(body)}", after=wait)
        return status, body

    async def receive(self, parcel: list[tuple[Message, bytes]]) -> list[Reply]:
        """Each message, admitted, is had once; returns the reply to each."""
        whole = [message.is_of(body) for message, body in parcel]
        good = [one for one, is_whole in zip(parcel, whole, strict=True) if is_whole]
        for _message, body in good:
            self._documents.put(body)
        replies = iter(await self._database.write(lambda connection: self.take(connection, good)) if good else ())
        replied = [next(replies) if is_whole else NOT_THE_DOCUMENT for is_whole in whole]
        for (message, _body), reply in zip(parcel, replied, strict=True):
            told = {"peer": message.sender, "kind": message.kind.value, "message": message.id, "status": reply.status}
            log.info("message.came", **told, **{correlation.NAME: message.correlation})
        return replied

    def admit(
        self, listed: Sequence[Listed], signature: str, manifest: bytes, certified: frozenset[str] = frozenset()
    ) -> None:
        """The parcel is for this actor and of whom it says. Raises: Refused; no document has been read."""
        if self.tls and listed[0].message.sender not in certified:
            raise Refused(401, f"the certificate names {', '.join(sorted(certified)) or 'nobody'}, not the sender")
        for one in listed:
            if one.message.recipient not in self.identifiers:
                raise Refused(422, f"{one.message.recipient} is not served here")
        with self._database.glance() as connection:
            peer = self._peers(connection, listed[0].message.sender)
            if peer is None or not verifies(peer.public_key, signature, manifest):
                raise Refused(401, "unknown sender or wrong signature")
            self._admitted(connection, listed)

    def take(self, connection: Connection, parcel: Sequence[tuple[Message, bytes]]) -> list[Reply]:
        """Each message, admitted, is had in this transaction, once; returns the reply to each."""
        held = self._held(connection, [message for message, _ in parcel])
        return [self._take(connection, message, body, held) for message, body in parcel]

    def _held(self, connection: Connection, messages: Sequence[Message]) -> dict[tuple[str, str], str]:
        """Return the documents of those that came already."""
        by_sender: dict[str, list[str]] = {}
        for one in messages:
            by_sender.setdefault(one.sender, []).append(one.id)
        found = [row for sender, ids in by_sender.items() for row in _HAD.tuples(connection, sender=sender, ids=ids)]
        return {(sender, identifier): sha256 for sender, identifier, sha256 in found}

    def _take(self, connection: Connection, message: Message, body: bytes, held: dict[tuple[str, str], str]) -> Reply:
        before = held.get((message.sender, message.id))
        if before is not None:
            same = before == message.sha256
            return Reply(200) if same else Reply(422, f"{message.id} came already, with another document")
        try:
            with correlation.bound(message.correlation):
                self._taken(connection, message, body)
        except Refused as refused:
            return Reply(refused.status, str(refused))
        row = {
            "sender": message.sender,
            "message_id": message.id,
            "kind": message.kind.value,
            "name": message.name,
            "sha256": message.sha256,
            "received_at": self._clock(),
        }
        gathered.add(connection, inbox, row)
        measures.count(connection, "taken", message.sender, message.kind.value)
        held[message.sender, message.id] = message.sha256
        return Reply(202)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

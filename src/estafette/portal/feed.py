"""What the concentrator tells the administration as it happens: the facts of a flow, in one message, in their order.

Facts of one platform travel in the order in which they were accepted; each carries its number, which orders them all.
Told twice is told once: a message is named by its content, a fact by its key (`administration.intake`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from estafette.exchange.messages import Kind, Message
from estafette.portal.hall import Hall

Fact = dict[str, Any]

BYTES_MAX = 4 * 1024 * 1024
"""Facts in one message, in bytes: a lot of a thousand invoices without lines is a quarter of it (our bound)."""


def tell(hall: Hall, connection: Connection, partner: str, facts: Sequence[Fact]) -> None:
    """The administration will have these facts of one platform, once, after those told before."""
    for body in _bodies(facts):
        sha256 = hall.actor.documents.put(body)
        message = Message(
            id=sha256,
            kind=Kind.FACT,
            sender=hall.identifier,
            recipient=hall.administration,
            name="facts.json",
            sha256=sha256,
        )
        hall.post.send(connection, message, lane=f"facts:{partner}")


def _bodies(facts: Sequence[Fact]) -> Iterator[bytes]:
    """Write the facts as JSON lists, each no longer than is sent at once unless one fact is."""
    texts: list[bytes] = []
    size = 0
    for text in map(msgspec.json.encode, facts):
        if texts and size + len(text) > BYTES_MAX:
            yield b"[" + b",".join(texts) + b"]"
            texts, size = [], 0
        texts.append(text)
        size += len(text)
    if texts:
        yield b"[" + b",".join(texts) + b"]"

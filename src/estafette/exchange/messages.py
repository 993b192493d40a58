"""What travels between two actors: bytes, what they are, from whom, for whom; several at once.

On the wire a parcel is `POST {peer}/exchange/v1/messages`: its body is one line, the manifest (JSON: the messages in
order, each with the size of its document), then the documents as they are, one after the other. The signature, in the
header `Estafette-Signature`, is of the manifest, which names each document by its SHA-256: the recipient knows whom it
deals with before it reads a document. An identifier is given by the sender once and for all: it is by (sender,
identifier) that a second copy is known.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

from estafette.values.limits import MANIFEST_MESSAGES_MAX


class Kind(StrEnum):
    """What a message carries."""

    INVOICE = "invoice"  # Flow 2, between platforms
    STATUS = "status"  # Flow 6, between platforms
    FLOW = "flow"  # an envelope to or from the public portal, under its published name
    FACT = "fact"  # what the concentrator gives to the administration
    PLATFORM = "platform"  # what the registration service tells the portal


Identifier = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._#:-]{1,200}\Z")]
Name = Annotated[str, msgspec.Meta(max_length=255, pattern="^[^\\x00]+\\Z")]  # no NUL: PostgreSQL has none in a text
SHA256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Correlation = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{0,36}\Z")]
Actor = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Message(msgspec.Struct, frozen=True):
    """A document on its way. `name` is its file name; `sha256` names its bytes in the sender's store.

    `correlation` says what it follows from, in the logs of both sides; whoever does not know it leaves it out.
    """

    id: Identifier
    kind: Kind
    sender: Actor
    recipient: Actor
    name: Name
    sha256: SHA256
    correlation: Correlation = ""

    def is_of(self, body: bytes) -> bool:
        """Tell whether these bytes are the document."""
        return hashlib.sha256(body).hexdigest() == self.sha256


class Listed(msgspec.Struct, frozen=True):
    """A message in a manifest, with the size of its document in bytes."""

    message: Message
    size: Annotated[int, msgspec.Meta(ge=0)]


class Reply(msgspec.Struct, frozen=True):
    """What the recipient makes of one message: 202 taken, 200 already had, or why not, as HTTP would say it."""

    status: int
    reason: str = ""


class NotAParcel(Exception):
    """The first line is no manifest."""


_manifest = msgspec.json.Decoder(Annotated[list[Listed], msgspec.Meta(min_length=1, max_length=MANIFEST_MESSAGES_MAX)])


def manifest_of(messages: Sequence[Message], bodies: Sequence[bytes]) -> bytes:
    """Write the manifest: one line, without its end."""
    return msgspec.json.encode([Listed(*one) for one in zip(messages, map(len, bodies), strict=True)])


def read_manifest(line: bytes) -> list[Listed]:
    """Return the messages of a manifest, all of one sender. Raises: NotAParcel."""
    try:
        listed: list[Listed] = _manifest.decode(line)
    except msgspec.DecodeError as wrong:
        raise NotAParcel(str(wrong)) from None
    if len({one.message.sender for one in listed}) > 1:
        raise NotAParcel("more than one sender")
    return listed

"""What travels between two actors: bytes, what they are, from whom, for whom.

On the wire a message is `POST {peer}/exchange/v1/messages/{id}` whose body is the document as it is and whose headers
carry the rest; the signature covers all of it. The identifier is given by the sender once and for all: it is by
(sender, identifier) that a second copy is known.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

IDENTIFIER = re.compile(r"[A-Za-z0-9._#:-]{1,200}")
SHA256 = re.compile(r"[0-9a-f]{64}")


class Kind(StrEnum):
    """What a message carries."""

    INVOICE = "invoice"  # Flow 2, between platforms
    STATUS = "status"  # Flow 6, between platforms
    FLOW = "flow"  # an envelope to or from the public portal, under its published name
    FACT = "fact"  # what the concentrator gives to the administration
    PLATFORM = "platform"  # what the registration service tells the portal


@dataclass(frozen=True, slots=True)
class Message:
    """A document on its way. `name` is its file name; `sha256` names its bytes in the sender's store."""

    id: str
    kind: Kind
    sender: str
    recipient: str
    name: str
    sha256: str

    def signed_text(self) -> bytes:
        """Return what the signature covers: every field, one a line, none of which can hold a line end."""
        fields = (self.id, self.kind.value, self.sender, self.recipient, quote(self.name), self.sha256)
        return "\n".join(fields).encode()

    def headers(self) -> dict[str, str]:
        """Return the fields as they travel beside the body."""
        return {
            "Estafette-Kind": self.kind.value,
            "Estafette-Sender": self.sender,
            "Estafette-Recipient": self.recipient,
            "Estafette-Name": quote(self.name),
            "Estafette-SHA256": self.sha256,
        }

    def is_of(self, body: bytes) -> bool:
        """Tell whether these bytes are the document."""
        return hashlib.sha256(body).hexdigest() == self.sha256


class NotAMessage(Exception):
    """The headers do not make a message."""


def from_wire(identifier: str, headers: Mapping[str, str]) -> Message:
    """Return the message these headers announce; its body has not been read yet. Raises: NotAMessage."""
    try:
        kind = Kind(headers["Estafette-Kind"])
        sender, recipient = headers["Estafette-Sender"], headers["Estafette-Recipient"]
        name, sha256 = unquote(headers["Estafette-Name"]), headers["Estafette-SHA256"]
    except (KeyError, ValueError) as missing:
        raise NotAMessage(f"header missing or unknown: {missing}") from None
    if not IDENTIFIER.fullmatch(identifier) or not SHA256.fullmatch(sha256) or len(name) > 255:
        raise NotAMessage("identifier, digest or name out of bounds")
    return Message(identifier, kind, sender, recipient, name, sha256)

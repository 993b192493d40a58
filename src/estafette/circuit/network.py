"""Who the actors are, where each listens, and by which key it is known.

The network as shipped: the public portal, two partner platforms, the administration, each at its own port from a base.
A file `network.yaml` in the data folder moves actors elsewhere:

    actors:
      platform-b: {url: "https://b.example", public_key: "base64…"}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from estafette.exchange.keys import load_key, public_text
from estafette.exchange.post import Peer

PORT = 8400
"""The first of the addresses, unless another is asked."""

PORTAL = "PPF"
ADMINISTRATION = "DGFIP"


@dataclass(frozen=True, slots=True)
class Seat:
    """An actor's place in the network: its name on the command line, its identifier on the wire, its rank."""

    name: str
    kind: str
    identifier: str
    title: str
    rank: int


SEATS = (
    Seat("portal", "portal", PORTAL, "Portail public de facturation", 0),
    Seat("platform-a", "platform", "0003", "Relais Atlantique", 1),
    Seat("platform-b", "platform", "0005", "Relais Rhône", 2),
    Seat("administration", "administration", ADMINISTRATION, "Administration fiscale", 3),
)


class Elsewhere(msgspec.Struct, forbid_unknown_fields=True):
    """Where an actor really is, its key when it does not live in this data folder, and what it is given to work with.

    `scanner`: where clamd listens, `tcp://127.0.0.1:3310` or `unix:/run/clamav/clamd.ctl`.
    """

    url: str | None = None
    public_key: str | None = None
    scanner: str | None = None


class NetworkFile(msgspec.Struct, forbid_unknown_fields=True):
    """The file `network.yaml`."""

    actors: dict[str, Elsewhere] = {}


class WrongNetwork(Exception):
    """The network file cannot be used."""


class Network:
    """The addresses and keys that this process trusts from the start; platforms are learnt from the directory."""

    def __init__(self, data: Path, port: int) -> None:
        self._data = data
        self._port = port
        self._moved = _read(data / "network.yaml")

    def url(self, seat: Seat) -> str:
        """Return the address of an actor."""
        moved = self._moved.get(seat.name)
        return moved.url if moved and moved.url else f"http://127.0.0.1:{self._port + seat.rank}"

    def port(self, seat: Seat) -> int:
        """Return the port an actor listens on, when it is served here."""
        return self._port + seat.rank

    def folder(self, seat: Seat) -> Path:
        """Return where an actor lives, when it lives here."""
        return self._data / seat.name

    def settings(self, seat: Seat) -> Elsewhere:
        """Return what the file says of an actor."""
        return self._moved.get(seat.name, Elsewhere())

    def peer(self, identifier: str) -> Peer | None:
        """Return the portal or the administration, by its identifier."""
        seat = next((seat for seat in SEATS if seat.identifier == identifier and seat.kind != "platform"), None)
        return Peer(seat.identifier, self.url(seat), self._public_key(seat)) if seat else None

    def _public_key(self, seat: Seat) -> str:
        moved = self._moved.get(seat.name)
        if moved and moved.public_key:
            return moved.public_key
        folder = self.folder(seat)
        folder.mkdir(parents=True, exist_ok=True)
        return public_text(load_key(folder / "key.pem"))


def _read(file: Path) -> dict[str, Elsewhere]:
    if not file.exists():
        return {}
    try:
        read: Any = yaml.safe_load(file.read_text()) or {}
        actors = msgspec.convert(read, NetworkFile).actors
    except (OSError, yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as wrong:
        raise WrongNetwork(f"{file.name}: {' '.join(str(wrong).split())}") from None
    unknown = set(actors) - {seat.name for seat in SEATS}
    if unknown:
        raise WrongNetwork(f"{file.name}: {', '.join(sorted(unknown))}?")
    return actors

"""What a program on this machine needs to speak to the actors of a data folder: addresses and credentials."""

from dataclasses import dataclass
from pathlib import Path

from estafette.circuit.network import SEATS, Network
from estafette.circuit.operators import operator_token
from estafette.circuit.seed import Entry, credentials


class NotSeeded(Exception):
    """The data folder has no credentials: the system was never started on it."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Addresses by actor, credentials by login, operators' headers by actor."""

    urls: dict[str, str]
    by_login: dict[str, Entry]
    operators: dict[str, dict[str, str]]


def entries_of(data: Path, port: int) -> Entries:
    """Return how to enter the actors of this folder. Raises: NotSeeded."""
    held = credentials(data)
    if not held:
        raise NotSeeded(f"{data}: pas encore démarré / not started yet — estafette up --data {data}")
    network = Network(data, port)
    headers = {
        seat.name: {"Authorization": f"Bearer {operator_token(network.folder(seat))}"}
        for seat in SEATS
        if network.folder(seat).exists()
    }
    urls = {seat.name: network.url(seat) for seat in SEATS}
    return Entries(urls, {entry.login: entry for entry in held}, headers)

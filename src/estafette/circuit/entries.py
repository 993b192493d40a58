"""What a program on this machine needs to speak to the actors of a data folder: addresses and credentials."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from estafette.circuit.network import SEATS, Network
from estafette.circuit.operators import operator_token
from estafette.circuit.seed import Entry, UnreadableCredentials, credentials

HEALTH_S = 5.0
"""How long an actor may take to say how it is."""


class CannotEnter(Exception):
    """Why nothing can be asked of the actors, in both languages, on one line."""


class NotSeeded(CannotEnter):
    """The data folder has no credentials: the system was never started on it."""


class NobodyListens(CannotEnter):
    """An actor does not answer, or is not ready."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Addresses by actor, credentials by login, operators' headers by actor."""

    urls: dict[str, str]
    by_login: dict[str, Entry]
    operators: dict[str, dict[str, str]]


def entries_of(data: Path, port: int) -> Entries:
    """Return how to enter the actors of this folder. Raises: CannotEnter, WrongNetwork."""
    try:
        held = credentials(data)
    except UnreadableCredentials as fault:
        raise CannotEnter(str(fault)) from None
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


async def check_ready(entries: Entries, actors: Iterable[str]) -> None:
    """Each of these actors says that it is ready. Raises: NobodyListens, naming the first that does not."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HEALTH_S)) as session:
        for actor in actors:
            url = entries.urls[actor]
            try:
                async with session.get(f"{url}/ready") as answer:
                    ready = answer.ok
            except (TimeoutError, aiohttp.ClientError):
                raise NobodyListens(f"{url} ({actor}): personne n'écoute / nobody listens — estafette up") from None
            if not ready:
                raise NobodyListens(f"{url} ({actor}): pas encore prêt, réessayer / not ready yet, try again")

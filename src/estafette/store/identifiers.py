"""Identifiers of records, that nobody can guess: those that come in the order of time, and those that tell nothing."""

import os
from datetime import datetime
from uuid import UUID

CHANCE_BYTES, DRAWN_TOGETHER = 16, 256
"""The chance in one identifier; and for how many it is drawn at once: each time the system is asked, another thread
takes the interpreter, and a transaction makes some ten."""

_chances: list[bytes] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_chances.clear)  # two processes never have the same


def new_identifier(now: datetime) -> str:
    """Return a UUID that nobody can guess, after those of earlier milliseconds: version 7 (RFC 9562, section 5.7).

    What is written together then lies together in an index, where random ones would each touch a page of their own.
    """
    milliseconds = int(now.timestamp() * 1000) & (1 << 48) - 1
    chance = int.from_bytes(_chance()) & (1 << 80) - 1
    high, low = chance >> 68, chance & (1 << 62) - 1
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))


def any_identifier() -> UUID:
    """Return a UUID that nobody can guess and that tells nothing: version 4 (RFC 9562, section 5.4)."""
    return UUID(bytes=_chance(), version=4)


def _chance() -> bytes:
    """Return bytes that nobody had before; several threads may ask."""
    while True:
        try:
            return _chances.pop()
        except IndexError:
            drawn = os.urandom(CHANCE_BYTES * DRAWN_TOGETHER)
            _chances.extend(drawn[at : at + CHANCE_BYTES] for at in range(0, len(drawn), CHANCE_BYTES))

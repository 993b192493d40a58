"""Identifiers of records, that nobody can guess and that come in the order of time."""

import os
from datetime import datetime
from uuid import UUID


def new_identifier(now: datetime) -> str:
    """Return a UUID that nobody can guess, after those of earlier milliseconds: version 7 (RFC 9562, section 5.7).

    What is written together then lies together in an index, where random ones would each touch a page of their own.
    """
    milliseconds = int(now.timestamp() * 1000) & (1 << 48) - 1
    chance = int.from_bytes(os.urandom(10))
    high, low = chance >> 68, chance & (1 << 62) - 1
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))

"""A Merkle tree over a list (RFC 6962 §2.1): one hash for all, and a short path that shows one of them is in it."""

import hashlib
from collections.abc import Sequence

Step = tuple[str, str]
"""The other half of a pair and the side it stands on, `left` or `right`."""


def leaf(data: str) -> str:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + data.encode()).hexdigest()


def root(leaves: Sequence[str]) -> str:
    """Return the hash of all; that of nothing is SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256().hexdigest()
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[str], place: int) -> list[Step]:
    """Return what `climb` needs to reach the root from the leaf at this place."""
    steps: list[Step] = []
    level = list(leaves)
    while len(level) > 1:
        other = place ^ 1
        if other < len(level):
            steps.append((level[other], "right" if other > place else "left"))
        level, place = _above(level), place // 2
    return steps


def climb(hashed: str, steps: Sequence[Step]) -> str:
    """Return the root that this leaf and this path lead to."""
    for other, side in steps:
        hashed = _pair(hashed, other) if side == "right" else _pair(other, hashed)
    return hashed


def _above(level: list[str]) -> list[str]:
    """Pair neighbours; the last of an odd number goes up alone."""
    paired = [_pair(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return paired + level[-1:] if len(level) % 2 else paired


def _pair(left: str, right: str) -> str:
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()

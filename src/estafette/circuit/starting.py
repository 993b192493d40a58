"""What a start comes to, said apart from what it starts: whoever only watches processes need not load all they run."""

from collections.abc import Awaitable, Callable, Sequence

from estafette.circuit.network import Network, Seat


class CannotStart(Exception):
    """Why nothing was started, in both languages, on one line."""


Ready = Callable[[Network, Sequence[Seat]], Awaitable[None]]
"""What is done once every actor answers."""

"""One identifier follows what a request, a file or a message sets going: through jobs, to other actors, in every log.

Whoever comes from outside binds it (`bound`); a job keeps that of the moment it was written, or begins a new one; the
worker binds it again while it does the job; a message carries it to its recipient. Every line of the log says it.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from estafette.store.identifiers import any_identifier

NAME = "correlation_id"

_CURRENT: ContextVar[str] = ContextVar(NAME, default="")


def current() -> str:
    """Return the identifier of what is being done, a new one where nothing has any."""
    return _CURRENT.get() or str(any_identifier())


@contextmanager
def bound(identifier: str | None) -> Iterator[None]:
    """What is done meanwhile has this identifier, or a new one."""
    token = _CURRENT.set(identifier or str(any_identifier()))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def say(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A line of the log says the identifier of what is being done, unless it names another: for structlog."""
    if identifier := _CURRENT.get():
        line.setdefault(NAME, identifier)
    return line

"""One identifier follows what a request, a file or a message sets going: through jobs, to other actors, in every log.

Whoever comes from outside binds it (`bound`); a job keeps that of the moment it was written, or begins a new one; the
worker binds it again while it does the job; a message carries it to its recipient. Every line of the log says it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from structlog.contextvars import bound_contextvars, get_contextvars

NAME = "correlation_id"


def current() -> str:
    """Return the identifier of what is being done, a new one where nothing has any."""
    return str(get_contextvars().get(NAME) or uuid4())


@contextmanager
def bound(identifier: str | None) -> Iterator[None]:
    """What is done meanwhile has this identifier, or a new one."""
    with bound_contextvars(**{NAME: identifier or str(uuid4())}):
        yield

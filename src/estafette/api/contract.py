"""What an API serves: one table of operations, from which both the routes and the published document are made.

So the document cannot say another thing than what is served: a method, a path, what comes in, what goes out.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]

BYTES = "application/octet-stream"
JSON = "application/json"
FORM = "multipart/form-data"

EVERYWHERE = (400, 401, 403, 500, 503)
"""What any operation may refuse with."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a path, a query or a header, and the JSON Schema of its value."""

    name: str
    place: str
    schema: Mapping[str, Any]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb at one address.

    `body`: the media type of what comes in, and the shapes it may have; `answers`: by status, the media types of what
    goes out, each with its model where it has one; `refusals`: the statuses of errors. `route`: the path as the router
    writes it, where its parameters cannot be called as they are published.
    """

    method: str
    path: str
    identifier: str
    summary: str
    endpoint: Endpoint
    answers: Mapping[int, Mapping[str, Any]]
    refusals: tuple[int, ...] = EVERYWHERE
    body: tuple[str, tuple[Any, ...]] | None = None
    parameters: tuple[Parameter, ...] = ()
    scope: str | None = None
    tag: str = "Flow"
    route: str = ""


def routes(operations: Iterable[Operation], prefixes: Iterable[str]) -> list[Route]:
    """Return the routes of the operations under each prefix."""
    served = list(operations)
    return [
        Route(prefix + (each.route or each.path), each.endpoint, methods=[each.method], name=each.identifier)
        for prefix in prefixes
        for each in served
    ]

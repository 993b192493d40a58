"""The one shape of an error of the API (XP Z12-013 §2.7): a code for machines, a sentence for people, a status."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

CODES = {
    400: "MISSING_REQUIRED_FIELD",
    401: "MISSING_TOKEN",
    403: "FORBIDDEN_ACCESS",
    404: "NOT_FOUND",  # the examples of annex A say MISSING_RESOURCE; installed clients look for this one
    405: "NOT_IMPLEMENTED",
    408: "REQUEST_TIMEOUT",
    413: "FILE_SIZE_EXCEEDED",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "RESOURCE_ERROR",
}
"""The errorCode of each status, where no other is given."""

REASONS = {
    404: "Adresse inconnue. / Unknown address.",
    405: "Cette adresse ne connaît pas ce verbe. / This address has no such verb.",
    500: "Erreur de notre fait, consignée. / A fault of ours, and logged.",
    503: "Service momentanément indisponible : réessayez. / Service unavailable for now: try again.",
}
"""What is said of what the router itself refuses."""


class Error(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """An error as it travels; the message is French, then English."""

    error_code: str
    error_message: str = ""
    type: str = msgspec.field(default="about:blank", name="type")
    details: str | None = None
    instance: str | None = None


class Problem(Exception):
    """The request cannot be answered. `status` is HTTP's; `code` is the published errorCode unless another is given."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or CODES[status]
        self.headers = dict(headers or {})


def too_many(wait: timedelta) -> Problem:
    """Return the Problem of whoever asks too often, with the seconds to wait."""
    seconds = max(ceil(wait.total_seconds()), 1)
    text = f"Trop de demandes : attendez {seconds} s. / Too many requests: wait {seconds} s."
    return Problem(429, text, headers={"Retry-After": str(seconds)})


def answer(problem: Problem) -> Response:
    """Return the problem as it travels."""
    body = {"type": "about:blank", "errorCode": problem.code, "errorMessage": str(problem)}
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    return JSONResponse(body, problem.status, headers=headers | problem.headers)


async def on_problem(_request: Request, raised: Exception) -> Response:
    """Answer a Problem raised anywhere below."""
    assert isinstance(raised, Problem)  # noqa: S101 — registered for this type only
    return answer(raised)


async def on_http_exception(_request: Request, raised: Exception) -> Response:
    """Answer what the router itself refuses, in the same shape."""
    assert isinstance(raised, HTTPException)  # noqa: S101 — registered for this type only
    code = CODES.get(raised.status_code, "INTERNAL_ERROR")
    return answer(Problem(raised.status_code, REASONS.get(raised.status_code, raised.detail), code=code))

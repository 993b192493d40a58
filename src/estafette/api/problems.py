"""The one shape of an error of the API (XP Z12-013 §2.7): a code for machines, a sentence for people, a status."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

CODES = {
    400: "MISSING_REQUIRED_FIELD",
    401: "MISSING_TOKEN",
    403: "FORBIDDEN_ACCESS",
    404: "MISSING_RESOURCE",
    405: "NOT_IMPLEMENTED",
    413: "FILE_SIZE_EXCEEDED",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "RESOURCE_ERROR",
}


class Problem(Exception):
    """The request cannot be answered. `status` is HTTP's; `code` is the published errorCode unless another is given."""

    def __init__(self, status: int, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or CODES[status]


def answer(problem: Problem) -> Response:
    """Return the problem as it travels."""
    body = {"type": "about:blank", "errorCode": problem.code, "errorMessage": str(problem)}
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
    return JSONResponse(body, problem.status, headers=headers)


async def on_problem(_request: Request, raised: Exception) -> Response:
    """Answer a Problem raised anywhere below."""
    assert isinstance(raised, Problem)  # noqa: S101 — registered for this type only
    return answer(raised)


async def on_http_exception(_request: Request, raised: Exception) -> Response:
    """Answer what the router itself refuses, in the same shape."""
    assert isinstance(raised, HTTPException)  # noqa: S101 — registered for this type only
    return answer(Problem(raised.status_code, raised.detail, code=CODES.get(raised.status_code, "INTERNAL_ERROR")))

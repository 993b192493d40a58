"""The operator of an actor: whoever can read its folder may administer it, and nobody else.

The token is made with the folder, readable by its owner only; it opens the operator's routes of that actor alone.
"""

import hmac
import secrets
from pathlib import Path

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from estafette.api.problems import Problem, answer
from estafette.exchange.keys import make_secret

NEEDED = "Le jeton de l'exploitant est nécessaire (operator.token). / The operator's token is needed (operator.token)."


def operator_token(folder: Path) -> str:
    """Return the token kept in this actor's folder, made the first time."""
    file = folder / "operator.token"
    if not file.exists():
        make_secret(file, secrets.token_urlsafe(32).encode())
    return file.read_text().strip()


class OperatorsOnly:
    """Guards every path under the given prefixes: without the operator's token they answer 401."""

    def __init__(self, app: ASGIApp, token: str, prefixes: tuple[str, ...]) -> None:
        self._app = app
        self._expected = f"Bearer {token}"
        self._prefixes = prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what is not guarded, or carries the token."""
        guarded = scope["type"] == "http" and scope["path"].startswith(self._prefixes)
        given = Request(scope).headers.get("authorization", "") if guarded else ""
        if guarded and not hmac.compare_digest(given.encode(), self._expected.encode()):
            await answer(Problem(401, NEEDED))(scope, receive, send)
            return
        await self._app(scope, receive, send)

"""What every desk has besides its own pages: its look, signing in and out, one's own account."""

from starlette.routing import BaseRoute

from estafette.web.account import Account
from estafette.web.desk import Desk
from estafette.web.sign_in import SignIn


def routes(desk: Desk) -> list[BaseRoute]:
    """Return them."""
    return [*desk.routes(), *SignIn(desk).routes(), *Account(desk).routes()]

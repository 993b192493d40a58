"""What every desk has besides its own pages: its look, signing in and out, one's own account."""

from starlette.routing import BaseRoute

from estafette.web.account import Account
from estafette.web.desk import Desk
from estafette.web.openid import OpenIdDoor
from estafette.web.sign_in import SignIn


def routes(desk: Desk) -> list[BaseRoute]:
    """Return them."""
    openid = desk.settings.openid
    at_provider = OpenIdDoor(desk, openid).routes() if openid else []
    return [*desk.routes(), *SignIn(desk).routes(), *at_provider, *Account(desk).routes()]

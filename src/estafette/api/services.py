"""The services for software, put together: what is served, under which prefixes, and the document that says so."""

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from estafette.api import openapi
from estafette.api.access import Access
from estafette.api.contract import JSON, Operation, routes
from estafette.api.flow_service import PREFIXES, FlowService
from estafette.api.settings import Settings
from estafette.api.webhooks import WebhookService
from estafette.platform.platform import Platform

TITLE = "Estafette Flow Service"


def flow_operations(
    platform: Platform, access: Access, settings: Settings, wake: Callable[[], None]
) -> list[Operation]:
    """Return what the Flow Service serves, webhooks included."""
    flows = FlowService(platform, access, wake)
    hooks = WebhookService(platform.home.actor, access, settings, wake)
    return [*flows.operations(), *hooks.operations()]


def flow_routes(platform: Platform, access: Access, settings: Settings, wake: Callable[[], None]) -> list[Route]:
    """Return the routes of the Flow Service, under each prefix, and of its document, which is public."""
    served = flow_operations(platform, access, settings, wake)

    async def described(request: Request) -> Response:
        prefix = request.url.path.removesuffix("/openapi.json")
        return Response(msgspec.json.encode(openapi.document(TITLE, served, server=prefix or "/")), media_type=JSON)

    documents = [Route(f"{prefix}/openapi.json", described) for prefix in PREFIXES if prefix]
    return [*routes(served, PREFIXES), *documents]


def token_routes(access: Access) -> list[Route]:
    """Return the routes of access tokens, at the addresses that clients expect."""
    return [Route(path, access.token, methods=["POST"]) for path in ("/oauth2/token", "/oauth/token")]

"""The webhooks of the Flow Service: asked for, listed, changed, taken away and replayed by the client that owns them.

The body of edition 1.2 is known by its `callback`. What of it is not served is refused, never passed over: a token to
be fetched elsewhere before each call (OAUTH2), a signature other than HMAC-SHA-256.
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import Response

from estafette.api.access import Access, Caller
from estafette.api.contract import EVERYWHERE, JSON, Operation, Parameter
from estafette.api.cursors import EPOCH
from estafette.api.decoding import decode
from estafette.api.flow_models import Instant, in_utc
from estafette.api.problems import Problem
from estafette.api.settings import Settings
from estafette.api.webhook_models import (
    HIDDEN,
    CallbackAuthentication,
    CallbackHeader,
    CallbackSignature,
    NestedWebhookParams,
    Webhook,
    WebhookIdParam,
    WebhookList,
    WebhookParams,
    WebhookPatchPayload,
)
from estafette.exchange.actor import Actor
from estafette.exchange.bodies import TooLarge, read_body
from estafette.exchange.public_addresses import NotPublic, check_address
from estafette.platform import webhooks
from estafette.platform.flow_form import instant
from estafette.platform.webhooks import LimitReached, Secrets, Wish

BODY_BYTES_MAX = 64 * 1024
KEY_BYTES = 32
"""A signing key of ours: 256 bits."""

RESERVED = frozenset(
    {"host", "content-type", "content-length", "transfer-encoding", "connection", "authorization", "signature"}
)
"""Headers that a client may not set: they are ours, or those of the authentication it asks for."""

WEBHOOK_ID = Parameter("webhookUid", "path", {"type": "string", "format": "uuid"})


class Replayed(msgspec.Struct, frozen=True):
    """From which moment on flows are told again (ours)."""

    since: Instant


class WebhookService:
    """The webhooks of one platform."""

    def __init__(self, actor: Actor, access: Access, settings: Settings, wake: Callable[[], None]) -> None:
        self._actor = actor
        self._access = access
        self._settings = settings
        self._wake = wake

    def operations(self) -> list[Operation]:
        """Return what is served: three verbs of edition 1.3, two of edition 1.2, one of ours."""
        refusals = (*EVERYWHERE, 429)
        every = partial(Operation, path="/v1/webhooks", refusals=refusals, scope="webhook.write", tag="Webhook")
        one = partial(every, path="/v1/webhooks/{webhookUid}", parameters=(WEBHOOK_ID,), refusals=(*refusals, 404))
        return [
            every(
                method="POST",
                identifier="createWebhook",
                summary="Être appelé quand un flux change. / Be called when a flow changes.",
                endpoint=self.create,
                body=(JSON, (WebhookParams, NestedWebhookParams)),
                answers={201: {JSON: WebhookIdParam}},
            ),
            every(
                method="GET",
                identifier="listWebhooks",
                summary="Lister ses webhooks. / List one's webhooks.",
                endpoint=self.list,
                answers={200: {JSON: WebhookList}},
            ),
            one(
                method="DELETE",
                identifier="deleteWebhook",
                summary="Supprimer un webhook. / Delete a webhook.",
                endpoint=self.delete,
                answers={204: {}},
            ),
            one(
                method="GET",
                identifier="getWebhook",
                summary="Lire un webhook (1.2). / Read a webhook (1.2).",
                endpoint=self.get,
                answers={200: {JSON: Webhook}},
            ),
            one(
                method="PATCH",
                identifier="patchWebhook",
                summary="Changer en-têtes, mot de passe, clé (1.2). / Change headers, password, key (1.2).",
                endpoint=self.patch,
                body=(JSON, (WebhookPatchPayload,)),
                answers={204: {}},
            ),
            one(
                method="POST",
                path="/v1/webhooks/{webhookUid}/replay",
                identifier="replayWebhook",
                summary="Redire depuis un instant, et réactiver. / Tell again from a moment on, and enable (ours).",
                endpoint=self.replay,
                body=(JSON, (Replayed,)),
                answers={202: {}},
            ),
        ]

    async def create(self, request: Request) -> Response:
        """Make a webhook; its signing key, when it is ours, is told now and never again."""
        caller = self._access.caller(request, "webhook.write")
        asked = await _body(request)
        wish, given = _understood(asked)
        wish = _within(caller, wish)
        await self._check_address(wish.callback_url)
        key = given.key or secrets.token_bytes(KEY_BYTES)
        kept = msgspec.structs.replace(given, key=key)
        try:
            row = await self._actor.database.write(
                lambda connection: webhooks.subscribe(
                    connection,
                    self._actor,
                    siren=caller.siren,
                    client_id=caller.client_id,
                    wish=wish,
                    secrets=kept,
                    identifier=str(uuid4()),
                    most=self._settings.webhooks_max,
                )
            )
        except LimitReached:
            most = self._settings.webhooks_max
            text = f"Déjà {most} webhooks : supprimez-en un. / {most} webhooks already: delete one."
            raise Problem(403, text, code="WEBHOOK_LIMIT_REACHED") from None
        told = None if given.key else base64.b64encode(key).decode()
        return _json(WebhookIdParam(row["id"], instant(row["created_at"]), told), 201)

    async def list(self, request: Request) -> Response:
        """Give the webhooks of the client."""
        caller = self._access.caller(request, "webhook.write")
        with self._actor.database.read() as connection:
            rows = webhooks.owned(connection, caller.siren, caller.client_id)
        shown = [self._shown(row) for row in rows]
        return _json(WebhookList(len(shown), shown, [each.webhook_id for each in shown]))

    async def get(self, request: Request) -> Response:
        """Give one webhook of the client."""
        return _json(self._shown(self._owned(request)[1]))

    async def delete(self, request: Request) -> Response:
        """Take a webhook of the client away."""
        caller, row = self._owned(request)
        await self._actor.database.write(
            lambda connection: webhooks.remove(connection, caller.siren, caller.client_id, row["id"])
        )
        return Response(status_code=204)

    async def patch(self, request: Request) -> Response:
        """Change the secrets of a webhook of the client, which is called again if it was disabled."""
        _caller, row = self._owned(request)
        asked = decode(await _body(request), WebhookPatchPayload)
        held = self._secrets(row)
        changed = msgspec.structs.replace(
            held,
            key=_key(asked.signature) if asked.signature else held.key,
            headers=_headers(asked.headers) if asked.headers is not None else held.headers,
            basic=_basic(asked.authentication) if asked.authentication else held.basic,
        )
        await self._actor.database.write(lambda connection: webhooks.reseal(connection, self._actor, row, changed))
        return Response(status_code=204)

    async def replay(self, request: Request) -> Response:
        """Tell again every flow updated since a moment; a disabled webhook is called again."""
        _caller, row = self._owned(request)
        asked = decode(await _body(request), Replayed)
        await self.replayed(row, max(in_utc(asked.since), EPOCH))
        return Response(status_code=202)

    async def replayed(self, row: RowMapping, since: datetime) -> None:
        """The flows updated since then will be told again."""
        now = self._actor.clock()
        await self._actor.database.write(lambda connection: webhooks.replay(connection, row, since=since, now=now))
        self._wake()

    async def _check_address(self, url: str) -> None:
        """Raises: Problem 400, for an address that is not to be called."""
        try:
            await check_address(url, private=self._settings.webhooks_to_private_addresses)
        except NotPublic as wrong:
            raise Problem(400, f"callbackUrl : {wrong.fr}. / {wrong.en}.", code="INVALID_CALLBACK_URL") from None

    def _owned(self, request: Request) -> tuple[Caller, RowMapping]:
        """Return the webhook of the address. Raises: Problem 404 when the client has none such, 400 for no UUID."""
        caller = self._access.caller(request, "webhook.write")
        try:
            identifier = str(UUID(request.path_params["webhookUid"]))
        except ValueError:
            raise Problem(400, "webhookUid : un UUID est attendu. / A UUID is expected.") from None
        with self._actor.database.read() as connection:
            row = webhooks.get(connection, caller.siren, caller.client_id, identifier)
        if row is None:
            raise Problem(404, "Webhook inconnu. / Unknown webhook.")
        return caller, row

    def _secrets(self, row: RowMapping) -> Secrets:
        """Return the secrets of a webhook; none, when they were sealed by a key that this platform no longer has."""
        try:
            return webhooks.secrets_of(self._actor, row)
        except ValueError:
            return Secrets(b"")

    def _shown(self, row: RowMapping) -> Webhook:
        """Return a webhook in both forms, its secrets hidden."""
        held = self._secrets(row)
        callback: dict[str, Any] = {"url": row["callback_url"]}
        if held.headers:
            callback["headers"] = [{"headerName": name, "headerValue": HIDDEN} for name, _value in held.headers]
        if held.basic:
            callback["authentication"] = {"authType": "BASIC", "userId": held.basic[0], "userPassword": HIDDEN}
        metadata = {
            "flowType": next(iter(row["flow_types"]), None),
            "flowDirection": row["flow_direction"],
            "processingRule": row["processing_rule"],
            "ackStatus": row["ack_status"],
        }
        return Webhook(
            webhook_id=row["id"],
            created_at=instant(row["created_at"]),
            callback_url=row["callback_url"],
            state="disabled" if row["disabled_at"] else "active",
            failures=row["failures"],
            callback=callback,
            metadata={name: value for name, value in metadata.items() if value is not None},
            flow_types=row["flow_types"],
            flow_direction=row["flow_direction"],
            ack_status=row["ack_status"],
            last_error=row["last_error"],
            last_sent_at=instant(row["last_sent_at"]) if row["last_sent_at"] else None,
            disabled_at=instant(row["disabled_at"]) if row["disabled_at"] else None,
        )


async def _body(request: Request) -> bytes:
    """Read the body. Raises: Problem 400."""
    try:
        return await read_body(request, BODY_BYTES_MAX)
    except TooLarge:
        raise Problem(400, "La demande dépasse 64 Kio. / The request exceeds 64 KiB.") from None


def _understood(raw: bytes) -> tuple[Wish, Secrets]:
    """Return what is asked, in either form, and the secrets it gives. Raises: Problem 400."""
    sent = decode(raw, dict[str, Any])
    if "callback" not in sent:
        flat = decode(raw, WebhookParams)
        types = tuple(cast(str, each) for each in flat.flow_types)
        return Wish(flat.callback_url, types, flat.flow_direction, flat.ack_status), Secrets(b"")
    nested = decode(raw, NestedWebhookParams)
    callback, metadata = nested.callback, nested.metadata
    wish = Wish(
        callback.url, (metadata.flow_type,), metadata.flow_direction, metadata.ack_status, metadata.processing_rule
    )
    key = _key(callback.signature) if callback.signature else b""
    basic = _basic(callback.authentication) if callback.authentication else None
    return wish, Secrets(key, _headers(callback.headers), basic, legacy=True)


def _within(caller: Caller, wish: Wish) -> Wish:
    """Return the wish no wider than what the caller may read. Raises: Problem 403."""
    let = caller.acting.flow_types("flow.read")
    if not caller.acting.may("flow.read") or (let is not None and not set(wish.flow_types) <= let):
        raise Problem(403, "flowTypes : hors de ce que vous pouvez lire. / Outside of what you may read.")
    return wish if let is None or wish.flow_types else replace(wish, flow_types=tuple(sorted(let)))


def _headers(asked: list[CallbackHeader]) -> tuple[tuple[str, str], ...]:
    """Return the headers to send. Raises: Problem 400 for one that is ours."""
    for each in asked:
        if each.header_name.lower() in RESERVED or each.header_name.lower().startswith("afnor-"):
            raise Problem(400, f"headerName : {each.header_name} est réservé. / {each.header_name} is reserved.")
    return tuple((each.header_name, each.header_value) for each in asked)


def _basic(asked: CallbackAuthentication) -> tuple[str, str]:
    """Return a name and password. Raises: Problem 400 for another authentication."""
    if asked.auth_type != "BASIC":
        text = f"authType {asked.auth_type} : seul BASIC est servi. / Only BASIC is served."
        raise Problem(400, text, code="NOT_IMPLEMENTED")
    return asked.user_id, asked.user_password


def _key(asked: CallbackSignature) -> bytes:
    """Return the client's own key. Raises: Problem 400 for another algorithm, or no key of some length."""
    if asked.algo != "HS256":
        raise Problem(400, f"algo {asked.algo} : seul HS256 est servi. / Only HS256 is served.", code="NOT_IMPLEMENTED")
    try:
        key = base64.b64decode(asked.key, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise Problem(400, "key : du base64, non vide. / Base64, and not empty.")
    return key


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type=JSON)

"""What clients send and are answered about webhooks: edition 1.3 flat, edition 1.2 nested, one answer for both.

Both forms ask the same; 1.2 besides gives its own signing key, headers to send and a password. No secret is ever given
back: a signing key of ours once, when it is made, and nothing of the others.
"""

from typing import Annotated, Any, Literal

import msgspec

from estafette.platform.flow_form import AckStatus, FlowDirection, FlowType, Moment, ProcessingRule

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2048, extra_json_schema={"format": "uri"})]
Key = Annotated[str, msgspec.Meta(extra_json_schema={"format": "byte"})]
Uuid = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]
AnyType = FlowType | Literal["StateInvoice"]
HIDDEN = "********"


class WebhookParams(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """Whom to call, and of which flows: what is left out restricts nothing."""

    callback_url: Url
    flow_types: list[AnyType] = []
    flow_direction: FlowDirection | None = None
    ack_status: AckStatus | None = None


class CallbackHeader(msgspec.Struct, rename="camel", frozen=True):
    """A header to send with each call."""

    header_name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{1,100}$")]
    header_value: Annotated[str, msgspec.Meta(pattern="^[\\x20-\\x7e]*$", max_length=4096)]


class CallbackAuthentication(msgspec.Struct, rename="camel", frozen=True):
    """How to authenticate to the callback: HTTP Basic only."""

    auth_type: str
    user_id: Annotated[str, msgspec.Meta(max_length=200, pattern="^[^:]*$")] = ""
    user_password: Annotated[str, msgspec.Meta(max_length=200)] = ""


class CallbackSignature(msgspec.Struct, rename="camel", frozen=True):
    """The client's own signing key, in base64: HMAC-SHA-256 only."""

    algo: str
    key: Annotated[str, msgspec.Meta(max_length=1000)]


class Callback(msgspec.Struct, rename="camel", frozen=True):
    """Whom to call, in the form of edition 1.2."""

    url: Url
    headers: Annotated[list[CallbackHeader], msgspec.Meta(max_length=20)] = []
    authentication: CallbackAuthentication | None = None
    signature: CallbackSignature | None = None


class WebhookMetadata(msgspec.Struct, rename="camel", frozen=True):
    """Of which flows, in the form of edition 1.2."""

    flow_type: AnyType
    flow_direction: FlowDirection
    processing_rule: ProcessingRule | None = None
    ack_status: AckStatus | None = None


class NestedWebhookParams(msgspec.Struct, frozen=True):
    """A webhook asked in the form of edition 1.2."""

    callback: Callback
    metadata: WebhookMetadata


class WebhookPatchPayload(msgspec.Struct, frozen=True):
    """What may be changed of a webhook (edition 1.2); what is left out stays."""

    headers: Annotated[list[CallbackHeader], msgspec.Meta(max_length=20)] | None = None
    authentication: CallbackAuthentication | None = None
    signature: CallbackSignature | None = None


class WebhookIdParam(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """A webhook that was made; its signing key is given this once."""

    webhook_id: Uuid
    created_at: Moment
    signing_key: Key | None = None


class Webhook(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """A webhook as its owner sees it: what was asked, in both forms, and what became of it (ours)."""

    webhook_id: Uuid
    created_at: Moment
    callback_url: Url
    state: Literal["active", "disabled"]
    failures: int
    callback: dict[str, Any]
    metadata: dict[str, Any]
    flow_types: list[AnyType] = []
    flow_direction: FlowDirection | None = None
    ack_status: AckStatus | None = None
    last_error: str | None = None
    last_sent_at: Moment | None = None
    disabled_at: Moment | None = None


class WebhookList(msgspec.Struct, rename="camel", frozen=True):
    """The webhooks of a client: `webhooks` in edition 1.3, `webhookIds` in edition 1.2."""

    count: int
    webhooks: list[Webhook]
    webhook_ids: list[Uuid]

"""Whom a client wants called when a flow changes (XP Z12-013 §3.9): what is told, to whom, signed, until it is heard.

An event is a job, written in the transaction of the change it tells; it carries the flow as it was then. Each webhook
is a part of the queue `webhook`, worked by itself in order: one that is slow or gone keeps nothing else waiting. It is
called at least once; a call that fails is made again with the back-off of jobs, and after so many failures in a row the
webhook is disabled, which its owner sees. What was missed is searched, or replayed from a moment on.

Signature: base64(HMAC-SHA-256(key, body + "@" + epoch seconds)), in `Afnor-Signature` beside its timestamp.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, select, update

from estafette.exchange import keys
from estafette.exchange.actor import Actor
from estafette.platform.flow_tables import flow_view, webhook
from estafette.platform.tables import flow
from estafette.platform.views import View
from estafette.store import gathered, jobs
from estafette.store.queries import Lookup

QUEUE = "webhook"
REPLAY_PAGE = 200
"""Flows replayed in one transaction."""

STATE_ALIASES = {"StateInvoice": ("StateCustomerInvoice", "StateSupplierInvoice")}
"""Types that edition 1.3 has replaced."""


Row = Mapping[str, Any] | RowMapping


class Secrets(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept sealed of a webhook: its signing key, headers to send, a name and password (HTTP Basic)."""

    key: bytes
    headers: tuple[tuple[str, str], ...] = ()
    basic: tuple[str, str] | None = None
    legacy: bool = False
    """Asked in the form of edition 1.2, which names the header of the signature `Signature`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants to be told: flows of these types (all, when none), direction, acknowledgement, rule."""

    callback_url: str
    flow_types: tuple[str, ...] = ()
    flow_direction: str | None = None
    ack_status: str | None = None
    processing_rule: str | None = None


class LimitReached(Exception):
    """The client has as many webhooks as it may have."""


@dataclass(frozen=True, slots=True)
class _Subscribed:
    """A webhook in use, and how its owner sees flows."""

    row: Row
    view: View

    def wants(self, changed: Row) -> bool:
        """Tell whether this change of a flow is to be told."""
        types = {each for one in self.row["flow_types"] for each in STATE_ALIASES.get(one, (one,))}
        shown = self.view.state_flows or not changed["flow_type"].startswith("State")
        return (
            (changed["flow_type"] in types if types else shown)
            and self.row["flow_direction"] in (None, self.view.direction_of(changed["origin"]))
            and self.row["ack_status"] in (None, changed["acknowledgement"])
            and self.row["processing_rule"] in (None, changed["processing_rule"])
        )


def announce(connection: Connection, changed: Row, *, now: datetime) -> None:
    """Whoever wants to know of this change of a flow will be called. `changed`: the row of the flow as it now is."""
    for one in gathered.remember(connection, _key(changed["siren"]), lambda: _in_use(connection, changed["siren"])):
        if one.wants(changed):
            _queue(connection, one, changed, now=now)


def _queue(connection: Connection, one: _Subscribed, changed: Row, *, now: datetime, at: str = "") -> None:
    identifier = one.row["id"]
    told = {name: value for name, value in changed.items() if name not in ("standing", "explanation")}
    payload = {"webhook": identifier, "flow": msgspec.to_builtins(one.view.form(told))}
    key = f"{QUEUE}:{identifier}:{changed['id']}:{changed['updated_at'].timestamp() * 1000:.0f}{at}"
    jobs.add(connection, queue=_part(identifier), key=key, payload=payload, now=now)


def _part(identifier: str) -> str:
    """Return the part of the queue of one webhook (40 characters)."""
    return f"{QUEUE}:{identifier.replace('-', '')}"


def _key(siren: str) -> tuple[str, str]:
    return "webhooks", siren


def _in_use(connection: Connection, siren: str) -> list[_Subscribed]:
    """Return the webhooks of a company that are called."""
    rows = IN_USE.rows(connection, siren=siren)
    return [_Subscribed(row, _view(row)) for row in rows]


def _view(row: Row) -> View:
    return View(row["direction"], row["state_flows"]) if row["direction"] else View()


def _changed(connection: Connection, siren: str) -> None:
    """What this transaction remembers of the company's webhooks is what they now are."""
    gathered.memorize(connection, _key(siren), _in_use(connection, siren))


# ---------------------------------------------------------------------------------------------------------- the owner


def subscribe(
    connection: Connection, actor: Actor, *, siren: str, client_id: str, wish: Wish, secrets: Secrets, identifier: str,
    most: int,
) -> RowMapping:  # fmt: skip
    """The client will be called; returns the webhook. Raises: LimitReached."""
    mine = _owned(siren, client_id)
    if connection.execute(select(func.count()).select_from(webhook).where(mine)).scalar_one() >= most:
        raise LimitReached
    row = {
        "id": identifier,
        "siren": siren,
        "client_id": client_id,
        "callback_url": wish.callback_url,
        "flow_types": list(wish.flow_types),
        "flow_direction": wish.flow_direction,
        "ack_status": wish.ack_status,
        "processing_rule": wish.processing_rule,
        "sealed": _sealed(actor, secrets),
        "created_at": actor.clock(),
        "failures": 0,
    }
    connection.execute(insert(webhook).values(row))
    _changed(connection, siren)
    held = get(connection, siren, client_id, identifier)
    assert held is not None  # noqa: S101 — it was just written
    return held


def owned(connection: Connection, siren: str, client_id: str) -> list[RowMapping]:
    """Return the webhooks of a client at a company, the oldest first."""
    query = select(webhook).where(_owned(siren, client_id)).order_by(webhook.c.created_at, webhook.c.id)
    return list(connection.execute(query).mappings())


def get(connection: Connection, siren: str, client_id: str, identifier: str) -> RowMapping | None:
    """Return a webhook of this client; another's is unknown to it."""
    query = select(webhook).where(_owned(siren, client_id), webhook.c.id == identifier)
    return connection.execute(query).mappings().first()


def remove(connection: Connection, siren: str, client_id: str, identifier: str) -> bool:
    """The webhook is gone, its pending events with it; False when the client has none such."""
    done = connection.execute(delete(webhook).where(_owned(siren, client_id), webhook.c.id == identifier))
    _changed(connection, siren)
    return bool(done.rowcount)


def reseal(connection: Connection, actor: Actor, row: RowMapping, secrets: Secrets) -> None:
    """The webhook has these secrets, and is called again if it was disabled."""
    values = {"sealed": _sealed(actor, secrets), "failures": 0, "disabled_at": None}
    connection.execute(update(webhook).where(webhook.c.id == row["id"]).values(values))
    _changed(connection, row["siren"])


def secrets_of(actor: Actor, row: RowMapping) -> Secrets:
    """Return the secrets of a webhook. Raises: ValueError when they were sealed by another key."""
    try:
        return msgspec.json.decode(keys.sealing_key(actor.key).decrypt(row["sealed"]), type=Secrets)
    except InvalidToken:
        raise ValueError("sealed by another key") from None


def _sealed(actor: Actor, secrets: Secrets) -> str:
    return keys.sealing_key(actor.key).encrypt(msgspec.json.encode(secrets)).decode()


def _owned(siren: str, client_id: str) -> Any:
    return and_(webhook.c.siren == siren, webhook.c.client_id == client_id)


# --------------------------------------------------------------------------------------------------- what became of it


def heard(connection: Connection, row: RowMapping, *, now: datetime) -> None:
    """The webhook was called and answered."""
    values = {"failures": 0, "last_error": None, "last_sent_at": now}
    connection.execute(update(webhook).where(webhook.c.id == row["id"]).values(values))


def failed(connection: Connection, row: RowMapping, error: str, *, most: int, now: datetime) -> bool:
    """The webhook could not be called; True when it is disabled, having failed so many times in a row."""
    failures = webhook.c.failures + 1
    mine = webhook.c.id == row["id"]
    connection.execute(update(webhook).where(mine).values(failures=failures, last_error=error[:500]))
    over = update(webhook).where(mine, webhook.c.failures >= most, webhook.c.disabled_at.is_(None))
    disabled = bool(connection.execute(over.values(disabled_at=now)).rowcount)
    if disabled:
        _changed(connection, row["siren"])
    return disabled


def disable(connection: Connection, row: RowMapping, error: str, *, now: datetime) -> None:
    """The webhook is no longer called, for this reason."""
    mine = webhook.c.id == row["id"]
    connection.execute(update(webhook).where(mine).values(disabled_at=now, last_error=error))
    _changed(connection, row["siren"])


def replay(connection: Connection, row: RowMapping, *, since: datetime, now: datetime) -> None:
    """Every flow of the company updated since then will be told to the webhook again, which is in use again."""
    connection.execute(update(webhook).where(webhook.c.id == row["id"]).values(failures=0, disabled_at=None))
    _changed(connection, row["siren"])
    _queue_replay(connection, row["id"], after=since - timedelta(milliseconds=1), asked=now, now=now)


def replay_page(connection: Connection, row: RowMapping, payload: Mapping[str, str], *, now: datetime) -> None:
    """The next flows to replay are queued, and what follows them."""
    after, asked = (datetime.fromisoformat(payload[name]) for name in ("after", "asked"))
    query = (
        select(flow)
        .where(flow.c.siren == row["siren"], flow.c.updated_at > after, flow.c.updated_at <= asked)
        .order_by(flow.c.updated_at)
        .limit(REPLAY_PAGE)
    )
    page = connection.execute(query).mappings().all()
    for one in _in_use(connection, row["siren"]):
        if one.row["id"] == row["id"]:
            for changed in page:
                if one.wants(changed):
                    _queue(connection, one, changed, now=now, at=f":{payload['asked']}")
    if len(page) == REPLAY_PAGE:
        _queue_replay(connection, row["id"], after=page[-1]["updated_at"], asked=asked, now=now)


def _queue_replay(connection: Connection, identifier: str, *, after: datetime, asked: datetime, now: datetime) -> None:
    payload = {"webhook": identifier, "after": after.isoformat(), "asked": asked.isoformat()}
    key = f"{QUEUE}:{identifier}:replay:{payload['asked']}:{payload['after']}"
    jobs.add(connection, queue=_part(identifier), key=key, payload=payload, now=now)


def disabled(connection: Connection) -> int:
    """Count the webhooks that are no longer called."""
    return connection.execute(select(func.count()).where(webhook.c.disabled_at.is_not(None))).scalar_one()


IN_USE = Lookup(
    select(webhook, flow_view.c.direction, flow_view.c.state_flows)
    .outerjoin(flow_view, flow_view.c.client_id == webhook.c.client_id)
    .where(webhook.c.disabled_at.is_(None)),
    {"siren": webhook.c.siren},
)

"""The audit log: what was done, by whom, about what, in one chain of hashes for each tenant and one for the operator.

    audit.record(connection, siren, "deposit", about=flow_id, at=now, sha256=sha256)

Call it in the transaction of what it tells; the name of who acts is taken from `acting`, `platform` (the program's own
work) unless said otherwise. It costs a row appended to a list: all that a transaction records is written at once, just
before its commit, and what a savepoint undid is not written.

Theory of operation. An event is canonical JSON (sorted names, no blanks, UTF-8):
{"about", "at", "chain", "data", "seq", "what", "who"}; its hash is SHA-256 of the hash before it and of the digest
(SHA-256) of that text, both in hexadecimal; before the first stands `genesis(chain)`. Hence a chain can be followed by
who is shown the digests only of the events that are not for him. `audit_head` holds the last of each chain: one
transaction of an actor writes at a time, so a chain is added to by one at a time. Triggers refuse to change or delete
an event: `store.verification` finds out who went round them, `store.roots` whoever rewrote all.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, bindparam, event, insert, select, update

from estafette.store import gathered
from estafette.store.queries import Lookup
from estafette.store.statements import Command, unanswered
from estafette.store.tables import audit_event, audit_head

OPERATOR = "operator"
"""The chain of what concerns no tenant, or all of them."""

PLATFORM = "platform"
"""Who acts when nobody is said to: the program's own work."""

BLANKED = "sha256:"
"""How the text of an event begins of which only the digest is left: no JSON does (`store.audit_purge`)."""

BLANK = "blank"
"""What such an event is called where events are shown."""

_actor: ContextVar[str] = ContextVar("actor", default=PLATFORM)
_WAITING = "estafette.audit"


@dataclass(slots=True)
class _Waiting:
    """What a transaction has recorded so far, and how much of it stood at each open savepoint."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)


@contextmanager
def acting(who: str) -> Iterator[None]:
    """What is recorded meanwhile is done by this login, client or job: `login:marie`, `client:erp`, `operator`."""
    token = _actor.set(who)
    try:
        yield
    finally:
        _actor.reset(token)


def set_actor(who: str) -> None:
    """What this task records from now on is done by this login or client: for a request, a task of its own."""
    _actor.set(who)


def actor() -> str:
    """Return who acts now."""
    return _actor.get()


def record(
    connection: Connection, chain: str | None, what: str, /, *, at: datetime, about: str = "", **data: Any
) -> None:
    """The event will be in the chain of this tenant (None: the operator's) if this transaction is committed.

    `about` is what it concerns, by its identifier (an invoice, a flow, a login); `data` are plain values, no secret.
    """
    told = {
        "chain": chain or OPERATOR, "at": instant(at), "who": _actor.get(), "what": what, "about": about, "data": data,
    }  # fmt: skip
    _waiting(connection).events.append((chain or OPERATOR, told))


def watch(engine: Engine) -> None:
    """Transactions of this engine write what they record: called once for each engine."""
    event.listen(engine, "begin", _begin)
    event.listen(engine, "rollback", _begin)
    event.listen(engine, "commit", flush)
    event.listen(engine, "savepoint", _mark)
    event.listen(engine, "rollback_savepoint", _undo)
    event.listen(engine, "release_savepoint", _release)


def is_due(connection: Connection) -> bool:
    """Tell whether anything recorded is still to be written."""
    return bool(_waiting(connection).events)


def look_ahead(connection: Connection) -> None:
    """Ask, with what others ask, what `flush` will: the last of each chain."""
    _ask(connection, {chain for chain, _ in _waiting(connection).events})


def _ask(connection: Connection, chains: Iterable[str]) -> None:
    _HEADS.ahead(connection, [{"chain": chain} for chain in sorted(chains)], steady=True)


def flush(connection: Connection) -> None:
    """What was recorded is written, each event after the last of its chain."""
    waiting = _waiting(connection)
    if not waiting.events:
        return
    events, waiting.events = waiting.events, []
    heads = _heads(connection, {chain for chain, _ in events})
    known = frozenset(heads)
    rows = []
    for chain, told in events:
        seq, last = heads.get(chain) or (0, genesis(chain))
        body = canonical({**told, "seq": seq + 1})
        heads[chain] = (seq + 1, link(last, body))
        rows.append({"chain": chain, "seq": seq + 1, "about": told["about"], "body": body, "hash": heads[chain][1]})
    with unanswered(connection):
        _EVENTS.run(connection, rows)
        _move(connection, heads, known)


def _heads(connection: Connection, chains: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return the last of each chain: one transaction writes at a time, whatever the engine."""
    if any(not _HEADS.is_known(connection, chain=chain) for chain in chains):
        _ask(connection, chains)
    found = [row for chain in chains for row in _HEADS.rows(connection, chain=chain)]
    gathered.look_no_further(connection)  # they are moved now
    return {row["chain"]: (row["seq"], row["hash"]) for row in found}


def _move(connection: Connection, heads: dict[str, tuple[int, str]], known: frozenset[str]) -> None:
    rows = [{"chain": chain, "seq": seq, "hash": digest, "sealed": 0} for chain, (seq, digest) in heads.items()]
    if moved := [row for row in rows if row["chain"] in known]:
        _MOVED.run(
            connection, [{"head": row["chain"], "seq_now": row["seq"], "hash_now": row["hash"]} for row in moved]
        )
    if fresh := [row for row in rows if row["chain"] not in known]:
        _FRESH.run(connection, fresh)


def latest(connection: Connection, chain: str, *, limit: int, about: str | None = None) -> list[dict[str, Any]]:
    """Return the last that the chain tells, of one thing or of all, in order, each event with its `hash`."""
    query = select(audit_event).where(audit_event.c.chain == chain).order_by(audit_event.c.seq.desc()).limit(limit)
    if about is not None:
        query = query.where(audit_event.c.about == about)
    return [told(row) for row in connection.execute(query).mappings()][::-1]


def told(row: RowMapping) -> dict[str, Any]:
    """Return an event as it was recorded, with its `hash`; one that was blanked says that it was, and nothing else."""
    if is_blank(row["body"]):
        said = {"chain": row["chain"], "seq": row["seq"], "at": "", "who": "", "what": BLANK, "about": "", "data": {}}
        return {**said, "hash": row["hash"]}
    return {**msgspec.json.decode(row["body"]), "hash": row["hash"]}


def genesis(chain: str) -> str:
    """Return what stands before the first event of a chain."""
    return hashlib.sha256(f"estafette audit {chain}".encode()).hexdigest()


def link(previous: str, body: str) -> str:
    """Return the hash of an event that follows the one of that hash."""
    return link_digest(previous, digest(body))


def link_digest(previous: str, digested: str) -> str:
    """Return the hash of an event of which only the digest is known."""
    return hashlib.sha256((previous + digested).encode()).hexdigest()


def digest(body: str) -> str:
    """Return the digest of the text of an event, also where only that is left of it."""
    return body.removeprefix(BLANKED) if is_blank(body) else hashlib.sha256(body.encode()).hexdigest()


def blanked(body: str) -> str:
    """Return what is left of the text of an event once it is forgotten."""
    return f"{BLANKED}{digest(body)}"


def is_blank(body: str) -> bool:
    """Tell whether only the digest of a text is left."""
    return body.startswith(BLANKED)


def canonical(value: Any) -> str:
    """Write a value in its only form: names sorted, no blanks, UTF-8.

    >>> canonical({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return msgspec.json.encode(value, order="sorted").decode()


def instant(moment: datetime) -> str:
    """Write an instant in its only form: UTC, to the microsecond."""
    return f"{moment.astimezone(UTC).isoformat('T', 'microseconds')[:26]}Z"


def _waiting(connection: Connection) -> _Waiting:
    held: _Waiting = connection.info.setdefault(_WAITING, _Waiting())
    return held


def _begin(connection: Connection) -> None:
    if not connection.invalidated:  # what a lost connection held is lost with it
        connection.info[_WAITING] = _Waiting()


def _mark(connection: Connection, _name: str) -> None:
    waiting = _waiting(connection)
    waiting.marks.append(len(waiting.events))


def _undo(connection: Connection, _name: str, _context: Any) -> None:
    waiting = _waiting(connection)
    del waiting.events[waiting.marks.pop() :]


def _release(connection: Connection, _name: str, _context: Any) -> None:
    _waiting(connection).marks.pop()


_EVENTS = Command(insert(audit_event), ("chain", "seq", "about", "body", "hash"))
_HEADS = Lookup(select(audit_head.c.chain, audit_head.c.seq, audit_head.c.hash), {"chain": audit_head.c.chain})
_FRESH = Command(insert(audit_head), ("chain", "seq", "hash", "sealed"))
_MOVED = Command(
    update(audit_head)
    .where(audit_head.c.chain == bindparam("head"))
    .values(seq=bindparam("seq_now"), hash=bindparam("hash_now"))
)

"""The signed roots of the audit log: each day one hash over where every chain that moved then stands, signed.

A chain of hashes shows a change of any of its events, but not that the whole of it was written anew. A root is signed
by the actor's key, names the root before it, and is kept outside by whoever was given it (`export`): what it covers can
no longer be rewritten unseen. A root is canonical JSON {"at", "day", "key", "leaves", "merkle", "number", "previous"};
a leaf is the text `chain seq hash`, and the tree over the leaves, by chain, is that of `store.merkle`, so that what one
tenant is given shows its own chain and nothing of the others (`proofs`).
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from estafette.store import audit, jobs, merkle
from estafette.store.jobs import Job
from estafette.store.tables import audit_head, audit_leaf, audit_root
from estafette.store.worker import Apply, Worker
from estafette.values.moments import PARIS, paris_day

QUEUE = "audit-root"
Sign = Callable[[bytes], str]


def seal_daily(worker: Worker, connection: Connection, *, clock: Callable[[], datetime], key: str, sign: Sign) -> None:
    """A root will be signed after each day that ends, late when nothing ran then."""

    async def handle(job: Job) -> Apply:
        return lambda connection: _seal_and_go_on(connection, job, now=clock(), key=key, sign=sign)

    worker.handles(QUEUE, handle)
    now = clock()
    _plan(connection, paris_day(now), now)


def _seal_and_go_on(connection: Connection, job: Job, *, now: datetime, key: str, sign: Sign) -> None:
    day = date.fromisoformat(job.payload["day"])
    seal(connection, day=day, now=now, key=key, sign=sign)
    _plan(connection, max(day + timedelta(days=1), paris_day(now)), now)


def _plan(connection: Connection, day: date, now: datetime) -> None:
    end = datetime.combine(day + timedelta(days=1), time(), PARIS)
    jobs.add(connection, queue=QUEUE, key=f"{QUEUE}:{day}", payload={"day": day.isoformat()}, now=now, due=end)


def seal(connection: Connection, *, day: date, now: datetime, key: str, sign: Sign) -> str:
    """All that is in the chains is covered by a signed root; returns its hash. `key`: the public half, in base64."""
    moved = select(audit_head).where(audit_head.c.seq > audit_head.c.sealed).order_by(audit_head.c.chain)
    rows = connection.execute(moved).all()
    last = connection.execute(select(audit_root).order_by(audit_root.c.number.desc()).limit(1)).mappings().first()
    number, previous = (last["number"] + 1, last["hash"]) if last else (1, audit.genesis("roots"))
    leaves = [merkle.leaf(leaf_text(row.chain, row.seq, row.hash)) for row in rows]
    body = audit.canonical(
        {
            "number": number, "day": day.isoformat(), "at": audit.instant(now), "key": key,
            "previous": previous, "leaves": len(leaves), "merkle": merkle.root(leaves),
        }
    )  # fmt: skip
    hashed = audit.link(previous, body)
    signed = {"number": number, "body": body, "hash": hashed, "signature": sign(body.encode())}
    connection.execute(insert(audit_root).values(signed))
    if rows:
        held = [{"number": number, "chain": row.chain, "seq": row.seq, "hash": row.hash} for row in rows]
        connection.execute(insert(audit_leaf), held)
        sealed = update(audit_head).where(audit_head.c.chain == bindparam("head")).values(sealed=bindparam("upto"))
        connection.execute(sealed, [{"head": row.chain, "upto": row.seq} for row in rows])
    audit.record(connection, None, "root.sealed", at=now, about=day.isoformat(), number=number, hash=hashed)
    return hashed


def leaf_text(chain: str, seq: int, hashed: str) -> str:
    """Write what a leaf says: where a chain stood."""
    return f"{chain} {seq} {hashed}"


def export(connection: Connection) -> Iterator[dict[str, Any]]:
    """Give every root as it was signed, the first first: what is kept outside."""
    for row in connection.execute(select(audit_root).order_by(audit_root.c.number)).mappings():
        yield {"body": row["body"], "hash": row["hash"], "signature": row["signature"]}


def proofs(connection: Connection, chain: str) -> Iterator[dict[str, Any]]:
    """Give each root that covers this chain: as signed, where the chain stood, the path from one to the other."""
    mine = select(audit_leaf).where(audit_leaf.c.chain == chain).order_by(audit_leaf.c.number)
    for stood in connection.execute(mine).mappings().all():
        signed = connection.execute(select(audit_root).where(audit_root.c.number == stood["number"])).mappings().one()
        yield {
            "body": signed["body"],
            "hash": signed["hash"],
            "signature": signed["signature"],
            "chain": chain,
            "seq": stood["seq"],
            "head": stood["hash"],
            "path": _path(connection, stood["number"], chain),
        }


def _path(connection: Connection, number: int, chain: str) -> list[merkle.Step]:
    every = select(audit_leaf).where(audit_leaf.c.number == number).order_by(audit_leaf.c.chain)
    rows = connection.execute(every).all()
    leaves = [merkle.leaf(leaf_text(row.chain, row.seq, row.hash)) for row in rows]
    return merkle.path(leaves, [row.chain for row in rows].index(chain))


def shows(proof: dict[str, Any], verifies: Callable[[str, str, bytes], bool], key: str) -> bool:
    """Tell whether a proof shows, under this public key, that the chain stood there when the root was signed."""
    body = msgspec.json.decode(proof["body"])
    stood = merkle.leaf(leaf_text(proof["chain"], proof["seq"], proof["head"]))
    signed = verifies(key, proof["signature"], proof["body"].encode())
    return signed and merkle.climb(stood, proof["path"]) == body["merkle"]

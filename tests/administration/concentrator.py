"""What the concentrator tells, as it tells it."""

from typing import Any

import msgspec

from estafette.vat.facts import Document, Status


def told(document: Document, *, flow: str = "FFE0111A_AAA111_1/Base.xml", at: str = "2026-03-01T09:00:00Z") -> bytes:
    """The message of accepted invoice data."""
    body: dict[str, Any] = {
        "kind": "invoice-data",
        "key": document.key._asdict(),
        "data": msgspec.to_builtins(document),
    }
    return msgspec.json.encode({**body, "platform": "0003", "accepted_at": at, "flow": flow})


def told_status(status: Status) -> bytes:
    """The message of an accepted status."""
    collected = [{"rate": str(each.rate), "amount": str(each.amount)} for each in status.collected]
    body: dict[str, Any] = {"kind": "status", "key": status.key._asdict(), "status": status.code}
    body |= {"set_at": status.set_at.isoformat(), "message_id": status.message_id, "reasons": list(status.reasons)}
    return msgspec.json.encode({**body, "collected": collected, "platform": "0003"})

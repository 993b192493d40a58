"""The mirrors: what this platform tells the public portal of a company, among that company's flows (XP Z12-013 §3.6).

Each Flow 1 and each obligatory status has one, pending until the portal answers; its acknowledgement says what the
State made of it. Statuses are accepted by silence: the acknowledgement of their envelope is theirs.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from estafette.platform import flows
from estafette.platform.flows import Refusal

SYNTAXES = {"FFE0111A": "UBL", "FFE0112A": "CII", "FFE0614A": "CDAR"}
"""Interface of the portal to the syntax of what it takes."""

ACCEPTED_ONCE_RECEIVABLE = "FFE0614A"

LEVELS = {
    "IRR_VIDE_F": "EmptyFlow",
    "IRR_SYNTAX": "InvalidSchema",
    "IRR_TYPE_F": "FlowTypeError",
    "IRR_TAILLE_F": "FileSizeExceeded",
    "IRR_ANTIVIRUS": "VirusFound",
    "REJ_INC": "InvoiceLCInvalidStatus",
    "REJ_INEX": "InvoiceLCStatusError",
    "REJ_RG": "InvoiceLCRuleError",
    "REJ_HAB": "InvoiceLCAccessDenied",
    "REJ_ENCAISSEMENT": "InvoiceLCAmountError",
}
"""The portal's reason to that of an acknowledgement (tables 4 and 5); any other is given as it is: the list is open."""


def mirror(
    connection: Connection,
    row: Mapping[str, Any] | RowMapping,
    interface: str,
    *,
    name: str,
    sha256: str,
    now: datetime,
) -> str:
    """The company may see what the portal will be told of its invoice `row`; returns the flow."""
    kind = f"{flows.STATE}{flows.type_of(row)}"
    return flows.give(
        connection,
        siren=row["siren"],
        flow_type=f"{kind}LC" if interface == ACCEPTED_ONCE_RECEIVABLE else kind,
        syntax=SYNTAXES[interface],
        name=name,
        sha256=sha256,
        invoice_id=row["id"],
        origin="platform",
        acknowledgement="Pending",
        now=now,
    )


def settled_by(state: str) -> tuple[str, ...]:
    """Name the interfaces whose mirrors are acknowledged once what they mirror is in this state."""
    return (ACCEPTED_ONCE_RECEIVABLE,) if state == "receivable" else tuple(SYNTAXES)


def answered(
    connection: Connection, identifiers: Sequence[str], state: str, details: Sequence[Mapping[str, str]], now: datetime
) -> None:
    """What the portal answers is the acknowledgement of these mirrors, whose interface it settles (`settled_by`)."""
    is_refused = state in ("rejected", "irreceivable")
    refusals = [_refusal(each) for each in details] or [_refusal({"reason": "AUTRE"})]
    flows.acknowledge_all(connection, identifiers, refusals=refusals if is_refused else (), now=now)


def _refusal(told: Mapping[str, str]) -> Refusal:
    """Return a reason of the portal as a detail whose four fields are never empty."""
    code = told.get("reason") or "AUTRE"
    message = " / ".join(filter(None, (told.get("fr"), told.get("en"))))
    reason = LEVELS.get(code, "OtherTechnicalError" if code == "AUTRE" else code)
    return Refusal(reason, f"{code}: {message or '—'}", item=told.get("rule") or told.get("terms") or "file")

"""The answer to a file that came by a folder: what became of it, for a program (JSON) and for a person (text).

There is none while the platform still judges the file, or any file of an archive. The text is in French, then in
English.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from estafette.lifecycle.reasons import REASONS
from estafette.platform.flows import Refusal
from estafette.platform.platform import Platform

Row = RowMapping | dict[str, Any]

SAID = {
    "live": ("Déposée (200) : conforme, elle part chez le client.", "Submitted (200): it complies and leaves."),
    "undelivered": ("Déposée (200), non transmise.", "Submitted (200), not transmitted."),
    "rejected": ("Rejetée (213) : corrigez, puis déposez de nouveau.", "Rejected (213): correct it, deposit it again."),
    "archived": ("Archivée : ni transmise, ni déclarée.", "Archived: neither transmitted nor declared."),
    "reportable": ("Hors facturation électronique.", "Outside e-invoicing."),
}
"""What is said of an invoice, by how it stands."""

TAKEN = ("Pris en compte.", "Taken.")
REFUSED = ("Irrecevable : rien n'a été déposé.", "Irreceivable: nothing was deposited.")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one file: whether all of it was taken, and its two forms."""

    is_good: bool
    data: bytes
    text: bytes


def receipt(platform: Platform, siren: str, name: str, flow_id: str) -> Receipt | None:
    """Return the answer to a deposit of this company; None while it is not known."""
    row = platform.flow(siren, flow_id)
    if row is None or row["acknowledgement"] == "Pending":
        return None
    members = platform.members(siren, flow_id)
    if any(member["acknowledgement"] == "Pending" for member in members):
        return None
    told = {**_told(row), "file": name, **({"files": [_told(member) for member in members]} if members else {})}
    return _written(told, all(_is_good(one) for one in (row, *members)))


def refused(name: str, refusal: Refusal) -> Receipt:
    """Return the answer to a file that was not even taken as a deposit."""
    return _written({"file": name, "acknowledgement": "Error", "details": [refusal.row()]}, is_good=False)


def _is_good(row: Row) -> bool:
    return bool(row["acknowledgement"] == "Ok" and row["standing"] != "rejected")


def _told(row: Row) -> dict[str, Any]:
    """Return what a flow came to, as the JSON says it."""
    told: dict[str, Any] = {
        "file": row["name"],
        "flowId": row["id"],
        "sha256": row["sha256"],
        "acknowledgement": row["acknowledgement"],
    }
    if row["details"]:
        told["details"] = row["details"]
    if row["invoice_id"]:
        told["invoice"] = {
            "id": row["invoice_id"],
            "number": row["number"],
            "standing": row["standing"],
            "explanation": row["explanation"],
        }
    return told


def _written(told: dict[str, Any], is_good: bool) -> Receipt:
    lines = [line for english in (False, True) for line in (*_lines(told, english=english), "")]
    data = msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
    return Receipt(is_good, data, "\n".join(lines).encode())


def _lines(told: dict[str, Any], *, english: bool) -> Sequence[str]:
    """Say a file, then each file of it, in one language."""
    lines = [f"{told['file']} : {_verdict(told, english=english)}"]
    lines += [f"  - {text}" for text in _reasons(told, english=english)]
    for one in told.get("files", ()):
        lines += [f"  {line}" for line in _lines(one, english=english)]
    return lines


def _verdict(told: dict[str, Any], *, english: bool) -> str:
    if told["acknowledgement"] == "Error":
        return REFUSED[english]
    invoice = told.get("invoice")
    if invoice is None:
        return TAKEN[english]
    return f"{invoice['number']} — {SAID.get(invoice['standing'], TAKEN)[english]}"


def _reasons(told: dict[str, Any], *, english: bool) -> Sequence[str]:
    """Give why a file was refused, or an invoice rejected or set aside."""
    texts = [_half(detail["reasonMessage"], english=english) for detail in told.get("details", ())]
    explanation = told.get("invoice", {}).get("explanation") or {}
    language = "en" if english else "fr"
    if language in explanation:
        texts.append(explanation[language])
    for fault in explanation.get("faults", ()):
        reason = REASONS.get(fault["reason"])
        label = (reason.name if english else reason.label) if reason else ""
        texts.append(f"{fault['rule']} ({fault['reason']} {label}) {fault['terms']} : {fault[language]}")
    return texts


def _half(text: str, *, english: bool) -> str:
    """Give one language of `code: français / English`; what is not in both is given whole."""
    fr, separator, en = text.partition(" / ")
    if not separator:
        return text
    code, colon, _rest = fr.partition(": ")
    return (f"{code}: {en}" if colon and code.isupper() else en) if english else fr

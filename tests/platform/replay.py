"""The published examples of XP Z12-014, exchange by exchange, in the order of their guide."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from estafette.formats import cdar
from estafette.formats.status_message import Party, Role, StatusMessage
from estafette.values.moments import PARIS

CASES = ("UC1", "UC2", "UC3", "UC4", "UC5")
EDITION = "xp-z12-014-v1.3"
SYNTAXES = {"UBL": "UBL", "CII": "CII", "Factur-X": "FX"}
"""How a file of the edition says the syntax of an invoice."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange of a use case. `kind`: invoice (deposited), flux2 (passed on), cdar, cdar-ppf (for the portal)."""

    at: datetime
    kind: str
    number: str
    status: str = ""
    file: str = ""
    content: bytes = b""

    @property
    def message(self) -> StatusMessage:
        """The status as it is read."""
        return cdar.read(self.content)

    @property
    def author(self) -> str:
        """The role of whoever sets the status: a party (SE, BY) or a platform (WK)."""
        return self.message.issuer.role

    @property
    def platform(self) -> str:
        """The matricule of the platform that tells the portal."""
        return self.message.sender.identifier("0238")


def exchanges(corpus: Path, case: str, syntax: str = "UBL") -> list[Exchange]:
    """Give the exchanges of a use case in their order, its invoices in one syntax."""
    told = json.loads((corpus / "xp-z12-014" / "scenarios.json").read_text())
    (scenario,) = (one for one in told["scenarios"] if one["id"] == case)
    return [_exchange(corpus / EDITION / case, event, syntax) for event in scenario["events"]]


def annex(corpus: Path, syntax: str) -> dict[str, list[Exchange]]:
    """Give the use cases whose invoices the edition has in a syntax."""
    folder = corpus / EDITION
    there = [case for case in CASES if any((folder / case).rglob(f"*_{SYNTAXES[syntax]}_EN16931*"))]
    return {case: exchanges(corpus, case, syntax) for case in there}


def timeline(scripts: dict[str, list[Exchange]]) -> list[Exchange]:
    """Give all exchanges in the order of time, each use case in its own order."""
    return sorted((each for script in scripts.values() for each in script), key=lambda each: each.at)


def _exchange(folder: Path, event: dict[str, Any], syntax: str) -> Exchange:
    at = datetime.fromisoformat(event["at"]).replace(tzinfo=PARIS)
    if event["kind"] in ("invoice", "flux2"):
        number = event.get("invoice_id") or event["invoice"]["bt1"]
        (file,) = folder.rglob(f"*_{number}_00-*_{SYNTAXES[syntax]}_EN16931*")
        return Exchange(at, event["kind"], number, file=file.name, content=file.read_bytes())
    (file,) = folder.rglob(Path(event["file"]).name)
    return Exchange(at, event["kind"], event["invoice_id"], event["status"], file.name, file.read_bytes())


def differences(official: StatusMessage, ours: StatusMessage) -> set[str]:
    """Name the terms that two messages of one status say differently; what is each one's own (MDT-4, names) apart.

    The moment of a status (MDT-78) is compared where a party sets it: it is then the party's to say.
    """
    one, other = dict(_terms(official)), dict(_terms(ours))
    return {term for term in one.keys() | other.keys() if one.get(term) != other.get(term)}


def _terms(message: StatusMessage) -> Iterator[tuple[str, object]]:
    yield "MDT-2", message.business_process
    yield "MDT-3", message.guideline
    yield "MDG-9", _party(message.sender)
    yield "MDG-16", _party(message.issuer)
    yield "MDG-23", {_party(party) for party in message.recipients}
    yield "MDT-74", message.multiple_references
    yield "MDT-77", message.phase
    yield "MDT-78", message.set_at if message.issuer.role in (Role.SELLER, Role.BUYER) else ""
    yield "MDT-87", message.object_identifier
    yield "MDT-88", message.object_status_code
    yield "MDT-91", message.object_type
    yield "MDT-95", message.received_at is not None
    yield "MDT-97", message.object_reference_type
    yield "MDT-100", message.object_issued
    yield "MDT-105", message.status
    yield "MDT-129", message.object_issuers
    yield "MDT-113", message.reason_codes
    yield "MDT-121", [detail.requested_action for detail in message.details if detail.requested_action]
    yield "MDT-124-2", [detail.sequence for detail in message.details]
    yield "MDT-126", message.comments
    yield "MDG-43", [datum for detail in message.details for datum in detail.characteristics]


def _party(party: Party) -> tuple[object, ...]:
    return party.role, party.identifiers


def lives(script: list[Exchange]) -> dict[str, list[str]]:
    """Give the life of each invoice as the script tells it: its statuses and their reasons, in order."""
    told: dict[str, list[str]] = {}
    for each in script:
        if each.kind == "cdar":
            told.setdefault(each.number, []).append(":".join((each.status, *each.message.reason_codes)))
    return told


def owed(script: list[Exchange], number: str, matricule: str = "") -> list[str]:
    """Give the statuses of an invoice that the script has told to the portal, by one platform or by any."""
    told = [each for each in script if (each.kind, each.number) == ("cdar-ppf", number)]
    return [each.status for each in told if matricule in ("", each.platform)]

"""What a status message says, whatever the syntax: one status on one object (Flow 6, numbers MDT-n of annex 2).

Everything is immutable; empty texts, empty tuples and None are what the message does not say. What a status means and
who may set it is known by the room `lifecycle`; how a message is written, by `cdar`.

Source: external specifications v3.2, annex 2 (V2.3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from estafette.values.moments import PARIS


class Role(StrEnum):
    """Who a party is (UNCL 3035, the part used in status messages; G7.01)."""

    SELLER = "SE"
    BUYER = "BY"
    BUYER_AGENT = "AB"
    SELLER_AGENT = "SR"
    FACTOR = "DL"
    PAYEE = "PE"
    PAYER = "PR"
    INVOICER = "II"
    INVOICEE = "IV"
    PLATFORM = "WK"
    PORTAL = "DFH"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value and the ISO 6523 scheme that says of what kind it is: 0002 SIREN, 0225 address, 0238 platform …"""

    value: str
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """Someone in the message; an anonymous platform has a role and nothing else."""

    role: str = ""
    identifiers: tuple[Identifier, ...] = ()
    name: str = ""
    address: Identifier | None = None
    """The electronic address where it wants its messages (MDT-35, 54, 73)."""

    def identifier(self, scheme: str) -> str:
        """Give its first identifier of a scheme, or an empty text."""
        return next((held.value for held in self.identifiers if held.scheme == scheme), "")


@dataclass(frozen=True, slots=True)
class Note:
    """A comment: of which rule (MDT-125), what it says (MDT-126), about which term or file (MDT-127)."""

    content: str = ""
    content_code: str = ""
    subject_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """A datum that goes with a status: an amount collected, a wrong value and the right one … (MDG-43)."""

    type_code: str = ""
    term: str = ""
    name: str = ""
    location: str = ""
    value: str = ""
    amount: Decimal | None = None
    currency: str = ""
    percent: Decimal | None = None
    on: date | None = None
    """The day of a payment (MDT-219)."""
    changed: bool | None = None
    """Whether the value replaces that of the invoice (MDT-209)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One reason of a status, with what is asked for and the data that go with it (MDG-37)."""

    sequence: int | None = None
    reason_code: str = ""
    reason: str = ""
    status: str = ""
    """The status of this reason alone, when it is not that of the message (MDT-115)."""
    requested_action: str = ""
    requested_action_text: str = ""
    notes: tuple[Note, ...] = ()
    characteristics: tuple[Characteristic, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document sent with a status, between platforms only (MDT-96)."""

    content: bytes
    file_name: str = ""
    mime_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMessage:
    """One status on one object. Empty texts, empty tuples and None are what the message does not say.

    Moments have a zone: a message writes none, and is read and written in the time of Paris.
    """

    identifier: str
    """MDT-4: what makes this message the same when it comes twice."""
    guideline: str
    """MDT-3: the profile."""
    issued_at: datetime
    """MDT-8: when the message was made."""
    set_at: datetime
    """MDT-78: when the status was set; it orders the life cycle and starts the 24 hours."""
    status: str
    """MDT-105."""
    object_identifier: str = ""
    """MDT-87: an invoice number (BT-1), a flow identifier, a transmission, the MDT-4 of another message."""
    object_type: str = ""
    """MDT-91: BT-3 of an invoice, or 303 flow, 304 data, 305 status message, 306 directory."""
    object_issued: date | datetime | None = None
    """MDT-100: a day is written in format 102, a moment in format 204."""
    object_issuers: tuple[Identifier, ...] = ()
    """MDT-129: who made the object; its SIREN is what identifies an invoice."""
    object_issuer_role: str = ""
    object_recipients: tuple[Party, ...] = ()
    """MDG-41: the recipient of the invoice, or its new payee."""
    object_status_code: str = ""
    """MDT-88."""
    object_reference_type: str = ""
    """MDT-97."""
    received_at: datetime | None = None
    """MDT-95: when the one who sets the status received the object."""
    status_label: str = ""
    """MDT-106."""
    phase: str = ""
    """MDT-77: 305 transmission, 23 treatment."""
    flow_name: str = ""
    """MDT-76: the name of an envelope that could not be read."""
    sender: Party = Party()
    issuer: Party = Party()
    recipients: tuple[Party, ...] = ()
    name: str = ""
    """MDT-5."""
    business_process: str = ""
    """MDT-2."""
    test: bool = False
    """MDT-1."""
    details: tuple[Detail, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    multiple_references: bool = False
    """MDT-74 true, or several objects: the life cycle allows neither (P1.14). Only the first object is read."""

    @property
    def seller_siren(self) -> str:
        """Give the SIREN of the one who made the object (MDT-129 of scheme 0002), or an empty text."""
        return next((held.value for held in self.object_issuers if held.scheme == "0002"), "")

    @property
    def object_day(self) -> date | None:
        """Give the day of the object (MDT-100), whatever the format it was written in."""
        issued = self.object_issued
        return issued.astimezone(PARIS).date() if isinstance(issued, datetime) else issued

    @property
    def reason_codes(self) -> tuple[str, ...]:
        """Give the codes of the reasons (MDT-113), in order."""
        return tuple(detail.reason_code for detail in self.details if detail.reason_code)

    @property
    def comments(self) -> tuple[str, ...]:
        """Give the comments (MDT-126), in order."""
        return tuple(note.content for detail in self.details for note in detail.notes if note.content)

    def characteristics(self, type_code: str) -> Iterator[Characteristic]:
        """Give the data of one type (MDT-207), in order."""
        return (datum for detail in self.details for datum in detail.characteristics if datum.type_code == type_code)

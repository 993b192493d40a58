"""A status becomes a message: for the parties, for the portal, about a flow, about an object.

The same event gives two messages: between platforms they are anonymous (role WK and nothing else); the portal's copy
names them by their registration number and nobody else is told (lifecycle.md §7.1). What the portal answers is about
the flow (500, 501), the data of an invoice (250, 251), a transmission (300, 301), the directory (400, 401) or a status
(601).

Source: external specifications v3.2, annex 2 and annex 7 (G7.*, G1.114); BR-FR-CDV (FNFE-MPE 1.4.0.04).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from estafette.formats.status_message import Attachment, Detail, Identifier, Note, Party, Role, StatusMessage
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.reasons import reason_label
from estafette.lifecycle.statuses import OBLIGATORY, STATUSES, ObjectKind, Phase
from estafette.values.moments import PARIS

PORTAL_MATRICULE = "0000"
"""The portal as a recipient (FNFE-MPE 1.4.0); the State's own texts and older examples write 9998: configuration."""

_URN = "urn.cpro.gouv.fr:1p0:CDV:"
BETWEEN_PLATFORMS = _URN + "invoice"
"""MDT-3 of the messages that platforms exchange for the parties."""

GUIDELINES: Mapping[ObjectKind, str] = MappingProxyType(
    {
        ObjectKind.INVOICE: _URN + "einvoicingF2",
        ObjectKind.FLOW: _URN + "flux",
        ObjectKind.INVOICE_DATA: _URN + "einvoicingF1",
        ObjectKind.TRANSMISSION: _URN + "ereportingF10",
        ObjectKind.DIRECTORY: _URN + "annuaire",
        ObjectKind.STATUS: _URN + "messageCDV",
    }
)
"""MDT-3 and MDT-97 of the messages that the portal sends and takes (S1.06, G7.14)."""

OBJECT_TYPES: Mapping[ObjectKind, str] = MappingProxyType(
    {
        ObjectKind.FLOW: "303",
        ObjectKind.INVOICE_DATA: "304",
        ObjectKind.TRANSMISSION: "304",
        ObjectKind.STATUS: "305",
        ObjectKind.DIRECTORY: "306",
    }
)
"""MDT-91 of what is no invoice (G7.15)."""

UNKNOWN_OBJECT, UNKNOWN_SIREN, UNKNOWN_DATE = "X" * 20, "000000000", datetime(1900, 1, 1, tzinfo=PARIS)
"""What the portal writes when the object is too broken to say what it is (G1.114)."""

REFUSALS_MAX = 50
"""Refusals told in one answer (our bound): who mends those sends again and is told the others."""

_CONTENT_MAX, _SUBJECT_MAX, _RULE_MAX, _REASON_MAX, _NAME_MAX, _IDENTIFIER_MAX = 2000, 200, 30, 250, 150, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReference:
    """The invoice that a status is about: BT-1, BT-3, BT-2, BT-30, and when this side received it (MDT-95)."""

    number: str
    type_code: str
    issue_date: date
    seller_siren: str
    received_at: datetime | None = None


def platform_party(matricule: str = "", name: str = "") -> Party:
    """Make a platform: anonymous without a registration number, identified with one."""
    return Party(Role.PLATFORM, (Identifier(matricule, "0238"),) if matricule else (), name)


def portal_party(matricule: str = PORTAL_MATRICULE) -> Party:
    """Make the public portal, under the number that the addressee knows it by."""
    return Party(Role.PORTAL, (Identifier(matricule, "0238"),), "PPF")


def company_party(role: str, siren: str, *, name: str = "", address: str = "") -> Party:
    """Make a company: its role, its SIREN, where it wants its statuses (MDT-73, scheme 0225)."""
    return Party(role, (Identifier(siren, "0002"),), name, Identifier(address, "0225") if address else None)


def between_platforms(
    status: str,
    *,
    identifier: str,
    invoice: InvoiceReference,
    issuer: Party,
    recipients: Sequence[Party],
    set_at: datetime,
    issued_at: datetime,
    details: Sequence[Detail] = (),
    business_process: str = "REGULATED",
    name: str = "",
    attachments: Sequence[Attachment] = (),
) -> StatusMessage:
    """Make the message that tells the parties a status of an invoice; details are numbered from 1.

    A platform stays anonymous, as sender always, as issuer in the phase of transmission. KeyError on an unknown status.
    """
    row = STATUSES[status]
    return StatusMessage(
        identifier=identifier,
        guideline=BETWEEN_PLATFORMS,
        business_process=business_process,
        name=name,
        issued_at=issued_at,
        sender=platform_party(),
        issuer=platform_party() if row.phase is Phase.TRANSMISSION else issuer,
        recipients=tuple(recipients),
        phase=row.phase.value,
        set_at=set_at,
        object_identifier=invoice.number,
        object_status_code=row.document_status,
        object_type=invoice.type_code,
        received_at=invoice.received_at,
        attachments=tuple(attachments),
        object_issued=invoice.issue_date,
        object_issuers=(Identifier(invoice.seller_siren, "0002"),),
        status=status,
        status_label=row.label,
        details=numbered(details),
    )


def for_portal(
    message: StatusMessage,
    *,
    identifier: str,
    platform: str,
    platform_name: str = "",
    portal: str = PORTAL_MATRICULE,
    object_identifier: str = "",
) -> StatusMessage:
    """Make the portal's copy of a message between platforms; `platform` is the registration number of who sends it.

    `object_identifier` replaces the invoice number where the portal knows it by another (BR-FR-MAP-01).
    ValueError when the status is not obligatory (G7.44) or the identifier is longer than 50 characters (MDT-4).
    """
    if message.status not in OBLIGATORY:
        raise ValueError(f"status {message.status} does not go to the portal (G7.44)")
    if len(identifier) > _IDENTIFIER_MAX:
        raise ValueError(f"an identifier of at most {_IDENTIFIER_MAX} characters is expected (MDT-4): {identifier}")
    sender = platform_party(platform, platform_name)
    number = object_identifier or message.object_identifier
    return replace(
        message,
        identifier=identifier,
        guideline=GUIDELINES[ObjectKind.INVOICE],
        object_reference_type=GUIDELINES[ObjectKind.INVOICE],
        business_process="",
        name=(message.name or f"{number}_{message.status}")[:_NAME_MAX],
        sender=sender,
        issuer=sender if message.issuer.role == Role.PLATFORM else message.issuer,
        recipients=(portal_party(portal),),
        object_identifier=number,
        received_at=message.received_at or message.set_at,
        attachments=(),
    )


def about_flow(
    *,
    identifier: str,
    flow_identifier: str,
    flow_name: str,
    sender: Party,
    received_at: datetime,
    at: datetime,
    refusals: Sequence[Refusal] = (),
) -> StatusMessage:
    """Make the acknowledgement of a flow: 500 receivable without refusals, 501 irreceivable with them (IRR_*).

    `flow_identifier` is the 25 characters (MDT-87); where the flow's name is malformed, it is the name as it came.
    """
    status = "501" if refusals else "500"
    return _answer(
        status,
        kind=ObjectKind.FLOW,
        identifier=identifier,
        object_identifier=flow_identifier or UNKNOWN_OBJECT,
        sender=sender,
        recipients=(),
        received_at=received_at,
        at=at,
        refusals=refusals,
        flow_name=flow_name[:_NAME_MAX],
    )


def about_object(
    kind: ObjectKind,
    *,
    identifier: str,
    object_identifier: str,
    recipient: str,
    received_at: datetime,
    at: datetime,
    refusals: Sequence[Refusal] = (),
    object_siren: str = "",
    object_issued: date | datetime | None = None,
    portal: str = PORTAL_MATRICULE,
) -> StatusMessage:
    """Make the portal's answer about an object: accepted without refusals, rejected with them, one detail for each.

    `recipient` is the registration number of the platform. What the object does not say takes the values of G1.114.
    ValueError when a status message is accepted: the portal says nothing then.
    """
    statuses = ANSWERS[kind]
    status = statuses[1] if refusals else statuses[0]
    if not status:
        raise ValueError("the portal answers a status message only to reject it")
    return _answer(
        status,
        kind=kind,
        identifier=identifier,
        object_identifier=object_identifier or UNKNOWN_OBJECT,
        sender=portal_party(portal),
        recipients=(platform_party(recipient),),
        received_at=received_at,
        at=at,
        refusals=refusals,
        object_issuers=(Identifier(object_siren or UNKNOWN_SIREN, "0002"),),
        object_issued=object_issued or UNKNOWN_DATE,
    )


ANSWERS: Mapping[ObjectKind, tuple[str, str]] = MappingProxyType(
    {
        ObjectKind.FLOW: ("500", "501"),
        ObjectKind.INVOICE_DATA: ("250", "251"),
        ObjectKind.TRANSMISSION: ("300", "301"),
        ObjectKind.DIRECTORY: ("400", "401"),
        ObjectKind.STATUS: ("", "601"),
    }
)
"""The status that accepts an object and the one that rejects it; a status message is accepted by silence."""


def numbered(details: Sequence[Detail]) -> tuple[Detail, ...]:
    """Number the details from 1, in their order (MDT-124-2)."""
    return tuple(replace(detail, sequence=at) for at, detail in enumerate(details, 1))


def refusals_of(message: StatusMessage) -> tuple[Refusal, ...]:
    """Give back the refusals that an answer tells, one a note or a reason; both languages hold what was written."""
    return tuple(
        Refusal(
            detail.reason_code,
            note.content_code,
            note.content or detail.reason,
            note.content or detail.reason,
            tuple(term.strip() for term in note.subject_code.split(",") if term.strip()),
        )
        for detail in message.details
        for note in detail.notes or (Note(),)
    )


def _answer(
    status: str,
    *,
    kind: ObjectKind,
    identifier: str,
    object_identifier: str,
    sender: Party,
    recipients: tuple[Party, ...],
    received_at: datetime,
    at: datetime,
    refusals: Sequence[Refusal],
    flow_name: str = "",
    object_issuers: tuple[Identifier, ...] = (),
    object_issued: date | datetime | None = None,
) -> StatusMessage:
    row = STATUSES[status]
    return StatusMessage(
        identifier=identifier,
        guideline=GUIDELINES[kind],
        name=f"{object_identifier}_{status}"[:_NAME_MAX],
        issued_at=at,
        sender=sender,
        issuer=sender,
        recipients=recipients,
        phase=row.phase.value,
        flow_name=flow_name,
        set_at=at,
        object_identifier=object_identifier,
        object_type=OBJECT_TYPES[kind],
        received_at=received_at,
        object_reference_type=GUIDELINES[kind],
        object_issued=object_issued,
        object_issuers=object_issuers,
        status=status,
        status_label=row.label,
        details=numbered([_rejection(refusal) for refusal in refusals[:REFUSALS_MAX]]),
    )


def _rejection(refusal: Refusal) -> Detail:
    return Detail(
        reason_code=refusal.code,
        reason=reason_label(refusal.code)[:_REASON_MAX],
        notes=(
            Note(
                content=f"{refusal.fr} / {refusal.en}"[:_CONTENT_MAX],
                content_code=refusal.rule[:_RULE_MAX],
                subject_code=", ".join(refusal.terms)[:_SUBJECT_MAX],
            ),
        ),
    )

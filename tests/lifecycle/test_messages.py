"""What is told of a status is what the official rules accept, and names whom it may name."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from estafette.formats.cdar import read, write
from estafette.formats.status_message import Attachment, Characteristic, Detail, Note, StatusMessage
from estafette.formats.xml import parse
from estafette.lifecycle.contents import incomplete
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.messages import (
    GUIDELINES,
    InvoiceReference,
    about_flow,
    about_object,
    between_platforms,
    company_party,
    for_portal,
    platform_party,
    portal_party,
    refusals_of,
)
from estafette.lifecycle.reasons import reasons_of
from estafette.lifecycle.statuses import OBLIGATORY, STATUSES, ObjectKind, Phase
from estafette.rules import check
from estafette.rules.catalogue import schema_for
from estafette.rules.schema import schema_findings

AT = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
LATER = datetime(2026, 9, 1, 10, 5, tzinfo=UTC)
INVOICE = InvoiceReference(
    number="F-2026-1", type_code="380", issue_date=date(2026, 8, 31), seller_siren="100000009", received_at=AT
)
SELLER = company_party("SE", "100000009", name="VENDEUR", address="100000009_STATUTS")
BUYER = company_party("BY", "200000008", name="ACHETEUR", address="200000008")
ABOUT_INVOICES = sorted(code for code, row in STATUSES.items() if ObjectKind.INVOICE in row.objects)
REJECTED = (Refusal("REJ_SEMAN", "G1.05", "Numéro trop long.", "Number too long.", ("BT-1",)),)


def details_for(code: str) -> tuple[Detail, ...]:
    """The least that a status must carry."""
    reasons = reasons_of(code)
    collected = Characteristic(
        type_code="MEN", amount=Decimal("120.00"), currency="EUR", percent=Decimal("20.00"), changed=False
    )
    if code == "212":
        return (Detail(characteristics=(collected,)),)
    if not reasons:
        return ()
    return (Detail(reason_code=reasons[0].code, reason=reasons[0].label, notes=(Note("Voir le détail."),)),)


def message_of(code: str, **more: object) -> StatusMessage:
    """A status told to the parties."""
    emitter = sorted(STATUSES[code].emitters)[0]
    issuer = company_party(emitter, "200000008", name="QUI LE POSE")
    known = {
        "identifier": f"F-2026-1_{code}_1",
        "invoice": INVOICE,
        "issuer": issuer,
        "recipients": (SELLER, BUYER),
        "set_at": AT,
        "issued_at": LATER,
        "details": details_for(code),
    }
    return between_platforms(code, **(known | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ABOUT_INVOICES)
def test_between_platforms_passes_the_official_rules(code: str) -> None:
    """Each status of an invoice, with what it must carry, passes the schema and the sheet without a warning."""
    message = message_of(code)
    verdict = check(write(message))
    assert (verdict.accepted, verdict.schema, verdict.findings) == (True, (), ())
    assert incomplete(code, message.details) is None


@pytest.mark.parametrize("code", sorted(OBLIGATORY))
def test_the_copy_of_the_portal_passes_the_official_rules(code: str) -> None:
    """Each obligatory status, told to the portal, is accepted by the schema and the sheet."""
    copy = for_portal(message_of(code), identifier="FFE0614A_AAA123_1", platform="0003")
    verdict = check(write(copy))
    assert (verdict.accepted, verdict.findings) == (True, ())
    assert read(write(copy)) == copy


@pytest.mark.parametrize("code", ABOUT_INVOICES)
def test_platforms_are_anonymous_between_them(code: str) -> None:
    """No message for the parties says which platform sent it, whatever the caller gives as issuer."""
    message = message_of(code, issuer=platform_party("0003", "A"))
    assert message.sender == platform_party()
    if STATUSES[code].phase is Phase.TRANSMISSION:
        assert message.issuer == platform_party()
        assert b"0238" not in write(message)


def test_the_portal_knows_who_sends_and_who_decides() -> None:
    """The copy names the platform; a platform's own status is issued by it, a party's by the party; one recipient."""
    rejected = for_portal(message_of("213"), identifier="1", platform="0005")
    refused = for_portal(message_of("210"), identifier="2", platform="0005", portal="9998")
    assert rejected.sender.identifier("0238") == rejected.issuer.identifier("0238") == "0005"
    assert refused.issuer.identifier("0002") == "200000008"
    assert [party.identifier("0238") for party in rejected.recipients] == ["0000"]
    assert [party.identifier("0238") for party in refused.recipients] == ["9998"]
    assert rejected.business_process == ""
    assert rejected.object_reference_type == rejected.guideline == GUIDELINES[ObjectKind.INVOICE]


def test_what_never_goes_to_the_portal() -> None:
    """An optional status is refused, an attachment is left behind, an identifier over 50 characters is refused."""
    with pytest.raises(ValueError, match=r"G7\.44"):
        for_portal(message_of("205"), identifier="1", platform="0003")
    with pytest.raises(ValueError, match="MDT-4"):
        for_portal(message_of("200"), identifier="1" * 51, platform="0003")
    with_file = message_of("210", attachments=(Attachment(b"x", "a.pdf", "application/pdf"),))
    assert for_portal(with_file, identifier="1" * 50, platform="0003").attachments == ()


def test_the_number_that_the_portal_knows() -> None:
    """A number too long for the portal is replaced in its copy, and its name follows."""
    copy = for_portal(message_of("200"), identifier="1", platform="0003", object_identifier="T123")
    assert (copy.object_identifier, copy.name) == ("T123", "T123_200")


def follows_the_schema(message: StatusMessage) -> bool:
    """The official sheet is for invoices only: other objects are judged by the schema."""
    path = schema_for("CDAR", "CDV", "CrossDomainAcknowledgementAndResponse")
    return schema_findings(parse(write(message)), path) == () and read(write(message)) == message


@pytest.mark.parametrize(("refusals", "status"), [((), "500"), (REJECTED, "501")])
def test_about_a_flow(refusals: tuple[Refusal, ...], status: str) -> None:
    """A flow is receivable without refusals and irreceivable with them; its identifier answers it."""
    message = about_flow(
        identifier="1",
        flow_identifier="AAA1230614000000000000001",
        flow_name="FFE0614A_AAA123_AAA1230614000000000000001.tar.gz",
        sender=portal_party(),
        received_at=AT,
        at=LATER,
        refusals=refusals,
    )
    assert (message.status, message.object_type, message.object_identifier) == (
        status,
        "303",
        "AAA1230614000000000000001",
    )
    assert follows_the_schema(message)


@pytest.mark.parametrize(
    ("kind", "status", "object_type"),
    [
        (ObjectKind.INVOICE_DATA, "250", "304"),
        (ObjectKind.TRANSMISSION, "300", "304"),
        (ObjectKind.DIRECTORY, "400", "306"),
        (ObjectKind.STATUS, "", "305"),
    ],
)
def test_about_an_object(kind: ObjectKind, status: str, object_type: str) -> None:
    """Each object has its status of acceptance, but a status message, and its status of rejection."""
    known = {"identifier": "1", "object_identifier": "F-1", "recipient": "0003", "received_at": AT, "at": LATER}
    rejected = about_object(kind, refusals=REJECTED * 2, object_siren="100000009", **known)  # type: ignore[arg-type]
    assert rejected.status == {"250": "251", "300": "301", "400": "401"}.get(status, "601")
    assert rejected.object_type == object_type
    assert [detail.sequence for detail in rejected.details] == [1, 2]
    assert follows_the_schema(rejected)
    if status:
        accepted = about_object(kind, **known)  # type: ignore[arg-type]
        assert (accepted.status, accepted.details) == (status, ())
        assert follows_the_schema(accepted)
    else:
        with pytest.raises(ValueError, match="only to reject"):
            about_object(kind, **known)  # type: ignore[arg-type]


def test_what_is_too_broken_to_be_named() -> None:
    """An object that says nothing of itself is answered with the values that the texts give (G1.114)."""
    message = about_object(
        ObjectKind.STATUS,
        identifier="1",
        object_identifier="",
        recipient="0003",
        received_at=AT,
        at=LATER,
        refusals=REJECTED,
    )
    assert (message.object_identifier, message.seller_siren) == ("X" * 20, "000000000")
    assert b'format="204">19000101000000<' in write(message)


def test_refusals_survive_the_way() -> None:
    """Reason, rule, message and terms of a refusal are read back from the answer that tells it."""
    message = about_flow(
        identifier="1",
        flow_identifier="",
        flow_name="x",
        sender=portal_party(),
        received_at=AT,
        at=AT,
        refusals=(replace(REJECTED[0], terms=("BT-1", "BT-2")),),
    )
    (refusal,) = refusals_of(read(write(message)))
    assert (refusal.code, refusal.rule, refusal.terms) == ("REJ_SEMAN", "G1.05", ("BT-1", "BT-2"))
    assert "Number too long." in refusal.en

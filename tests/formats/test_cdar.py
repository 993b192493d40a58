"""Status messages are written and read without loss, and read whatever the field sends."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.formats.cdar import (
    Attachment,
    Characteristic,
    Detail,
    Identifier,
    Note,
    Party,
    StatusMessage,
    read,
    write,
)
from estafette.formats.xml import Unreadable, parse
from estafette.rules.catalogue import schema_for
from estafette.rules.schema import schema_findings
from estafette.values.moments import second, second_text

CORPUS = Path(__file__).parents[2] / "../shared/corpus"
MESSAGES = sorted(
    path for folder in ("xp-z12-014", "xp-z12-014-v1.3", "xp-z12-012") for path in (CORPUS / folder).rglob("*CDV*.xml")
)

SIMPLE = StatusMessage(
    identifier="M-1",
    guideline="urn.cpro.gouv.fr:1p0:CDV:invoice",
    issued_at=datetime(2026, 9, 1, 8, 15, tzinfo=UTC),
    set_at=datetime(2026, 9, 1, 8, 0, tzinfo=UTC),
    status="205",
    object_identifier="F-1",
)

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).map(str.strip)
codes = st.text("ABCDEFGHIJ_0123456789", min_size=1, max_size=12)
texts = words.filter(lambda text: "\ufffe" not in text and "\uffff" not in text)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: second(second_text(moment))
)
days = st.dates(date(2000, 1, 1), date(2099, 1, 1))
amounts = st.decimals(-(10**15), 10**15, places=2)
identifiers = st.builds(Identifier, codes, st.sampled_from(["0002", "0009", "0225", "0238", ""]))
parties = st.builds(Party, codes, st.lists(identifiers, max_size=2).map(tuple), texts, st.none() | identifiers)
characteristics = st.builds(
    Characteristic,
    type_code=codes,
    term=texts,
    name=texts,
    location=texts,
    value=texts,
    percent=st.none() | st.decimals(0, 100, places=2),
    on=st.none() | days,
    changed=st.none() | st.booleans(),
    amount=amounts,
    currency=st.sampled_from(["EUR", ""]),
)
details = st.builds(
    Detail,
    sequence=st.none() | st.integers(0, 999),
    reason_code=texts,
    reason=texts,
    status=texts,
    requested_action=texts,
    requested_action_text=texts,
    notes=st.lists(st.builds(Note, texts, texts, texts), max_size=2).map(tuple),
    characteristics=st.lists(characteristics, max_size=2).map(tuple),
)
messages = st.builds(
    StatusMessage,
    identifier=codes,
    guideline=codes,
    issued_at=moments,
    set_at=moments,
    status=codes,
    object_identifier=texts,
    object_type=texts,
    object_issued=st.none() | days | moments,
    object_issuers=st.lists(identifiers, max_size=2).map(tuple),
    object_issuer_role=texts,
    object_recipients=st.lists(parties, max_size=2).map(tuple),
    object_status_code=texts,
    object_reference_type=texts,
    received_at=st.none() | moments,
    status_label=texts,
    phase=texts,
    flow_name=texts,
    sender=parties,
    issuer=parties,
    recipients=st.lists(parties, max_size=3).map(tuple),
    name=texts,
    business_process=texts,
    test=st.booleans(),
    details=st.lists(details, max_size=2).map(tuple),
    attachments=st.lists(st.builds(Attachment, st.binary(min_size=1), texts, texts), max_size=1).map(tuple),
    multiple_references=st.booleans(),
)


@given(messages)
def test_written_then_read(message: StatusMessage) -> None:
    """Whatever a message says, it is read back as it was written."""
    assert read(write(message)) == message


@given(messages)
def test_written_in_the_order_of_the_schema(message: StatusMessage) -> None:
    """Whatever a message says, its elements follow the official schema."""
    whole = replace(message, object_status_code="", multiple_references=False)
    path = schema_for("CDAR", "CDV", "CrossDomainAcknowledgementAndResponse")
    assert schema_findings(parse(write(whole)), path) == ()


@pytest.mark.skipif(not MESSAGES, reason="the corpus of official examples is not beside the repository")
def test_official_examples_are_read() -> None:
    """Every official example is read, says what its name says, and survives a round trip."""
    for path in MESSAGES:
        message = read(path.read_bytes())
        assert f"CDV-{message.status}" in path.name
        assert message.object_identifier in path.name
        assert message.seller_siren == "100000009"
        assert message.object_day is not None
        assert read(write(message)) == message


@pytest.mark.skipif(not MESSAGES, reason="the corpus of official examples is not beside the repository")
def test_official_dispute_is_read_whole() -> None:
    """The dispute of use case 4 gives its reason, the action asked for, the wrong rate and the right one."""
    message = read(next(path for path in MESSAGES if "UC4_F202500006_04" in path.name).read_bytes())
    (detail,) = message.details
    assert (detail.reason_code, detail.requested_action, detail.sequence) == ("TX_TVA_ERR", "NIN", 1)
    assert [(datum.type_code, datum.term, datum.percent) for datum in detail.characteristics] == [
        ("DIV", "BT-152", Decimal("10.00")),
        ("DVA", "BT-152", Decimal("20.00")),
    ]
    assert message.issuer.identifier("0002") == "200000008"


def test_both_formats_of_date() -> None:
    """The date of the object is understood as a day and as a second, whatever the attribute says."""
    as_day = write(replace(SIMPLE, object_issued=date(2026, 8, 31)))
    as_second = as_day.replace(b'"102">20260831', b'"204">20260831000000')
    mislabelled = as_day.replace(b'"102">20260831', b'"204">20260831')
    assert [read(data).object_day for data in (as_day, as_second, mislabelled)] == [date(2026, 8, 31)] * 3


@pytest.mark.parametrize("matricule", ["0000", "9998"])
def test_both_matricules_of_the_portal(matricule: str) -> None:
    """The portal is read under the number of the norm and under that of the older examples."""
    message = replace(SIMPLE, recipients=(Party("DFH", (Identifier(matricule, "0238"),)),))
    assert read(write(message)).recipients[0].identifier("0238") == matricule


def test_several_objects_are_seen() -> None:
    """A message on two objects is read on its first, and says that it has several."""
    data = write(SIMPLE)
    start, end = data.index(b"<ram:ReferenceReferencedDocument>"), data.index(b"</rsm:AcknowledgementDocument>")
    doubled = data[:end] + data[start:end] + data[end:]
    assert not read(data).multiple_references
    assert read(doubled).multiple_references


def test_a_character_that_xml_cannot_carry() -> None:
    """A control character typed in a comment is replaced, the rest of the comment is kept."""
    message = replace(SIMPLE, details=(Detail(notes=(Note("a\x07b"),)),))
    assert read(write(message)).comments == ("a\ufffdb",)


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        (b"<ram:ID>M-1</ram:ID>", b"", "IRR_SYNTAX", "MDT-4"),
        (b"<ram:ProcessConditionCode>205</ram:ProcessConditionCode>", b"", "IRR_SYNTAX", "MDT-105"),
        (b"20260901101500", b"20260931101500", "IRR_SYNTAX", "20260931101500"),
        (b"CrossDomainAcknowledgementAndResponse", b"CrossDomainSomething", "IRR_TYPE_F", "CrossDomainSomething"),
    ],
)
def test_what_cannot_be_a_message(old: bytes, new: bytes, code: str, says: str) -> None:
    """Without identifier, status or a real moment, or of another kind: refused, with the code and what is wrong."""
    with pytest.raises(Unreadable) as refused:
        read(write(SIMPLE).replace(old, new))
    assert refused.value.code == code
    assert says in refused.value.reason_fr
    assert says in refused.value.reason_en


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"<a", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_what_is_no_document(data: bytes) -> None:
    """Nothing, another kind, damaged XML and a document type are refused as unreadable."""
    with pytest.raises(Unreadable):
        read(data)

"""The portal takes the obligatory statuses that agree with the rules and with what it holds, and says why not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from estafette.formats.cdar import read
from estafette.formats.status_message import Attachment, Characteristic, Detail, Identifier, Note, Party, StatusMessage
from estafette.lifecycle.guards import StatusEvent
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party, for_portal
from estafette.lifecycle.obligatory import control_mandatory

AT = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
CORPUS = Path(__file__).parents[2] / "../shared/corpus/xp-z12-014"
FOR_PORTAL = sorted(CORPUS.rglob("*POUR_PPF.xml"))
COLLECTED = Characteristic(type_code="MEN", amount=Decimal(120), currency="EUR", percent=Decimal(20))
DETAILS = {
    "200": (),
    "210": (Detail(reason_code="TX_TVA_ERR", notes=(Note("10 % au lieu de 20 %."),)),),
    "212": (Detail(characteristics=(COLLECTED,)),),
    "213": (Detail(reason_code="DOUBLON"),),
}


def message(status: str, minute: int = 0, **more: object) -> StatusMessage:
    """An obligatory status as a platform sends it, set so many minutes after ten o'clock."""
    reference = InvoiceReference(
        number="F-1", type_code="380", issue_date=date(2026, 8, 31), seller_siren="100000009", received_at=AT
    )
    role = {"210": "BY", "212": "SE"}.get(status, "WK")
    at = AT + timedelta(minutes=minute)
    told = between_platforms(
        status,
        identifier="x",
        invoice=reference,
        issuer=company_party(role, "200000008", name="NOM"),
        recipients=(),
        set_at=at,
        issued_at=at,
        details=DETAILS[status],
    )
    return replace(for_portal(told, identifier="1", platform="0003"), **more)  # type: ignore[arg-type]


def held(*codes: str) -> tuple[StatusEvent, ...]:
    """What the portal holds: one status a minute from ten o'clock."""
    return tuple(StatusEvent(code, AT + timedelta(minutes=at)) for at, code in enumerate(codes))


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ("", "200"),
        ("", "213"),
        ("200", "213"),
        ("200", "210"),
        ("200", "212"),
        ("200 212", "212"),
        ("200 212", "210"),
        ("", "210"),  # the receiving platform was faster than the sending one
        ("213", "200"),  # corrected, submitted again under the same number
        ("200 213", "200"),
        ("213", "213"),
        ("213 200", "212"),
    ],
)
def test_statuses_that_are_taken(before: str, status: str) -> None:
    """What follows from what is held, or begins another life, is taken."""
    codes = before.split()
    assert control_mandatory(message(status, len(codes)), held(*codes), partner="0003") is None


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ("200", "200"),
        ("200 210", "212"),
        ("200 210", "213"),
        ("200 210", "210"),
        ("200 213", "212"),
        ("200 213", "210"),
        ("213 200 210", "212"),
    ],
)
def test_statuses_that_are_incoherent(before: str, status: str) -> None:
    """What contradicts what is held is rejected as incoherent."""
    codes = before.split()
    refusal = control_mandatory(message(status, len(codes)), held(*codes))
    assert refusal is not None
    assert refusal.code == "REJ_INC"


def test_a_collection_of_before_the_refusal() -> None:
    """A collection set before the refusal that arrived first is taken: the order is that of the statuses."""
    assert control_mandatory(message("212", 1), held("200", "200", "210")) is None


@pytest.mark.parametrize(
    ("changed", "code", "rule"),
    [
        ({"status": "205"}, "REJ_RG", "G7.44"),
        ({"identifier": "M" * 51}, "REJ_RG", "EST-MDT-4"),
        ({"status": "999"}, "REJ_INEX", "G7.09"),
        ({"multiple_references": True}, "REJ_RG", "P1.14"),
        ({"attachments": (Attachment(b"x"),)}, "REJ_RG", "G7.49"),
        ({"guideline": "urn.cpro.gouv.fr:1p0:CDV:invoice"}, "REJ_RG", "S1.06"),
        ({"object_reference_type": ""}, "REJ_RG", "G7.14"),
        ({"sender": Party("BY", (Identifier("0003", "0238"),))}, "REJ_RG", "G7.47"),
        ({"sender": Party("WK")}, "REJ_RG", "G7.54"),
        ({"sender": Party("WK", (Identifier("0005", "0238"),))}, "REJ_HAB", "G7.54"),
        ({"issuer": Party("BY", (), "NOM")}, "REJ_RG", "G6.26"),
        ({"issuer": Party("BY", (Identifier("200000008", "0002"),))}, "REJ_RG", "G7.46"),
        ({"issuer": company_party("SE", "100000009", name="NOM")}, "REJ_HAB", "G7.01"),
        ({"object_issuers": ()}, "REJ_RG", "G7.17"),
        ({"object_issuers": (Identifier("100000009", "0002"), Identifier("200000008", "0002"))}, "REJ_RG", "G7.17"),
        ({"object_issuers": (Identifier("10000000", "0002"),)}, "REJ_RG", "G7.17"),
        ({"object_identifier": ""}, "REJ_RG", "G7.23"),
        ({"object_identifier": "F  1"}, "REJ_RG", "G1.05"),
        ({"object_identifier": "F" * 36}, "REJ_RG", "G1.05"),
        ({"issuer": Party("BY", (Identifier("1", "0088"),), "NOM")}, "REJ_RG", "G1.73"),
        ({"object_issued": None}, "REJ_RG", "G7.31"),
        ({"received_at": None}, "REJ_RG", "G7.06"),
        ({"details": ()}, "REJ_RG", "G7.08"),
        ({"details": (Detail(reason_code="DOUBLON"),)}, "REJ_RG", "G7.25"),
        ({"status": "212"}, "REJ_HAB", "G7.01"),
    ],
)
def test_each_rule(changed: dict[str, object], code: str, rule: str) -> None:
    """A refusal by the buyer, wrong in one thing, is rejected with the code and the rule of that thing."""
    details = {"details": DETAILS["212"]} if changed.get("status") == "212" else {}
    refusal = control_mandatory(replace(message("210"), **(details | changed)), held("200"), partner="0003")  # type: ignore[arg-type]
    assert refusal is not None
    assert (refusal.code, refusal.rule) == (code, rule)
    assert refusal.terms
    assert refusal.fr != refusal.en


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"currency": "eur"}, "G1.10"),
        ({"amount": Decimal("0.0000001")}, "G7.07"),
        ({"amount": Decimal(10**19)}, "G7.07"),
    ],
)
def test_values_of_a_collection(changed: dict[str, object], rule: str) -> None:
    """A currency, an amount that the portal does not take; at their limits they are taken."""
    for fits in (Decimal("-1234567890123.123456"), Decimal(10**19 - 1), Decimal("0.000001")):
        good = replace(COLLECTED, amount=fits)
        assert (
            control_mandatory(message("212", details=(Detail(characteristics=(good,), notes=(Note("x"),)),)), ())
            is None
        )
    wrong = replace(COLLECTED, **changed)  # type: ignore[arg-type]
    refusal = control_mandatory(message("212", details=(Detail(characteristics=(wrong,)),)), ())
    assert refusal is not None
    assert (refusal.code, refusal.rule) == ("REJ_RG", rule)


def test_amounts_that_the_portal_does_not_take() -> None:
    """An amount approved is for the parties; a collection that is not split by rate has its own code."""
    approved = Characteristic(type_code="MAPTTC", amount=Decimal(10), currency="EUR")
    refusal = control_mandatory(message("212", details=(Detail(characteristics=(COLLECTED, approved)),)), ())
    assert refusal is not None
    assert refusal.rule == "G7.12"
    whole = replace(COLLECTED, percent=None)
    refusal = control_mandatory(message("212", details=(Detail(characteristics=(whole,)),)), ())
    assert refusal is not None
    assert refusal.code == "REJ_ENCAISSEMENT"


@pytest.mark.skipif(not FOR_PORTAL, reason="the corpus of official examples is not beside the repository")
def test_official_copies_for_the_portal() -> None:
    """The official copies follow each other well; they lack only the comment that annex 7 asks of a refusal."""
    lives: dict[str, list[StatusEvent]] = {}
    for told in sorted((read(path.read_bytes()) for path in FOR_PORTAL), key=lambda told: told.set_at):
        life = lives.setdefault(told.object_identifier, [])
        refusal = control_mandatory(told, life)
        rule = refusal.rule if refusal else None
        negative = any((datum.amount or 0) < 0 for datum in told.characteristics("MEN"))
        assert rule == ("G7.25" if told.status == "210" else "P1.17" if negative else None), told.name
        life.append(StatusEvent(told.status, told.set_at, told.issuer.role, told.identifier))
    assert len(lives) >= 7

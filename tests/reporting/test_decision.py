"""Which way a document goes, and the rule that says so."""

import pytest
from msgspec.structs import replace

from estafette.formats.flux10 import Role
from estafette.invoice.model import Address, Identifier, Invoice, Note, Party
from estafette.reporting.decision import Treatment, absent_from_directory, decide


def party(country: str = "FR", *, siren: str = "", vat: str = "", post_code: str = "", group: str = "") -> Party:
    """Return a party of a country."""
    return Party(
        legal_registration_identifier=Identifier(siren, "0002") if siren else None,
        vat_identifier=vat or None,
        postal_address=Address(country_code=country, post_code=post_code or None),
        identifiers=(Identifier(group, "0231"),) if group else (),
    )


HERE, THERE = party(siren="100000009", vat="FR15100000009"), party(siren="200000008", vat="FR38200000008")
GERMAN, AMERICAN, PERSON = party("DE", vat="DE123456789"), party("US"), party()


def document(seller: Party = HERE, buyer: Party = THERE, process: str = "S1", **notes: str) -> Invoice:
    """Return an invoice between two parties, with notes."""
    told = tuple(Note(text, code) for code, text in notes.items())
    return Invoice(number="F1", type_code="380", business_process=process, seller=seller, buyer=buyer, notes=told)


@pytest.mark.parametrize(
    ("seller", "buyer", "process", "treatment", "role", "rule"),
    [
        (HERE, THERE, "S1", "e-invoiced", "SE", "CGI 289 bis"),
        (HERE, PERSON, "B1", "10.3", "SE", "CGI 290"),
        (party(), THERE, "B1", "nothing", "SE", "CGI 289 bis"),
        (HERE, GERMAN, "B1", "10.1", "SE", "CGI 290"),
        (HERE, AMERICAN, "B1", "10.3", "SE", "CGI 290"),
        (GERMAN, THERE, "B1", "10.1", "BY", "CGI 290"),
        (AMERICAN, THERE, "S1", "10.1", "BY", "CGI 290"),
        (AMERICAN, THERE, "B1", "nothing", "SE", "CGI 291"),
        (GERMAN, AMERICAN, "S1", "nothing", "SE", "CGI 290"),
        (HERE, party("GP", siren="200000008"), "B1", "e-invoiced", "SE", "CGI 289 bis"),
        (HERE, party("FR", siren="200000008", post_code="97300"), "B1", "10.1", "SE", "CGI 290"),
        (HERE, party("NC", siren="200000008"), "B1", "10.1", "SE", "CGI 290"),
        (HERE, replace(HERE, postal_address=Address(country_code="DE")), "B1", "10.1", "SE", "CGI 290"),
        (party(siren="1", group="9"), party(siren="2", group="9"), "S1", "nothing", "SE", "CGI 256 C"),
    ],
)
def test_the_parties_decide(  # noqa: PLR0917 - a row of the table
    seller: Party, buyer: Party, process: str, treatment: str, role: str, rule: str
) -> None:
    """Countries, territories, identifiers and groups decide when nothing is said."""
    decision = decide(document(seller, buyer, process))
    assert (decision.treatment, decision.role, decision.reasons[0].rule) == (treatment, role, rule)
    assert all(reason.fr and reason.en and reason.terms for reason in decision.reasons)


@pytest.mark.parametrize(
    ("said", "treatment"),
    [
        ({"BAR": "B2C"}, "10.3"),
        ({"BAR": "B2CINT"}, "10.3"),
        ({"BAR": "B2BINT"}, "10.1"),
        ({"BAR": "B2B"}, "e-invoiced"),
        ({"BAR": "OUTOFSCOPE"}, "nothing"),
        ({"BAR": "ARCHIVEONLY"}, "archived"),
        ({"ADN": "B2G"}, "e-invoiced"),
        ({"BAR": "AUTRE"}, "e-invoiced"),
    ],
)
def test_a_note_decides(said: dict[str, str], treatment: str) -> None:
    """The note BAR says it, then the note ADN; a text that is in no list says nothing."""
    decision = decide(document(**said))
    assert decision.treatment == treatment
    if treatment != "e-invoiced":
        assert decision.reasons[0].rule == "BR-FR-20"
        assert "BT-22" in decision.fr


def test_the_deposit_decides_first() -> None:
    """What is asked with the deposit comes before the note."""
    decision = decide(document(BAR="B2B"), asked="B2C")
    assert (decision.treatment, decision.reasons[0].rule) == (Treatment.CONSUMER, "XP Z12-013 §5.2.4")
    assert decide(document(), asked="NotApplicable").treatment is Treatment.E_INVOICED


def test_a_doubt_is_said() -> None:
    """An operation said to be international between two parties in France is so declared, and doubted aloud."""
    decision = decide(document(BAR="B2BINT"))
    assert (decision.treatment, decision.role) == (Treatment.INTERNATIONAL, Role.SELLER)
    assert "à vérifier" in decision.fr
    assert "to be checked" in decision.en


def test_absent_from_the_directory() -> None:
    """A customer that the directory does not know is reported as a consumer."""
    assert absent_from_directory(decide(document())).treatment is Treatment.CONSUMER

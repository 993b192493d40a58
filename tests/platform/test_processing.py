"""The processing rule of a deposit is what its depositor says, else what the invoice says, and never a guess."""

from dataclasses import dataclass

import pytest
from tests.platform.world import SELLER, World, service

from estafette.invoice.model import Address, Identifier, Invoice, Note, Party
from estafette.platform.flows import Refusal
from estafette.platform.processing import Determined, determine, profile_of


@dataclass(frozen=True)
class Said:
    """What an invoice and its depositor say, and what follows."""

    rule: str | None
    bar: str | None = None
    adn: str | None = None
    given: str | None = None
    buyer: str | None = None
    public: bool = False


TABLE = {
    "given": Said("B2C", given="B2C"),
    "given and said": Said("B2B", given="B2B", bar="B2B"),
    "given to public": Said("B2G", given="B2G", bar="B2B"),
    "given abroad to public": Said("B2GInt", given="B2GInt", bar="B2BINT"),
    "given outside, public": Said("B2GOutOfScope", given="B2GOutOfScope", bar="OUTOFSCOPE"),
    "a copy to be kept": Said("ArchiveOnly", given="ArchiveOnly", bar="B2B"),
    "contradicted": Said(None, given="B2B", bar="B2C"),
    "contradicted for public": Said(None, given="B2G", bar="B2C"),
    "of no invoice": Said(None, given="NotApplicable"),
    "said": Said("B2BInt", bar="B2BINT"),
    "said of consumers abroad": Said("B2C", bar="B2CINT"),
    "said to be kept": Said("ArchiveOnly", bar="ARCHIVEONLY"),
    "said public": Said("B2G", adn="B2G"),
    "said public, twice": Said("B2G", bar="B2B", adn="B2G"),
    "said public, from abroad": Said("B2GInt", bar="B2BINT", adn="B2G"),
    "said public, outside": Said("B2GOutOfScope", bar="OUTOFSCOPE", adn="B2G"),
    "parties": Said("B2B", buyer="FR"),
    "parties, public": Said("B2G", buyer="FR", public=True),
    "parties, abroad": Said("B2BInt", buyer="BE"),
    "nothing tells": Said(None),
}


def party(country: str | None, siren: str | None) -> Party:
    """Make a party that says so much of itself."""
    registration = Identifier(siren, "0002") if siren else None
    vat = "BE0428759497" if country == "BE" else None
    return Party(
        vat_identifier=vat, legal_registration_identifier=registration, postal_address=Address(country_code=country)
    )


@pytest.mark.parametrize("said", TABLE.values(), ids=TABLE)
def test_the_table_of_the_norm(said: Said) -> None:
    """Each row of table 2 (XP Z12-013 §5.2.4): given, note BAR, note ADN, parties, inadmissible."""
    notes = tuple(Note(text=text, subject_code=code) for code, text in (("BAR", said.bar), ("ADN", said.adn)) if text)
    buyer = party(said.buyer, "200000008" if said.buyer == "FR" else None)
    document = Invoice(notes=notes, seller=party("FR", "100000009"), buyer=buyer)
    determined = determine(document, said.given, is_public=lambda _siren: said.public)
    if said.rule is None:
        assert isinstance(determined, Refusal)
        assert (determined.code, determined.item) == ("OtherTechnicalError", "processingRule")
    else:
        assert determined == Determined(said.rule, "Input" if said.given else "Computed")


@pytest.mark.parametrize(
    ("identifier", "profile"),
    [
        ("urn:cen.eu:en16931:2017", "CIUS"),
        ("urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr", "Extended-CTC-FR"),
        ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", "Basic"),
        ("", "Undefined"),
    ],
)
def test_the_profile_is_that_of_the_invoice(identifier: str, profile: str) -> None:
    """The flow profile is told by the specification identifier (BT-24)."""
    assert profile_of(Invoice(specification_identifier=identifier)) == profile


def test_what_is_contradicted_is_inadmissible(world: World) -> None:
    """A deposit whose rule its note BAR contradicts is acknowledged in error, and is no invoice of anybody."""
    number = world.number()
    flow = world.flow(SELLER, world.deposit(service(number), processing_rule="B2C"))
    assert (flow["acknowledgement"], flow["processing_rule"], flow["flow_type"]) == ("Error", "B2C", "CustomerInvoice")
    [detail] = flow["details"]
    assert (detail["reasonCode"], detail["item"]) == ("OtherTechnicalError", "processingRule")
    assert world.invoices(SELLER, number) == []


def test_what_is_found_out_is_told(world: World) -> None:
    """Once judged, a deposit that said nothing has its rule, its profile and its type."""
    flow = world.flow(SELLER, world.deposit(service(world.number())))
    told = [flow[name] for name in ("acknowledgement", "flow_type", "processing_rule", "processing_rule_source")]
    assert told == ["Ok", "CustomerInvoice", "B2B", "Computed"]
    assert flow["profile"] in ("CIUS", "Extended-CTC-FR", "Basic")

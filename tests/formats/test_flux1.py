"""The regulatory data are what the State's schemas and controls want, and its controls find what is wrong."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from msgspec.structs import replace
from tests.mutants import mutants

from estafette import formats
from estafette.formats import flux1
from estafette.formats.flux1 import structure
from estafette.formats.flux1.profile import FULL_FROM, KEEP
from estafette.formats.writing import write
from estafette.formats.xml import Syntax, Unreadable
from estafette.invoice.model import (
    Address,
    AllowanceCharge,
    Delivery,
    Identifier,
    Invoice,
    Item,
    Line,
    Note,
    Party,
    Period,
    PrecedingInvoice,
    Price,
    Totals,
    VatBreakdown,
)

SYNTAXES = (Syntax.UBL, Syntax.CII)
FILES = {
    (Syntax.UBL, "Invoice"): "F1_{0}_UBL_2.1/*nvoice-2.1.xsd",
    (Syntax.UBL, "CreditNote"): "F1_{0}_UBL_2.1/*CreditNote-2.1.xsd",
    (Syntax.CII, "CrossIndustryInvoice"): "F1_{0}_CII_D22B/**/*_CrossIndustryInvoice_100pD22B.xsd",
}


@cache
def schema(folder: Path, profile: flux1.Profile, syntax: Syntax, root: str) -> etree.XMLSchema:
    """Give the State's schema for a profile, a syntax and a root element."""
    (file,) = folder.glob(FILES[syntax, root].format(profile.name))
    return etree.XMLSchema(etree.parse(file))


def sound() -> Invoice:
    """Give an invoice of services whose data the portal accepts."""
    return Invoice(
        number="F2026-0001",
        issue_date=date(2026, 9, 15),
        type_code="380",
        currency="EUR",
        due_date=date(2026, 10, 15),
        business_process="S1",
        specification_identifier="urn:cen.eu:en16931:2017",
        notes=(Note("40 euros", "PMT"), Note("Pas d'escompte", "AAB")),
        seller=party("100000009", "FR88100000009"),
        buyer=party("200000008", "FR37200000008"),
        delivery=Delivery(actual_delivery_date=date(2026, 9, 10)),
        invoicing_period=Period(date(2026, 9, 1), date(2026, 9, 10)),
        totals=Totals(total_without_vat=Decimal("100.00"), total_vat=Decimal("20.00")),
        vat_breakdown=(VatBreakdown(Decimal("100.00"), Decimal("20.00"), "S", Decimal(20)),),
        lines=(
            Line(
                identifier="1",
                quantity=Decimal(2),
                unit_code="HUR",
                net_amount=Decimal("100.00"),
                price=Price(net=Decimal("50.00")),
                vat_category="S",
                vat_rate=Decimal(20),
                item=Item(name="Conseil"),
            ),
        ),
    )


def party(siren: str, vat: str) -> Party:
    """Give a French party."""
    legal = Identifier(siren, "0002")
    address = Address(line_one="1 rue des Lilas", city="Lyon", post_code="69001", country_code="FR")
    return Party(name="Société", legal_registration_identifier=legal, vat_identifier=vat, postal_address=address)


def rules_broken(
    invoice: Invoice, profile: flux1.Profile = flux1.Profile.FULL, syntax: Syntax = Syntax.UBL
) -> set[str]:
    """Name the rules that a file with these values breaks, written as they are and not as they should be mapped."""
    data = write(invoice, syntax, keep=KEEP[profile])
    try:
        return {anomaly.rule for anomaly in flux1.control(f"{profile.value}_x.xml", data)}
    except Unreadable as fault:
        return {fault.code}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("profile", flux1.Profile)
def test_official_invoices_give_valid_data(
    accepted: Path, schemas: Path, profile: flux1.Profile, syntax: Syntax
) -> None:
    """The data of an accepted document, one file for each of its sellers, are valid and accepted."""
    invoice = formats.read(accepted.read_bytes())
    units = flux1.units(invoice)
    assert len(units) == (2 if invoice.business_process == "S8" else 1)
    for unit in units:
        name, data = flux1.build(unit, profile=profile, syntax=syntax)
        tree = etree.fromstring(data)
        schema(schemas, profile, syntax, etree.QName(tree).localname).assertValid(tree)
        assert flux1.control(name, data) == ()


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("profile", flux1.Profile)
def test_facts_are_those_of_the_invoice(profile: flux1.Profile, syntax: Syntax) -> None:
    """What the State reads is what the invoice said, and the lines only in the target profile."""
    name, data = flux1.build(sound(), profile=profile, syntax=syntax)
    facts = flux1.read(name, data)
    assert name == f"{profile.value}_100000009_2026_F2026-0001.xml"
    assert facts.key == ("100000009", 2026, "F2026-0001")
    assert (facts.buyer_siren, facts.seller_country, facts.buyer_vat_number) == ("200000008", "FR", "FR37200000008")
    assert (facts.total_without_vat, facts.total_vat_in_euro) == (Decimal("100.00"), Decimal("20.00"))
    assert facts.vat_breakdown == sound().vat_breakdown
    assert facts.delivery_date == date(2026, 9, 10)
    assert len(facts.lines) == (1 if profile is flux1.Profile.FULL else 0)
    assert flux1.control(name, data) == ()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_nothing_private_leaves(syntax: Syntax) -> None:
    """Names, streets, payment terms and private notes are nowhere in the data."""
    secret = replace(sound(), payment_terms="SECRET", notes=(*sound().notes, Note("SECRET", "AAI"), Note("SECRET")))
    _, data = flux1.build(secret, profile=flux1.Profile.FULL, syntax=syntax)
    assert not any(word in data.decode() for word in ("SECRET", "Lilas", "Société", "40 euros"))


@pytest.mark.parametrize(
    ("number", "on", "expected"),
    [
        ("F" * 20, None, "F" * 20),
        ("A" + "F" * 20, None, "T" + "F" * 19),
        ("A" + "F" * 20, date(2026, 12, 31), "T" + "F" * 19),
        ("A" + "F" * 34, date(2027, 1, 1), "A" + "F" * 34),
        ("A" + "F" * 35, date(2027, 1, 1), "T" + "F" * 19),
    ],
)
def test_numbers_at_the_limits(number: str, on: date | None, expected: str) -> None:
    """A number is kept to the portal's length and cut past it, 20 characters until the end of 2026 and 35 then."""
    assert flux1.portal_number(number, on=on) == expected


def test_profile_follows_the_calendar() -> None:
    """The target profile begins on its day, not the day before."""
    assert flux1.profile_on(date(2027, 8, 31)) is flux1.Profile.BASE
    assert flux1.profile_on(FULL_FROM) is flux1.Profile.FULL


def mapped(**changes: object) -> Invoice:
    """Give the regulated form of the sound invoice with these changes."""
    return flux1.regulated(replace(sound(), **changes), profile=flux1.Profile.FULL)


@pytest.mark.parametrize(("said", "sent"), [(None, None), ("3", "3"), ("35", "3"), ("432", None)])
def test_only_the_debit_option_is_said(said: str | None, sent: str | None) -> None:
    """BT-8 is sent for the debit option only (BR-FR-MAP-03, 29)."""
    assert mapped(vat_point_code=said).vat_point_code == sent


def test_global_rebate_becomes_a_credit_note_on_its_contract() -> None:
    """Type 262 is 381, its contract the preceding invoice, its period the date (BR-FR-MAP-02)."""
    credit = mapped(type_code="262", contract_reference="C1")
    assert credit.type_code == "381"
    assert credit.preceding_invoices == (PrecedingInvoice("C1", date(2026, 9, 1)),)


def test_notes_are_the_states() -> None:
    """Only AAB, BLU and TXD are sent, the last in the portal's words, none longer than 1024 (BR-FR-MAP-04, 06, 18)."""
    notes = mapped(notes=(Note("MEMBRE_ASSUJETTI_UNIQUE", "TXD"), Note("e" * 1025, "BLU"), Note("x", "REG"))).notes
    assert notes == (Note("Membre d'un assujetti unique", "TXD"), Note("e" * 1024, "BLU"))


@pytest.mark.parametrize(
    ("category", "reason", "code", "expected"),
    [
        ("E", "Franchise", "VATEX-FR-FRANCHISE", ("Z", None, None)),
        ("AE", None, "VATEX-EU-AE", ("AE", "Autoliquidation", "VATEX-EU-AE")),
        ("E", None, "VATEX-EU-79-C", ("E", "Exonération de TVA, code VATEX-EU-79-C", "VATEX-EU-79-C")),
        ("E", "Article 261", None, ("E", "Article 261", "NR")),
        ("S", None, None, ("S", None, None)),
    ],
)
def test_exemptions(category: str, reason: str | None, code: str | None, expected: tuple[str | None, ...]) -> None:
    """Small businesses are Z; a code gets a text and a text a code (BR-FR-MAP-08, 25, 27)."""
    (part,) = mapped(vat_breakdown=(VatBreakdown(Decimal(1), Decimal(0), category, None, reason, code),)).vat_breakdown
    assert (part.category, part.exemption_reason, part.exemption_code) == expected
    assert part.rate == 0


@pytest.mark.parametrize(("country", "sent"), [("RE", "FR"), ("GP", "FR"), ("MQ", "FR"), ("GF", "GF"), ("DE", "DE")])
def test_departments_where_vat_applies_are_france(country: str, sent: str) -> None:
    """Guadeloupe, Martinique and Réunion are FR at the portal (BR-FR-MAP-14)."""
    seller = replace(sound().seller, postal_address=Address(country_code=country))
    assert mapped(seller=seller).seller.postal_address == Address(country_code=sent)


def test_delivery_address_is_completed_and_cut() -> None:
    """A delivery address without a line or a city gets dashes, a long post code is cut (BR-FR-MAP-10, 17, 19)."""
    delivery = mapped(delivery=Delivery(postal_address=Address(post_code="1" * 11, country_code="FR"))).delivery
    assert delivery is not None
    assert delivery.postal_address == Address(line_one="-", city="-", post_code="1" * 10, country_code="FR")


def test_lines_that_count() -> None:
    """Groups and information are not sent, and a gross price that was not said is the net (BR-FR-MAP-21, 24)."""
    (line,) = sound().lines
    lines = (
        line,
        replace(line, subtype="GROUP"),
        replace(line, subtype="INFORMATION"),
        replace(line, subtype="DETAIL"),
    )
    sent = mapped(lines=lines).lines
    assert [each.subtype for each in sent] == [None, "DETAIL"]
    assert sent[0].price == Price(net=Decimal("50.00"), gross=Decimal("50.00"))


@pytest.mark.parametrize("name", ["base_x.xml", "FULL_x.xml", "x.xml", "Base_.xml", "Base_x.pdf", ""])
def test_a_name_without_profile(name: str) -> None:
    """A file whose name does not announce its profile, in the right case, is inadmissible (S1.06)."""
    _, data = flux1.build(sound(), profile=flux1.Profile.BASE)
    with pytest.raises(Unreadable) as caught:
        flux1.read(name, data)
    assert caught.value.code == "IRR_NOM_F"


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_an_element_outside_the_profile(syntax: Syntax) -> None:
    """Data of the target profile under the name of the other are inadmissible, as is a whole invoice."""
    preceding = (PrecedingInvoice("F1", date(2026, 1, 1)),)
    _, full = flux1.build(replace(sound(), preceding_invoices=preceding), profile=flux1.Profile.FULL, syntax=syntax)
    for data in (full, write(sound(), syntax)):
        with pytest.raises(Unreadable) as caught:
            flux1.read("Base_x.xml", data)
        assert caught.value.code == "IRR_SYNTAX"
        assert caught.value.where.startswith("/")


@pytest.mark.parametrize(
    ("seen", "put", "named"),
    [
        ("<ram:ID>F2026-0001<", "<ram:ID><", ("", "100000009", date(2026, 9, 15))),
        (">20260915<", ">2026-09-15<", ("F2026-0001", "100000009", None)),
        (">100000009</ram:ID>", "></ram:ID>", ("F2026-0001", "", date(2026, 9, 15))),
        (">200000008</ram:ID>", "></ram:ID>", ("F2026-0001", "100000009", date(2026, 9, 15))),
    ],
)
def test_data_without_a_key(seen: str, put: str, named: tuple[str, str, date | None]) -> None:
    """Data that do not say which invoice they are are read and rejected, and what they say still names them."""
    name, data = flux1.build(sound(), profile=flux1.Profile.BASE, syntax=Syntax.CII)
    assert seen in data.decode()
    data = data.decode().replace(seen, put, 1).encode()
    assert flux1.read(name, data).named == named
    assert flux1.control(name, data)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("profile", flux1.Profile)
def test_what_is_taken_is_what_the_schema_takes(schemas: Path, profile: flux1.Profile, syntax: Syntax) -> None:
    """Whatever one changes in a file, it is taken when the State's schema takes it, and only then."""
    name, data = flux1.build(sound(), profile=profile, syntax=syntax)
    whole = etree.fromstring(data)
    official = schema(schemas, profile, syntax, etree.QName(whole).localname)
    taken = 0
    for changed in mutants(whole):
        try:
            flux1.read(name, etree.tostring(changed))
        except Unreadable as refused:
            assert not official.validate(etree.ElementTree(changed)), (str(refused), etree.tostring(changed))
        else:
            taken += 1
            official.assertValid(etree.ElementTree(changed))
    assert taken > 20


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_long_documents_are_not_remembered(syntax: Syntax) -> None:
    """The structure of a document of many lines is judged, and nothing of it stays in memory."""
    whole = replace(sound(), lines=(priced(),) * (structure.CHILDREN_MAX + 2))
    data = write(whole, syntax, keep=KEEP[flux1.Profile.FULL])
    assert flux1.structure_fault(data, syntax, flux1.Profile.FULL) is None
    known = structure._follows_by_heart.cache_info().currsize
    for count in (structure.CHILDREN_MAX, structure.CHILDREN_MAX + 1):
        longer = write(replace(whole, lines=(priced(),) * (count + 1)), syntax, keep=KEEP[flux1.Profile.FULL])
        assert flux1.structure_fault(longer, syntax, flux1.Profile.FULL) is None
    assert structure._follows_by_heart.cache_info().currsize == known


def priced() -> Line:
    """Give a line as the target profile wants it."""
    return flux1.regulated(sound(), profile=flux1.Profile.FULL).lines[0]


PART = sound().vat_breakdown[0]
CREDIT = {"type_code": "381"}
WRONG = {
    "G6.08": {"seller": replace(sound().seller, postal_address=Address())},
    "G6.09": {"lines": (replace(priced(), price=Price(net=Decimal(50))),)},
    "G6.16": {"delivery": Delivery(postal_address=Address(country_code="FR"))},
    "G6.10": {"allowances": (AllowanceCharge(amount=Decimal(1), vat_category="S"),)},
    "G6.17": {"charges": (AllowanceCharge(amount=Decimal(1), vat_category="S"),)},
    "G1.05": {"number": "F 1  2"},
    "G1.01": {"type_code": "325"},
    "G1.36": {"due_date": date(2100, 1, 1)},
    "G2.19": {"buyer": party("20000000", "FR37200000008")},
    "G2.33": {"buyer": replace(sound().buyer, vat_identifier=None)},
    "G2.01": {"buyer": replace(sound().buyer, postal_address=Address(country_code="EL"))},
    "P1.11": {"vat_point_code": "99"},
    "G2.31": {"vat_breakdown": (replace(PART, category="L"),)},
    "G1.24": {"vat_breakdown": (replace(PART, rate=Decimal(21)),)},
    "G1.02": {"business_process": "S3"},
    "G1.10": {"currency": "eur"},
    "S1.14": {"seller": replace(sound().seller, identifiers=(Identifier("100000009", "0088"),))},
    "G1.101": {"seller": replace(sound().seller, identifiers=(Identifier("10000000", "0231"),))},
    "G1.14": {"totals": Totals(total_without_vat=Decimal("100.000"), total_vat=Decimal("20.00"))},
    "G1.15": {"lines": (replace(priced(), quantity=Decimal("0.00001")),)},
    "G1.16": {"lines": (replace(priced(), price=Price(net=Decimal(-1), gross=Decimal(-1))),)},
    "G1.60": {"type_code": "386", "business_process": "S4"},
    "G1.12": {"currency": "USD"},
    "G1.53": {"totals": Totals(total_without_vat=Decimal("100.02"), total_vat=Decimal("20.00"))},
    "G1.55": {"lines": (replace(priced(), price=Price(net=Decimal(50), discount=Decimal(1), gross=Decimal(50))),)},
    "G6.25": {"invoicing_period": Period(date(2026, 9, 1), date(2026, 9, 1))},
    "G1.31": CREDIT,
    "G1.41": {"vat_breakdown": (replace(PART, category="E", rate=Decimal(0), exemption_reason="x"),)},
    "G1.47": {
        "seller": replace(sound().seller, vat_identifier=None),
        "vat_breakdown": (replace(PART, category="E", exemption_reason="x", exemption_code="y"),),
    },
    "G2.32": {
        "vat_breakdown": (replace(PART, category="E", exemption_reason="x", exemption_code="VATEX-FR-CGI261-1"),),
    },
    "G6.21": {
        "vat_breakdown": (replace(PART, category="E", exemption_reason="x", exemption_code="VATEX-FR-CNWVAT"),),
    },
}
"""For each rule, what to change in sound data to break it."""

BY_THE_SCHEMA = {("G6.09", Syntax.CII)}
"""Rules whose breach the schema refuses already, in one syntax."""


def test_every_rule_has_an_example() -> None:
    """No control is without an example that breaks it."""
    assert set(WRONG) == set(flux1.controls.rules())


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("rule", WRONG)
def test_each_rule_fires(rule: str, syntax: Syntax) -> None:
    """Sound data break no rule; with the one change, the rule is broken."""
    data = flux1.regulated(sound(), profile=flux1.Profile.FULL)
    assert rules_broken(data, syntax=syntax) == set()
    broken = rules_broken(replace(data, **WRONG[rule]), syntax=syntax)
    assert broken == {"IRR_SYNTAX"} if (rule, syntax) in BY_THE_SCHEMA else rule in broken


def test_credit_notes_may_refer_from_their_lines() -> None:
    """A credit note whose every line names a dated invoice needs no reference in its header, and may not have both."""
    reference = PrecedingInvoice("F1", date(2026, 1, 1))
    data = flux1.regulated(sound(), profile=flux1.Profile.FULL)
    lines = (replace(priced(), preceding_invoice=reference),)
    assert rules_broken(replace(data, **CREDIT, lines=lines)) == set()
    assert rules_broken(replace(data, **CREDIT, lines=lines, preceding_invoices=(reference,))) == {"G1.31"}


@pytest.mark.parametrize(
    ("seen", "put", "rule"),
    [
        ("20260915", "20260931", "G1.09"),
        (">100.00<", ">100.000<", "G1.14"),
        ('schemeID="VA"', 'schemeID="VB"', "S1.17"),
        ("<ram:TypeCode>VAT</ram:TypeCode>", "<ram:TypeCode>GST</ram:TypeCode>", "S1.17"),
    ],
)
def test_what_reading_finds(seen: str, put: str, rule: str) -> None:
    """A wrong date, a wrong number or a foreign qualifier is an anomaly under its rule."""
    name, data = flux1.build(sound(), profile=flux1.Profile.BASE, syntax=Syntax.CII)
    assert seen in data.decode()
    assert rule in {anomaly.rule for anomaly in flux1.control(name, data.decode().replace(seen, put).encode())}


def test_one_moment_of_exigibility_in_cii() -> None:
    """Two breakdowns with two exigibility codes are an anomaly in CII (S1.13)."""
    parts = (replace(PART, taxable_amount=Decimal("50.00"), tax_amount=Decimal("10.00")),) * 2
    name, data = flux1.build(
        replace(sound(), vat_point_code="3", vat_breakdown=parts), profile=flux1.Profile.BASE, syntax=Syntax.CII
    )
    assert flux1.control(name, data) == ()
    code = "<ram:DueDateTypeCode>{}</ram:DueDateTypeCode>"
    twice = data.decode().replace(code.format(5), code.format(72), 1).encode()
    assert {anomaly.rule for anomaly in flux1.control(name, twice)} == {"S1.13"}


def test_anomalies_speak_both_languages() -> None:
    """An anomaly says what was seen, in French and English, with its terms and the portal's reason."""
    data = write(replace(sound(), type_code="325"), Syntax.UBL, keep=KEEP[flux1.Profile.BASE])
    (anomaly,) = flux1.control("Base_x.xml", data)
    assert (anomaly.rule, anomaly.reason, anomaly.terms, anomaly.seen) == ("G1.01", "REJ_SEMAN", ("BT-3",), "325")
    assert "325" in anomaly.message_fr
    assert "325" in anomaly.message_en

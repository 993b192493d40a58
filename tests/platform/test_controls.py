"""What no Schematron can know is controlled: the directory, what was had before, what e-invoicing carries at all."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, create_engine, delete
from tests.platform.world import BUYER, SELLER, TODAY, TOWN, World, document, party, service

from estafette.directory import Establishment, LegalUnit, RoutingCode
from estafette.exchange.messages import Kind
from estafette.formats import directory, read
from estafette.formats.writing import write
from estafette.formats.xml import Syntax
from estafette.invoice.model import Identifier, Invoice, PrecedingInvoice
from estafette.platform import controls
from estafette.platform import mirror_tables as tables
from estafette.platform.mirror import Mirror
from estafette.portal import extract_contents
from estafette.store.tables import sequence

CORPUS = Path(__file__).parents[2] / "../shared/corpus/xp-z12-014-v1.3/Facture_Sous_Ligne_et_Multi-Vendeur"


def faults(world: World, number: str) -> list[tuple[str, str, str]]:
    """Return why an invoice was rejected: reason, rule, terms."""
    row = world.row(SELLER, number)
    assert row["standing"] == "rejected"
    return [(fault["reason"], fault["rule"], fault["terms"]) for fault in row["explanation"]["faults"]]


def forget(world: World, siren: str | None = None) -> None:
    """The platform's copy of the directory has no such unit, or nothing at all."""
    unit = tables.mirror_unit
    with world.platform("platform-a").home.actor.database.begin() as connection:
        connection.execute(delete(unit).where(unit.c.siren == siren) if siren else delete(unit))
        if siren is None:
            connection.execute(delete(tables.mirror_line))


def test_seller_not_in_the_directory(own_world: World) -> None:
    """A seller that the directory does not have is rejected: the portal would refuse its data (G1.63)."""
    forget(own_world, SELLER)
    own_world.deposit(service("N1"))
    assert faults(own_world, "N1") == [("REJ_COH", "BR-FR-10", "BT-30")]


def test_no_directory_yet(own_world: World) -> None:
    """While no directory has come nothing is decided: the deposit waits, and is judged once it has."""
    forget(own_world)
    flow = own_world.leave(service("W1"))
    assert own_world.work_with_troubles() == ["platform-a: the directory has not come yet"]
    assert own_world.flow(SELLER, flow)["acknowledgement"] == "Pending"
    with own_world.platform("platform-a").home.actor.database.begin() as connection:
        Mirror().load(connection, _export(own_world))
    own_world.pass_by(hours=1)
    own_world.work()
    assert own_world.statuses(BUYER, "W1") == "202 203"


def _export(world: World) -> bytes:
    """Return the directory as the portal would send it."""
    with world.hall.actor.database.read() as connection:
        shown = extract_contents.full(connection, change=10**9, day=TODAY)
        return directory.write((presence.entry for presence in shown), produced_at=world.clock.now)


def test_vat_group_not_in_the_directory(world: World) -> None:
    """The SIREN of a VAT group (BT-29 of scheme 0231) is looked for as those of the parties are."""
    invoice = Invoice(seller=replace(party(SELLER), identifiers=(Identifier("800000002", "0231"),)))
    platform = world.platform("platform-a")
    with platform.home.actor.database.read() as connection:
        found = list(controls.directory_faults(platform.home.mirror, connection, invoice))
    assert [(fault.rule, fault.terms) for fault in found] == [("G1.101", "BT-29")]


def test_other_sellers_of_a_document() -> None:
    """Each seller of a document that charges VAT has a VAT number (BR-FR-MV-04)."""
    if not CORPUS.exists():
        pytest.skip("the official documents are not there")
    (file,) = CORPUS.glob("Multi-Vendeur/UC10_*_UBL_*.xml")
    invoice = read(file.read_bytes())
    assert list(controls.content_faults(invoice)) == []
    lines = tuple(
        line if not line.seller else replace(line, seller=replace(line.seller, vat_identifier=None))
        for line in invoice.lines
    )
    (fault,) = controls.content_faults(replace(invoice, lines=lines))
    assert (fault.rule, "111111118_F202600004" in fault.fr) == ("BR-FR-MV-04", True)


def test_other_seller_not_in_the_directory(world: World) -> None:
    """A seller of the lines that the directory does not have rejects the document, and its place is named."""
    if not CORPUS.exists():
        pytest.skip("the official documents are not there")
    (file,) = CORPUS.glob("Multi-Vendeur/UC11_*_UBL_*.xml")
    world.deposit(file.read_bytes())
    assert faults(world, "F202600022") == [("REJ_COH", "BR-FR-10", "EXT-FR-FE-167")]


@pytest.mark.parametrize("fine", [True, False])
def test_public_buyer_has_a_siret(world: World, fine: bool) -> None:
    """A public buyer is named by its SIRET, that of the address (BR-FR-CPRO-10)."""
    number = world.number()
    buyer = read(document("public", number)).buyer
    kept = tuple(each for each in buyer.identifiers if fine or each.scheme != "0009")
    changed = replace(buyer, identifiers=kept)
    world.deposit(document("public", number, buyer=changed))
    if fine:
        assert world.statuses(TOWN, number) == "202 203"
    else:
        assert faults(world, number) == [("REJ_CONT_B2G", "BR-FR-CPRO-10", "BT-46, BT-49")]


SIRET = "40000000600009"
FLAGS = ("commitment_required", "service_required", "commitment_or_service_required")


@pytest.mark.parametrize(
    ("asked", "terms", "broken"),
    [
        ((), {}, []),
        ((), {"siret": "40000000600017"}, ["BR-FR-CPRO-10"]),
        (("service_required",), {}, ["BR-FR-CPRO-11"]),
        (("service_required",), {"service": "INCONNU"}, ["BR-FR-CPRO-11"]),
        (("service_required",), {"service": "VOIRIE"}, []),
        (("service_required",), {"service": "ECOLES"}, ["BR-FR-CPRO-12"]),
        (("service_required",), {"service": "ECOLES", "order": "E-1"}, []),
        (("commitment_required",), {}, ["BR-FR-CPRO-12"]),
        (("commitment_required",), {"order": "E-1"}, []),
        (("commitment_required",), {"contract": "M-1"}, []),
        (("commitment_or_service_required",), {}, ["BR-FR-CPRO-13"]),
        (("commitment_or_service_required",), {"service": "VOIRIE"}, []),
        (("commitment_or_service_required",), {"order": "E-1"}, []),
    ],
)
def test_what_a_public_establishment_asks(
    public_asks: Callable[[tuple[str, ...]], Connection],
    asked: tuple[str, ...],
    terms: dict[str, str],
    broken: list[str],
) -> None:
    """The flags of the directory say what an invoice must carry: SIRET, service, commitment (BR-FR-CPRO-10 to 13)."""
    identifiers = [Identifier(terms.get("siret", SIRET), "0009")]
    identifiers += [Identifier(terms["service"], "0224")] if "service" in terms else []
    invoice = Invoice(
        buyer=replace(party(TOWN, address=f"{TOWN}_{SIRET}"), identifiers=tuple(identifiers)),
        purchase_order_reference=terms.get("order"),
        contract_reference=terms.get("contract"),
    )
    found = controls.public_faults(Mirror(), public_asks(asked), invoice)
    assert [fault.rule for fault in found] == broken


@pytest.fixture
def public_asks(own_directory: Connection) -> Callable[[tuple[str, ...]], Connection]:
    """Give a way to say what the town asks; two of its services are known, one of which wants commitments."""

    def ask(asked: tuple[str, ...]) -> Connection:
        flags = dict.fromkeys(
            ("is_contracting_authority", "is_contracting_authority_only", "manages_payment_status"), False
        )
        flags |= {flag: flag in asked for flag in FLAGS}
        entries = [
            LegalUnit(siren=TOWN, name="Commune", entity_type="P"),
            Establishment(siret=SIRET, name="Mairie", **flags),
            RoutingCode(siret=SIRET, code="ECOLES", name="Écoles", commitment_required=True),
            RoutingCode(siret=SIRET, code="VOIRIE", name="Voirie", commitment_required=False),
        ]
        Mirror().load(own_directory, directory.write(entries, produced_at=datetime(2026, 9, 15, tzinfo=UTC)))
        return own_directory

    return ask


@pytest.fixture
def own_directory() -> Iterator[Connection]:
    """Give an empty copy of the directory."""
    engine = create_engine("sqlite://")
    tables.metadata.create_all(engine)
    sequence.create(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def exempt(number: str, code: str) -> Invoice:
    """Give the invoice of a service, exempt for a reason."""
    invoice = read(service(number))
    part = replace(invoice.vat_breakdown[0], category="E", exemption_code=code, exemption_reason="Exonération")
    return replace(invoice, vat_breakdown=(part,))


@pytest.mark.parametrize(
    ("code", "outside"), [("VATEX-FR-CGI261-1", True), ("VATEX-FR-CGI261E-2", True), ("VATEX-FR-FRANCHISE", False)]
)
def test_exempt_operations(code: str, outside: bool) -> None:
    """Nothing but operations of the articles 261 is outside e-invoicing (G2.32); small businesses are not."""
    assert controls.outside(exempt("X1", code)) is outside


def test_exempt_with_a_taxed_part() -> None:
    """A taxed part brings the whole invoice back into e-invoicing."""
    taxed = read(service("X1")).vat_breakdown[0]
    invoice = exempt("X1", "VATEX-FR-CGI261-1")
    assert not controls.outside(replace(invoice, vat_breakdown=(*invoice.vat_breakdown, taxed)))


def test_exempt_invoice_declares_nothing(world: World) -> None:
    """An invoice of exempt operations only is kept and explained; nothing leaves the platform."""
    number = world.number()
    world.deposit(write(as_exempt(read(service(number))), Syntax.UBL))
    row = world.row(SELLER, number)
    assert (row["standing"], "261" in row["explanation"]["fr"]) == ("reportable", True)
    assert (world.wire.crossed, world.told(number)) == ([], "")


def as_exempt(invoice: Invoice) -> Invoice:
    """Give the invoice without VAT, each line and total of it."""
    zero, totals = Decimal("0.00"), invoice.totals
    reason = {"exemption_code": "VATEX-FR-CGI261C-1", "exemption_reason": "Opérations bancaires"}
    (part,) = invoice.vat_breakdown
    return replace(
        invoice,
        lines=tuple(replace(line, vat_category="E", vat_rate=zero) for line in invoice.lines),
        vat_breakdown=(replace(part, category="E", rate=zero, tax_amount=zero, **reason),),
        totals=replace(
            totals, total_vat=zero, total_with_vat=totals.total_without_vat, amount_due=totals.total_without_vat
        ),
    )


def test_credit_note_of_a_refused_invoice(world: World) -> None:
    """A credit note of a refused invoice stays at home: sent, it would cancel it twice (use-cases.md §6.1)."""
    number, credit = world.number(), world.number("A")
    world.deposit(service(number))
    world.answer(BUYER, number, "210", reason="TX_TVA_ERR", comment="Taux attendu : 20 %")
    world.wire.reset()
    world.deposit(credit_note(credit, number))
    row = world.row(SELLER, credit)
    assert (row["standing"], "refusée" in row["explanation"]["fr"]) == ("archived", True)
    assert world.crossed(Kind.INVOICE, "0005") == []
    assert world.told(credit) == ""


def test_credit_note_of_a_living_invoice(world: World) -> None:
    """A credit note of an invoice that lives, or that is not known here, goes its way."""
    number, credit, other = world.number(), world.number("A"), world.number("A")
    world.deposit(service(number))
    world.deposit(credit_note(credit, number))
    world.deposit(credit_note(other, "INCONNUE"))
    assert world.statuses(BUYER, credit) == world.statuses(BUYER, other) == "202 203"


def credit_note(number: str, of: str) -> bytes:
    """Write a credit note of an invoice of the same day."""
    day = read(service(of)).issue_date
    return document("credit-note", number, preceding_invoices=(PrecedingInvoice(of, day),))

"""Our own samples are accepted by the official rules, under any number and date, and on paper too."""

from datetime import date

import pytest
from msgspec.structs import replace

from estafette import formats
from estafette.formats import flux1
from estafette.rules import check
from estafette.simulation import samples

LATER = date(2027, 2, 14)


@pytest.mark.parametrize("name", samples.NAMES)
def test_samples_are_accepted(name: str) -> None:
    """Each sample, under another number and date, is accepted without a warning left unread."""
    data = samples.load(name, number="X/2027-7", issue_date=LATER)
    assert check(data).accepted
    invoice = formats.read(data)
    assert (invoice.number, invoice.issue_date, invoice.unread) == ("X/2027-7", LATER, ())


@pytest.mark.parametrize("profile", flux1.Profile)
@pytest.mark.parametrize("name", samples.NAMES)
def test_samples_give_regulatory_data(name: str, profile: flux1.Profile) -> None:
    """The portal would accept the regulatory data of each sample."""
    invoice = formats.read(samples.load(name, number="X1", issue_date=LATER))
    assert flux1.control(*flux1.build(invoice, profile=profile)) == ()


def test_dates_move_together() -> None:
    """Due and delivery dates, and that of a preceding invoice, keep their distance to the issue date."""
    service = formats.read(samples.load("service", number="X1", issue_date=LATER))
    assert (service.delivery_date, service.due_date) == (date(2027, 2, 13), date(2027, 3, 16))
    credit = formats.read(samples.load("credit-note", number="X1", issue_date=LATER))
    assert credit.preceding_invoices[0].issue_date == date(2027, 1, 14)


def test_terms_can_be_changed() -> None:
    """The due date, a party or any other term is what the caller says."""
    due = date(2027, 3, 1)
    buyer = formats.read(samples.load("public", number="X1", issue_date=LATER)).buyer
    data = samples.load("service", number="X1", issue_date=LATER, due_date=due, buyer=buyer, business_process="S4")
    invoice = formats.read(data)
    assert (invoice.due_date, invoice.buyer, invoice.business_process) == (due, buyer, "S4")


def test_twins_are_twins() -> None:
    """The UBL and the CII of the service invoice say the same."""
    one, other = (
        formats.read(samples.load(name, number="X1", issue_date=LATER)) for name in ("service", "service-cii")
    )
    assert one == other


def test_unknown_sample() -> None:
    """A sample that does not exist is a KeyError."""
    with pytest.raises(KeyError):
        samples.load("../service", number="X1", issue_date=LATER)


def test_paper() -> None:
    """A CII in a PDF is accepted and comes out byte for byte."""
    xml = samples.load("service-cii", number="X1", issue_date=LATER)
    pdf = samples.facturx_from(xml)
    assert formats.extract(pdf) == ("factur-x.xml", xml)
    assert check(pdf).accepted


def test_paper_of_a_seller_with_a_foreign_name() -> None:
    """A name that the font cannot write does not prevent the page."""
    xml = samples.load("service-cii", number="X1", issue_date=LATER)
    seller = replace(formats.read(xml).seller, name="Ξένος")
    assert samples.facturx_from(samples.load("service-cii", number="X1", issue_date=LATER, seller=seller))

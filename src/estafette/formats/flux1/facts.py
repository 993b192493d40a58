"""What a file of regulatory data says, and what makes it no such file.

The portal's schemas are cut down to the terms of a profile: an element outside them makes the whole flow inadmissible.
The same is had here by reading with the terms of the profile only: what stays unread has no business there.
"""

from datetime import date
from decimal import Decimal

import msgspec

from estafette.formats.flux1 import structure
from estafette.formats.flux1.profile import KEEP, Profile, profile_of
from estafette.formats.flux1.structure import Fault
from estafette.formats.reading import read_tree
from estafette.formats.xml import DAMAGED, OTHER_KIND, Syntax, Unreadable, parse, syntax_of
from estafette.invoice.model import Invoice, Line, Note, Period, PrecedingInvoice, Unread, VatBreakdown

BAD_NAME = "IRR_NOM_F"
"""The reason of a file whose name does not announce its profile (S1.06)."""

NO_DAY = date(1900, 1, 1)
"""The day of data that say none (G1.114)."""

_OBJECT_MAX = 100
"""Characters of the identifier of an object in an answer (MDT-87)."""

STRUCTURAL = frozenset({"unknown"})
"""Kinds of unread elements that the portal's schemas refuse, where they have no such place; the others are for its
controls: a breakdown of VAT beside a total in another currency has its place, and is not that of the invoice."""


class Flux1(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts of one invoice as the State knows them; amounts in the invoice currency unless said otherwise."""

    profile: str
    number: str
    issue_date: date
    type_code: str
    business_process: str
    currency: str
    seller_siren: str
    buyer_siren: str
    seller_country: str = ""
    buyer_country: str = ""
    seller_vat_number: str | None = None
    buyer_vat_number: str | None = None
    vat_group_siren: str | None = None
    representative_vat_number: str | None = None
    vat_point_code: str | None = None
    due_date: date | None = None
    delivery_date: date | None = None
    invoicing_period: Period | None = None
    preceding_invoices: tuple[PrecedingInvoice, ...] = ()
    notes: tuple[Note, ...] = ()
    total_without_vat: Decimal | None = None
    total_vat: Decimal | None = None
    total_vat_in_euro: Decimal | None = None
    vat_breakdown: tuple[VatBreakdown, ...] = ()
    lines: tuple[Line, ...] = ()

    @property
    def key(self) -> tuple[str, int, str]:
        """What makes an invoice one at the portal: its seller, its year, its number (G1.45)."""
        return self.seller_siren, self.issue_date.year, self.number

    @property
    def named(self) -> tuple[str, str, date | None]:
        """How an answer names the invoice: number, SIREN of its seller, day; empty or None what cannot be used."""
        siren = self.seller_siren if len(self.seller_siren) == 9 and self.seller_siren.isdecimal() else ""
        number = self.number if len(self.number) <= _OBJECT_MAX else ""
        return number, siren, None if self.issue_date == NO_DAY else self.issue_date


def read(name: str, data: bytes) -> Flux1:
    """Give the facts of a file of regulatory data.

    A part of the key that is missing is an empty text, or NO_DAY: the controls reject such data, which harms no
    others (annex 7, G1.114).

    Raises: Unreadable, when the name announces no profile, the bytes are no UBL or CII, or an element is outside the
    profile.
    """
    profile, invoice, _syntax = read_invoice(name, data)
    return facts_of(profile, invoice)


def read_invoice(name: str, data: bytes) -> tuple[Profile, Invoice, Syntax]:
    """Give the profile, the terms and the syntax of a file; raises Unreadable as `read` does."""
    profile = profile_of(name)
    if profile is None:
        raise Unreadable(
            BAD_NAME,
            "Le nom d'un fichier de flux 1 commence par Base_ ou Full_ et finit par .xml (S1.06).",
            "The name of a Flow 1 file begins with Base_ or Full_ and ends with .xml (S1.06).",
            where=name,
        )
    tree = parse(data)
    syntax = syntax_of(tree)
    if syntax not in {Syntax.UBL, Syntax.CII}:
        raise Unreadable(OTHER_KIND, "Le fichier n'est ni UBL ni CII.", "The file is neither UBL nor CII.", where=name)
    # The currency of BT-111 is no term of the flow: it is always the euro (G1.12).
    invoice = read_tree(tree, syntax, keep=KEEP[profile], variables={"BT-6": "EUR"})
    for unread in invoice.unread:
        if unread.kind in STRUCTURAL and not structure.is_in_place(tree, unread.path, syntax, profile):
            raise _outside(profile, unread)
    if wrong := structure.fault(tree, syntax, profile):
        raise Unreadable(DAMAGED, wrong.fr, wrong.en, where=wrong.where)
    return profile, invoice, syntax


def structure_fault(data: bytes, syntax: Syntax, profile: Profile) -> Fault | None:
    """Return what the State's schema would refuse in data made here, None when nothing is: its first fault."""
    return structure.fault(parse(data), syntax, profile)


def _outside(profile: Profile, unread: Unread) -> Unreadable:
    return Unreadable(
        DAMAGED,
        f"L'élément n'appartient pas au profil {profile.value} du flux 1.",
        f"The element is not in the profile {profile.value} of Flow 1.",
        where=unread.path,
    )


def facts_of(profile: Profile, invoice: Invoice) -> Flux1:
    """Give the facts of an invoice that was read in a profile."""
    return Flux1(
        profile=profile.value,
        number=invoice.number,
        issue_date=invoice.issue_date or NO_DAY,
        type_code=invoice.type_code,
        business_process=invoice.business_process,
        currency=invoice.currency,
        seller_siren=invoice.seller_siren or "",
        buyer_siren=invoice.buyer_siren or "",
        seller_country=invoice.seller.postal_address.country_code or "",
        buyer_country=invoice.buyer.postal_address.country_code or "",
        seller_vat_number=invoice.seller.vat_identifier,
        buyer_vat_number=invoice.buyer.vat_identifier,
        vat_group_siren=invoice.seller.identifier("0231"),
        representative_vat_number=invoice.tax_representative.vat_identifier if invoice.tax_representative else None,
        vat_point_code=invoice.vat_point_code,
        due_date=invoice.due_date,
        delivery_date=invoice.delivery_date,
        invoicing_period=invoice.invoicing_period,
        preceding_invoices=invoice.preceding_invoices,
        notes=invoice.notes,
        total_without_vat=invoice.totals.total_without_vat,
        total_vat=invoice.totals.total_vat,
        total_vat_in_euro=_vat_in_euro(invoice),
        vat_breakdown=invoice.vat_breakdown,
        lines=invoice.lines,
    )


def _vat_in_euro(invoice: Invoice) -> Decimal | None:
    totals = invoice.totals
    return totals.total_vat if invoice.currency == "EUR" else totals.total_vat_in_accounting_currency

"""What an invoice says, term by term, in a reader's words: a label from the table of terms, and a text.

Theory of operation. `Speaker.entries` walks a group as the table does, so that no term can be forgotten: those that a
layout shows by itself are named to it and left out. A value of a small group (a period, an address, a reference) is
written on one line; any other group lends its terms to the list.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from estafette.invoice.model import (
    Address,
    AllowanceCharge,
    Classification,
    Contact,
    CreditTransfer,
    Delivery,
    DocumentReference,
    Identifier,
    Invoice,
    ItemAttribute,
    Note,
    Party,
    Period,
    PrecedingInvoice,
    SupportingDocument,
)
from estafette.invoice.terms import TERMS, Term, members
from estafette.invoice.walk import is_empty
from estafette.readable import typography, words
from estafette.readable.words import Words


class Entry(msgspec.Struct, frozen=True):
    """A label and what is said under it; `term` is the business term, empty where there is none."""

    label: str
    text: str
    term: str = ""


_CODES: Mapping[str, Callable[[str], Words]] = {
    **dict.fromkeys(("BT-3", "EXT-FR-FE-02", "EXT-FR-FE-137"), words.type_words),
    "BT-23": words.framework_words,
    **{
        term: lambda code, table=table: table.get(code, words.UNSAID)  # type: ignore[misc]
        for table, terms in (
            (words.VAT_POINTS, ("BT-8", "EXT-FR-FE-180")),
            (words.PAYMENT_MEANS, ("BT-81",)),
            (words.VAT_CATEGORIES, ("BT-95", "BT-102", "BT-118", "BT-151")),
            (words.SUBTYPES, ("EXT-FR-FE-163",)),
            (words.ROLES, ("EXT-FR-FE-04", "EXT-FR-FE-26", "EXT-FR-FE-44", "EXT-FR-FE-67", "EXT-FR-FE-90")),
            (words.ROLES, ("EXT-FR-FE-113",)),
        )
        for term in terms
    },
}
"""The words for the codes of a term."""
_UNITS = frozenset({"BT-130", "BT-150", "EXT-FR-FE-161"})
_IBAN_GROUP = 4


class Speaker:
    """The words of one invoice in one language."""

    def __init__(self, invoice: Invoice, language: str) -> None:
        self.language = language
        self.currency = invoice.currency
        self.vat_currency = invoice.vat_accounting_currency or ""

    def say(self, fr: str, en: str) -> str:
        """Give one of two words."""
        return fr if self.language == "fr" else en

    def label(self, term: str, group: str = "") -> str:
        """Give the name of a term, short of the name of the group it is shown under.

        >>> Speaker(Invoice(), "fr").label("BT-31", "BG-4"), Speaker(Invoice(), "en").label("BT-31", "BG-4")
        ('Numéro de TVA', 'VAT identifier')
        """
        name = self.say(TERMS[term].name_fr, TERMS[term].name_en)
        if group:
            above = self.say(f"{TERMS[group].name_fr} : ", f"{TERMS[group].name_en} ")
            name = name.removeprefix(above)
        return name[:1].upper() + name[1:]

    def entries(self, group: str, record: Any, *, without: Iterable[str] = (), under: str = "") -> Iterator[Entry]:
        """Give an entry for each term that a record says, groups below included, but for some terms of the model.

        `without` names fields; `under` is the group whose name is shown above already.
        """
        for term in members(group):
            if not term.field:
                yield from self.entries(term.id, record, without=without, under=under)
                continue
            value = getattr(record, term.field)
            if term.field in without or is_empty(value):
                continue
            for one in value if term.is_repeated else (value,):
                yield from self._entry(term, one, under)

    def _entry(self, term: Term, value: Any, under: str) -> Iterator[Entry]:
        if not term.is_group:
            text = self.identifier(value) if term.type == "identifier" else self.text(term, value)
        elif isinstance(value, Note):
            yield self.note(term, value)
            return
        elif type(value) in _ON_ONE_LINE:
            text = _ON_ONE_LINE[type(value)](self, value)
        else:
            yield from self.entries(term.id, value, under=under)
            return
        if text:
            yield Entry(self.label(term.id, under), typography.shown(text), term.id)

    def text(self, term: Term, value: Any) -> str:
        """Write a value as its term wants it."""
        write = _WRITERS.get(term.type)
        return write(self, value) if write else self.code(term.id, str(value))

    def code(self, term: str, code: str) -> str:
        """Write a code in words, itself after them; a unit in words only."""
        if term in _UNITS:
            return self.say(*words.UNITS.get(code, (code, code)))
        said = self.say(*_CODES[term](code)) if term in _CODES else ""
        return f"{said} ({code})" if said else code

    def amount(self, value: Any) -> str:
        """Write an amount in the currency of the invoice."""
        return typography.amount(value, self.currency, self.language)

    def number(self, value: Any, digits: int = 0) -> str:
        """Write a number."""
        return typography.number(value, digits, self.language)

    def identifier(self, value: Identifier) -> str:
        """Write an identifier with the name of its scheme, or the scheme itself."""
        name = self.say(*words.SCHEMES.get(value.scheme or "", words.UNSAID))
        return f"{name} {value.value}" if name else _joined(value.value, f"({value.scheme})" if value.scheme else "")

    def note(self, term: Term, value: Note) -> Entry:
        """Give a note under its subject."""
        subject = self.say(*words.MENTIONS.get(value.subject_code or "", words.UNSAID))
        label = f"{subject} ({value.subject_code})" if subject else value.subject_code or self.say("Note", "Note")
        return Entry(typography.shown(label), typography.shown(value.text), term.id)

    def address(self, value: Address) -> tuple[str, ...]:
        """Give the lines of an address as on an envelope."""
        town = _joined(value.post_code, value.city)
        country = self.country(value.country_code)
        lines = (value.line_one, value.line_two, value.line_three, town, value.subdivision, country)
        return tuple(typography.shown(line) for line in lines if line)

    def country(self, code: str | None) -> str:
        """Write a country: France by its name, another by its code."""
        return "France" if code == "FR" else code or ""

    def period(self, value: Period) -> str:
        """Write a period, or the end of it that is said."""
        start, end = typography.day(value.start, self.language), typography.day(value.end, self.language)
        if start and end:
            return f"{start} – {end}"
        return f"{self.say('à partir du', 'from')} {start}" if start else f"{self.say('jusqu’au', 'until')} {end}"

    def preceding(self, value: PrecedingInvoice) -> str:
        """Write an invoice that this one follows."""
        kind = self.code("EXT-FR-FE-02", value.type_code) if value.type_code else ""
        return _listed(value.number, self._line(value.line), typography.day(value.issue_date, self.language), kind)

    def reference(self, value: DocumentReference) -> str:
        """Write a document and the line of it."""
        return _listed(value.number, self._line(value.line), typography.day(value.issue_date, self.language))

    def _line(self, line: str | None) -> str:
        return f"{self.say('ligne', 'line')} {line}" if line else ""

    def delivery(self, value: Delivery) -> str:
        """Write where and when it was delivered."""
        where = self.address(value.postal_address) if value.postal_address else ()
        place = self.identifier(value.location_identifier) if value.location_identifier else ""
        return _listed(value.name, *where, place, typography.day(value.actual_delivery_date, self.language))

    def party(self, value: Party) -> str:
        """Write a party on one line."""
        held = (value.legal_registration_identifier, value.electronic_address, *value.identifiers)
        return _listed(
            value.name,
            value.trading_name,
            *(self.identifier(one) for one in held if one),
            value.vat_identifier,
            value.tax_registration_identifier,
            *self.address(value.postal_address),
        )

    def credit_transfer(self, value: CreditTransfer) -> str:
        """Write an account to pay to."""
        provider = f"BIC {value.service_provider}" if value.service_provider else ""
        return _listed(account(value.account or ""), value.account_name, provider)

    def contact(self, value: Contact) -> str:
        """Write whom to ask."""
        return _listed(value.name, value.telephone, value.email)

    def classification(self, value: Classification) -> str:
        """Write a class of an item and who defines it."""
        scheme = _joined(value.scheme, value.version)
        return _joined(value.code, f"({scheme})" if scheme else "")

    def attribute(self, value: ItemAttribute) -> str:
        """Write a property of an item."""
        unit = self.code("BT-130", value.measure_unit_code) if value.measure_unit_code else ""
        name = _joined(value.name, f"({value.code})" if value.code else "")
        said = _joined(value.value, self.number(value.measure), unit)
        return self.say(" : ", ": ").join(part for part in (name, said) if part)

    def adjustment(self, value: AllowanceCharge) -> str:
        """Write an allowance or a charge on one line."""
        return _listed(self.amount(value.amount), self.basis(value), self.reason(value), self.adjustment_vat(value))

    def basis(self, value: AllowanceCharge) -> str:
        """Write what part of what an allowance or a charge is."""
        rate = f"{self.number(value.percentage)}\u00a0%" if value.percentage is not None else ""
        base = self.amount(value.base_amount)
        return f"{rate} {self.say('de', 'of')} {base}" if rate and base else rate or base

    def reason(self, value: AllowanceCharge) -> str:
        """Write why there is an allowance or a charge."""
        code = f"({value.reason_code})" if value.reason_code else ""
        return _joined(value.reason, code, f"[{value.tax_code}]" if value.tax_code else "")

    def adjustment_vat(self, value: AllowanceCharge) -> str:
        """Write the VAT of an allowance or a charge of the document."""
        vat = self.vat(value.vat_category, value.vat_rate)
        return _listed(vat, self.exemption(value.vat_exemption_reason, value.vat_exemption_code))

    def vat(self, category: str | None, rate: Any) -> str:
        """Write a category of VAT and its rate, as a column of a table has room for them."""
        return _joined(category, f"{self.number(rate)}\u00a0%" if rate is not None else "")

    def exemption(self, reason: str | None, code: str | None) -> str:
        """Write why there is no VAT."""
        return _joined(reason, f"({code})" if code else "")

    def attachment(self, value: SupportingDocument) -> str:
        """Write which document is joined: everything but what is in it."""
        weight = typography.size(len(value.content), self.language) if value.content is not None else ""
        return _listed(value.reference, value.description, value.filename, value.mime_code, weight,
                       value.external_location)  # fmt: skip


_WRITERS: Mapping[str, Callable[[Speaker, Any], str]] = {
    "account": lambda _, value: account(value),
    "amount": Speaker.amount,
    "amount_in_bt6": lambda speaker, value: typography.amount(value, speaker.vat_currency, speaker.language),
    "date": lambda speaker, value: typography.day(value, speaker.language),
    "percentage": lambda speaker, value: f"{speaker.number(value)}\u00a0%",
    "price": Speaker.amount,
    "quantity": Speaker.number,
    "rate": Speaker.number,
}
"""How the types of values that are no text are written."""

_ON_ONE_LINE: Mapping[type, Callable[[Speaker, Any], str]] = {
    Address: lambda speaker, value: _listed(*speaker.address(value)),
    AllowanceCharge: Speaker.adjustment,
    Classification: Speaker.classification,
    Contact: Speaker.contact,
    CreditTransfer: Speaker.credit_transfer,
    Delivery: Speaker.delivery,
    DocumentReference: Speaker.reference,
    Identifier: Speaker.identifier,
    ItemAttribute: Speaker.attribute,
    Party: Speaker.party,
    Period: Speaker.period,
    PrecedingInvoice: Speaker.preceding,
    SupportingDocument: Speaker.attachment,
}
"""The groups that are written on one line."""


def account(text: str) -> str:
    """Write an account in groups of four when it is an IBAN (ISO 13616), as it is otherwise.

    >>> account("FR7630006000011234567890189"), account("12345")
    ('FR76\\xa03000\\xa06000\\xa00112\\xa03456\\xa07890\\xa0189', '12345')
    """
    if not (text[:2].isalpha() and text[2:4].isdigit() and text.isalnum()):
        return text
    return "\u00a0".join(text[place : place + _IBAN_GROUP] for place in range(0, len(text), _IBAN_GROUP))


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def _listed(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)

"""What is shown of an invoice, in which order, in which words: the one content that HTML and PDF lay out.

Everything here is text, in the reader's language and safe to show. A layout shows some terms by itself (the names of
parties, the columns of lines, the VAT, the totals); every other term that the invoice says is an entry of some list.
"""

from collections.abc import Iterator, Sequence

import msgspec

from estafette.invoice.model import AllowanceCharge, Invoice, Line, Party, SupportingDocument, VatBreakdown
from estafette.invoice.terms import members
from estafette.lifecycle.guards import StatusEvent
from estafette.readable import typography, words
from estafette.readable.terms import Entry, Speaker

LANGUAGES = ("fr", "en")
DEPTH_MAX = 8
"""Levels of sub-lines that are set in from the margin; deeper ones stand at the last (our bound)."""

_PARTIES = (
    "seller",
    "buyer",
    "payee",
    "tax_representative",
    "buyer_agent",
    "payer",
    "seller_agent",
    "invoicee",
    "invoicer",
)
_HEAD = ("number", "type_code", "issue_date", "due_date")
_REFERENCES_APART = frozenset({
    *_HEAD, *_PARTIES, "currency", "notes", "payment_terms", "payment", "allowances", "charges", "totals",
    "vat_breakdown", "supporting_documents", "lines", "specification_identifier",
})  # fmt: skip
"""What of the invoice itself stands elsewhere than among dates and references."""
_COLUMNS = frozenset({"identifier", "quantity", "unit_code", "net_amount", "vat_category", "vat_rate"})
_LINES_HEADER = (
    ("N°", "No"),
    ("Désignation", "Description"),
    ("Quantité", "Quantity"),
    ("Prix HT", "Net price"),
    ("TVA", "VAT"),
    ("Montant HT", "Net amount"),
)


class PartyCard(msgspec.Struct, frozen=True):
    """A party: what it is, its name and address as on an envelope, then the rest."""

    title: str
    name: str
    address: tuple[str, ...]
    entries: tuple[Entry, ...]


class Section(msgspec.Struct, frozen=True):
    """A titled list of entries."""

    title: str
    entries: tuple[Entry, ...]


class LineRow(msgspec.Struct, frozen=True):
    """A line: its cells, and the entries below its name. `depth` counts the lines above it in the tree."""

    identifier: str
    name: str
    quantity: str
    price: str
    vat: str
    net_amount: str
    entries: tuple[Entry, ...]
    depth: int
    counts: bool


class Row(msgspec.Struct, frozen=True):
    """A row of a table; `notes` stand below its first cell, `strong` rows stand out."""

    cells: tuple[str, ...]
    notes: tuple[str, ...] = ()
    strong: bool = False


class Table(msgspec.Struct, frozen=True):
    """A titled table; figures stand in the last `figures` columns."""

    title: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    figures: int = 0


class Sheet(msgspec.Struct, frozen=True):
    """All that a readable form shows, from top to bottom."""

    language: str
    title: str
    number: str
    issued: str
    head: tuple[Entry, ...]
    due: Entry
    author: str
    parties: tuple[PartyCard, ...]
    references: Section
    lines: tuple[LineRow, ...]
    lines_title: str
    lines_header: tuple[str, ...]
    adjustments: Table
    vat: Table
    totals: Table
    sections: tuple[Section, ...]
    statuses: Table
    foot: str
    page: str


def sheet(invoice: Invoice, *, language: str = "fr", statuses: Sequence[StatusEvent] = ()) -> Sheet:
    """Give what is shown of an invoice in French (`fr`) or English (`en`), with its life cycle when it is given.

    Raises: ValueError for another language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no readable form in {language!r}: {' or '.join(LANGUAGES)}")
    return _Composition(invoice, Speaker(invoice, language)).whole(statuses)


class _Composition:
    def __init__(self, invoice: Invoice, speaker: Speaker) -> None:
        self.invoice = invoice
        self.speaker = speaker
        self.say = speaker.say

    def whole(self, statuses: Sequence[StatusEvent]) -> Sheet:
        invoice, say, shown = self.invoice, self.say, typography.shown
        return Sheet(
            language=self.speaker.language,
            title=say(*words.type_words(invoice.type_code)),
            number=shown(invoice.number),
            issued=typography.day(invoice.issue_date, self.speaker.language),
            head=tuple(self._head()),
            due=Entry(self.speaker.label("BT-115"), self.speaker.amount(invoice.totals.amount_due), "BT-115"),
            author=shown(invoice.seller.name or ""),
            parties=tuple(self._parties()),
            references=Section(say("Dates et références", "Dates and references"), self._references()),
            lines=tuple(self._lines()),
            lines_title=say("Lignes", "Lines"),
            lines_header=tuple(say(*pair) for pair in _LINES_HEADER),
            adjustments=self._adjustments(),
            vat=self._vat(),
            totals=self._totals(),
            sections=tuple(section for section in self._sections() if section.entries),
            statuses=self._statuses(statuses),
            foot=shown(invoice.specification_identifier),
            page=say("page", "page"),
        )

    def _head(self) -> Iterator[Entry]:
        say, invoice = self.speaker, self.invoice
        if invoice.issue_date:
            yield Entry(say.label("BT-2"), typography.day(invoice.issue_date, say.language), "BT-2")
        if invoice.due_date:
            yield Entry(say.label("BT-9"), typography.day(invoice.due_date, say.language), "BT-9")
        if invoice.type_code:
            yield Entry(say.label("BT-3"), say.code("BT-3", invoice.type_code), "BT-3")
        if invoice.currency:
            yield Entry(say.label("BT-5"), invoice.currency, "BT-5")

    def _parties(self) -> Iterator[PartyCard]:
        groups = {term.field: term.id for term in members("") if term.field in _PARTIES}
        for field in _PARTIES:
            party: Party | None = getattr(self.invoice, field)
            if party is not None and (party != Party() or field in {"seller", "buyer"}):
                yield PartyCard(
                    title=self.speaker.label(groups[field]),
                    name=typography.shown(party.name or ""),
                    address=self.speaker.address(party.postal_address),
                    entries=tuple(
                        self.speaker.entries(
                            groups[field], party, without=("name", "postal_address"), under=groups[field]
                        )
                    ),
                )

    def _references(self) -> tuple[Entry, ...]:
        return tuple(self.speaker.entries("", self.invoice, without=_REFERENCES_APART))

    def _lines(self) -> Iterator[LineRow]:
        depths: dict[str, int] = {}
        for line in self.invoice.lines:
            depth = min(depths.get(line.parent_line, -1) + 1 if line.parent_line else 0, DEPTH_MAX)
            if line.identifier:
                depths[line.identifier] = depth
            yield self._line(line, depth)

    def _line(self, line: Line, depth: int) -> LineRow:
        speaker, shown = self.speaker, typography.shown
        unit = speaker.code("BT-130", line.unit_code) if line.unit_code else ""
        return LineRow(
            identifier=shown(line.identifier or ""),
            name=shown(line.item.name or ""),
            quantity=shown(f"{speaker.number(line.quantity)} {unit}".strip()),
            price=self._price(line),
            vat=shown(speaker.vat(line.vat_category, line.vat_rate)),
            net_amount=typography.amount(line.net_amount, "", speaker.language),
            entries=tuple(self._details(line)),
            depth=depth,
            counts=line.counts,
        )

    def _price(self, line: Line) -> str:
        price, speaker = line.price, self.speaker
        unit = speaker.code("BT-150", price.base_quantity_unit_code) if price.base_quantity_unit_code else ""
        base = f"{speaker.number(price.base_quantity)} {unit}".strip() if price.base_quantity is not None else unit
        per = f" {self.say('pour', 'per')} {base}" if base and base != f"1 {unit}".strip() else ""
        if base and not per and price.base_quantity_unit_code != line.unit_code:
            per = f" / {unit or base}"
        return typography.shown(speaker.number(price.net, 2) + per).strip()

    def _details(self, line: Line) -> Iterator[Entry]:
        apart = {*_COLUMNS, "item", "price"}
        if line.item.description:
            yield Entry("", typography.shown(line.item.description), "BT-154")
        yield from self.speaker.entries("BG-31", line.item, without=("name", "description"))
        price_apart = ("net", "base_quantity", "base_quantity_unit_code")
        yield from self.speaker.entries("BG-29", line.price, without=price_apart)
        yield from self.speaker.entries("BG-25", line, without=apart)

    def _adjustments(self) -> Table:
        say = self.say
        kinds = (
            (say("Remise", "Allowance"), self.invoice.allowances),
            (say("Charge", "Charge"), self.invoice.charges),
        )
        header = (say("Remises et charges", "Allowances and charges"), say("Assiette", "Basis"), say("TVA", "VAT"),
                  say("Montant HT", "Net amount"))  # fmt: skip
        rows = (self._adjustment(kind, one) for kind, held in kinds for one in held)
        return Table(header[0], header, tuple(rows), figures=2)

    def _adjustment(self, kind: str, held: AllowanceCharge) -> Row:
        speaker, shown = self.speaker, typography.shown
        reason = speaker.reason(held)
        exemption = speaker.exemption(held.vat_exemption_reason, held.vat_exemption_code)
        cells = (f"{kind} · {reason}" if reason else kind, speaker.basis(held),
                 speaker.vat(held.vat_category, held.vat_rate), speaker.amount(held.amount))  # fmt: skip
        return Row(tuple(map(shown, cells)), (shown(exemption),) if exemption else ())

    def _vat(self) -> Table:
        say = self.say
        header = (say("TVA", "VAT"), say("Taux", "Rate"), say("Base HT", "Taxable"), say("Montant", "Amount"))
        return Table(self.speaker.label("BG-23"), header, tuple(map(self._vat_row, self.invoice.vat_breakdown)), 3)

    def _vat_row(self, part: VatBreakdown) -> Row:
        speaker, shown = self.speaker, typography.shown
        rate = f"{speaker.number(part.rate)}\u00a0%" if part.rate is not None else ""
        category = speaker.code("BT-118", part.category) if part.category else ""
        cells = (category, rate, speaker.amount(part.taxable_amount), speaker.amount(part.tax_amount))
        exemption = speaker.exemption(part.exemption_reason, part.exemption_code)
        return Row(tuple(map(shown, cells)), (shown(exemption),) if exemption else ())

    def _totals(self) -> Table:
        entries = self.speaker.entries("BG-22", self.invoice.totals)
        strong = {"BT-112", "BT-115"}
        rows = (Row((entry.label, entry.text), strong=entry.term in strong) for entry in entries)
        return Table(self.say("Totaux", "Totals"), (), tuple(rows), 1)

    def _sections(self) -> Iterator[Section]:
        invoice, say, speaker = self.invoice, self.say, self.speaker
        everything = frozenset(type(invoice).__struct_fields__)
        payment = speaker.entries("", invoice, without=everything - {"payment", "payment_terms"})
        yield Section(say("Paiement", "Payment"), tuple(payment))
        notes = speaker.entries("", invoice, without=everything - {"notes"})
        yield Section(say("Notes et mentions légales", "Notes and legal mentions"), tuple(notes))
        attachments = map(self._attachment, invoice.supporting_documents)
        yield Section(say("Pièces jointes", "Attachments"), tuple(attachments))
        yield Section(say("Autres données du document", "Other data of the document"), tuple(self._unread()))

    def _attachment(self, held: SupportingDocument) -> Entry:
        return Entry("", typography.shown(self.speaker.attachment(held)), "BG-24")

    def _unread(self) -> Iterator[Entry]:
        for each in self.invoice.unread:
            if each.value:
                name = each.path.rpartition("/")[2].rpartition(":")[2]
                yield Entry(typography.shown(name), typography.shown(each.value), each.term or "")

    def _statuses(self, statuses: Sequence[StatusEvent]) -> Table:
        say, language = self.say, self.speaker.language
        header = (say("Statut", "Status"), say("Posé le", "Set on"), say("Par", "By"))
        rows = (
            Row((f"{say(*words.status_words(each.status))} ({each.status})", typography.moment(each.set_at, language),
                 say(*words.ROLES.get(each.emitter_role, (each.emitter_role, each.emitter_role)))))
            for each in statuses
        )  # fmt: skip
        return Table(say("Cycle de vie", "Life cycle"), header, tuple(rows))

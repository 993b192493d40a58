"""From what a person writes, in a few lines, to an invoice ready to be completed.

>>> us = PartyDraft(name="Atelier Caravelle", siren="100000009", vat_number="auto", city="Lille", post_code="59000")
>>> them = PartyDraft(name="Maison Tilleul", siren="200000008", city="Nantes", post_code="44000")
>>> lines = [LineDraft(description="Conseil", quantity=Decimal(3), unit="jour", price=Decimal(450), vat=Decimal(20))]
>>> draft = Draft(number="F1", date=date(2026, 9, 15), nature="services", seller=us, buyer=them, lines=lines)
>>> complete(understand(draft).invoice).invoice.totals.amount_due
Decimal('1620.00')

What is left unsaid is filled in from `draft_defaults`, and told. What is wrong is said all at once: `Mistaken`.
"""

from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace
from stdnum import iban

from estafette.invoice import codes, codes_lists, draft_files
from estafette.invoice import draft_defaults as defaults
from estafette.invoice.building import complete
from estafette.invoice.draft_checks import unfit, unknown_codes
from estafette.invoice.draft_defaults import Default
from estafette.invoice.draft_forms import Draft, LevelDraft, LineDraft, PartyDraft
from estafette.invoice.mistakes import Mistake, Mistaken
from estafette.invoice.model import (
    Address,
    AllowanceCharge,
    Contact,
    CreditTransfer,
    Delivery,
    Identifier,
    Invoice,
    Item,
    Line,
    Note,
    Party,
    PaymentInstructions,
    Period,
    PrecedingInvoice,
    Price,
    VatBreakdown,
)
from estafette.values.identifiers import ADDRESS, SIREN, SIRET, vat_number_of
from estafette.values.money import plain


class Understood(msgspec.Struct, frozen=True):
    """A draft understood: an invoice without the amounts that `complete` computes, and what was filled in."""

    invoice: Invoice
    defaults: tuple[Default, ...]


def read(data: bytes) -> Invoice:
    """Give the invoice that a draft in YAML or CSV asks for, to be completed. Raises: Mistaken, with what to repair."""
    return understand(parse(data)).invoice


def parse(data: bytes) -> Draft:
    """Give the draft that a file holds. Raises: Mistaken, when it is no draft."""
    return draft_files.read(data, Draft, LineDraft)


def understand(draft: Draft) -> Understood:
    """Give the invoice that a draft asks for, and the defaults that it took. Raises: Mistaken, with all to repair."""
    return _Understanding(draft).understood()


class _Understanding:
    """One understanding: the draft, what is filled in, and what is wrong."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.taken: list[Default] = []
        self.mistakes: list[Mistake] = list(unfit(draft))
        why = "rien d'autre n'est dit", "nothing else is said"
        self.type = draft.type or self._take("BT-3", "380", *why, "UNTDID 1001, BR-FR-04")
        self.currency = draft.currency or self._take("BT-5", "EUR", *why, "ISO 4217")

    def understood(self) -> Understood:
        if self.mistakes:
            raise Mistaken(*self.mistakes)
        invoice = self._invoice()
        self.mistakes += unknown_codes(invoice)
        if self.mistakes:
            raise Mistaken(*self.mistakes)
        if self.draft.paid_on is not None:
            totals = complete(invoice).invoice.totals
            invoice = replace(invoice, totals=replace(invoice.totals, paid_amount=totals.total_with_vat))
        return Understood(invoice, tuple(self.taken))

    def _take(self, term: str, value: str, why_fr: str, why_en: str, source: str) -> str:
        self.taken.append(Default(term, value, why_fr, why_en, source))
        return value

    def _wrong(self, path: str, term: str, seen: str, fr: str, en: str) -> None:
        self.mistakes.append(Mistake(path=path, term=term, seen=seen, fr=f"Attendu : {fr}.", en=f"Expected: {en}."))

    def _invoice(self) -> Invoice:
        draft = self.draft
        lines = tuple(self._line(at, line) for at, line in enumerate(draft.lines))
        if not lines:
            self._wrong("lines", "BG-25", "", "une ligne au moins", "one line at least")
        lines, breakdown, profile = self._reasons(lines)
        seller, buyer = self._party("seller", draft.seller), self._party("buyer", draft.buyer)
        if any(line.vat_category == "S" for line in lines) and seller.vat_identifier is None:
            self._wrong("seller.vat_number", "BT-31", "", "le numéro de TVA du vendeur, ou auto (BR-S-02)",
                        "the seller's VAT number, or auto (BR-S-02)")  # fmt: skip
        due, terms = self._payment_terms()
        return Invoice(
            number=draft.number,
            issue_date=draft.date,
            type_code=self.type,
            currency=self.currency,
            vat_accounting_currency=self._accounting_currency(),
            exchange_rate=draft.exchange_rate,
            vat_point_code=codes.VAT_ON_DEBITS if draft.vat_on_debits else None,
            due_date=due,
            payment_terms=terms,
            buyer_reference=draft.buyer_reference,
            purchase_order_reference=draft.order,
            contract_reference=draft.contract,
            notes=self._notes(),
            business_process=self._framework(),
            specification_identifier=profile,
            preceding_invoices=tuple(PrecedingInvoice(each.number, each.date) for each in draft.preceding),
            seller=seller,
            buyer=buyer,
            delivery=Delivery(actual_delivery_date=draft.delivered_on) if draft.delivered_on else None,
            invoicing_period=self._period(),
            payment=self._payment(),
            allowances=self._levels("allowances", draft.allowances),
            charges=self._levels("charges", draft.charges),
            vat_breakdown=breakdown,
            lines=lines,
        )

    def _line(self, at: int, line: LineDraft) -> Line:
        category, rate = self._vat(f"lines[{at}]", line.vat, line.category, line.exemption, "BT-151")
        code, reason = line.exemption, line.exemption_reason
        if code is None and reason is None and category in defaults.REASONS:
            code, reason = defaults.REASONS[category]
        discount = AllowanceCharge(percentage=line.discount_percent, reason=line.discount_reason)
        return Line(
            identifier=str(at + 1),
            quantity=line.quantity,
            unit_code=_unit(line.unit),
            price=Price(net=line.price, base_quantity=line.per),
            allowances=(discount,) if line.discount_percent is not None else (),
            vat_category=category,
            vat_rate=rate,
            vat_exemption_code=code,
            vat_exemption_reason=reason or (defaults.reason_text(code) if code else None),
            item=Item(name=line.description, description=line.details, seller_identifier=line.reference),
        )

    def _vat(
        self, path: str, rate: Decimal | None, category: str | None, exemption: str | None, term: str
    ) -> tuple[str | None, Decimal | None]:
        """Give the category and the rate of a line, an allowance or a charge."""
        category = category or defaults.category_of(rate, exemption)
        if category is None:
            self._wrong(f"{path}.vat", term, "" if rate is None else plain(rate),
                        "un taux, ou category (E, AE, K, G, O, Z), ou exemption (VATEX-…)",
                        "a rate, or category (E, AE, K, G, O, Z), or exemption (VATEX-…)")  # fmt: skip
        elif (category == "S") != bool(rate):
            self._wrong(f"{path}.vat", term, f"{category} {rate}", "un taux pour S, aucun pour les autres catégories",
                        "a rate for S, none for the other categories")  # fmt: skip
        if rate and rate not in codes.VAT_RATES:
            rates = ", ".join(codes_lists.of("VAT rates").codes)
            self._wrong(f"{path}.vat", term, plain(rate), f"un taux parmi {rates}", f"a rate among {rates}")
        return category, (None if category == "O" else rate or Decimal(0))

    def _reasons(self, lines: tuple[Line, ...]) -> tuple[tuple[Line, ...], tuple[VatBreakdown, ...], str]:
        """Put the reasons of exemption where the profile has them: on the VAT groups, or on lines in the extension."""
        reasons: dict[tuple[str | None, Decimal | None], set[tuple[str | None, str | None]]] = {}
        for line in lines:
            if line.vat_category not in {"S", "Z"}:
                reason = line.vat_exemption_code, line.vat_exemption_reason
                reasons.setdefault((line.vat_category, line.vat_rate), set()).add(reason)
        several = any(len(each) > 1 for each in reasons.values())
        if self.draft.profile:
            profile = defaults.PROFILES[self.draft.profile]
        elif several:
            why = "plusieurs motifs d'exonération", "several reasons of exemption"
            profile = self._take("BT-24", defaults.EXTENDED, *why, "EXTENDED-CTC-FR 1.4.0")
        else:
            profile = self._take("BT-24", defaults.EN16931, "profil de base", "core profile", "EN 16931-1")
        if profile == defaults.EXTENDED:
            return lines, (), profile
        for reasons_of in reasons.values():
            if len(reasons_of) > 1:
                self._wrong("profile", "BT-24", "en16931", "extended : plusieurs motifs pour une catégorie",
                            "extended: several reasons for a category")  # fmt: skip
        rows = tuple(
            VatBreakdown(category=category, rate=rate, exemption_code=code, exemption_reason=text)
            for (category, rate), found in reasons.items()
            for code, text in found
        )
        bare = tuple(replace(line, vat_exemption_code=None, vat_exemption_reason=None) for line in lines)
        return bare, rows, profile

    def _party(self, path: str, party: PartyDraft) -> Party:
        terms = ("BT-30", "BT-29", "BT-31", "BT-34") if path == "seller" else ("BT-47", "BT-46", "BT-48", "BT-49")
        siret = SIRET.compact(party.siret) if party.siret else None
        siren = SIREN.compact(party.siren) if party.siren else siret[:9] if siret else None
        if siren and not SIREN.is_valid(siren):
            self._wrong(f"{path}.siren", terms[0], siren, "un SIREN de neuf chiffres, clef comprise",
                        "a SIREN of nine digits, check digit included")  # fmt: skip
        if siret and not (SIRET.is_valid(siret) and siret[:9] == siren):
            self._wrong(f"{path}.siret", terms[1], siret, "un SIRET de ce SIREN", "a SIRET of this SIREN")
        if siren is None and path == "seller":
            self._wrong(
                f"{path}.siren", terms[0], "", "le SIREN du vendeur (BR-FR-10)", "the seller's SIREN (BR-FR-10)"
            )
        vat_number = party.vat_number
        if vat_number == "auto" and siren and SIREN.is_valid(siren):
            why = "clef calculée du SIREN, à la demande", "key computed from the SIREN, as asked"
            vat_number = self._take(terms[2], vat_number_of(siren), *why, "CGI, ann. II, art. 242 nonies")
        elif vat_number == "auto" and siren is None and path == "buyer":
            self._wrong(
                f"{path}.vat_number", terms[2], "auto", "un SIREN pour la calculer", "a SIREN to compute it from"
            )
        return Party(
            name=party.name,
            identifiers=(Identifier(siret, "0009"),) if siret else (),
            legal_registration_identifier=Identifier(siren, "0002") if siren else None,
            vat_identifier=vat_number,
            electronic_address=self._address(path, party, siren, terms[3]),
            postal_address=Address(
                line_one=party.street,
                line_two=party.street_2,
                post_code=party.post_code,
                city=party.city,
                country_code=party.country,
            ),
            contact=Contact(party.contact, party.telephone, party.email)
            if party.contact or party.telephone or party.email
            else None,
        )

    def _address(self, path: str, party: PartyDraft, siren: str | None, term: str) -> Identifier | None:
        said = party.electronic_address
        if said is None and siren is not None:
            why = "adresse de base de l'entreprise dans l'annuaire", "the company's base address in the directory"
            self._take(term, siren, *why, "BR-FR-21, BR-FR-22")
            return Identifier(siren, "0225")
        if said is None and path == "seller":
            return None  # the SIREN, which is missing and told, would give it
        scheme, colon, value = (said or "").rpartition(":")
        if said is None or (not colon and not ADDRESS.is_valid(said)):
            self._wrong(f"{path}.electronic_address", term, said or "", "une adresse électronique, ou schéma:adresse",
                        "an electronic address, or scheme:address")  # fmt: skip
            return None
        return Identifier(value, scheme or "0225")

    def _framework(self) -> str:
        draft = self.draft
        if draft.framework is not None:
            return draft.framework
        natures = {draft.nature, *(line.nature for line in draft.lines)} - {None}
        if not natures:
            self._wrong("nature", "BT-23", "", "goods, services ou both", "goods, services or both")
            return ""
        letter = defaults.NATURES[natures.pop() or ""] if len(natures) == 1 else "M"
        code = letter + ("2" if draft.paid_on else "1")
        name = codes_lists.of("frameworks").codes[code]
        return self._take("BT-23", code, f"{name}, d'après nature", f"{name}, from nature", "BR-FR-08, G1.02")

    def _payment_terms(self) -> tuple[date | None, str | None]:
        draft = self.draft
        if draft.paid_on is not None:
            return draft.paid_on, draft.payment_terms
        if self.type in codes.CREDIT_NOTES and draft.payment_terms is None:
            text = "À valoir sur les prochains règlements."
            return draft.due, self._take(
                "BT-20", text, "avoir sans conditions", "credit note without terms", "BR-CO-25"
            )
        if draft.due is None and draft.payment_terms is None:
            due = defaults.due_date(draft.date)
            why = "trente jours, faute de terme convenu", "thirty days, no term being agreed"
            self._take("BT-9", due.isoformat(), *why, "C. com., art. L441-10, I")
            return due, None
        return draft.due, draft.payment_terms

    def _accounting_currency(self) -> str | None:
        if self.currency == "EUR":
            return None
        if self.draft.exchange_rate is None:
            self._wrong("exchange_rate", "BT-167", "", "le taux qui donne la TVA en euros (BR-FR-CO-12)",
                        "the rate that gives the VAT in euros (BR-FR-CO-12)")  # fmt: skip
        return self._take("BT-6", "EUR", "la TVA se déclare en euros", "VAT is declared in euros", "BR-FR-CO-12")

    def _notes(self) -> tuple[Note, ...]:
        said = self.draft.notes
        legal = [
            Note(said.get(code) or self._take(f"BT-22 {code}", text, "mention légale", "legal mention", source), code)
            for code, text, source in defaults.MENTIONS
        ]
        known = {note.subject_code for note in legal}
        return (*legal, *(Note(text, code) for code, text in said.items() if code not in known))

    def _period(self) -> Period | None:
        start, end = self.draft.period_from, self.draft.period_to
        if start and end and end < start:
            self._wrong("period_to", "BT-74", str(end), f"pas avant {start}", f"not before {start}")
        return Period(start, end) if start or end else None

    def _payment(self) -> PaymentInstructions | None:
        account = self.draft.iban
        if account is None:
            return None
        if not iban.is_valid(account):
            self._wrong("iban", "BT-84", account, "un IBAN, clef comprise", "an IBAN, check digits included")
        code = "58" if self.currency == "EUR" else "30"
        self._take("BT-81", code, "virement", "credit transfer", "UNTDID 4461")
        return PaymentInstructions(code, credit_transfers=(CreditTransfer(iban.compact(account)),))

    def _levels(self, path: str, levels: list[LevelDraft]) -> tuple[AllowanceCharge, ...]:
        terms = ("BT-92", "BT-95") if path == "allowances" else ("BT-99", "BT-102")
        made = []
        for at, level in enumerate(levels):
            if (level.amount is None) == (level.percent is None):
                self._wrong(f"{path}[{at}]", terms[0], "", "amount ou percent", "amount or percent")
            category, rate = self._vat(f"{path}[{at}]", level.vat, level.category, None, terms[1])
            made.append(
                AllowanceCharge(
                    amount=level.amount,
                    percentage=level.percent,
                    vat_category=category,
                    vat_rate=rate,
                    reason=level.reason,
                )
            )
        return tuple(made)


def _unit(word: str) -> str:
    """Give the code of a unit: the code itself, or a word for it."""
    if word in codes_lists.of("UN/ECE Rec 20"):
        return word
    lower = word.lower()
    return defaults.UNITS.get(lower) or defaults.UNITS.get(lower.removesuffix("s"), word)

"""Invoices drawn from a seed, that add up: what the simulated documents of every syntax say.

The same seed draws the same invoice. Everything is invented: companies, numbers, amounts.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

CENT = Decimal("0.01")
WORDS = ("Conseil", "Câble", "Hébergement", "Vis", "Formation", "Papier", "Transport", "Maintenance", "Licence")
UNITS = ("C62", "HUR", "DAY", "KGM", "MTR")
RATES = (Decimal("20.00"), Decimal("10.00"), Decimal("5.50"), Decimal("2.10"))


@dataclass(frozen=True, slots=True)
class Party:
    """A company: name, SIREN, town."""

    name: str
    siren: str
    town: str

    @property
    def vat(self) -> str:
        """The French VAT number, whose key follows from the SIREN."""
        return f"FR{(12 + 3 * (int(self.siren) % 97)) % 97:02d}{self.siren}"


@dataclass(frozen=True, slots=True)
class Line:
    """An invoice line: quantity at a price, its VAT category and rate."""

    name: str
    unit: str
    quantity: Decimal
    price: Decimal
    category: str
    rate: Decimal

    @property
    def net(self) -> Decimal:
        """Quantity times price, to the cent (BT-131)."""
        return (self.quantity * self.price).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Levy:
    """An allowance or a charge of the whole document."""

    charge: bool
    amount: Decimal
    category: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """What an invoice or a credit note says."""

    number: str
    issued: date
    due: date
    credit: bool
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    levies: tuple[Levy, ...]

    def breakdown(self) -> list[tuple[str, Decimal, Decimal, Decimal]]:
        """Return category, rate, taxable amount and tax for each VAT category and rate (BG-23)."""
        bases: dict[tuple[str, Decimal], Decimal] = {}
        for line in self.lines:
            bases[line.category, line.rate] = bases.get((line.category, line.rate), Decimal()) + line.net
        for levy in self.levies:
            signed = levy.amount if levy.charge else -levy.amount
            bases[levy.category, levy.rate] = bases.get((levy.category, levy.rate), Decimal()) + signed
        return [
            (category, rate, base, (base * rate / 100).quantize(CENT, ROUND_HALF_UP))
            for (category, rate), base in bases.items()
        ]

    def total(self, *, charge: bool) -> Decimal:
        """Return the sum of the charges or of the allowances (BT-108, BT-107)."""
        return sum((levy.amount for levy in self.levies if levy.charge is charge), Decimal())

    def totals(self) -> dict[str, Decimal]:
        """Return BT-106, 107, 108, 109, 110 and 112 by their number."""
        lines = sum((line.net for line in self.lines), Decimal())
        allowances, charges = self.total(charge=False), self.total(charge=True)
        base = lines - allowances + charges
        tax = sum((row[3] for row in self.breakdown()), Decimal())
        return {"106": lines, "107": allowances, "108": charges, "109": base, "110": tax, "112": base + tax}


def invoice(seed: int, *, lines: int | None = None, credit: bool | None = None) -> Invoice:
    """Draw an invoice that adds up."""
    chance = Random(seed)  # noqa: S311 - a simulation, not a secret
    count = lines or chance.choice((1, 1, 2, 3, 5, 8))
    drawn = tuple(_line(chance) for _ in range(count))
    first = drawn[0]
    levies = tuple(
        Levy(chance.random() < 0.5, Decimal(chance.randint(1, 30)) / 10, first.category, first.rate)
        for _ in range(chance.choice((0, 0, 1, 2)))
    )
    issued = date(2026, 9, 1) + timedelta(days=chance.randint(0, 120))
    return Invoice(
        number=f"F{seed:07d}",
        issued=issued,
        due=issued + timedelta(days=30),
        credit=chance.random() < 0.2 if credit is None else credit,
        seller=_party(chance, "Vendeur"),
        buyer=_party(chance, "Client"),
        lines=drawn,
        levies=levies,
    )


def _line(chance: Random) -> Line:
    category, rate = ("S", chance.choice(RATES)) if chance.random() < 0.9 else ("E", Decimal("0.00"))
    return Line(
        name=f"{chance.choice(WORDS)} {chance.randint(1, 99)}",
        unit=chance.choice(UNITS),
        quantity=Decimal(chance.randint(1, 2000)) / 100,
        price=Decimal(chance.randint(1000, 50_000)) / 100,
        category=category,
        rate=rate,
    )


def _party(chance: Random, kind: str) -> Party:
    return Party(f"{kind} {chance.randint(1, 999)}", f"{chance.randint(100_000_000, 999_999_999)}", f"Ville {kind}")

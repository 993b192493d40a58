"""A directory of national shape: made up, seeded, streamed, the same for the same shape.

Legal units come in the order of their SIREN, each with its establishments, routing codes and lines, so that nothing
that loads them has to sort. Shares are read as orders of magnitude, not as statistics: a private unit has its default
line (9998) until it chooses a platform; a public one has lines at its establishments and services, all on 9999.

Rows rather than entries: at eleven million lines, building an object each costs as much as storing it. The columns are
those of `COLUMNS`, by the name of the directory's tables.
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Any

Row = tuple[Any, ...]

PLATFORM, UNIT, ESTABLISHMENT, CODE, LINE = (
    "receiving_platform",
    "legal_unit",
    "establishment",
    "routing_code",
    "directory_line",
)

COLUMNS = {
    PLATFORM: ("matricule", "platform_type", "name", "siren", "registered_from", "registered_until"),
    UNIT: ("siren", "name", "entity_type", "is_taxable", "status", "diffusion"),
    ESTABLISHMENT: (
        "siret", "name", "kind", "status", "diffusion", "line_1", "city", "postal_code", "country",
        "commitment_required", "service_required", "commitment_or_service_required", "is_contracting_authority",
        "is_contracting_authority_only", "manages_payment_status",
    ),
    CODE: ("siret", "code", "name", "scheme", "status", "commitment_required"),
    LINE: (
        "nature", "address", "siret", "routing", "suffix", "start", "end", "effective_end", "matricule", "known_until",
    ),
}  # fmt: skip
"""What each row says, in its order; what is not named is absent of it. `known_until` is true of what is masked."""

FICTIVE, CHORUS_PRO = "9998", "9999"
OPENING = date(2026, 9, 1)
"""Everyone can receive from that day: no line starts before (external specifications v3.2, §2.3.5)."""

_TRADES = (
    "Atelier", "Boulangerie", "Cabinet", "Charpente", "Chaudronnerie", "Comptoir", "Coopérative", "Distillerie",
    "Entreprise", "Établissements", "Fabrique", "Fonderie", "Garage", "Imprimerie", "Jardinerie", "Laboratoire",
    "Librairie", "Maçonnerie", "Menuiserie", "Messageries", "Papeterie", "Pépinières", "Quincaillerie", "Scierie",
    "Serrurerie", "Société", "Tonnellerie", "Transports", "Tuilerie", "Verrerie",
)  # fmt: skip
_PLACES = (
    "de la Gare", "des Acacias", "du Canal", "de l'Étang", "du Moulin", "des Peupliers", "du Port", "de la Croix",
    "des Halles", "du Lavoir", "de la Fontaine", "du Parc", "des Remparts", "de la Plaine", "du Vieux Pont",
    "des Vignes", "de l'Octroi", "du Verger", "des Tilleuls", "de la Corderie",
)  # fmt: skip
_TOWNS = (
    ("Amiens", "80000"), ("Angers", "49000"), ("Bordeaux", "33000"), ("Brest", "29200"), ("Caen", "14000"),
    ("Clermont-Ferrand", "63000"), ("Dijon", "21000"), ("Grenoble", "38000"), ("Lille", "59000"), ("Limoges", "87000"),
    ("Lyon", "69003"), ("Marseille", "13002"), ("Metz", "57000"), ("Montpellier", "34000"), ("Nancy", "54000"),
    ("Nantes", "44000"), ("Nice", "06000"), ("Orléans", "45000"), ("Paris", "75011"), ("Reims", "51100"),
    ("Rennes", "35000"), ("Rouen", "76000"), ("Strasbourg", "67000"), ("Toulouse", "31000"), ("Tours", "37000"),
)  # fmt: skip
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large, and how things are shared out: every share is between 0 and 1, of the private units unless said."""

    lines: int
    """The unit that brings the lines to this number is the last."""
    seed: int = 1
    today: date = date(2027, 3, 1)
    """What is before it is past, what is after it is to come."""
    platforms: int = 120
    public: float = 0.02
    """Public entities among all units."""
    secondary: float = 0.25
    """Establishments beyond the first, on average."""
    chosen: float = 0.6
    """Have chosen a platform in place of the default line."""
    moved: float = 0.15
    """Of those who have chosen, have changed platform since."""
    moving: float = 0.03
    """Of those who have chosen, will change platform on a day to come."""
    masked: float = 0.005
    """Of those who have chosen, had announced a line and masked it."""
    suffixed: float = 0.2
    """Have addresses with suffixes, one to four."""
    by_establishment: float = 0.08
    """Have an address for each establishment."""
    services: float = 0.3
    """Of the public establishments, have services with routing codes, one to six."""
    partly_diffusible: float = 0.1
    unsolicited: float = 0.15
    """Diffusible, against prospecting."""


def directory(shape: Shape) -> Iterator[tuple[str, Row]]:
    """Give the table and the row of everything there is, unit by unit; platforms first."""
    chance = Random(shape.seed)  # noqa: S311 - made-up data, the same for a seed
    matricules = [f"{1000 + at:04}" for at in range(shape.platforms)]
    for at, matricule in enumerate(matricules):
        siren = siren_of(10_000_000 + at)
        yield PLATFORM, (matricule, "PDP", f"Plateforme {matricule}", siren, date(2026, 1, 1), None)
    yield PLATFORM, (FICTIVE, "NA", "Aucune plateforme", None, date(2023, 5, 1), None)
    yield PLATFORM, (CHORUS_PRO, "AP", "Chorus Pro", None, date(2023, 5, 1), None)
    made = _Making(shape, chance, matricules)
    for at in range(89_000_000):
        yield from made.unit(11_000_000 + at)
        if made.lines >= shape.lines:
            return


class _Making:
    """What is drawn, in its order, and how many lines there are so far."""

    def __init__(self, shape: Shape, chance: Random, matricules: list[str]) -> None:
        self.shape = shape
        self.chance = chance
        self.matricules = matricules
        self.shares = list(accumulate(1 / (rank + 2) for rank in range(len(matricules))))
        self.days = (shape.today - OPENING).days
        self.lines = 0

    def platform(self) -> str:
        """Draw a platform: a few have most of the lines."""
        return self.matricules[bisect(self.shares, self.chance.random() * self.shares[-1])]

    def unit(self, number: int) -> Iterator[tuple[str, Row]]:
        """Give all there is of a legal unit."""
        draw = self.chance.random
        siren = siren_of(number)
        is_public = draw() < self.shape.public
        name = f"{_TRADES[int(draw() * 30)]} {_PLACES[int(draw() * 20)]} {number % 9973}"
        kind = draw()
        diffusion = "P" if kind < self.shape.partly_diffusible else "O"
        if kind > 1 - self.shape.unsolicited:
            diffusion = "M"
        yield UNIT, (siren, name, "P" if is_public else "A", True, "A", diffusion)
        count = 1
        while draw() < self.shape.secondary / (1 + self.shape.secondary):
            count += 1
        sirets = [siret_of(siren, at) for at in range(1, count + 1)]
        for at, siret in enumerate(sirets):
            yield ESTABLISHMENT, self.establishment(siret, name, diffusion, is_main=at == 0, is_public=is_public)
        yield from self.public(siren, sirets) if is_public else self.private(siren, sirets)

    def establishment(self, siret: str, name: str, diffusion: str, *, is_main: bool, is_public: bool) -> Row:
        """Draw an establishment of a unit."""
        draw = self.chance.random
        street = None if diffusion == "P" else f"{1 + int(draw() * 120)} rue {_PLACES[int(draw() * 20)]}"
        city, code = _TOWNS[int(draw() * 25)]
        wants = draw()
        flags = (wants < 0.4, wants < 0.2, 0.4 <= wants < 0.5, wants > 0.9, wants > 0.99, True)
        place = (siret, name, "P" if is_main else "S", "A", diffusion, street, city, code, "FR")
        return place + (flags if is_public else (None,) * 6)

    def public(self, siren: str, sirets: list[str]) -> Iterator[tuple[str, Row]]:
        """Give the lines of a public entity: its establishments and their services."""
        draw = self.chance.random
        for siret in sirets:
            yield self.line(f"{siren}_{siret}", siret, None, None, OPENING, None, CHORUS_PRO)
            if draw() < self.shape.services:
                for service in range(1, 2 + int(draw() * 6)):
                    code = f"SERVICE_{service:02}"
                    yield CODE, (siret, code, f"Service {service}", "0224", "A", draw() < 0.3)
                    address = f"{siren}_{siret}_{code}"
                    yield self.line(address, siret, code, None, OPENING, None, CHORUS_PRO)

    def private(self, siren: str, sirets: list[str]) -> Iterator[tuple[str, Row]]:
        """Give the lines of a taxable unit: its SIREN, then what it has besides."""
        draw = self.chance.random
        if draw() >= self.shape.chosen:
            yield self.line(siren, None, None, None, OPENING, None, FICTIVE)
            return
        yield from self.successive(siren)
        if draw() < self.shape.by_establishment:
            for siret in sirets:
                yield self.line(f"{siren}_{siret}", siret, None, None, self.past(), None, self.platform())
        if draw() < self.shape.suffixed:
            for at in range(1 + int(draw() * 4)):
                suffix = f"SERVICE{at:02}"
                yield self.line(f"{siren}_{suffix}", None, None, suffix, self.past(), None, self.platform())
        if draw() < self.shape.masked:
            coming = (f"{siren}_ABANDON", None, None, "ABANDON", self.coming(), None, self.platform())
            yield self.line(*coming, is_masked=True)
            yield self.mask(*coming)

    def successive(self, siren: str) -> Iterator[tuple[str, Row]]:
        """Give the platforms that a SIREN was, is and will be on: each line begins when the one before it ends."""
        draw = self.chance.random
        start = self.past()
        if start > OPENING:
            yield self.line(siren, None, None, None, OPENING, start, FICTIVE)
        if draw() < self.shape.moved and start < self.shape.today - 2 * _DAY:
            then = start + _DAY * (1 + int(draw() * ((self.shape.today - start).days - 1)))
            yield self.line(siren, None, None, None, start, then, self.platform())
            start = then
        coming = self.coming() if draw() < self.shape.moving else None
        yield self.line(siren, None, None, None, start, coming, self.platform())
        if coming is not None:
            yield self.line(siren, None, None, None, coming, None, self.platform())

    def past(self) -> date:
        """Draw a day from the opening to today."""
        return OPENING + _DAY * int(self.chance.random() * (self.days + 1))

    def coming(self) -> date:
        """Draw a day of the year to come."""
        return self.shape.today + _DAY * (1 + int(self.chance.random() * 365))

    def line(self, *parts: Any, is_masked: bool = False) -> tuple[str, Row]:
        """Give a line of these parts, from its address to its platform, and count it."""
        self.lines += 1
        address, siret, routing, suffix, start, end, matricule = parts
        return LINE, ("D", address, siret, routing, suffix, start, end, end, matricule, is_masked or None)

    def mask(self, *parts: Any) -> tuple[str, Row]:
        """Give the mask of a line of these parts."""
        return LINE, ("M", *self.line(*parts)[1][1:])


def siren_of(number: int) -> str:
    """Give the SIREN of these eight digits, with its key.

    >>> siren_of(10_000_000)
    '100000009'
    """
    total = _ODD[number // 10_000] + _ODD[number % 10_000]
    return f"{number}{-total % 10}"


def siret_of(siren: str, rank: int) -> str:
    """Give the SIRET of an establishment by its rank in its unit, with its key.

    >>> siret_of("100000009", 1)
    '10000000900017'
    """
    total = _EVEN[int(siren[:4])] + _EVEN[int(siren[4:8])] + _DOUBLED[int(siren[8])] + _ODD[rank]
    return f"{siren}{rank:04}{-total % 10}"


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _sum(number: int, *, doubled: int) -> int:
    digits = [int(digit) for digit in f"{number:04}"]
    return sum(_DOUBLED[digit] if at % 2 == doubled else digit for at, digit in enumerate(digits))


_ODD = tuple(_sum(number, doubled=1) for number in range(10_000))
"""What four digits count for in a key (Luhn), the last of them doubled."""
_EVEN = tuple(_sum(number, doubled=0) for number in range(10_000))
"""The same, the last of them not doubled."""

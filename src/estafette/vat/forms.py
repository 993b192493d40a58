"""The VAT return as a dated table: each version of form 3310-CA3-SD with its lines, labels and EDI codes.

Source: form 3310-CA3-SD no. 10963*28 and *29 (four-digit numbers), EDI codes of the millésime 2024. Labels are our own
short wording. A later form (2027) is one more `Form` with its date, loaded from the official file when it is published.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Section(StrEnum):
    """The blocks of the form, in its order."""

    TAXED = "taxed"
    UNTAXED = "untaxed"
    GROSS = "gross"
    DEDUCTIBLE = "deductible"
    RESULT = "result"


class Column(StrEnum):
    """The columns of the gross VAT block; the other blocks have one amount per line."""

    BASE = "base"
    TAX = "tax"
    AMOUNT = "amount"


class Text(NamedTuple):
    """The same words in French and in English."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the form. `edi` holds one code, or those of base and tax."""

    code: str
    number: str | None
    edi: tuple[str, ...]
    section: Section
    label: Text


@dataclass(frozen=True, slots=True)
class Form:
    """One version of the return, for the months from `since` to `until` excluded."""

    code: str
    since: date
    lines: tuple[Line, ...]
    source: str
    until: date | None = None

    def line(self, code: str) -> Line:
        """Return the line with this code. Raises: KeyError when the form has none."""
        for line in self.lines:
            if line.code == code:
                return line
        raise KeyError(code)


class NoForm(LookupError):
    """No version of the return is known for this month."""


_TAXED = """
A1 0979 CA | Ventes, prestations de services | Sales, services
A2 0981 CB | Autres opérations imposables | Other taxable operations
A3 0044 KH | Achats de services à un assujetti non établi (283-2) | Services bought from non-established persons (283-2)
A4 0056 DK | Importations hors produits pétroliers | Imports other than oil products
A5 0051 KV | Sorties de régime suspensif hors produits pétroliers | Exits from suspensive regimes other than oil
B1 0048 CH | Mises à la consommation de produits pétroliers | Oil products released for consumption
B2 0031 CC | Acquisitions intracommunautaires | Intra-Community acquisitions
B3 0030 CF | Achats d'électricité, de gaz, de chaleur ou de froid | Purchases of electricity, gas, heat or cold
B4 0040 CG | Achats à un assujetti non établi (283-1) | Purchases from a non-established taxable person (283-1)
B5 0036 CE | Régularisations | Regularisations
"""

_UNTAXED = """
E1 0032 DA | Exportations hors Union européenne | Exports outside the European Union
E2 0033 DB | Autres opérations non imposables | Other operations not taxed
E3 0047 DH | Ventes à distance taxables dans un autre État membre | Distance sales taxable in another member state
E4 0052 KW | Importations exonérées hors produits pétroliers | Exempt imports other than oil products
E5 0053 KX | Sorties exonérées de régime suspensif | Exempt exits from suspensive regimes
E6 0054 KY | Importations sous régime suspensif | Imports under suspensive regimes
F1 0055 KZ | Acquisitions intracommunautaires exonérées | Exempt intra-Community acquisitions
F2 0034 DC | Livraisons intracommunautaires à un assujetti | Intra-Community supplies to a taxable person
F3 0029 DF | Livraisons d'énergie non imposables en France | Supplies of energy not taxed in France
F4 0049 DJ | Mises à la consommation exonérées de produits pétroliers | Exempt oil products released for consumption
F5 0050 LA | Importations de pétrole sous régime suspensif | Oil products imported under suspensive regimes
F6 0037 DD | Achats en franchise | Purchases free of VAT
F7 0043 DG | Ventes par un assujetti non établi (283-1) | Sales by a non-established taxable person (283-1)
F8 0039 DE | Régularisations | Regularisations
F9 0061 LR | Opérations internes à un assujetti unique | Operations inside a VAT group
"""

_GROSS = """
08 0207 FP/GP | Taux normal 20 % | Standard rate 20 %
09 0105 FB/GB | Taux réduit 5,5 % | Reduced rate 5.5 %
9B 0151 FR/GR | Taux réduit 10 % | Reduced rate 10 %
10 0201 FM/GM | Outre-mer, taux normal 8,5 % | Overseas, standard rate 8.5 %
11 0100 FN/GN | Outre-mer, taux réduit 2,1 % | Overseas, reduced rate 2.1 %
T1 1120 BQ/CQ | Outre-mer, taux 1,75 % | Overseas, 1.75 %
T2 1110 BP/CP | Outre-mer, taux 1,05 % | Overseas, 1.05 %
TC - NN/NP | Corse, taux 13 % | Corsica, 13 %
T3 1081 BS/CS | Corse, taux 10 % | Corsica, 10 %
T4 1050 BF/MC | Corse, taux 2,1 % | Corsica, 2.1 %
T5 1040 BE/MA | Corse, taux 0,9 % | Corsica, 0.9 %
T6 1010 MF/ME | Continent, taux 2,1 % | Continent, 2.1 %
T7 0990 MG/MD | Retenue sur droits d'auteur | Withholding on authors' rights
13 0900 FC/GC | Anciens taux | Former rates
P1 0208 GS/GT | Produits pétroliers, taux 20 % | Oil products, 20 %
P2 0152 GU/GV | Produits pétroliers, taux 13 % | Oil products, 13 %
I1 0210 LB/LC | Importations, taux 20 % | Imports, 20 %
I2 0211 LD/LE | Importations, taux 10 % | Imports, 10 %
I3 0212 LF/LG | Importations, taux 8,5 % | Imports, 8.5 %
I4 0213 LH/LJ | Importations, taux 5,5 % | Imports, 5.5 %
I5 0214 LK/LL | Importations, taux 2,1 % | Imports, 2.1 %
I6 0215 LM/LN | Importations, taux 1,05 % | Imports, 1.05 %
15 0600 GG | TVA antérieurement déduite à reverser | VAT deducted before, to pay back
5B - KS | Sommes à ajouter | Sums to add
16 - GH | Total de la TVA brute due | Total gross VAT
17 0035 GJ | Dont TVA sur acquisitions intracommunautaires | Of which intra-Community acquisitions
18 0038 GK | Dont TVA sur opérations à destination de Monaco | Of which operations to Monaco
"""

_DEDUCTIBLE = """
19 0703 HA | Biens constituant des immobilisations | Fixed assets
20 0702 HB | Autres biens et services | Other goods and services
21 0059 HC | Autre TVA à déduire | Other VAT to deduct
22 8001 HD | Report du crédit de la déclaration précédente | Credit brought forward
2C 0603 KU | Sommes à imputer | Sums to set off
23 - HG | Total de la TVA déductible | Total deductible VAT
24 0710 HF | Dont TVA sur importations | Of which imports
2E 0711 HL | Dont TVA sur produits pétroliers | Of which oil products
"""

_RESULT = """
25 0705 JA | Crédit de TVA | VAT credit
TD 8900 KA | TVA due | VAT due
26 8002 JB | Remboursement de crédit demandé | Refund of credit asked
27 8003 JC | Crédit à reporter | Credit carried forward
28 8901 ND | TVA nette due | Net VAT due
29 9979 KB | Taxes assimilées | Assimilated taxes
32 9992 KE | Total à payer | Total to pay
"""


def _lines(text: str, section: Section) -> tuple[Line, ...]:
    """Read one line per row: code, number or -, EDI codes | French | English."""
    rows = (row.split(" | ") for row in text.strip().splitlines())
    return tuple(_line(codes.split(), section, Text(fr, en)) for codes, fr, en in rows)


def _line(codes: list[str], section: Section, label: Text) -> Line:
    code, number, edi = codes
    return Line(code, None if number == "-" else number, tuple(edi.split("/")), section, label)


FORMS: tuple[Form, ...] = (
    Form(
        code="3310-CA3-SD *29",
        since=date(2024, 1, 1),
        lines=(
            *_lines(_TAXED, Section.TAXED),
            *_lines(_UNTAXED, Section.UNTAXED),
            *_lines(_GROSS, Section.GROSS),
            *_lines(_DEDUCTIBLE, Section.DEDUCTIBLE),
            *_lines(_RESULT, Section.RESULT),
        ),
        source="form 3310-CA3-SD no. 10963*28 and *29, EDI codes of 2024",
    ),
)


def form_of(first_day: date) -> Form:
    """Return the version of the return for the month that starts on this day. Raises: NoForm."""
    for form in FORMS:
        if form.since <= first_day and (form.until is None or first_day < form.until):
            return form
    raise NoForm(f"no CA3 is known for {first_day:%Y-%m}; the first is for {FORMS[0].since:%Y-%m}")

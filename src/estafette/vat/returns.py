"""The VAT return of one company for one month, filled from facts; every cell opens to its evidence.

Cents inside, one rounding half up to the whole euro per cell at the end (CGI art. 1724), totals from rounded cells. The
form has no negative cell: a negative net moves to B5 (taxed operations), F8 (untaxed), 21 (VAT collected) or 15 (VAT
deducted), as a positive amount, with its evidence.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from estafette.formats import flux10
from estafette.formats.flux10 import Report
from estafette.values.money import rounded
from estafette.vat.allocation import Allocation, Role, Unplaced, allocate
from estafette.vat.events import Certainty, Event
from estafette.vat.exigibility import exigibility, to_confirm
from estafette.vat.facts import Document, DocumentKey, Reported, Status
from estafette.vat.forms import Column, Form, Section, Text, form_of
from estafette.vat.reported import events_of
from estafette.vat.reported_lines import place

ZERO = Decimal(0)

MIXED = Text(
    "Facture mixte : biens et services ne se distinguent pas dans les données, date à confirmer.",
    "Mixed invoice: goods and services cannot be told apart in the data, date to confirm.",
)


class Month(NamedTuple):
    """The month a return is for."""

    year: int
    month: int

    @property
    def first_day(self) -> date:
        """The day it starts."""
        return date(self.year, self.month, 1)

    def holds(self, day: date) -> bool:
        """Tell whether the day is in it."""
        return (day.year, day.month) == self

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def month_of(text: str) -> Month:
    """Read `yyyy-mm`. Raises: ValueError.

    >>> month_of("2026-09")
    Month(year=2026, month=9)
    """
    first = date.fromisoformat(f"{text}-01")
    return Month(first.year, first.month)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one document puts in a cell, in euros and cents, and the rule that dates it; `reported`, where it was."""

    document: DocumentKey
    rule: str
    on: date
    amount: Decimal
    certainty: Certainty
    message_id: str | None = None
    presumed: Text | None = None
    reported: Reported | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: whole euros, the exact amount, the evidence whose sum that is; totals name what they sum instead."""

    line: str
    column: Column
    amount: int
    exact: Decimal
    evidence: tuple[Evidence, ...] = ()
    total_of: str | None = None


@dataclass(frozen=True, slots=True)
class Residual:
    """What the facts alone cannot place on the return: an amount, including VAT, and why."""

    document: DocumentKey
    on: date
    amount: Decimal
    reason: Text
    reported: Reported | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """The return as the facts fill it; `as_of` is the day it was looked at."""

    siren: str
    month: Month
    form: Form
    as_of: date
    cells: tuple[Cell, ...]
    residuals: tuple[Residual, ...]

    def cell(self, line: str, column: Column = Column.AMOUNT) -> Cell:
        """Return this cell, empty when nothing fills it."""
        for cell in self.cells:
            if (cell.line, cell.column) == (line, column):
                return cell
        return Cell(line, column, 0, ZERO)


def fill(
    documents: Iterable[Document],
    statuses: Iterable[Status],
    *,
    siren: str,
    month: Month,
    as_of: date,
    reports: Iterable[Report] = (),
) -> Return:
    """Fill the return of this company for this month from all the invoices it sent or received, of any date.

    `siren` is the company, or the VAT group that declares for it; `reports`, its transmissions that stand, of any
    period. Raises: NoForm.
    """
    form = form_of(month.first_day)
    documents, statuses = tuple(documents), tuple(statuses)
    events = exigibility(documents, statuses, as_of=as_of)
    placed: dict[tuple[str, Column], list[Evidence]] = defaultdict(list)
    residuals: list[Residual] = []
    outcomes = [allocate(event, form, role) for event in events if month.holds(event.on)
                for role in _roles(event.document, siren)]  # fmt: skip
    outcomes += _reported(reports, form, siren=siren, month=month)
    for outcome in outcomes:
        if isinstance(outcome, Unplaced):
            residuals.append(_residual(outcome))
            continue
        for allocation in outcome:
            placed[allocation.line, allocation.column].append(_evidence(allocation))
    residuals += _mixed(documents, statuses, events, siren=siren, month=month)
    cells = _with_totals(_rounded(_without_negatives(placed, form)), form)
    return Return(siren, month, form, as_of, cells, tuple(sorted(set(residuals), key=repr)))


def _reported(
    reports: Iterable[Report], form: Form, *, siren: str, month: Month
) -> list[tuple[Allocation, ...] | Unplaced]:
    """Return where the amounts go that this company e-reported, as what it reported them."""
    mine = [report for report in reports if report.declarant == siren]
    by_role = {
        Role.SELLER: [report for report in mine if report.role is flux10.Role.SELLER],
        Role.BUYER: [report for report in mine if report.role is flux10.Role.BUYER],
    }
    return [
        place(event, form, role) for role, some in by_role.items() for event in events_of(some) if month.holds(event.on)
    ]


def _roles(document: Document, siren: str) -> Iterator[Role]:
    if document.taxpayer == siren:
        yield Role.SELLER
    if document.buyer == siren:
        yield Role.BUYER


def _evidence(allocation: Allocation, sign: int = 1) -> Evidence:
    event = allocation.event
    certainty = event.certainty if allocation.presumed is None else Certainty.PRESUMED
    amount = sign * allocation.amount
    key, told = event.document.key, (event.message_id, allocation.presumed, event.reported)
    return Evidence(key, event.rule, event.on, amount, certainty, *told)


def _residual(unplaced: Unplaced) -> Residual:
    event = unplaced.event
    return Residual(event.document.key, event.on, event.base + event.vat, unplaced.reason, event.reported)


def _mixed(
    documents: tuple[Document, ...],
    statuses: tuple[Status, ...],
    events: tuple[Event, ...],
    *,
    siren: str,
    month: Month,
) -> list[Residual]:
    """Rule X7: the part of a mixed invoice that no payment dates, shown in the month of its issue."""
    return [
        Residual(document.key, document.issue_date, rest, MIXED)
        for document, rest in to_confirm(documents, statuses, events)
        if month.holds(document.issue_date) and any(_roles(document, siren))
    ]


Placed = dict[tuple[str, Column], list[Evidence]]


def _without_negatives(placed: Placed, form: Form) -> Placed:
    """Move each negative net where the form takes it, positive, with its evidence."""
    moved: Placed = defaultdict(list)
    for (line, column), evidence in placed.items():
        if sum((each.amount for each in evidence), ZERO) >= 0:
            moved[line, column] += evidence
        elif target := _regularisation(form, line, column):
            moved[target, Column.AMOUNT] += [_negated(each) for each in evidence]
    return moved


def _regularisation(form: Form, line: str, column: Column) -> str | None:
    """Return the line that takes the negative net of this cell; a base of the gross block is already in B5."""
    match form.line(line).section, column:
        case Section.TAXED, _:
            return "B5"
        case Section.UNTAXED, _:
            return "F8"
        case Section.GROSS, Column.TAX:
            return "21"
        case Section.DEDUCTIBLE, _:
            return "15"
    return None


def _negated(evidence: Evidence) -> Evidence:
    return replace(evidence, amount=-evidence.amount)


def _rounded(placed: Placed) -> dict[tuple[str, Column], Cell]:
    cells = {}
    for (line, column), evidence in placed.items():
        exact = sum((each.amount for each in evidence), ZERO)
        ordered = tuple(sorted(evidence, key=lambda each: (each.on, each.document, each.rule, repr(each))))
        cells[line, column] = Cell(line, column, _euros(exact), exact, ordered)
    return cells


def _euros(exact: Decimal) -> int:
    return int(rounded(exact, digits=0))


def _with_totals(cells: dict[tuple[str, Column], Cell], form: Form) -> tuple[Cell, ...]:
    """Add the totals, from rounded cells, and put everything in the order of the form."""

    def amount(*lines: str) -> int:
        return sum(cells[line, Column.AMOUNT].amount for line in lines if (line, Column.AMOUNT) in cells)

    def total(line: str, value: int, of: str) -> None:
        if value:
            cells[line, Column.AMOUNT] = Cell(line, Column.AMOUNT, value, Decimal(value), total_of=of)

    tax = sum(cell.amount for (_, column), cell in cells.items() if column is Column.TAX)
    total("16", tax + amount("15", "5B"), "08 … P2 + 15 + 5B")
    total("23", amount("19", "20", "21", "22", "2C"), "19 + 20 + 21 + 22 + 2C")
    total("25", max(amount("23") - amount("16"), 0), "23 - 16")
    total("TD", max(amount("16") - amount("23"), 0), "16 - 23")
    total("27", amount("25"), "25 - 26")
    total("28", amount("TD"), "TD")
    total("32", amount("28", "29"), "28 + 29")
    order = {line.code: position for position, line in enumerate(form.lines)}
    return tuple(sorted(cells.values(), key=lambda cell: (order[cell.line], cell.column)))

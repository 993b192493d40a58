"""The readable form in plain text, for a terminal: the content of `sheet`, top to bottom, tables in columns.

No text of an invoice can command the terminal: what a page cannot show is written by its number.
"""

from collections.abc import Iterable, Iterator, Sequence

from estafette.invoice.model import Invoice
from estafette.lifecycle.guards import StatusEvent
from estafette.readable.sheet import LineRow, Section, Sheet, Table, sheet
from estafette.readable.terms import Entry

_LINE_FIGURES = 4
"""The last columns of the lines, which are figures."""
_NAME_MAX = 60
"""Characters of a line's name in its column; a longer one is whole below."""


def text(invoice: Invoice, *, language: str = "fr", statuses: Sequence[StatusEvent] = ()) -> str:
    """Give the text that shows an invoice in French (`fr`) or English (`en`), with its life cycle when it is given.

    Raises: ValueError for another language.
    """
    content = sheet(invoice, language=language, statuses=statuses)
    return "\n".join(line.rstrip() for block in _blocks(content) for line in (*block, "")).rstrip() + "\n"


def _blocks(content: Sheet) -> Iterator[list[str]]:
    yield [f"{content.title} {content.number}", *_entries((*content.head, content.due))]
    for party in content.parties:
        yield [f"{party.title} – {party.name}", *(f"  {line}" for line in party.address), *_entries(party.entries)]
    yield from _section(content.references)
    if content.lines:
        yield [content.lines_title, *_lines(content)]
    for table in (content.adjustments, content.vat, content.totals):
        yield from _table(table)
    for section in content.sections:
        yield from _section(section)
    yield from _table(content.statuses)
    if content.foot:
        yield [content.foot]


def _section(section: Section) -> Iterator[list[str]]:
    if section.entries:
        yield [section.title, *_entries(section.entries)]


def _entries(entries: Iterable[Entry]) -> list[str]:
    said = (f"{entry.label}: {entry.text}" if entry.label else entry.text for entry in entries if entry.text)
    return ["  " + one.replace("\n", "\n    ") for one in said]


def _lines(content: Sheet) -> Iterator[str]:
    cells = [_cells(line) for line in content.lines]
    header, *rows = _columns([content.lines_header, *cells], figures=_LINE_FIGURES)
    yield header
    for row, line in zip(rows, content.lines, strict=True):
        yield row
        whole = [Entry("", line.name)] if len(line.name) > _NAME_MAX else []
        yield from ("    " + "  " * line.depth + entry for entry in _entries((*whole, *line.entries)))


def _cells(line: LineRow) -> tuple[str, ...]:
    name = line.name.replace("\n", " ")
    name = name if len(name) <= _NAME_MAX else f"{name[: _NAME_MAX - 1]}…"
    return (line.identifier, "  " * line.depth + name, line.quantity, line.price, line.vat, line.net_amount)


def _table(table: Table) -> Iterator[list[str]]:
    if not table.rows:
        return
    head = [table.header] if table.header else []
    written = _columns([*head, *(row.cells for row in table.rows)], figures=table.figures)
    lines = [table.title, *written[: len(head)]]
    for row, said in zip(table.rows, written[len(head) :], strict=True):
        lines += [said, *(f"    {note}" for note in row.notes)]
    yield lines


def _columns(rows: Sequence[tuple[str, ...]], *, figures: int) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first = len(widths) - figures
    return [
        "  " + "  ".join(
            cell.rjust(width) if place >= first else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]  # fmt: skip

"""How fast the engine of rules is, as a ratio to SaxonC in the same run on the same documents, both warm.

Run by `make bench`, or `python bench/rules.py`. Times are of one process, in milliseconds.
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from tempfile import NamedTemporaryFile

from lxml import etree
from saxonche import PySaxonProcessor

from estafette.formats.xml import parse
from estafette.rules import check
from estafette.rules.catalogue import packs_for, schema_for
from estafette.rules.recognition import recognise
from estafette.simulation.cii import cii
from estafette.simulation.invoices import invoice
from estafette.simulation.messages import status_message, transactions_report
from estafette.simulation.ubl import ubl

KEPT: list[object] = []
DOCUMENTS = {
    "UBL, EN 16931, 3 lines": ubl(invoice(1, lines=3, credit=False)),
    "UBL, EN 16931, 20 lines": ubl(invoice(2, lines=20, credit=False)),
    "UBL, EXTENDED-CTC-FR, 3 lines": ubl(invoice(3, lines=3, credit=False), "EXTENDED-CTC-FR"),
    "CII, EN 16931, 3 lines": cii(invoice(1, lines=3, credit=False)),
    "CII, EN 16931, 20 lines": cii(invoice(2, lines=20, credit=False)),
    "CII, Factur-X EXTENDED, 3 lines": cii(invoice(3, lines=3, credit=False), "EXTENDED"),
    "CDAR": status_message(1),
    "Flux 10": transactions_report(1),
}


def time_of(work: Callable[[], object], seconds: float = 1.0) -> float:
    """Return the time of a call, in milliseconds, after warming up."""
    return times_of([work], seconds)[0]


def times_of(works: list[Callable[[], object]], seconds: float = 3.0) -> list[float]:
    """Return the time of each call, in milliseconds: the fast tenth, which other programs of the machine disturb least.

    In turns of a tenth of a second, so that what slows the machine slows them all; the first call of a turn, that finds
    the caches of the processor full of the other's data, is not counted: both are warm.
    """
    times: list[list[float]] = [[] for _ in works]
    started = time.perf_counter()
    while len(times[0]) < 10 or time.perf_counter() - started < seconds:
        for work, spent in zip(works, times, strict=True):
            work()
            turn = time.perf_counter()
            while time.perf_counter() - turn < 0.1:
                before = time.perf_counter()
                work()
                spent.append((time.perf_counter() - before) * 1000)
    return [statistics.quantiles(spent, n=10)[0] for spent in times]


def saxon(processor: PySaxonProcessor, data: bytes) -> Callable[[], object]:
    """Return the same judgement made by the official artefacts: schema, then each sheet by SaxonC."""
    tree = parse(data)
    kind = recognise(tree.getroot())
    if kind is None:
        raise ValueError("not a document of the field")
    schema = etree.XMLSchema(etree.parse(str(schema_for(kind.syntax, kind.profile, kind.root))))
    compiler = processor.new_xslt30_processor()
    sheets = [
        compiler.compile_stylesheet(stylesheet_file=str(pack.path)) for pack in packs_for(kind.syntax, kind.profile)
    ]
    file = NamedTemporaryFile(suffix=".xml")  # noqa: SIM115 - kept open for as long as the work is
    KEPT.append(file)
    file.write(data)
    file.flush()

    def work() -> object:
        schema.validate(etree.fromstring(data))
        return [sheet.transform_to_string(source_file=file.name) for sheet in sheets]

    return work


def ratios() -> None:
    """Print, for each document, both times and their ratio."""
    processor = PySaxonProcessor(license=False)
    print(f"{'document':34}{'KB':>6}{'ours ms':>10}{'SaxonC ms':>11}{'ratio':>8}")
    for name, data in DOCUMENTS.items():
        ours, theirs = times_of([partial(check, data), saxon(processor, data)])
        print(f"{name:34}{len(data) / 1024:6.1f}{ours:10.3f}{theirs:11.2f}{theirs / ours:8.1f}", flush=True)


def curve(most: int) -> None:
    """Print the time of one verdict against the number of lines, in both syntaxes."""
    print(f"\n{'lines':>8}{'UBL ms':>12}{'µs/line':>10}{'CII ms':>12}{'µs/line':>10}")
    lines = 10
    while lines <= most:
        row = f"{lines:8}"
        for write in (ubl, cii):
            spent = time_of(partial(check, write(invoice(5, lines=lines, credit=False))), 0.5)
            row += f"{spent:12.2f}{spent * 1000 / lines:10.1f}"
        print(row, flush=True)
        lines *= 10


def long_report(invoices: int) -> None:
    """Print the time of a long e-reporting message."""
    data = transactions_report(1, invoices=invoices)
    print(f"\nFlux 10 of {invoices} invoices, {len(data) / 1e6:.1f} MB: {time_of(lambda: check(data), 0.5):.0f} ms")


if __name__ == "__main__":
    ratios()
    curve(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    long_report(1_000)

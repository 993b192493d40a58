"""How fast and how lean invoices are read, written, converted and drawn: figures of one run on this machine.

Run by `make bench`, or `python -m bench formats`. Times in milliseconds. The peers do the same work in the same run:
lxml for building the tree that is read, factur-x for embedding the same XML in the same page.
"""

import gc
import io
import logging
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import facturx as peer
from lxml import etree

from bench.rules import time_of, times_of
from estafette import readable
from estafette.formats import Syntax, convert, facturx_writing, json_form, read, write
from estafette.simulation.cii import cii
from estafette.simulation.invoices import invoice
from estafette.simulation.ubl import ubl

LINES = 10
STREAMED = 20_000
BIG = 100 * 1024 * 1024


def one_invoice() -> None:
    """Print the time of each verb for an invoice of ten lines."""
    drawn = invoice(1, lines=LINES, credit=False)
    in_ubl, in_cii = ubl(drawn), cii(drawn)
    model = read(in_cii)
    page = readable.pdf(model)
    verbs: dict[str, Callable[[], object]] = {
        "read UBL": partial(read, in_ubl),
        "read CII": partial(read, in_cii),
        "write UBL": partial(write, model, Syntax.UBL),
        "write CII": partial(write, model, Syntax.CII),
        "write JSON": partial(json_form.write, model),
        "UBL → CII": partial(convert, in_ubl, Syntax.CII),
        "CII → UBL": partial(convert, in_cii, Syntax.UBL),
        "readable PDF": partial(readable.pdf, model),
        "Factur-X on a page": partial(facturx_writing.write, in_cii, pdf=page),
        "Factur-X with its page": partial(readable.facturx, in_cii),
    }
    print(f"{LINES} lines, UBL {len(in_ubl) / 1024:.1f} KB, CII {len(in_cii) / 1024:.1f} KB")
    for name, verb in verbs.items():
        print(f"{name:26}{time_of(verb):9.3f} ms", flush=True)


def peers() -> None:
    """Print our time, the peer's, and how many times the peer's ours is, in the same run."""
    logging.disable(logging.WARNING)
    in_cii = cii(invoice(1, lines=LINES, credit=False))
    page = readable.pdf(read(in_cii))

    def embedded() -> object:
        return peer.generate_from_binary(page, in_cii, check_xsd=False, check_schematron=False, flavor="factur-x")

    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "reading / lxml's tree": (partial(read, in_cii), partial(etree.fromstring, in_cii)),
        "embedding / factur-x": (partial(facturx_writing.write, in_cii, pdf=page), embedded),
    }
    print(f"\n{'':26}{'ours ms':>10}{'peer ms':>10}{'ratio':>8}")
    for name, works in pairs.items():
        ours, theirs = times_of(list(works))
        print(f"{name:26}{ours:10.3f}{theirs:10.3f}{ours / theirs:8.2f}", flush=True)


def curve(most: int) -> None:
    """Print the time of reading and of converting against the number of lines."""
    print(f"\n{'lines':>8}{'read UBL':>12}{'µs/line':>10}{'UBL → CII':>12}{'µs/line':>10}")
    lines = 10
    while lines <= most:
        data = ubl(invoice(5, lines=lines, credit=False))
        row = f"{lines:8}"
        for work in (partial(read, data), partial(convert, data, Syntax.CII)):
            spent = time_of(work, 0.5)
            row += f"{spent:12.2f}{spent * 1000 / lines:10.1f}"
        print(row, flush=True)
        lines *= 10


def stream(count: int) -> None:
    """Print the memory held before and after many invoices went through `convert`, once warm."""
    documents = [ubl(invoice(seed, lines=3, credit=False)) for seed in range(50)]
    for number in range(500):
        convert(documents[number % 50], Syntax.CII)
    gc.collect()
    before = held()
    for number in range(count):
        convert(documents[number % 50], Syntax.CII)
    gc.collect()
    print(f"\n{count} conversions: {before:.1f} MB held before, {held():.1f} MB after", flush=True)


def big_attachment() -> None:
    """Print the peak of memory of a process that reads, and of one that converts, an invoice of almost 100 MB."""
    print()
    for verb in ("nothing", "read", "convert"):
        asked = [sys.executable, "-m", "bench.formats", verb]
        told = subprocess.run(asked, capture_output=True, text=True, check=True)
        print(f"{BIG / 1e6:.0f} MB in an attachment, {verb}: peak {told.stdout.strip()} MB", flush=True)


def peak_of(verb: str) -> None:
    """Print the peak of this process, having done that with a document as big as is allowed."""
    data = ubl(invoice(1, lines=LINES, credit=False))
    head = b"<cac:AdditionalDocumentReference><cbc:ID>P</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject "
    head += b'mimeCode="application/pdf" filename="p.pdf">'
    tail = b"</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    place = data.index(b"<cac:AccountingSupplierParty")
    room = (BIG - len(data) - len(head) - len(tail)) // 4 * 4
    whole = io.BytesIO()
    for part in (data[:place], head, b"QUJD" * (room // 4), tail, data[place:]):
        whole.write(part)
    given = whole.getvalue()
    whole.close()
    verbs: dict[str, Callable[[bytes], object]] = {
        "nothing": len,
        "read": read,
        "convert": partial(convert, to=Syntax.CII),
    }
    verbs[verb](given)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def held() -> float:
    """Give the memory that this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].isdecimal():
        peak_of(sys.argv[1])
    else:
        one_invoice()
        peers()
        curve(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
        stream(STREAMED)
        big_attachment()

"""Examining with the eyes of a scanner of viruses (`exchange.scanning`).

`scanned` wraps the examination of documents: whatever is examined is scanned too, and what is found makes it
irreceivable (IRR_ANTIVIRUS, VirusFound). The file itself is scanned, then what it carries in base64, where no scanner
would look.
"""

from collections.abc import Awaitable, Callable, Iterator

from estafette.exchange.scanning import VIRUS, Scanner, told
from estafette.formats import cdar
from estafette.formats.xml import Syntax, Unreadable
from estafette.platform.examination import Examined, refused

Examine = Callable[[bytes], Awaitable[Examined]]


def scanned(examine: Examine, scanner: Scanner | None) -> Examine:
    """Return an examination that also scans; the same one when there is no scanner."""
    if scanner is None:
        return examine

    async def examine_and_scan(data: bytes) -> Examined:
        examined = await examine(data)
        for part in (data, *_carried(data, examined)):
            if found := await scanner.scan(part):
                return refused(examined.syntax, VIRUS, " / ".join(told(found)))
        return examined

    return examine_and_scan


def _carried(data: bytes, examined: Examined) -> Iterator[bytes]:
    """Give the documents that an invoice (BG-24) or a status (MDT-96) carries."""
    if examined.invoice is not None:
        yield from (held.content for held in examined.invoice.supporting_documents if held.content)
    elif examined.syntax is Syntax.CDAR:
        try:
            attachments = cdar.read(data).attachments
        except Unreadable:
            return  # it will be refused for that
        yield from (held.content for held in attachments)

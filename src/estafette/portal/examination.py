"""What a flow says by itself: its files, each read once, or why the whole is irreceivable (stages 1 and 2).

Pure: bytes and a day in, values out. The reading serves every stage after it; nothing reads a file a second time.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

from estafette.formats import cdar, envelope, flux1
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.flux1 import Examined
from estafette.formats.status_message import StatusMessage
from estafette.formats.xml import Syntax, Unreadable
from estafette.lifecycle.guards import Refusal

DATA = {"FFE0111A": Syntax.UBL, "FFE0112A": Syntax.CII}
"""The interfaces of invoice data, and the syntax that each carries."""

STATUSES = "FFE0614A"
SERVED = DATA.keys() | {STATUSES}


@dataclass(frozen=True, slots=True)
class File:
    """A file of a flow, as it was read."""

    file: str
    sha256: str
    read: Examined | StatusMessage


@dataclass(frozen=True, slots=True)
class Controlled:
    """A flow after the stages that need nothing but itself: its files, or why the whole is irreceivable."""

    files: tuple[File, ...] = ()
    refusal: Refusal | None = None


def examine(flow: str, data: bytes, *, on: date) -> Controlled:
    """Return the files of an envelope of this file name, or why the whole is irreceivable (stages 1 and 2)."""
    name = FlowName.parse(flow)
    try:
        _served(name)
        files = tuple(_file(name.interface, *member, on=on) for member in envelope.unpack(flow, data))
    except Irreceivable as reason:
        place = (reason.file or str(name),)
        return Controlled(refusal=Refusal(reason.code, "", reason.reason_fr, reason.reason_en, place))
    return Controlled(files)


def _served(name: FlowName) -> None:
    if name.interface not in SERVED:
        code = name.interface
        raise Irreceivable("IRR_CODE_INTER", f"Interface {code} non servie ici.", f"Interface {code} not served here.")


def _file(interface: str, file: str, content: bytes, *, on: date) -> File:
    """Read a file of its kind. Raises: Irreceivable (IRR_SYNTAX, IRR_NOM_F …)."""
    digest = hashlib.sha256(content).hexdigest()
    try:
        if interface == STATUSES:
            return File(file, digest, cdar.read(content))
        examined = flux1.examine(file, content, on=on)
    except Unreadable as unreadable:
        raise Irreceivable(unreadable.code, unreadable.reason_fr, unreadable.reason_en, file) from None
    _in_its_syntax(interface, file, examined.syntax)
    return File(file, digest, examined)


def _in_its_syntax(interface: str, file: str, seen: Syntax) -> None:
    """Check that data are in the syntax of their interface: UBL or CII. Raises: Irreceivable."""
    expected = DATA[interface]
    if seen is not expected:
        fr = f"L'interface {interface} attend {expected}, le fichier est {seen}."
        raise Irreceivable("IRR_SYNTAX", fr, f"Interface {interface} expects {expected}, the file is {seen}.", file)

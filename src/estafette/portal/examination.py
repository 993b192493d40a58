"""What a flow says by itself: its files, each read once, or why the whole is irreceivable (stages 1 and 2).

Pure: bytes and a day in, values out. The reading serves every stage after it; nothing reads a file a second time.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BufferedReader

from estafette.formats import cdar, flow_archive, flux1
from estafette.formats.cdar import Named
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.flow_archive import WIDEST, Bounds
from estafette.formats.flux1 import Examined
from estafette.formats.status_message import StatusMessage
from estafette.formats.xml import DAMAGED, Syntax, Unreadable, parse
from estafette.lifecycle.guards import Refusal
from estafette.rules.catalogue import schema_for
from estafette.rules.schema import schema_findings

DATA = {"FFE0111A": Syntax.UBL, "FFE0112A": Syntax.CII}
"""The interfaces of invoice data, and the syntax that each carries."""

STATUSES = "FFE0614A"
SERVED = DATA.keys() | {STATUSES}
"""The interfaces that are read here; e-reporting is in `reports`."""

BAD_FILES_MAX = 50
"""Bad files told in one answer (our bound)."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a flow, as it was read."""

    file: str
    sha256: str
    read: Examined | StatusMessage | Named


@dataclass(frozen=True, slots=True)
class Controlled:
    """A flow after the stages that need nothing but itself: its files, or why the whole is irreceivable."""

    files: tuple[File, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def refused(name: FlowName, reasons: Sequence[Irreceivable]) -> Controlled:
    """Return that nothing of a flow is taken, and why: a reason for each file at fault, the first of them."""
    return Controlled(
        refusals=tuple(
            Refusal(reason.code, "", reason.reason_fr, reason.reason_en, (reason.file or str(name),))
            for reason in reasons[:BAD_FILES_MAX]
        )
    )


def examine(flow: str, data: bytes | BufferedReader, *, on: date, bounds: Bounds = WIDEST) -> Controlled:
    """Return the files of an envelope of this file name, or why the whole is irreceivable (stages 1 and 2).

    Only what was read is kept, not the bytes: memory holds one file at a time.
    """
    name = FlowName.parse(flow)
    if (code := name.interface) not in SERVED:
        reason = Irreceivable("IRR_CODE_INTER", f"Interface {code} non servie.", f"Interface {code} is not served.")
        return refused(name, [reason])
    files: list[File] = []
    faults: list[Irreceivable] = []
    try:
        for member, content in flow_archive.unpack(flow, data, bounds=bounds):
            try:
                files.append(_file(name.interface, member, content, on=on))
            except Irreceivable as fault:
                faults.append(fault)
    except Irreceivable as damage:
        faults = [damage]
    return refused(name, faults) if faults else Controlled(tuple(files))


def _file(interface: str, file: str, content: bytes, *, on: date) -> File:
    """Read a file of its kind. Raises: Irreceivable (IRR_SYNTAX, IRR_NOM_F …)."""
    digest = hashlib.sha256(content).hexdigest()
    try:
        if interface == STATUSES:
            return File(file, digest, _status(file, content))
        examined = flux1.examine(file, content, on=on)
    except Unreadable as unreadable:
        raise Irreceivable(unreadable.code, unreadable.reason_fr, unreadable.reason_en, file) from None
    _in_its_syntax(interface, file, examined.syntax)
    return File(file, digest, examined)


def _status(file: str, content: bytes) -> StatusMessage | Named:
    """Read a status that follows the schema of CDAR D22B; what it says wrongly within it harms only itself (stage 3).

    Raises: Unreadable; Irreceivable, IRR_SYNTAX, with the first thing against the schema.
    """
    tree = parse(content)
    read = cdar.read_named(tree)
    if broken := schema_findings(tree, schema_for("CDAR", "", "")):
        seen = f"{broken[0].path} : {broken[0].value}"
        fr, en = f"Hors du schéma CDAR D22B. {seen}", f"Against the schema of CDAR D22B. {seen}"
        raise Irreceivable(DAMAGED, fr, en, file)
    return read


def _in_its_syntax(interface: str, file: str, seen: Syntax) -> None:
    """Check that data are in the syntax of their interface: UBL or CII. Raises: Irreceivable."""
    expected = DATA[interface]
    if seen is not expected:
        fr = f"L'interface {interface} attend {expected}, le fichier est {seen}."
        raise Irreceivable("IRR_SYNTAX", fr, f"Interface {interface} expects {expected}, the file is {seen}.", file)

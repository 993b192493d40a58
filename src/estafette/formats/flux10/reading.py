"""A transmission from bytes. What is not of its type stops the reading: the schema judges first, then this reads."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from lxml import etree

from estafette.formats.flux10.layout import PAYMENTS, TRANSACTIONS, Slot
from estafette.formats.flux10.model import Kind, Report, Role
from estafette.formats.xml import DAMAGED, OTHER_KIND, Syntax, Unreadable, parse, syntax_of
from estafette.values import moments, money


class Head(msgspec.Struct, frozen=True):
    """What names a transmission, as far as a file says it: enough to answer one that cannot be read further."""

    identifier: str = ""
    declarant: str = ""
    issued_at: datetime | None = None


def _integer(text: str) -> int:
    if not text.removeprefix("-").isdigit() or len(text) > 9:
        raise ValueError(f"not an integer of at most nine digits: {text[:40]!r}")
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "role": Role,
    "integer": _integer,
    "date": moments.day,
    "moment": moments.second,
    "decimal": money.decimal,
}


def head(data: bytes) -> Head:
    """Give what names a transmission. Raises: Unreadable, when the bytes are no file of Flow 10."""
    return _head(_root(data))


def _head(root: etree._Element) -> Head:
    try:
        issued_at = moments.second((root.findtext("ReportDocument/IssueDateTime/DateTimeString") or "").strip())
    except ValueError:
        issued_at = None
    identifier, declarant = (root.findtext(f"ReportDocument/{path}") or "" for path in ("Id", "Issuer/Id"))
    return Head(identifier, declarant, issued_at)


def read(data: bytes) -> Report:
    """Give a transmission; amounts as written. Raises: Unreadable, also what `read_named` gives as such."""
    _named, read_ = read_named(data)
    if isinstance(read_, Unreadable):
        raise read_
    return read_


def read_named(data: bytes) -> tuple[Head, Report | Unreadable]:
    """Give what names a transmission, and the transmission or why it cannot be read further; the file is read once.

    It cannot when a datum it cannot do without is missing, or one is not of its type (a day that no calendar has, which
    the portal's own rules let pass). Raises: Unreadable, when the bytes are no file of Flow 10.
    """
    root = _root(data)
    try:
        return _head(root), _report(root)
    except Unreadable as unreadable:
        return _head(root), unreadable


def _report(root: etree._Element) -> Report:
    held = [kind for kind, tag in ((Kind.TRANSACTIONS, "TransactionsReport"), (Kind.PAYMENTS, "PaymentsReport"))
            if root.find(tag) is not None]  # fmt: skip
    if len(held) != 1:
        raise Unreadable(
            DAMAGED,
            "Une transmission contient des transactions ou des paiements, l'un des deux (G6.29).",
            "A transmission holds transactions or payments, one of the two (G6.29).",
            where="/Report",
        )
    slots = TRANSACTIONS if held[0] is Kind.TRANSACTIONS else PAYMENTS
    report: Report = _made(Report, root, {**_values(root, slots), "kind": held[0]})
    return report


def _root(data: bytes) -> etree._Element:
    tree = parse(data)
    if syntax_of(tree) is not Syntax.FRR:
        raise Unreadable(OTHER_KIND, "Le fichier n'est pas un flux 10.", "The file is no Flow 10.")
    return tree.getroot()


def _values(element: etree._Element, slots: tuple[Slot, ...]) -> dict[str, Any]:
    children: dict[str, list[etree._Element]] = {}
    for child in element:
        children.setdefault(str(child.tag), []).append(child)
    said: dict[str, Any] = {}
    for slot in slots:
        if slot.constant:
            continue
        if slot.group is None:
            text = _text(children, slot)
            if text:
                said[slot.field] = _value(element, slot, text)
            continue
        found = [
            _made(slot.group.type, each, _values(each, slot.group.slots))
            for each in _at(children, slot.path)
            if slot.mark is None or _is_true(each.get(slot.mark[0])) == (slot.mark[1] == "true")
        ]
        if slot.many:
            said[slot.field] = tuple(found)
        elif found:
            said[slot.field] = found[0]
    return said


def _at(children: dict[str, list[etree._Element]], path: str) -> list[etree._Element]:
    """Give the elements at a path under those of these children that begin it, in their order."""
    first, _, rest = path.partition("/")
    held = children.get(first, [])
    return [each for one in held for each in one.findall(rest)] if rest else held


def _text(children: dict[str, list[etree._Element]], slot: Slot) -> str:
    path, _, attribute = slot.path.partition("/@")
    found = _at(children, path)
    if not found:
        return ""
    text = found[0].get(attribute, "") if attribute else found[0].text or ""
    return text if slot.type == "text" else text.strip()


def _value(element: etree._Element, slot: Slot, text: str) -> Any:
    try:
        return _READERS[slot.type](text)
    except ValueError:
        place = f"{element.getroottree().getpath(element)}/{slot.path}"
        raise Unreadable(
            DAMAGED,
            f"Valeur illisible : {text[:40]!r} n'est pas de type {slot.type}.",
            f"Unreadable value: {text[:40]!r} is not a {slot.type}.",
            where=place,
        ) from None


def _made(type_: Any, element: etree._Element, said: dict[str, Any]) -> Any:
    try:
        return type_(**said)
    except TypeError as missing:
        place = element.getroottree().getpath(element)
        raise Unreadable(DAMAGED, f"Donnée manquante : {missing}", f"Missing datum: {missing}", where=place) from None


def _is_true(text: str | None) -> bool:
    return (text or "").strip() in {"true", "1"}

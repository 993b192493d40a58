"""A transmission as bytes: UTF-8, no namespace, the elements in the order of the schema, empty ones left out."""

from collections.abc import Callable
from typing import Any

from lxml import etree

from estafette.formats.flux10.layout import PAYMENTS, TRANSACTIONS, Slot
from estafette.formats.flux10.model import Kind, Report
from estafette.values import moments, money

_WRITERS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "role": str,
    "integer": str,
    "date": moments.day_text,
    "moment": moments.second_text,
    "decimal": money.plain,
}


def write(report: Report) -> bytes:
    """Give the file of a transmission; the same bytes for the same transmission."""
    root = etree.Element("Report")
    _fill(root, report, TRANSACTIONS if report.kind is Kind.TRANSACTIONS else PAYMENTS)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _fill(element: etree._Element, record: Any, slots: tuple[Slot, ...]) -> None:
    for slot in slots:
        if slot.constant:
            _qualify(element, slot)
            continue
        value = getattr(record, slot.field)
        for each in value if slot.many else (value,):
            if each is not None and each != "":
                _place(element, slot, each)


def _place(element: etree._Element, slot: Slot, value: Any) -> None:
    path, _, attribute = slot.path.partition("/@")
    *wrappers, last = path.split("/")
    parent = element
    for wrapper in wrappers:
        parent = _last(parent, wrapper)
    if slot.group is None:
        text = _WRITERS[slot.type](value)
        if attribute:
            _last(parent, last).set(attribute, text)
        else:
            etree.SubElement(parent, last).text = text
        return
    made = etree.Element(last)
    if slot.mark:
        made.set(*slot.mark)
    _fill(made, value, slot.group.slots)
    if len(made):
        parent.append(made)


def _qualify(element: etree._Element, slot: Slot) -> None:
    """Write a constant beside what it qualifies, where that was said."""
    path, _, attribute = slot.path.partition("/@")
    if attribute:
        for qualified in element.findall(path)[-1:]:
            qualified.set(attribute, slot.constant)
        return
    *wrappers, last = path.split("/")
    parent = element
    for wrapper in wrappers:
        parent = _last(parent, wrapper)
    etree.SubElement(parent, last).text = slot.constant


def _last(parent: etree._Element, name: str) -> etree._Element:
    """Return the last child of that name if it is the last of all, else a new one: wrappers hold what follows on."""
    if len(parent) and parent[-1].tag == name:
        return parent[-1]
    return etree.SubElement(parent, name)

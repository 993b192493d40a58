"""The records of an export as text: the same elements as `directory_records` says, without a tree.

A national export has tens of millions of records; a tree of each costs ten times its text. The table of each record is
turned once into what stands before and after each value; a value that no element may hold loses what XML forbids.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from xml.sax.saxutils import escape

from estafette.formats.directory_entries import Entry
from estafette.formats.directory_records import BY_KIND, ROUTING_SCHEMES, Record

_UNSAFE = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Text = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class _Slot:
    """What stands before a value, its text, what stands after; the element that holds it with others, if any."""

    before: str
    text: Text
    after: str
    parent: str
    qualifier: str
    """The field that gives the qualifier, where the entry itself says it."""


_Plan = tuple[str, str, tuple[_Slot, ...], Callable[[Any], tuple[Any, ...]]]


def text_of(entry: Entry, motive: str) -> str:
    """Give the element that holds an entry, as text."""
    open_tag, close_tag, slots, values = _PLANS[type(entry)]
    pieces, parent = [open_tag], ""
    for slot, value in zip(slots, values(entry), strict=True):
        if value is None:
            continue
        if slot.parent != parent:
            pieces.append(_turn(parent, slot.parent))
            parent = slot.parent
        if slot.qualifier:
            pieces += (slot.before, safe(getattr(entry, slot.qualifier)).replace('"', "&quot;"), '">')
        else:
            pieces.append(slot.before)
        pieces += (motive if value is _MOTIVE else slot.text(value), slot.after)
    pieces += (_turn(parent, ""), close_tag)
    return "".join(pieces)


def safe(text: str) -> str:
    """Give a text as an element holds it: escaped, a replacement mark where XML forbids the character."""
    return escape(_FORBIDDEN.sub("\ufffd", text), {"\r": "&#13;"}) if _UNSAFE.search(text) else text


_MOTIVE = object()


def _turn(left: str, entered: str) -> str:
    return (f"</{left}>" if left else "") + (f"<{entered}>" if entered else "")


def _plan(kind: type[Any]) -> _Plan:
    record = BY_KIND[kind]
    names = [field.name for field in record.fields]
    at = names.index("motive")
    getter = attrgetter(*names[:at], *names[at + 1 :])

    def values(entry: Entry) -> tuple[Any, ...]:
        got = getter(entry)
        return (*got[:at], _MOTIVE, *got[at:])

    return f"<{record.element}>", f"</{record.element}>", tuple(_slots(record)), values


def _slots(record: Record) -> Iterator[_Slot]:
    for field in record.fields:
        parent, _, tag = field.path.rpartition("/")
        scheme = ROUTING_SCHEMES[record.kind] if field.qualifier == "routing" else ""
        if scheme:
            before = f'<{tag} qualifiant="'
        else:
            before = f'<{tag} qualifiant="{field.qualifier}">' if field.qualifier else f"<{tag}>"
        text = _safe_text if field.write is str else field.write
        yield _Slot(before, text, f"</{tag}>", parent, scheme)


def _safe_text(value: object) -> str:
    return safe(str(value))


_PLANS: dict[type[Any], _Plan] = {kind: _plan(kind) for kind in BY_KIND}

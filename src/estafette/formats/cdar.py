"""The status message in its syntax, CDAR D22B: `write` and `read`.

`write` puts the fields in the order of the schema. `read` tolerates what the field really sends: days for moments and
moments for days (formats 102 and 204), any matricule of the portal, attachments, unknown codes, elements that nobody
uses. Writing then reading gives the message back, whitespace around texts apart.

Source: external specifications v3.2, annex 2 (V2.3); UN/CEFACT CDAR D22B.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn

import msgspec
from lxml import etree

from estafette.formats.status_message import (
    Attachment,
    Characteristic,
    Detail,
    Identifier,
    Note,
    Party,
    Role,
    StatusMessage,
)
from estafette.formats.xml import DAMAGED, OTHER_KIND, Unreadable, parse
from estafette.values.moments import PARIS, day, day_text, second, second_text
from estafette.values.money import decimal, plain

__all__ = [
    "Attachment",
    "Characteristic",
    "Detail",
    "Identifier",
    "Named",
    "Note",
    "Party",
    "Role",
    "StatusMessage",
    "read",
    "read_named",
    "write",
]

NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}

# ---------------------------------------------------------------------------------------------------------- writing

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(message: StatusMessage) -> bytes:
    """Give the message in CDAR, UTF-8, elements in the order of the schema.

    A character that XML cannot carry is written as U+FFFD. ValueError when a moment has no zone.
    """
    root = etree.Element(_q("rsm:CrossDomainAcknowledgementAndResponse"), nsmap=NAMESPACES)
    _write_context(_child(root, "rsm:ExchangedDocumentContext"), message)
    _write_document(_child(root, "rsm:ExchangedDocument"), message)
    _write_acknowledgement(_child(root, "rsm:AcknowledgementDocument"), message)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _write_context(context: etree._Element, message: StatusMessage) -> None:
    if message.test:
        _put(_child(context, "ram:TestIndicator"), "udt:Indicator", "true")
    if message.business_process:
        process = _child(context, "ram:BusinessProcessSpecifiedDocumentContextParameter")
        _put(process, "ram:ID", message.business_process)
    _put(_child(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", message.guideline)


def _write_document(document: etree._Element, message: StatusMessage) -> None:
    _put(document, "ram:ID", message.identifier)
    _put(document, "ram:Name", message.name)
    _put_moment(document, "ram:IssueDateTime", message.issued_at)
    _write_party(document, "ram:SenderTradeParty", message.sender)
    _write_party(document, "ram:IssuerTradeParty", message.issuer)
    # The schema wants one recipient at least; the portal leaves it empty when it answers about a flow (G7.32).
    for recipient in message.recipients or (Party(),):
        _write_party(document, "ram:RecipientTradeParty", recipient)


def _write_party(parent: etree._Element, tag: str, party: Party) -> None:
    element = _child(parent, tag)
    for identifier in party.identifiers:
        _put(element, "ram:GlobalID", identifier.value, schemeID=identifier.scheme)
    _put(element, "ram:Name", party.name)
    _put(element, "ram:RoleCode", party.role)
    if party.address is not None:
        communication = _child(element, "ram:URIUniversalCommunication")
        _put(communication, "ram:URIID", party.address.value, schemeID=party.address.scheme)


def _write_acknowledgement(acknowledgement: etree._Element, message: StatusMessage) -> None:
    indicator = _child(acknowledgement, "ram:MultipleReferencesIndicator")
    _put(indicator, "udt:Indicator", _boolean_text(message.multiple_references))
    _put(acknowledgement, "ram:TypeCode", message.phase)
    _put(acknowledgement, "ram:Name", message.flow_name)
    _put_moment(acknowledgement, "ram:IssueDateTime", message.set_at)
    _write_object(_child(acknowledgement, "ram:ReferenceReferencedDocument"), message)


def _write_object(element: etree._Element, message: StatusMessage) -> None:
    _put(element, "ram:IssuerAssignedID", message.object_identifier)
    _put(element, "ram:StatusCode", message.object_status_code)
    _put(element, "ram:TypeCode", message.object_type)
    _put_moment(element, "ram:ReceiptDateTime", message.received_at)
    for held in message.attachments:
        text = base64.b64encode(held.content).decode()
        _put(element, "ram:AttachmentBinaryObject", text, mimeCode=held.mime_code, filename=held.file_name)
    _put(element, "ram:ReferenceTypeCode", message.object_reference_type)
    _put_moment(element, "ram:FormattedIssueDateTime", message.object_issued, prefix="qdt")
    _put(element, "ram:ProcessConditionCode", message.status)
    _put(element, "ram:ProcessCondition", message.status_label)
    if message.object_issuers or message.object_issuer_role:
        issuer = Party(message.object_issuer_role, message.object_issuers)
        _write_party(element, "ram:IssuerTradeParty", issuer)
    for recipient in message.object_recipients:
        _write_party(element, "ram:RecipientTradeParty", recipient)
    for detail in message.details:
        _write_detail(_child(element, "ram:SpecifiedDocumentStatus"), detail)


def _write_detail(element: etree._Element, detail: Detail) -> None:
    _put(element, "ram:ReasonCode", detail.reason_code)
    _put(element, "ram:Reason", detail.reason)
    _put(element, "ram:ProcessConditionCode", detail.status)
    _put(element, "ram:RequestedActionCode", detail.requested_action)
    _put(element, "ram:RequestedAction", detail.requested_action_text)
    _put(element, "ram:SequenceNumeric", "" if detail.sequence is None else str(detail.sequence))
    for note in detail.notes:
        included = _child(element, "ram:IncludedNote")
        _put(included, "ram:ContentCode", note.content_code)
        _put(included, "ram:Content", note.content)
        _put(included, "ram:SubjectCode", note.subject_code)
    for characteristic in detail.characteristics:
        _write_characteristic(_child(element, "ram:SpecifiedDocumentCharacteristic"), characteristic)


def _write_characteristic(element: etree._Element, datum: Characteristic) -> None:
    _put(element, "ram:ID", datum.term)
    _put(element, "ram:TypeCode", datum.type_code)
    if datum.changed is not None:
        indicator = _child(element, "ram:ValueChangedIndicator")
        _put(indicator, "udt:IndicatorString", _boolean_text(datum.changed))
    _put(element, "ram:Name", datum.name)
    _put(element, "ram:Location", datum.location)
    _put(element, "ram:Value", datum.value)
    if datum.amount is not None:
        _put(element, "ram:ValueAmount", plain(datum.amount), currencyID=datum.currency)
    _put_moment(element, "ram:ValueDateTime", datum.on)
    if datum.percent is not None:
        _put(element, "ram:ValuePercent", plain(datum.percent))


@cache
def _path(path: str) -> str:
    """Write a path with the names of its elements in full: what lxml makes of prefixes each time is its price."""
    return "/".join(map(_q, path.split("/")))


@cache
def _q(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, _q(name))


def _put(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    """The element is there when it has a text, with those of its attributes that have one."""
    if text:
        child = _child(parent, name)
        child.text = _carried(text)
        for key, value in attributes.items():
            if value:
                child.set(key, _carried(value))


def _carried(text: str) -> str:
    """Give the text as XML can carry it; all that can be printed can be carried."""
    return text if text.isprintable() else _NOT_XML.sub("\ufffd", text)


def _put_moment(parent: etree._Element, name: str, value: date | None, *, prefix: str = "udt") -> None:
    if value is None:
        return
    is_moment = isinstance(value, datetime)
    text = second_text(value) if isinstance(value, datetime) else day_text(value)
    _put(_child(parent, name), f"{prefix}:DateTimeString", text, format="204" if is_moment else "102")


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


# ---------------------------------------------------------------------------------------------------------- reading

Held = dict[str, list[etree._Element]]
"""The elements that an element holds, by their names, in order: looked for one by one they cost three times as much."""


class Named(msgspec.Struct, frozen=True):
    """A message that cannot be read further: what names it, as far as it says so, and why it cannot."""

    identifier: str
    object_siren: str
    why: Unreadable


def read(data: bytes) -> StatusMessage:
    """Give the message that the bytes hold.

    Raises: Unreadable, when they are not XML, not a CDAR, or lack what no message can be without: its identifier
    (MDT-4), its moment (MDT-8), its status (MDT-105); and when a date, a number or an attachment cannot be read.
    """
    return _read(_root(parse(data)))


def read_named(tree: etree._ElementTree) -> StatusMessage | Named:
    """Give the message of a tree that follows the schema, or what names it when it cannot be read for all that.

    Raises: Unreadable, when it is no CDAR.
    """
    root = _root(tree)
    try:
        return _read(root)
    except Unreadable as unreadable:
        identifier = _text(_inside(_held(root), "rsm:ExchangedDocument"), "ram:ID")
        seller = "rsm:AcknowledgementDocument/ram:ReferenceReferencedDocument/ram:IssuerTradeParty/ram:GlobalID"
        sellers = map(_identifier, root.iterfind(_path(seller)))
        return Named(identifier, next((one.value for one in sellers if one.scheme == "0002"), ""), unreadable)


def _root(tree: etree._ElementTree) -> etree._Element:
    root = tree.getroot()
    if root.tag != _q("rsm:CrossDomainAcknowledgementAndResponse"):
        raise Unreadable(
            OTHER_KIND,
            f"Ce n'est pas un message de statut CDAR : sa racine est {root.tag}.",
            f"This is no CDAR status message: its root is {root.tag}.",
            where=str(root.tag),
        )
    return root


def _read(root: etree._Element) -> StatusMessage:
    objects = root.findall(_path("rsm:AcknowledgementDocument/ram:ReferenceReferencedDocument"))
    acknowledgement = root.find(_path("rsm:AcknowledgementDocument"))
    document = root.find(_path("rsm:ExchangedDocument"))
    if document is None or acknowledgement is None or not objects:
        _missing(root, "MDB-2, MDB-3, MDG-32")
    told, about = _held(document), _held(acknowledgement)
    issued_at = _moment(told, "ram:IssueDateTime") or _missing(document, "MDT-8")
    context = _inside(_held(root), "rsm:ExchangedDocumentContext")
    return StatusMessage(
        identifier=_text(told, "ram:ID") or _missing(document, "MDT-4"),
        guideline=_text(_inside(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID"),
        business_process=_text(_inside(context, "ram:BusinessProcessSpecifiedDocumentContextParameter"), "ram:ID"),
        test=_boolean(context, "ram:TestIndicator") is True,
        name=_text(told, "ram:Name"),
        issued_at=issued_at,
        sender=_party(_first(told, "ram:SenderTradeParty")),
        issuer=_party(_first(told, "ram:IssuerTradeParty")),
        recipients=_parties(told, "ram:RecipientTradeParty"),
        multiple_references=_boolean(about, "ram:MultipleReferencesIndicator") is True or len(objects) > 1,
        phase=_text(about, "ram:TypeCode"),
        flow_name=_text(about, "ram:Name"),
        set_at=_moment(about, "ram:IssueDateTime") or issued_at,
        **_object(objects[0]),
    )


def _object(element: etree._Element) -> dict[str, Any]:
    held = _held(element)
    issuer = _party(_first(held, "ram:IssuerTradeParty"))
    return {
        "object_identifier": _text(held, "ram:IssuerAssignedID"),
        "object_status_code": _text(held, "ram:StatusCode"),
        "object_type": _text(held, "ram:TypeCode"),
        "received_at": _moment(held, "ram:ReceiptDateTime"),
        "attachments": tuple(map(_attachment, _all(held, "ram:AttachmentBinaryObject"))),
        "object_reference_type": _text(held, "ram:ReferenceTypeCode"),
        "object_issued": _dated(held, "ram:FormattedIssueDateTime"),
        "status": _text(held, "ram:ProcessConditionCode") or _missing(element, "MDT-105"),
        "status_label": _text(held, "ram:ProcessCondition"),
        "object_issuers": issuer.identifiers,
        "object_issuer_role": issuer.role,
        "object_recipients": _parties(held, "ram:RecipientTradeParty"),
        "details": tuple(map(_detail, _all(held, "ram:SpecifiedDocumentStatus"))),
    }


def _parties(held: Held, name: str) -> tuple[Party, ...]:
    return tuple(party for party in map(_party, _all(held, name)) if party != Party())


def _party(element: etree._Element | None) -> Party:
    if element is None:
        return Party()
    held = _held(element)
    address = _first(_inside(held, "ram:URIUniversalCommunication"), "ram:URIID")
    return Party(
        role=_text(held, "ram:RoleCode"),
        identifiers=tuple(map(_identifier, _all(held, "ram:GlobalID"))),
        name=_text(held, "ram:Name"),
        address=None if address is None else _identifier(address),
    )


def _identifier(element: etree._Element) -> Identifier:
    return Identifier((element.text or "").strip(), element.get("schemeID", "").strip())


def _attachment(element: etree._Element) -> Attachment:
    try:
        content = base64.b64decode("".join((element.text or "").split()), validate=True)
    except binascii.Error as error:
        _unreadable(element, "MDT-96", element.text or "", error)
    return Attachment(content, element.get("filename", ""), element.get("mimeCode", ""))


def _detail(element: etree._Element) -> Detail:
    held = _held(element)
    sequence = _number(held, "ram:SequenceNumeric", "MDT-124-2")
    return Detail(
        sequence=None if sequence is None else int(sequence),
        reason_code=_text(held, "ram:ReasonCode"),
        reason=_text(held, "ram:Reason"),
        status=_text(held, "ram:ProcessConditionCode"),
        requested_action=_text(held, "ram:RequestedActionCode"),
        requested_action_text=_text(held, "ram:RequestedAction"),
        notes=tuple(map(_note, _all(held, "ram:IncludedNote"))),
        characteristics=tuple(map(_characteristic, _all(held, "ram:SpecifiedDocumentCharacteristic"))),
    )


def _note(element: etree._Element) -> Note:
    held = _held(element)
    return Note(_text(held, "ram:Content"), _text(held, "ram:ContentCode"), _text(held, "ram:SubjectCode"))


def _characteristic(element: etree._Element) -> Characteristic:
    held = _held(element)
    amount, on = _first(held, "ram:ValueAmount"), _dated(held, "ram:ValueDateTime")
    return Characteristic(
        type_code=_text(held, "ram:TypeCode"),
        term=_text(held, "ram:ID"),
        name=_text(held, "ram:Name"),
        location=_text(held, "ram:Location"),
        value=_text(held, "ram:Value"),
        amount=_number(held, "ram:ValueAmount", "MDT-215"),
        currency="" if amount is None else amount.get("currencyID", ""),
        percent=_number(held, "ram:ValuePercent", "MDT-224"),
        on=on.astimezone(PARIS).date() if isinstance(on, datetime) else on,
        changed=_boolean(held, "ram:ValueChangedIndicator"),
    )


def _held(element: etree._Element) -> Held:
    held: Held = {}
    for child in element.iterchildren("*"):
        held.setdefault(child.tag, []).append(child)
    return held


def _all(held: Held, name: str) -> Sequence[etree._Element]:
    return held.get(_q(name), ())


def _first(held: Held, name: str) -> etree._Element | None:
    found = held.get(_q(name))
    return found[0] if found else None


def _inside(held: Held, name: str) -> Held:
    """Give what the first element of that name holds; nothing when there is none."""
    element = _first(held, name)
    return {} if element is None else _held(element)


def _text(held: Held, name: str) -> str:
    element = _first(held, name)
    return "" if element is None else (element.text or "").strip()


def _boolean(held: Held, name: str) -> bool | None:
    element = _first(held, name)
    return None if element is None else "".join(map(str, element.itertext())).strip().lower() in ("true", "1")


def _number(held: Held, name: str, term: str) -> Decimal | None:
    text = _text(held, name)
    try:
        return decimal(text) if text else None
    except ValueError as error:
        _unreadable(held[_q(name)][0], term, text, error)


def _moment(held: Held, name: str) -> datetime | None:
    """Give a moment; a day alone is read as its midnight in Paris."""
    value = _dated(held, name)
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time(), PARIS)


def _dated(held: Held, name: str) -> date | datetime | None:
    """Give a day or a moment by the length of its text: the attribute `format` is often wrong in the field."""
    element = _first(held, name)
    text = "" if element is None else "".join(map(str, element.itertext())).strip()
    if element is None or not text:
        return None
    try:
        return day(text) if len(text) == len("AAAAMMJJ") else second(text)
    except ValueError as error:
        _unreadable(element, name.removeprefix("ram:"), text, error)


def _missing(element: etree._Element, term: str) -> NoReturn:
    raise Unreadable(
        DAMAGED,
        f"Le message de statut n'a pas {term} : il ne peut être pris en compte.",
        f"The status message has no {term}: it cannot be taken into account.",
        where=element.getroottree().getpath(element),
    )


def _unreadable(element: etree._Element, term: str, text: str, error: Exception) -> NoReturn:
    raise Unreadable(
        DAMAGED,
        f"{term} ne peut être lu : {text[:80]!r}.",
        f"{term} cannot be read: {text[:80]!r}.",
        where=element.getroottree().getpath(element),
    ) from error

"""A message is the same at both ends, or it is none."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from estafette.exchange.messages import Kind, Message, NotAMessage, from_wire

BODY = b"<Invoice/>"
MESSAGE = Message("F-1#2026", Kind.INVOICE, "0003", "0005", "Facture n°1 été.xml", hashlib.sha256(BODY).hexdigest())

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=255)
IDENTIFIERS = st.text("abcXYZ019._#:-", min_size=1, max_size=200)
ACTORS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
MESSAGES = st.builds(
    Message, IDENTIFIERS, st.sampled_from(Kind), ACTORS, ACTORS, NAMES, st.just(hashlib.sha256(BODY).hexdigest())
)


@given(message=MESSAGES)
def test_what_leaves_is_what_arrives(message: Message) -> None:
    """Through its headers and its body a message arrives as it left, whatever its name; headers are plain ASCII."""
    headers = message.headers()
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    arrived = from_wire(message.id, headers)
    assert arrived == message
    assert arrived.signed_text() == message.signed_text()


@given(one=MESSAGES, other=MESSAGES)
def test_two_messages_are_never_signed_the_same(one: Message, other: Message) -> None:
    """What is signed tells every field: messages that differ anywhere are signed differently."""
    assume(one != other)
    assert one.signed_text() != other.signed_text()


@pytest.mark.parametrize("field", ["id", "kind", "sender", "recipient", "name", "sha256"])
def test_every_field_is_signed(field: str) -> None:
    """Changing any one field changes what is signed."""
    other: object = Kind.STATUS if field == "kind" else getattr(MESSAGE, field) + "x"
    assert replace(MESSAGE, **{field: other}).signed_text() != MESSAGE.signed_text()  # type: ignore[arg-type]


@pytest.mark.parametrize("header", sorted(MESSAGE.headers()))
def test_a_header_missing_is_no_message(header: str) -> None:
    """Without any one of its headers it is no message."""
    headers = {name: value for name, value in MESSAGE.headers().items() if name != header}
    with pytest.raises(NotAMessage, match="header"):
        from_wire(MESSAGE.id, headers)


@pytest.mark.parametrize("identifier", ["", "a" * 201, "a b", "a/b", "é", "a\n", "../x", "a%20"])
def test_an_identifier_out_of_bounds(identifier: str) -> None:
    """An identifier is 1 to 200 letters, digits and . _ # : - only."""
    with pytest.raises(NotAMessage, match="identifier"):
        from_wire(identifier, MESSAGE.headers())


def test_bounds_are_within() -> None:
    """200 characters of identifier and 255 of name are a message; one more of name is not."""
    name = "é" * 255
    assert from_wire("a" * 200, replace(MESSAGE, name=name).headers()).name == name
    with pytest.raises(NotAMessage, match="name"):
        from_wire("a", replace(MESSAGE, name=name + "é").headers())


def test_an_unknown_kind_is_no_message() -> None:
    """A kind that this version does not know is refused."""
    with pytest.raises(NotAMessage, match="letter"):
        from_wire(MESSAGE.id, {**MESSAGE.headers(), "Estafette-Kind": "letter"})

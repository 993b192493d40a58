"""A parcel is the same at both ends, or it is none."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from estafette.exchange.messages import Kind, Message, NotAParcel, manifest_of, read_manifest
from estafette.values.limits import MANIFEST_BYTES_MAX, MANIFEST_MESSAGES_MAX

BODY = b"<Invoice/>"
MESSAGE = Message("F-1#2026", Kind.INVOICE, "0003", "0005", "Facture n°1 été.xml", hashlib.sha256(BODY).hexdigest())

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=255)
IDENTIFIERS = st.text("abcXYZ019._#:-", min_size=1, max_size=200)
ACTORS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
MESSAGES = st.builds(
    Message, IDENTIFIERS, st.sampled_from(Kind), st.just("0003"), ACTORS, NAMES, st.just(MESSAGE.sha256)
)


def told(**changes: Any) -> bytes:
    """Write the manifest of one message, some of its fields changed or left out."""
    fields = {**msgspec.to_builtins(MESSAGE), **changes}
    message = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.encode([{"message": message, "size": len(BODY)}])


@given(messages=st.lists(MESSAGES, min_size=1, max_size=5))
def test_what_leaves_is_what_arrives(messages: list[Message]) -> None:
    """Messages arrive as they left, in order, whatever their names; the manifest is one line."""
    line = manifest_of(messages, [BODY] * len(messages))
    assert b"\n" not in line
    assert [(one.message, one.size) for one in read_manifest(line)] == [(message, len(BODY)) for message in messages]


@given(one=MESSAGES, other=MESSAGES)
def test_two_messages_are_never_signed_the_same(one: Message, other: Message) -> None:
    """What is signed tells every field: messages that differ anywhere are signed differently."""
    assume(one != other)
    assert manifest_of([one], [BODY]) != manifest_of([other], [BODY])


@pytest.mark.parametrize("field", ["id", "kind", "sender", "recipient", "name", "sha256"])
def test_every_field_is_signed(field: str) -> None:
    """Changing any one field changes what is signed."""
    other: Any = Kind.STATUS if field == "kind" else getattr(MESSAGE, field) + "x"
    assert manifest_of([replace(MESSAGE, **{field: other})], [BODY]) != manifest_of([MESSAGE], [BODY])


@pytest.mark.parametrize("field", ["id", "kind", "sender", "recipient", "name", "sha256"])
def test_a_field_missing_is_no_message(field: str) -> None:
    """Without any one of its fields it is no message."""
    with pytest.raises(NotAParcel, match=field):
        read_manifest(told(**{field: None}))


@pytest.mark.parametrize("identifier", ["", "a" * 201, "a b", "a/b", "é", "a\n", "../x", "a%20"])
def test_an_identifier_out_of_bounds(identifier: str) -> None:
    """An identifier is 1 to 200 letters, digits and . _ # : - only."""
    with pytest.raises(NotAParcel, match="id"):
        read_manifest(told(id=identifier))


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n"])
def test_a_digest_is_64_digits(sha256: str) -> None:
    """A document is named by 64 hexadecimal digits, small letters."""
    with pytest.raises(NotAParcel, match="sha256"):
        read_manifest(told(sha256=sha256))


def test_bounds_are_within() -> None:
    """200 characters of identifier and 255 of name are a message; one more of name is not."""
    name = "é" * 255
    (listed,) = read_manifest(told(id="a" * 200, name=name))
    assert listed.message.name == name
    for wrong in (name + "é", "", "a\0b"):
        with pytest.raises(NotAParcel, match="name"):
            read_manifest(told(name=wrong))


def test_an_unknown_kind_is_no_message() -> None:
    """A kind that this version does not know is refused."""
    with pytest.raises(NotAParcel, match="letter"):
        read_manifest(told(kind="letter"))


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b"null", b"\xff", b'[{"message":1,"size":1}]'])
def test_what_is_no_manifest(line: bytes) -> None:
    """What lists no message is no manifest."""
    with pytest.raises(NotAParcel):
        read_manifest(line)


def test_a_parcel_is_of_one_sender() -> None:
    """One signature, one sender."""
    with pytest.raises(NotAParcel, match="sender"):
        read_manifest(manifest_of([MESSAGE, replace(MESSAGE, id="F-2", sender="0007")], [BODY, BODY]))


def test_the_longest_manifest_is_within_its_limit() -> None:
    """As many messages as a parcel may have, each with the longest names, fit; one more is refused."""
    long = Message("a" * 200, Kind.INVOICE, "s" * 40, "r" * 40, "𝄞" * 255, MESSAGE.sha256)
    line = manifest_of([long] * MANIFEST_MESSAGES_MAX, [BODY] * MANIFEST_MESSAGES_MAX)
    assert len(line) <= MANIFEST_BYTES_MAX
    assert len(read_manifest(line)) == MANIFEST_MESSAGES_MAX
    with pytest.raises(NotAParcel):
        read_manifest(manifest_of([long] * (MANIFEST_MESSAGES_MAX + 1), [BODY] * (MANIFEST_MESSAGES_MAX + 1)))

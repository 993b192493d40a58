"""What is wrong with JSON is said in our own words, French then English: where, what was seen, what is expected."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest

from estafette.api.decoding import OTHERWISE, SENTENCES, decode, told
from estafette.api.problems import Problem


class Inner(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What is inside."""

    way_out: list[Literal["Up", "Down"]] = []
    moment: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    day: date | None = None


class Outer(msgspec.Struct):
    """A shape with something of everything."""

    name: Annotated[str, msgspec.Meta(min_length=2, max_length=4, pattern="^[a-z]*$")]
    count: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    inner: Inner | None = None
    more: dict[str, float] = {}


WRONG: dict[bytes, tuple[str, str]] = {
    b"{}": ("champ obligatoire absent : name", "required field missing: name"),
    b"[]": ("attendu un objet, reçu une liste", "expected an object, got a list"),
    b'{"name": 3}': ("name : attendu un texte, reçu un entier", "name: expected a text, got an integer"),
    b'{"name": "a"}': ("name : trop court : au moins 2", "name: too short: at least 2"),
    b'{"name": "abcde"}': ("name : trop long : au plus 4", "name: too long: at most 4"),
    b'{"name": "AB"}': ("texte hors de la forme attendue : ^[a-z]*$", "text not in the expected form: ^[a-z]*$"),
    b'{"name": "ab", "count": 0}': ("count : trop petit : au moins 1", "count: too small: at least 1"),
    b'{"name": "ab", "count": 10}': ("count : trop grand : au plus 9", "count: too large: at most 9"),
    b'{"name": "ab", "count": true}': ("attendu un entier, reçu un booléen", "expected an integer, got a boolean"),
    b'{"name": "ab", "inner": 1.5}': ("attendu un objet ou rien, reçu un nombre", "an object or null, got a number"),
    b'{"name": "ab", "inner": {"wayOut": ["Up", "Left"]}}': (
        "inner.wayOut[1] : valeur 'Left' inconnue ; attendu : Down, Up",
        "inner.wayOut[1]: unknown value 'Left'; expected: Down, Up",
    ),
    b'{"name": "ab", "inner": {"x": 1}}': ("inner : champ inconnu : x", "inner: unknown field: x"),
    b'{"name": "ab", "inner": {"moment": "2026"}}': ("inner.moment : n'est pas un instant", "is no instant"),
    b'{"name": "ab", "inner": {"moment": "2026-01-01T00:00:00"}}': ("instant sans fuseau", "instant without a zone"),
    b'{"name": "ab", "inner": {"day": "2026-02-31"}}': ("inner.day : n'est pas un jour", "is no day"),
    b'{"name": "ab", "more": {"x": "y"}}': ("more[...] : attendu un nombre", "more[...]: expected a number"),
    b"": ("JSON inachevé", "unfinished JSON"),
    b'{"name"': ("JSON inachevé", "unfinished JSON"),
    b"what": ("JSON mal formé à l'octet 0", "malformed JSON at byte 0"),
    b'{"name": "\xff"}': OTHERWISE,
    b'{"name": "ab", "x": ' + b"[" * 90_000: OTHERWISE,
}


@pytest.mark.parametrize("raw", WRONG, ids=lambda raw: raw[:60].decode("latin-1"))
def test_it_is_said_in_both_languages(raw: bytes) -> None:
    """Whatever is wrong is a Problem 400 in French and in English, and nothing of the reader's own words."""
    with pytest.raises(Problem) as raised:
        decode(raw, Outer)
    french, english = WRONG[raw]
    said = str(raised.value)
    assert raised.value.status == 400
    assert french in said.partition(" / ")[0]
    assert english in said.partition(" / ")[2]
    assert "`" not in said


def test_every_sentence_is_met() -> None:
    """Each row of the table is one that the reader says of some value above."""
    said = []
    for raw in WRONG:
        try:
            msgspec.json.decode(raw, type=Outer)
        except (ValueError, RecursionError) as wrong:
            said.append(told(str(wrong), Outer))
    for _pattern, french, _english in SENTENCES:
        fixed = max(french.replace("}", "{").split("{")[::2], key=len)
        assert any(fixed in one for one in said), french


@pytest.mark.parametrize("shape", [Outer, dict[str, Any], Any])
def test_what_the_reader_never_said_is_said_in_general(shape: Any) -> None:
    """A sentence that the table has not is not repeated."""
    assert told("Something new - at `$.name`", shape) == f"name : {OTHERWISE[0]}. / name: {OTHERWISE[1]}."

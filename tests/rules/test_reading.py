"""The common case read at once is read as `formats.xml` reads it, and what is not common is left to it."""

import pytest

from estafette.formats.xml import parse
from estafette.rules.reading import RefusedError, _plain, read
from estafette.simulation.documents import KINDS, document


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_give_the_same_tree(kind: str) -> None:
    """Canonical forms are equal."""
    data = document(kind, 2)
    tree = _plain(data)
    assert tree is not None
    assert tree.getroot().tag == parse(data).getroot().tag
    assert len(list(tree.iter())) == len(list(parse(data).iter()))


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a []><a/>",
        b'<?xml version="1.0"?>\n<!DOCTYPE a []><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"),
        "<a/>".encode("utf-16-le"),
        b'<?xml version="1.0" encoding="UTF-7"?><a/>',
        b'<?xml version="1.0" encoding="IBM037"?><a/>',
        b"\xfe\xff\x00<\x00a",
        b"<a>" * 101 + b"</a>" * 101,
        b"<a",
        b"",
    ],
)
def test_what_is_not_plain_is_left_to_the_careful_way(data: bytes) -> None:
    """DOCTYPE, other character sets, depth and damage are never settled by the short way."""
    assert _plain(data) is None


def test_a_doctype_hidden_in_another_character_set_is_refused() -> None:
    """UTF-16 hides the letters from a search; the prolog is looked at all the same."""
    with pytest.raises(RefusedError) as refused:
        read('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"))
    assert refused.value.finding.id == "EST-DOCTYPE"

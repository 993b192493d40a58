"""The examples of the room's documentation are true."""

import doctest

import pytest

from estafette.readable import terms, typography


@pytest.mark.parametrize("module", [terms, typography])
def test_examples(module: object) -> None:
    """Every example gives what it says."""
    failed, tried = doctest.testmod(module)  # type: ignore[arg-type]
    assert tried
    assert not failed

"""The examples in the docstrings of the lower rooms are true."""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import estafette.formats
import estafette.invoice
import estafette.values


def modules() -> Iterator[str]:
    """Name every module of the rooms whose examples are run here."""
    for room in (estafette.values, estafette.invoice, estafette.formats):
        yield room.__name__
        yield from (module.name for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."))


@pytest.mark.parametrize("name", sorted(modules()))
def test_examples_are_true(name: str) -> None:
    """Every example of a module gives what the docstring says."""
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0

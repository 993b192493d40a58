"""The examples in the docstrings of the life cycle are true."""

import doctest
import importlib
import pkgutil

import pytest

import estafette.lifecycle

MODULES = sorted(f"estafette.lifecycle.{module.name}" for module in pkgutil.iter_modules(estafette.lifecycle.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str) -> None:
    """Every example of a module gives what the docstring says."""
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0

"""Amounts stay exact, and round half up."""

from decimal import Decimal

import pytest

from estafette.values import limits, money


@pytest.mark.parametrize("text", ["", "1,5", "1e3", "NaN", "Infinity", "1 000", "--1", ".", "٣"])
def test_number_that_is_none(text: str) -> None:
    """What XML Schema does not call a decimal is refused."""
    with pytest.raises(ValueError, match="not a decimal"):
        money.decimal(text)


def test_number_at_the_limit() -> None:
    """A number is read up to its bound and refused one character past it."""
    longest = "9" * limits.NUMBER_CHARACTERS_MAX
    assert money.decimal(longest) == Decimal(longest)
    with pytest.raises(ValueError, match="not a decimal"):
        money.decimal(longest + "9")


@pytest.mark.parametrize(
    ("value", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("1.004999", "1.00"), ("2", "2.00")]
)
def test_half_up(value: str, rounded: str) -> None:
    """Half a cent goes away from zero, on both sides."""
    assert str(money.rounded(Decimal(value))) == rounded


def test_unknown_currency_has_two_digits() -> None:
    """A code that ISO 4217 does not list, or without coins, counts two digits."""
    assert money.minor_digits("ZZZ") == 2
    assert money.minor_digits("XAU") == 2

"""How an amount is rounded: half up, once, to what the currency and the standard both allow.

The standard rounds each amount of an invoice once, where it is computed, and never an amount that is already a sum of
rounded ones (EN 16931-1, §6.5; BR-CO-17). No amount has more than two digits after the point (BR-DEC-01 and its
likes), even in a currency whose coins have three; a currency without coins below one has none.
"""

from decimal import Decimal

from estafette.values.money import minor_digits, rounded

AMOUNT_DIGITS_MAX = 2
"""Digits after the point of an amount (EN 16931-1, §6.5.12; BR-DEC-01 to BR-DEC-28)."""


def amount_digits(currency: str) -> int:
    """Give the digits after the point that an amount has in a currency.

    >>> amount_digits("EUR"), amount_digits("JPY"), amount_digits("TND")
    (2, 0, 2)
    """
    return min(AMOUNT_DIGITS_MAX, minor_digits(currency))


def amount(value: Decimal, currency: str) -> Decimal:
    """Round a value to an amount in a currency.

    >>> amount(Decimal("10.005"), "EUR"), amount(Decimal("10.5"), "JPY")
    (Decimal('10.01'), Decimal('11'))
    """
    return rounded(value, digits=amount_digits(currency))

"""What the other modules share: the empty sequence, exact decimals, the error of a sheet, untyped values."""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal
from typing import Any

EXACT = Context(prec=400, Emax=100_000, Emin=-100_000)
"""Decimal arithmetic without rounding: amounts of a real document never come near 400 digits."""

EIGHTEEN = Decimal("1e-18")
EMPTY: tuple[Any, ...] = ()
DECIMAL = re.compile(r"[ \t\r\n]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))[ \t\r\n]*")
DOUBLE = re.compile(r"[ \t\r\n]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\r\n]*")
INTEGER = re.compile(r"[ \t\r\n]*([+-]?[0-9]+)[ \t\r\n]*")
DATE = re.compile(r"[ \t\r\n]*([0-9]{4})-([0-9]{2})-([0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?[ \t\r\n]*")
SPECIAL = {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
DIGITS_MAX = 10_000
"""Characters of a number; a longer one is refused as malformed (our bound, conversions are quadratic)."""


class DynamicError(Exception):
    """The official sheet would stop here: a value is not of the form, or not of the number, that it supposes."""


class Untyped(str):
    """A value taken from a node, where only the run can tell it from a string."""

    __slots__ = ()

"""Functions on texts, and numbers written as text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from estafette.rules.regex import replacement, translated
from estafette.rules.semantics.arithmetic import rounded
from estafette.rules.semantics.base import EMPTY, DynamicError


@lru_cache(8192)
def trimmed(text: str) -> str:
    """normalize-space()."""
    if text.isascii():
        return " ".join(text.split())
    return " ".join(piece for piece in re.split("[ \t\r\n]+", text) if piece)


def text_of(value: Any) -> str:
    """Cast an atomic value to xs:string; nothing gives the empty string."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, float):
        return _double_text(value)
    return str(value)


def _decimal_text(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _double_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if 1e-6 <= abs(value) < 1e6:
        return _decimal_text(Decimal(repr(value)))
    mantissa, _, exponent = repr(Decimal(repr(value)).normalize()).partition("E")
    del mantissa, exponent
    digits = Decimal(repr(value)).normalize().as_tuple()
    figures = "".join(map(str, digits.digits))
    power = int(digits.exponent) + len(figures) - 1
    return f"{'-' if digits.sign else ''}{figures[0]}.{figures[1:] or '0'}E{power}"


def item_text(value: Any) -> str:
    """Return an argument that must be a string, or nothing."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DynamicError("a text is expected")
    return value


def joined(values: Iterable[Any], separator: str) -> str:
    """string-join()."""
    return separator.join([text_of(value) for value in values])


def substring(text: str, start: Any, length: Any = None) -> str:
    """Part of a text, positions from 1, halves rounded."""
    begin = rounded(start)
    if isinstance(begin, float) and math.isnan(begin):
        return ""
    if length is None:
        return text[_bounded(begin - 1, len(text)) :]
    end = begin + rounded(length)
    if isinstance(end, float) and math.isnan(end):
        return ""
    return text[_bounded(begin - 1, len(text)) : _bounded(end - 1, len(text))]


def _bounded(position: Any, size: int) -> int:
    if position <= 0:
        return 0
    return size if position >= size else int(position)


def in_list(text: str, codes: frozenset[str], source: str) -> bool:
    """Look for ` code ` in a text of codes between spaces, by a set where the code is one word."""
    if text and " " not in text:
        return text in codes
    return f" {text} " in source


def translate(text: str, old: str, new: str) -> str:
    """Replace characters one for one; those without counterpart go."""
    table: dict[int, str | None] = {}
    for position, character in enumerate(old):
        table.setdefault(ord(character), new[position] if position < len(new) else None)
    return text.translate(table)


def before(text: str, mark: str) -> str:
    """substring-before()."""
    head, found, _ = text.partition(mark) if mark else ("", "", "")
    return head if found else ""


def after(text: str, mark: str) -> str:
    """substring-after()."""
    if not mark:
        return text
    return text.partition(mark)[2]


@lru_cache(512)
def expression(pattern: str, flags: str = "") -> re.Pattern[str]:
    """Compile a regular expression of XPath."""
    try:
        return translated(pattern, flags)
    except (ValueError, re.error, OverflowError, RecursionError) as error:
        raise DynamicError(f"regular expression {pattern[:60]!r}: {error}") from error


def matches(text: str, pattern: str, flags: str = "") -> bool:
    """matches()."""
    return expression(pattern, flags).search(text) is not None


def replace(text: str, pattern: str, by: str, flags: str = "") -> str:
    """replace()."""
    compiled = expression(pattern, flags)
    if compiled.match(""):
        raise DynamicError("the regular expression matches the empty text")
    return compiled.sub(replacement(by, compiled.groups), text)


def tokenize(text: str, pattern: str | None = None, flags: str = "") -> list[str]:
    """tokenize()."""
    if pattern is None:
        return trimmed(text).split(" ") if trimmed(text) else []
    if not text:
        return []
    compiled = expression(pattern, flags)
    if compiled.match(""):
        raise DynamicError("the regular expression matches the empty text")
    pieces, position = [], 0
    for found in compiled.finditer(text):
        pieces.append(text[position : found.start()])
        position = found.end()
    return [*pieces, text[position:]]


def distinct_values(values: Iterable[Any]) -> list[Any]:
    """distinct-values(), in order of first appearance."""
    kept: dict[Any, Any] = {}
    for value in values:
        kept.setdefault(("t", str(value)) if isinstance(value, str) else ("n", value), value)
    return list(kept.values())


def integers(low: int | None, high: int | None) -> Sequence[int]:
    """The whole numbers from one to another."""
    if low is None or high is None:
        return EMPTY
    if high - low > 1_000_000:
        raise DynamicError("a range of more than a million numbers")
    return range(low, high + 1)


def positions(values: Sequence[Any], wanted: Any) -> list[int]:
    """index-of()."""
    return [position for position, value in enumerate(values, 1) if value == wanted]


def subsequence(items: Sequence[Any], start: Any, length: Any = None) -> Sequence[Any]:
    """subsequence()."""
    begin = rounded(start)
    end = math.inf if length is None else begin + rounded(length)
    return [item for position, item in enumerate(items, 1) if begin <= position < end]

"""Regular expressions of XPath written as those of Python: `$`, `.`, `\\s`, `\\w` and `-[` differ."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

SPACE = " \\t\\n\\r"
PATTERN_CHARACTERS_MAX = 5_000
NAME_START = "A-Z_a-z:\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u2070-\u218f\u3001-\ud7ff"
NAME = NAME_START + "\\-.0-9\u00b7\u0300-\u036f\u203f-\u2040"


def translated(pattern: str, flags: str = "") -> re.Pattern[str]:
    """Compile a pattern of XPath; raise ValueError or re.error where it is none."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise ValueError("too long")
    if set(flags) - set("simxq"):
        raise ValueError(f"flags {flags}")
    options = re.IGNORECASE if "i" in flags else re.NOFLAG
    if "q" in flags:
        return re.compile(re.escape(pattern), options)
    if "x" in flags:
        pattern = re.sub(r"[ \t\r\n]+", "", pattern)
    return re.compile(_Translation(pattern, dot_all="s" in flags, lines="m" in flags).all(), options)


def replacement(text: str, groups: int) -> str:
    """Write the replacement of replace() as that of `re.sub`; raise ValueError where it is none."""
    made = []
    for piece in re.findall(r"\\.|\$\d+|[^\\$]+|.", text, re.S):
        if piece in {"\\\\", "\\$"}:
            made.append("\\\\" if piece == "\\\\" else "$")
        elif piece[0] == "$" and len(piece) > 1:
            made.append(_group(piece[1:], groups))
        elif piece[0] in "\\$":
            raise ValueError(f"replacement {text!r}")
        else:
            made.append(piece.replace("\\", "\\\\"))
    return "".join(made)


def _group(digits: str, groups: int) -> str:
    """Return a reference to the longest number that is a group, and the digits left."""
    for length in range(len(digits), 0, -1):
        if int(digits[:length]) <= groups:
            return f"\\g<{int(digits[:length])}>{digits[length:]}"
    return digits[1:]


class _Translation:
    """One pass over a pattern."""

    def __init__(self, pattern: str, *, dot_all: bool, lines: bool) -> None:
        self.pattern = pattern
        self.at = 0
        self.dot = "(?s:.)" if dot_all else "[^\\n\\r]"
        self.start, self.end = ("(?m:^)", "(?m:$)") if lines else ("\\A", "\\Z")

    def all(self) -> str:
        """Return the whole pattern."""
        made = []
        while self.at < len(self.pattern):
            made.append(self._piece())
        return "".join(made)

    def _next(self) -> str:
        if self.at >= len(self.pattern):
            raise ValueError(f"unfinished {self.pattern!r}")
        self.at += 1
        return self.pattern[self.at - 1]

    def _piece(self) -> str:  # noqa: PLR0911 - one branch a kind
        character = self._next()
        match character:
            case ".":
                return self.dot
            case "^":
                return self.start
            case "$":
                return self.end
            case "\\":
                return self._escape(inside=False)
            case "[":
                return self._class()
            case "(":
                if self.pattern[self.at : self.at + 1] == "?" and self.pattern[self.at : self.at + 2] != "?:":
                    raise ValueError(f"group {self.pattern!r}")
                return "("
        return character

    def _escape(self, *, inside: bool) -> str:  # noqa: PLR0911 - one branch a kind
        character = self._next()
        opening, closing = ("", "") if inside else ("[", "]")
        match character:
            case "s":
                return f"{opening}{SPACE}{closing}"
            case "d":
                return "\\d"
            case "i":
                return f"{opening}{NAME_START}{closing}"
            case "c":
                return f"{opening}{NAME}{closing}"
            case "w":
                return f"{opening}{_not_in('PZC')}{closing}"
            case "p":
                return f"{opening}{_in(self._category())}{closing}"
        if character in "SDICWP":
            return self._complement(character, inside=inside)
        if character.isdigit() and not inside and character != "0":
            return "\\" + character
        if character in "nrt":
            return "\\" + character
        if character in "\\|.?*+(){}$-[]^":
            return "\\" + character
        raise ValueError(f"escape \\{character}")

    def _complement(self, character: str, *, inside: bool) -> str:
        if character == "D":
            return "\\D"
        if inside:
            raise ValueError(f"\\{character} in a class")
        match character:
            case "S":
                return f"[^{SPACE}]"
            case "I":
                return f"[^{NAME_START}]"
            case "C":
                return f"[^{NAME}]"
            case "W":
                return f"[^{_not_in('PZC')}]"
        return f"[^{_in(self._category())}]"

    def _category(self) -> str:
        found = re.compile(r"\{(\w+)\}").match(self.pattern, self.at)
        if found is None:
            raise ValueError(f"category in {self.pattern!r}")
        self.at = found.end()
        return found[1]

    def _class(self) -> str:
        negated = self.pattern[self.at : self.at + 1] == "^"
        self.at += negated
        made: list[str] = []
        excluded = ""
        while (character := self._next()) != "]":
            if character == "[":
                raise ValueError(f"class {self.pattern!r}")
            if character == "-" and self.pattern[self.at : self.at + 1] == "[":
                self.at += 1
                excluded = f"(?!{self._class()})"
            elif character == "\\":
                made.append(self._escape(inside=True))
            else:
                made.append("\\" + character if character in "&~|^" else character)
        if not made:
            raise ValueError(f"empty class in {self.pattern!r}")
        kept = f"[{'^' if negated else ''}{''.join(made)}]"
        return f"(?:{excluded}{kept})" if excluded else kept


@cache
def _in(category: str) -> str:
    """Return the characters of a Unicode category, as the inside of a class."""
    return _ranges([unicodedata.category(chr(code)).startswith(category) for code in range(0x20000)])


@cache
def _not_in(initials: str) -> str:
    return _ranges([unicodedata.category(chr(code))[0] not in initials for code in range(0x20000)])


def _ranges(members: list[bool]) -> str:
    made, start = [], None
    for code, member in enumerate([*members, False]):
        if member and start is None:
            start = code
        elif not member and start is not None:
            made.append(f"\\U{start:08x}-\\U{code - 1:08x}")
            start = None
    if not made:
        raise ValueError("unknown category")
    return "".join(made)

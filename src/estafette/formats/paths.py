"""The paths of the table of terms, given meaning: steps through elements, with tests that select and are written.

The small language is described at the head of `terms.txt`. One path serves both ways: reading follows it and keeps to
its tests, writing makes the steps that are missing and fills what the tests ask.
"""

import re
from collections.abc import Mapping
from functools import cache

import msgspec
from lxml import etree

Variables = Mapping[str, str]
"""The values of the few terms that paths may speak of ($BT-1, $BT-5 …)."""

_WORDS = re.compile(r"(?:[^\s\[]|\[[^\]]*\])+")
_STEPS = re.compile(r"(?:[^/\[]|\[[^\]]*\])+")
_STEP = re.compile(r"([^\[*+#]+)([*+#]?)((?:\[[^\]]*\])*)")
_TEST = re.compile(r"\[(.*?)(?:(!=|:=|~=|=)(.*?))?\]")
_TRUTH = {"1": "true", "0": "false"}


class Test(msgspec.Struct, frozen=True):
    """A condition on an element: the text of a descendant or attribute, against words or the value of a term."""

    __test__ = False  # it is no test of pytest's

    tags: tuple[str, ...]
    attribute: str | None
    operator: str
    """`=` equal, `!=` none of, `~=` equal or absent, `:=` anything (a default to write), empty: exists."""
    words: tuple[str, ...]

    def seen(self, element: etree._Element) -> str | None:
        """Give what stands at the tested place, None when nothing does."""
        here: etree._Element | None = element
        for tag in self.tags:
            here = here.find(tag) if here is not None else None
        if here is None:
            return None
        text = here.get(self.attribute) if self.attribute else (here.text or "").strip()
        return _TRUTH.get(text, text) if text and self.words[:1] in {("true",), ("false",)} else text

    def wanted(self, variables: Variables) -> tuple[str, ...]:
        """Give the words with the values of terms in the place of their names."""
        return tuple(variables.get(word[1:], "") if word.startswith("$") else word for word in self.words)

    def holds(self, element: etree._Element, variables: Variables) -> bool:
        """Tell whether the element passes."""
        if self.operator == ":=":
            return True
        seen = self.seen(element)
        match self.operator:
            case "":
                return seen is not None
            case "!=":
                return seen not in self.wanted(variables)
            case "~=":
                return not seen or seen in self.wanted(variables)
        return seen in self.wanted(variables)

    @property
    def is_written(self) -> bool:
        """Whether writing the path fills the tested place with the (one) word."""
        return self.operator in {"=", ":=", "~="}


class Step(msgspec.Struct, frozen=True):
    """One element down: its qualified name, its tests, and how it repeats (`*`, `+`, `#`, or empty)."""

    tag: str
    mark: str = ""
    tests: tuple[Test, ...] = ()


class Path(msgspec.Struct, frozen=True):
    """Steps from a group's element to a term's, and the attribute there if the term is one."""

    steps: tuple[Step, ...]
    attribute: str | None = None


@cache
def parse(text: str, namespaces: tuple[tuple[str, str], ...]) -> tuple[Path, ...]:
    """Read the alternative paths of a cell; none for `-`, a place inside a text (`#…`) counts as none.

    >>> parse("a/b[c=1]/@d .", ())[0].steps[1]
    Step(tag='b', mark='', tests=(Test(tags=('c',), attribute=None, operator='=', words=('1',)),))
    """
    if text == "-" or text.startswith("#"):
        return ()
    return tuple(_path(word, dict(namespaces)) for word in _WORDS.findall(text))


def _path(text: str, namespaces: Mapping[str, str]) -> Path:
    steps: list[Step] = []
    attribute = None
    for piece in _STEPS.findall(text):
        if piece.startswith("@"):
            attribute = piece[1:]
        elif piece != ".":
            name, mark, tests = _STEP.fullmatch(piece).groups()  # type: ignore[union-attr]
            steps.append(Step(_qualified(name, namespaces), mark, tuple(_tests(tests, namespaces))))
    return Path(tuple(steps), attribute)


def _tests(text: str, namespaces: Mapping[str, str]) -> list[Test]:
    tests = []
    for place, operator, words in _TEST.findall(text):
        pieces = [piece for piece in place.split("/") if piece != "."]
        attribute = pieces.pop()[1:] if pieces and pieces[-1].startswith("@") else None
        tags = tuple(_qualified(piece, namespaces) for piece in pieces)
        tests.append(Test(tags, attribute, operator, tuple(words.split(",")) if words else ()))
    return tests


def _qualified(name: str, namespaces: Mapping[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    return f"{{{namespaces[prefix]}}}{local}" if colon else name

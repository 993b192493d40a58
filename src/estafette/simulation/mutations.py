"""Seeded faults put into a document: what real software gets wrong, and what an adversary tries."""

from collections.abc import Callable
from copy import deepcopy
from random import Random

from lxml import etree

CODES = (
    "S",
    "E",
    "AE",
    "K",
    "G",
    "O",
    "Z",
    "L",
    "380",
    "381",
    "386",
    "261",
    "M1",
    "S1",
    "B8",
    "FR",
    "EL",
    "EUR",
    "XXX",
)
SCHEMES = ("0002", "0009", "0224", "0225", "0231", "0088", "9999", "VA", "FC", "", "102", "203")
NUMBERS = ("0", "-1", "0.001", "1e3", "12345678901234567890", "+5", "1.005", "1,5", "", "NaN", " 7 ", "007", ".5", "20")
DATES = ("2026-02-31", "20260231", "2026-13-01", "1999-12-31", "20991231", "2026-10-10Z", "", "2026-10-10", "20261010")
TEXTS = (
    "",
    " ",
    "a b",
    "é#",
    "#BAR#B2B",
    "x" * 130,
    "F/1_2",
    "\u00a0",
    "12345678",
    "123456789",
    "B2B",
    "true",
    "false",
)


def mutants(data: bytes, seed: int, count: int) -> list[bytes]:
    """Return documents that differ from the given one by one to three faults each."""
    chance = Random(seed)  # noqa: S311 - a simulation
    root = etree.fromstring(data)
    made = []
    for _ in range(count):
        copy = deepcopy(root)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            chance.choice(FAULTS)(copy, chance)
        made.append(etree.tostring(copy, xml_declaration=True, encoding="UTF-8"))
    return made


def _any(root: etree._Element, chance: Random) -> etree._Element:
    elements = [element for element in root.iter() if isinstance(element.tag, str) and element is not root]
    return chance.choice(elements) if elements else root


def _leaf(root: etree._Element, chance: Random) -> etree._Element:
    leaves = [element for element in root.iter() if isinstance(element.tag, str) and not len(element)]
    return chance.choice(leaves)


def drop(root: etree._Element, chance: Random) -> None:
    """Remove an element."""
    element = _any(root, chance)
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def duplicate(root: etree._Element, chance: Random) -> None:
    """Repeat an element beside itself."""
    element = _any(root, chance)
    if element is not root:
        element.addnext(deepcopy(element))


def blank(root: etree._Element, chance: Random) -> None:
    """Empty a leaf."""
    _leaf(root, chance).text = chance.choice(("", " ", "\n"))


def move(root: etree._Element, chance: Random) -> None:
    """Put an element elsewhere."""
    element, target = _any(root, chance), _any(root, chance)
    if element is root or element in [target, *target.iterancestors()]:
        return
    target.append(element)


def swap(root: etree._Element, chance: Random) -> None:
    """Exchange the texts of two leaves of one name, or of any two."""
    first, second = _leaf(root, chance), _leaf(root, chance)
    first.text, second.text = second.text, first.text


def _write(values: tuple[str, ...], words: tuple[str, ...]) -> "Callable[[etree._Element, Random], None]":
    def fault(root: etree._Element, chance: Random) -> None:
        fitting = [
            element
            for element in root.iter()
            if isinstance(element.tag, str) and not len(element) and str(element.tag).rpartition("}")[2].endswith(words)
        ]
        if fitting:
            chance.choice(fitting).text = chance.choice(values)

    return fault


def scheme(root: etree._Element, chance: Random) -> None:
    """Change, remove or add a scheme, a currency, a unit or a format."""
    carrying = [element for element in root.iter() if isinstance(element.tag, str) and element.attrib]
    if not carrying:
        return
    element = chance.choice(carrying)
    name = chance.choice(sorted(str(key) for key in element.attrib))
    if chance.random() < 0.3:
        del element.attrib[name]
    else:
        element.set(name, chance.choice(SCHEMES))


def nudge(root: etree._Element, chance: Random) -> None:
    """Change a figure of a number."""
    numbers = [leaf for leaf in root.iter() if isinstance(leaf.tag, str) and _is_number(leaf.text)]
    if numbers:
        leaf = chance.choice(numbers)
        text = leaf.text or ""
        position = chance.randrange(len(text))
        if text[position].isdigit():
            leaf.text = text[:position] + str(chance.randint(0, 9)) + text[position + 1 :]


def _is_number(text: str | None) -> bool:
    return bool(text) and str(text).replace(".", "", 1).isdigit()


Fault = Callable[[etree._Element, Random], None]
FAULTS: tuple[Fault, ...] = (
    drop,
    drop,
    duplicate,
    blank,
    move,
    swap,
    scheme,
    scheme,
    nudge,
    nudge,
    _write(CODES, ("Code", "ID", "CategoryCode", "Indicator")),
    _write(NUMBERS, ("Amount", "Percent", "Quantity", "Numeric", "Total")),
    _write(DATES, ("Date", "DateTimeString")),
    _write(TEXTS, ("ID", "Note", "Content", "Name", "Id")),
)
"""Every fault, those that matter most more than once."""

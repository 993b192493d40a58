"""Every file that one change makes of a good one: what a reader takes of them is held to the official schema."""

from collections.abc import Callable, Iterator
from copy import deepcopy

from lxml import etree

WORDS = ("", "zzz", "1e2", "-1", "20260931", "20260931080000", "true", "9" * 60)


Change = Callable[[etree._Element], None]


def mutants(whole: etree._Element) -> Iterator[etree._Element]:
    """Give every file where one element is taken away, doubled, moved, emptied, renamed, or says otherwise."""
    places = [whole.getroottree().getelementpath(each) for each in whole.iter("*") if each.getparent() is not None]
    for place in places:
        for change in (_dropped, _doubled, _moved, _emptied, _renamed, _unqualified):
            yield _changed(whole, place, change)
        if not len(whole.getroottree().find(place)):
            for words in WORDS:
                yield _changed(whole, place, _saying(words))


def _changed(whole: etree._Element, place: str, change: Change) -> etree._Element:
    tree = deepcopy(whole)
    element = tree.getroottree().find(place)
    assert element is not None
    change(element)
    return tree


def _saying(words: str) -> Change:
    def change(element: etree._Element) -> None:
        element.text = words

    return change


def _dropped(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


def _doubled(element: etree._Element) -> None:
    element.addnext(deepcopy(element))


def _moved(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.insert(0, element)


def _emptied(element: etree._Element) -> None:
    element.clear(keep_tail=True)


def _renamed(element: etree._Element) -> None:
    element.tag = f"{element.tag}X"


def _unqualified(element: etree._Element) -> None:
    element.attrib.clear()

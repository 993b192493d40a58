"""The page of the life cycle says what the tables say."""

from pathlib import Path

from estafette.lifecycle.description import diagram, page
from estafette.lifecycle.statuses import STATUSES

PAGE = Path(__file__).parents[2] / "docs/lifecycle.md"


def test_the_page_is_fresh() -> None:
    """The committed page is the one that the tables give."""
    assert PAGE.read_text() == page()


def test_the_diagram_is_whole() -> None:
    """Every arrow of the diagram joins nodes that are drawn."""
    lines = diagram().splitlines()
    drawn = {line.split("[")[0].strip() for line in lines if "[" in line}
    arrows = [line for line in lines if " --> " in line or "-.-x" in line]
    assert arrows
    for arrow in arrows:
        named = {word.partition("|")[0] for word in arrow.replace("&", " ").split() if word.startswith("s2")}
        assert named <= drawn
    assert drawn <= {f"s{code}" for code in STATUSES}

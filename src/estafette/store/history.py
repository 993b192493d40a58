"""The history of the schema as the files of the migrations tell it, without running them.

Whoever opens a store that is at the version of the code needs to know no more; `migrating` does the rest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSIONS = Path(__file__).parent / "migrations" / "versions"

_REVISION = re.compile(r'^revision = "(\w+)"$', re.M)
_BEFORE = re.compile(r'^down_revision = (?:"(\w+)"|None)$', re.M)
_BRANCH = re.compile(r'^branch_labels = \("(\w+)",\)$', re.M)


@dataclass(frozen=True, slots=True)
class History:
    """The revisions that this code knows, and the last of each branch."""

    known: frozenset[str]
    heads: Mapping[str, str]


@cache
def history() -> History:
    """Return the history of this code."""
    before: dict[str, str | None] = {}
    branch_of: dict[str, str] = {}
    for text in (file.read_text() for file in VERSIONS.glob("*.py")):
        revision, (down,) = _one(_REVISION, text)[0], _one(_BEFORE, text)
        before[revision] = down
        if label := _BRANCH.search(text):
            branch_of[revision] = label[1]
    return History(
        frozenset(before), {_root(one, before, branch_of): one for one in set(before) - set(before.values())}
    )


def _one(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.search(text)
    assert found, pattern.pattern  # noqa: S101 — the files are ours
    return found.groups()


def _root(revision: str, before: Mapping[str, str | None], branch_of: Mapping[str, str]) -> str:
    """Return the branch of a revision: that of the first it goes back to."""
    while (earlier := before[revision]) is not None:
        revision = earlier
    return branch_of[revision]

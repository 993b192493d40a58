"""The cache of compiled packs: shared by processes, rebuilt when damaged, never used for another source."""

import subprocess
import sys
from pathlib import Path

import pytest

from estafette.rules.catalogue import BUILT_IN
from estafette.rules.compiled import cache_folder, compiled

CDAR = next(pack for pack in BUILT_IN if pack.syntax == "CDAR").path.read_bytes()
WARM = (
    "from estafette.rules import check; from estafette.simulation.documents import document;"
    "print(check(document('cdar', 1)).accepted)"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own for each test."""
    monkeypatch.setenv("ESTAFETTE_CACHE", str(tmp_path))
    return tmp_path


def test_a_pack_is_kept_and_read_again(folder: Path) -> None:
    """The second time nothing is compiled: the same tables come from the one file."""
    first = compiled(CDAR)
    assert cache_folder() == folder
    assert len(list(folder.glob("*.pack"))) == 1
    assert compiled(CDAR)[1] == first[1]


@pytest.mark.parametrize("damage", [b"", b"x" * 100, None])
def test_a_damaged_file_is_made_again(folder: Path, damage: bytes | None) -> None:
    """Emptied, overwritten or cut, the file is replaced by a good one."""
    expected = compiled(CDAR)[1]
    (path,) = folder.glob("*.pack")
    whole = path.read_bytes()
    path.write_bytes(whole[:-50] if damage is None else damage)
    assert compiled(CDAR)[1] == expected
    assert path.read_bytes() == whole


def test_another_source_is_another_file(folder: Path) -> None:
    """One changed byte of the artefact compiles anew."""
    compiled(CDAR)
    compiled(CDAR + b"<!-- -->")
    assert len(list(folder.glob("*.pack"))) == 2


def test_several_processes_warm_the_cache_at_once(folder: Path) -> None:
    """Four processes that begin together all judge, and leave whole files only."""
    processes = [subprocess.Popen([sys.executable, "-c", WARM], stdout=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[0].strip() for process in processes] == [b"True"] * 4
    assert {path.suffix for path in folder.iterdir()} == {".pack"}


def test_a_cache_that_cannot_be_written_only_costs_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where a file stands in place of the folder, packs are compiled all the same."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ESTAFETTE_CACHE", str(tmp_path / "file"))
    assert compiled(CDAR)[1]

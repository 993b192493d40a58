"""A restitution package as it is written: the sealed ZIP, and beside it the lines of its manifest and of its indexes.

It may be left off after any slice and taken up again where its state says.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import msgspec

from estafette.platform.keeping_contents import COLUMNS, Item
from estafette.platform.keeping_index import INDEX_TAIL, csv_line
from estafette.store.sealed_files import Writer

LANGUAGES = ("fr", "en")


@dataclass(slots=True)
class Made:
    """A package being made: the sealed ZIP, and beside it the lines of its manifest and of its indexes."""

    writer: Writer
    manifest: IO[bytes]
    index: dict[str, IO[bytes]] = field(default_factory=dict)

    def parts(self) -> dict[str, IO[bytes]]:
        """Return what waits beside, by name."""
        return {"manifest": self.manifest, **{f"index.{name}": file for name, file in self.index.items()}}

    def state(self) -> dict[str, int]:
        """All is on the disk; returns how far it goes."""
        ends = {}
        for name, part in self.parts().items():
            part.flush()
            ends[name] = part.tell()
        return {**self.writer.state(), **ends}

    def add(self, item: Item) -> dict[str, str | int]:
        """The file is in it, and in its manifest; returns the line there."""
        line = item.line(self.writer.add(item.name, item.data))
        self.manifest.write(msgspec.json.encode(line) + b"\n")
        return line

    def add_text(self, name: str, lines: Any) -> None:
        """A file that is written line by line is in it, and in its manifest."""
        with TemporaryFile(dir=self.writer.folder) as file:
            for line in lines:
                file.write(line.encode())
            size = file.tell()
            digest = self.writer.add_file(name, file)
        line = dict.fromkeys(COLUMNS, "") | {"kind": name.partition("/")[0], "file": name, "bytes": size}
        self.manifest.write(msgspec.json.encode({**line, "sha256": digest}) + b"\n")

    def add_index(self, language: str, head: Iterator[str]) -> None:
        """The index of a language is in it."""

        def lines() -> Iterator[str]:
            yield from head
            self.index[language].seek(0)
            for line in self.index[language]:
                yield line.decode()
            yield INDEX_TAIL

        self.add_text(f"index.{language}.html", lines())

    def add_manifest(self, told: dict[str, Any]) -> None:
        """The manifest is in it, for programs and for spreadsheets."""

        def entries() -> Iterator[dict[str, Any]]:
            self.manifest.flush()
            self.manifest.seek(0)
            for line in self.manifest:
                yield msgspec.json.decode(line)
            self.manifest.seek(0, 2)

        def as_json() -> Iterator[str]:
            yield msgspec.json.encode(told).decode()[:-1] + ',"files":[\n'
            for place, each in enumerate(entries()):
                yield (",\n" if place else "") + msgspec.json.encode(each).decode()
            yield "\n]}\n"

        def as_csv() -> Iterator[str]:
            yield csv_line(COLUMNS)
            for each in entries():
                yield csv_line([each[name] for name in COLUMNS])

        for name, lines in (("manifest.json", as_json), ("manifest.csv", as_csv)):
            with TemporaryFile(dir=self.writer.folder) as file:
                for line in lines():
                    file.write(line.encode())
                self.writer.add_file(name, file)


@contextmanager
def making(folder: Path, state: dict[str, int]) -> Iterator[Made]:
    """Open a package where it was left off."""
    writer = Writer(folder)
    opened = [
        (name, _part(folder / f"{name}.part", state.get(name, 0))) for name in ("manifest", "index.fr", "index.en")
    ]
    files = dict(opened)
    try:
        writer.resume(state)
        yield Made(writer, files["manifest"], {name: files[f"index.{name}"] for name in LANGUAGES})
    finally:
        writer.close()
        for file in files.values():
            file.close()


def _part(file: Path, end: int) -> IO[bytes]:
    file.touch(mode=0o600)
    opened = file.open("r+b")
    opened.truncate(end)
    opened.seek(end)
    return opened

"""Compiled packs: made once from the official artefact, kept on disk, loaded in milliseconds.

What is kept is the byte code that our compiler wrote and its tables, under a name made of the checksum of the artefact,
of the compiler and of the Python that runs: nothing is ever loaded for another source. Files are written beside and
renamed, so that several processes may warm one cache at once; a damaged file is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import marshal
import os
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

from estafette.rules import semantics
from estafette.rules.reading import read
from estafette.rules.tree import Forest, Top, children, plant

FOLDER = Path(__file__).parent
COMPILER_FILES = ("compiler", "semantics", "regex.py", "tree.py", "compiled.py")
BUILTINS = {
    "all": all,
    "any": any,
    "bool": bool,
    "chr": chr,
    "frozenset": frozenset,
    "len": len,
    "ord": ord,
    "sum": sum,
}


@cache
def compiler_version() -> str:
    """Return the checksum of the compiler itself: what it wrote before it changed is never used."""
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER)
    for name in COMPILER_FILES:
        path = FOLDER / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def cache_folder() -> Path:
    """Return where compiled packs are kept: `ESTAFETTE_CACHE`, else the cache folder of the user."""
    chosen = os.environ.get("ESTAFETTE_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "estafette"


def compiled(data: bytes, include: Callable[[str], bytes] | None = None) -> tuple[CodeType, tuple[Any, ...]]:
    """Return the code and the tables of a sheet, from the cache when it is there."""
    name = hashlib.sha256(compiler_version().encode() + hashlib.sha256(data).digest()).hexdigest()
    path = cache_folder() / f"{name}.pack"
    kept = _read(path)
    if kept is None:
        kept = compile_sheet(data, include)
        _write(path, marshal.dumps(kept))
    return kept


def compile_sheet(data: bytes, include: Callable[[str], bytes] | None = None) -> tuple[CodeType, tuple[Any, ...]]:
    """Compile a sheet; raise `UnsupportedError` when it asks for what the compiler does not know."""
    from estafette.rules.compiler.module import write_module  # noqa: PLC0415 - loaded only when something is compiled
    from estafette.rules.compiler.sheet import read_sheet  # noqa: PLC0415

    source, tables = write_module(read_sheet(data, include))
    return _interned(compile(source, "<pack>", "exec", dont_inherit=True, optimize=2)), tables


def _interned(code: CodeType) -> CodeType:
    """Return the code with its texts interned, as the names of a tree are: a name is then found by identity."""
    constants = (
        _interned(constant)
        if isinstance(constant, CodeType)
        else sys.intern(constant)
        if type(constant) is str
        else constant
        for constant in code.co_consts
    )
    return code.replace(co_consts=tuple(constants))


def _read(path: Path) -> tuple[CodeType, tuple[Any, ...]] | None:
    try:
        content = path.read_bytes()
        checksum, payload = content[:32], content[32:]
        if hashlib.sha256(payload).digest() != checksum:
            return None
        code, tables = marshal.loads(payload)  # noqa: S302 - written by us, named and summed as ours
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return (code, tables) if isinstance(code, CodeType) else None


def _write(path: Path, payload: bytes) -> None:
    """Keep a compiled pack; a cache that cannot be written only costs time."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        Path(temporary).replace(path)


def load(code: CodeType, resource: Callable[[str], bytes]) -> dict[str, Any]:
    """Run the generated module, which only defines functions, where nothing but the semantics of XPath is in reach."""

    @cache
    def tree(name: str) -> Top:
        return plant(read(resource(name)).getroot(), Forest())

    names = {name: getattr(semantics, name) for name in semantics.__all__}
    namespace: dict[str, Any] = {
        "__builtins__": BUILTINS,
        **names,
        "children": children,
        "Decimal": Decimal,
        "STATIC": {},
        "remembered": lru_cache(4096),
        "resource": tree,
        "truth_at": truth_at,
    }
    exec(code, namespace)  # noqa: S102 - code of our own compiler, see the module's docstring
    return namespace


def truth_at(value: Any, position: int) -> bool:
    """Say whether a predicate of a context holds: a number is a position."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return bool(value == position)
    return semantics.truth(value)

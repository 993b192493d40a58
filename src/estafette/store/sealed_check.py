"""What a restitution package proves beside its own integrity: the audit log in it, under the signed roots it has.

`journal/roots.jsonl` comes first, then `journal/audit.jsonl`: each event follows the one before by its hash, from the
first, and stands where each root says that the chain stood.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

import msgspec

from estafette.store import audit, roots
from estafette.store.sealed_files import Broken, Verified, verify

ROOTS, JOURNAL = "journal/roots.jsonl", "journal/audit.jsonl"
LINE_BYTES_MAX = 16 * 1024 * 1024
"""One line of a journal (our bound)."""


@dataclass(slots=True)
class Checked:
    """A package that is as it was made: what it says, how many events its journal has, how many roots cover it."""

    verified: Verified
    events: int
    roots: int


@dataclass(slots=True)
class _Lines:
    """Hears a file piece by piece and hands its lines over."""

    name: str
    hear: Callable[[dict[str, Any]], None]
    rest: bytearray = field(default_factory=bytearray)

    def __call__(self, piece: bytes) -> None:
        self.rest += piece
        *lines, last = self.rest.split(b"\n")
        if len(last) > LINE_BYTES_MAX:
            raise Broken(self.name, "ligne trop longue", "line too long")
        self.rest = bytearray(last)
        for line in lines:
            try:
                self.hear(msgspec.json.decode(line, type=dict[str, Any]))
            except (msgspec.DecodeError, msgspec.ValidationError, LookupError, TypeError, ValueError, RecursionError):
                raise Broken(self.name, "ligne illisible", "unreadable line") from None


class _Chain:
    """Follows the chain of the company, and looks at it where each root says that it stood."""

    def __init__(self, verifies: Callable[[str, str, bytes], bool]) -> None:
        self._verifies = verifies
        self._proofs: list[dict[str, Any]] = []
        self._heads: dict[int, str] = {}
        self.seq, self.last, self.chain = 0, "", ""
        self.roots = 0

    def root(self, proof: dict[str, Any]) -> None:
        """A root is there; it is looked at once the key is known."""
        self._proofs.append(proof)
        self._heads[int(proof["seq"])] = str(proof["head"])

    def event(self, line: dict[str, Any]) -> None:
        """The next event follows the one before."""
        body, hashed = str(line["body"]), str(line["hash"])
        if not self.seq:
            self.chain = str((self._proofs[0] if audit.is_blank(body) else msgspec.json.decode(body))["chain"])
            self.last = audit.genesis(self.chain)
        self.seq += 1
        if line["seq"] != self.seq or audit.link(self.last, body) != hashed:
            raise Broken(f"{JOURNAL} {self.seq}", "l'événement ne suit pas celui d'avant", "the event does not follow")
        if self._heads.pop(self.seq, hashed) != hashed:
            raise Broken(f"{JOURNAL} {self.seq}", "la racine signée dit autre chose", "the signed root says otherwise")
        self.last = hashed

    def end(self, told: dict[str, Any]) -> None:
        """Every root is signed by the key of the package, about this chain, and nothing that it covers is missing."""
        for proof in self._proofs:
            try:
                is_shown = proof["chain"] == told.get("siren") and roots.shows(proof, self._verifies, str(told["key"]))
            except (KeyError, TypeError, ValueError, AttributeError, msgspec.DecodeError):
                is_shown = False
            if not is_shown:
                raise Broken(ROOTS, "une racine n'est pas de cette clé", "a root is not of this key")
            self.roots += 1
        if self._heads or (self.seq and self.chain != told.get("siren")):
            raise Broken(JOURNAL, "des événements manquent", "events are missing")


def check(
    file: IO[bytes],
    verifies: Callable[[str, str, bytes], bool],
    *,
    key: str | None = None,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> Checked:
    """Return what the package says, all of it verified. `key`: the one it must be signed by, where that is known.

    Raises: Broken, at the first thing that is wrong.
    """
    chain = _Chain(verifies)
    heard = {ROOTS: _Lines(ROOTS, chain.root), JOURNAL: _Lines(JOURNAL, chain.event)}
    verified = verify(file, verifies, wanted=heard.get, progress=progress)
    if key is not None and verified.told.get("key") != key:
        raise Broken("signature.json", "signé par une autre clé", "signed by another key")
    chain.end(verified.told)
    return Checked(verified, chain.seq, chain.roots)

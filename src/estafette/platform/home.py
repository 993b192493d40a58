"""What the parts of a platform share: its actor, its post, its copy of the directory, and what it is."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from estafette.exchange.actor import Actor
from estafette.exchange.post import Post
from estafette.formats import read
from estafette.formats.flux1.structure import Fault
from estafette.invoice.model import Invoice
from estafette.platform.examination import Examined
from estafette.platform.mirror import Mirror

KEPT_MAX = 256
"""Invoices at hand, and their data for the State: those of the last seconds."""

KEPT_LINES_MAX = 100
"""Lines of an invoice that is kept at hand, or its data; a longer one is read again."""


Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Identity:
    """How a platform is known. `application_code`: its connection to the portal (6 characters).

    `matricules` are all those it answers for: the portal's own room also receives for Chorus Pro.
    """

    name: str
    matricule: str
    matricules: frozenset[str]
    application_code: str
    portal: str
    portal_matricule: str


@dataclass(frozen=True, slots=True)
class UnitData:
    """The Flow 1 of one seller of an invoice: what the portal knows it by, its file, what is wrong with it."""

    seller_siren: str
    number: str
    name: str
    content: bytes
    fault: Fault | None


class Latest(Generic[Key, Value]):
    """The latest things that were kept, `KEPT_MAX` of them, for one thread or another."""

    def __init__(self) -> None:
        self._held: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return a thing that is still at hand."""
        return self._held.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """The thing is at hand for a while."""
        self._held[key] = value
        while len(self._held) > KEPT_MAX:
            self._held.popitem(last=False)


@dataclass(slots=True)
class Home:
    """One platform at home. `examine` looks at a document away from the event loop.

    `data` holds what the State will be owed of the latest deposits, by their document and day (`declarations`).
    """

    actor: Actor
    post: Post
    mirror: Mirror
    identity: Identity
    examine: Callable[[bytes], Awaitable[Examined]]
    data: Latest[tuple[str, str, date], tuple[UnitData, ...]] = field(default_factory=Latest)
    _read: Latest[str, Invoice] = field(default_factory=Latest)

    def keep(self, sha256: str, document: Invoice) -> None:
        """What was read of a document is at hand for a while: more will be said of it soon."""
        if len(document.lines) <= KEPT_LINES_MAX:
            self._read.keep(sha256, document)

    def invoice(self, sha256: str) -> Invoice:
        """Return what a document says. Raises: KeyError, Damaged, Unreadable."""
        return self._read.get(sha256) or read(self.actor.documents.get(sha256))

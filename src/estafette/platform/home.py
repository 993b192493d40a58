"""What the parts of a platform share: its actor, its post, its copy of the directory, and what it is."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from estafette.exchange.actor import Actor
from estafette.exchange.post import Post
from estafette.formats import read
from estafette.invoice.model import Invoice
from estafette.platform.examination import Examined
from estafette.platform.mirror import Mirror

KEPT_MAX = 256
"""Invoices at hand: those of the last seconds."""

KEPT_LINES_MAX = 100
"""Lines of an invoice that is kept at hand; a longer one is read again."""


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


@dataclass(slots=True)
class Home:
    """One platform at home. `examine` looks at a document away from the event loop."""

    actor: Actor
    post: Post
    mirror: Mirror
    identity: Identity
    examine: Callable[[bytes], Awaitable[Examined]]
    _read: OrderedDict[str, Invoice] = field(default_factory=OrderedDict)

    def keep(self, sha256: str, document: Invoice) -> None:
        """What was read of a document is at hand for a while: more will be said of it soon."""
        if len(document.lines) <= KEPT_LINES_MAX:
            self._read[sha256] = document
            while len(self._read) > KEPT_MAX:
                self._read.popitem(last=False)

    def invoice(self, sha256: str) -> Invoice:
        """Return what a document says. Raises: KeyError, Damaged, Unreadable."""
        return self._read.get(sha256) or read(self.actor.documents.get(sha256))

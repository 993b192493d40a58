"""What the parts of a platform share: its actor, its post, its copy of the directory, and what it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from estafette.exchange.actor import Actor
from estafette.exchange.post import Post
from estafette.platform.examination import Examined
from estafette.platform.mirror import Mirror


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

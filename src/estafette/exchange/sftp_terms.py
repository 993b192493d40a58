"""What an actor grants at its SFTP door: to whom, how much, how often, and whether a file is fetched once.

What speaks SSH (`sftp`, `sftp_area`, `sftp_client`) costs a third of a second to load: it is where a door is opened, or
another actor's is gone to, and nowhere else.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from estafette.values import limits

DEPOT, RETRAIT = "depot", "retrait"
"""The folder where an account puts files, and the one from which it fetches them."""

UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".swp")
"""How programs end the names of files they are still writing, and rename once they have written them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an actor grants at its door.

    `admits` says why an account may not come in now, `may_put` why it may not put a file now, None when it may;
    `sessions_max` is for one account at once. `once`: a file of `retrait` is fetched once, and goes when its client has
    read it to its end and closed it; nothing else takes it away; in `depot` no two files want one name. `ciphers` are
    added to those offered.
    """

    account: re.Pattern[str] = re.compile(r"[0-9]{9}")
    admits: Callable[[str], str | None] = lambda _account: None
    may_put: Callable[[str], str | None] = lambda _account: None
    sessions_max: Callable[[], int] = lambda: limits.SFTP_CONNECTIONS_MAX
    file_bytes_max: Callable[[], int] = lambda: limits.FILE_BYTES_MAX
    once: bool = False
    ciphers: str = ""


COMPANIES = Terms()

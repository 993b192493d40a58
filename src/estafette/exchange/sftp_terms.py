"""What an actor grants at its SFTP door: to whom, how much, how often, and whether a file is fetched once."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from estafette.values import limits


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

"""How fast one may ask: secrets tried (`Throttle`), requests made (`Rate`).

A few tries of a secret, then a wait that doubles with each failure, by login and by peer.

A try is counted before it is judged, so that many at once gain nothing; the right password takes its count back. The
login counts whether or not it exists. Memory is bounded: the key that was tried the longest ago is forgotten first.

Both count what this process saw: several processes behind one address allow as many times more.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from estafette.values.limits import (
    RATE_KEYS_MAX,
    SIGN_IN_KEYS_MAX,
    SIGN_IN_LOGIN_TRIES,
    SIGN_IN_PEER_TRIES,
    SIGN_IN_WAIT_S_MAX,
)

_DOUBLINGS_MAX = 30


@dataclass(frozen=True, slots=True)
class _Tried:
    failures: int
    last: datetime


class _Counter:
    """The failures of each key, and how long each has to wait."""

    def __init__(self, free: int, keys: int) -> None:
        self._free = free
        self._keys = keys
        self._tried: OrderedDict[str, _Tried] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tried)

    def wait(self, key: str, now: datetime) -> timedelta:
        tried = self._tried.get(key)
        if tried is None or tried.failures < self._free:
            return timedelta()
        seconds = min(2 ** min(tried.failures - self._free, _DOUBLINGS_MAX), SIGN_IN_WAIT_S_MAX)
        return max(tried.last + timedelta(seconds=seconds) - now, timedelta())

    def count(self, key: str, now: datetime) -> None:
        tried = self._tried.pop(key, None)
        is_over = tried is None or now - tried.last > timedelta(seconds=2 * SIGN_IN_WAIT_S_MAX)
        self._tried[key] = _Tried(1 if tried is None or is_over else tried.failures + 1, now)
        if len(self._tried) > self._keys:
            self._tried.popitem(last=False)

    def take_back(self, key: str) -> None:
        tried = self._tried.get(key)
        if tried is not None:
            self._tried[key] = _Tried(max(tried.failures - 1, 0), tried.last)

    def forget(self, key: str) -> None:
        self._tried.pop(key, None)


class Throttle:
    """The tries at one door."""

    def __init__(self, *, keys: int = SIGN_IN_KEYS_MAX) -> None:
        self._logins = _Counter(SIGN_IN_LOGIN_TRIES, keys)
        self._peers = _Counter(SIGN_IN_PEER_TRIES, keys)

    def __len__(self) -> int:
        """Count what is remembered."""
        return len(self._logins) + len(self._peers)

    def enter(self, login: str, peer: str, *, now: datetime) -> timedelta:
        """Return how long to wait before a try; when there is nothing to wait for, the try is counted."""
        peer = network_of(peer)
        wait = max(self._logins.wait(login, now), self._peers.wait(peer, now))
        if not wait:
            self._logins.count(login, now)
            self._peers.count(peer, now)
        return wait

    def succeeded(self, login: str, peer: str) -> None:
        """The try was right: the login starts afresh; of the peer only this try is taken back."""
        self._logins.forget(login)
        self._peers.take_back(network_of(peer))


class Rate:
    """So many requests a minute for each key, of which as many as `burst` at once (a bucket of tokens).

    Memory is bounded: the key that asked the longest ago is forgotten first, and has a full bucket again.
    """

    def __init__(self, per_minute: int, *, burst: int, keys: int = RATE_KEYS_MAX) -> None:
        self._each = timedelta(minutes=1) / per_minute
        self._room = self._each * burst
        self._keys = keys
        self._full_at: OrderedDict[str, datetime] = OrderedDict()

    def __len__(self) -> int:
        """Count the keys that are remembered."""
        return len(self._full_at)

    def take(self, key: str, now: datetime) -> timedelta:
        """Return how long to wait before asking; when there is nothing to wait for, the request is counted."""
        full_at = max(self._full_at.pop(key, now), now) + self._each
        wait = max(full_at - now - self._room, timedelta())
        self._full_at[key] = full_at - self._each if wait else full_at
        if len(self._full_at) > self._keys:
            self._full_at.popitem(last=False)
        return wait


def network_of(peer: str) -> str:
    """Return the address, or of version 6 its network of 64 bits, which one host has to itself."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else peer

"""Guessing passwords is slow, and costs the desk little."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from tests.web.visitor import Visitor
from tests.web.world import PASSWORD, World

from estafette.exchange.throttle import Throttle
from estafette.store import identity
from estafette.values.limits import (
    PASSWORDS_AT_ONCE_MAX,
    SIGN_IN_KEYS_MAX,
    SIGN_IN_LOGIN_TRIES,
    SIGN_IN_PEER_TRIES,
    SIGN_IN_WAIT_S_MAX,
)

NOW = datetime(2026, 9, 15, tzinfo=UTC)
NO_WAIT = timedelta()


def test_the_wait_grows_to_its_limit() -> None:
    """The tries that are free, then 1, 2, 4… seconds, never more than the limit; a wait that is over is one try."""
    throttle, now, waits = Throttle(), NOW, []
    for _ in range(SIGN_IN_LOGIN_TRIES):
        assert throttle.enter("ada", "192.0.2.1", now=now) == NO_WAIT
    for _ in range(12):
        wait = throttle.enter("ada", "192.0.2.2", now=now)
        waits.append(int(wait.total_seconds()))
        now += wait
        assert throttle.enter("ada", "192.0.2.2", now=now) == NO_WAIT
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == SIGN_IN_WAIT_S_MAX
    assert throttle.enter("grace", "192.0.2.3", now=now) == NO_WAIT


def test_the_right_password_starts_afresh() -> None:
    """A success clears the login; a long quiet does too."""
    throttle = Throttle()
    for _ in range(3 * SIGN_IN_PEER_TRIES):
        assert throttle.enter("ada", "192.0.2.1", now=NOW) == NO_WAIT
        throttle.succeeded("ada", "192.0.2.1")
    for _ in range(SIGN_IN_LOGIN_TRIES):
        throttle.enter("grace", "192.0.2.1", now=NOW)
    assert throttle.enter("grace", "192.0.2.1", now=NOW) > NO_WAIT
    later = NOW + timedelta(seconds=2 * SIGN_IN_WAIT_S_MAX + 1)
    assert [throttle.enter("grace", "192.0.2.1", now=later) for _ in range(2)] == [NO_WAIT, NO_WAIT]


@pytest.mark.parametrize("peers", [("192.0.2.1",), ("2001:db8::1", "2001:db8::ffff")])
def test_one_address_with_many_logins_waits_too(peers: tuple[str, ...]) -> None:
    """Each login is tried once: the address waits all the same, in version 6 its whole network."""
    throttle = Throttle()
    for number in range(SIGN_IN_PEER_TRIES):
        assert throttle.enter(f"login {number}", peers[number % len(peers)], now=NOW) == NO_WAIT
    assert throttle.enter("another", peers[-1], now=NOW) > NO_WAIT
    assert throttle.enter("another", "198.51.100.1", now=NOW) == NO_WAIT


def test_memory_is_bounded() -> None:
    """However many logins and addresses are tried, no more than the limit of each is remembered."""
    throttle = Throttle()
    for number in range(SIGN_IN_KEYS_MAX + 1):
        throttle.enter(f"login {number}", f"peer {number}", now=NOW)
    assert len(throttle) == 2 * SIGN_IN_KEYS_MAX


@pytest.mark.parametrize("login", ["seller", "nobody"])
def test_the_door_waits_whether_or_not_the_login_exists(world: World, login: str) -> None:
    """Past the free tries: 429, with how long, without any password being checked, the right one neither."""
    guesser = Visitor(world.application, "en")
    answers = [guesser.sign_in(login, f"guess {number}").status for number in range(SIGN_IN_LOGIN_TRIES)]
    assert answers == [401] * SIGN_IN_LOGIN_TRIES
    # the clock of the tests ticks each time it is asked: fail until the wait is longer than its ticks
    page = next(page for page in (guesser.sign_in(login, "guess") for _ in range(20)) if page.status == 429)
    assert int(page.headers["retry-after"]) >= 1
    assert "Too many tries" in page.text


def test_a_password_is_checked_while_the_store_is_free(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check runs in another thread, with no write transaction open: another can write meanwhile."""
    seen = []

    def check(_password: str, _held: str | None) -> bool:
        with world.actor.database.begin():
            seen.append(threading.current_thread() is threading.main_thread())
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return True

    monkeypatch.setattr(identity, "is_password", check)
    assert Visitor(world.application).sign_in("seller", PASSWORD).status == 200
    assert seen == [False]


def test_few_passwords_are_checked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twice as many sign-ins as the limit, sent together, just as many as the limit are checked at a time."""
    together, inside, most = threading.Barrier(PASSWORDS_AT_ONCE_MAX, timeout=30), [], []

    def check(_password: str, _held: str | None) -> bool:
        inside.append(1)
        together.wait()
        most.append(len(inside))
        together.wait()
        inside.pop()
        return False

    monkeypatch.setattr(identity, "is_password", check)

    async def all_at_once() -> list[int]:
        form = ("POST", "/sign-in", b"login=seller&password=guess", "application/x-www-form-urlencoded")
        asked = (Visitor(world.application)._ask(*form) for _ in range(2 * PASSWORDS_AT_ONCE_MAX))
        return [page.status for page in await asyncio.gather(*asked)]

    assert asyncio.run(all_at_once()) == [401] * 2 * PASSWORDS_AT_ONCE_MAX
    assert max(most) == PASSWORDS_AT_ONCE_MAX

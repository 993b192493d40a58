"""One's own account: the password, the second factor, the sessions, and for whom one acts."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from pyotp import TOTP
from tests.web.visitor import Page, Visitor
from tests.web.world import BUYER, PASSWORD, SELLER, World

from estafette.store import identity, identity_factor
from estafette.store.identity_events import events
from estafette.values.limits import PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN, SIGN_IN_LOGIN_TRIES
from estafette.web.settings import Settings

NEW = "a long enough new one"


def code_of(secret: str, now: datetime, steps: int = 0) -> str:
    """Give the code of an application, some steps off."""
    return TOTP(secret).at(now + timedelta(seconds=30 * steps))


def enrol(world: World, visitor: Visitor) -> tuple[str, list[str]]:
    """Put a second factor in place; returns its secret and the codes for recovery."""
    drawn = visitor.get("/account/factor")
    secret = re.sub(r"\s", "", re.findall(r"<code>([A-Z2-7 ]+)</code>", drawn.html)[0])
    code = code_of(secret, world.actor.clock())
    kept = visitor.post("/account/factor", csrf=drawn.hidden("csrf"), code=code)
    assert kept.status == 200
    return secret, re.findall(r"[0-9a-f]{5}(?:-[0-9a-f]{5}){3}", kept.text)


def change_password(visitor: Visitor, old: str, new: str, again: str | None = None) -> Page:
    """Fill the form of the password."""
    csrf = visitor.get("/account/password").hidden("csrf")
    return visitor.post("/account/password", csrf=csrf, old=old, new=new, again=new if again is None else again)


def test_a_password_is_changed(world: World) -> None:
    """The new one opens, the old one does not, this session stays and the others are over; it is in the trace."""
    here, there = world.visitor(), world.visitor()
    assert change_password(here, PASSWORD, NEW).path == "/account"
    assert here.get("/").path == "/"
    assert there.get("/").path == "/sign-in"
    assert Visitor(world.application).sign_in("seller", PASSWORD).status == 401
    assert Visitor(world.application).sign_in("seller", NEW).status == 200
    with world.actor.database.read() as connection:
        assert [event.kind for event in events(connection, SELLER, 9)] == ["password.changed"]


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        (PASSWORD, "x" * (PASSWORD_CHARACTERS_MIN - 1), None),
        (PASSWORD, "x" * (PASSWORD_CHARACTERS_MAX + 1), None),
        ("another", NEW, None),
        (PASSWORD, NEW, NEW + "?"),
        (PASSWORD, PASSWORD, None),
        (PASSWORD, "i am the seller of all", None),
    ],
)
def test_a_password_that_will_not_do(world: World, old: str, new: str, again: str | None) -> None:
    """Too short or long, the wrong old one, two that differ, the same, or the login: it is said, nothing changes."""
    visitor = world.visitor()
    page = change_password(visitor, old, new, again)
    assert page.status == 422
    assert 'role="alert"' in page.html
    assert Visitor(world.application).sign_in("seller", PASSWORD).status == 200


def test_a_session_taken_over_guesses_no_faster(world: World) -> None:
    """Past the free tries of the old password the page says to wait, and the right one is not looked at either."""
    visitor = world.visitor()
    tries = [change_password(visitor, f"guess {number}", NEW).status for number in range(SIGN_IN_LOGIN_TRIES)]
    assert tries == [422] * SIGN_IN_LOGIN_TRIES
    # the clock of the tests ticks each time it is asked: fail until the wait is longer than its ticks
    page = next(page for page in (change_password(visitor, "guess", NEW) for _ in range(20)) if page.status == 429)
    assert int(page.headers["retry-after"]) >= 1
    assert "Trop d'essais" in page.text
    assert Visitor(world.application).sign_in("seller", PASSWORD).status == 200


def test_a_code_is_not_guessed_to_take_the_factor_away(world: World) -> None:
    """Codes too: a session that was taken over does not rid itself of the second factor by trying them all."""
    visitor = world.visitor()
    enrol(world, visitor)
    csrf = visitor.get("/account/factor").hidden("csrf")

    def guess() -> Page:
        return visitor.post("/account/factor", csrf=csrf, code="no such code", wish="remove")

    assert [guess().status for _ in range(SIGN_IN_LOGIN_TRIES)] == [422] * SIGN_IN_LOGIN_TRIES
    page = next(page for page in (guess() for _ in range(20)) if page.status == 429)
    assert int(page.headers["retry-after"]) >= 1


@pytest.mark.parametrize("length", [PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX])
def test_a_password_at_the_limits(world: World, length: int) -> None:
    """The shortest and the longest are taken."""
    assert change_password(world.visitor(), PASSWORD, "x" * length).path == "/account"
    assert Visitor(world.application).sign_in("seller", "x" * length).status == 200


def test_the_second_factor_is_asked(world: World) -> None:
    """Once in place, the password opens nothing but the page of the code; the code opens the desk."""
    secret, codes = enrol(world, world.visitor())
    assert len(set(codes)) == identity_factor.RECOVERY_CODES
    visitor = Visitor(world.application)
    asked = visitor.sign_in("seller", PASSWORD)
    for path in ("/", "/deposit", "/account", "/account/factor", "/places", "/access"):
        assert visitor.get(path).path == "/sign-in/code"
    assert "/deposits" not in asked.html
    code = code_of(secret, world.actor.clock(), 1)
    assert visitor.post("/sign-in/code", csrf=asked.hidden("csrf"), code=code).path == "/"
    assert visitor.get("/account").status == 200


def test_the_page_of_the_factor_needs_no_script(world: World) -> None:
    """The drawing is within the page, which holds no script nor style, and names the account and the actor."""
    drawn = world.visitor().get("/account/factor")
    assert "<svg" in drawn.html
    assert "<script" not in drawn.html
    assert "style=" not in drawn.html
    again = re.findall(r"<code>([A-Z2-7 ]+)</code>", drawn.html)
    assert again == re.findall(r"<code>([A-Z2-7 ]+)</code>", world.visitor().get("/account/factor").html)


def test_a_code_is_taken_once(world: World) -> None:
    """A code that opened does not open again, nor does one from before it."""
    secret, _ = enrol(world, world.visitor())
    first, second = Visitor(world.application), Visitor(world.application)
    for visitor in (first, second):
        visitor.sign_in("seller", PASSWORD)
    code = code_of(secret, world.actor.clock(), 1)
    csrf = first.get("/").hidden("csrf")
    assert first.post("/sign-in/code", csrf=csrf, code=code).path == "/"
    assert second.post("/sign-in/code", csrf=second.get("/").hidden("csrf"), code=code).status == 401
    earlier = code_of(secret, world.actor.clock(), -1)
    assert second.post("/sign-in/code", csrf=second.get("/").hidden("csrf"), code=earlier).status == 401


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_a_step_off(world: World, steps: int, right: bool) -> None:
    """A code is right one step early or late, no further."""
    visitor = world.visitor()
    secret = re.sub(r"\s", "", re.findall(r"<code>([A-Z2-7 ]+)</code>", visitor.get("/account/factor").html)[0])
    now = world.actor.clock()
    with world.actor.database.begin() as connection:
        seal = world.desk.seal
        confirmed = identity_factor.confirm(connection, "seller", code_of(secret, now, steps), seal=seal, now=now)
    assert (confirmed is not None) is right


def test_a_recovery_code_opens_once(world: World) -> None:
    """A code for recovery stands for the application, once."""
    _, codes = enrol(world, world.visitor())
    for status, path in ((200, "/"), (401, "/sign-in/code")):
        visitor = Visitor(world.application)
        csrf = visitor.sign_in("seller", PASSWORD).hidden("csrf")
        page = visitor.post("/sign-in/code", csrf=csrf, code=codes[0].upper())
        assert (page.status, page.path) == (status, path)


def test_codes_are_tried_slowly(world: World) -> None:
    """Wrong codes have to wait as wrong passwords do, whatever session they come from."""
    enrol(world, world.visitor())
    statuses = []
    for _ in range(SIGN_IN_LOGIN_TRIES + 6):
        visitor = Visitor(world.application)
        csrf = visitor.sign_in("seller", PASSWORD).hidden("csrf")
        statuses.append(visitor.post("/sign-in/code", csrf=csrf, code="000000").status)
    assert statuses[:SIGN_IN_LOGIN_TRIES] == [401] * SIGN_IN_LOGIN_TRIES
    assert 429 in statuses[SIGN_IN_LOGIN_TRIES:]


def test_the_factor_is_removed_with_a_code(world: World) -> None:
    """A wrong code removes nothing; a right one does, and the password opens alone again."""
    visitor = world.visitor()
    secret, codes = enrol(world, visitor)
    csrf = visitor.get("/account/factor").hidden("csrf")
    assert visitor.post("/account/factor", csrf=csrf, code="000000", wish="remove").status == 422
    assert visitor.post("/account/factor", csrf=csrf, code=codes[0], wish="codes").status == 200
    with world.actor.database.read() as connection:
        assert identity_factor.codes_left(connection, "seller") == identity_factor.RECOVERY_CODES
    code = code_of(secret, world.actor.clock(), 1)
    assert visitor.post("/account/factor", csrf=csrf, code=code, wish="remove").path == "/account"
    assert Visitor(world.application).sign_in("seller", PASSWORD).path == "/"


def test_a_role_may_need_the_factor(make_world: Callable[[Settings], World]) -> None:
    """Where the settings ask it of a role, whoever has it is led to put one in place, and sees nothing before."""
    world = make_world(Settings(second_factor=("administrator",)))
    visitor = Visitor(world.application)
    assert visitor.sign_in("seller", PASSWORD).path == "/account/factor"
    assert visitor.get("/issued").path == "/account/factor"
    enrol(world, visitor)
    assert visitor.get("/issued").path == "/issued"


def test_sessions_are_listed_and_closed(world: World) -> None:
    """One sees one's sessions, closes one, then all the others; a session of somebody else is out of reach."""
    here, second, third, buyer = world.visitor(), world.visitor(), world.visitor(), world.visitor("buyer")
    drawn = here.get("/account")
    named = re.findall(r'name="session" value="([0-9a-f]{64})"', drawn.html)
    assert len(named) == 2
    foreign = identity.digest(buyer.cookies["relais"])
    here.post("/account/sessions", csrf=drawn.hidden("csrf"), session=foreign)
    assert buyer.get("/").path == "/"
    here.post("/account/sessions", csrf=drawn.hidden("csrf"), session=identity.digest(second.cookies["relais"]))
    assert [visitor.get("/").path for visitor in (here, second, third)] == ["/", "/sign-in", "/"]
    here.post("/account/sessions", csrf=drawn.hidden("csrf"))
    assert [visitor.get("/").path for visitor in (here, third)] == ["/", "/sign-in"]


def test_one_acts_for_several(world: World) -> None:
    """A person of two companies chooses for which to act; it is always said, and the role is the one held there."""
    with world.actor.database.begin() as connection:
        identity.join(connection, login="seller", organization=BUYER, role="reader", now=world.actor.clock())
    visitor = world.visitor()
    assert f"SIREN {SELLER}" in visitor.get("/").text
    drawn = visitor.get("/places")
    assert visitor.post("/places", csrf=drawn.hidden("csrf"), organization=BUYER, through="").path == "/"
    assert f"SIREN {BUYER}" in visitor.get("/issued").text
    assert visitor.get("/deposit").status == 403
    assert "/deposit" not in visitor.get("/").links("/deposit")
    assert visitor.get("/access").status == 403


def test_one_does_not_act_for_others(world: World) -> None:
    """A company that one is nothing at cannot be chosen, nor through a firm that is not one's own."""
    visitor = world.visitor()
    csrf = visitor.get("/places").hidden("csrf")
    for through in ("", SELLER, BUYER):
        assert visitor.post("/places", csrf=csrf, organization=BUYER, through=through).status == 403
    assert f"SIREN {SELLER}" in visitor.get("/").text


def test_the_session_is_out_of_reach(world: World) -> None:
    """The cookie is for this site alone and no page can read it; over TLS it travels over TLS only."""
    for scheme, secure in (("http", False), ("https", True)):
        visitor = Visitor(world.application, scheme=scheme)
        visitor.sign_in("seller", PASSWORD)
        (cookie,) = [value.lower() for value in visitor.set_cookies if value.startswith("relais=")]
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert ("secure" in cookie) is secure

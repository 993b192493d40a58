"""Signing in at a provider of OpenID Connect: a real one, on this machine, from the desk and back."""

import importlib
import json
import re
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from tests.web.visitor import Page, Visitor
from tests.web.world import SELLER, World

from estafette.store import identity, identity_openid
from estafette.store.identity_events import events
from estafette.values.limits import OPENID_ATTEMPTS_MAX, OPENID_BYTES_MAX
from estafette.web import provider
from estafette.web.provider import NotProven, verified
from estafette.web.settings import OpenId, Settings, WrongSettings, settings_of

pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")
"""What the provider of the tests says of its own library, in threads of this process."""

CLAIMS = {
    "ada": {"email": "Seller@Ponant.Example", "email_verified": True},
    "eve": {"email": "seller@ponant.example", "email_verified": False},
    "bob": {"email": "bob@nowhere.example", "email_verified": True},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Give a provider at work, and its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("authlib.deprecate")  # it asks to be heard: not here
        warnings.simplefilter("ignore")
        from oidc_provider_mock import User, run_server_in_thread

        users = [User(sub=sub, claims=dict(claims)) for sub, claims in CLAIMS.items()]
        with run_server_in_thread(require_nonce=True, user_claims=users) as server:
            yield f"http://localhost:{server.server_port}"


@pytest.fixture
def openid(issuer: str) -> OpenId:
    """Settings that name it."""
    return OpenId(issuer=issuer, client_id="estafette", client_secret="s:é", desk="http://desk.example")


@pytest.fixture
def world(make_world: Callable[[Settings], World], openid: OpenId) -> World:
    """A platform whose people may sign in there; its clock is the provider's."""
    return opened(make_world, openid)


def opened(make_world: Callable[[Settings], World], openid: OpenId, **settings: Any) -> World:
    """Open a platform whose seller has an address."""
    made = make_world(Settings(openid=openid, **settings))
    made.desk.clock = lambda: datetime.now(UTC)
    with made.actor.database.begin() as connection:
        added = {"login": "ada", "held": "-", "role": "administrator", "tenant": SELLER, "now": made.desk.clock()}
        identity.add_account(connection, email="seller@ponant.example", **added)
    return made


def at_provider(address: str, sub: str, action: str = "") -> str:
    """Say who one is at the provider; return where it sends the browser."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_given: object) -> None:
            return None

    body = urlencode({"sub": sub, "action": action} if action else {"sub": sub}).encode()
    try:
        urllib.request.build_opener(Stay).open(urllib.request.Request(address, data=body), timeout=10)  # noqa: S310
    except urllib.error.HTTPError as answer:
        with answer:
            return str(answer.headers["Location"])
    raise AssertionError("the provider sent the browser nowhere")


def out(visitor: Visitor) -> str:
    """Follow the way out; return the address at the provider."""
    visitor.get("/sign-in")
    page = visitor.ask("/sign-in/openid")
    assert page.status == 303
    return page.headers["location"]


def back(visitor: Visitor, address: str) -> Page:
    """Come back where the provider says."""
    split = urlsplit(address)
    return visitor.get(f"{split.path}?{split.query}")


def test_a_person_signs_in_there(world: World) -> None:
    """The verified address finds the account; the page leads on by itself; afterwards the subject is enough."""
    visitor = Visitor(world.application)
    page = back(visitor, at_provider(out(visitor), "ada"))
    assert page.status == 200
    assert 'http-equiv="refresh" content="0; url=/"' in page.html
    assert "ada" in visitor.get("/").text
    with world.actor.database.begin() as connection:
        assert [event.kind for event in events(connection, SELLER, 5)] == ["identity.linked"]
        connection.exec_driver_sql("UPDATE account SET email = NULL")
    again = Visitor(world.application)
    assert back(again, at_provider(out(again), "ada")).status == 200
    assert again.get("/").path == "/"


def test_what_is_asked_of_the_provider(world: World) -> None:
    """A code, for a state and a nonce of their own each time, and the hash of a proof (PKCE, S256)."""
    first, second = (parse_qs(urlsplit(out(Visitor(world.application))).query, strict_parsing=True) for _ in range(2))
    assert first["response_type"] == ["code"]
    assert first["code_challenge_method"] == ["S256"]
    assert re.fullmatch("[A-Za-z0-9_-]{43}", first["code_challenge"][0])
    assert first["redirect_uri"] == ["http://desk.example/sign-in/openid/back"]
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


@pytest.mark.parametrize("sub", ["eve", "bob", "somebody"])
def test_an_address_that_is_not_proven_opens_nothing(world: World, sub: str) -> None:
    """Not verified, or of no account: it is said, and no session begins."""
    visitor = Visitor(world.application)
    page = back(visitor, at_provider(out(visitor), sub))
    assert page.status == 403
    assert "administrateur" in page.text
    assert visitor.get("/").path == "/sign-in"


def test_an_address_of_two_accounts_opens_neither(world: World) -> None:
    """Which of the two is meant is not guessed."""
    with world.actor.database.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET email = 'seller@ponant.example' WHERE login = 'buyer'")
    visitor = Visitor(world.application)
    assert back(visitor, at_provider(out(visitor), "ada")).status == 403


def test_a_closed_account_stays_closed(world: World) -> None:
    """A link does not outlive its account."""
    visitor = Visitor(world.application)
    back(visitor, at_provider(out(visitor), "ada"))
    with world.actor.database.begin() as connection:
        identity.close_account(connection, login="ada", now=world.desk.clock())
    assert back(visitor, at_provider(out(visitor), "ada")).status == 403


def test_refused_at_the_provider(world: World) -> None:
    """A refusal is told in both languages."""
    for language, words in (("fr", "refusé"), ("en", "refused")):
        visitor = Visitor(world.application, language)
        asked = out(visitor)
        (state,) = parse_qs(urlsplit(asked).query)["state"]
        page = back(visitor, f"{at_provider(asked, 'ada', 'deny')}&state={state}")  # RFC 6749 §4.1.2.1
        assert page.status == 403
        assert words in page.text


def test_a_code_is_of_one_browser_and_once(world: World) -> None:
    """Another browser that follows the way back gets nothing, nor does the same one a second time."""
    visitor, other = Visitor(world.application), Visitor(world.application)
    address = at_provider(out(visitor), "ada")
    assert back(other, address).status == 400
    assert other.get("/").path == "/sign-in"
    cookies = dict(visitor.cookies)
    assert back(visitor, address).status == 200
    other.cookies = cookies
    assert back(other, address).status == 400
    assert back(Visitor(world.application), "/sign-in/openid/back").status == 400


def test_the_way_back_is_open_for_some_minutes(world: World) -> None:
    """Whoever takes too long begins again."""
    visitor = Visitor(world.application)
    address = at_provider(out(visitor), "ada")
    world.desk.clock = lambda: datetime.now(UTC) + identity_openid.ATTEMPT_LIFE
    assert back(visitor, address).status == 400


def test_attempts_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beginning without end leaves no more than so many attempts; those that are over make room."""
    assert OPENID_ATTEMPTS_MAX > 1000
    monkeypatch.setattr(identity_openid, "OPENID_ATTEMPTS_MAX", 2)
    asked = [Visitor(world.application).ask("/sign-in/openid").status for _ in range(3)]
    world.desk.clock = lambda: datetime.now(UTC) + identity_openid.ATTEMPT_LIFE
    assert [*asked, Visitor(world.application).ask("/sign-in/openid").status] == [303, 303, 503, 303]


@pytest.mark.parametrize(("given", "path"), [(False, "/account/factor"), (True, "/issued")])
def test_the_second_factor_may_be_the_provider_s(
    make_world: Callable[[Settings], World], openid: OpenId, given: bool, path: str
) -> None:
    """Where a role needs one, the desk asks for it unless the provider is said to."""
    world = opened(
        make_world, msgspec.structs.replace(openid, gives_second_factor=given), second_factor=("administrator",)
    )
    visitor = Visitor(world.application)
    back(visitor, at_provider(out(visitor), "ada"))
    assert visitor.get("/issued").path == path


@pytest.mark.parametrize("issuer_is", ["http://localhost:1", "http://localhost:{port}/"])
def test_a_provider_that_is_not_there_or_is_another(
    make_world: Callable[[Settings], World], openid: OpenId, issuer_is: str
) -> None:
    """Nobody answers, or answers under another name: it is told, 502."""
    named = issuer_is.format(port=urlsplit(openid.issuer).port)
    world = opened(make_world, msgspec.structs.replace(openid, issuer=named))
    page = Visitor(world.application).get("/sign-in/openid")
    assert page.status == 502
    assert 'role="alert"' in page.html


def test_an_answer_has_a_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that says more than its limit is not read further."""
    assert OPENID_BYTES_MAX >= 64 * 1024
    monkeypatch.setattr(provider, "OPENID_BYTES_MAX", 100)
    assert Visitor(world.application).get("/sign-in/openid").status == 502


def test_off_unless_configured(make_world: Callable[[Settings], World]) -> None:
    """Without a provider in the settings the desk neither offers nor answers it."""
    visitor = Visitor(make_world(Settings()).application)
    assert "/sign-in/openid" not in visitor.get("/sign-in").html
    assert visitor.ask("/sign-in/openid").status == 404


NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
KEY = RSAKey.generate_key(2048, {"kid": "one"})
KEYS = KeySet([KEY]).as_dict(private=False)
HELD = OpenId(issuer="https://id.example", client_id="us", client_secret="x", desk="https://desk.example")
GOOD = {
    "iss": "https://id.example", "sub": "ada", "aud": ["us"], "nonce": "n", "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 300,
}  # fmt: skip


def signed(claims: dict[str, Any], header: dict[str, Any] | None = None, key: Any = KEY) -> str:
    """Sign an identity token."""
    head = {"alg": "RS256", "kid": "one"} | (header or {})
    return jwt.encode(head, claims, key, algorithms=[head["alg"]])


def test_a_good_token_is_read() -> None:
    """What the provider signed for us, for this sign-in, and that still holds, is believed."""
    assert verified(signed(GOOD), KEYS, HELD, nonce="n", now=NOW)["sub"] == "ada"
    late = NOW + timedelta(seconds=300 + provider.LEEWAY_S - 1)
    assert verified(signed(GOOD), KEYS, HELD, nonce="n", now=late)["sub"] == "ada"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://id.example.evil"}, {"aud": "them"}, {"aud": []}, {"nonce": "other"}, {"nonce": None},
        {"exp": int(NOW.timestamp()) - 61}, {"exp": "never"}, {"iat": int(NOW.timestamp()) + 3600},
        {"azp": "them"}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256},
    ],
)  # fmt: skip
def test_a_token_for_others_or_another_time_is_not(change: dict[str, Any]) -> None:
    """Each claim is looked at: who, for whom, for which sign-in, until when."""
    with pytest.raises(NotProven):
        verified(signed(GOOD | change), KEYS, HELD, nonce="n", now=NOW)


@pytest.mark.parametrize("missing", ["iss", "aud", "exp", "iat", "sub", "nonce"])
def test_a_token_that_says_too_little_is_not(missing: str) -> None:
    """A claim that is not there proves nothing."""
    with pytest.raises(NotProven):
        verified(signed({name: GOOD[name] for name in GOOD if name != missing}), KEYS, HELD, nonce="n", now=NOW)


def test_a_token_of_another_key_or_none_is_not() -> None:
    """Signed by another key, by a secret that is the public key, with an algorithm not allowed, or not at all."""
    other = RSAKey.generate_key(2048, {"kid": "one"})
    shared = OctKey.import_key(json.dumps(KEYS).encode())
    unsigned = "eyJhbGciOiJub25lIn0." + signed(GOOD).split(".")[1] + "."
    for token in (
        signed(GOOD, key=other),
        signed(GOOD, {"alg": "HS256"}, shared),
        signed(GOOD, {"alg": "RS512"}),
        unsigned,
        "",
        "a.b.c",
    ):
        with pytest.raises(NotProven):
            verified(token, KEYS, HELD, nonce="n", now=NOW)
    for keys in ({}, {"keys": []}, {"keys": "x"}, {"keys": [{"kty": "RSA"}]}):
        with pytest.raises(NotProven):
            verified(signed(GOOD), keys, HELD, nonce="n", now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "second_factor: [king]",
        "openid: {issuer: ftp://x, client_id: a, client_secret: b, desk: https://d}",
        "openid: {issuer: https://x, client_id: a, client_secret: b, desk: https://d, algorithms: [HS256]}",
        "openid: {issuer: https://x, client_id: a, client_secret: b, desk: https://d, algorithms: [none]}",
        "unknown: 1",
        "a: [",
        "[]",
    ],
)
def test_settings_that_cannot_be_used_are_told(tmp_path: Any, text: str) -> None:
    """An actor is not opened on settings that say something else, and the file is named."""
    (tmp_path / "sign-in.yaml").write_text(text)
    with pytest.raises(WrongSettings, match=r"sign-in\.yaml"):
        settings_of(tmp_path)


def test_settings_are_read(tmp_path: Any) -> None:
    """No file, an empty one, and one that says all."""
    assert settings_of(tmp_path) == Settings()
    (tmp_path / "sign-in.yaml").write_text("")
    assert settings_of(tmp_path) == Settings()
    (tmp_path / "sign-in.yaml").write_text(
        "second_factor: [operator]\nopenid: {issuer: https://x, client_id: a, client_secret: b, desk: https://d}\n"
    )
    openid = OpenId(issuer="https://x", client_id="a", client_secret="b", desk="https://d")
    assert settings_of(tmp_path) == Settings(("operator",), openid)

"""Accesses to a company: given, changed and taken away by who administers it, and by nobody else."""

import re
from datetime import date

import pytest
from pyotp import TOTP
from tests.web.visitor import Page, Visitor
from tests.web.world import BUYER, OTHER, SELLER, World

from estafette.store import identity, identity_factor
from estafette.store.identity_events import events
from estafette.values.limits import KEY_OVERLAP_DAYS_MAX

GIVEN = re.compile(r"[0-9a-f]{5}(?:-[0-9a-f]{5}){3}")


def change(visitor: Visitor, wish: str, login: str, role: str = "", **more: str) -> Page:
    """Fill a form about a person."""
    csrf = visitor.get("/access").hidden("csrf")
    return visitor.post("/access", csrf=csrf, wish=wish, login=login, role=role, **more)


def join(world: World, login: str, organization: str, role: str) -> None:
    """The person has that role there."""
    with world.actor.database.begin() as connection:
        identity.join(connection, login=login, organization=organization, role=role, now=world.actor.clock())


def kinds(world: World, organization: str) -> list[str]:
    """Give what was done about accesses, the last first."""
    with world.actor.database.read() as connection:
        return [event.kind for event in events(connection, organization, 50)]


def test_a_person_is_added(world: World) -> None:
    """The password is shown once, must be changed at the first sign-in, and the role is the one given."""
    page = change(world.visitor(), "add", "lea@seller.example", "reader", email="Lea@Seller.Example")
    given = GIVEN.findall(page.text)[0]
    assert given not in world.visitor().get("/access").text
    lea = Visitor(world.application)
    assert lea.sign_in("lea@seller.example", given).path == "/account/password"
    assert lea.get("/").path == "/account/password"
    csrf = lea.get("/account/password").hidden("csrf")
    new = "my own long password"
    assert lea.post("/account/password", csrf=csrf, old=given, new=new, again=new).path == "/account"
    assert lea.get("/").path == "/"
    assert lea.get("/deposit").status == lea.get("/access").status == 403
    assert kinds(world, SELLER) == ["password.changed", "person.added"]


@pytest.mark.parametrize("login", ["ab", "é" * 5, "a b c", "-abc", "x" * 101, ""])
def test_a_login_that_will_not_do(world: World, login: str) -> None:
    """It is said, and nobody is added."""
    page = change(world.visitor(), "add", login, "reader")
    assert page.status == 422
    assert 'role="alert"' in page.html
    assert kinds(world, SELLER) == []


@pytest.mark.parametrize("role", ["operator", "agent", "king", ""])
def test_a_role_that_a_company_has_not(world: World, role: str) -> None:
    """An administrator makes no operator, nor any role that is unknown."""
    assert change(world.visitor(), "add", "lea", role).status == 422
    assert change(world.visitor(), "role", "seller", role).status == 422


def test_somebody_else_s_account_is_not_taken(world: World) -> None:
    """A login that exists is not added by an administrator, whatever it asks, and keeps its password and its places."""
    for wish in ("add", "admit", "password", "factor", "remove", "role"):
        assert change(world.visitor(), wish, "buyer", "reader", organization=BUYER).status == 422
    buyer = world.visitor("buyer")
    assert f"SIREN {BUYER}" in buyer.get("/").text
    assert len(buyer.get("/places").html.split("<tr>")) == 3


def test_an_account_that_acts_elsewhere_is_not_reset(world: World) -> None:
    """Of a person who also acts for another company, a company changes the role and the membership, nothing more."""
    join(world, "buyer", SELLER, "accountant")
    seller = world.visitor()
    assert change(seller, "password", "buyer").status == 422
    assert change(seller, "factor", "buyer").status == 422
    assert change(seller, "role", "buyer", "reader").status == 200
    assert change(seller, "remove", "buyer").status == 200
    assert world.visitor("buyer").get("/").status == 200


def test_the_last_administrator_stays(world: World) -> None:
    """A company is never left without anybody to administer it."""
    seller = world.visitor()
    assert change(seller, "remove", "seller").status == 422
    assert change(seller, "role", "seller", "reader").status == 422
    change(seller, "add", "lea", "administrator")
    assert change(seller, "role", "seller", "reader").status == 200
    assert seller.get("/access").status == 403


def test_taking_an_access_away_is_at_once(world: World) -> None:
    """The person's sessions are over, the password opens nothing, and the login is not given again."""
    seller = world.visitor()
    given = GIVEN.findall(change(seller, "add", "lea", "reader").text)[0]
    lea = Visitor(world.application)
    lea.sign_in("lea", given)
    assert change(seller, "remove", "lea").status == 200
    assert lea.get("/account").path == "/sign-in"
    assert lea.sign_in("lea", given).status == 401
    assert change(seller, "add", "lea", "reader").status == 422


def test_resets(world: World) -> None:
    """A password is reset to one shown once; a factor is removed and its sessions are over; both are traced."""
    seller = world.visitor()
    first = GIVEN.findall(change(seller, "add", "lea", "reader").text)[0]
    second = GIVEN.findall(change(seller, "password", "lea").text)[0]
    lea = Visitor(world.application)
    assert lea.sign_in("lea", first).status == 401
    assert lea.sign_in("lea", second).path == "/account/password"
    with world.actor.database.begin() as connection:
        secret = identity_factor.begin(connection, "lea", seal=world.desk.seal)
        now = world.actor.clock()
        identity_factor.confirm(connection, "lea", TOTP(secret).at(now), seal=world.desk.seal, now=now)
    assert lea.get("/").path == "/sign-in/code"
    assert change(seller, "factor", "lea").status == 200
    assert lea.get("/").path == "/sign-in"
    assert kinds(world, SELLER) == ["factor.reset", "password.reset", "person.added"]


def test_the_operator_looks_after_accounts(world: World) -> None:
    """The operator sees the people of a company and may admit and reset; it sees no invoice, no key, no delegation."""
    operator = world.visitor("operator")
    drawn = operator.get(f"/access?organization={SELLER}")
    assert "seller" in drawn.text
    csrf = drawn.hidden("csrf")
    fields = {"csrf": csrf, "organization": SELLER, "login": "buyer", "role": "accountant"}
    assert operator.post("/access", wish="admit", **fields).status == 200
    assert len(world.visitor("buyer").get("/places").html.split("<tr>")) == 4
    assert GIVEN.findall(operator.post("/access", wish="password", **fields).text)
    assert operator.get("/access?organization=999999999").status == 404
    for path in ("/issued", "/access/clients", "/access/accreditations"):
        assert operator.get(path).status == 403


def client_forms(visitor: Visitor, **fields: str) -> Page:
    """Fill a form about software; a scope is written `scope_flow.read`."""
    csrf = visitor.get("/access/clients").hidden("csrf")
    return visitor.post("/access/clients", csrf=csrf, **fields)


def shown(page: Page) -> tuple[str, str]:
    """Give the identifier and the key shown."""
    return tuple(re.findall(r"<dt>client_(?:id|secret)</dt><dd><code>([^<]*)</code>", page.html)[:2])  # type: ignore[return-value]


def test_a_key_is_made_replaced_and_taken_away(world: World) -> None:
    """The key is shown once; a new one leaves the old one the days chosen; taking away ends both."""
    seller = world.visitor()
    made = client_forms(seller, name="Progiciel", **{"scope_flow.read": "on"})
    client_id, key = shown(made)
    assert key not in seller.get("/access/clients").html
    again = client_forms(seller, client=client_id, wish="key", days="2", expires="2026-10-01")
    _, new = shown(again)
    assert "expire bientôt" in again.text
    now = world.actor.clock()
    with world.actor.database.begin() as connection:
        for secret in (key, new):
            token = identity.grant_token(connection, client_id=client_id, secret=secret, now=now)
            held = identity.holder(connection, token or "", now=now)
            assert held == identity.Holder(client_id, SELLER, frozenset({"flow.read"}))
    assert client_forms(seller, client=client_id, wish="revoke").status == 200
    with world.actor.database.begin() as connection:
        assert identity.grant_token(connection, client_id=client_id, secret=new, now=now) is None
    assert kinds(world, SELLER) == ["client.revoked", "client.key", "client.created"]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "scope_flow.read": "on"},
        {"name": "x" * 101, "scope_flow.read": "on"},
        {"name": "Progiciel"},
        {"name": "Progiciel", "scope_king": "on"},
        {"name": "Progiciel", "scope_flow.read": "on", "expires": "2026-09-14"},
        {"name": "Progiciel", "scope_flow.read": "on", "expires": "demain"},
        {"wish": "key", "client": "x", "days": str(KEY_OVERLAP_DAYS_MAX + 1)},
    ],
)
def test_a_form_about_software_that_will_not_do(world: World, fields: dict[str, str]) -> None:
    """It is said why, and nothing is made."""
    page = client_forms(world.visitor(), **fields)
    assert page.status == 422
    assert 'role="alert"' in page.html
    assert kinds(world, SELLER) == []


def test_another_company_s_software_is_not_found(world: World) -> None:
    """Its key is not replaced and it is not taken away: 404."""
    client_id, _ = shown(client_forms(world.visitor(), name="Progiciel", **{"scope_flow.read": "on"}))
    for wish in ("key", "revoke"):
        assert client_forms(world.visitor("buyer"), client=client_id, wish=wish, days="1").status == 404
    assert client_id not in world.visitor("buyer").get("/access/clients").html


def accredit(visitor: Visitor, holder: str, **fields: str) -> Page:
    """Fill the form of a delegation."""
    csrf = visitor.get("/access/accreditations").hidden("csrf")
    return visitor.post("/access/accreditations", csrf=csrf, holder=holder, **fields)


def act_for(visitor: Visitor, organization: str, through: str) -> Page:
    """Choose a company."""
    csrf = visitor.get("/places").hidden("csrf")
    return visitor.post("/places", csrf=csrf, organization=organization, through=through)


def test_a_firm_works_for_its_client(world: World, document: bytes) -> None:
    """Accredited, a person of the firm reads, deposits and answers for the client, and administers nothing of it."""
    assert accredit(world.visitor(), OTHER, read="on", write="on").status == 200
    firm = world.visitor("other")
    assert OTHER not in firm.get("/").links("/deposit")
    assert act_for(firm, SELLER, OTHER).path == "/"
    home = firm.get("/")
    assert f"SIREN {SELLER}" in home.text
    assert "par délégation" in home.text
    path = firm.deposit("facture.xml", document).path
    world.work()
    assert firm.get(path).links("/invoices/")
    assert world.visitor().get(path).status == 200
    assert firm.get("/access").status == firm.get("/access/clients").status == 403
    assert kinds(world, SELLER) == kinds(world, OTHER) == ["accreditation.given"]


def test_a_delegation_to_read_does_not_write(world: World, document: bytes) -> None:
    """Reading only, one deposits and answers nothing; limited to what was received, nothing issued is seen."""
    path = world.issue(document)
    number = "F-2026-001"
    accredit(world.visitor(), OTHER, read="on")
    firm = world.visitor("other")
    act_for(firm, SELLER, OTHER)
    assert number in firm.get("/issued").text
    assert firm.get("/deposit").status == 403
    drawn = firm.get(path)
    assert drawn.status == 200
    assert 'name="ours"' not in drawn.html
    assert firm.post(path, csrf=drawn.hidden("csrf"), ours="0", status="220").status == 403


def test_a_delegation_may_be_limited_to_some_flows(world: World, document: bytes) -> None:
    """Limited to invoices received, whatever was issued is not found, deposits neither."""
    path = world.issue(document)
    accredit(world.visitor(), OTHER, read="on", write="on", type_SupplierInvoice="on")
    firm = world.visitor("other")
    act_for(firm, SELLER, OTHER)
    assert firm.get("/received").status == 200
    assert firm.get("/issued").status == 403
    for address in (path, f"{path}/original", f"{path}/readable"):
        assert firm.get(address).status == 404
    assert "F-2026-001" not in firm.get("/").text + firm.get("/deposits").text


def test_taking_a_delegation_back_is_at_once(world: World) -> None:
    """The next page of the firm is its own again; either side may end it."""
    for ends in ("seller", "other"):
        accredit(world.visitor(), OTHER, read="on")
        firm = world.visitor("other")
        act_for(firm, SELLER, OTHER)
        assert f"SIREN {SELLER}" in firm.get("/issued").text
        page = world.visitor(ends).get("/access/accreditations")
        number = re.findall(r'name="number" value="(\d+)"', page.html)[0]
        csrf = page.hidden("csrf")
        ended = world.visitor(ends)
        csrf = ended.get("/access/accreditations").hidden("csrf")
        assert ended.post("/access/accreditations", csrf=csrf, wish="end", number=number).status == 200
        assert f"SIREN {OTHER}" in firm.get("/issued").text
        assert act_for(firm, SELLER, OTHER).status == 403


def test_a_stranger_ends_no_delegation(world: World) -> None:
    """A delegation between two others is not found."""
    accredit(world.visitor(), OTHER, read="on")
    buyer = world.visitor("buyer")
    csrf = buyer.get("/access/accreditations").hidden("csrf")
    for number in ("1", "999", "x", ""):
        assert buyer.post("/access/accreditations", csrf=csrf, wish="end", number=number).status == 404


@pytest.mark.parametrize(
    ("holder", "fields"),
    [
        (SELLER, {"read": "on"}),
        ("123", {"read": "on"}),
        ("999999999", {"read": "on"}),
        (OTHER, {}),
        (OTHER, {"read": "on", "from": "2026-10-02", "to": "2026-10-01"}),
        (OTHER, {"read": "on", "to": "2026-09-14"}),
        (OTHER, {"read": "on", "from": "hier"}),
    ],
)
def test_a_delegation_that_will_not_do(world: World, holder: str, fields: dict[str, str]) -> None:
    """To oneself, to nobody, of nothing, or out of time: it is said, nothing is given."""
    page = accredit(world.visitor(), holder, **fields)
    assert page.status == 422
    assert 'role="alert"' in page.html
    assert kinds(world, SELLER) == []


def test_a_delegation_to_come_is_not_yet(world: World) -> None:
    """Before its first day the firm cannot choose the client."""
    day = date(2026, 9, 16).isoformat()
    page = accredit(world.visitor(), OTHER, read="on", **{"from": day})
    assert "à venir" in page.text
    assert act_for(world.visitor("other"), SELLER, OTHER).status == 403


def test_english(world: World) -> None:
    """Each page speaks English too."""
    seller = world.visitor(language="en")
    for path, words in (
        ("/access", "Add a person"),
        ("/access/clients", "Add software"),
        ("/access/accreditations", "Give a delegation"),
        ("/access/journal", "Journal of accesses"),
        ("/account", "My account"),
        ("/places", "For whom to act?"),
    ):
        assert words in seller.get(path).text


def test_a_forged_form_changes_nothing(world: World) -> None:
    """Without the session's own token no form about an access is taken."""
    seller = world.visitor()
    for path in (
        "/access", "/access/clients", "/access/accreditations", "/account/password", "/account/factor",
        "/account/sessions", "/places",
    ):  # fmt: skip
        assert seller.post(path, csrf="x", wish="add", login="eve", role="administrator").status == 403
    assert kinds(world, SELLER) == []

"""The software of a company: its keys, how they are replaced, and for whom it may speak."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from estafette.store import identity
from estafette.store.database import Database
from estafette.store.identity_accreditations import (
    Acting,
    Let,
    NoSuchAccreditation,
    accredit,
    acting,
    given,
    grants,
    held,
    take_back,
)
from estafette.store.identity_clients import (
    NoSuchClient,
    clients,
    grant_token,
    holder,
    new_client,
    new_key,
    revoke_client,
)
from estafette.store.identity_events import By, events
from estafette.store.roles import SCOPES
from estafette.store.tables import client_secret
from estafette.values.limits import KEY_OVERLAP_DAYS_MAX

HERE, FIRM = "100000009", "200000008"
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """Give an empty store, in one transaction."""
    with database.begin() as connection:
        yield connection


@pytest.fixture
def by(now: datetime) -> By:
    """An administrator of the company."""
    return By("ada", HERE, now)


def made(connection: Connection, by: By, *scopes: str, expires_at: datetime | None = None) -> tuple[str, str]:
    """Make a client."""
    return new_client(connection, by, name="ERP", scopes=scopes or tuple(SCOPES), expires_at=expires_at)


def test_a_key_is_shown_once_and_opens(connection: Connection, by: By) -> None:
    """The key made gives a token that carries the client, its organization and its scopes; the store holds no key."""
    client_id, key = made(connection, by, "flow.read")
    value = grant_token(connection, client_id=client_id, secret=key, now=by.now) or ""
    got = holder(connection, value, now=by.now)
    assert got is not None
    assert (got.client_id, got.tenant, got.scopes) == (client_id, HERE, {"flow.read"})
    stored = [value for row in connection.execute(select(client_secret)) for value in row]
    assert key not in stored


def test_a_use_is_seen(connection: Connection, by: By) -> None:
    """The last use of a key is the last token it gave."""
    client_id, key = made(connection, by)
    assert clients(connection, HERE)[0].keys[0].used_at is None
    grant_token(connection, client_id=client_id, secret=key, now=by.now + DAY)
    assert clients(connection, HERE)[0].keys[0].used_at == by.now + DAY


def test_both_keys_open_while_one_replaces_the_other(connection: Connection, by: By) -> None:
    """The key before is good until the last second chosen, the new one from the start and after."""
    client_id, old = made(connection, by)
    new = new_key(connection, by, client_id, overlap=7 * DAY)
    end = by.now + 7 * DAY
    for key, now, opens in ((old, end - SECOND, True), (old, end, False), (new, by.now, True), (new, end, True)):
        assert (grant_token(connection, client_id=client_id, secret=key, now=now) is not None) is opens


@pytest.mark.parametrize(("asked", "days"), [(KEY_OVERLAP_DAYS_MAX, 30), (KEY_OVERLAP_DAYS_MAX + 1, 30), (-1, 0)])
def test_an_overlap_has_a_limit(connection: Connection, by: By, asked: int, days: int) -> None:
    """However long is asked, the key before is over after thirty days at most, and never before now."""
    client_id, old = made(connection, by)
    new_key(connection, by, client_id, overlap=asked * DAY)
    end = by.now + days * DAY
    assert grant_token(connection, client_id=client_id, secret=old, now=end) is None
    if days:
        assert grant_token(connection, client_id=client_id, secret=old, now=end - SECOND)


def test_an_older_key_is_not_made_longer(connection: Connection, by: By) -> None:
    """Replacing twice leaves the first key no longer than it was promised."""
    client_id, first = made(connection, by)
    new_key(connection, by, client_id, overlap=DAY)
    new_key(connection, by, client_id, overlap=30 * DAY)
    assert grant_token(connection, client_id=client_id, secret=first, now=by.now + DAY) is None


def test_a_key_that_expires(connection: Connection, by: By) -> None:
    """A key made with an end opens nothing from that moment on."""
    client_id, key = made(connection, by, expires_at=by.now + DAY)
    assert grant_token(connection, client_id=client_id, secret=key, now=by.now + DAY - SECOND)
    assert grant_token(connection, client_id=client_id, secret=key, now=by.now + DAY) is None


def test_taking_a_client_away_is_at_once(connection: Connection, by: By) -> None:
    """Its key opens nothing and the tokens it has are over."""
    client_id, key = made(connection, by)
    value = grant_token(connection, client_id=client_id, secret=key, now=by.now) or ""
    revoke_client(connection, by, client_id)
    assert holder(connection, value, now=by.now) is None
    assert grant_token(connection, client_id=client_id, secret=key, now=by.now) is None
    assert [one.revoked_at for one in clients(connection, HERE)] == [by.now]


def test_another_organization_s_client_is_out_of_reach(connection: Connection, by: By) -> None:
    """Nobody replaces the key of, nor takes away, a client of another organization."""
    client_id, key = made(connection, by)
    stranger = By("eve", FIRM, by.now)
    with pytest.raises(NoSuchClient):
        new_key(connection, stranger, client_id, overlap=DAY)
    with pytest.raises(NoSuchClient):
        revoke_client(connection, stranger, client_id)
    assert grant_token(connection, client_id=client_id, secret=key, now=by.now)
    assert clients(connection, FIRM) == []


def test_every_act_leaves_a_trace_without_a_secret(connection: Connection, by: By) -> None:
    """Who made, replaced and took away which client is kept, the keys are not."""
    client_id, key = made(connection, by)
    other = new_key(connection, by, client_id, overlap=DAY)
    revoke_client(connection, by, client_id)
    seen = events(connection, HERE, 10)
    assert [(event.kind, event.actor, event.subject) for event in seen] == [
        ("client.revoked", "ada", client_id), ("client.key", "ada", client_id), ("client.created", "ada", client_id),
    ]  # fmt: skip
    assert not any(secret in str(event) for event in seen for secret in (key, other))


def firm_client(connection: Connection, now: datetime, *scopes: str) -> identity.Holder:
    """Give the software of the firm, by its token."""
    client_id, key = made(connection, By("fred", FIRM, now), *scopes)
    value = grant_token(connection, client_id=client_id, secret=key, now=now) or ""
    got = holder(connection, value, now=now)
    assert got is not None
    return got


def test_a_client_acts_for_its_own_without_being_told(connection: Connection, by: By) -> None:
    """No header, or its own SIREN: a client acts for the organization it is of, whoever accredited that one."""
    on = by.now.date()
    accredit(connection, by, holder=FIRM, may_read=True, may_write=True, starts_on=on)
    firm = firm_client(connection, by.now, "flow.read")
    for named in (None, FIRM):
        assert acting(connection, firm, named, on=on) == Acting(FIRM, (Let(frozenset({"flow.read"})),))


@pytest.mark.parametrize(("days", "acts"), [(-1, False), (0, True), (10, True), (11, False)])
def test_an_accreditation_has_its_days(connection: Connection, by: By, days: int, acts: bool) -> None:
    """It holds from its first day to its last, both included."""
    first = date(2026, 12, 1)
    accredit(connection, by, holder=FIRM, may_read=True, may_write=False, starts_on=first, ends_on=date(2026, 12, 11))
    found = acting(connection, firm_client(connection, by.now), HERE, on=first + timedelta(days=days))
    assert (found is not None) is acts


def test_an_accreditation_goes_no_further_than_it_says(connection: Connection, by: By) -> None:
    """Reading is not writing, one type of flow is not another, and the scopes of the client hold too."""
    on = by.now.date()
    accredit(connection, by, holder=FIRM, may_read=True, may_write=False, starts_on=on)
    accredit(connection, by, holder=FIRM, may_read=False, may_write=True, starts_on=on, flow_types=["CustomerInvoice"])
    found = acting(connection, firm_client(connection, by.now), HERE, on=on)
    assert found is not None
    assert not found.is_own
    assert found.may("flow.read", "SupplierInvoice")
    assert found.may("flow.write", "CustomerInvoice")
    assert not found.may("flow.write", "SupplierInvoice")
    assert found.flow_types("flow.read") is None
    reader = acting(connection, firm_client(connection, by.now, "flow.read"), HERE, on=on)
    assert reader is not None
    assert not reader.may("flow.write", "CustomerInvoice")


def test_without_accreditation_nobody_acts_for_another(connection: Connection, by: By) -> None:
    """A firm without one, the giver towards the holder, and one taken back: none acts."""
    on = by.now.date()
    firm = firm_client(connection, by.now)
    assert acting(connection, firm, HERE, on=on) is None
    number = accredit(connection, by, holder=FIRM, may_read=True, may_write=True, starts_on=on)
    assert acting(connection, firm, HERE, on=on) is not None
    assert grants(connection, HERE, on=on) == {}
    take_back(connection, by, number)
    assert acting(connection, firm, HERE, on=on) is None


def test_both_sides_see_and_may_end_it(connection: Connection, by: By) -> None:
    """Giver and holder list it and have its trace; each may end it, once; a third may not."""
    firm = By("fred", FIRM, by.now)
    number = accredit(connection, by, holder=FIRM, may_read=True, may_write=False, starts_on=by.now.date())
    assert [row.id for row in given(connection, HERE)] == [row.id for row in held(connection, FIRM)] == [number]
    with pytest.raises(NoSuchAccreditation):
        take_back(connection, By("eve", "300000007", by.now), number)
    take_back(connection, firm, number)
    with pytest.raises(NoSuchAccreditation):
        take_back(connection, by, number)
    for side, other in ((HERE, FIRM), (FIRM, HERE)):
        kinds = [(event.kind, event.actor, event.detail["other"]) for event in events(connection, side, 10)]
        assert kinds == [("accreditation.ended", "fred", other), ("accreditation.given", "ada", other)]

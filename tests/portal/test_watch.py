"""The watch desk of the portal: what came, what was rejected and why, what is late, what waits; each its own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.platform.test_watch import call
from tests.platform.world import World, opened
from tests.portal.envelopes import STATUSES, data_file, new_name, send, status, status_file
from tests.web.visitor import Visitor

from estafette.circuit.operators import operator_token
from estafette.formats.flux10 import Kind
from estafette.lifecycle.reasons import REASONS
from estafette.portal import platform_clients, tally, watch
from estafette.portal.tables import partner_flow
from estafette.portal.watch_tables import flow_hour
from estafette.reporting.calendar import last_due
from estafette.store import identity
from estafette.store.tables import account as account_table
from estafette.web.watch import BAR, GAP, HEIGHT, chart

PASSWORD = "a long enough password"
SECRET = "a secret of 256 bits, or nearly"


@pytest.fixture(scope="module")
def watched() -> Iterator[World]:
    """Give a system whose platform sent good things, bad things and late things."""
    with opened() as world:
        good, late, owed = (world.number("V") for _ in range(3))
        send(world, dict([data_file(good)]))
        send(world, dict([data_file(good)]))  # had already: REJ_UNI
        send(world, b"no archive")  # irreceivable
        send(world, dict([data_file(good)]), file="flux.tar.gz")  # not even entered
        old = world.clock.now - timedelta(hours=30)
        told = [status(good, "200"), _set(late, old), _set(owed, old)]
        send(world, dict(map(status_file, told)), STATUSES)
        send(world, dict([data_file(late)]))  # thirty hours after its deposit
        yield world


def _set(number: str, at: datetime) -> Any:
    return replace(status(number, "200"), set_at=at)


def seen(world: World, **asked: Any) -> watch.View:
    """Return what the portal sees now."""
    with world.running["portal"].actor.database.read() as connection:
        return watch.look(connection, now=world.clock.now, **asked)


def count_of(view: watch.View, interface: str, partner: str = "0003") -> watch.Count:
    """Return the total of one interface."""
    (count,) = (one for one in view.totals if (one.partner, one.interface) == (partner, interface))
    return count


def test_flows_and_objects_are_counted(watched: World) -> None:
    """By platform and interface: flows, irreceivable, objects, rejected, and those past their term."""
    data, statuses = count_of(seen(watched), "FFE0111A"), count_of(seen(watched), STATUSES)
    assert (data.flows, data.irreceivable, data.objects, data.rejected, data.late) == (4, 1, 3, 1, 1)
    assert (statuses.flows, statuses.objects, statuses.late) == (1, 3, 2)
    assert 0 <= data.lag_s <= data.lag_s_max


def test_what_waits(watched: World) -> None:
    """Nothing does, once all is controlled and answered: an answer of a platform is noted, and waits for nothing."""
    assert seen(watched).waiting == ()
    rows = watched.rows("portal", select(partner_flow.c.state).where(partner_flow.c.interface == "CFE0604A"))
    assert rows and {row["state"] for row in rows} == {"noted"}


def test_causes_of_rejections(watched: World) -> None:
    """Each reason with its rule, the most frequent first."""
    causes = {(one.code, one.rule): one.count for one in seen(watched).causes}
    assert causes[("REJ_UNI", "G1.45")] == 1
    assert causes[("IRR_EXTRAC", "")] == 1


def test_what_was_turned_away_is_counted(watched: World) -> None:
    """A flow whose name is of no interface is counted apart, with why."""
    count = count_of(seen(watched), "FFE0000A")
    assert (count.flows, count.irreceivable, count.objects) == (1, 1, 0)
    assert ("FFE0000A", "IRR_FORM") in {(one.interface, one.code) for one in seen(watched).causes}


def test_data_that_have_not_come(watched: World) -> None:
    """A deposit without its data after 24 hours is missing; which one, only its platform is told."""
    view = seen(watched)
    (missing,) = view.missing
    assert (missing.partner, missing.count, view.owed) == ("0003", 1, ())
    (owed,) = seen(watched, partner="0003").owed
    assert owed.due_at == owed.deposited_at + timedelta(hours=24)


def test_a_platform_sees_nothing_of_another(watched: World) -> None:
    """Asked for one platform, the view holds that one alone."""
    view = seen(watched, partner="0005")
    assert (view.totals, view.causes, view.missing, view.owed, view.partners) == ((), (), (), (), ())
    assert seen(watched, partner="0003").partners == ("0003",)


def test_hours_before_are_out_of_sight(watched: World) -> None:
    """A day is twenty-four hours, the present one in them; what is older is seen by asking further back."""
    later = watched.clock.now + timedelta(hours=25)
    with watched.running["portal"].actor.database.read() as connection:
        assert watch.look(connection, now=later).totals == ()
        assert watch.look(connection, now=later, hours=48).totals == seen(watched).totals
        assert len(watch.look(connection, now=later, hours=48).of("0003")) == 48


def test_the_counts_of_an_hour_add_up(watched: World) -> None:
    """Two flows of an hour are one row; the longest lag is that of the slower."""
    actor = watched.running["portal"].actor
    name, moment = new_name(STATUSES), datetime(2030, 1, 1, tzinfo=UTC)
    with actor.database.begin() as connection:
        for objects in (2, 3):
            tally.write(connection, name, "9998", tally.Tally(objects=objects), now=moment + timedelta(minutes=objects))
        rows = connection.execute(select(flow_hour).where(flow_hour.c.partner == "9998")).all()
    ((_hour, _partner, _interface, flows, _irreceivable, objects, *_rest),) = rows
    assert (flows, objects) == (2, 5)


@pytest.mark.parametrize(
    ("kind", "start", "end", "expected"),
    [
        (Kind.TRANSACTIONS, date(2026, 9, 1), date(2026, 9, 10), datetime(2026, 9, 21, 6, tzinfo=UTC)),
        (Kind.TRANSACTIONS, date(2026, 9, 21), date(2026, 9, 30), datetime(2026, 10, 11, 6, tzinfo=UTC)),
        (Kind.TRANSACTIONS, date(2026, 9, 1), date(2026, 9, 30), datetime(2026, 11, 1, 7, tzinfo=UTC)),
        (Kind.PAYMENTS, date(2027, 2, 1), date(2027, 2, 28), datetime(2027, 3, 11, 7, tzinfo=UTC)),
        (Kind.TRANSACTIONS, date(2026, 9, 1), date(2026, 10, 31), datetime(2026, 12, 1, 7, tzinfo=UTC)),
        (Kind.TRANSACTIONS, date(2026, 9, 2), date(2026, 9, 9), None),
    ],
)
def test_the_last_term_of_a_period(kind: Kind, start: date, end: date, expected: datetime | None) -> None:
    """08:00 the day after the company's limit, of the regime that has the latest; none for days that are no period."""
    assert last_due(kind, start, end) == expected


def test_a_chart_shows_what_is_there() -> None:
    """The tallest bar takes the whole height; a little is seen; nothing is nothing."""
    start = datetime(2026, 9, 1, tzinfo=UTC)
    counts = enumerate([(0, 0), (1, 1), (1000, 500)])
    bars = chart([(start + timedelta(hours=place), sent, rejected) for place, (sent, rejected) in counts])
    assert [bar.height for bar in bars] == [0, 1, HEIGHT]
    assert [bar.height_rejected for bar in bars] == [0, 1, HEIGHT // 2]
    assert [bar.x for bar in bars] == [0, BAR + GAP, 2 * (BAR + GAP)]
    assert chart([]) == ()


def ask(world: World, path: str, bearer: str) -> tuple[int, Any]:
    """Ask the portal as who holds a token."""
    return call(world, path, token=bearer, of="portal")


def test_software_of_a_platform_sees_its_own(watched: World) -> None:
    """By its own token: its flows and what it owes; the other platform, nothing of it, whatever it asks."""
    actor = watched.running["portal"].actor
    tokens = {}
    with actor.database.begin() as connection:
        for matricule in ("0003", "0005"):
            about: dict[str, Any] = {"client_id": f"watch-{matricule}", "secret": SECRET, "now": watched.clock.now}
            platform_clients.open_client(connection, matricule=matricule, may_write=False, **about)
            tokens[matricule] = identity.grant_token(connection, **about) or ""
    status_, mine = ask(watched, "/ppf/concentrator/v1/watch", tokens["0003"])
    assert status_ == 200
    assert {one["partner"] for one in mine["totals"]} == {"0003"}
    assert len(mine["owed"]) == 1
    status_, other = ask(watched, "/ppf/concentrator/v1/watch?platform=0003", tokens["0005"])
    assert (status_, other["totals"], other["owed"], other["missing"]) == (200, [], [], [])
    assert "0003" not in json.dumps(other)
    status_, refused = ask(watched, "/ppf/concentrator/v1/watch?hours=0", tokens["0003"])
    assert status_ == 400
    assert "168" in json.dumps(refused)


def test_the_operator_sees_all_and_names_no_invoice(watched: World) -> None:
    """By its token, as JSON: every platform, or one; never which invoice."""
    token = operator_token(watched.running["portal"].actor.folder)
    status_, whole = ask(watched, "/operator/v1/watch", token)
    assert (status_, whole["owed"]) == (200, [])
    assert {one["partner"] for one in whole["totals"]} >= {"0003"}
    assert whole["totals"][0]["lag_s_max"] >= whole["totals"][0]["lag_s"]
    assert ask(watched, "/operator/v1/watch?platform=0005", token)[1]["totals"] == []


def test_the_page(watched: World) -> None:
    """The operator's page says the same, in both languages, with a chart; a company's people have no such page."""
    actor, application = watched.running["portal"].actor, watched.running["portal"].application
    with actor.database.begin() as connection:
        for login, role, tenant in (("veille", "operator", None), ("acheteur", "administrator", "200000008")):
            identity.add_account(
                connection, login=login, held=identity.hashed(PASSWORD), role=role, tenant=tenant, now=watched.clock.now
            )
    operator, other = Visitor(application), Visitor(application)
    operator.sign_in("veille", PASSWORD)
    page = operator.get("/watch")
    assert page.status == 200
    assert "Relais Atlantique 0003" in page.text
    assert "REJ_UNI" in page.text
    assert 'aria-current="page">Veille</a>' in page.html
    assert page.html.count("<svg") == len(seen(watched).partners)
    assert "V" + "1" not in page.text
    assert "Causes of rejections" in operator.get("/watch?lang=en&hours=168&platform=0003").text
    assert "No flow in the period" in operator.get("/watch?lang=en&platform=nobody").text
    other.sign_in("acheteur", PASSWORD)
    assert other.get("/watch").status == 403


def test_the_page_of_a_platform(watched: World) -> None:
    """The people of a platform, let in by the operator, see its own flows and what it owes; nothing of another's."""
    application = watched.running["portal"].application
    token = operator_token(watched.running["portal"].actor.folder)
    people = {"0003": Visitor(application), "0005": Visitor(application)}
    for matricule, visitor in people.items():
        for _time in range(2):
            assert account(watched, matricule, f"veille-{matricule}", token)[0] == 201
        assert visitor.sign_in(f"veille-{matricule}", PASSWORD).path == "/account/password", "it was given"
    with watched.running["portal"].actor.database.begin() as connection:
        connection.execute(update(account_table).values(password_given_at=None))
    mine, other = people["0003"].get("/watch?platform=0005"), people["0005"].get("/watch?platform=0003&lang=en")
    assert "Relais Atlantique 0003" in mine.text
    assert "REJ_UNI" in mine.text
    assert "FFE0000A Nom de flux illisible" in mine.text
    assert REASONS["REJ_UNI"].label in mine.text
    (owed,) = seen(watched, partner="0003").owed
    assert owed.number in mine.text
    assert "Toutes les plateformes" not in mine.text
    assert "No flow in the period" in other.text
    for not_its in ("0003", "REJ_UNI", owed.number):
        assert not_its not in other.text
    assert people["0003"].get("/").path == "/watch"
    assert people["0003"].get("/access").status == 403
    for wrong, expected in (("9999", 404), ("0042", 404)):
        assert account(watched, wrong, "veille-x", token)[0] == expected
    assert account(watched, "0005", "veille-0003", token)[0] == 422
    path = "/operator/v1/platforms/{}/accounts/veille-0003"
    assert call(watched, path.format("0005"), method="DELETE", token=token, of="portal")[0] == 404
    nobody = "/operator/v1/platforms/0003/accounts/priscille"
    assert call(watched, nobody, method="DELETE", token=token, of="portal")[0] == 404, "whatever the login says"
    assert call(watched, path.format("0003"), method="DELETE", token=token, of="portal")[0] == 204
    assert people["0003"].get("/watch").path == "/sign-in"


def account(world: World, matricule: str, login: str, token: str) -> tuple[int, Any]:
    """Open an account for a person of a platform, as the operator."""
    body = json.dumps({"login": login, "password": PASSWORD}).encode()
    path = f"/operator/v1/platforms/{matricule}/accounts"
    return call(world, path, method="POST", body=body, token=token, of="portal")

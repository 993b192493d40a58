"""The archives at the desk: found, held, restituted, proved; in both languages, by whoever may."""

import asyncio
import io
import json
import re
from datetime import date

import pytest
from sqlalchemy import func, insert, select, update
from tests.web.visitor import Visitor
from tests.web.world import BUYER, SELLER, World, an_invoice

from estafette.exchange.keys import sign, verifies
from estafette.platform import tables
from estafette.platform.keeping_purge import Purge
from estafette.platform.keeping_tables import departure
from estafette.simulation.ubl import ubl
from estafette.store import identity, roots
from estafette.store.sealed_check import check
from estafette.store.tables import audit_event, job
from estafette.values.retention import Retention


def make_packages(world: World) -> None:
    """Do the work that makes packages."""

    async def work() -> None:
        task = asyncio.create_task(world.actor.worker.run())
        pending = select(func.count()).where(job.c.state == "pending", job.c.queue == "package")
        while world._count(pending):
            assert not task.done(), task.exception()
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    world.loop.run(work())


def role(world: World, login: str, role: str) -> Visitor:
    """Return somebody who has this role at the seller's."""
    with world.actor.database.begin() as connection:
        said = {"held": identity.hashed("correct horse"), "role": role, "tenant": SELLER, "now": world.actor.clock()}
        identity.add_account(connection, login=login, **said)  # type: ignore[arg-type]
    return world.visitor(login)


def test_an_invoice_is_found_with_its_last_day(world: World) -> None:
    """By period, number and counterpart; with the day until which it is kept and the text that says so."""
    world.issue(ubl(an_invoice()))
    seller = world.visitor()
    page = seller.get("/archives")
    assert "F-2026-001" in page.text
    assert "31/12/2036" in page.text
    assert "C. com., art. L. 123-22" in page.text
    for found in ("number=F-2026", f"counterpart={BUYER}", "from=2026-09-10&to=2026-09-10", "side=issued"):
        assert "F-2026-001" in seller.get(f"/archives?{found}").text, found
    for nothing in ("number=G", "counterpart=300000007", "from=2026-09-11", "to=2026-09-09", "side=received", "page=2"):
        assert "Aucune facture ne répond" in seller.get(f"/archives?{nothing}").text, nothing
    assert "31 Dec 2036" in world.visitor(language="en").get("/archives").text
    wrong = seller.get("/archives?from=hier")
    assert (wrong.status, "n'est pas une date" in wrong.text) == (422, True)
    assert "F-2026-001" not in world.visitor("buyer").get("/archives").text


def test_its_proof_is_its_own(world: World) -> None:
    """The proof of an invoice is given to its company, and to nobody else."""
    path = world.issue(ubl(an_invoice()))
    proof = path.replace("/invoices/", "/archives/invoices/") + "/proof"
    told = json.loads(world.visitor().get(proof).body)
    assert told["invoice"]["number"] == "F-2026-001"
    assert [each["status"] for each in told["statuses"]] == ["200"]
    assert world.visitor("buyer").get(proof).status == 404


def test_a_hold_is_set_seen_and_released(world: World) -> None:
    """An administrator says why and what; the invoice shows it; released, it stays to be seen. Others may not."""
    world.issue(ubl(an_invoice()))
    seller = world.visitor()
    token = seller.get("/archives").hidden("csrf")
    refused = seller.post("/archives", csrf=token, reason=" ")
    assert (refused.status, "Dites pourquoi" in refused.text) == (422, True)
    assert seller.post("/archives", csrf=token, reason="x", until="2020-01-01").status == 422
    assert seller.post("/archives", csrf=token, reason="x", until="jamais").status == 422
    page = seller.post("/archives", csrf=token, reason="Avis 3924", number="F-2026-001", until="2027-12-31")
    assert (page.text.count("gelée"), "Avis 3924" in page.text) == (1, True)
    number = re.search(r'name="release" value="(\d+)"', page.html)
    assert number
    assert world.visitor("buyer").post("/archives", csrf="x", release=number[1]).status == 403
    other = world.visitor("buyer")
    assert other.post("/archives", csrf=other.get("/archives").hidden("csrf"), release=number[1]).status == 404
    after = seller.post("/archives", csrf=token, release=number[1])
    assert (after.text.count("gelée"), "levé le" in after.text) == (0, True)
    reader = role(world, "lea", "reader")
    assert 'name="reason"' not in reader.get("/archives").html
    with world.actor.database.read() as connection:
        query = select(audit_event.c.body).where(audit_event.c.chain == SELLER, audit_event.c.about == number[1])
        told = [json.loads(body) for body in connection.execute(query).scalars()]
    assert [(each["what"], each["who"]) for each in told] == [
        ("hold.set", "login:seller"),
        ("hold.released", "login:seller"),
    ]


def test_a_package_is_asked_for_followed_and_fetched(world: World) -> None:
    """Asked, it shows its progress and asks for itself again; ready, it is fetched, sound; not by a reader."""
    world.issue(ubl(an_invoice()))
    accountant = role(world, "max", "accountant")
    token = accountant.get("/archives/packages").hidden("csrf")
    waiting = accountant.post("/archives/packages", csrf=token, purpose="control", language="en")
    assert ("en préparation" in waiting.text, "0/1" in waiting.text, "http-equiv" in waiting.html) == (True, True, True)
    assert "http-equiv" not in accountant.get("/archives/packages").html
    assert accountant.post("/archives/packages", csrf=token, purpose="other").status == 400
    wrong = accountant.post("/archives/packages", csrf=token, **{"from": "2026-02-01", "to": "2026-01-01"})
    assert (wrong.status, "finit avant" in wrong.text) == (422, True)
    make_packages(world)
    page = accountant.get("/archives/packages?follow=1")
    assert ("prêt" in page.text, "http-equiv" in page.html) == (True, False)
    (link,) = page.links("/archives/packages/")
    fetched = accountant.get(link)
    assert (fetched.status, fetched.headers["content-type"]) == (200, "application/zip")
    assert "attachment" in fetched.headers["content-disposition"]
    assert check(io.BytesIO(fetched.body), verifies, key=world.actor.public_key).verified.told["purpose"] == "control"
    assert world.visitor("buyer").get(link).status == 404
    reader = role(world, "lea", "reader")
    assert reader.get("/archives/packages").status == 403
    assert reader.get(link).status == 403


@pytest.mark.parametrize(("language", "sound", "bad"), [("fr", "Intact", "anomalies"), ("en", "Sound", "findings")])
def test_the_audit_log_is_read_and_verified(world: World, language: str, sound: str, bad: str) -> None:
    """The company reads its own chain and its daily roots, and verifies them; a change is told where it is."""
    path = world.issue(ubl(an_invoice()))
    with world.actor.database.begin() as connection:
        said = {"day": world.desk.today(), "now": world.actor.clock(), "key": world.actor.public_key}
        roots.seal(connection, **said, sign=lambda data: sign(world.actor.key, data))  # type: ignore[arg-type]
    seller = world.visitor(language=language)
    page = seller.get("/archives/journal")
    for words in ("judged", "deposit", "2026-09-15"):
        assert words in page.text
    about = path.rsplit("/", 1)[1]
    of_one = seller.get(f"/archives/journal?about={about}").html
    assert ("<td>judged" in of_one, "<td>deposit" in of_one, "<td>deposit" in page.html) == (True, False, True)
    assert "judged" not in seller.get("/archives/journal?before=1").text
    token = page.hidden("csrf")
    assert sound in seller.post("/archives/journal", csrf=token).text
    with world.actor.database.begin() as connection:
        name = "audit_event_no_UPDATE"
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
        changed = update(audit_event).where(audit_event.c.chain == SELLER, audit_event.c.seq == 1)
        connection.execute(changed.values(hash="0" * 64))
    assert bad in seller.post("/archives/journal", csrf=token).text
    assert seller.post("/archives/journal", csrf="forged").status == 403
    assert role(world, "lea", "reader").get("/archives/journal").status == 403


def test_what_was_purged_is_said(world: World) -> None:
    """Of an invoice that was purged the archives show the trace; of a company that leaves, until when it is served."""
    world.issue(ubl(an_invoice()))
    assert "changez de plateforme" not in world.visitor().get("/archives").text
    with world.actor.database.begin() as connection:
        days = dict.fromkeys(("agreed_on", "objection_until", "line_until", "serves_until"), date(2026, 9, 14))
        who = {"siren": SELLER, "matricule": "0005", "recorded_by": "platform", "recorded_at": world.actor.clock()}
        connection.execute(insert(departure).values(**who, **days))
    assert "changez de plateforme" in world.visitor().get("/archives").text
    with world.actor.database.begin() as connection:
        connection.execute(update(tables.invoice).values(issue_date=date(2010, 1, 1)))
        connection.execute(update(tables.event).values(set_at=world.actor.clock().replace(year=2010)))
        connection.execute(update(tables.declaration).values(state="accepted"))
    Purge(world.actor.database, world.actor.documents, Retention(), world.actor.clock).run()
    page = world.visitor().get("/archives")
    assert "Aucune facture ne répond" in page.text
    for words in ("Purgées", "F-2026-001", "accounting: C. com."):
        assert words in page.text

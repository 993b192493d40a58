"""The desk of the administration: every view, both languages, forms that decide, and the JSON twins."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from xml.etree import ElementTree

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from tests.administration.concentrator import told, told_status
from tests.administration.conftest import NOW
from tests.administration.desk_client import Visitor
from tests.administration.test_reported import notice
from tests.vat.examples import BUYER, SELLER, invoice, part, status
from tests.vat.test_reported import total

from estafette.administration.activity import Cell, Week
from estafette.administration.administration import Administration
from estafette.administration.completeness import Link, RegistrationForm
from estafette.administration.examples import example
from estafette.administration.files import read
from estafette.exchange.actor import open_actor
from estafette.exchange.keys import sealing_key
from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import Post, Refused
from estafette.store import identity
from estafette.store.tables import job
from estafette.values.limits import REGISTRATION_BYTES_MAX, REGISTRATION_FORM_BYTES_MAX
from estafette.web import entrance
from estafette.web.administration import NAVIGATION, TEMPLATES, routes
from estafette.web.administration.activity import HEIGHT, WEEKS_SHOWN, chart
from estafette.web.desk import Desk

PASSWORD = "correct horse battery"
SERVICE = invoice("S/1 2", date(2026, 10, 1), process="S1", parts=(part("20", "600"), part("10", "400")))
PAID = status(SERVICE, 212, date(2026, 10, 20), collected=[("20", "720"), ("10", "440")])
FACT = Message("1", Kind.FACT, "PPF", "DGFIP", "fact.json", "0" * 64)


@dataclass(slots=True)
class House:
    """The administration at home, an officer signed in, and a passer-by."""

    administration: Administration
    officer: Visitor
    passer_by: Visitor

    def tell(self, *messages: bytes) -> None:
        """The portal tells these facts."""
        for message in messages:
            with self.administration.actor.database.begin() as connection:
                self.administration.taken(connection, FACT, message)


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder of an administration where an officer has signed in, and the officer's cookies."""
    folder = tmp_path_factory.mktemp("administration")
    with at_home(folder) as house, house.administration.actor.database.begin() as connection:
        identity.add_account(
            connection, login="agent", held=identity.hashed(PASSWORD), role="agent", tenant=None, now=NOW
        )
    with at_home(folder) as house:
        house.officer.fill("/sign-in", login="agent", password=PASSWORD)
        return folder, house.officer.cookies


@pytest.fixture
def house(first_day: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[House]:
    """An administration of one's own, with an officer signed in."""
    folder, cookies = first_day
    with at_home(Path(copytree(folder, tmp_path / "administration"))) as opened:
        opened.officer.cookies |= cookies
        yield opened


@contextmanager
def at_home(folder: Path) -> Iterator[House]:
    """The administration kept in this folder, and two visitors."""
    actor = open_actor("administration", "DGFIP", folder, branches=("administration",), clock=lambda: NOW)
    post = Post(
        identifiers=frozenset({"DGFIP"}),
        key=actor.key,
        database=actor.database,
        documents=actor.documents,
        clock=actor.clock,
        peers=lambda _connection, _identifier: None,
        taken=lambda _connection, _message, _body: None,
    )
    administration = Administration(actor, post, portal="PPF")
    desk = Desk(
        title="Administration",
        cookie="estafette-administration",
        database=actor.database,
        clock=actor.clock,
        templates=TEMPLATES,
        navigation=NAVIGATION,
        seal=sealing_key(actor.key),
    )
    handlers = {HTTPException: lambda request, fault: desk.refusal(request, fault.status_code)}
    application = Starlette(routes=[*entrance.routes(desk), *routes(administration, desk)], exception_handlers=handlers)
    try:
        yield House(administration, Visitor(application), Visitor(application))
    finally:
        actor.database.close()


def test_every_view_is_empty_and_readable_at_first(house: House) -> None:
    """Nothing known yet: each page answers in both languages, without script or inline style."""
    for address, fr, en in NAVIGATION:
        page = house.officer.get(address)
        assert page.status == 200
        assert fr in page.text
        assert "script" not in page.headers["content-security-policy"]
        assert "<script" not in page.text and " style=" not in page.text
        assert en in Visitor(house.officer.application, dict(house.officer.cookies), "en").get(address).text


def test_from_the_form_to_what_was_e_reported(house: House) -> None:
    """A cell made by e-reporting names the transmission and its block, and leads to no invoice."""
    house.tell(msgspec.json.encode([notice(total("TLB1", ("20", "1000")), 1)]))
    cell = house.officer.get("/returns/100000009/2026-09/08/tax")
    assert "E-reporting 10.3" in cell.text
    assert "R1" in cell.text
    assert 'href="/facts/' not in cell.text


@pytest.mark.parametrize("address", ["/", "/returns", "/registrations/new", "/pilot/1", "/alerts/1", "/facts/1/2026/F"])
def test_a_passer_by_is_led_to_sign_in(house: House, address: str) -> None:
    """Tax data are for those signed in."""
    answer = house.passer_by.get(address)
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in")


def test_from_the_list_to_the_form_to_the_cell_to_the_invoice(house: House) -> None:
    """The worked example, followed link by link, as an officer reads it."""
    house.tell(told(SERVICE), told_status(PAID))
    assert f"/returns/{SELLER}/2026-10" in house.officer.get("/returns").text
    form = house.officer.get(f"/returns/{SELLER}/2026-10")
    assert f'href="/returns/{SELLER}/2026-10/08/tax"' in form.text
    assert ">120</a>" in form.text
    cell = house.officer.get(f"/returns/{SELLER}/2026-10/08/tax")
    assert 'href="/facts/100000009/2026/S/1%202"' in cell.text
    assert "à l'encaissement" in cell.text.replace("&#39;", "'")
    fact = house.officer.get("/facts/100000009/2026/S/1%202".replace("%20", " "))
    assert fact.status == 200
    assert f"/returns/{BUYER}/2026-10/20/amount" in fact.text
    assert "160" in house.officer.get(f"/returns/{BUYER}/2026-10/23/amount").text


@pytest.mark.parametrize(
    "address",
    ["/returns/100000009/2026-13", "/returns/100000009/1999-01", "/returns/100000009/2026-10/ZZ/tax",
     "/returns/100000009/2026-10/08/height", "/facts/100000009/2026/NONE", "/registrations/7", "/pilot/7", "/alerts/7",
     "/nowhere"],
)  # fmt: skip
def test_an_address_with_nothing_behind_is_a_page_not_found(house: House, address: str) -> None:
    """No traceback: a page that says so."""
    page = house.officer.get(address)
    assert page.status == 404
    assert "Page introuvable" in page.text


def test_a_platform_is_registered_at_the_desk_and_announced(house: House) -> None:
    """The number is given, the public list shows the platform without it, the portal is told."""
    file = msgspec.structs.replace(
        read(example("platform-a"), RegistrationForm), connection=Link("AAA111", "http://127.0.0.1:8401", "a2V5")
    )
    page = house.officer.fill("/registrations/new", content=msgspec.yaml.encode(file).decode())
    assert 'data-state="COMPLETE"' in page.text
    house.officer.fill("/registrations/1", deed="review")
    page = house.officer.fill("/registrations/1", deed="REGISTERED", reason="")
    assert 'data-state="REGISTERED"' in page.text and "0003" in page.text and "02/11/2029" in page.text
    public = house.passer_by.get("/platforms")
    assert "Relais Atlantique" in public.text and "0003" not in public.text
    actor = house.administration.actor
    with actor.database.read() as connection:
        [(payload,)] = connection.execute(job.select().with_only_columns(job.c.payload)).all()
    told_portal = json.loads(actor.documents.get(payload["message"][-1]))
    assert (told_portal["matricule"], told_portal["url"]) == ("0003", "http://127.0.0.1:8401")


def test_what_is_wrong_with_a_file_is_said_where_it_is_typed(house: House) -> None:
    """The content stays in the form, the place and what is expected are named, 422."""
    page = house.officer.fill("/registrations/new", content="hosting: lune\n")
    assert page.status == 422
    assert "$.hosting" in page.text and "hosting: lune" in page.text and 'role="alert"' in page.text


def test_an_incomplete_file_is_completed_at_the_desk(house: House) -> None:
    """What lacks is listed; the whole file pasted again completes it; a review before that is refused in words."""
    whole = example("platform-b").decode()
    page = house.officer.fill("/registrations/new", content=whole.replace('  - {item: "7"', '  #- {item: "7"'))
    assert "dossier technique" in page.text
    page = house.officer.fill("/registrations/1", deed="review")
    assert page.status == 422 and "INCOMPLETE → UNDER_REVIEW" in page.text
    page = house.officer.fill("/registrations/1", deed="supplement", content=whole)
    assert 'data-state="COMPLETE"' in page.text
    page = house.officer.fill("/registrations/1", deed="supplement", content="not: a file\n")
    assert page.status == 422


def test_a_team_is_admitted_at_the_desk_in_the_time_of_its_campaign(house: House) -> None:
    """Campaign, application submitted on 20 June 2023, decision, then the team moves on."""
    house.officer.fill("/pilot/new", deed="campaign", content=example("campaign").decode())
    application = example("application").decode()
    page = house.officer.fill("/pilot/new", deed="application", content=application, submitted_at="2023-06-20T10:00:00")
    assert "Dossier complet" in page.text and "20/06/2023 10:00:00" in page.text
    page = house.officer.fill("/pilot/1", deed="SELECTED", reason="Couvre uc1 à uc3.")
    assert 'data-state="ADMITTED"' in page.text
    page = house.officer.fill("/pilot/1", deed="ONBOARDING")
    assert 'data-state="ONBOARDING"' in page.text
    assert "26/06/2023 23:59:59" in house.officer.get("/pilot").text
    house.tell(told(SERVICE), told_status(PAID))
    assert "Atelier Caravelle" in house.officer.get("/returns").text


def test_an_application_too_late_or_to_no_campaign_is_answered(house: House) -> None:
    """Without a campaign it is not taken; submitted now, in 2026, it is late and says so."""
    application = example("application").decode()
    page = house.officer.fill("/pilot/new", deed="application", content=application)
    assert page.status == 422 and "$.campaign" in page.text
    house.officer.fill("/pilot/new", deed="campaign", content=example("campaign").decode())
    page = house.officer.fill("/pilot/new", deed="application", content=application)
    assert "R1" in page.text and 'data-state="INCOMPLETE"' in page.text


def test_an_alert_is_examined_and_decided(house: House) -> None:
    """The two invoices side by side, why they are alike; a decision without reason is refused, with one it is kept."""
    twice = [invoice("F1", date(2026, 10, 1)), invoice("F1-BIS", date(2026, 10, 2))]
    house.tell(*(told(each) for each in twice))
    assert "F1, F1-BIS" in house.officer.get("/alerts").text
    page = house.officer.fill("/alerts/1", decision="DISMISSED", reason=" ")
    assert page.status == 422 and "Une décision est motivée" in page.text
    page = house.officer.fill("/alerts/1", decision="DISMISSED", reason="Deux livraisons.")
    assert "Deux livraisons." in page.text and "par un agent" in page.text
    assert "écartée" in house.officer.get("/alerts").text
    assert house.officer.fill("/alerts/1", decision="PUNISHED", reason="x").status == 400


def test_activity_is_a_chart_and_a_table_with_secrets_marked(house: House) -> None:
    """Three companies in one week are a bar, two in the next are secret; the drawing is well-formed."""
    firms = [SELLER, "300000007", "500000005"]
    sold = [msgspec.structs.replace(invoice("F1", date(2026, 10, 5)), seller=firm) for firm in firms]
    sold += [msgspec.structs.replace(invoice("F2", date(2026, 10, 12)), seller=firm) for firm in firms[:2]]
    house.tell(*(told(each) for each in sold))
    page = house.officer.get("/activity")
    drawing = page.text[page.text.index("<svg") : page.text.index("</svg>") + 6]
    assert len(ElementTree.fromstring(drawing).findall("rect")) == 1  # noqa: S314 -- our own page
    assert "secret statistique" in page.text
    assert "3\u202f000,00" in page.body.decode() and "2\u202f000,00" not in page.body.decode()


def test_a_form_without_its_token_does_nothing(house: House) -> None:
    """A decision sent from elsewhere is refused."""
    house.tell(*(told(invoice(number, date(2026, 10, 1))) for number in ("F1", "F1-BIS")))
    answer = house.officer.ask("POST", "/alerts/1", b"decision=DISMISSED&reason=x", "application/x-www-form-urlencoded")
    assert answer.status == 403
    assert json.loads(house.officer.get("/api/alerts").body)[0]["decision"] == "OPEN"


@pytest.mark.parametrize("number", ["0", "9" * 18, "9" * 23, "9" * 5000])
@pytest.mark.parametrize("page", ["/registrations/{}", "/pilot/{}", "/alerts/{}", "/facts/100000009/{}/F1"])
def test_a_number_that_no_row_has_is_not_found(house: House, page: str, number: str) -> None:
    """However long the number in the address: 404, in words that fit an officer."""
    answer = house.officer.get(page.format(number))
    assert answer.status == 404
    assert "Rien à cette adresse" in answer.text and "entreprise" not in answer.text
    assert house.officer.ask("POST", f"/api/registrations/{number}/review").status == 404


def test_a_file_is_taken_as_its_text_is(house: House) -> None:
    """A registration, a campaign and an application sent as files, the text left empty, and a file to complete one."""
    officer = house.officer
    assert 'enctype="multipart/form-data"' in officer.get("/registrations/new").text
    assert 'data-state="COMPLETE"' in officer.send_file("/registrations/new", example("platform-b"), content="").text
    assert officer.send_file("/pilot/new", example("campaign"), deed="campaign", content="").status == 200
    sent = {"deed": "application", "submitted_at": "2023-06-20T10:00:00", "content": ""}
    assert 'data-state="COMPLETE"' in officer.send_file("/pilot/new", example("application"), **sent).text


def test_a_file_that_is_wrong_is_shown_again(house: House) -> None:
    """What is wrong with it is said and its text is there to correct; up to the limit it is read, past it is told."""
    page = house.officer.send_file("/registrations/new", b"operator: 3\n")
    assert page.status == 422 and "operator: 3" in page.text
    for size in (REGISTRATION_BYTES_MAX, REGISTRATION_BYTES_MAX + 1):
        page = house.officer.send_file("/registrations/new", b"#" * size)
        assert page.status == 422
        assert (f"au plus {REGISTRATION_BYTES_MAX} octets" in page.text) == (size > REGISTRATION_BYTES_MAX)
    assert house.officer.send_file("/registrations/new", b"#" * REGISTRATION_FORM_BYTES_MAX).status == 413
    assert house.officer.get("/registrations").text.count("/registrations/1") == 0


def test_activity_is_said_in_the_reader_s_language(house: House) -> None:
    """Sources and sectors are in words, French or English; a sector without words goes by its code."""
    house.officer.fill("/pilot/new", deed="campaign", content=example("campaign").decode())
    application = example("application").decode()
    sent = {"deed": "application", "submitted_at": "2023-06-20T10:00:00", "content": application}
    house.officer.fill("/pilot/new", **sent)
    house.officer.fill("/pilot/1", deed="SELECTED", reason="Couvre uc1 à uc3.")
    house.tell(told(SERVICE))
    french, english = house.officer.get("/activity?lang=fr").text, house.officer.get("/activity?lang=en").text
    assert "règle de 1960" in french and "rule of 1960" not in french
    assert "rule of 1960" in english and "règle" not in english
    assert "NAF 62.02A · Conseil" in french and "NAF 62.02A · Computer consultancy" in english


def test_an_alert_without_object_is_not_to_be_examined(house: House) -> None:
    """Once one of the two was refused, the list says so instead of asking for an examination."""
    twice = [invoice("F1", date(2026, 10, 1)), invoice("F1-BIS", date(2026, 10, 2))]
    house.tell(*(told(each) for each in twice))
    assert "à examiner" in house.officer.get("/alerts").text
    house.tell(told_status(status(twice[1], 210, date(2026, 10, 3))))
    page = house.officer.get("/alerts").text
    assert "sans objet" in page and "à examiner" not in page
    journal = house.officer.get("/alerts/1").text.partition("Journal")[2]
    assert "par le détecteur" in journal and "D6" not in journal


def test_a_form_larger_than_any_file_is_refused(house: House) -> None:
    """One byte past the limit is not read: 413, in words; at the limit it is, and has no token of ours."""
    whole = house.officer.ask(
        "POST", "/registrations/new", b"x" * REGISTRATION_FORM_BYTES_MAX, "application/x-www-form-urlencoded"
    )
    assert whole.status == 403
    page = house.officer.ask(
        "POST", "/registrations/new", b"x" * (REGISTRATION_FORM_BYTES_MAX + 1), "application/x-www-form-urlencoded"
    )
    assert page.status == 413 and "dépasse la taille" in page.text


def test_only_facts_of_the_portal_are_taken(house: House) -> None:
    """Another kind, another sender, or a message that is none is refused for good."""
    database = house.administration.actor.database
    wrong = [
        (FACT, b"{", 422),
        (Message("1", Kind.FLOW, "PPF", "DGFIP", "f", "0" * 64), told(SERVICE), 403),
        (Message("1", Kind.FACT, "0003", "DGFIP", "f", "0" * 64), told(SERVICE), 403),
    ]
    for message, body, expected in wrong:
        with database.begin() as connection, pytest.raises(Refused) as caught:
            house.administration.taken(connection, message, body)
        assert caught.value.status == expected


def test_the_twins_say_the_same_as_the_pages(house: House) -> None:
    """Returns, facts, registrations and activity as JSON."""
    house.tell(told(SERVICE), told_status(PAID))
    ask = house.officer.get
    prepared = json.loads(ask(f"/api/returns/{SELLER}/2026-10").body)
    assert {cell["line"]: cell["amount"] for cell in prepared["cells"]}["16"] == 160
    effect = json.loads(ask(f"/api/facts/{SELLER}/2026/S/1 2").body)
    assert {line["line"] for line in effect["lines"] if line["siren"] == BUYER} == {"20"}
    assert json.loads(ask("/api/activity").body) == [
        {"sector": "—", "week": "2026-W40", "secret": True, "turnover": None, "units": None}
    ]
    assert json.loads(ask("/api/registrations").body) == []


def test_the_twins_register_and_admit(house: House) -> None:
    """What a seed does: submit, review, decide; campaign, application, decision, team; each answer is the new state."""
    post = house.officer.ask
    made = post("POST", "/api/registrations", example("platform-b"))
    assert (made.status, json.loads(made.body)["state"]) == (201, "COMPLETE")
    assert json.loads(post("POST", "/api/registrations", example("platform-b")).body)["id"] == 1
    assert post("POST", "/api/registrations/1/review").status == 200
    decided = json.loads(post("POST", "/api/registrations/1/decision", b'{"outcome": "REGISTERED"}').body)
    assert (decided["matricule"], decided["granted_on"]) == ("0005", "2026-11-02")
    link = b'{"application_code": "AAA222", "url": "https://rhone.example", "public_key": "a2V5"}'
    assert post("POST", "/api/registrations/1/connection", link).status == 200
    assert post("POST", "/api/pilot/applications", example("application")).status == 404
    assert post("POST", "/api/pilot/campaigns", example("campaign")).status == 201
    made = post("POST", "/api/pilot/applications?submitted_at=2023-06-20T10:00:00", example("application"))
    assert json.loads(made.body)["state"] == "COMPLETE"
    decision = b'{"outcome": "SELECTED", "reason": "Couvre uc1 a uc3."}'
    admitted = json.loads(post("POST", "/api/pilot/applications/1/decision", decision).body)
    assert (admitted["state"], admitted["team_state"]) == ("SELECTED", "ADMITTED")
    moved = json.loads(post("POST", "/api/pilot/applications/1/team", b'{"state": "ONBOARDING"}').body)
    assert moved["team_state"] == "ONBOARDING"


@pytest.mark.parametrize(
    ("method", "address", "body", "expected"),
    [
        ("GET", "/api/returns/100000009/soon", b"", 422),
        ("GET", "/api/returns/100000009/1999-01", b"", 404),
        ("GET", "/api/facts/100000009/2026/NONE", b"", 404),
        ("POST", "/api/registrations", b"a: b: c", 422),
        ("POST", "/api/registrations", b"#" * (REGISTRATION_BYTES_MAX + 1), 413),
        ("POST", "/api/registrations/1/review", b"", 404),
        ("POST", "/api/registrations/1/decision", b'{"outcome": "ADORED"}', 422),
        ("POST", "/api/registrations/1/decision", b"{", 422),
        ("POST", "/api/pilot/applications/1/decision", b'{"outcome": "SELECTED"}', 404),
        ("POST", "/api/pilot/applications/1/team", b'{"state": "ADORED"}', 422),
    ],
)
def test_a_twin_answers_what_it_cannot_do(house: House, method: str, address: str, body: bytes, expected: int) -> None:
    """Unknown, unreadable or too large: a status and words in both languages."""
    answer = house.officer.ask(method, address, body)
    assert answer.status == expected
    said = json.loads(answer.body)
    assert said.get("findings") or (said["error"]["fr"] and said["error"]["en"])


def test_a_decision_twice_is_not_allowed(house: House) -> None:
    """409 says what may follow."""
    post = house.officer.ask
    post("POST", "/api/registrations", example("platform-a"))
    post("POST", "/api/registrations/1/review")
    post("POST", "/api/registrations/1/decision", b'{"outcome": "REGISTERED"}')
    again = post("POST", "/api/registrations/1/decision", b'{"outcome": "REGISTERED"}')
    assert again.status == 409
    assert "WITHDRAWN" in json.loads(again.body)["error"]["en"]


def test_the_latest_weeks_are_drawn_to_the_tallest() -> None:
    """Heights are in proportion; only the last half year is shown."""
    weeks = [Week(*(date(2026, 1, 5) + timedelta(weeks=n)).isocalendar()[:2]) for n in range(40)]
    drawn = chart("62.02A", [Cell("62.02A", week, Decimal(100 + n), 3) for n, week in enumerate(weeks)])
    assert (len(drawn.bars), drawn.bars[-1].height, drawn.bars[-1].cell.week) == (WEEKS_SHOWN, HEIGHT, weeks[-1])
    assert drawn.bars[0].height == 114 * HEIGHT // 139

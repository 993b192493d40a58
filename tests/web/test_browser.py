"""A real browser at the desks of the running circuit: deposit, read, answer, follow, from supplier to customer.

Scripts are off in the browser: what is proved here works without any.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from tests.running import Circuit
from tests.web.world import an_invoice

from estafette.simulation.invoices import Invoice
from estafette.simulation.ubl import ubl
from estafette.values.limits import FILE_BYTES_MAX

pytestmark = pytest.mark.browser

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_S = 30.0
DESKS = {"fournisseur": "platform-a", "client": "platform-b"}


@dataclass(frozen=True)
class Person:
    """Someone signed in at their desk, in a browser of their own. `told` is what the browser complained of."""

    page: Page
    url: str
    told: list[str]

    def open(self, path: str) -> Page:
        """Go to a page of the desk."""
        self.page.goto(self.url + path)
        return self.page

    def deposit(self, file: Path) -> None:
        """Choose a file and deposit it; the page that waits for the verdict has renewed itself until it came."""
        self.open("/deposit").get_by_label("Fichier de la facture").set_input_files(file)
        self.page.get_by_role("button", name="Déposer").click()
        expect(self.page.get_by_role("heading", level=1)).not_to_have_text(
            "Contrôle en cours", timeout=PATIENCE_S * 1000
        )

    def until(self, wanted: Callable[[Page], Locator]) -> Locator:
        """Reload the page until what is wanted is on it."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := wanted(self.page)).count():
            assert time.monotonic() < deadline, self.page.inner_text("main")
            self.page.reload()
        return found.first

    def status(self, words: str) -> Locator:
        """Wait for a status in the time line of the invoice that is open."""
        return self.until(lambda page: page.locator("ol.timeline li").filter(has_text=words))

    def choose(self, action: str) -> Locator:
        """Open the form of an action; return it."""
        self.page.locator("summary", has_text=action).first.click()
        return self.page.locator("details.answer[open] form")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for this module: its driver keeps the event loop of the thread to itself while it lives."""
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def people(browser: Browser, circuit: Circuit) -> Iterator[Callable[..., Person]]:
    """Whoever the test asks for, signed in; at the end, no browser has complained of anything."""
    opened: list[Person] = []

    def enter(login: str, *, locale: str = "fr-FR", scripts: bool = False, width: int = 1280) -> Person:
        context = browser.new_context(
            locale=locale, java_script_enabled=scripts, viewport={"width": width, "height": 800}
        )
        told: list[str] = []
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        person = Person(page, circuit.urls[DESKS[login]], told)
        person.open("/")
        expect(page.locator("#login")).to_be_focused()  # it asks for it itself; a browser tells of whoever comes first
        page.locator("#login").fill(login)
        page.locator("#password").fill(circuit.entries.by_login[login].password)
        with page.expect_navigation():
            page.locator("#password").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Accueil" if locale == "fr-FR" else "Home")
        opened.append(person)
        return person

    yield enter
    for person in opened:
        assert person.told == []
        person.page.context.close()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Write the supplier's invoice of a number to a file."""

    def write(number: str, change: Callable[[bytes], bytes] = bytes) -> Path:
        written = tmp_path / f"{number}.xml"
        written.write_bytes(change(ubl(dated(an_invoice(number)))))
        return written

    return write


def dated(invoice: Invoice) -> Invoice:
    """Date an invoice before today, whatever day it is."""
    return replace(invoice, issued=date(2025, 7, 1), due=date(2025, 7, 31))


def test_an_invoice_from_deposit_to_collection(people: Callable[..., Person], file: Callable[..., Path]) -> None:
    """The supplier deposits and follows, the customer reads and approves, the collection comes back: each sees all."""
    supplier, customer = people("fournisseur"), people("client")
    supplier.deposit(file("NAV-1"))
    expect(supplier.page.get_by_text("Statut 200, déposée")).to_be_visible()
    supplier.page.get_by_role("link", name="Ouvrir la facture NAV-1").click()
    supplier.status("203 Mise à disposition")

    customer.open("/")
    waiting = customer.until(lambda page: page.locator(".concern").get_by_role("link", name="NAV-1", exact=True))
    waiting.click()
    for words in ("Fournitures du Ponant", "Conseil", "Montant total TVA comprise", "Pénalités de retard"):
        expect(customer.page.get_by_text(words).first).to_be_visible()
    customer.choose("Prendre en charge").get_by_role("button").click()
    customer.status("204 Prise en charge")
    form = customer.choose("Approuver")
    form.get_by_label("Commentaire").fill("Bon pour paiement")
    form.get_by_role("button").click()
    customer.status("205 Approuvée")

    expect(supplier.status("205 Approuvée")).to_contain_text("Bon pour paiement")
    form = supplier.choose("Déclarer l'encaissement")
    expect(form.get_by_label("Montant TTC à 20 %")).to_have_value("1200.00")
    expect(form.get_by_label("Montant TTC à 10 %")).to_have_value("110.00")
    form.get_by_role("button").click()
    supplier.status("212 Encaissée")
    expect(customer.status("212 Encaissée")).to_contain_text("1\u202f200,00\u00a0EUR à 20 %")

    administration = supplier.until(
        lambda page: page.locator("ul.declared li", has_text="Données de facture").filter(has_text="Acceptée")
    )
    expect(administration).to_be_visible()
    for words in ("Statut 200", "Statut 212"):
        accepted = supplier.until(
            lambda page, words=words: page.locator("ul.declared li", has_text=words).filter(has_text="Acceptée")
        )
        expect(accepted).to_be_visible()


def test_a_refusal_comes_back_with_its_reason(people: Callable[..., Person], file: Callable[..., Path]) -> None:
    """The customer refuses with a reason; the supplier reads it, finds it on its home page and can collect no more."""
    supplier, customer = people("fournisseur"), people("client")
    supplier.deposit(file("NAV-2"))
    customer.open("/")
    customer.until(lambda page: page.locator(".concern").get_by_role("link", name="NAV-2", exact=True)).click()
    form = customer.choose("Refuser")
    form.get_by_label("Motif").select_option("TX_TVA_ERR")
    form.get_by_label("Commentaire").fill("Le taux est de 10 %")
    form.get_by_role("button").click()
    customer.status("210 Refusée")

    supplier.page.get_by_role("link", name="Ouvrir la facture NAV-2").click()
    refused = supplier.status("210 Refusée")
    expect(refused).to_contain_text("Taux de TVA erroné")
    expect(refused).to_contain_text("Le taux est de 10 %")
    expect(refused).to_contain_text("Ateliers du Levant")
    expect(supplier.page.locator("summary", has_text="encaissement")).to_have_count(0)
    supplier.open("/")
    expect(supplier.page.locator(".concern.bad").get_by_role("link", name="NAV-2", exact=True)).to_be_visible()


def test_a_reason_that_is_missing_is_asked_by_the_browser(
    people: Callable[..., Person], file: Callable[..., Path]
) -> None:
    """A refusal without a reason does not leave the page."""
    supplier, customer = people("fournisseur"), people("client")
    supplier.deposit(file("NAV-3"))
    customer.open("/")
    customer.until(lambda page: page.locator(".concern").get_by_role("link", name="NAV-3", exact=True)).click()
    before = customer.page.url
    customer.choose("Refuser").get_by_role("button").click()
    expect(customer.page.locator("select:invalid")).not_to_have_count(0)
    assert customer.page.url == before
    customer.page.reload()
    expect(customer.page.get_by_text("210 Refusée")).to_have_count(0)


def test_a_rejected_deposit_is_explained(people: Callable[..., Person], file: Callable[..., Path]) -> None:
    """A total that does not add up is rejected: rule, terms and reason are on the page, and nothing left."""
    supplier = people("fournisseur")
    amount = b'<cbc:TaxInclusiveAmount currencyID="EUR">'
    supplier.deposit(file("NAV-4", lambda data: data.replace(amount + b"1", amount + b"9")))
    expect(supplier.page.get_by_role("heading", level=1)).to_have_text("Facture rejetée")
    for words in ("BR-CO-15", "MONTANTTOTAL_ERR", "Montant total TVA comprise"):
        expect(supplier.page.get_by_text(words).first).to_be_visible()
    supplier.page.get_by_role("link", name="Ouvrir la facture NAV-4").click()
    expect(supplier.page.locator("ol.timeline li")).to_have_count(1)
    expect(supplier.page.locator("details.answer")).to_have_count(0)


def test_a_file_that_is_too_large(people: Callable[..., Person], tmp_path: Path) -> None:
    """The browser is told clearly, with the field's code, that a file past the limit was not taken."""
    supplier = people("fournisseur")
    large = tmp_path / "large.xml"
    with large.open("wb") as sparse:
        sparse.truncate(FILE_BYTES_MAX + 1)
    supplier.open("/deposit").get_by_label("Fichier de la facture").set_input_files(large)
    with supplier.page.expect_response(lambda answer: answer.url.endswith("/deposit")) as answered:
        supplier.page.get_by_role("button", name="Déposer").click()
    assert answered.value.status == 413
    expect(supplier.page.get_by_role("alert")).to_contain_text("IRR_TAILLE_F")
    supplier.told.clear()  # the console notes every answer of 413


def test_the_keyboard_alone(people: Callable[..., Person], file: Callable[..., Path]) -> None:
    """From the home page to an approval without a mouse: skip link first, links and forms in order, focus visible."""
    supplier, customer = people("fournisseur"), people("client")
    supplier.deposit(file("NAV-5"))
    page = customer.open("/")
    link = customer.until(lambda page: page.locator(".concern").get_by_role("link", name="NAV-5", exact=True))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    press_until(page, link)
    assert outline(link) != "none"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    summary = page.locator("summary", has_text="Approuver").first
    press_until(page, summary)
    assert outline(summary) != "none"
    page.keyboard.press("Enter")
    press_until(page, page.locator("details.answer[open] button"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    customer.status("205 Approuvée")


def test_english(people: Callable[..., Person], file: Callable[..., Path]) -> None:
    """A browser that asks for English has the whole life cycle in English."""
    people("fournisseur").deposit(file("NAV-6"))
    customer = people("client", locale="en-GB")
    customer.until(lambda page: page.locator(".concern").get_by_role("link", name="NAV-6", exact=True)).click()
    expect(customer.page.get_by_role("heading", name="Your actions")).to_be_visible()
    customer.status("203 Made available")
    expect(customer.page.get_by_text("1,310.00\u00a0EUR").first).to_be_visible()
    customer.page.get_by_role("link", name="Français").click()
    customer.status("203 Mise à disposition")


def test_a_narrow_screen(people: Callable[..., Person], file: Callable[..., Path]) -> None:
    """On a telephone no page is wider than the screen: tables scroll within themselves."""
    supplier = people("fournisseur", width=360, scripts=True)
    supplier.deposit(file("NAV-7"))
    supplier.page.get_by_role("link", name="Ouvrir la facture NAV-7").click()
    supplier.status("200 Déposée")
    invoice = supplier.page.url.removeprefix(supplier.url)
    for path in ("/", "/issued", "/deposits", "/deposit", invoice):
        page = supplier.open(path)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), path


def press_until(page: Page, wanted: Locator) -> None:
    """Press Tab until this has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.and_(page.locator(":focus")).count():
            return
    raise AssertionError(f"the keyboard does not reach {wanted}")


def outline(element: Locator) -> str:
    """Return how the focus is drawn."""
    return str(element.evaluate("element => getComputedStyle(element).outlineStyle"))

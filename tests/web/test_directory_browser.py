"""A real browser at the public page of the directory: found by keyboard alone, in both languages, without a script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.running import Circuit
from tests.web.test_browser import ARGUMENTS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for this module."""
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A stranger's page, scripts off; at the end the browser has complained of nothing."""
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    opened, told = context.new_page(), []
    opened.on("console", lambda message: told.append(message.text))
    yield opened
    context.close()
    assert told == []


def test_found_by_keyboard(page: Page, circuit: Circuit) -> None:
    """A name is typed, the company is there with its addresses; English is one link away; no platform is named."""
    company = circuit.entries.by_login["fournisseur"]
    page.goto(f"{circuit.urls['portal']}/directory")
    expect(page.get_by_label("SIREN, SIRET, nom ou adresse de facturation")).to_be_focused()
    page.keyboard.type(str(company.siren))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Adresses de facturation électronique")).to_be_visible()
    name = page.get_by_role("heading", level=1).inner_text()
    expect(page.get_by_role("table").first.get_by_text(str(company.siren), exact=True)).to_be_visible()
    assert not re.search(r"\b(0003|0005|9998)\b|Relais", page.inner_text("main"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Electronic invoicing addresses")).to_be_visible()
    page.get_by_role("link", name="New search").press("Enter")
    page.get_by_label("SIREN, SIRET, name or invoicing address").fill(name)
    page.get_by_role("button", name="Search").press("Enter")
    expect(page.get_by_role("main")).to_contain_text(str(company.siren))
    page.goto(f"{circuit.urls['portal']}/directory?q={name[:4]}")
    expect(page.get_by_role("main")).to_contain_text("Nobody by that name")

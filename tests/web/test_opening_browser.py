"""A real browser opens a company's account at the portal: the letter asked by keyboard, the code, the first sign-in."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.running import Circuit
from tests.web.test_browser import ARGUMENTS

pytestmark = pytest.mark.browser

ALONE = "700000003"
"""A company of the first start that no platform serves."""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for this module."""
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A stranger's page, scripts off."""
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    yield context.new_page()
    context.close()


def letters(circuit: Circuit) -> list[Any]:
    """Return the letters to send, as the operator sees them."""
    asked = urllib.request.Request(  # noqa: S310 — our own address
        f"{circuit.urls['portal']}/operator/v1/openings", headers=circuit.entries.operators["portal"]
    )
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        return list(json.load(answer))


def test_an_account_is_opened(page: Page, circuit: Circuit) -> None:
    """From the public page to one's own desk, in French, by keyboard alone; English is one link away."""
    page.goto(f"{circuit.urls['portal']}/directory")
    page.get_by_role("link", name="Ouvrez un compte ici").press("Enter")
    expect(page.get_by_label("SIREN")).to_be_focused()
    page.keyboard.type(ALONE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("courrier part au siège")
    (letter,) = letters(circuit)
    page.get_by_role("link", name="J'ai reçu le code").press("Enter")
    expect(page.get_by_label("SIREN")).to_have_value(ALONE)
    page.get_by_label("Code du courrier").fill(letter["code"])
    page.get_by_label("Identifiant choisi").fill("gerante")
    page.get_by_label("Mot de passe").fill("une phrase assez longue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Le compte est ouvert")
    page.get_by_role("link", name="Se connecter").first.press("Enter")
    page.get_by_label("Identifiant").fill("gerante")
    page.get_by_label("Mot de passe").fill("une phrase assez longue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner")).to_contain_text(letter["name"])
    page.goto(f"{circuit.urls['portal']}/opening?lang=en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Open a company's account")
    assert letters(circuit) == []

"""A company's desk: deposit, read, answer, follow, and what is refused."""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from sqlalchemy import update
from tests.web.visitor import Visitor
from tests.web.world import BUYER, OTHER, PASSWORD, World, an_invoice, party

from estafette.platform.mirror_tables import mirror_line
from estafette.simulation.ubl import ubl
from estafette.values.limits import DESK_FORM_BYTES_MAX
from estafette.web.platform import deposits, files

PAGES = ("/", "/issued", "/received", "/deposits", "/deposit", "/reports", "/addresses", "/archives")


def test_nobody_sees_a_page_without_signing_in(world: World) -> None:
    """Whoever is not signed in is led to the sign-in page, on every address of the desk."""
    stranger = Visitor(world.application)
    for path in (*PAGES, "/invoices/x", "/invoices/x/original", "/flows/x"):
        assert stranger.get(path).path == "/sign-in"


def test_wrong_password(world: World) -> None:
    """A wrong password is said, with status 401, and opens nothing."""
    stranger = Visitor(world.application)
    page = stranger.sign_in("seller", "nothing")
    assert page.status == 401
    assert "inconnu" in page.text
    assert stranger.get("/").path == "/sign-in"


@pytest.mark.parametrize(("language", "words"), [("fr", "Rien n'attend"), ("en", "Nothing waits")])
def test_both_languages(world: World, language: str, words: str) -> None:
    """The desk speaks the language of the browser, and the other one on demand, from then on."""
    visitor = world.visitor(language=language)
    assert words in visitor.get("/").text
    other = {"fr": "en", "en": "fr"}[language]
    assert f'<html lang="{other}">' in visitor.get(f"/?lang={other}").html
    assert f'<html lang="{other}">' in visitor.get("/issued").html


def test_a_deposit_is_followed_to_its_verdict(world: World, document: bytes) -> None:
    """The page of a deposit asks for itself again while the platform judges, then says 200 and opens the invoice."""
    seller = world.visitor()
    waiting = seller.deposit("C:\\factures\\été.xml", document)
    assert waiting.path.startswith("/flows/")
    assert '<meta http-equiv="refresh"' in waiting.html
    assert "été.xml" in waiting.text
    assert "factures" not in waiting.text
    world.work()
    settled = seller.get(waiting.path)
    assert "http-equiv" not in settled.html
    assert "Statut 200, déposée" in settled.text
    invoice = seller.get(settled.links("/invoices/")[0])
    for words in ("F-2026-001", "Fournitures du Ponant", "Ateliers du Levant", "200 Déposée", "votre plateforme"):
        assert words in invoice.text
    assert "F-2026-001" in seller.get("/issued").text
    assert "F-2026-001" in seller.get("/").text
    assert "été.xml" in seller.get("/deposits").text


def test_every_term_a_person_needs_is_read(world: World, document: bytes) -> None:
    """The page of an invoice shows parties, lines, VAT by rate, totals, payment and legal mentions."""
    page = world.visitor().get(world.issue(document))
    for words in (
        "SIREN 100000009",
        "FR88100000009",
        "Conseil",
        "10 h",
        "1\u202f000,00\xa0EUR",
        "20 %",
        "10 %",
        "Montant total TVA comprise",
        "1\u202f310,00\xa0EUR",
        "FR7630006000011234567890189",
        "Pénalités de retard",
        "10/10/2026",
    ):
        assert " ".join(words.split()) in page.text


def test_a_rejection_explains_each_fault(world: World, wrong_document: bytes) -> None:
    """A rejected deposit says 213, and of each fault the reason, the rule, the terms by name and code."""
    seller = world.visitor()
    path = seller.deposit("fausse.xml", wrong_document).path
    world.work()
    page = seller.get(path)
    for words in ("Facture rejetée", "213", "MONTANTTOTAL_ERR", "BR-CO-15", "BT-112", "Montant total TVA comprise"):
        assert words in page.text
    assert "Rejetées ou refusées" in seller.get("/").text


def test_a_corrected_deposit_asks_for_no_more_attention(world: World, document: bytes, wrong_document: bytes) -> None:
    """Once the same number is deposited again and taken, its rejection leaves the home page."""
    world.issue(wrong_document)
    world.issue(document)
    assert "Rejetées" not in world.visitor().get("/").text


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "IRR_VIDE_F"), (b"<invoice", "IRR_SYNTAX"), (b"<a/>", "IRR_TYPE_F"), (b"%PDF-1.7 broken", "IRR_")],
)
def test_an_irreceivable_file_says_why(world: World, data: bytes, code: str) -> None:
    """A file that is no invoice is irreceivable: the page gives the code, and no invoice."""
    seller = world.visitor()
    path = seller.deposit("rien.xml", data).path
    world.work()
    page = seller.get(path)
    assert "Dépôt irrecevable" in page.text
    assert code in page.text
    assert not page.links("/invoices/")
    assert "Dépôts irrecevables" in seller.get("/").text


@pytest.mark.parametrize(("language", "words"), [("fr", "Fichier déjà déposé"), ("en", "File deposited before")])
def test_a_file_deposited_twice_leads_to_the_first(world: World, document: bytes, language: str, words: str) -> None:
    """A technical duplicate is said in words, without code or identifier, and the first deposit is a link away."""
    world.issue(document, "une.xml")
    seller = world.visitor(language=language)
    [first] = seller.get("/deposits").links("/flows/")
    path = seller.deposit("deux.xml", document).path
    world.work()
    page = seller.get(path)
    assert words in page.text
    assert first in page.links("/flows/")
    assert "AlreadyExistingFlow" not in page.text and first.removeprefix("/flows/") not in page.text


def test_an_invoice_of_somebody_else_is_not_received(world: World, document: bytes) -> None:
    """A customer that deposits another company's invoice finds it rejected among its deposits, not among received."""
    buyer = world.visitor("buyer")
    path = buyer.deposit("facture.xml", document).path
    world.work()
    assert "EST-ISSUER" in buyer.get(path).text
    assert "F-2026-001" not in buyer.get("/received").text
    assert "F-2026-001" in buyer.get("/issued").text


def test_the_desk_says_for_whom(world: World) -> None:
    """Every page names the company, with its SIREN."""
    for path in PAGES:
        assert f"buyer SIREN {BUYER}" in world.visitor("buyer").get(path).text


def test_files_up_to_the_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of exactly the limit is taken; one byte more is answered 413 with IRR_TAILLE_F, and nothing is kept."""
    monkeypatch.setattr(deposits, "FILE_BYTES_MAX", 1000)
    seller = world.visitor()
    assert seller.deposit("juste.xml", b"x" * 1000).status == 200
    for size in (1001, 1000 + files.FORM_OVERHEAD + 1):
        page = seller.deposit("trop.xml", b"x" * size)
        assert page.status == 413
        assert "IRR_TAILLE_F" in page.text
    assert "trop.xml" not in seller.get("/deposits").text


def test_a_form_without_a_file(world: World) -> None:
    """A deposit form sent without its file is drawn again and says so."""
    seller = world.visitor()
    page = seller.post("/deposit", csrf=seller.get("/deposit").hidden("csrf"))
    assert page.status == 400
    assert "Aucun fichier" in page.text


def test_a_file_without_the_form_s_token(world: World, document: bytes) -> None:
    """A file sent by another site's form is refused with 403, in the desk's own look."""
    page = world.visitor().send_file("/deposit", "facture.xml", document, csrf="guess")
    assert page.status == 403
    assert "Accès refusé" in page.text
    assert "Relais" in page.text


def test_the_buyer_answers(world: World, document: bytes) -> None:
    """The buyer sees what waits, acknowledges, disputes with reason, action and comment; all is in the time line."""
    buyer, path = world.visitor("buyer"), world.receive(document)
    assert "Reçues, à répondre" in buyer.get("/").text
    assert "Prendre en charge" in buyer.get(path).text
    assert "204 Prise en charge" in buyer.answer(path, "204").text
    page = buyer.answer(path, "207", reason="TX_TVA_ERR", action="NIN", comment="Le taux est de 10 %")
    for words in ("207 En litige", "Taux de TVA erroné", "Émettre une facture rectificative", "Le taux est de 10 %"):
        assert words in page.text
    assert "Reçues, à répondre" not in buyer.get("/").text


def test_only_the_reasons_of_the_status_are_offered(world: World, document: bytes) -> None:
    """The form of a refusal offers the reasons of a refusal, and no other."""
    page = world.visitor("buyer").get(world.receive(document)).html
    form = page[page.index('name="status" value="210"') :]
    offered = re.findall(r'<option value="([A-Z_]+)"', form[: form.index("</select>")])
    assert "TX_TVA_ERR" in offered
    assert "QTE_ERR" not in offered


def test_a_refusal_without_a_reason_is_drawn_again(world: World, document: bytes) -> None:
    """A refusal that lacks its reason is answered 422 with the rule in words, and what was typed is kept."""
    buyer, path = world.visitor("buyer"), world.receive(document)
    page = buyer.answer(path, "210", comment="Non, merci")
    assert page.status == 422
    assert "motif" in page.text
    assert "Non, merci" in page.html
    assert "210 Refusée" not in page.text


def test_a_refusal_ends_it(world: World, document: bytes) -> None:
    """After a refusal the buyer is no longer offered to approve, and the administration is told."""
    buyer, path = world.visitor("buyer"), world.receive(document)
    page = buyer.answer(path, "210", reason="TX_TVA_ERR", comment="Taux faux")
    assert "210 Refusée" in page.text
    assert "Approuver" not in page.text
    assert "Statut 210 Refusée" in page.text


def test_a_town_is_offered_what_chorus_pro_knows(world: World, document: bytes) -> None:
    """What Chorus Pro received is neither approved nor disputed there, and is refused for its own reasons."""
    town, path = world.visitor("buyer"), world.receive(document, recipient="9999")
    offered = re.findall(r'name="status" value="(\d+)"', town.get(path).html)
    assert offered == ["204", "208", "210", "211"]
    forged = town.answer(path, "205")
    assert forged.status == 422
    assert "Chorus Pro" in forged.text
    assert town.answer(path, "210", reason="QTE_ERR", comment="Trop").status == 422
    refused = town.answer(path, "210", reason="SUPPR_COMP_AVOIR", comment="Compensée")
    assert "210 Refusée" in refused.text


def test_a_form_drawn_before_another_was_sent(world: World, document: bytes) -> None:
    """The second of two forms drawn together changes nothing, and says that the invoice has changed."""
    buyer, path = world.visitor("buyer"), world.receive(document)
    drawn = buyer.get(path)
    fields = {"csrf": drawn.hidden("csrf"), "ours": drawn.hidden("ours"), "status": "205"}
    assert buyer.post(path, **fields).status == 200
    again = buyer.post(path, **fields)
    assert again.status == 422
    assert "a changé" in again.text
    assert again.text.count("205 Approuvée") == 1


def test_the_seller_reports_what_it_collects(world: World, document: bytes) -> None:
    """A collection starts with what remains at each rate; after a part of it, with the rest."""
    seller, path = world.visitor(), world.issue(document)
    drawn = seller.get(path).html
    assert 'value="1200.00"' in drawn
    assert 'value="110.00"' in drawn
    page = seller.answer(path, "212", rate_0="20.00", amount_0="1\u202f000,00", rate_1="10.00", amount_1="")
    assert "Montant encaissé TTC : 1 000,00 EUR à 20 %" in page.text
    assert 'value="200.00"' in page.html
    assert "Statut 212 Encaissée" in page.text


@pytest.mark.parametrize(("language", "shown"), [("fr", "1 200,00 EUR à 20 %"), ("en", "1,200.00 EUR at 20 %")])
def test_what_a_form_starts_with_goes_back_unchanged(world: World, document: bytes, language: str, shown: str) -> None:
    """In both languages, the amounts drawn in the form of a collection are taken and declared as they stand."""
    path, seller = world.issue(document), world.visitor(language=language)
    drawn = re.findall(r'name="(amount-\d|rate-\d)"[^>]*value="([^"]*)"', seller.get(path).html)
    page = seller.answer(path, "212", **{name.replace("-", "_"): value for name, value in drawn})
    assert page.status == 200
    assert shown in page.text


def test_an_amount_that_is_none(world: World, document: bytes) -> None:
    """An amount that cannot be read is said, in words, with what was typed."""
    seller, path = world.visitor(), world.issue(document)
    page = seller.answer(path, "212", rate_0="20.00", amount_0="mille")
    assert page.status == 422
    assert "« mille »" in page.text
    assert "212 Encaissée" not in page.text


def test_a_status_of_the_other_party(world: World, document: bytes) -> None:
    """A seller who forges the form of an approval is told it may not, and nothing is set."""
    seller, path = world.visitor(), world.issue(document)
    page = seller.answer(path, "205")
    assert page.status == 422
    assert "205 Approuvée" not in seller.get(path).text


def test_what_is_another_company_s_is_not_found(world: World, document: bytes) -> None:
    """No address of another company's invoice, deposit or file answers anything but 404, in the desk's own look."""
    seller = world.visitor()
    flow = seller.deposit("facture.xml", document).path
    world.work()
    invoice = seller.get(flow).links("/invoices/")[0]
    other = world.visitor("other")
    for path in (
        flow,
        invoice,
        f"{invoice}/original",
        f"{invoice}/readable",
        f"{invoice}/documents/0",
        "/invoices/none",
    ):
        page = other.get(path)
        assert page.status == 404
        assert "Page introuvable" in page.text
    drawn = other.get("/deposit")
    assert other.post(invoice, csrf=drawn.hidden("csrf"), ours="0", status="212").status == 404


def test_an_account_without_a_company(world: World) -> None:
    """An operator's account opens no company's pages, 403, and begins where accounts are kept."""
    operator = Visitor(world.application)
    assert operator.sign_in("operator", "correct horse").path == "/access"
    for path in PAGES[1:]:
        assert operator.get(path).status == 403


def test_the_original_is_given_byte_for_byte(world: World, document: bytes) -> None:
    """The original comes as it came, to be saved and never shown."""
    page = world.visitor().get(f"{world.issue(document, 'été.xml')}/original")
    assert page.body == document
    assert page.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9t%C3%A9.xml"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-type"] == "application/octet-stream"


def test_the_readable_form_is_a_pdf_in_the_reader_s_language(world: World, document: bytes) -> None:
    """An invoice has its readable form, life cycle included, to be saved under its number, in French or in English."""
    seller, path = world.visitor(), world.issue(document)
    assert f"{path}/readable" in seller.get(path).links("/invoices/")
    page = seller.get(f"{path}/readable")
    assert page.headers["content-disposition"] == "attachment; filename*=UTF-8''F-2026-001.pdf"
    for language, title in (("fr", "Facture commerciale F-2026-001"), ("en", "Invoice F-2026-001")):
        with pikepdf.open(BytesIO(seller.get(f"{path}/readable?lang={language}").body)) as pdf:
            assert str(pdf.docinfo.Title) == title
            assert str(pdf.Root.Lang) == language


def test_an_invoice_rejected_at_reception_is_not_handed_over(world: World, wrong_document: bytes) -> None:
    """The buyer knows that a rejected invoice came and why, but neither reads it nor has its file."""
    buyer, path = world.visitor("buyer"), world.receive(wrong_document)
    page = buyer.get(path)
    assert "BR-CO-15" in page.text
    assert "Conseil" not in page.text
    assert buyer.get(f"{path}/original").status == 404
    assert buyer.get(f"{path}/readable").status == 404


def test_an_unreachable_customer_is_visible(world: World) -> None:
    """An invoice to a customer without a platform is submitted, not transmitted, and asks for attention."""
    path = world.issue(ubl(an_invoice()).replace(BUYER.encode(), OTHER.encode()))
    seller = world.visitor()
    assert "déposée, non transmise" in seller.get(path).text
    assert "Déposées, non transmises" in seller.get("/").text


def test_names_are_shown_as_text(world: World) -> None:
    """What an invoice says is text, whatever it looks like."""
    named = replace(an_invoice(), buyer=party("Levant <b>&x", BUYER))
    page = world.visitor().get(world.issue(ubl(named)))
    assert "Levant &lt;b&gt;&amp;x" in page.html
    assert "<b>&x" not in page.html


def test_no_page_has_a_script(world: World, document: bytes) -> None:
    """No page holds a script or a style of its own, and the security policy allows none."""
    seller, invoice = world.visitor(), world.issue(document)
    for path in (*PAGES, invoice):
        page = seller.get(path)
        assert page.status == 200
        assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:", page.html)
        assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(("over", "status"), [(0, 401), (1, 413)])
def test_a_form_is_read_to_its_limit(world: World, over: int, status: int) -> None:
    """A form of a stranger is read up to the limit; one byte more, and it is refused before it is whole."""
    room = DESK_FORM_BYTES_MAX - len("login=&password=")
    assert Visitor(world.application).post("/sign-in", login="x" * (room + over), password="").status == status


def test_no_other_site_fills_our_forms(world: World) -> None:
    """What a browser says another site's page sent is refused, signing in too; from our own page it is not."""
    for site, status in (("cross-site", 403), ("same-origin", 200)):
        assert Visitor(world.application, headers={"sec-fetch-site": site}).sign_in("seller", PASSWORD).status == status


def test_lists_turn_their_pages(world: World) -> None:
    """Fifty invoices a page; a page past the last is not found, a page number that is none is the first."""
    seller = world.visitor()
    for number in range(51):
        seller.deposit(f"{number}.xml", ubl(an_invoice(f"F-{number:03}")))
    world.work()
    first, second = seller.get("/issued"), seller.get("/issued?page=2")
    assert len(first.links("/invoices/")) == 50
    assert len(second.links("/invoices/")) == 1
    assert seller.get("/issued?page=3").status == 404
    assert seller.get("/issued?page=zero").links("/invoices/") == first.links("/invoices/")


def test_every_template_is_used() -> None:
    """No template of the desk is left over."""
    folder = Path(deposits.__file__).parent
    code = "".join(file.read_text() for file in (*folder.glob("*.py"), *folder.glob("templates/*.html")))
    for template in folder.glob("templates/*.html"):
        assert f'"{template.name}"' in code


def test_an_invoice_that_reached_nobody_is_sent_again(world: World) -> None:
    """The page offers to send it again; while the directory names nobody it says why not, and once it does it goes."""
    path = world.issue(ubl(replace(an_invoice(), buyer=party("Sans plateforme", OTHER))))
    seller = world.visitor()
    page = seller.get(path)
    assert "Transmettre de nouveau" in page.text
    refused = seller.post(path, csrf=page.hidden("csrf"), again="yes")
    assert refused.status == 422
    assert "toujours pas de plateforme" in refused.text
    with world.actor.database.begin() as connection:
        connection.execute(update(mirror_line).where(mirror_line.c.address == OTHER).values(matricule="0005"))
    sent = seller.post(path, csrf=page.hidden("csrf"), again="yes")
    assert sent.status == 200
    assert "Transmettre de nouveau" not in sent.text

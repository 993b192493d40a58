"""A status carries what it must, and nothing of another."""

from dataclasses import replace
from decimal import Decimal

import pytest

from estafette.formats.status_message import Characteristic, Detail, Note
from estafette.lifecycle.contents import commented, incomplete


def collected(**more: object) -> Detail:
    """An amount collected, whole unless said otherwise."""
    known = {"type_code": "MEN", "amount": Decimal(120), "currency": "EUR", "percent": Decimal("20.00")}
    return Detail(characteristics=(Characteristic(**(known | more)),))  # type: ignore[arg-type]


COMMENTED = (Note("Deux fois la même."),)


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        ("210", Detail(reason_code="DOUBLON", notes=COMMENTED)),
        ("208", Detail(reason_code="JUSTIF_ABS", notes=COMMENTED)),
        ("207", Detail(reason_code="TX_TVA_ERR", requested_action="NIN")),
        ("213", Detail(reason_code="DOUBLON")),
        ("205", Detail()),
        ("212", collected()),
        ("212", collected(percent=Decimal("5.5"))),
        ("212", Detail(notes=COMMENTED, characteristics=collected(amount=Decimal(-5)).characteristics)),
    ],
)
def test_what_is_complete(status: str, detail: Detail) -> None:
    """A status with its reason, its comment, its amounts is complete."""
    assert incomplete(status, (detail,)) is None


@pytest.mark.parametrize(
    ("status", "detail", "code", "rule"),
    [
        ("210", Detail(), "REJ_RG", "G7.08"),
        ("213", Detail(reason="Double"), "REJ_RG", "G7.08"),
        ("210", Detail(reason_code="REJ_SEMAN", notes=COMMENTED), "REJ_RG", "BR-FR-CDV-CL-09"),
        ("213", Detail(reason_code="ANYTHING"), "REJ_RG", "BR-FR-CDV-CL-09"),
        ("200", Detail(reason_code="DOUBLON"), "REJ_RG", "BR-FR-CDV-CL-09"),
        ("210", Detail(reason_code="DOUBLON"), "REJ_RG", "G7.25"),
        ("207", Detail(reason_code="AUTRE", requested_action="ZZZ"), "REJ_RG", "BR-FR-CDV-CL-10"),
        ("205", Detail(characteristics=(Characteristic(type_code="ZZZ"),)), "REJ_RG", "BR-FR-CDV-CL-11"),
        ("212", Detail(), "REJ_ENCAISSEMENT", "BR-FR-CDV-14"),
        ("212", collected(type_code="RAP"), "REJ_ENCAISSEMENT", "BR-FR-CDV-14"),
        ("212", collected(amount=None), "REJ_ENCAISSEMENT", "BR-FR-CDV-14"),
        ("212", collected(currency=""), "REJ_ENCAISSEMENT", "P1.15"),
        ("212", collected(percent=None), "REJ_ENCAISSEMENT", "P1.18"),
        ("212", collected(percent=Decimal(21)), "REJ_ENCAISSEMENT", "G1.24"),
        ("212", collected(amount=Decimal(-5)), "REJ_ENCAISSEMENT", "P1.17"),
    ],
)
def test_what_is_incomplete(status: str, detail: Detail, code: str, rule: str) -> None:
    """Each thing that is missing or foreign is told with the code of the field and the rule that asks for it."""
    refusal = incomplete(status, (detail,))
    assert refusal is not None
    assert (refusal.code, refusal.rule) == (code, rule)
    assert refusal.fr != refusal.en


def test_reasons_that_only_the_public_sector_has() -> None:
    """A withdrawal by a service refuses an invoice to a public entity, no other."""
    detail = (Detail(reason_code="RETRAIT_MAN_SERV", notes=COMMENTED),)
    assert incomplete("210", detail, b2g=True) is None
    assert incomplete("210", detail) is not None


def test_the_reason_stands_for_the_comment() -> None:
    """A refusal without a comment takes the words of its reason, where that is asked; with one, nothing changes."""
    worded = Detail(reason_code="TX_TVA_ERR", reason="Taux de 20 % attendu")
    for detail, words in ((worded, "Taux de 20 % attendu"), (replace(worded, reason=""), "Taux de TVA erroné")):
        (told,) = commented("210", (detail,), labelled=True)
        assert told.notes == (Note(words),)
        assert incomplete("210", (told,)) is None
        assert commented("210", (detail,)) == (detail,)
    said = (replace(worded, notes=COMMENTED),)
    assert commented("210", said, labelled=True) == said
    assert commented("205", (Detail(),), labelled=True) == (Detail(),)


def test_the_collection_of_a_credit_note_needs_no_cause() -> None:
    """Its amount is negative by nature: the comment that the portal asks for names the credit note."""
    (told,) = commented("212", (collected(amount=Decimal(-5)),), credit_note="A-1")
    assert told.notes == (Note("Avoir A-1"),)
    assert incomplete("212", (told,)) is None

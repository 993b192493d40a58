"""Reasons go with the statuses that the official assertions allow, and failed rules give the right one."""

import pytest

from estafette.lifecycle.reasons import REASONS, fits, reason_label, reason_of, reasons_of


@pytest.mark.parametrize(
    ("findings", "reason"),
    [
        (["BR-CO-10"], "MONTANTTOTAL_ERR"),
        (["BR-CO-16", "BR-FREXT-CO-15"], "MONTANTTOTAL_ERR"),
        (["BR-CO-17"], "CALCUL_ERR"),
        (["BR-S-08", "BR-AE-09"], "CALCUL_ERR"),
        (["BR-FXEXT-S-08"], "CALCUL_ERR"),
        (["BR-FR-12_BT-49"], "ADR_ERR"),
        (["BR-FR-21_BT-49", "BR-FR-23_BT-34"], "ADR_ERR"),
        (["BR-FR-CPRO-11"], "REJ_CONT_B2G"),
        (["BR-FR-01_BT-1"], "REJ_SEMAN"),
        (["BR-CO-18"], "REJ_SEMAN"),
        (["BR-CO-103"], "REJ_SEMAN"),
        (["BR-S-10"], "REJ_SEMAN"),
        (["BR-FR-120"], "REJ_SEMAN"),
        (["BR-CO-15", "BR-01"], "REJ_SEMAN"),
        (["BR-S-08", "BR-CO-15"], "MONTANTTOTAL_ERR"),
        ([], "REJ_SEMAN"),
    ],
)
def test_reason_of_failed_rules(findings: list[str], reason: str) -> None:
    """Totals, calculations and addresses have their own reason; anything else, alone or mixed in, is semantic."""
    assert reason_of(findings) == reason


def test_every_reason_of_rules_suits_a_rejection() -> None:
    """What a failed rule gives may be written in a rejection."""
    for findings in (["BR-CO-10"], ["BR-CO-17"], ["BR-FR-12_BT-49"], ["BR-FR-CPRO-1"], ["?"]):
        assert fits(reason_of(findings), "213")


def test_refusals_of_the_public_sector() -> None:
    """Chorus Pro refuses for more reasons than a company, and the official test lets nobody use CONTACT_ACHTR."""
    company = {reason.code for reason in reasons_of("210")}
    public = {reason.code for reason in reasons_of("210", b2g=True)}
    assert len(company) == 13
    assert public - company == {
        "AUTRE",
        "COORD_BANC_ERR",
        "LIVR_INCOMP",
        "RETRAIT_MAN_SERV",
        "ST_CT_NON_DECLAR",
        "SUPPR_COMP_AVOIR",
        "TRANSF_PMNT_REGIE",
    }
    assert company < public
    assert not fits("CONTACT_ACHTR", "210", b2g=True)


def test_sizes_of_the_lists() -> None:
    """The lists have the sizes of the published ones."""
    sizes = {status: len(reasons_of(status)) for status in ("200", "206", "207", "208", "213", "221", "501")}
    assert sizes == {"200": 1, "206": 13, "207": 26, "208": 7, "213": 12, "221": 1, "501": 10}


def test_statuses_without_a_list() -> None:
    """A status without a list takes any known reason, and none that is unknown."""
    assert fits("AUTRE", "205")
    assert not fits("NOTHING", "205")
    assert reasons_of("205") == ()


def test_labels() -> None:
    """Every reason has two labels that fit the message; a misprinted code is understood, an unknown one is shown."""
    assert all(reason.label and reason.name and len(reason.label) <= 250 for reason in REASONS.values())
    assert reason_label("IRR_UNCITE") == reason_label("IRR_UNICITE")
    assert reason_label("ANNUL_ENC") == "ANNUL_ENC"

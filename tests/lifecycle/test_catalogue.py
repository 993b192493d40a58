"""The whole catalogue of statuses is what the field's documents say: who, from which, with what, told to whom."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations

import pytest
from tests.conftest import SHARED

from estafette.formats.status_message import Role
from estafette.lifecycle import STATUSES, Side, StatusEvent, may
from estafette.lifecycle.contents import CHARACTERISTICS, REQUESTED_ACTIONS
from estafette.lifecycle.reasons import B2G, REASONS
from estafette.lifecycle.statuses import BUYER_SIDE, SELLER_SIDE, Duty, ObjectKind, emitters_of

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
INVOICE_STATUSES = sorted(code for code, row in STATUSES.items() if ObjectKind.INVOICE in row.objects)
ROLES = sorted(Role)

LAW = """
200 WK            sending    -            200 210 213
213 WK            sending    -            200 210 213
201 WK            sending    200          213
202 WK            receiving  -            202 213
213 WK            receiving  -            202 210 213
221 WK            receiving  -            202 213
501 WK DFH        receiving  -            202 213
203 WK            receiving  202          213
204 BY AB IV      either     200 202      210 213
205 BY AB IV      either     200 202      210 213
206 BY AB IV      either     200 202      210 213
207 BY AB IV      either     200 202      210 213
208 BY AB IV      either     200 202      210 213
209 SE SR II      either     208          210 213
210 BY AB IV      either     200 202      210 213
211 BY AB IV PR SE either    200 202      213
212 SE SR II PE DL either    200 202      210 213
214 AB SR         either     200 202      213
220 SE SR II      either     200 202      213 220
224 SE SR II AB   either     200 202      213
225 SE SR DL      either     200 202      213
226 SE SR DL      either     200 202      213
227 SE SR II PE DL either    200 202      213
228 SE SR DL      either     200 202      213
"""
"""Who sets each status of an invoice, on which side, after one of which, after none of which: the automaton of the
general file (§3) and the definitions of its statuses, said a second time."""

GENERIC, OMITTED = "5", {"220"}
"""MDT-88 of the statuses that have none of their own; the published example of 220 has none at all."""


def _law() -> Iterator[tuple[str, set[str], str, set[str], set[str]]]:
    for line in LAW.strip().splitlines():
        words, side, needs, bars = re.fullmatch(  # type: ignore[union-attr]
            r"(.*?) +(sending|receiving|either) +(-|[\d ]+?)  +([\d ]+)", line
        ).groups()
        code, *roles = words.split()
        yield code, set(roles), side, set(needs.split()) - {"-"}, set(bars.split())


RULES = list(_law())


def expected(status: str, role: str, side: Side | None, facts: set[str]) -> str | None:
    """Say how a status is answered, by the law above: taken, or the code of its refusal."""
    rows = [row for row in RULES if row[0] == status]
    if not rows:
        return "REJ_INEX"
    if role not in rows[0][1]:
        return "REJ_HAB"
    rows = [row for row in rows if side is None or row[2] in ("either", side.value)]
    if not rows:
        return "REJ_HAB"
    is_taken = any(not bars & facts and (not needs or needs & facts) for *_who, needs, bars in rows)
    return None if is_taken else "REJ_INC"


def answered(status: str, role: str, side: Side | None, facts: tuple[str, ...], **more: bool) -> str | None:
    """Say how the table answers."""
    history = [StatusEvent(code, START + timedelta(minutes=at)) for at, code in enumerate(facts)]
    refusal = may(status, history=history, emitter_role=role, side=side, **more)
    return refusal.code if refusal else None


def preconditions(size: int) -> Iterator[tuple[str, ...]]:
    """Give every set of facts up to a size."""
    return chain.from_iterable(combinations(INVOICE_STATUSES, many) for many in range(size + 1))


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_every_role_and_side(status: str) -> None:
    """Each status, by each role, on each side, on an invoice with any one fact or none."""
    for facts in preconditions(1):
        for role in ROLES:
            for side in (None, *Side):
                seen = answered(status, role, side, facts)
                assert seen == expected(status, role, side, set(facts)), (role, side, facts)


@pytest.mark.parametrize("status", INVOICE_STATUSES)
def test_every_precondition(status: str) -> None:
    """Each status, by whoever may set it, on each side, on an invoice with any two facts."""
    role = min(STATUSES[status].emitters)
    for facts in preconditions(2):
        for side in (None, *Side):
            assert answered(status, role, side, facts) == expected(status, role, side, set(facts)), (side, facts)


@pytest.mark.parametrize("status", INVOICE_STATUSES)
def test_self_billing(status: str) -> None:
    """On an invoice that the buyer makes, who answers and who completes change places; money does not."""
    own, turned = set(STATUSES[status].emitters), set(emitters_of(STATUSES[status], self_billed=True))
    answers, completes = set(BUYER_SIDE), set(SELLER_SIDE)
    assert turned == (completes if own == answers else answers if own == completes else own)
    for role in ROLES:
        is_entitled = answered(status, role, None, ("200", "202", "208"), self_billed=True) != "REJ_HAB"
        assert is_entitled == (role in turned)


# ------------------------------------------------------------------------------------------- the field's documents


@pytest.fixture(scope="module")
def digest() -> str:
    """What the field's documents say of the life cycle, where it is beside the project."""
    file = SHARED / "domain" / "lifecycle.md"
    if not file.is_file():
        pytest.skip("the documents of the field are not beside the project")
    return file.read_text()


def rows(digest: str, header: str) -> list[list[str]]:
    """Return the cells of the table whose header begins so."""
    table = digest[digest.index(header) :].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [[cell.strip().strip("`*") for cell in line.strip("|").split("|")] for line in table if line.startswith("|")]


def test_the_statuses_themselves(digest: str) -> None:
    """Label, phase, MDT-88, who sets it, duty to the portal, terminal, reason: as in the catalogue of the documents."""
    found = rows(digest, "| Code | French label |")
    assert [row[0] for row in found] == [code for code in INVOICE_STATUSES if code != "501"] + ["501"]
    for code, label, phase, document_status, who, duty, meaning in found:
        row = STATUSES[code]
        assert (row.label, row.phase) == (label, phase)
        generic = "" if code in OMITTED or "5" not in document_status else GENERIC
        assert row.document_status == (generic if document_status.startswith("∅") else document_status), code
        assert row.duty == {"M": Duty.ALWAYS, "C": Duty.CONDITIONAL, "—": Duty.NEVER}[duty]
        setters = re.split("→|↔", who)[0] if "; or" not in who else who
        named = set(re.findall(r"\b(SE|BY|AB|SR|DL)\b", setters)) if "PA-" not in who else {"WK"}
        assert named <= row.emitters, code
        assert row.needs_reason == ("eason mandatory" in meaning or code in {"221", "501"}), code
        assert row.is_terminal == (code == "501" or ("Terminal" in meaning and "mandatory statuses" not in meaning))


def test_the_statuses_of_the_public_sector(digest: str) -> None:
    """Chorus Pro knows those that its own annex names."""
    told = digest[digest.index("### 2.2") : digest.index("## 3.")]
    b2g = re.search(r"B2G .*?: ([\d, ]+)\.", told)
    g2b = re.search(r"G2B .*?: (\d+)–(\d+), ([\d, ]+)\.", told)
    assert b2g and g2b
    assert {code for code, row in STATUSES.items() if row.in_b2g} == set(b2g[1].split(", "))
    inside = {code for code in STATUSES if g2b[1] <= code <= g2b[2]}
    assert {code for code, row in STATUSES.items() if row.in_g2b} == inside | set(g2b[3].split(", "))


def test_the_reasons(digest: str) -> None:
    """Each reason goes with the statuses of the documents' table, no other."""
    uses = ("200", "206", "207", "208", "210", B2G, "213", "221", "501")
    told: dict[str, set[str]] = {}
    for names, _meaning, *cells in rows(digest, "| Code | Meaning (own words) |"):
        for name in names.split(" / "):
            told[name] = {use for use, cell in zip(uses, cells, strict=True) if cell == "x"}
    mine = {code: set(reason.statuses) & set(uses) for code, reason in REASONS.items()}
    assert {code: used for code, used in mine.items() if code in told} == told
    assert all(not used for code, used in mine.items() if code not in told)


def test_the_data(digest: str) -> None:
    """Each datum goes with the statuses of the documents' table; MAJ with any."""
    told: dict[str, set[str]] = {}
    used: set[str] = set()
    for names, _meaning, uses, _element in rows(digest, "| Code | Meaning | Used with |"):
        used = used if uses == "same" else set(re.findall(r"\d{3}", uses))
        # MNA and MNATTC stand in one row with both statuses of the disagreement.
        told |= dict.fromkeys(names.split(" / "), used)
    assert told.keys() == CHARACTERISTICS.keys()
    assert {name: {code for code, row in STATUSES.items() if name in row.data} for name in told} == told


def test_the_actions(digest: str) -> None:
    """The requested actions are those of the documents, and asked with a disagreement only."""
    told = digest[digest.index("### 4.1") : digest.index("### 4.2")]
    assert set(re.findall(r"\b([A-Z]{3}) [a-z]", told)) - {"MDT"} == REQUESTED_ACTIONS.keys()
    assert {code for code, row in STATUSES.items() if row.asks_action} == {"206", "207", "208", "210"}

"""`estafette answer` on the running circuit: the customer answers, the supplier says it was paid."""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from tests.cli.command import Done, one_line, run
from tests.running import Circuit

from estafette.lifecycle import STATUSES
from estafette.simulation import samples
from estafette.values.moments import paris_day


@pytest.fixture
def number(circuit: Circuit, tmp_path: Path) -> str:
    """The number of an invoice that the supplier sent and the customer has."""
    sent = f"A{uuid4().hex[:12]}"
    (tmp_path / f"{sent}.xml").write_bytes(
        samples.load("service", number=sent, issue_date=paris_day(datetime.now(UTC)))
    )
    done = run("send", str(tmp_path / f"{sent}.xml"), "--data", str(circuit.data), "--port", str(circuit.port))
    assert done.returncode == 0, done.stdout + done.stderr
    circuit.wait_quiet()
    return sent


def answer(circuit: Circuit, *arguments: str) -> Done:
    """Answer on the running circuit."""
    return run("answer", *arguments, "--data", str(circuit.data), "--port", str(circuit.port))


def test_a_dispute_then_a_payment(circuit: Circuit, number: str) -> None:
    """The customer approves in part with a reason, the supplier reports the payment: both sides have both statuses."""
    for arguments in (
        (number, "204"),
        (number, "207", "--reason", "QTE_ERR", "--comment", "Dix reçus."),
        (number, "205"),
        (number, "212", "--as", "fournisseur", "--amount", "2400.00", "--rate", "20"),
    ):
        done = answer(circuit, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        known = STATUSES[arguments[1]]
        said = f"{known.label} : statut pris et transmis / {known.name}: status taken, passed on"
        assert done.stdout == f"{arguments[1]} {said}\n"
    circuit.wait_quiet()
    query = "SELECT e.status FROM event e JOIN invoice i ON i.id = e.invoice_id WHERE i.number = ?"
    for platform in ("platform-a", "platform-b"):
        assert {"204", "205", "207"} <= set(circuit.query(platform, query, number))
    assert "212" in circuit.query("platform-a", query, number)


def test_what_the_life_cycle_does_not_allow(circuit: Circuit, number: str) -> None:
    """The supplier cannot approve its own invoice: exit 1 with the reason."""
    done = answer(circuit, number, "205", "--as", "fournisseur")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith("205 Approuvée : statut non pris / Approved: status not taken\n  - ")


def test_one_number_in_two_years(circuit: Circuit, number: str, tmp_path: Path) -> None:
    """The same number of another year is another invoice: which one must be said."""
    today = paris_day(datetime.now(UTC))
    before = date(today.year - 1, 12, 15)
    (tmp_path / "before.xml").write_bytes(samples.load("service", number=number, issue_date=before))
    done = run("send", str(tmp_path / "before.xml"), "--data", str(circuit.data), "--port", str(circuit.port))
    assert done.returncode == 0, done.stdout + done.stderr
    circuit.wait_quiet()
    line = one_line(answer(circuit, number, "204"))
    assert str(today) in line
    assert str(before) in line
    done = answer(circuit, number, "204", "--seller", "100000009", "--year", str(before.year))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_an_invoice_nobody_sent(circuit: Circuit) -> None:
    """An unknown number, an unknown status, an amount that is none: one line, exit 2."""
    assert "NOBODY-1" in one_line(answer(circuit, "NOBODY-1", "205"))
    assert "999?" in one_line(answer(circuit, "NOBODY-1", "999"))
    assert "1e3" in one_line(answer(circuit, "NOBODY-1", "212", "--amount", "1e3"))
    assert "--amount" in one_line(answer(circuit, "NOBODY-1", "212", "--rate", "20"))

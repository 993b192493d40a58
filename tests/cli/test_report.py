"""`estafette report` on the running circuit: a till's file handed in, looked at, sent, answered by the portal."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.cli.command import Done, one_line, run
from tests.running import Circuit

from estafette.values.moments import paris_day


def report(circuit: Circuit, *arguments: str) -> Done:
    """Run the verb on the running circuit, as the supplier."""
    return run("report", *arguments, "--data", str(circuit.data), "--port", str(circuit.port))


def over() -> date:
    """Return a day of a period of ten days that is over and of which nothing else of the tests speaks."""
    return (paris_day(datetime.now(UTC)).replace(day=1) - timedelta(days=40)).replace(day=15)


def test_a_till_file_to_the_portal(circuit: Circuit, tmp_path: Path) -> None:
    """Handed in twice it counts once; shown with its sums; sent, the portal accepts; changed, it is a correction."""
    day = over()
    period = ("SE", "transactions", str(day))
    file = tmp_path / "till.csv"
    file.write_text(f"id;date;category;rate;taxable_amount;tax_amount\nZ1;{day};TLB1;20;100;20\n")
    assert report(circuit, "hand-in", str(file)).returncode == 0
    again = json.loads(report(circuit, "hand-in", str(file), "--json").stdout)
    assert (again["state"], again["changes"]) == ("taken", 0)
    shown = report(circuit, "draft", *period, "--document", str(tmp_path / "flow10.xml"))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "10.3  EUR 100" in shown.stdout
    assert b"<TransactionsReport>" in (tmp_path / "flow10.xml").read_bytes()
    sent = report(circuit, "send", *period)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert "IN 0003-" in sent.stdout
    assert one_line(report(circuit, "send", *period)).endswith("Nothing new to send.")
    file.write_text(file.read_text().replace("100;20", "200;40"))
    report(circuit, "hand-in", str(file))
    sent = report(circuit, "send", *period)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert "RE 0003-" in sent.stdout
    assert f"{day.replace(day=11)} → {day.replace(day=20)}  accepted" in report(circuit, "drafts").stdout


def test_bad_rows_are_told(circuit: Circuit, tmp_path: Path) -> None:
    """A file with a bad row is refused, exit 1, the row told; its good rows can be taken alone."""
    file = tmp_path / "till.csv"
    rows = f"Z8;{over()};TLB9;20;1;0,20\nZ9;{over()};TPS1;20;0;0\n"
    file.write_text(f"id;date;category;rate;taxable_amount;tax_amount\n{rows}")
    refused = report(circuit, "hand-in", str(file))
    assert refused.returncode == 1
    assert "2 category « TLB9 »" in refused.stdout
    assert "TLB1, TPS1" in refused.stdout
    partial = json.loads(report(circuit, "hand-in", str(file), "--partial", "--json").stdout)
    assert (partial["state"], partial["rows"]) == ("partial", 1)


def test_a_period_that_is_none(circuit: Circuit) -> None:
    """A period that cannot be is one line and exit 2."""
    assert "YYYY-MM-DD" in one_line(report(circuit, "draft", "SE", "transactions", "yesterday"))

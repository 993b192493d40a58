"""`estafette pilot run`: what stops it before anything is played is one line and exit code 2."""

from tests.cli.command import one_line, run
from tests.running import Circuit, free_ports


def test_nobody_listens(circuit: Circuit) -> None:
    """With nobody at the addresses no case is played."""
    port = free_ports(4)
    line = one_line(run("pilot", "run", "uc1", "--data", str(circuit.data), "--port", str(port)))
    assert f":{port} (portal)" in line


def test_a_case_that_does_not_exist() -> None:
    """The cases there are are told."""
    assert "uc1" in one_line(run("pilot", "run", "uc99"))


def test_a_case_is_replayed(circuit: Circuit) -> None:
    """UC3 holds at every step on the running circuit: exit 0."""
    done = run("pilot", "run", "uc3", "--data", str(circuit.data), "--port", str(circuit.port))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout

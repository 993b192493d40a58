"""Runs of the tests at once on one machine do not meet."""

from tests.running import _PORTS, _Ports, free_ports


def test_no_two_processes_have_a_port_in_common() -> None:
    """Who takes a block of ports takes one that nobody holds; within it no port is given twice."""
    one, other = _Ports(), _Ports()
    one.take_block()
    other.take_block()
    given = [free_ports(60) for _ in range(4)]
    taken = [range(each.next, each.end) for each in (one, other)]
    taken += [range(first, first + 60) for first in given]
    for guard in (*one._guards, *other._guards):
        guard.close()
    together = [port for each in taken for port in each]
    assert len(together) == len(set(together))
    assert len(_PORTS._guards) >= 2

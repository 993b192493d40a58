"""Over TLS a message counts only from whom its certificate names, signed by an authority that is trusted."""

import asyncio
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.exchange.authority import Authority
from tests.running import START_S, Circuit, free_ports

from estafette.circuit.network import SEATS, WrongNetwork
from estafette.circuit.network import Network as Addresses
from estafette.exchange.post import Peer
from estafette.exchange.tls import Tls, WrongCertificate, actors_of

Run = Callable[[Coroutine[Any, Any, None]], None]
Network = Any


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Give an authority that every actor trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


def outcome(network: Network, run: Run, recipient: Tls, sender: Tls | None) -> tuple[str, str]:
    """Send a message between two actors with these certificates; return how it went and the error it left."""
    one, other = network.open("0003"), network.open("0005")
    place = network.place(other)
    network.secure(place, {other: recipient} | ({one: sender} if sender else {}))
    told: list[tuple[str, str]] = []

    async def story() -> None:
        async with place.open(), network.working(one):
            one.send(other, b"<Invoice/>", name="f.xml")
            told.extend(await one.outcome(1))
            await asyncio.sleep(0)

    run(story())
    assert bool(other.taken) == (told[0][1] == "taken")
    return told[0][1], one.states()["f.xml"][1] or ""


def test_certificate_of_the_sender(network: Network, authority: Authority, run: Run) -> None:
    """The certificate names the sender: taken. The names may be several, as addresses beside the common name."""
    portal = authority.certify("PPF", "0000", "0003", named="Portail")
    assert outcome(network, run, authority.certify("0005"), portal)[0] == "taken"


def test_certificate_of_another(network: Network, authority: Authority, run: Run) -> None:
    """The certificate names another actor, however well the message is signed: not taken, and why is told."""
    how, why = outcome(network, run, authority.certify("0005"), authority.certify("0009"))
    assert (how, "the certificate names 0009, not the sender" in why) == ("Later", True)


def test_authority_that_is_not_trusted(network: Network, authority: Authority, run: Run, tmp_path: Path) -> None:
    """A certificate of another authority, though it names the sender, opens nothing."""
    stranger = Authority(tmp_path / "stranger", "autre").certify("0003")
    forged = Tls(authority.file, stranger.certificate, stranger.key)
    assert outcome(network, run, authority.certify("0005"), forged)[0] == "Later"


def test_certificate_that_is_over(network: Network, authority: Authority, run: Run) -> None:
    """A certificate past its days opens nothing."""
    assert outcome(network, run, authority.certify("0005"), authority.certify("0003", days=-1))[0] == "Later"


def test_server_of_another_authority(network: Network, authority: Authority, run: Run, tmp_path: Path) -> None:
    """Nothing is sent to a server whose certificate is of an authority that is not trusted."""
    stranger = Authority(tmp_path / "stranger", "autre")
    how, why = outcome(network, run, stranger.certify("0005"), authority.certify("0003"))
    assert (how, "cannot be reached" in why) == ("Later", True)


def test_no_certificate(network: Network, authority: Authority, run: Run) -> None:
    """An actor that calls without a certificate is not heard, and its message waits."""
    home = network.open("0005")
    place = network.place(home)
    network.secure(place, {home: authority.certify("0005")})
    sender = network.open("0003")

    async def story() -> None:
        context = ssl.create_default_context(cafile=authority.file)
        sender.post.tls = _Trusting(context)
        async with place.open(), network.working(sender):
            sender.send(home, b"<Invoice/>", name="f.xml")
            assert await sender.outcome(1) == [("f.xml", "Later")]

    run(story())
    assert "the certificate names nobody" in (sender.states()["f.xml"][1] or "")
    assert home.taken == []


class _Trusting:
    """Trusts the authority and shows nothing."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def calling(self) -> ssl.SSLContext:
        """Return how it calls."""
        return self._context


def test_in_the_clear_to_who_wants_tls(network: Network, authority: Authority, run: Run) -> None:
    """Plain HTTP to an actor that speaks TLS is not heard."""
    home = network.open("0005")
    place = network.place(home)
    network.secure(place, {home: authority.certify("0005")})
    known = network.known["0005"]
    network.known["0005"] = Peer("0005", known.url.replace("https:", "http:"), known.public_key)
    sender = network.open("0003")

    async def story() -> None:
        async with place.open(), network.working(sender):
            sender.send(home, b"<Invoice/>", name="f.xml")
            assert await sender.outcome(1) == [("f.xml", "Later")]

    run(story())
    assert home.taken == []


def test_who_a_certificate_names(authority: Authority) -> None:
    """The common name and the addresses of actors, and nothing else of it."""
    held = authority.certify("PPF", "0000", "9999", named="Portail").certificate.read_text()
    assert actors_of(ssl.PEM_cert_to_DER_cert(held)) == {"Portail", "PPF", "0000", "9999"}


@pytest.mark.parametrize("missing", ["authorities", "certificate", "key"])
def test_files_that_cannot_be_used(authority: Authority, tmp_path: Path, missing: str) -> None:
    """A file that is not there, or is none, is named before anything starts."""
    good = authority.certify("0003")
    files = {name: str(getattr(good, name)) for name in ("authorities", "certificate", "key")}
    (tmp_path / "bad.pem").write_text("rien")
    for wrong in ("absent.pem", str(tmp_path / "bad.pem")):
        held = {**files, missing: wrong}
        with pytest.raises(WrongCertificate):
            Tls(*(Path(held[name]) for name in ("authorities", "certificate", "key"))).calling()
        (tmp_path / "network.yaml").write_text(yaml.safe_dump({"actors": {"platform-a": {"tls": held}}}))
        with pytest.raises(WrongNetwork, match="platform-a"):
            Addresses(tmp_path, 8400).tls(SEATS[1])


def test_the_whole_system_over_tls(authority: Authority, tmp_path: Path) -> None:
    """Started with a certificate for each actor, the system registers, fills its directories and is ready, over TLS."""
    names = {"portal": ("PPF", "0000", "9999"), "platform-a": ("0003",), "platform-b": ("0005",)}
    names |= {"administration": ("DGFIP",)}
    actors = {}
    for actor, (first, *others) in names.items():
        tls = authority.certify(first, *others)
        actors[actor] = {"tls": {part: str(getattr(tls, part)) for part in ("authorities", "certificate", "key")}}
    data = tmp_path / "data"
    data.mkdir()
    (data / "network.yaml").write_text(yaml.safe_dump({"actors": actors}))
    circuit = Circuit(data, free_ports(len(SEATS)))
    command = [sys.executable, "-m", "estafette", "up", "--data", str(data), "--port", str(circuit.port)]
    with circuit.log.open("wb") as log:
        environment = {**os.environ, "SSL_CERT_FILE": str(authority.file)}
        circuit.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        context = ssl.create_default_context(cafile=authority.file)
        for url in circuit.urls.values():
            _wait(circuit, url.replace("http:", "https:"), context)
        assert circuit.query("portal", "SELECT sender FROM inbox"), "the registration service spoke to the portal"
        assert circuit.query("platform-a", "SELECT address FROM mirror_line"), "the directory came"
    finally:
        circuit.stop()


def _wait(circuit: Circuit, url: str, context: ssl.SSLContext) -> None:
    """Wait until an actor is ready."""
    deadline = time.monotonic() + START_S
    while True:
        assert circuit.process is not None
        assert circuit.process.poll() is None, circuit.log.read_text()
        assert time.monotonic() < deadline, circuit.log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5, context=context) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)

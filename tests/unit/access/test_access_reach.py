"""Where the hub calls: what may be named, what may be called, and that the name is asked once."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.access.calls import Calls
from hub.errors import HubError, Misconfigured, NotAllowed, ReceiverUnavailable
from hub.model.reach import Reach
from tests.servers.process import free_port

NAME = "hook.eksempel.example"
LISTED = Reach.of(f"{NAME}, *.region.example", ["10.20.0.0/16"])


@pytest.mark.parametrize(
    ("url", "may"),
    [
        (f"https://{NAME}/told", True),
        (f"https://{NAME.upper()}:8443/told", True),
        ("https://a.b.region.example/", True),
        ("https://10.20.3.4/", True),
        ("https://region.example/", False),
        ("https://evilregion.example/", False),
        (f"https://{NAME}.evil.example/", False),
        (f"http://{NAME}/", False),
        (f"https://x@{NAME}/", False),
        ("https://10.21.3.4/", False),
        ("https://[::ffff:10.21.0.1]/", False),
        ("https://localhost/", False),
        ("http://127.0.0.1/", False),
        ("https://2130706433/", False),
        ("https://", False),
        ("https://[", False),
        ("https://blåbær.region.example/", False),
    ],
)
def test_a_hook_names_what_is_on_the_list(url: str, may: bool) -> None:
    assert LISTED.hook(url) is may


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("http://127.0.0.1:9000/x", True), ("http://localhost/x", True), ("http://[::1]/", True),
        ("http://localhost.example.org/", False), ("http://127.0.0.1.nip.io/", False),
        ("http://0.0.0.0/", False), ("http://169.254.169.254/", False),
        ("http://127.0.0.1:0/", False), ("http://127.0.0.1:99999/", False),
        ("ftp://127.0.0.1/", False),
    ],
)  # fmt: skip
def test_unless_told_a_hook_goes_to_this_machine_alone(url: str, may: bool) -> None:
    assert Reach().hook(url) is may


@settings(deadline=None)
@given(st.text())
def test_any_address_is_judged(text: str) -> None:
    assert LISTED.hook(f"https://{text}") in {True, False}


PRIVATE = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::",
    "::10.0.0.1", "::ffff:0:10.0.0.1", "fec0::1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_not_called(address: str) -> None:
    calls = Calls(Reach(networks=()), lambda host, port: [address])
    with pytest.raises(NotAllowed):
        calls.call("POST", f"https://{NAME}/", headers={}, timeout=1)


def test_one_address_inside_among_others_is_enough_to_refuse() -> None:
    calls = Calls(Reach(networks=()), lambda host, port: ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(NotAllowed):
        calls.call("POST", f"https://{NAME}/", headers={}, timeout=1)


def test_a_network_that_is_none_is_told() -> None:
    with pytest.raises(Misconfigured):
        Reach.of("", ["10.0.0.1/8"])


class Server:
    """HTTPS on loopback under a name, by a certificate of an authority of its own."""

    def __init__(self, folder: Path) -> None:
        self.hosts: list[str] = []
        self.trust = str(folder / "authority.pem")
        self._certificate = folder / "server.pem"
        _certify(Path(self.trust), self._certificate)
        self.port = 0

    def run(self) -> Iterator[Server]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.hosts.append(self.headers["Host"])
                self.send_response(302)
                self.send_header("Location", f"https://{NAME}/elsewhere")
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b"x" * 100_000)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on stderr."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.handle_error = lambda *_: None  # type: ignore[method-assign]
            self.port = server.server_port
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            yield self
            server.shutdown()
            thread.join()


def _certify(trust: Path, certificate: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Prøvemyndighed")])
    now = datetime.now(UTC)

    def signed(subject: x509.Name, *, authority: bool) -> bytes:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(name)
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        made = made.add_extension(x509.BasicConstraints(authority, None), critical=True)
        if not authority:
            names = x509.SubjectAlternativeName([x509.DNSName(NAME)])
            made = made.add_extension(names, critical=False)
        return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    trust.write_bytes(signed(name, authority=True))
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Krog")])
    certificate.write_bytes(secret + signed(own, authority=False))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from Server(tmp_path_factory.mktemp("tls")).run()


def test_the_name_is_asked_once_and_that_address_is_called(server: Server) -> None:
    answers = iter([["127.0.0.1"], ["8.8.8.8"]])
    calls = Calls(Reach(), lambda host, port: next(answers), server.trust)
    found = calls.call("GET", f"https://{NAME}:{server.port}/", headers={}, timeout=5)
    # TLS and the Host header are the name's; the redirect is an answer like any other.
    assert (found.status, server.hosts[-1]) == (302, f"{NAME}:{server.port}")
    assert len(found.body) == 64 * 1024
    assert next(answers) == ["8.8.8.8"]


def test_a_server_under_another_name_is_none(server: Server) -> None:
    calls = Calls(Reach(), lambda host, port: ["127.0.0.1"], server.trust)
    with pytest.raises(ReceiverUnavailable):
        calls.call("GET", f"https://other.example:{server.port}/", headers={}, timeout=5)


def test_an_address_that_does_not_answer_gives_way_to_the_next(server: Server) -> None:
    calls = Calls(Reach(), lambda host, port: ["127.0.0.2", "127.0.0.1"], server.trust)
    found = calls.call("GET", f"https://{NAME}:{server.port}/", headers={}, timeout=5)
    assert found.status == 302


def test_nobody_there_is_temporary() -> None:
    with pytest.raises(ReceiverUnavailable):
        Calls(Reach()).call("GET", f"http://127.0.0.1:{free_port()}/", headers={}, timeout=1)


@settings(deadline=None)
@given(st.text(), st.sampled_from(["http", "https"]))
def test_any_address_raises_an_error_of_ours_alone(text: str, scheme: str) -> None:
    calls = Calls(Reach(networks=()), lambda host, port: ["127.0.0.1"])
    with pytest.raises(HubError):
        calls.call("GET", f"{scheme}://{text}", headers={}, timeout=1)

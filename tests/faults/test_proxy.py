"""The misbehaving proxy misbehaves as it is told, and otherwise not at all."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.proxy import Proxy


@contextmanager
def echo() -> Iterator[tuple[int, list[bytes]]]:
    """A server that says everything back, and remembers it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(guest: socket.socket) -> None:
            with guest:
                try:
                    while data := guest.recv(1000):
                        heard.append(data)
                        guest.sendall(data)
                except ConnectionError:
                    # Hung up on, which is what the proxy is for.
                    return

        def greet() -> None:
            while True:
                try:
                    guest, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(guest,), daemon=True).start()

        threading.Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def through() -> Iterator[tuple[Proxy, socket.socket, list[bytes]]]:
    with (
        echo() as (port, heard),
        Proxy(port) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client,
    ):
        yield proxy, client, heard


def said(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text)
    return client.recv(1000)


def test_everything_passes() -> None:
    with through() as (_, client, _):
        assert said(client, b"one") == b"one"
        assert said(client, b"two") == b"two"


def test_it_comes_late() -> None:
    with through() as (proxy, client, _):
        proxy.delay = 0.2
        began = time.monotonic()
        assert said(client, b"one") == b"one"
        assert time.monotonic() - began >= 0.4


def test_nothing_passes_a_hole_and_all_of_it_afterwards() -> None:
    with through() as (proxy, client, heard):
        assert said(client, b"one") == b"one"
        proxy.hole = True
        client.sendall(b"two")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1000)
        assert heard == [b"one"]
        proxy.hole = False
        client.settimeout(5)
        assert client.recv(1000) == b"two"


def test_everyone_is_hung_up_on() -> None:
    with through() as (proxy, client, _):
        said(client, b"one")
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1000)
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as again:
            assert said(again, b"two") == b"two"


def test_it_cuts_at_a_word_sometimes_before_it_passed_and_sometimes_after() -> None:
    heard_it = []
    with echo() as (port, heard), Proxy(port) as proxy:
        for _ in range(12):
            heard.clear()
            proxy.cut_at = b"COMMIT"
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
                assert said(client, b"BEGIN") == b"BEGIN"
                client.sendall(b"COMMIT")
                with pytest.raises(ConnectionResetError):
                    client.recv(1000)
            assert proxy.cut_at == b""
            heard_it.append(b"COMMIT" in heard)
    assert set(heard_it) == {True, False}
    assert proxy.cuts == 12

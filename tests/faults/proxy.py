"""A TCP proxy that misbehaves when told: late, silent, or hanging up, at the worst moment too."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_PIECE = 65536
_TICK = 0.05


def _reset(connection: socket.socket) -> None:
    """Close with RST: what is under way is lost, as when a machine is gone."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Wakes whoever reads here, and says nothing to the peer: the close does, with RST.
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        # It was closed by its peer already; closing it is all that is left to do.
        connection.close()
        return
    connection.close()


@dataclass(eq=False)
class Proxy:
    """From a free port of 127.0.0.1 to ``port``; a context manager."""

    target: int
    port: int = 0
    delay: float = 0.0
    """Seconds that everything comes late, in both directions."""
    hole: bool = False
    """Connections are taken and nothing passes; what was sent meanwhile is not lost by us."""
    cut_at: bytes = b""
    """The next time a client says this, the connection ends: before it has passed, or after it
    has and before the answer comes back."""
    cuts: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    _open: set[socket.socket] = field(default_factory=set)
    _mute: weakref.WeakSet[socket.socket] = field(default_factory=weakref.WeakSet)
    """Servers whose answers do not pass any more."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _listener: socket.socket | None = None
    _closed: bool = False

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        if self._listener is not None:
            self._listener.close()
        self.reset()

    def reset(self) -> int:
        """Hang up on everyone; returns how many connections there were."""
        with self._lock:
            hung_up, self._open = self._open, set()
        for connection in hung_up:
            _reset(connection)
        return len(hung_up) // 2

    def _accept(self, listener: socket.socket) -> None:
        while not self._closed:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            _reset(client)
            return
        for one in (client, server):
            one.settimeout(None)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Only now can anybody else hang up on them.
        with self._lock:
            self._open |= {client, server}
        for near, far, asks in ((client, server, True), (server, client, False)):
            threading.Thread(target=self._pump, args=(near, far, asks), daemon=True).start()

    def _pump(self, near: socket.socket, far: socket.socket, asks: bool) -> None:
        # One side may be gone; the other is told below.
        with suppress(OSError):
            while data := near.recv(_PIECE):
                if self.delay:
                    time.sleep(self.delay)
                while self.hole and not self._closed:
                    time.sleep(_TICK)
                if asks and self.cut_at and self.cut_at in data:
                    self._cut(far, data)
                    break
                if near in self._mute:
                    break
                far.sendall(data)
        with self._lock:
            known = {near, far} & self._open
            self._open -= known
        for connection in known:
            _reset(connection)

    def _cut(self, far: socket.socket, data: bytes) -> None:
        self.cut_at = b""
        self.cuts += 1
        if self.chance.random() < 0.5:
            # The server does it, and nobody is told.
            self._mute.add(far)
            far.sendall(data)
            time.sleep(0.2)

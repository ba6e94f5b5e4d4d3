"""The HTTP server in this process."""

from __future__ import annotations

import errno
import socket
import time
from threading import Thread
from typing import TYPE_CHECKING, Final

import uvicorn

from hub.api.app import create_app
from hub.api.unreadable import FhirProtocol
from hub.errors import Misconfigured
from hub.services.hub import Hub

if TYPE_CHECKING:
    from hub.console import Demo

_BACKLOG: Final = 2048
"""Connections that wait to be taken; uvicorn's own number."""


def listen(host: str, port: int) -> socket.socket:
    """The address, taken before anything else is begun; raises Misconfigured if it cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, protocol)
        try:
            # An address may be had again at once after a server on it has ended.
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
            taken.listen(_BACKLOG)
        except OSError:
            taken.close()
            raise
    except OSError as e:
        raise Misconfigured(_why_not(host, port, e)) from None
    return taken


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken; set KI_HUB_PORT to another, or end what is there"
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this user; set KI_HUB_PORT to one above 1023"
    return f"Nothing can listen on {host}; set KI_HUB_HOST to an address of this machine"


def make_server(hub: Hub, *, console: bool = True, demo: Demo | None = None) -> uvicorn.Server:
    """API and console together; access logs are off, they would hold ids and addresses."""
    hub.door.check()
    app = create_app(hub)
    if console:
        from hub.console import mount  # noqa: PLC0415  (templates load when they are needed)

        mount(app, hub, demo=demo)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=FhirProtocol,
        proxy_headers=False,  # who the peer is decides whether its word on certificates counts
    )
    return uvicorn.Server(config)


class Running:
    """A server in a thread of its own, on a listening socket."""

    def __init__(self, server: uvicorn.Server, listening: socket.socket) -> None:
        self._server = server
        self._socket = listening
        self._thread = Thread(target=server.run, args=([listening],), name="http")

    def start(self) -> str:
        """Start it; returns the address it answers at."""
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("The HTTP server ended before it had begun")
            time.sleep(0.01)
        host, port = self._socket.getsockname()[:2]
        return f"http://{host}:{port}"

    @property
    def alive(self) -> bool:
        """The server still runs."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """Answer what is in hand, then stop."""
        self._server.should_exit = True
        self._thread.join()

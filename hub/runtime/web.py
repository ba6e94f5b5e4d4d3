"""The HTTP server in this process."""

from __future__ import annotations

import socket
import time
from threading import Thread

import uvicorn

from hub.api.app import create_app
from hub.api.unreadable import FhirProtocol
from hub.services.hub import Hub


def make_server(
    hub: Hub, host: str, port: int, *, console: bool = True, demo_credential: str | None = None
) -> uvicorn.Server:
    """API and console on one address; access logs are off, they would hold ids and addresses."""
    app = create_app(hub)
    if console:
        from hub.console import mount  # noqa: PLC0415  (templates load when they are needed)

        mount(app, hub, demo_credential=demo_credential)
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False,
        http=FhirProtocol,
    )  # fmt: skip
    return uvicorn.Server(config)


class Running:
    """A server in a thread of its own."""

    def __init__(self, server: uvicorn.Server) -> None:
        self._server = server
        self._thread = Thread(target=server.run, name="http")

    def start(self) -> str:
        """Start it; returns the address it answers at."""
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise OSError("the HTTP server could not start; is the port free?")
            time.sleep(0.01)
        sockets: list[socket.socket] = [s for x in self._server.servers for s in x.sockets]
        host, port = sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    @property
    def alive(self) -> bool:
        """The server still runs."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """Answer what is in hand, then stop."""
        self._server.should_exit = True
        self._thread.join()

"""Another maker's authorisation server (Authlib, in Flask), in a process of its own.

It gives tokens to machines (client_credentials with private_key_jwt, RFC 9068 access tokens) and
logs people in (authorisation code with PKCE and an ID token). Who logs in is told it beforehand.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.servers.process import free_port

ROOT = Path(__file__).parents[2]


class Issuer:
    """The running server as a test sees it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def tell(self, **told: Any) -> None:
        """``user``: claims of who logs in next; ``clients``: id to JWKS; ``audience``,
        ``seconds``."""
        httpx.post(f"{self.url}/told", json=told).raise_for_status()

    def token(self, assertion: str, scope: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials", "scope": scope, "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }  # fmt: skip
        return httpx.post(f"{self.url}/token", data=form)


@contextmanager
def running() -> Iterator[Issuer]:
    """Until the block ends."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "tests.servers.issuer", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        issuer = Issuer(port)
        until = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{issuer.url}/jwks").raise_for_status()
                break
            except httpx.HTTPError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield issuer
    finally:
        process.terminate()
        process.wait()


def main(port: int) -> None:
    """Serve until it is ended."""
    import os  # noqa: PLC0415

    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    from tests.servers.issuer_app import made  # noqa: PLC0415

    made(f"http://127.0.0.1:{port}").run("127.0.0.1", port, threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))

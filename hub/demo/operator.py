"""The operator's browser: the console's own pages, logged in through their form."""

from __future__ import annotations

from html import unescape

import httpx

from hub.demo.sectors import until


class Browser:
    """Reads pages as text. A hub that was restarted asks to log in again."""

    def __init__(self, base: str, credential: str) -> None:
        self._credential = credential
        self._client = httpx.Client(
            base_url=base, follow_redirects=True, timeout=30, headers={"Accept-Language": "en"}
        )

    def close(self) -> None:
        """Close the browser."""
        self._client.close()

    def page(self, path: str) -> str:
        """A page's text, entities resolved; waits while the hub is away."""

        def look() -> str | None:
            try:
                found = self._client.get(path)
                if found.url.path.endswith("/login"):
                    self._log_in(found.text)
                    return None
            except httpx.TransportError:
                return None
            return unescape(found.text) if found.status_code == 200 else None

        return until(f"the operator's page {path}", look)

    def _log_in(self, form: str) -> None:
        token = form.split('name="token" value="', 1)[1].split('"', 1)[0]
        said = {"token": token, "credential": self._credential}
        self._client.post("/login", data=said)

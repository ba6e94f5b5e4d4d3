"""Several servers on one database: a browser may meet any of them, and one may start again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from hub.runtime.bootstrap import close
from hub.runtime.web import Running, listen, make_server
from hub.services.hub import Hub
from tests.api.conftest import Template, empty_template  # noqa: F401  (a fixture)
from tests.api.world import PSYK, opened
from tests.console.conftest import token_in


@dataclass
class Several:
    """Servers, each with a hub of its own, and a browser whose cookies are the address's."""

    folder: Path
    template: Template
    browser: httpx.Client
    servers: list[tuple[Hub, Running, str]] = field(default_factory=list)

    def start(self) -> None:
        """One more."""
        hub = opened(self.folder, self.template.secrets).hub
        running = Running(make_server(hub), listen("127.0.0.1", 0))
        self.servers.append((hub, running, running.start()))

    def stop(self) -> None:
        """The oldest ends."""
        hub, running, _ = self.servers.pop(0)
        running.finish()
        close(hub)

    def get(self, which: int, path: str) -> httpx.Response:
        return self.browser.get(self.servers[which][2] + path)

    def post(self, which: int, path: str, **data: str) -> httpx.Response:
        return self.browser.post(self.servers[which][2] + path, data=data)

    def logged_in(self, path: str, credential: str) -> None:
        """The form of the first is sent to the last."""
        token = token_in(self.get(0, path).text)
        done = self.post(-1, path, token=token, credential=self.template.secrets[credential])
        assert done.status_code == 303, done.text


@pytest.fixture
def two(
    empty_template: Template,  # noqa: F811
    tmp_path: Path,
) -> Iterator[Several]:
    folder = tmp_path / "data"
    close(empty_template.copy(folder).hub)
    with httpx.Client(headers={"Accept-Language": "en"}, timeout=20) as browser:
        made = Several(folder, empty_template, browser)
        made.start()
        made.start()
        yield made
        while made.servers:
            made.stop()


def test_who_logged_in_at_one_is_in_at_all_and_after_a_restart(two: Several) -> None:
    two.logged_in("/login", "drift")
    two.logged_in("/decisions/login", PSYK)
    for which in (0, 1):
        assert two.get(which, "/console/parties").status_code == 200
        assert two.get(which, "/decisions").status_code == 200
    page = two.get(0, "/console/parties").text
    for _ in range(2):
        two.stop()
        two.start()
    assert two.get(0, "/console/parties").status_code == 200
    # A form from before the restart is sent after it, to another server.
    chosen = two.post(1, "/language", token=token_in(page), language="da", next="/console/parties")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/console/parties")
    assert '<html lang="da">' in two.get(0, "/console/parties").text


def test_who_logs_out_at_one_is_out_at_all(two: Several) -> None:
    two.logged_in("/login", "drift")
    kept = dict(two.browser.cookies)
    page = two.get(0, "/console/parties").text
    assert two.post(1, "/logout", token=token_in(page)).status_code == 303
    for which in (0, 1):
        # A browser that kept its cookie, or somebody who has it.
        again = httpx.get(two.servers[which][2] + "/console/parties", cookies=kept)
        assert (again.status_code, again.headers["location"][:6]) == (303, "/login")


def test_anothers_form_is_refused_by_all(two: Several) -> None:
    two.logged_in("/login", "drift")
    with httpx.Client(timeout=20) as stranger:
        token = token_in(stranger.get(two.servers[0][2] + "/login").text)
    for which in (0, 1):
        assert two.post(which, "/logout", token=token).status_code == 403
        assert two.get(which, "/console/parties").status_code == 200

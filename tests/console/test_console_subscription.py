"""The operator's page of FHIR Subscriptions, its command, and its interface."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from hub.cli.main import cli
from hub.services.subscriptions import subscribe
from hub.services.worker import work_once
from tests.api.fhir.subscription_world import SECRET, subscription
from tests.console.conftest import Site, token_in
from tests.servers.hook import Hook
from tests.views import parties

PARTY = "psyk-nordstrand"
PAGE = "/console/subscriptions"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as found:
        yield found


def work(site: Site) -> None:
    while work_once(site.seeded.hub):
        continue


def made(site: Site, hook: Hook) -> str:
    resource = subscription(f"{hook.url}/path-with-a-secret")
    found: str = subscribe(site.seeded.hub, parties()[PARTY], resource).resource["id"]
    work(site)
    return found


def test_the_page_tells_how_each_stands_and_no_secret(own_site: Site, hook: Hook) -> None:
    hook.code = 403
    subscription_id = made(own_site, hook)
    for language, words in (("da", ("I fejl", "afviste")), ("en", ("In error", "refused"))):
        with own_site.operator(language) as client:
            page = client.get(PAGE).text
        assert subscription_id in page
        assert all(word in page for word in words)
        assert f"127.0.0.1:{hook.port}" in page
        assert "path-with-a-secret" not in page
        assert SECRET not in page


def test_the_operator_suspends_and_resumes(own_site: Site, hook: Hook) -> None:
    subscription_id = made(own_site, hook)
    with own_site.operator("en") as client:
        token = {"token": token_in(client.get(PAGE).text)}
        path = f"{PAGE}/{subscription_id}"
        assert client.post(f"{path}/suspend", data=token).status_code == 422
        client.post(f"{path}/suspend", data=token | {"reason": "Too <many>"})
        page = client.get(PAGE).text
        assert "Suspended" in page
        assert "Too &lt;many&gt;" in page
        client.post(f"{path}/resume", data=token)
        work(own_site)
        assert "Active" in client.get(PAGE).text
    assert [g.kind for g in hook.got] == ["handshake", "handshake"]


def test_notifications_are_among_the_deliveries(own_site: Site, hook: Hook) -> None:
    subscription_id = made(own_site, hook)
    key = hook.got[0].headers["ki-delivery"]
    with own_site.operator("en") as client:
        listed = client.get(f"/console/deliveries?receiver={PARTY}").text
        page = client.get(f"/console/deliveries/{key}").text
    assert key in listed
    assert subscription_id[:8] in page
    assert "The endpoint took it" in page


def test_the_command_lists_shows_suspends_and_resumes(
    own_site: Site, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription_id = made(own_site, hook)
    file = own_site.seeded.hub.store.database.engine.url.database
    monkeypatch.setenv("KI_HUB_DATABASE_URL", f"sqlite:///{file}")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["subscriptions", *arguments], standalone_mode=False)
        assert done.exception is None, done.output
        return done.output

    (row,) = json.loads(run("list", "--json"))
    assert (row["subscription"], row["status"], row["party"]) == (subscription_id, "active", PARTY)
    assert json.loads(run("suspend", subscription_id, "--reason", "x", "--json")) == {
        "subscription": subscription_id, "state": "suspended",
    }  # fmt: skip
    shown = json.loads(run("show", subscription_id, "--json"))
    assert (shown["status"], shown["suspended_reason"]) == ("off", "x")
    assert [n["about"] for n in shown["notifications"]] == ["handshake"]
    assert "handshake" in run("show", subscription_id)
    run("resume", subscription_id)
    (row,) = json.loads(run("list", "--json"))
    assert row["status"] == "requested"
    everything = run("list") + run("show", subscription_id) + json.dumps(shown)
    assert "path-with-a-secret" not in everything
    assert SECRET not in everything

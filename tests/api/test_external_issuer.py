"""Tokens of an issuer of others': Authlib's server gives them, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.access.tokens import peek
from hub.runtime.bootstrap import close
from tests.api.clients import Machine, called, register
from tests.api.conftest import Template
from tests.api.world import PSYK, World, opened, problem
from tests.servers.issuer import Issuer, running

CLIENT = Machine("psyk-ehr", "RS256")


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def hub(
    issuer: Issuer, plan_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("issuer") / "data"
    first = plan_template.copy(folder)
    close(first.hub)
    found = opened(folder, first.secrets, issuer=issuer.url, static_credentials=False)
    register(found, CLIENT.registered(PSYK, "system/CarePlan.rs system/Mailbox.s"))
    yield found
    close(found.hub)


def token(issuer: Issuer, scope: str = "system/CarePlan.rs", **told: Any) -> str:
    usual = {"audience": "http://127.0.0.1:8080/fhir", "seconds": 300}
    issuer.tell(clients={CLIENT.id: {"keys": [CLIENT.jwk]}}, **(usual | told))
    answer: httpx.Response = issuer.token(CLIENT.assertion(aud=f"{issuer.url}/token"), scope)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_its_token_opens_what_it_says_and_the_register_grants(hub: World, issuer: Issuer) -> None:
    shown = token(issuer, "system/CarePlan.rs system/Goal.rs")
    answer = called(hub, "GET", "/fhir/CarePlan", shown)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] > 0
    problem(called(hub, "GET", "/fhir/Goal", shown), 403)
    problem(called(hub, "GET", "/mailbox", shown), 403)


def test_its_keys_are_kept(hub: World, issuer: Issuer) -> None:
    for _ in range(3):
        assert called(hub, "GET", "/fhir/CarePlan", token(issuer)).status_code == 200


def test_a_token_for_another_or_from_another_is_none(hub: World, issuer: Issuer) -> None:
    problem(called(hub, "GET", "/fhir/CarePlan", token(issuer, audience="https://other")), 401)
    problem(called(hub, "GET", "/fhir/CarePlan", token(issuer, seconds=3600)), 401)
    problem(called(hub, "GET", "/fhir/CarePlan", token(issuer, seconds=-120)), 401)
    claims = dict(peek(token(issuer), 1))
    problem(called(hub, "GET", "/fhir/CarePlan", CLIENT.sign(claims, kid="issuer-1")), 401)
    problem(called(hub, "GET", "/fhir/CarePlan", CLIENT.sign(claims, kid="new")), 401)
    problem(called(hub, "GET", "/fhir/CarePlan", hub.secrets[PSYK]), 401)


def test_a_client_that_the_register_does_not_know_is_nobody(hub: World, issuer: Issuer) -> None:
    stranger = Machine("stranger", "RS256")
    issuer.tell(
        clients={"stranger": {"keys": [stranger.jwk]}}, seconds=300,
        audience="http://127.0.0.1:8080/fhir",
    )  # fmt: skip
    answer = issuer.token(stranger.assertion(aud=f"{issuer.url}/token"), "system/CarePlan.rs")
    problem(called(hub, "GET", "/fhir/CarePlan", answer.json()["access_token"]), 401)


def test_the_hub_says_where_tokens_are_given_and_gives_none(hub: World, issuer: Issuer) -> None:
    told = hub.get("/fhir/.well-known/smart-configuration").json()
    assert (told["issuer"], told["token_endpoint"]) == (issuer.url, f"{issuer.url}/token")
    form = {"grant_type": "client_credentials"}
    problem(hub.request("POST", "/oauth/token", data=form), 404)
    problem(hub.get("/oauth/jwks"), 404)


def test_an_issuer_that_calls_itself_otherwise_is_not_believed(
    issuer: Issuer, empty_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("other") / "data"
    first = empty_template.copy(folder)
    close(first.hub)
    alias = issuer.url.replace("127.0.0.1", "localhost")
    world = opened(folder, first.secrets, issuer=alias)
    claims = dict(peek(token(issuer), 1)) | {"iss": alias, "exp": int(time.time()) + 60}
    assert called(world, "GET", "/fhir/CarePlan", CLIENT.sign(claims)).status_code >= 400
    assert called(world, "GET", "/fhir/CarePlan", token(issuer)).status_code >= 400
    close(world.hub)

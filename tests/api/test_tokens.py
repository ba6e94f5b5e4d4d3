"""SMART Backend Services at the hub's own issuer: who gets a token, and what it opens."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization as s

from hub.access.embedded import EmbeddedIssuer
from hub.access.keys import Published
from hub.access.tokens import peek
from hub.runtime.bootstrap import close
from hub.services.door import Door
from tests.api.clients import ENDPOINT, Machine, b64, called, register
from tests.api.conftest import Template
from tests.api.world import OPERATOR, PLAN_1, PSYK, RUS, World, opened, problem

FULL = "system/*.cruds"


@pytest.fixture(scope="module")
def client() -> Machine:
    return Machine("psyk-ehr")


@pytest.fixture(scope="module")
def hub(
    plan_template: Template, client: Machine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """In the middle of the scenario, with a client that may do everything psychiatry may."""
    found = plan_template.copy(tmp_path_factory.mktemp("tokens") / "data")
    register(found, client.registered(PSYK, FULL))
    yield found
    close(found.hub)


def refused(answer: object, error: str, status: int) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)  # type: ignore[attr-defined]
    assert answer.headers["cache-control"] == "no-store"  # type: ignore[attr-defined]


def test_a_signed_assertion_gives_a_short_token_for_what_was_asked(
    hub: World, client: Machine
) -> None:
    answer = client.ask(hub, "system/CarePlan.rs system/Document.c system/Goal.read")
    assert answer.status_code == 200
    told = answer.json()
    assert told["token_type"] == "bearer"
    assert 0 < told["expires_in"] <= 300
    assert told["scope"] == "system/CarePlan.rs system/Document.c"
    claims = peek(told["access_token"], 1)
    assert claims["exp"] - claims["iat"] == told["expires_in"]
    assert called(hub, "GET", "/fhir/CarePlan", told["access_token"]).json()["total"] > 0


def test_rs384_is_taken_too(hub: World, client: Machine) -> None:
    other = Machine("psyk-lab", "RS384")
    register(hub, client.registered(PSYK, FULL), other.registered(PSYK, "system/Goal.rs"))
    assert called(hub, "GET", "/fhir/Goal", other.token(hub, FULL)).status_code == 200
    register(hub, client.registered(PSYK, FULL))
    refused(other.ask(hub, FULL), "invalid_client", 401)


def test_an_assertion_is_used_once(hub: World, client: Machine) -> None:
    assertion = client.assertion()
    assert client.ask(hub, FULL, assertion=assertion).status_code == 200
    refused(client.ask(hub, FULL, assertion=assertion), "invalid_client", 401)
    with hub.hub.store.reading() as work:
        rows = work.journal.audit_of("client/psyk-ehr")
    assert [r["outcome"] for r in rows][-2:] == ["success", "denied"]


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://another.example/token"}, {"aud": None}, {"iss": "other"}, {"iss": None},
        {"sub": "other"}, {"sub": None}, {"jti": None}, {"jti": 7}, {"exp": None}, {"exp": "soon"},
        {"exp": timedelta(minutes=-1)}, {"exp": timedelta(hours=1)}, {"nbf": timedelta(minutes=10)},
    ],
)  # fmt: skip
def test_an_assertion_with_one_wrong_claim_gives_nothing(
    hub: World, client: Machine, changed: dict[str, object]
) -> None:
    wrong = {
        name: int(time.time() + said.total_seconds()) if isinstance(said, timedelta) else said
        for name, said in changed.items()
    }
    refused(client.ask(hub, FULL, assertion=client.assertion(**wrong)), "invalid_client", 401)


def test_only_its_own_key_signs_for_a_client(hub: World, client: Machine) -> None:
    thief = Machine("psyk-ehr")
    refused(thief.ask(hub, FULL), "invalid_client", 401)
    claims = peek(client.assertion(), 1)
    header = b64(b'{"alg":"none","kid":"psyk-ehr-1"}')
    unsigned = f"{header}.{client.assertion().split('.')[1]}."
    refused(client.ask(hub, FULL, assertion=unsigned), "invalid_client", 401)
    shared = client.sign(dict(claims), alg="HS256")
    refused(client.ask(hub, FULL, assertion=shared), "invalid_client", 401)
    for wrong in ("x", "a.b.c", "." * 5, "[" * 16000 + ".x.y", "é.é.é"):
        refused(client.ask(hub, FULL, assertion=wrong), "invalid_client", 401)


def test_a_request_that_is_none_is_told_so(hub: World, client: Machine) -> None:
    refused(client.ask(hub, "openid"), "invalid_scope", 400)
    refused(hub.request("POST", "/oauth/token", json={}), "invalid_request", 400)
    form = {"grant_type": "password"}
    refused(hub.request("POST", "/oauth/token", data=form), "unsupported_grant_type", 400)
    form = {"grant_type": "client_credentials", "client_secret": "x"}
    refused(hub.request("POST", "/oauth/token", data=form), "invalid_client", 401)


def test_scopes_are_held_to_at_the_address(hub: World, client: Machine) -> None:
    token = client.token(hub, "system/CarePlan.rs system/Mailbox.s")
    assert called(hub, "GET", "/mailbox", token).status_code == 200
    answer = called(hub, "GET", "/fhir/Goal", token)
    (issue,) = problem(answer, 403)
    assert issue["code"] == "forbidden"
    assert 'scope="system/Goal.s"' in answer.headers["www-authenticate"]
    problem(called(hub, "POST", "/documents/fhir", token, content=PLAN_1), 403)
    problem(called(hub, "GET", "/operations/queues", token), 403)
    problem(called(hub, "GET", "/operations/queues", client.token(hub, FULL)), 401)


@pytest.mark.parametrize(
    ("query", "needs"),
    [
        ("_include=CarePlan:goal:Goal", "system/Goal.r"),
        ("_include=CarePlan:goal", "system/*.r"),
        ("_include=CarePlan:patient", "system/Patient.r"),
        ("_include=CarePlan:*", "system/*.r"),
        ("_include=*", "system/*.r"),
        ("_revinclude=Observation:focus", "system/Observation.s"),
        ("_has:Observation:focus:status=final", "system/Observation.s"),
        ("patient.identifier=x|1", "system/Patient.s"),
    ],
)
def test_a_search_brings_along_only_what_the_token_may_read(
    hub: World, client: Machine, query: str, needs: str
) -> None:
    token = client.token(hub, "system/CarePlan.rs")
    url = f"/fhir/CarePlan?{query}"
    answer = called(hub, "GET", url, token)
    problem(answer, 403)
    assert needs in answer.headers["www-authenticate"]
    both = client.token(hub, f"system/CarePlan.rs {needs}s" if needs[-1] == "r" else
                        f"system/CarePlan.rs {needs}")  # fmt: skip
    assert called(hub, "GET", url, both).status_code == 200


def test_each_entry_of_a_bundle_needs_its_own_scope(hub: World, client: Machine) -> None:
    token = client.token(hub, "system/CarePlan.rs")
    for kind in ("batch", "transaction"):
        for method, url, scope in (
            ("GET", "Goal", "system/Goal.s"), ("GET", "Goal/1", "system/Goal.r"),
            ("GET", "CarePlan?_include=CarePlan:goal:Goal", "system/Goal.r"),
            ("PUT", "Goal/1", "system/Goal.u"), ("POST", "Consent", "system/Consent.c"),
        ):  # fmt: skip
            resource = {"resourceType": url.split("/")[0], "id": "1"}
            sent = {"resource": resource} if method != "GET" else {}
            entry = sent | {"request": {"method": method, "url": url}}
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
            answer = called(hub, "POST", "/fhir", token, json=bundle)
            problem(answer, 403)
            assert scope in answer.headers["www-authenticate"]


def test_a_denial_is_audited(hub: World, client: Machine) -> None:
    called(hub, "GET", "/fhir/Task", client.token(hub, "system/CarePlan.rs"))
    with hub.hub.store.reading() as work:
        (*_, row) = work.journal.audit_of("GET /fhir/{kind}")
    assert (row["actor"], row["outcome"], row["party"]) == ("client/psyk-ehr", "denied", PSYK)


def test_a_token_of_another_or_changed_is_none(hub: World, client: Machine) -> None:
    token = client.token(hub, FULL)
    own = client.sign(dict(peek(token, 1)))
    problem(called(hub, "GET", "/fhir/CarePlan", own), 401)
    head, claims, signature = token.split(".")
    swapped = client.token(hub, "system/Goal.r").split(".")[1]
    problem(called(hub, "GET", "/fhir/CarePlan", f"{head}.{swapped}.{signature}"), 401)
    problem(called(hub, "GET", "/fhir/CarePlan", f"{head}.{claims}."), 401)


def test_a_client_off_the_register_is_out_at_once(hub: World, client: Machine) -> None:
    gone = Machine("rus-ehr")
    register(hub, gone.registered(RUS, FULL))
    token = gone.token(hub, FULL)
    assert called(hub, "GET", "/fhir/CarePlan", token).status_code == 200
    register(hub, gone.registered(RUS, "system/Goal.rs"))
    problem(called(hub, "GET", "/fhir/CarePlan", token), 403)
    with hub.hub.store.writing() as work:
        work.clients.save("party", RUS, [])
        work.commit()
    problem(called(hub, "GET", "/fhir/CarePlan", token), 401)


def test_an_operators_client_operates_and_opens_content_by_a_scope_of_its_own(
    hub: World,
) -> None:
    machine = Machine("drift-skript")
    register(hub, machine.registered(OPERATOR, FULL, kind="operator"))
    token = machine.token(hub, "system/Operation.r system/Metrics.r")
    assert called(hub, "GET", "/operations/queues", token).status_code == 200
    assert called(hub, "GET", "/metrics", token).status_code == 200
    said = {"reason": "Se efter"}
    problem(called(hub, "POST", "/operations/messages/x/bytes", token, json=said), 403)
    problem(called(hub, "POST", f"/operations/parties/{PSYK}/pause", token, json=said), 403)
    problem(called(hub, "GET", "/fhir/CarePlan", machine.token(hub, FULL)), 401)


def test_a_token_ends(hub: World, client: Machine) -> None:
    later = datetime.now(UTC) + timedelta(minutes=6)
    clocks = [datetime.now(UTC), later]
    outside = hub.hub.door.tokens
    assert outside is not None
    store = hub.hub.store
    issuer = EmbeddedIssuer(
        store,
        lambda: clocks[0],
        hub.hub.base_url,
        Published(None, lambda: clocks[0]),
        None,  # type: ignore[arg-type]
    )
    form = {
        "grant_type": "client_credentials", "scope": FULL, "client_assertion": client.assertion(),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    token = issuer.issue(form, None)["access_token"]
    world = World(replace(hub.hub, door=Door(tokens=lambda: issuer)), hub.secrets, hub.clock)
    assert called(world, "GET", "/fhir/CarePlan", token).status_code == 200
    clocks[0] = later
    problem(called(world, "GET", "/fhir/CarePlan", token), 401)


# A certificate


CERTIFICATE = b"der of a certificate"
PRINT = b64(hashlib.sha256(CERTIFICATE).digest())
ITS_OWN = {"Client-Cert": f":{b64encode(CERTIFICATE).decode()}:"}
_LINES = b64encode(CERTIFICATE).decode()
AS_PEM = quote(f"-----BEGIN CERTIFICATE-----\n{_LINES}\n-----END CERTIFICATE-----\n")


def behind(world: World, networks: str) -> World:
    door = replace(world.hub.door, proxies=(ip_network(networks),))
    return World(replace(world.hub, door=door), world.secrets, world.clock)


def test_a_bound_token_holds_on_its_own_certificate_alone(hub: World) -> None:
    machine = Machine("social-ehr")
    register(hub, machine.registered("social-havneby", FULL, certificate=PRINT))
    trusted = behind(hub, "127.0.0.0/8")
    refused(machine.ask(trusted, FULL), "invalid_client", 401)
    token = machine.token(trusted, FULL, headers=ITS_OWN)
    assert peek(token, 1)["cnf"] == {"x5t#S256": PRINT}
    for headers in (ITS_OWN, {"Client-Cert": AS_PEM}):
        assert called(trusted, "GET", "/tasks", token, headers=headers).status_code == 200
    problem(called(trusted, "GET", "/tasks", token), 401)
    other = {"Client-Cert": f":{b64encode(b'another').decode()}:"}
    problem(called(trusted, "GET", "/tasks", token, headers=other), 401)
    for nothing in ("x", ":x", ":%%:", "::"):
        answer = called(trusted, "GET", "/tasks", token, headers={"Client-Cert": nothing})
        problem(answer, 401)


def test_anyone_but_the_proxy_may_say_what_it_likes_of_a_certificate(hub: World) -> None:
    machine = Machine("social-ehr")
    register(hub, machine.registered("social-havneby", FULL, certificate=PRINT))
    elsewhere = behind(hub, "10.9.8.7/32")
    refused(machine.ask(elsewhere, FULL, headers=ITS_OWN), "invalid_client", 401)


# What it says of itself


def test_the_server_says_how_to_get_a_token(hub: World) -> None:
    told = hub.get("/fhir/.well-known/smart-configuration").json()
    assert told["token_endpoint"] == ENDPOINT
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert set(told["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    assert {"client-confidential-asymmetric", "permission-v2"} <= set(told["capabilities"])
    (key,) = hub.get("/oauth/jwks").json()["keys"]
    assert key["kty"] == "EC"
    assert "d" not in key
    security = hub.get("/fhir/metadata").json()["rest"][0]["security"]
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    assert "extension" not in security, "SMART's document alone says where"


def test_credentials_of_the_file_can_be_turned_off(hub: World, client: Machine) -> None:
    closed = World(
        replace(hub.hub, door=replace(hub.hub.door, static=False)), hub.secrets, hub.clock
    )
    problem(closed.get("/fhir/CarePlan", PSYK), 401)
    assert called(closed, "GET", "/fhir/CarePlan", client.token(closed, FULL)).status_code == 200


def test_the_key_of_the_settings_signs(tmp_path: Path, empty_template: Template) -> None:
    key = Machine("x").key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    first = empty_template.copy(tmp_path / "one")
    close(first.hub)
    worlds = [opened(tmp_path / "one", first.secrets, token_key=key.decode()) for _ in "ab"]
    machine = Machine("rus-ehr")
    register(worlds[0], machine.registered(RUS, FULL))
    token = machine.token(worlds[0], FULL)
    assert called(worlds[1], "GET", "/tasks", token).status_code == 200
    for world in worlds:
        close(world.hub)

"""Whatever is sent: a clear answer, bounded memory, no other message stopped, no value told."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.api.world import (
    KOORD_OWN,
    ORDER,
    PLAN_1,
    RUS,
    SENDERS,
    TREATMENT,
    World,
    changed_plan,
    coded,
    has_a_place,
    is_kept_for_the_operator,
    outcome_of,
    problem,
    run,
    send,
)
from tests.views import ROOT

XML_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>'
XML_ROOT = '<TreatmentPlan xmlns="https://ki-hub.example/xml/behandlingsplan/1.0">'
BOMB = (
    "<!DOCTYPE b ["
    + '<!ENTITY e0 "ha">'
    + "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    + "]>"
)


# Not what it says it is


@pytest.mark.parametrize("format", [*SENDERS])
@pytest.mark.parametrize(
    "body",
    [b"", b"Karla kommer ikke i dag", b"\x00\x01\x02\xff" * 50, b"{", b"<a>", b"[1, 2]", b"null"],
)
def test_neither_xml_nor_json(world: World, format: str, body: bytes) -> None:
    answer = send(world, format, body)
    problem(answer, 400)
    assert "Karla" not in answer.text
    is_kept_for_the_operator(world, answer, body)


@pytest.mark.parametrize("kind", ["application/fhir+json", "application/fhir+xml"])
@pytest.mark.parametrize(
    "body", [b"", b"Karla kommer ikke i dag", b"\x00\x01\x02\xff" * 50, b"{", b"<a>", b"null"]
)
def test_a_message_that_is_neither_xml_nor_json(world: World, kind: str, body: bytes) -> None:
    headers = {"Content-Type": kind}
    answer = world.request("POST", "/fhir/$process-message", RUS, content=body, headers=headers)
    problem(answer, 400)
    assert "Karla" not in answer.text
    is_kept_for_the_operator(world, answer, body)


@pytest.mark.parametrize(
    ("format", "body"),
    [
        ("fhir", PLAN_1.decode().encode("latin-1", "replace")),
        ("fhir", PLAN_1.decode().encode("utf-16")),
        ("vum", ORDER.decode().encode("latin-1", "replace")),
        ("behandlingsplan", TREATMENT.decode().encode("latin-1")),
    ],
)
def test_the_wrong_encoding(world: World, format: str, body: bytes) -> None:
    world.consent()
    answer = send(world, format, body)
    assert has_a_place(problem(answer, 400))
    is_kept_for_the_operator(world, answer, body)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": -Infinity}'])
def test_json_that_no_two_readers_agree_on(world: World, text: str) -> None:
    problem(send(world, "fhir", text.encode()), 400)


# XML that costs or reads


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("where", ["&e11;", '<a b="&e11;"/>'])
def test_an_entity_bomb_does_not_go_off(world: World, encoding: str, where: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    body = f"{head}{BOMB}{XML_ROOT}{where}</TreatmentPlan>".encode(encoding)
    answer = send(world, "behandlingsplan", body)
    problem(answer, 400)
    is_kept_for_the_operator(world, answer, body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY x SYSTEM "file://{path}">',
        '<!ENTITY % x SYSTEM "file://{path}"> %x;',
        '<!ENTITY x PUBLIC "-//x//y" "file://{path}">',
    ],
)
def test_a_local_file_is_not_read(
    world: World, tmp_path: Path, encoding: str, declared: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("noget ganske hemmeligt")
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    doctype = f"<!DOCTYPE b [{declared.format(path=secret)}]>"
    given = f"<Citizen><PersonGivenName>&x;</PersonGivenName></Citizen>{'</TreatmentPlan>'}"
    body = f"{head}{doctype}{XML_ROOT}{given}".encode(encoding)
    answer = send(world, "behandlingsplan", body)
    problem(answer, 400)
    assert "hemmeligt" not in answer.text
    assert world.kept()[0].state == "refused"


# Too much


def test_a_document_over_the_limit_is_refused_before_it_is_read(world: World) -> None:
    limit = world.hub.limits.body_bytes
    headers = {"Content-Length": str(limit + 1)}
    asked = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal asked
        for _ in range(2 * limit // 65536):
            asked += 1
            yield b" " * 65536

    answer = world.request("POST", "/documents/fhir", RUS, content=pieces(), headers=headers)
    (issue,) = problem(answer, 413)
    assert issue["code"] == "too-long"
    assert asked <= 1
    assert world.kept() == []


@pytest.mark.parametrize("url", ["/documents/fhir", "/fhir/Consent", "/fhir/CarePlan/_search"])
def test_a_stream_without_an_end_is_cut_off(world: World, url: str) -> None:
    limit = world.hub.limits.body_bytes
    asked = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal asked
        while asked < 10 * limit:
            asked += 1024 * 1024
            yield b" " * (1024 * 1024)

    problem(world.request("POST", url, RUS, content=pieces()), 413)
    assert asked <= limit + 2 * 1024 * 1024
    assert world.kept() == []


@pytest.mark.parametrize("who", [RUS, None])
def test_an_act_is_a_small_thing(planned: World, who: str | None) -> None:
    copy = planned.delivery("citizen")["delivery"]
    body = json.dumps({"person": "x" * 100_000}).encode()
    headers = {"Content-Type": "application/json"}
    answer = planned.request(
        "POST", f"/deliveries/{copy}/hand-over", who, content=body, headers=headers
    )
    problem(answer, 413)
    assert planned.delivery("citizen")["state"] == "sent"


@pytest.mark.parametrize(
    ("format", "body"),
    [
        ("fhir", b'{"a":' * 100_000),
        ("fhir", b"[" * 100_000),
        ("fhir", b'{"a":' * 90 + b"1" + b"}" * 90),
        ("vum", b'{"resourceType":"Bundle","entry":' + b"[" * 3_000 + b"]" * 3_000 + b"}"),
        ("behandlingsplan", XML_HEAD + b"<a>" * 100_000),
        ("behandlingsplan", XML_HEAD + b"<a>" * 1_000 + b"</a>" * 1_000),
    ],
)
def test_nesting_is_bounded(world: World, format: str, body: bytes) -> None:
    answer = send(world, format, body)
    assert answer.status_code in {400, 413}
    problem(answer, answer.status_code)
    is_kept_for_the_operator(world, answer, body)


def test_no_document_costs_more_than_a_few_times_its_size(tmp_path: Path) -> None:
    """In a process of its own; see tests/api/greedy.py for the documents."""
    command = [sys.executable, "-W", "error", "-m", "tests.api.greedy", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == 10
    assert {status for status, _ in found.values()} <= {400, 413, 415}
    assert max(cost for _, cost in found.values()) < 600, found


def hub_still_works(world: World) -> None:
    """The next message is served as if nothing had happened."""
    assert world.consent().status_code == 201
    world.publish_plan()
    world.work()
    assert world.delivery(KOORD_OWN)["state"] == "sent"


# And the others?


def test_bad_ones_stop_no_good_one(world: World) -> None:
    for format, who in SENDERS.items():
        for body in (b"", b"<", b"{", b"[" * 5000, coded("fhir"), TREATMENT, ORDER):
            answer = world.post(f"/documents/{format}", who, body)
            assert answer.status_code >= 400
            outcome_of(answer)
    world.work()
    assert {i.state for i in world.kept()} <= {"refused", "sealed"}
    hub_still_works(world)


def test_many_at_once_are_each_answered(world: World) -> None:
    """Good and bad together, as threads of one process see them."""
    world.consent()
    bodies = [b"{", PLAN_1, b"<", changed_plan(title="Anden"), TREATMENT, b""] * 3

    async def all_of_them() -> list[httpx.Response]:
        transport = httpx.ASGITransport(world.app)
        headers = {"Authorization": f"Bearer {world.secrets[RUS]}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://hub", headers=headers
        ) as client:
            calls = [client.post("/documents/fhir", content=b) for b in bodies]
            return await asyncio.gather(*calls)

    answers = run(all_of_them())
    world.work()
    for body, answer in zip(bodies, answers, strict=True):
        final = world.get(answer.headers["Location"], RUS) if answer.status_code == 202 else answer
        good = body in {PLAN_1, changed_plan(title="Anden")}
        assert (final.status_code == 200) == good, (body[:20], final.status_code)
    assert len({d["plan"] for d in world.deliveries()}) == 1

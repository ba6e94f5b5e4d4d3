"""A lead whose system knows the template alone: it publishes ki-plan-xml and gets it back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import etree

from adapters.ki_plan_xml.document import FORMAT, q
from hub.runtime.parties import operator_entries, party_entries
from hub.runtime.parties_file import parse_parties
from hub.services.admin import apply_parties
from tests.api.world import KOORD_OWN, PSYK, RUS, SAMPLES, World, problem
from tests.views import ROOT

TEMPLATE = "ki-plan-xml"
PLAN = (
    (SAMPLES / TEMPLATE / "samples" / "minimal.xml")
    .read_bytes()
    .replace(
        b"  <Units>",
        b"  <Goals><Goal><GoalText>Ro om aftenen</GoalText></Goal>"
        b"<Goal><GoalText>Faste aftaler</GoalText></Goal></Goals>\n  <Units>",
    )
)


@pytest.fixture
def template_world(world: World) -> World:
    """The lead's subscription is to the template."""
    file = ROOT / "hub" / "demo" / "parties.yaml"
    text, changed = re.subn(
        r"(id: rus-havneby\n(?:    .*\n)*?      - \{ content: plan, format: )fhir,",
        rf"\g<1>{TEMPLATE},",
        file.read_text("utf-8"),
    )
    assert changed == 1
    read = parse_parties(text)
    apply_parties(
        world.hub,
        party_entries(read, file.parent),
        operator_entries(read, file.parent),
        read.citizen_format,
        by="test",
    )
    return world


def publish(world: World, body: bytes, who: str = RUS, message_id: str | None = None) -> Any:
    return world.post(f"/documents/{TEMPLATE}", who, body, message_id=message_id)


def received(world: World) -> bytes:
    """The newest document in the lead's mailbox; earlier ones are receipted."""
    world.work()
    newest = b""
    while letters := world.letters(RUS):
        found = world.get(f"/mailbox/{letters[0]}", RUS)
        assert found.headers["KI-Format"] == TEMPLATE
        newest = found.content
        world.receipt(letters[0], RUS)
        world.work()
    assert newest
    return newest


def goals(body: bytes) -> dict[str, str]:
    """Text to identifier."""
    found = etree.fromstring(body).iter(q("Goal"))
    return {str(g.findtext(q("GoalText"))): str(g.findtext(q("GoalIdentifier"))) for g in found}


def versions(world: World) -> list[int]:
    return sorted(d["version"] for d in world.deliveries() if d["receiver"] == RUS)


def test_the_lead_gets_its_plan_back_with_the_hubs_ids(template_world: World) -> None:
    world = template_world
    world.consent()
    answer = publish(world, PLAN)
    assert answer.status_code == 200, answer.text
    body = received(world)
    assert FORMAT.schema.issues_of(etree.fromstring(body)) == ()
    assert all(i.startswith("urn:uuid:") for i in goals(body).values())


def test_an_unchanged_plan_sent_back_changes_nothing(template_world: World) -> None:
    world = template_world
    world.consent()
    plan = publish(world, PLAN).headers["Location"].split("/")[3]
    assert world.approve(plan).status_code == 201
    body = received(world)
    answer = publish(world, body, message_id="m-2")
    assert answer.status_code == 200, answer.text
    assert "Nothing new; version 1 stands" in answer.text
    assert versions(world) == [1]


def test_what_comes_back_is_matched_by_the_hubs_ids(template_world: World) -> None:
    """A goal's words change and a new goal comes; the first stays the same goal."""
    world = template_world
    world.consent()
    publish(world, PLAN)
    first = received(world)
    root = etree.fromstring(first)
    found = root.find(q("Goals"))
    assert found is not None
    texts = list(found.iter(q("GoalText")))
    texts[0].text = "Ro om aftenen og natten"
    new = etree.SubElement(found, q("Goal"))
    etree.SubElement(new, q("GoalText")).text = "En ny bekendt"
    assert publish(world, etree.tostring(root), message_id="m-2").status_code == 200
    before, after = goals(first), goals(received(world))
    assert after["Ro om aftenen og natten"] == before["Ro om aftenen"]
    assert after["Faste aftaler"] == before["Faste aftaler"]
    assert after["En ny bekendt"] not in before.values()


def test_a_change_on_an_older_version_is_merged(template_world: World) -> None:
    world = template_world
    world.consent()
    publish(world, PLAN)
    first = received(world)
    newer = first.replace(b"Faste aftaler", b"Faste aftaler om morgenen")
    assert publish(world, newer, message_id="m-2").status_code == 200
    older = first.replace(b"Ro om aftenen", b"Ro om natten")
    answer = publish(world, older, message_id="m-3")
    assert answer.status_code == 200, answer.text
    assert {"Ro om natten", "Faste aftaler om morgenen"} <= set(goals(received(world)))


def test_a_version_that_is_not_there_is_refused(template_world: World) -> None:
    world = template_world
    world.consent()
    publish(world, PLAN)
    unknown = received(world).replace(b"<BaseVersion>1<", b"<BaseVersion>7<")
    problem(publish(world, unknown, message_id="m-2"), 409)


def test_another_unit_changes_nothing(template_world: World) -> None:
    world = template_world
    world.consent()
    publish(world, PLAN)
    body = received(world)
    for who in (PSYK, KOORD_OWN):
        answer = publish(world, body, who, message_id=f"m-{who}")
        assert answer.status_code >= 400
    assert versions(world) == [1]


def test_minutes_of_another_meeting_are_refused_and_kept(template_world: World) -> None:
    world = template_world
    world.consent()
    body = PLAN.replace(b"koordinerende-indsatsplan", b"netvaerksmoede")
    answer = publish(world, body)
    problem(answer, 415)
    assert "not marked as a KI-plan" in answer.text
    assert [i.state for i in world.kept() if i.format == TEMPLATE] == ["refused"]
    assert world.deliveries() == []

"""Documents of the format ``fhir`` for tests: the examples, edited copies, generated plans."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from adapters.fhir import ADAPTER
from hub.contract import Context, Party, PlanUpdate, PlanView, RawMessage, Resource
from hub.errors import HubError
from hub.fhir import names
from tests.views import EXAMPLES, check, find_party, parties

NOW = datetime(2026, 9, 20, 8, 0, tzinfo=UTC)
SENDER = parties()["rus-havneby"]
BASE = "https://hub.test/fhir"
PLAN_ID = f"{names.BASE}/NamingSystem/plan"


def example(name: str) -> dict[str, Any]:
    """A fresh copy of a published example."""
    found: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def context(sender: Party = SENDER, scope: str = "test") -> Context:
    return Context(
        now=NOW,
        id_for=lambda key: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{key}")),
        find_party=find_party,
        sender=sender,
        base_url=BASE,
        check=check,
    )


def raw(document: dict[str, Any] | bytes, sender: Party = SENDER) -> RawMessage:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return RawMessage(sender, "fhir", body, "application/fhir+json", "message-1", NOW)


def parse(document: dict[str, Any] | bytes) -> PlanUpdate:
    found = ADAPTER.parse(raw(document), context())
    assert isinstance(found, PlanUpdate)
    return found


def refusal(document: dict[str, Any] | bytes) -> HubError:
    """The error that the document is refused with; fails if it is accepted."""
    try:
        ADAPTER.parse(raw(document), context())
    except HubError as e:
        return e
    raise AssertionError("accepted")


def entry_of(bundle: dict[str, Any], kind: str, number: int = 0) -> dict[str, Any]:
    found = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]
    resource: dict[str, Any] = found[number]
    return resource


def strings(value: Any) -> Iterator[str]:
    """Every string value below, keys not counted."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=60,
).filter(lambda s: s.strip())
_UUIDS = st.uuids(version=4).map(str)


@st.composite
def plan_views(draw: st.DrawFn, lead: Party = SENDER) -> PlanView:
    """A shared part in canonical form, with any number and text of items."""
    ids = iter(draw(st.lists(_UUIDS, min_size=24, max_size=24, unique=True)))
    patient = _made("Patient", ids, identifier=[{"system": names.CPR, "value": "0201609996"}])
    patient["name"] = [{"text": draw(_TEXT)}]
    to_patient = {"reference": f"Patient/{patient['id']}"}
    unit = _made("Organization", ids, identifier=[_identifier(lead)], name=draw(_TEXT))
    lead_role = _made("PractitionerRole", ids, organization=_link(unit))
    team = _made("CareTeam", ids, subject=to_patient)
    team["participant"] = [
        {"role": [names.concept(names.ROLE, "lead")], "member": _link(lead_role)}
    ]
    challenges = [
        _made("Condition", ids, subject=to_patient, code={"text": draw(_TEXT)})
        for _ in range(draw(st.integers(0, 4)))
    ]
    goals = [
        _made("Goal", ids, lifecycleStatus="active", description={"text": draw(_TEXT)})
        | {"subject": to_patient}
        for _ in range(draw(st.integers(0, 4)))
    ]
    plan: Resource = {"resourceType": "CarePlan", "id": next(ids), "status": "active"}
    plan |= {"intent": "plan", "category": [names.concept(names.CATEGORY, "ki-plan")]}
    plan |= {"subject": to_patient, "author": _link(lead_role), "careTeam": [_link(team)]}
    if challenges:
        plan["addresses"] = [_ranked(i) | _link(c) for i, c in enumerate(challenges, 1)]
    if goals:
        plan["goal"] = [_ranked(i) | _link(g) for i, g in enumerate(goals, 1)]
    activities = [_activity(draw, i, goals) for i in range(1, draw(st.integers(0, 4)) + 1)]
    if activities:
        plan["activity"] = activities
    resources = [plan, patient, unit, lead_role, team, *challenges, *goals]
    return PlanView(
        plan_id=plan["id"],
        version=draw(st.integers(1, 10_000)),
        resources={f"{r['resourceType']}/{r['id']}": r for r in resources},
        approved=draw(st.booleans()),
        lead=lead,
    )


def _activity(draw: st.DrawFn, rank: int, goals: list[Resource]) -> dict[str, Any]:
    served = draw(st.lists(st.sampled_from(goals), unique_by=lambda g: g["id"])) if goals else []
    detail: dict[str, Any] = {"status": "not-started", "description": draw(_TEXT)}
    if served:
        detail["goal"] = [_link(g) for g in served]
    extension = [*_ranked(rank)["extension"]]
    for section in draw(st.lists(st.sampled_from(names.SECTIONS), unique=True, max_size=2)):
        extension.append({"url": names.SECTION, "valueCode": section})
    return {"id": draw(_UUIDS), "extension": extension, "detail": detail}


def _made(kind: str, ids: Iterator[str], **elements: Any) -> Resource:
    return {"resourceType": kind, "id": next(ids), **elements}


def _link(resource: Resource) -> dict[str, Any]:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def _ranked(number: int) -> dict[str, Any]:
    return {"extension": [{"url": names.RANK, "valuePositiveInt": number}]}


def _identifier(party: Party) -> dict[str, str]:
    return {"system": names.SOR, "value": party.identifier(names.SOR) or ""}


def with_base(view: PlanView, **changes: Any) -> PlanView:
    return replace(view, **changes)

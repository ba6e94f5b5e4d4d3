"""Generated shared parts, and what people do to them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from hub.contract import Resource
from hub.fhir import names
from hub.model.pieces import Pieces, split

Shared = dict[str, Resource]
PLAN = "CarePlan/p"
LISTS = {"addresses": "Condition", "goal": "Goal"}
WORDS = st.text("abcæøå ", min_size=1, max_size=8)
SECTIONS = ("psychiatry", "substance-use", "social")


def taken(resources: Shared) -> Pieces:
    return split(resources, PLAN)


def _link(key: str, rank: int) -> dict[str, Any]:
    return {"extension": [{"url": names.RANK, "valuePositiveInt": rank}], "reference": key}


def _item(kind: str, own: str, text: str, labels: list[str]) -> Resource:
    made: Resource = {"resourceType": kind, "id": own, "subject": {"reference": "Patient/c"}}
    if labels:
        made["extension"] = [{"url": names.SECTION, "valueCode": x} for x in labels]
    words = {"Condition": {"code": {"text": text}}, "Goal": {"description": {"text": text}}}
    return made | words.get(kind, {"valueString": text, "performer": [{"reference": "Role/r1"}]})


LABELS = st.lists(st.sampled_from(SECTIONS), max_size=2, unique=True)


@st.composite
def plans(draw: st.DrawFn) -> Shared:
    """A plan with 1 to 4 items in each list, ranks with gaps, and people around it."""
    plan: Resource = {
        "resourceType": "CarePlan", "id": "p", "status": "active", "title": draw(WORDS),
        "subject": {"reference": "Patient/c"}, "author": {"reference": "Role/r1"},
        "careTeam": [{"reference": "CareTeam/t"}],
    }  # fmt: skip
    found: Shared = {PLAN: plan}
    for name, kind in LISTS.items():
        texts = draw(st.lists(WORDS, min_size=1, max_size=4))
        step = draw(st.integers(1, 3))
        plan[name] = []
        for i, text in enumerate(texts, 1):
            key = f"{kind}/{kind.lower()}{i}"
            found[key] = _item(kind, key.partition("/")[2], text, draw(LABELS))
            plan[name].append(_link(key, i * step))
    goals = [x["reference"] for x in plan["goal"]]
    plan["activity"] = [
        _activity(
            f"a{i}", i, draw(WORDS), draw(st.lists(st.sampled_from(goals), unique=True)),
            draw(LABELS),
        )
        for i in range(1, draw(st.integers(2, 4)))
    ]  # fmt: skip
    for i, text in enumerate(draw(st.lists(WORDS, max_size=3)), 1):
        found[f"Observation/n{i}"] = _item("Observation", f"n{i}", text, draw(LABELS))
        plan.setdefault("supportingInfo", []).append({"reference": f"Observation/n{i}"})
    if draw(st.booleans()):
        time = [{"url": "time", "valueString": draw(WORDS)}]
        plan["extension"] = [{"url": names.NEXT_MEETING, "extension": time}]
    return found | _people(draw(st.integers(0, 2)))


def _activity(own: str, rank: int, text: str, goals: list[str], labels: list[str]) -> Resource:
    detail: Resource = {"status": "not-started", "description": text}
    if goals:
        detail["goal"] = [{"reference": g} for g in goals]
    rank_ = {"url": names.RANK, "valuePositiveInt": rank}
    sections = [{"url": names.SECTION, "valueCode": x} for x in labels]
    return {"id": own, "extension": [rank_, *sections], "detail": detail}


def _people(others: int) -> Shared:
    roles = {f"Role/r{i}": "lead" if i == 1 else "professional" for i in range(1, others + 2)}
    found: Shared = {"Patient/c": {"resourceType": "Patient", "id": "c"}}
    for key in roles:
        own = key.partition("/")[2]
        found[key] = {"resourceType": "Role", "id": own, "code": [{"text": own}]}
    found["CareTeam/t"] = {
        "resourceType": "CareTeam", "id": "t", "subject": {"reference": "Patient/c"},
        "participant": [
            {"role": [names.concept(names.ROLE, role)], "member": {"reference": key}}
            for key, role in roles.items()
        ],
    }  # fmt: skip
    return found


@dataclass(frozen=True)
class Edit:
    """One thing a person does."""

    kind: str
    """``text``, ``remove``, ``add``, ``move``, ``title``, ``meeting``, ``phone``."""
    name: str
    number: int
    text: str


EDITS = st.builds(
    Edit,
    st.sampled_from(["text", "text", "remove", "add", "move", "title", "meeting", "phone"]),
    st.sampled_from(["addresses", "goal", "activity", "supportingInfo"]),
    st.integers(0, 3),
    WORDS,
)


def edited(resources: Shared, edits: list[Edit], who: str = "x") -> Shared:
    """A copy with the edits made; those that find nothing to do are left out."""
    made = copy.deepcopy(resources)
    for i, edit in enumerate(edits):
        _edit(made, edit, f"{who}{i}")
    return made


def _edit(made: Shared, edit: Edit, new: str) -> None:
    plan = made[PLAN]
    items = plan.get(edit.name, [])
    match edit.kind:
        case "title":
            plan["title"] = edit.text
        case "meeting":
            time = [{"url": "time", "valueString": edit.text}]
            plan["extension"] = [{"url": names.NEXT_MEETING, "extension": time}]
        case "phone":
            made["Role/r1"]["telecom"] = [{"system": "phone", "value": edit.text}]
        case "add" if edit.name != "supportingInfo":
            _add(made, edit, new)
        case "text" if edit.number < len(items):
            _say(made, items[edit.number], edit.text)
        case "remove" if edit.number < len(items) and len(items) > 1:
            _remove(made, edit.name, edit.number)
        case "move" if edit.number < len(items) and edit.name != "supportingInfo":
            items.append(items.pop(edit.number))
            _count(items)


def _add(made: Shared, edit: Edit, new: str) -> None:
    items = made[PLAN][edit.name]
    last = max(_rank(x) for x in items)
    if edit.name == "activity":
        items.append(_activity(new, last + 1, edit.text, [], []))
        return
    kind = LISTS[edit.name]
    made[f"{kind}/{new}"] = _item(kind, new, edit.text, [])
    items.append(_link(f"{kind}/{new}", last + 1))


def _say(made: Shared, item: Resource, text: str) -> None:
    if "detail" in item:
        item["detail"]["description"] = text
        return
    resource = made[item["reference"]]
    words = {"Condition": {"code": {"text": text}}, "Goal": {"description": {"text": text}}}
    resource |= words.get(resource["resourceType"], {"valueString": text})


def _remove(made: Shared, name: str, number: int) -> None:
    gone = made[PLAN][name].pop(number)
    reference = gone.get("reference")
    if reference is None:
        return
    del made[reference]
    for activity in made[PLAN]["activity"]:
        goals = [g for g in activity["detail"].get("goal", ()) if g["reference"] != reference]
        activity["detail"].pop("goal", None)
        if goals:
            activity["detail"]["goal"] = goals


def _rank(item: Resource) -> int:
    return int(item["extension"][0]["valuePositiveInt"])


def _count(items: list[Resource]) -> None:
    for i, item in enumerate(items, 1):
        item["extension"] = [{"url": names.RANK, "valuePositiveInt": i}, *item["extension"][1:]]

"""Whether two bundles say the same plan: everything but the ids, which the hub issues itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.extract import codes
from hub.fhir.reading import PlanReader

PLAN_ID = f"{names.BASE}/NamingSystem/plan"
"""Identifier system of the hub's plan id: the one identifier that the hub adds."""

Resources = Mapping[str, Resource]


def resources_of(bundle: bytes | str) -> dict[str, Resource]:
    """``Type/id`` to resource; references to entries rewritten to the same form.

    The id is the last part of the entry's fullUrl, as a URL or as ``urn:uuid:``.
    """
    entries = json.loads(bundle)["entry"]
    short = {
        e["fullUrl"]: f"{e['resource']['resourceType']}/{e['fullUrl'].rpartition(':')[2]}"
        if e["fullUrl"].startswith("urn:")
        else "/".join(e["fullUrl"].split("/")[-2:])
        for e in entries
    }
    return {
        key: _rewritten(e["resource"], short) | {"id": key.partition("/")[2]}
        for e in entries
        for key in (short[e["fullUrl"]],)
    }


def _rewritten(value: Any, short: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            k: short.get(v, v) if k == "reference" and isinstance(v, str) else _rewritten(v, short)
            for k, v in value.items()
        }
    return [_rewritten(v, short) for v in value] if isinstance(value, list) else value


def the_plan(resources: Resources) -> str:
    """The key of the shared part's CarePlan."""
    (found,) = [
        k
        for k, r in resources.items()
        if r["resourceType"] == "CarePlan" and codes(r.get("category", ()), names.CATEGORY)
    ]
    return found


@dataclass
class Comparison:
    """Two plans walked side by side from their CarePlans, along every reference."""

    source: Resources
    received: Resources
    pairs: dict[str, str] = field(default_factory=dict)
    """Key in the source to key in what was received."""
    differences: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        todo = [(the_plan(self.source), the_plan(self.received))]
        while todo:
            one, other = todo.pop()
            if self.pairs.setdefault(one, other) != other:
                self.differences.append(f"{one} became both {self.pairs[one]} and {other}")
                continue
            found = _walked(_content(self.source[one]), _content(self.received[other]), one)
            for place, left, right in found:
                linked = place.endswith(".reference")
                if linked and left in self.source and right in self.received:
                    if self.pairs.get(left) != right:
                        todo.append((left, right))
                else:
                    self.differences.append(place)
        self.differences += [f"{k} is gone" for k in self.source if k not in self.pairs]
        if len(set(self.pairs.values())) != len(self.pairs):
            self.differences.append("two resources became one")

    @property
    def added(self) -> set[str]:
        """Types of what was received besides the plan."""
        kept = set(self.pairs.values())
        return {k.partition("/")[0] for k in self.received if k not in kept}

    def words(self, of: Resources) -> dict[str, Any]:
        """All that the one reader of plans reads, in the source's ids."""
        back = {v: k for k, v in self.pairs.items()} if of is self.received else {}
        reader = PlanReader(of)
        meeting, following = reader.meeting(), reader.next_meeting()
        said = {
            "cpr": reader.cpr,
            "citizen": reader.name_of(reader.plan["subject"]["reference"]),
            "consent": reader.consent_as_written,
            "challenges": [asdict(x) for x in reader.challenges()],
            "goals": [asdict(x) for x in reader.goals()],
            "interventions": [asdict(x) for x in reader.interventions()],
            "notes": [asdict(x) for x in reader.status_notes()],
            "meeting": asdict(meeting) if meeting else None,
            "next": asdict(following) if following else None,
            "postscripts": [asdict(x) for x in reader.postscripts()],
            "contacts": [asdict(x) for x in reader.contacts()],
        }
        text = json.dumps(said, ensure_ascii=False)
        for new, old in back.items():
            text = text.replace(new, old)
        found: dict[str, Any] = json.loads(text)
        return found


def _content(resource: Resource) -> Resource:
    """Without the id, and without what the hub stamps on a plan: version, id, approved or not."""
    made = {k: v for k, v in resource.items() if k != "id"}
    meta = {k: v for k, v in made.pop("meta", {}).items() if k != "versionId"}
    tags = [t for t in meta.pop("tag", ()) if t.get("system") != names.DECISION_CODE]
    meta |= {"tag": tags} if tags else {}
    own = [i for i in made.pop("identifier", ()) if i.get("system") != PLAN_ID]
    return made | ({"meta": meta} if meta else {}) | ({"identifier": own} if own else {})


def _walked(left: Any, right: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Every place where the two are not equal, and every reference."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys([*left, *right]):
            yield from _walked(left.get(key), right.get(key), f"{place}.{key}")
    elif isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            yield place, left, right
        for i, (one, other) in enumerate(zip(left, right, strict=False)):
            yield from _walked(one, other, f"{place}[{i}]")
    elif left != right or place.endswith(".reference"):
        yield place, left, right

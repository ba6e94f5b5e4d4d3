"""A plan's shared part taken apart into what people write separately, and put together again.

A *piece* is what one writer changes at a time: each plain field of the CarePlan, the next meeting,
each challenge, goal, intervention, status note, meeting and postscript by its hub-issued id, each
participant, each contact. The order of each list is a piece of its own. Pure: ``joined(split(x))``
is ``x``, and nothing is said that is not in a resource.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.extract import extension_value, references
from hub.model.plan import canonical

RANKED: Final = {"addresses": "challenge", "goal": "goal", "activity": "intervention"}
"""The plan's prioritised lists, and what an item of each is called."""
_SUPPORTING: Final = {"Appointment": "meeting", "Observation": "status-note"}
_NAMED: Final = {names.NEXT_MEETING: "next-meeting", names.POSTSCRIPT: "postscript"}
ORDER: Final = "order/"
"""How the piece begins that is the order of a list."""
OTHER: Final = "contact/"
"""People and units: what pieces refer to, never a proposal of its own."""

_RANK_HERE: Final = {"url": names.RANK}

Place = tuple[str, int | None]
"""What stands there, and its rank where the list has ranks."""


@dataclass(frozen=True)
class Pieces:
    """A shared part taken apart."""

    plan: str
    """``CarePlan/<id>``."""
    values: Mapping[str, Any]
    """Piece to JSON."""
    orders: Mapping[str, tuple[Place, ...]]
    """List to what stands in it, in document order. ``resources`` lists ``Type/id``."""

    def sources(self) -> dict[str, str]:
        """``Type/id`` to the piece that holds the resource."""
        found = {self.plan: "plan/id"}
        for key, value in self.values.items():
            if isinstance(value, Mapping) and isinstance(value.get("resource"), Mapping):
                found[_name(value["resource"])] = key
        if "team/id" in self.values:
            found[f"CareTeam/{self.values['team/id']}"] = "team/id"
        return found


def split(resources: Mapping[str, Resource], plan: str) -> Pieces:
    """The pieces of a shared part; ``plan`` is its CarePlan's ``Type/id``."""
    taking = _Taking(resources, plan)
    care_plan = resources[plan]
    for name, value in care_plan.items():
        if name in {*RANKED, "supportingInfo", "extension"}:
            for item in value:
                taking.item(name, item)
        else:
            taking.values[f"plan/{name}"] = value
    team = next((x.get("reference", "") for x in care_plan.get("careTeam", ())), "")
    if team in resources:
        taking.team(resources[team])
    for key, resource in resources.items():
        if key not in taking.used:
            taking.values[f"{OTHER}{key}"] = {"resource": resource}
    taking.orders["resources"] = [(key, None) for key in resources]
    return Pieces(plan, taking.values, {k: tuple(v) for k, v in taking.orders.items()})


def joined(pieces: Pieces) -> dict[str, Resource]:
    """The resources again, the CarePlan first; items that no order names come last."""
    plan: Resource = {}
    team: Resource = {}
    found: dict[str, Resource] = {}
    for key, value in pieces.values.items():
        group, _, name = key.partition("/")
        if group == "plan":
            plan[name] = value
        elif group == "team":
            team[name] = value
        elif isinstance(value, Mapping) and "resource" in value:
            found[_name(value["resource"])] = value["resource"]
    for name in (*RANKED, "supportingInfo", "extension"):
        items = [_item(pieces.values[k], rank) for k, rank in _placed(pieces, name)]
        if items:
            plan[name] = items
    participants = [pieces.values[k]["link"] for k, _ in _placed(pieces, "participant")]
    if participants:
        team["participant"] = participants
    if "id" in team:
        found[_name(team)] = team
    found[pieces.plan] = plan
    ordered = [k for k, _ in pieces.orders["resources"] if k in found]
    order = dict.fromkeys([pieces.plan, *ordered, *found])
    return {key: found[key] for key in order}


def listed(key: str, value: Any) -> str | None:
    """The list that a piece stands in; None if it stands in none."""
    if isinstance(value, Mapping) and "list" in value:
        return str(value["list"])
    return None


def ranked(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """In the order of the ranks; places without a rank stay where they are."""
    if any(rank is None for _, rank in places):
        return places
    return tuple(sorted(places, key=lambda p: p[1] or 0))


def referred(value: Any) -> Iterator[str]:
    """Every ``Type/id`` that a piece leads to."""
    yield from references(value)


class _Taking:
    """Pieces being gathered from one shared part."""

    def __init__(self, resources: Mapping[str, Resource], plan: str) -> None:
        self._resources = resources
        self.values: dict[str, Any] = {}
        self.orders: dict[str, list[Place]] = {}
        self.used = {plan}

    def item(self, name: str, item: Mapping[str, Any]) -> None:
        """One element of a list of the CarePlan."""
        if name == "activity":
            own = str(item.get("id") or _hash(_unranked(item)))
            self._add(name, f"intervention/{own}", {"link": _unranked(item)}, item)
            return
        if name == "extension":
            kind = _NAMED.get(str(item.get("url")), "plan-extension")
            own = str(item.get("id") or _hash(item)) if kind == "postscript" else ""
            own = own or str(item.get("url", "")).rpartition("/")[2]
            self._add(name, kind if kind == "next-meeting" else f"{kind}/{own}", {"link": item})
            return
        reference = str(item.get("reference", ""))
        kind = RANKED.get(name) or _SUPPORTING.get(reference.partition("/")[0], "document")
        value: dict[str, Any] = {"link": _unranked(item) if name in RANKED else dict(item)}
        if reference in self._resources and reference not in self.used:
            self.used.add(reference)
            value["resource"] = self._resources[reference]
        own = reference.partition("/")[2] or _hash(value["link"])
        self._add(name, f"{kind}/{own}", value, item)

    def team(self, team: Resource) -> None:
        """The CareTeam: its fields, and each participant."""
        self.used.add(_name(team))
        for name, value in team.items():
            if name != "participant":
                self.values[f"team/{name}"] = value
        for one in team.get("participant", ()):
            own = str(one.get("member", {}).get("reference") or _hash(one))
            self._add("participant", f"participant/{own}", {"link": one})

    def _add(
        self, name: str, key: str, value: dict[str, Any], item: Mapping[str, Any] | None = None
    ) -> None:
        number, free = 2, key
        while free in self.values:
            free, number = f"{key}#{number}", number + 1
        self.values[free] = {"list": name, **value}
        rank = extension_value(item, names.RANK) if item is not None and name in RANKED else None
        self.orders.setdefault(name, []).append((free, rank if isinstance(rank, int) else None))


def _placed(pieces: Pieces, name: str) -> Iterator[Place]:
    """What stands in a list: as ordered, then whatever no order names."""
    order = pieces.orders.get(name, ())
    seen = set()
    for key, rank in order:
        if key in pieces.values:
            seen.add(key)
            yield key, rank
    for key, value in pieces.values.items():
        if key not in seen and listed(key, value) == name:
            yield key, None


def _item(value: Mapping[str, Any], rank: int | None) -> dict[str, Any]:
    """The list's own element, its rank where it stood; without a mark for it, first."""
    item = dict(value["link"])
    extensions = [e for e in item.get("extension", ()) if rank is not None or e != _RANK_HERE]
    ranks = [] if rank is None or _RANK_HERE in extensions else [_RANK_HERE]
    extensions = [
        e | {"valuePositiveInt": rank} if e == _RANK_HERE else e for e in [*ranks, *extensions]
    ]
    item.pop("extension", None)
    return item | ({"extension": extensions} if extensions else {})


def _unranked(item: Mapping[str, Any]) -> dict[str, Any]:
    """The element with a mark where its rank stood: the rank is the order's."""
    made = dict(item)
    if "extension" in made:
        made["extension"] = [
            dict(_RANK_HERE) if e.get("url") == names.RANK else e for e in made["extension"]
        ]
    return made


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()[:32]

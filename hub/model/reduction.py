"""What of a plan version may go to one receiver. Pure.

Two rules of docs/canonical-model.md. :func:`shareable`: an item of a sector's own plan leaves
only where its owner marked it with the extension ``coordination`` = true; on the CarePlan itself
the mark covers ``description`` and ``period``; what is not named here stays. :func:`permitted`:
an item goes only to a receiver permitted for all its sections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.contract import Loss, Resource
from hub.fhir import names
from hub.fhir.bundles import reachable, without
from hub.fhir.extract import codes, extension_value
from hub.model.alone import stands_alone

_ALWAYS: Final = frozenset(
    {"resourceType", "id", "meta", "status", "intent", "category", "subject", "author", "partOf"}
)
"""What says that the sector plan exists and whose it is."""
_ITEMS: Final = frozenset({"addresses", "goal", "supportingInfo", "activity"})
_RANKED: Final = ("addresses", "goal", "activity")
_MARKED: Final = frozenset({"description", "period"})
_PEOPLE: Final = frozenset(
    {"Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization"}
)
"""Follow along with an item that names them; they carry no mark of their own."""
_EXTENSIONS: Final = frozenset({names.LEGAL_BASIS, names.COORDINATION})

_REASON: Final = "its owner has not marked it for coordination"

_UNLABELLED: Final = _PEOPLE | {"CarePlan", "CareTeam", "Appointment"}
"""Types that carry no section label: who is around the citizen, and when they meet."""
_NO_SECTION: Final = "the receiver is not permitted for its section"


def marked(element: Mapping[str, Any]) -> bool:
    """The owner lets it be seen by the others around the citizen."""
    return extension_value(element, names.COORDINATION) is True


def shareable(
    resources: Mapping[str, Resource],
    owner_is_viewer: Callable[[Resource], bool],
    *,
    by_statute: bool = False,
) -> tuple[dict[str, Resource], tuple[Loss, ...]]:
    """The resources without what other owners keep to themselves, and what that was.

    ``by_statute``: one document by itself, for a party that a statute lets have it; in a shared
    plan nothing is seen of a kind that stands alone.

    ``resources``: ``Type/id`` to resource; ``owner_is_viewer`` is asked for each sector plan's
    CarePlan. Every reference of the result resolves as before; nothing in the input is changed.
    """
    foreign = [k for k, r in resources.items() if _is_sector_plan(r) and not owner_is_viewer(r)]
    if not foreign:
        return dict(resources), ()
    open_to_viewer = _open(resources, foreign)
    reduced = {key: _reduced(resources, key, open_to_viewer, by_statute) for key in foreign}
    dropped = {k for k, r in reduced.items() if r.plan is None}
    dropped |= {
        member
        for key in foreign
        for member in reachable(resources, [key]) - open_to_viewer - set(foreign)
        if not _may_leave(resources[member])
    }
    kept = dict(resources) | {k: r.plan for k, r in reduced.items() if r.plan is not None}
    remaining = {
        key: without(_bare(r) if key not in open_to_viewer else r, dropped.__contains__)
        for key, r in kept.items()
        if key not in dropped
    }
    found = _without_strays(resources, remaining, foreign)
    return _without_gaps(resources, found), tuple(_losses(resources, reduced, dropped))


def permitted(
    resources: Mapping[str, Resource], may_see: Callable[[Mapping[str, Any]], bool]
) -> tuple[dict[str, Resource], tuple[Loss, ...]]:
    """The resources without the items this receiver may not see, and what those were.

    ``may_see`` is asked for each labelled item, labelled or not: challenges, goals, status notes
    and the like (the resource), interventions (the activity), postscripts (the extension), and a
    sector plan's purpose (its CarePlan). References to what was dropped are dropped with it.
    """
    dropped = {
        k for k, r in resources.items() if r["resourceType"] not in _UNLABELLED and not may_see(r)
    }
    losses: list[Loss] = []
    kept: dict[str, Resource] = {}
    for key, resource in resources.items():
        if key in dropped:
            losses.append(Loss(key, "dropped", _NO_SECTION))
            continue
        if resource["resourceType"] == "CarePlan":
            resource, withheld = _permitted_plan(key, resource, may_see)  # noqa: PLW2901
            losses += withheld
        kept[key] = without(resource, dropped.__contains__)
    plans = [k for k, r in resources.items() if r["resourceType"] == "CarePlan"]
    return _without_gaps(resources, _without_strays(resources, kept, plans)), tuple(losses)


def _permitted_plan(
    key: str, plan: Resource, may_see: Callable[[Mapping[str, Any]], bool]
) -> tuple[Resource, list[Loss]]:
    losses: list[Loss] = []
    made = _bare(plan)
    hidden = [(i, a) for i, a in enumerate(plan.get("activity", ()), 1) if not may_see(a)]
    losses += [Loss(f"{key}#activity.{a.get('id', i)}", "dropped", _NO_SECTION) for i, a in hidden]
    _keep(made, "activity", may_see)
    postscripts = [e for e in plan.get("extension", ()) if e.get("url") == names.POSTSCRIPT]
    losses += [
        Loss(f"{key}#postscript[{i}]", "dropped", _NO_SECTION)
        for i, e in enumerate(postscripts)
        if not may_see(e)
    ]
    _keep(made, "extension", lambda e: e.get("url") != names.POSTSCRIPT or may_see(e))
    if not all(may_see(note) for note in plan.get("note", ())):
        losses.append(Loss(f"{key}/note", "dropped", _NO_SECTION))
    _keep(made, "note", may_see)
    if "description" in made and not may_see(plan):
        del made["description"]
        losses.append(Loss(f"{key}/description", "dropped", _NO_SECTION))
    return made, losses


def _keep(resource: Resource, name: str, wanted: Callable[[Mapping[str, Any]], bool]) -> None:
    if name in resource:
        resource[name] = [x for x in resource[name] if wanted(x)]
        if not resource[name]:
            del resource[name]


def paths(resources: Mapping[str, Resource]) -> frozenset[str]:
    """What the resources show, by the paths that the two functions above report losses with."""
    found = set(resources)
    for key, resource in resources.items():
        if resource["resourceType"] == "CarePlan":
            found |= {f"{key}/{name}" for name in ("note", "description") if name in resource}
            found |= {
                f"{key}#activity.{a.get('id', i)}"
                for i, a in enumerate(resource.get("activity", ()), 1)
            }
    return frozenset(found)


@dataclass(frozen=True)
class _Reduced:
    plan: Resource | None
    """None if nothing in it may leave: then its existence does not either."""
    losses: tuple[Loss, ...]


def _is_sector_plan(resource: Resource) -> bool:
    return resource["resourceType"] == "CarePlan" and bool(
        codes(resource.get("category", ()), names.SECTOR_KIND)
    )


def _open(resources: Mapping[str, Resource], foreign: Iterable[str]) -> set[str]:
    """What the viewer sees by another way: the shared part's and its own plan's resources."""
    closed = set(foreign)
    roots = [k for k, r in resources.items() if r["resourceType"] == "CarePlan"]
    others = {k: r for k, r in resources.items() if k not in closed}
    return reachable(others, [k for k in roots if k not in closed])


def _may_leave(resource: Resource) -> bool:
    return resource["resourceType"] in _PEOPLE or marked(resource)


def _bare(resource: Resource) -> Resource:
    """Without its narrative: a narrative may retell what was dropped."""
    return {k: v for k, v in resource.items() if k != "text"}


def _reduced(
    resources: Mapping[str, Resource], key: str, open_: set[str], by_statute: bool
) -> _Reduced:
    plan, losses = resources[key], []
    if stands_alone(plan) and not by_statute:
        # Whatever its marks say: no consent covers it.
        return _Reduced(None, ())
    own_marked = marked(plan)
    made: Resource = {}
    for name, value in plan.items():
        if name in _ALWAYS or (name in _MARKED and own_marked):
            made[name] = value
        elif name == "extension":
            made[name] = [e for e in value if e.get("url") in _EXTENSIONS]
        elif name == "activity":
            made[name] = [a for a in value if marked(a)]
            losses += [
                Loss(f"{key}#activity.{a.get('id', i)}", "dropped", _REASON)
                for i, a in enumerate(value, 1)
                if not marked(a)
            ]
        elif name in _ITEMS:
            made[name] = [link for link in value if _link_may_leave(resources, link, open_)]
        else:
            losses.append(Loss(f"{key}/{name}", "dropped", _REASON))
    made = {k: v for k, v in made.items() if v != []}
    empty = not own_marked and not (made.keys() & _ITEMS)
    return _Reduced(None if empty else made, tuple(losses))


def _link_may_leave(
    resources: Mapping[str, Resource], link: Mapping[str, Any], open_: set[str]
) -> bool:
    target = str(link.get("reference", ""))
    return target in open_ or (target in resources and _may_leave(resources[target]))


def _without_strays(
    before: Mapping[str, Resource], after: Mapping[str, Resource], foreign: list[str]
) -> dict[str, Resource]:
    """People and units that only dropped items named go with them."""
    from_sector = reachable(before, foreign)
    roots = [k for k, r in after.items() if r["resourceType"] == "CarePlan"]
    roots += [k for k in after if k not in from_sector]
    wanted = reachable(after, roots)
    return {k: r for k, r in after.items() if k in wanted}


def _without_gaps(
    before: Mapping[str, Resource], after: dict[str, Resource]
) -> dict[str, Resource]:
    """Where an item was left out of a list, the others are ranked anew: a gap would tell of it."""
    made = dict(after)
    for key, plan in after.items():
        for name in _RANKED if plan["resourceType"] == "CarePlan" else ():
            if len(plan.get(name, ())) < len(before[key].get(name, ())) and name in plan:
                made[key] = made[key] | {name: _ranked_anew(plan[name])}
    return made


def _ranked_anew(items: list[Resource]) -> list[Resource]:
    """The same items with the ranks 1, 2, 3 in the order of those that they had."""
    ranks = sorted(r for item in items if (r := extension_value(item, names.RANK)) is not None)
    return [_ranked(item, ranks) for item in items]


def _ranked(item: Resource, ranks: list[Any]) -> Resource:
    if extension_value(item, names.RANK) is None:
        return item
    told = [
        {"url": names.RANK, "valuePositiveInt": ranks.index(e["valuePositiveInt"]) + 1}
        if e.get("url") == names.RANK
        else e
        for e in item["extension"]
    ]
    return item | {"extension": told}


def _losses(
    resources: Mapping[str, Resource], reduced: Mapping[str, _Reduced], dropped: set[str]
) -> Iterable[Loss]:
    for key in resources:
        if key in reduced and reduced[key].plan is not None:
            yield from reduced[key].losses
        elif key in dropped:
            yield Loss(key, "dropped", _REASON)

"""Items that come back without a hub id: the base's item with exactly the same text, else new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.bundles import rewritten
from hub.fhir.extract import extension_value, full_name

_ONE: Final = frozenset({"CareTeam"})
"""There is one in a plan, whatever it is called."""


def recognised(
    sent: Mapping[str, Resource], plan: str, base: Mapping[str, Resource], base_plan: str
) -> dict[str, Resource]:
    """What was sent, with the base's ids for what is the base's; ``plan`` is its CarePlan.

    An id of the base counts as it stands. Of several with one text, the first is the first.
    """
    same = {plan: base_plan, **dict(_same(sent, base))}

    def new(reference: str) -> str | None:
        return same.get(reference)

    found: dict[str, Resource] = {}
    for key, resource in sent.items():
        known = same.get(key, key)
        found[known] = rewritten(resource, new) | {"id": known.partition("/")[2]}
    found[base_plan] = _activities(found[base_plan], base[base_plan])
    return found


def _same(sent: Mapping[str, Resource], base: Mapping[str, Resource]) -> Iterator[tuple[str, str]]:
    free: dict[tuple[str, ...], list[str]] = {}
    for key, resource in base.items():
        if key not in sent and (text := _text(resource)):
            free.setdefault(text, []).append(key)
    for key, resource in sent.items():
        if key in base:
            continue
        found = free.get(_text(resource)) if _text(resource) else None
        if found:
            yield key, found.pop(0)


def _text(resource: Resource) -> tuple[str, ...]:
    """What tells one from others of its type; empty if nothing does."""
    kind = str(resource["resourceType"])
    if kind in _ONE:
        return (kind,)
    words = [w for w in _WORDS.get(kind, _name)(resource) if w]
    return (kind, *words) if words else ()


def _name(resource: Resource) -> list[str]:
    return [full_name(resource)]


def _challenge(resource: Resource) -> list[str]:
    notes = [str(n.get("text", "")) for n in resource.get("note", ())]
    return [str(resource.get("code", {}).get("text", "")), *notes]


def _note(resource: Resource) -> list[str]:
    text = str(resource.get("valueString", ""))
    return [str(extension_value(resource, names.ACTOR_LABEL) or ""), text] if text else []


def _function(resource: Resource) -> list[str]:
    title = next((str(c.get("text", "")) for c in resource.get("code", ())), "")
    return [str(resource.get("practitioner", {}).get("display", "")), title]


def _relative(resource: Resource) -> list[str]:
    return [
        full_name(resource),
        *(str(r.get("text", "")) for r in resource.get("relationship", ())),
    ]


_WORDS: Final[Mapping[str, Callable[[Resource], list[str]]]] = {
    "Condition": _challenge,
    "Goal": lambda r: [str(r.get("description", {}).get("text", ""))],
    "Observation": _note,
    "Appointment": lambda r: [
        str(r.get("start", "")), str(extension_value(r, names.MEETING_DATE) or "")
    ],
    "Organization": lambda r: sorted(
        f"{i.get('system')} {i.get('value')}" for i in r.get("identifier", ())
    ),
    "PractitionerRole": _function,
    "RelatedPerson": _relative,
}  # fmt: skip
"""The words of each type that tell; of any other, a name."""


def _activities(plan: Resource, base: Resource) -> Resource:
    """Interventions by their text as written."""
    sent = plan.get("activity", [])
    taken = {a.get("id") for a in sent}
    known = {a.get("id") for a in base.get("activity", ())}
    free: dict[str, list[str]] = {}
    for activity in base.get("activity", ()):
        if activity.get("id") not in taken and (text := _said(activity)):
            free.setdefault(text, []).append(str(activity["id"]))
    made = []
    for activity in sent:
        found = free.get(_said(activity)) if activity.get("id") not in known else None
        made.append(activity | {"id": found.pop(0)} if found else activity)
    return plan | {"activity": made} if made else plan


def _said(activity: Mapping[str, Any]) -> str:
    detail = activity.get("detail", {})
    return str(detail.get("description") or detail.get("code", {}).get("text", ""))

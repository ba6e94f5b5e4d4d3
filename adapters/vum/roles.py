"""Which role every entry plays in the order, found by its links.

Role names are the profiles' ids without ``kl-messaging-ffb-`` (``disgnosis`` is the standard's own
spelling), and three of our own: ``subGoal`` (delmål, KL core only), ``related`` (part of another
authority's plan) and ``unlinked`` (nothing in the order points at it).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from adapters.vum import codes
from adapters.vum.message import Entry, Message
from adapters.vum.urls import CARE_SOCIAL, FFB, RELATED_PLAN_ID, ROLE_CODE
from hub.errors import Invalid, UnknownCode

GOAL_ROLES = {
    codes.PURPOSE: "interventionPurpose",
    codes.INTERVENTION_GOAL: "interventionGoal",
    codes.WISH: "citizenObjective",
    codes.SUB_GOAL: "subGoal",
}
_BY_TYPE = {
    "MessageHeader": "orderMessageHeader",
    "Consent": "consent",
    "Account": "account",
    "DocumentReference": "documentReference",
    "Encounter": "followUp",
    "ClinicalImpression": "informationGathering",
}


class _Marks:
    """The roles given so far."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.roles: dict[int, set[str]] = {e.index: set() for e in message.entries}

    def give(self, role: str, entries: Iterable[Entry | None], kind: str) -> list[Entry]:
        """Give the role to those entries that are of that resource type, and return them."""
        fitting = [e for e in entries if e is not None and e.type == kind]
        for entry in fitting:
            self.roles[entry.index].add(role)
        return fitting

    def linked(self, role: str, plan: Entry, element: str, kind: str) -> list[Entry]:
        """Give the role to what one element of a plan points at."""
        return self.give(role, self.message.targets(plan.resource.get(element, ())), kind)


def with_roles(message: Message) -> Message:
    """The message with every entry's role.

    Raises Invalid when there is not exactly one order, or a goal has no category; UnknownCode
    for a goal category that is in no table.
    """
    order = _the_order(message)
    marks = _Marks(message)
    marks.give("orderCarePlan", [order], "CarePlan")
    marks.give("citizen", [message.find(order.resource.get("subject"))], "Patient")
    marks.linked("targetGroup", order, "addresses", "Condition")
    related = marks.linked("relatedCarePlan", order, "supportingInfo", "CarePlan")
    for part in _related_parts(message, related):
        marks.roles[part.index].add("related")
        if is_hub_made(part):
            marks.give("participatingOrganization", [part], "Organization")
    ordered = [e for e in _based_on(message, [order]) if e not in related]
    interventions = marks.give("intervention", ordered, "CarePlan")
    _give_goals(marks, order, interventions)
    _give_organizations(marks, [order, *interventions])
    for entry in message.entries:
        if not marks.roles[entry.index]:
            marks.roles[entry.index].add(_role_by_content(entry))
    return replace(message, roles={i: frozenset(r) for i, r in marks.roles.items()})


def is_hub_made(entry: Entry) -> bool:
    """The hub added this entry when it re-issued the order."""
    return any(
        isinstance(i, dict) and i.get("system") == RELATED_PLAN_ID
        for i in entry.resource.get("identifier", ())
        if isinstance(entry.resource.get("identifier"), list)
    )


def is_of_others(message: Message, entry: Entry) -> bool:
    """The hub added it, or the sender has put an effort under a plan that the hub added."""
    if is_hub_made(entry):
        return True
    based = message.targets(entry.resource.get("basedOn", ())) if entry.type == "CarePlan" else ()
    return any(is_hub_made(plan) for plan in based)


def _the_order(message: Message) -> Entry:
    focus = message.header.resource.get("focus", ())
    orders = [
        e
        for e in dict.fromkeys(e.index for e in message.targets(focus))
        if message.entries[e].type == "CarePlan" and not message.entries[e].resource.get("basedOn")
    ]
    if not orders:
        raise Invalid(
            "The message has no order: its focus names no CarePlan of its own",
            at=f"{message.header.at}.focus",
        )
    order = message.entries[orders[0]]
    related = {e.index for e in message.targets(order.resource.get("supportingInfo", ()))}
    others = [
        e
        for e in message.entries
        if e.type == "CarePlan"
        and e.index != order.index
        and e.index not in related
        and not e.resource.get("basedOn")
        and (e.index in orders or _is_social_plan(e))
    ]
    if others:
        raise Invalid("The message has two orders; send one message for each", at=others[0].at)
    return order


def _is_social_plan(entry: Entry) -> bool:
    known = {pair.source_code for pair in codes.table("care-plan-category").pairs}
    return any(
        known & set(codes.in_system(concept, CARE_SOCIAL))
        for concept in entry.resource.get("category", ())
    )


def _based_on(message: Message, plans: list[Entry]) -> list[Entry]:
    wanted = {plan.index for plan in plans}
    return [
        e
        for e in message.entries
        if e.type == "CarePlan"
        and any(t.index in wanted for t in message.targets(e.resource.get("basedOn", ())))
    ]


def _related_parts(message: Message, related: list[Entry]) -> list[Entry]:
    """What another authority's plan brings: interventions, teams, their units, goals, problems."""
    parts = _based_on(message, related)
    for plan in (*related, *parts):
        for name in ("careTeam", "goal", "addresses"):
            parts += message.targets(plan.resource.get(name, ()))
        author = message.find(plan.resource.get("author"))
        parts += [author] if author else []
    return parts + [
        unit
        for team in parts
        if team.type == "CareTeam"
        for unit in message.targets(members(team))
        if unit.type == "Organization"
    ]


def members(team: Entry) -> list[dict[str, Any]]:
    """References to a care team's members."""
    return [p["member"] for p in team.resource.get("participant", ()) if "member" in p]


def _give_goals(marks: _Marks, order: Entry, interventions: list[Entry]) -> None:
    links = list(order.resource.get("goal", ()))
    for plan in interventions:
        for activity in plan.resource.get("activity", ()):
            links += activity.get("detail", {}).get("goal", ())
    for goal in marks.message.targets(links):
        if goal.type == "Goal":
            marks.give(_goal_role(goal), [goal], "Goal")


def _goal_role(goal: Entry) -> str:
    for i, concept in enumerate(goal.resource.get("category", ())):
        for j, coding in enumerate(concept.get("coding", ())):
            if coding.get("system") == CARE_SOCIAL:
                role = GOAL_ROLES.get(coding.get("code", ""))
                if role is None:
                    raise UnknownCode(
                        "The goal's category is not one of KLGoalTypeCodes; use a listed code",
                        at=f"{goal.at}.category[{i}].coding[{j}].code",
                    )
                return role
    raise Invalid(
        "A goal needs its KL category: purpose, goal or the citizen's wish",
        at=f"{goal.at}.category",
    )


def _give_organizations(marks: _Marks, plans: list[Entry]) -> None:
    message, header = marks.message, marks.message.header.resource
    ends = [header.get("sender"), *(d.get("receiver") for d in header.get("destination", ()))]
    marks.give("messagingOrganization", [message.find(end) for end in ends], "Organization")
    units = [message.find(plan.resource.get("author")) for plan in plans]
    for plan in plans:
        for team in marks.linked("servicePerformer", plan, "careTeam", "CareTeam"):
            units += message.targets(members(team))
        for activity in plan.resource.get("activity", ()):
            units += message.targets(activity.get("detail", {}).get("performer", ()))
    marks.give("participatingOrganization", units, "Organization")
    owners = [message.find(e.resource.get("owner")) for e in message.entries if e.type == "Account"]
    marks.give("accountOwner", owners, "Organization")


def _role_by_content(entry: Entry) -> str:
    """The role of an entry that the order does not point at directly."""
    resource = entry.resource
    if entry.type == "Condition":
        return "condition" if codes.in_system(resource.get("code", {}), FFB) else "disgnosis"
    if entry.type == "Observation":
        coded = codes.in_system(resource.get("code", {}), CARE_SOCIAL)
        return "evaluation" if coded else "matterOfInterest"
    if entry.type == "RelatedPerson":
        guards = any(
            "GUARD" in codes.in_system(c, ROLE_CODE) for c in resource.get("relationship", ())
        )
        return "guardian" if guards else "relatedPerson"
    return _BY_TYPE.get(entry.type, "unlinked")

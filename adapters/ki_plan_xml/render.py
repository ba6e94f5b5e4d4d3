"""A plan view as a document: sections A to I from the shared part, J from the sectors' plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from adapters.ki_plan_xml import items, meetings, people
from adapters.ki_plan_xml.document import FORMAT, KIND
from adapters.ki_plan_xml.losses import losses_of
from adapters.ki_plan_xml.scope import Outgoing, Record, filled, identifier
from adapters.ki_plan_xml.writing import IN_ORDER, document
from hub.contract import Context, Loss, Notice, Party, PlanView, Receipt, Rendered, Resource
from hub.errors import CannotRender, UnknownCode
from hub.fhir import names
from hub.fhir.extract import codes, extension_value, extensions, is_protected
from hub.fhir.reading import PlanReader

MEDIA_TYPE: Final = "application/xml"
NEVER_HERE: Final = "koordinationsplan"
"""The kind of plan that is made without the citizen's consent and never stands in a KI-plan."""

_SENDER: Final = {
    "SORIdentifier": names.SOR,
    "GLNIdentifier": names.GLN,
    "ProviderIdentifier": names.YDERNUMMER,
    "LocalUnitIdentifier": names.LOCAL_UNIT,
}


def render(content: PlanView | Notice | Receipt, receiver: Party, context: Context) -> Rendered:
    """The receiver's document; the message id is ``context.id_for("message")``.

    Raises what :func:`form` raises, and CannotRender for what is no plan.
    """
    if not isinstance(content, PlanView):
        raise CannotRender("The format ki-plan-xml carries a plan, not a notice or a receipt")
    root, losses = form(content, receiver, context)
    return Rendered(
        body=etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n",
        media_type=MEDIA_TYPE,
        message_id=context.id_for("message"),
        losses=losses,
    )


def form(
    view: PlanView, receiver: Party, context: Context
) -> tuple[etree._Element, tuple[Loss, ...]]:
    """The template filled in, valid by its schema, and what it does not carry.

    Raises CannotRender for a view without the shared part, for a code that the template does not
    have, and for a value that its schema does not allow.
    """
    reader = PlanReader(view.resources)
    if "id" not in reader.plan:
        raise CannotRender("There is no shared plan that this receiver may see")
    protected = is_protected(reader.patient)
    # The lead's own system is where a protected address came from; nobody else gets it.
    open_data = not protected or (view.lead is not None and view.lead.id == receiver.id)
    try:
        record = _record(view, reader, context, protected=protected, open_data=open_data)
    except UnknownCode as e:
        text = "The plan holds a code that the template has no word for"
        raise CannotRender(text, at=e.issues[0].expression) from None
    root = document(record)
    if FORMAT.schema.issues_of(root):
        raise CannotRender("The plan holds values that the template's schema does not allow")
    losses = losses_of(view, reader.plan, root, open_data=open_data)
    if context.local is not None:
        losses = (*losses, *FORMAT.exchange(context.local).to_local(root))
    return root, losses


def _record(
    view: PlanView, reader: PlanReader, context: Context, *, protected: bool, open_data: bool
) -> Record:
    plan = reader.plan
    goals = _goal_names(plan)
    outgoing = Outgoing(view.resources, goals)
    record = outgoing.record("plan", plan)
    header = _header(view, context) | record.pop("MessageHeader", {})
    citizen = people.written_citizen(
        outgoing, reader.patient, protected=protected, with_contact_data=open_data
    )
    supporting = [outgoing.at(s.get("reference")) for s in plan.get("supportingInfo", ())]
    conveners = _list("Convener", meetings.written_conveners(outgoing, plan))
    meeting = [meetings.written_meeting(outgoing, r) for r in _of_type(supporting, "Appointment")]
    notes = [items.written_note(outgoing, r) for r in _of_type(supporting, "Observation")]
    later = [outgoing.record("postscript", e) for e in extensions(plan, names.POSTSCRIPT)]
    sections = {
        "MessageHeader": header,
        "Citizen": citizen | record.pop("Citizen", {}),
        "Meetings": _list("Meeting", meeting),
        "StatusNotes": _list("StatusNote", notes),
        "Challenges": _list("Challenge", _challenges(outgoing, plan)),
        "Goals": _list("Goal", _goals(outgoing, plan)),
        "Interventions": _list("Intervention", _interventions(outgoing, plan)),
        "NextMeeting": record.pop("NextMeeting", {}) | conveners,
        "Approval": _approval(outgoing, view),
        "Postscripts": _list("Postscript", later),
        "SectorPlans": _list("SectorPlan", _sector_plans(view)),
        "Units": _list("Unit", people.written_units(outgoing)),
    }
    contacts = {"Contacts": _contacts(outgoing, plan)}
    return record | contacts | {name: section for name, section in sections.items() if section}


def _list(name: str, found: list[Record]) -> Record:
    """The section that holds the items; nothing without any."""
    return {name: found} if found else {}


def _header(view: PlanView, context: Context) -> Record:
    sender = filled(**{n: context.sender.identifier(s) for n, s in _SENDER.items()})
    return {
        "MessageIdentifier": context.id_for("message"),
        "SentDateTime": context.now.isoformat(timespec="seconds"),
        "DocumentKindCode": KIND,
        "SharedPlanIdentifier": view.plan_id,
        "BaseVersion": str(view.version),
    } | ({"Sender": sender} if sender else {})


def _contacts(outgoing: Outgoing, plan: Resource) -> Record:
    """The team in its order, each member once; then those who are only named elsewhere."""
    team = outgoing.at(next((c.get("reference") for c in plan.get("careTeam", ())), None))
    record = outgoing.record("team", team) if team else {}
    if team:
        record["TeamIdentifier"] = identifier(team["id"])
    found: dict[str, tuple[str, Record]] = {}
    for number, participant in enumerate(team.get("participant", ())):
        member = participant.get("member", {})
        key = str(member.get("reference") or f"#{number}")
        _, contact = found.setdefault(key, people.written_contact(outgoing, member))
        membership = meetings.written_membership(outgoing, participant)
        contact.setdefault("Membership", []).append(membership)
    for key in outgoing.resources:
        if key.startswith(("PractitionerRole/", "RelatedPerson/")) and key not in found:
            found[key] = people.written_contact(outgoing, {"reference": key})
    return record | {IN_ORDER: list(found.values())}


def _of_type(resources: list[Resource], kind: str) -> list[Resource]:
    return [r for r in resources if r.get("resourceType") == kind]


def _in_order(outgoing: Outgoing, links: list[dict[str, Any]]) -> list[tuple[int, Resource]]:
    """Each item the view holds with its rank, in rank order."""
    found = [
        (int(extension_value(link, names.RANK) or i), outgoing.at(link.get("reference")))
        for i, link in enumerate(links, 1)
    ]
    return sorted(((rank, item) for rank, item in found if item), key=lambda pair: pair[0])


def _challenges(outgoing: Outgoing, plan: Resource) -> list[Record]:
    return [
        items.written_challenge(outgoing, condition) | {"RankNumber": str(rank)}
        for rank, condition in _in_order(outgoing, plan.get("addresses", []))
    ]


def _goal_names(plan: Resource) -> dict[str, str]:
    links = (str(g.get("reference", "")) for g in plan.get("goal", ()))
    return {r: identifier(r.partition("/")[2]) for r in links}


def _goals(outgoing: Outgoing, plan: Resource) -> list[Record]:
    return [
        items.written_goal(outgoing, goal) | {"RankNumber": str(rank)}
        for rank, goal in _in_order(outgoing, plan.get("goal", []))
    ]


def _interventions(outgoing: Outgoing, plan: Resource) -> list[Record]:
    found = [
        (int(extension_value(activity, names.RANK) or i), activity)
        for i, activity in enumerate(plan.get("activity", ()), 1)
    ]
    return [
        items.written_intervention(outgoing, activity) | {"RankNumber": str(rank)}
        for rank, activity in sorted(found, key=lambda pair: pair[0])
    ]


def _approval(outgoing: Outgoing, view: PlanView) -> Record:
    """Whether this version is approved, and the citizen's answer as it is registered."""
    record: Record = {"ApprovedIndicator": "true" if view.approved else "false"}
    if view.approval is None:
        return record
    conditions = [
        outgoing.record("approval-condition", c)
        for c in extensions(view.approval, names.extension("condition"))
    ]
    answer = outgoing.record("approval", view.approval)
    return record | answer | _list("Condition", conditions)


def _sector_plans(view: PlanView) -> list[Record]:
    found = []
    for resource in view.resources.values():
        kinds = (
            codes(resource.get("category", ()), names.SECTOR_KIND)
            if resource["resourceType"] == "CarePlan"
            else []
        )
        if kinds and kinds[0] != NEVER_HERE:
            found.append(_sector_plan(Outgoing(view.resources, _goal_names(resource)), resource))
    return found


def _sector_plan(outgoing: Outgoing, plan: Mapping[str, Any]) -> Record:
    author = plan.get("author", {})
    owner = author.get("display") or PlanReader(outgoing.resources).name_of(author.get("reference"))
    supporting = [outgoing.at(s.get("reference")) for s in plan.get("supportingInfo", ())]
    plan = dict(plan)
    record = outgoing.record("sector-plan", plan) | filled(
        SectorPlanIdentifier=identifier(plan["id"]),
        UnitReferenceIdentifier=outgoing.actor(author.get("reference")),
        OwnerName=owner or None,
    )
    return record | {
        "StatusNote": [
            items.written_note(outgoing, r) for r in _of_type(supporting, "Observation")
        ],
        "Challenge": _challenges(outgoing, plan),
        "Goal": _goals(outgoing, plan),
        "Intervention": _interventions(outgoing, plan),
    }

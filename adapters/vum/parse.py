"""An FFB order → the municipality's sector plan, kind ``vum``.

What the order says becomes a KiSectorPlan: purpose, target groups with rank, goals, wishes and
interventions marked for coordination; conditions, diagnoses and evaluations kept, marked as not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from adapters.vum import activities, codes, parts
from adapters.vum.message import Entry, Message, read_message
from adapters.vum.profiles import RULES
from adapters.vum.record import Reading, Record, dropped
from adapters.vum.roles import is_hub_made, with_roles
from adapters.vum.rules import findings
from adapters.vum.said import said_of_others
from adapters.vum.urls import ACTING_MUNICIPALITY, CARE_SOCIAL, CASE_NUMBER
from hub.codes import LocalCodes
from hub.contract import CitizenRef, Context, Identifier, PlanUpdate, RawMessage, Resource
from hub.errors import Invalid, Issue, UnknownCode
from hub.fhir import names
from hub.fhir.wire import read

_WHOLE: Final = {
    "orderMessageHeader": "message-header",
    "accountOwner": "account-owner",
    "messagingOrganization": "messaging-organization",
    "relatedPerson": "related-person",
    "guardian": "guardian",
    "consent": "consent",
    "account": "account",
    "documentReference": "document-reference",
    "followUp": "follow-up",
    "relatedCarePlan": "related-plan",
    "related": "related-plan",
}
"""Roles whose entries are declared not shared as a whole, and the table that says why."""

_FOLDERS: Final = {
    "servicePerformer": "service-performer",
    "participatingOrganization": "organization",
    "informationGathering": "information-gathering",
}
"""Roles that are only read for what points at them; their tables account for the rest."""

_CARRIED: Final = (
    "orderCarePlan",
    "intervention",
    "interventionPurpose",
    "interventionGoal",
    "citizenObjective",
    "subGoal",
    "targetGroup",
    "condition",
    "disgnosis",
    "evaluation",
    "matterOfInterest",
)
"""Roles whose entries enter the plan."""

_NUMBER: Final = ("use", "system", "value")
_ECHO: Final = "Til orientering: sent by the hub itself in an earlier delivery"


def read_order(
    document: Resource, local: LocalCodes | None = None
) -> tuple[Message, tuple[Issue, ...]]:
    """The order, checked: the message with roles, and warnings for the sender.

    Raises Malformed, Unsupported or UnknownCode, and Invalid with every broken rule.
    """
    message = with_roles(read_message(document, local))
    found = findings(message, RULES)
    errors = [f.issue for f in found if f.rule.severity == "error"]
    errors += _other_citizens(message)
    if errors:
        coded = all(e.code == "code-invalid" for e in errors)
        raise (UnknownCode if coded else Invalid)(errors[0].text, issues=tuple(errors))
    return message, tuple(f.issue for f in found)


def parse(raw: RawMessage, context: Context) -> PlanUpdate:
    """Understand an order, in JSON or XML; see :func:`read_order` for what is refused.

    Ids are made from the case number and the sender's own ids, so that the next order of the
    same case gives the same ids.
    """
    message, issues = read_order(read(raw.body, raw.media_type), context.local)
    order = message.of("orderCarePlan")[0]
    case = case_number(order)
    reading = Reading(message, context.id_for, case or order.key, [*message.losses], context.local)
    resources = _resources(reading, order, context)
    _account_for_the_rest(reading)
    return PlanUpdate(
        part="vum",
        citizen=CitizenRef(parts.citizen_ids(message.of("citizen")[0])),
        resources=tuple(resources),
        case=case,
        claimed_sender=claimed_sender(message),
        claimed_at=f"{message.header.at}.sender",
        issues=(*issues, *_no_parties(message, context)),
        losses=tuple(reading.losses),
        not_shared=tuple(reading.not_shared),
        said_of_others=said_of_others(message),
    )


def case_number(order: Entry) -> str | None:
    """The municipality's case: MunicipalityCaseNumber, its own number before the official one."""
    found: dict[str, str] = {}
    for extension in order.resource.get("extension", ()):
        if extension.get("url") == CASE_NUMBER:
            for part in extension.get("extension", ()):
                value = part.get("valueIdentifier", {}).get("value")
                if value:
                    found.setdefault(part.get("url", ""), value)
    identifiers = [i["value"] for i in order.resource.get("identifier", ()) if i.get("value")]
    return (
        found.get("municipalitySpecific")
        or found.get("official")
        or (identifiers[0] if identifiers else None)
    )


def claimed_sender(message: Message) -> tuple[Identifier, ...]:
    """Who the header says sent it; empty when it names no organisation with an identifier."""
    return _identifiers(message.find(message.header.resource.get("sender")))


def _identifiers(unit: Entry | None) -> tuple[Identifier, ...]:
    if unit is None or unit.type != "Organization":
        return ()
    return tuple(
        Identifier(names.GLN if i["system"] in names.GLN_ALIASES else i["system"], i["value"])
        for i in unit.resource.get("identifier", ())
        if i.get("system") and i.get("value")
    )


def _no_parties(message: Message, context: Context) -> Iterator[Issue]:
    """Receivers that the header names by number, and that the hub does not know."""
    text = "No such unit is a party here; nothing is sent to it"
    for i, destination in enumerate(message.header.resource.get("destination", ())):
        named = _identifiers(message.find(destination.get("receiver")))
        if named and context.find_party(named) is None:
            place = f"{message.header.at}.destination[{i}].receiver"
            yield Issue("warning", "not-found", text, place)


def _other_citizens(message: Message) -> list[Issue]:
    """Entries that would enter the plan but are about somebody else than the order's citizen."""
    text = "About another citizen than the order; send one message for each"
    return [
        Issue("error", "invalid", text, f"{entry.at}.subject")
        for entry in message.entries
        if message.has(entry, *_CARRIED)
        and (subject := entry.resource.get("subject"))
        and not message.has(message.find(subject), "citizen")
    ]


def _resources(reading: Reading, order: Entry, context: Context) -> list[Resource]:
    message = reading.message
    patient = parts.citizen(reading, message.of("citizen")[0])
    subject = {"reference": f"Patient/{patient['id']}"}
    unit = parts.owner(context.sender, reading.id_for(f"{reading.case}/Organization/sender"))
    addressed = [
        parts.condition(reading, e, subject, shared=True) for e in message.of("targetGroup")
    ]
    goals = {
        e.index: parts.goal(reading, e, subject)
        for e in message.entries
        if message.has(e, "interventionGoal", "citizenObjective", "subGoal")
    }
    notes = [
        parts.evaluation(reading, e, subject)
        for e in message.entries
        if message.has(e, "evaluation", "matterOfInterest")
    ]
    assessed = [
        parts.condition(reading, e, subject, shared=False)
        for e in message.entries
        if message.has(e, "condition", "disgnosis") and not message.has(e, "related")
    ]
    links = {i: {"reference": f"Goal/{g['id']}"} for i, g in goals.items()}
    plan = _plan(reading, order, subject, links)
    plan["author"] = {
        "reference": f"Organization/{unit['id']}",
        **_author_as_written(reading, order),
    }
    supporting = [{"reference": f"{r['resourceType']}/{r['id']}"} for r in (*notes, *assessed)]
    if supporting:
        plan["supportingInfo"] = supporting
    return [plan, patient, unit, *addressed, *goals.values(), *notes, *assessed]


def _author_as_written(reading: Reading, order: Entry) -> dict[str, str]:
    author = reading.message.find(order.resource.get("author"))
    name = author.resource.get("name") if author else None
    return {"display": name} if name else {}


def _plan(
    reading: Reading, order: Entry, subject: dict[str, str], links: dict[int, dict[str, str]]
) -> Resource:
    """OrderCarePlan → the KiSectorPlan, without author and supportingInfo."""
    message = reading.message
    record = Record(reading, order)
    for name in ("subject", "author"):
        record.links(name)
    identifiers = _case_identifiers(record)
    category = _category(record)
    addresses = [
        parts.ranked(reading, link, entry)
        for link in record.links("addresses")
        if (entry := message.find(link)) is not None and message.has(entry, "targetGroup")
    ]
    wanted = list(message.targets(record.links("goal")))
    linked = [links[e.index] for e in wanted if e.index in links]
    linked += [link for i, link in links.items() if i not in {e.index for e in wanted}]
    teams = message.targets(order.resource.get("careTeam", ()))
    performers = activities.team_performers(reading, teams)
    done = [
        activities.intervention(reading, e, links, performers) for e in message.of("intervention")
    ]
    followed = enumerate(record.take("activity") or ())
    done += [made for i, a in followed if (made := activities.own(record, i, a, links))]
    described = [parts.purpose(reading, e) for e in message.of("interventionPurpose")]
    marks, security = record.marks(shared=True), record.security()
    made = record.finish("care-plan")
    return {
        "resourceType": "CarePlan",
        "id": reading.id_for(f"{reading.case}/vum"),
        "meta": {"profile": [names.KI_SECTOR_PLAN], **security.get("meta", {})},
        "extension": marks,
        **({"identifier": identifiers} if identifiers else {}),
        **{k: v for k, v in made.items() if k != "resourceType"},
        "category": category,
        **({"description": described[0]} if described and described[0] else {}),
        "subject": subject,
        **({"addresses": addresses} if addresses else {}),
        **({"goal": linked} if linked else {}),
        **({"activity": done} if done else {}),
    }


def _case_identifiers(record: Record) -> list[dict[str, Any]]:
    """The order's identifiers and the case numbers of the extension; the latter taken out."""
    own = enumerate(record.take("identifier") or ())
    found = [(i, f"identifier[{n}]") for n, i in own]
    for n, extension in enumerate(record.rest.get("extension", ())):
        at = f"extension[{n}]"
        if extension.get("url") == ACTING_MUNICIPALITY:
            reason = "Who acts is the sending unit, as the channel says"
            record.reading.not_shared.append(dropped(f"{record.entry.at}.{at}", reason))
            extension.clear()
        elif extension.get("url") == CASE_NUMBER:
            del extension["url"]
            for m, part in enumerate(extension.get("extension", ())):
                part.pop("url", None)
                found.append(
                    (part.pop("valueIdentifier", {}), f"{at}.extension[{m}].valueIdentifier")
                )
    for identifier, at in found:
        if not identifier.get("value"):
            record.lose(at)
    return [_identifier(record, i, at) for i, at in found if i.get("value")]


def _identifier(record: Record, found: dict[str, Any], at: str) -> dict[str, Any]:
    """An Identifier with its assigner as written; a reference to it would lead nowhere."""
    assigner = found.get("assigner", {})
    record.lose_extra(found, (*_NUMBER, "assigner"), at)
    record.lose_extra(assigner, ("display",), f"{at}.assigner")
    named = {"assigner": {"display": assigner["display"]}} if assigner.get("display") else {}
    return {**{key: found[key] for key in _NUMBER if key in found}, **named}


def _category(record: Record) -> list[dict[str, Any]]:
    """Social indsats → the sector kind; raises UnknownCode for a CareSocialCode in no table."""
    table = codes.table("care-plan-category")
    for i, concept in enumerate(record.take("category") or ()):
        place = f"category[{i}]"
        record.lose_extra(concept, ("coding",), place)
        for j, coding in enumerate(concept.get("coding", ())):
            if coding.get("system") == CARE_SOCIAL and "code" in coding:
                at = f"{record.entry.at}.{place}.coding[{j}].code"
                table.forward(coding["code"], system=CARE_SOCIAL, at=at)
                record.lose_extra(coding, ("system", "code", "display"), f"{place}.coding[{j}]")
            else:
                record.lose(f"{place}.coding[{j}]")
    return [names.concept(names.SECTOR_KIND, "vum")]


def _account_for_the_rest(reading: Reading) -> None:
    """Entries that no part has read, and what stands beside them in the Bundle."""
    message = reading.message
    for entry in message.entries:
        roles = message.roles[entry.index]
        whole = next((name for role, name in _WHOLE.items() if role in roles), None)
        folder = next((name for role, name in _FOLDERS.items() if role in roles), None)
        if message.has(entry, "citizen", *_CARRIED):
            continue
        if is_hub_made(entry):
            reading.not_shared.append(dropped(entry.at, _ECHO))
        elif folder:
            record = Record(reading, entry)
            for i, _ in enumerate(record.take("category") or ()):
                record.lose(f"category[{i}]", "the plan has no place for the kind of offer")
            record.finish(folder)
        elif whole:
            reading.leave_out(entry, whole)
        else:
            reading.losses.append(dropped(entry.at))
    known = {"resourceType", "id", "meta", "type", "timestamp", "entry", "language"}
    reading.losses += [dropped(f"Bundle.{key}") for key in message.bundle if key not in known]
    reading.losses += [
        dropped(f"Bundle.entry[{i}].{key}")
        for i, entry in enumerate(message.bundle["entry"])
        for key in entry
        if key not in {"fullUrl", "resource"}
    ]

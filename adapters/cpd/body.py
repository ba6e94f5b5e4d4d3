"""The CDA body: health concerns, goals, interventions and outcomes, each with its narrative.

The narrative tells everything that the printed plan tells; the entries beside it hold what CPD-DK
has a place for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from adapters.cpd import narrative
from adapters.cpd.xml import DOCUMENT, ENTRY_DATE, LOINC, add, item_id, time_of
from hub.contract import PlanView
from hub.errors import CannotRender, UnknownCode
from hub.fhir.reading import PlanReader
from hub.fhir.words import Intervention
from hub.mapping import CodeTable, mappings_folder

STATUSES: Final = CodeTable.load(mappings_folder("cpd") / "codes" / "act-status.csv")


def body(
    document: etree._Element, view: PlanView, reader: PlanReader, values: Mapping[str, Any]
) -> None:
    """The structured body; raises CannotRender for an unknown status of an intervention."""
    component = add(document, "component", typeCode="COMP", contextConductionInd="true")
    found = add(component, "structuredBody", classCode="DOCBODY", moodCode="EVN")
    _concerns(found, view.plan_id, reader, values)
    _goals(found, view.plan_id, reader, values)
    _interventions(found, view.plan_id, reader, values)
    _outcomes(found, view.plan_id, reader)


def _section(parent: etree._Element, number: int, loinc: str, title: str) -> etree._Element:
    section = add(add(parent, "component", typeCode="COMP"), "section", classCode="DOCSECT")
    add(section, "templateId", root=f"{DOCUMENT}.10.20.{number}", extension=ENTRY_DATE)
    add(section, "code", code=loinc, codeSystem=LOINC)
    add(section, "title", title)
    return section


def _part(section: etree._Element, title: str) -> etree._Element:
    """The text of a sub-section of the template's own; CPD-DK has no code for it."""
    part = add(add(section, "component", typeCode="COMP"), "section", classCode="DOCSECT")
    add(part, "code", nullFlavor="NA")
    add(part, "title", title)
    return add(part, "text")


def _entry(
    section: etree._Element, kind: str, mood: str, template: str, plan: str, id: str, text: str
) -> etree._Element:
    entry = add(section, "entry", typeCode="DRIV", contextConductionInd="true")
    class_code = "OBS" if kind == "observation" else "ACT"
    found = add(entry, kind, classCode=class_code, moodCode=mood)
    add(found, "templateId", root=f"{DOCUMENT}.10.20.{template}", extension=ENTRY_DATE)
    item_id(found, plan, id)
    add(found, "code", nullFlavor="NA")
    add(add(found, "text"), "reference", value=f"#{text}")
    return found


def _concerns(
    parent: etree._Element, plan: str, reader: PlanReader, values: Mapping[str, Any]
) -> None:
    section = _section(parent, 1, "75310-3", "Udfordringer i prioriteret rækkefølge")
    narrative.numbered(add(section, "text"), values["challenges"], "udfordring")
    for number, challenge in enumerate(reader.challenges(), 1):
        act = _entry(
            section, "act", "EVN", "1.21", plan, challenge.path.partition("/")[2],
            f"udfordring-{number}",
        )  # fmt: skip
        add(act, "statusCode", code="active")
    narrative.citizen(_part(section, "Stamoplysninger"), values)
    narrative.people(_part(section, "Kontaktpersoner"), values)
    narrative.meeting(_part(section, "Indsatsplansmødet"), values)
    narrative.notes(_part(section, "Kort aktuel status"), values["notes"])


def _goals(
    parent: etree._Element, plan: str, reader: PlanReader, values: Mapping[str, Any]
) -> None:
    section = _section(parent, 2, "61146-7", "Fælles mål i prioriteret rækkefølge")
    narrative.numbered(add(section, "text"), values["goals"], "maal")
    for number, goal in enumerate(reader.goals(), 1):
        id = goal.reference.partition("/")[2]
        found = _entry(section, "observation", "GOL", "2.20", plan, id, f"maal-{number}")
        add(found, "statusCode", code="active")


def _interventions(
    parent: etree._Element, plan: str, reader: PlanReader, values: Mapping[str, Any]
) -> None:
    section = _section(parent, 3, "62387-6", "Indsatser i prioriteret rækkefølge")
    narrative.efforts(add(section, "text"), values["interventions"], "indsats")
    goals = {g.rank: g.reference.partition("/")[2] for g in reader.goals()}
    for number, intervention in enumerate(reader.interventions(), 1):
        id = intervention.path.rpartition("#activity.")[2]
        act = _entry(section, "act", "INT", "3.20", plan, id, f"indsats-{number}")
        _details(act, intervention)
        for rank in intervention.goals:
            related = add(act, "entryRelationship", typeCode="RSON")
            goal = add(related, "observation", classCode="OBS", moodCode="GOL")
            item_id(goal, plan, goals[rank])
            add(goal, "code", nullFlavor="NA")
    narrative.following(_part(section, "Næste møde og godkendelse af planen"), values)
    narrative.registration(_part(section, "Niveau og forankring"), values)
    for sector in values["sector_plans"]:
        narrative.sector(_part(section, f"{sector['kind']} – {sector['owner']}"), sector)


def _details(act: etree._Element, intervention: Intervention) -> None:
    try:
        status = STATUSES.backward(intervention.status, at=intervention.path).source_code
    except UnknownCode:
        text = "The intervention's status is no code of FHIR R4"
        raise CannotRender(text, at=intervention.path) from None
    add(act, "statusCode", code=status)
    if intervention.start or intervention.end:
        time = add(act, "effectiveTime")
        for name, value in (("low", intervention.start), ("high", intervention.end)):
            add(time, name, **({"value": time_of(value)} if value else {"nullFlavor": "NA"}))
    for who in intervention.performers:
        entity = add(add(act, "performer", typeCode="PRF"), "assignedEntity", classCode="ASSIGNED")
        add(entity, "id", nullFlavor="NI")
        person = add(entity, "assignedPerson", classCode="PSN", determinerCode="INSTANCE")
        add(person, "name", who)


def _outcomes(parent: etree._Element, plan: str, reader: PlanReader) -> None:
    """What is noted of how an intervention goes; CPD-DK asks for no such section."""
    found = [
        str(note["text"])
        for activity in reader.plan.get("activity", ())
        for note in activity.get("progress", ())
        if note.get("text")
    ]
    if not found:
        return
    section = _section(parent, 4, "11383-7", "Opfølgning")
    rows = [{"number": "", "text": text, "sections": ""} for text in found]
    narrative.numbered(add(section, "text"), rows, "opfoelgning")
    for number, _ in enumerate(found, 1):
        place = f"opfoelgning-{number}"
        observation = _entry(section, "observation", "EVN", "4.20", plan, place, place)
        add(observation, "statusCode", code="completed")

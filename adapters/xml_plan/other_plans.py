"""The element OtherPlans: others' plans and efforts, for the owner's information."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Final

from lxml import etree

from adapters.xml_plan.text import xml_text
from hub.contract import Loss, PlanView
from hub.errors import UnknownCode
from hub.fhir.reading import PlanReader
from hub.fhir.words import (
    Challenge,
    Intervention,
    Meeting,
    NextMeeting,
    Objective,
    SectorPlan,
    StatusNote,
)
from hub.mapping import CodeTable, mappings_folder
from hub.mapping.trace import wrote

NOTICE: Final = (
    "Til orientering. Indholdet ejes af andre og ændres ikke ved at rette det her. "
    "Er man uenig, tages det op med tovholderen."
)
_CODES = mappings_folder("xml-plan") / "codes"
_SECTIONS = CodeTable.load(_CODES / "section.csv")
_ROLES = CodeTable.load(_CODES / "role.csv")
_STATUSES = CodeTable.load(_CODES / "effort-status.csv")


def add_other_plans(
    root: etree._Element, reader: PlanReader, view: PlanView, pdf: bytes | None
) -> tuple[etree._Element, list[Loss]]:
    """Add the element as the root's last; also losses for codes this format does not have.

    The receiver's own sector plan (``view.own_part``) is left out.
    """
    writer = _Writer(reader)
    others = child(root, "OtherPlans")
    _add(others, "NoticeText", NOTICE)
    writer.shared(others, view)
    for plan in reader.sector_plans():
        if plan.reference != view.own_part:
            writer.sector(others, plan)
    if pdf is not None:
        document = child(others, "AttachedDocument")
        _add(document, "TitleText", "Koordinerende indsatsplan")
        _add(document, "MediaTypeCode", "application/pdf")
        _add(document, "ContentBinary", b64encode(pdf).decode("ascii"))
    return others, writer.losses


class _Writer:
    """Writes one view; losses for unknown codes gather here."""

    def __init__(self, reader: PlanReader) -> None:
        self.reader = reader
        self.losses: list[Loss] = []

    def shared(self, root: etree._Element, view: PlanView) -> None:
        """The plan's shared part."""
        plan = child(root, "SharedPlan")
        _add(plan, "ApprovedIndicator", "true" if view.approved else "false")
        _add(plan, "CreatedDate", self.reader.plan.get("created"))
        _period(plan, self.reader.plan.get("period", {}))
        self._contacts(plan)
        meeting = self.reader.meeting()
        if meeting is not None:
            _meeting(plan, meeting)
        self._notes(plan, self.reader.status_notes())
        self._challenges(plan, self.reader.challenges())
        self._goals(plan, self.reader.goals())
        for intervention in self.reader.interventions():
            self._effort(plan, "Intervention", intervention)
        following = self.reader.next_meeting()
        if following is not None:
            _next_meeting(plan, following)
        for note in self.reader.postscripts():
            element = child(plan, "Postscript")
            _add(element, "PostscriptText", note.text, required=True)
            _add(element, "AuthorName", note.author)
            _add(element, "PostscriptDate", note.date)

    def sector(self, root: etree._Element, plan: SectorPlan) -> None:
        """Another sector's own plan."""
        element = child(root, "OtherPlan")
        _add(element, "OwnerName", plan.owner, required=True)
        _add(element, "PlanKindCode", plan.kind, required=True)
        _add(element, "PurposeText", plan.purpose)
        _add(element, "PeriodStartDate", plan.start)
        _add(element, "PeriodEndDate", plan.end)
        self._challenges(element, plan.problems)
        self._goals(element, plan.goals)
        for intervention in plan.interventions:
            self._effort(element, "Effort", intervention)
        self._notes(element, plan.notes)

    def _contacts(self, plan: etree._Element) -> None:
        for contact in self.reader.contacts():
            element = child(plan, "Contact")
            for role in contact.roles:
                self._code(element, "RoleCode", _ROLES, role, contact.reference)
            _add(element, "PersonName", contact.name)
            if contact.reference.startswith("Patient/"):
                # The owner has its own contact data; the citizen's may be protected elsewhere.
                continue
            _add(element, "TitleText", contact.title)
            _add(element, "UnitName", contact.unit)
            _add(element, "TelephoneNumberIdentifier", contact.phone)
            _add(element, "EmailAddressIdentifier", contact.email)

    def _notes(self, parent: etree._Element, notes: Iterable[StatusNote]) -> None:
        for note in notes:
            element = child(parent, "StatusNote")
            _add(element, "ActorName", note.actor, required=True)
            _add(element, "NoteText", note.text, required=True)
            _add(element, "NoteDate", self.reader.at(note.path).get("effectiveDateTime"))
            self._sections(element, note.sections, note.path)

    def _challenges(self, parent: etree._Element, challenges: Iterable[Challenge]) -> None:
        for challenge in challenges:
            element = child(parent, "Challenge")
            _add(element, "LabelText", challenge.label)
            _add(element, "ChallengeText", challenge.text, required=True)
            self._sections(element, challenge.sections, challenge.path)

    def _goals(self, parent: etree._Element, goals: Iterable[Objective]) -> None:
        for goal in goals:
            element = child(parent, "Goal")
            _add(element, "PositionNumber", str(goal.rank))
            _add(element, "GoalText", goal.text, required=True)
            self._sections(element, goal.sections, goal.path)

    def _effort(self, parent: etree._Element, name: str, effort: Intervention) -> None:
        element = child(parent, name)
        _add(element, "EffortText", effort.text, required=True)
        if effort.code_text != effort.text:
            _add(element, "EffortTypeText", effort.code_text)
        for rank in effort.goals:
            _add(element, "GoalPositionNumber", str(rank))
        for performer in effort.performers:
            _add(element, "ResponsibleName", performer)
        # Without words of its own the reader makes the time from the period, which is told below.
        if effort.time != " – ".join(x for x in (effort.start, effort.end) if x):
            _add(element, "TimeText", effort.time)
        _add(element, "PeriodStartDate", effort.start)
        _add(element, "PeriodEndDate", effort.end)
        _add(element, "SuccessCriterionText", effort.success_criterion)
        _add(element, "FallbackText", effort.fallback)
        for text in effort.follow_up:
            _add(element, "FollowUpText", text)
        self._code(element, "EffortStatusCode", _STATUSES, effort.status, effort.path)
        self._sections(element, effort.sections, effort.path)

    def _sections(self, element: etree._Element, codes: Iterable[str], path: str) -> None:
        for code in codes:
            self._code(element, "SectionCode", _SECTIONS, code, path)

    def _code(
        self, element: etree._Element, name: str, table: CodeTable, code: str, path: str
    ) -> None:
        if not code:
            return
        try:
            _add(element, name, table.backward(code, at=path).source_code)
        except UnknownCode:
            # Information for reading: the item is worth more without its code than not at all.
            self.losses.append(Loss(path, "dropped", f"{name} has no such code"))


def _period(parent: etree._Element, period: Mapping[str, str]) -> None:
    _add(parent, "PeriodStartDate", period.get("start"))
    _add(parent, "PeriodEndDate", period.get("end"))


def _meeting(plan: etree._Element, meeting: Meeting) -> None:
    element = child(plan, "Meeting")
    _add(element, "MeetingDate", meeting.date)
    for name in meeting.present:
        _add(element, "PresentName", name)
    for name, reason in meeting.declined:
        declined = child(element, "DeclinedParticipant")
        _add(declined, "ParticipantName", name, required=True)
        _add(declined, "ReasonText", reason)


def _next_meeting(plan: etree._Element, meeting: NextMeeting) -> None:
    element = child(plan, "NextMeeting")
    _add(element, "TimeText", meeting.time)
    _add(element, "EarliestDate", meeting.earliest)
    _add(element, "LatestDate", meeting.latest)
    _add(element, "PlaceText", meeting.place)
    for convener in meeting.conveners:
        who = child(element, "Convener")
        _add(who, "ConvenerName", convener.who, required=True)
        _add(who, "FromText", convener.since)
        _add(who, "UntilText", convener.until)


def child(parent: etree._Element, name: str) -> etree._Element:
    """A new last child in the parent's namespace."""
    return etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")


def _add(parent: etree._Element, name: str, text: str | None, *, required: bool = False) -> None:
    """Add a child unless it would say nothing."""
    if not text and not required:
        return
    element = child(parent, name)
    element.text = xml_text(text or "")
    wrote(element, text or "")

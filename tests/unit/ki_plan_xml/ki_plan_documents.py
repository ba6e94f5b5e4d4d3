"""ki-plan-xml documents for tests: the samples, and generated ones that the schema allows."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from lxml import etree

from adapters.ki_plan_xml import ADAPTER
from adapters.ki_plan_xml.document import FORMAT, q
from hub.contract import Context, Party, PlanUpdate, PlanView, RawMessage, Rendered, Resource
from hub.fhir import names
from hub.mapping import mappings_folder
from tests.views import PLAN_1, check, find_party, parties, view_of

SAMPLES = mappings_folder("ki-plan-xml") / "samples"
NOW = datetime(2026, 9, 20, 8, 0, tzinfo=UTC)
LEAD = parties()["rus-havneby"]
OTHER = parties()["koord-nordstrand"]


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.xml").read_bytes()


def context(sender: Party = LEAD) -> Context:
    return Context(
        now=NOW,
        id_for=lambda key: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{sender.id}/{key}")),
        find_party=find_party,
        sender=sender,
        base_url=names.BASE,
        check=check,
    )


def parse(body: bytes) -> PlanUpdate:
    message = RawMessage(LEAD, FORMAT.name, body, "application/xml", "m-1", NOW)
    return ADAPTER.parse(message, context())


def render(view: PlanView, receiver: Party = LEAD) -> Rendered:
    return ADAPTER.render(view, receiver, context())


def view_from(update: PlanUpdate, **changes: Any) -> PlanView:
    """The view that the lead gets of what it published."""
    plan = update.resources[0]
    view = PlanView(
        plan_id=str(plan["id"]),
        version=1,
        resources=by_key(update.resources),
        approved=False,
        lead=LEAD,
    )
    return replace(view, **changes)


def by_key(resources: tuple[Resource, ...]) -> dict[str, Resource]:
    return {f"{r['resourceType']}/{r['id']}": r for r in resources}


def changed_view(kind: str, change: Any, view: PlanView | None = None) -> tuple[PlanView, str]:
    """A view whose first resource of a type is another one; also that resource's key."""
    view = view or view_of(PLAN_1)
    key = next(k for k in view.resources if k.startswith(f"{kind}/"))
    resource = json.loads(json.dumps(view.resources[key]))
    change(resource)
    return replace(view, resources=dict(view.resources) | {key: resource}), key


def element(root: etree._Element, path: str) -> etree._Element:
    """The element at a path of local names, such as ``Goals/Goal[2]/GoalText``."""
    found = root.find("/".join(q(step) for step in path.split("/")))
    assert found is not None, path
    return found


def changed(body: bytes, path: str, text: str) -> bytes:
    root = etree.fromstring(body)
    element(root, path).text = text
    return etree.tostring(root)


def without(body: bytes, path: str) -> bytes:
    root = etree.fromstring(body)
    found = element(root, path)
    parent = found.getparent()
    assert parent is not None
    parent.remove(found)
    return etree.tostring(root)


# Generated documents. A document is a list of (name, text or children), in schema order.
Tree = list[tuple[str, Any]]

_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zs", "Zl", "Zp"))
_WORD = st.text(_LETTERS, min_size=1, max_size=8)
NAME = st.lists(_WORD, min_size=1, max_size=3).map(" ".join)
TEXT = st.builds(
    lambda word, rest: word + "".join(rest),
    _WORD,
    st.lists(_WORD | st.sampled_from([" ", "\n", "\t", "  ", "\r\n"]), max_size=4),
)
_CODE = st.sampled_from
_DATE = st.dates(datetime(1900, 1, 1).date(), datetime(2099, 12, 31).date()).map(str)
_PARTIAL = _DATE | _CODE(["2026", "2026-10", "2026-10-06T13:00:00+02:00"])
_ROLES = _CODE(["fagperson", "koordinator", "referent", "stedfortraeder"])
_SECTIONS = st.lists(_CODE(["psykiatri", "misbrug", "social"]), max_size=2, unique=True)
_PHONES = st.lists(_CODE(["", "telefon?", "+4500000911"]), max_size=2)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Any valid document of citizen 1 with statuses given, led from Havneby Rusmiddelcenter."""

    def maybe(name: str, strategy: st.SearchStrategy[Any]) -> Tree:
        return [(name, draw(strategy))] if draw(st.booleans()) else []

    def sections() -> Tree:
        return [("SectionCode", code) for code in draw(_SECTIONS)]

    def items(group: str, name: str, most: int, make: Any) -> Tree:
        made = [(name, make(n)) for n in range(1, draw(st.integers(0, most)) + 1)]
        return [(group, made)] if made else []

    def contact_data() -> Tree:
        phones = [("TelephoneNumberIdentifier", p) for p in draw(_PHONES)]
        return [*phones, *maybe("EmailAddressIdentifier", _CODE(["", "a@b.example"]))]

    def actor(*who: str) -> Tree:
        return maybe("ActorReferenceIdentifier", _CODE(who or ("borger", "k1", "k2", "rus")))

    def as_member(role: str) -> Tree:
        return [("Membership", [("RoleCode", role)])]

    def person(n: int, role: str) -> Tree:
        return [
            ("ContactIdentifier", f"k{n}"),
            ("Membership", [("RoleCode", role), *maybe("MembershipStartDate", _PARTIAL)]),
            *maybe("PersonName", NAME),
            *maybe("TitleText", TEXT),
            ("UnitReferenceIdentifier", "rus"),
            *contact_data(),
        ]

    def goal(n: int) -> Tree:
        return [
            ("GoalIdentifier", f"m{n}"),
            ("GoalText", draw(TEXT)),
            ("GoalStatusCode", draw(_CODE(["aftalt", "aktivt", "opgivet"]))),
            ("GoalHorizonCode", draw(_CODE(["kort", "lang"]))),
            *sections(),
        ]

    goals = items("Goals", "Goal", 3, goal)
    known = [f"m{n}" for n in range(1, len(goals[0][1]) + 1)] if goals else []

    def intervention(n: int) -> Tree:
        served = draw(st.lists(_CODE(known), unique=True, max_size=3)) if known else []
        name = [*actor(), ("ResponsibleName", draw(NAME))]
        return [
            *maybe("InterventionIdentifier", st.just(f"i{n}")),
            *(("GoalReferenceIdentifier", g) for g in served),
            *maybe("InterventionTypeText", TEXT),
            ("InterventionText", draw(TEXT)),
            *([("Responsible", name)] if draw(st.booleans()) else []),
            *maybe("TimeText", TEXT),
            *maybe("PeriodEndDate", _PARTIAL),
            *maybe("SuccessCriterionText", TEXT),
            *maybe("FallbackText", TEXT),
            *maybe("FollowUpText", TEXT),
            ("InterventionStatusCode", draw(_CODE(["i-gang", "ukendt", "aflyst"]))),
            *sections(),
        ]

    def challenge(_: int) -> Tree:
        return [*maybe("LabelText", TEXT), ("ChallengeText", draw(TEXT)), *sections()]

    def note(_: int) -> Tree:
        text = [("NoteText", draw(TEXT)), *maybe("NoteDate", _PARTIAL)]
        return [("ActorName", draw(NAME)), *actor(), *text, *sections()]

    def participant() -> Tree:
        came = draw(_CODE(["tilstede", "afbud", "maaske", "afventer-svar"]))
        return [
            *actor("borger", "k1", "k2"),
            ("ParticipantName", draw(NAME)),
            *maybe("RoleCode", _ROLES),
            ("AttendanceCode", came),
            *maybe("ReasonText", TEXT),
        ]

    def meeting(_: int) -> Tree:
        count = draw(st.integers(1, 2))
        return [
            ("MeetingDate", draw(_DATE)),
            *(("Participant", participant()) for _ in range(count)),
        ]

    def convener(_: int) -> Tree:
        return [("ConvenerName", draw(NAME)), *actor("k1"), *maybe("FromText", TEXT),
                *maybe("UntilText", TEXT)]  # fmt: skip

    def next_meeting() -> Tree:
        conveners = [("Convener", convener(n)) for n in range(draw(st.integers(0, 2)))]
        return [("TimeText", draw(TEXT)), *maybe("LatestDate", _DATE), *maybe("PlaceText", TEXT),
                *conveners]  # fmt: skip

    header = [
        ("MessageIdentifier", "m-1"),
        ("SentDateTime", "2026-09-20T08:00:00+02:00"),
        ("DocumentKindCode", "koordinerende-indsatsplan"),
        ("CaseIdentifier", draw(_CODE(["SAG-1", "Å/2 — 3"]))),
        *maybe("CaseSystemIdentifier", st.just("https://sag.example")),
        *maybe("BaseVersion", st.integers(1, 99).map(str)),
    ]
    citizen = [
        ("CitizenIdentifier", "borger"),
        ("PersonCivilRegistrationIdentifier", "0201609996"),
        ("PersonName", draw(NAME)),
        *maybe("AddressText", TEXT),
        *contact_data(),
        *maybe("ActiveIndicator", _CODE(["true", "false", "1"])),
        *maybe("ConsentText", TEXT),
    ]
    relative = ("RelativeContact", [
        ("ContactIdentifier", "k2"), ("Membership", [("RoleCode", "paaroerende")]),
        *maybe("PersonName", NAME), *maybe("RelationText", TEXT), *contact_data(),
    ])  # fmt: skip
    contacts = [
        *([("CitizenContact", as_member("borger"))] if draw(st.booleans()) else []),
        ("ProfessionalContact", person(1, "tovholder")),
        relative,
        *([("ProfessionalContact", person(3, draw(_ROLES)))] if draw(st.booleans()) else []),
        *([("NamedContact", [("DisplayName", draw(NAME)), *as_member("modtager")])]
          if draw(st.booleans()) else []),
    ]  # fmt: skip
    postscript = lambda _: [("PostscriptText", draw(TEXT)), *maybe("AuthorName", NAME)]  # noqa: E731
    registration = [
        ("PlanStatusCode", draw(_CODE(["aktiv", "kladde"]))),
        *maybe("CreatedDate", _PARTIAL),
        *maybe("LevelCode", _CODE(["0", "1", "2", "3"])),
        *maybe("AnchoringCode", _CODE(["region", "kommune"])),
        *maybe("ProposerName", NAME),
    ]
    tree: Tree = [
        ("MessageHeader", header),
        ("Citizen", citizen),
        ("Contacts", contacts),
        *items("Meetings", "Meeting", 2, meeting),
        *items("StatusNotes", "StatusNote", 3, note),
        *items("Challenges", "Challenge", 3, challenge),
        *goals,
        *items("Interventions", "Intervention", 3, intervention),
        *([("NextMeeting", next_meeting())] if draw(st.booleans()) else []),
        *items("Postscripts", "Postscript", 2, postscript),
        ("Registration", registration),
        ("Units", [("Unit", [
            ("UnitIdentifier", "rus"), ("SORIdentifier", "999000000203"),
            ("UnitName", "Havneby Rusmiddelcenter"), *contact_data(),
        ])]),
    ]  # fmt: skip
    root = etree.Element(q("CoordinatedActionPlan"), nsmap={None: FORMAT.schema.namespace})
    _fill(root, tree)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _fill(parent: etree._Element, tree: Tree) -> None:
    for name, value in tree:
        child = etree.SubElement(parent, q(name))
        if isinstance(value, str):
            child.text = value
        else:
            _fill(child, value)

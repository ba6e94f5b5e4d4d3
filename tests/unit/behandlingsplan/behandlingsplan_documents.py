"""Behandlingsplan documents for tests: the samples, and generated ones the schema allows."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from lxml import etree

from adapters.behandlingsplan import ADAPTER
from adapters.behandlingsplan.parse import FORMAT
from hub.contract import Context, PlanUpdate, Printer, RawMessage
from hub.fhir import names
from hub.mapping import mappings_folder
from tests.views import check, find_party, parties

NAMESPACE = FORMAT.schema.namespace
SAMPLES = mappings_folder("behandlingsplan") / "samples"
NOW = datetime(2026, 9, 20, 8, 0, tzinfo=UTC)
OWNER = parties()["psyk-nordstrand"]


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.xml").read_bytes()


def context(scope: str = "owner", printer: Printer | None = None) -> Context:
    def id_for(key: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{key}"))

    return Context(
        now=NOW,
        id_for=id_for,
        find_party=find_party,
        sender=OWNER,
        base_url=names.BASE,
        check=check,
        printer=printer,
    )


def message(body: bytes) -> RawMessage:
    return RawMessage(OWNER, "behandlingsplan", body, "application/xml", "m-1", NOW)


def parse(body: bytes) -> PlanUpdate:
    return ADAPTER.parse(message(body), context())


def element(root: etree._Element, path: str) -> etree._Element:
    """The element at a path of local names, such as ``Goals/Goal[2]/GoalText``."""
    found = root.find("/".join(f"bp:{step}" for step in path.split("/")), {"bp": NAMESPACE})
    assert found is not None, path
    return found


def changed(body: bytes, path: str, text: str) -> bytes:
    root = etree.fromstring(body)
    element(root, path).text = text
    return etree.tostring(root)


# Generated documents. A document is a list of (name, text or children), in schema order.
Tree = list[tuple[str, Any]]

_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zs", "Zl", "Zp"))
_WORD = st.text(_LETTERS, min_size=1, max_size=12)
_NAME = st.lists(_WORD, min_size=1, max_size=3).map(" ".join)
_TEXT = st.lists(_WORD | st.sampled_from([" ", "\n", "\t", "  ", "\r\n"]), min_size=1, max_size=6)
_FREE = st.builds(lambda word, rest: word + "".join(rest), _WORD, _TEXT)
_CODE = st.sampled_from
_DAY = st.dates(datetime(1900, 1, 1).date(), datetime(2099, 12, 31).date())
_DATE = _DAY.map(lambda d: d.isoformat())
_TIME = st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)).map(
    lambda d: d.replace(microsecond=0).isoformat() + "+01:00"
)
_CITIZENS = _CODE(
    [
        ("PersonCivilRegistrationIdentifier", "0201609996"),
        ("NationalReplacementIdentifier", "0201601AB9"),
        ("RegionalReplacementIdentifier", "0201600AB9"),
    ]
)
EFFORT_TYPES = [
    "samtaleforloeb",
    "medicinsk-behandling",
    "miljoeterapi",
    "psykoedukation",
    "netvaerksmoede",
    "udslusning",
]
_SECTIONS = st.lists(
    _CODE(["psykiatri", "misbrug", "social", "kriminalitet", "oekonomi", "helbred"]),
    max_size=3,
    unique=True,
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Any valid document of citizen 1, without OtherPlans."""

    def maybe(name: str, strategy: st.SearchStrategy[Any]) -> Tree:
        return [(name, draw(strategy))] if draw(st.booleans()) else []

    def marks() -> Tree:
        mark = maybe("CoordinationIndicator", _CODE(["true", "false", "1", "0"]))
        return [*mark, *(("SectionCode", code) for code in draw(_SECTIONS))]

    def own_id(name: str, number: int) -> Tree:
        return maybe(name, _CODE([f"{number}", f"id-{number}", f"{number + 1}-x"]))

    def items(name: str, most: int, make: Any) -> Tree:
        return [(name, make(n)) for n in range(1, draw(st.integers(0, most)) + 1)]

    def goal(n: int) -> Tree:
        return [*own_id("GoalIdentifier", n), ("GoalText", draw(_FREE)), *marks()]

    def effort(n: int) -> Tree:
        start, end = sorted([draw(_DATE), draw(_DATE)])
        return [
            *own_id("EffortIdentifier", n),
            ("EffortTypeCode", draw(_CODE(EFFORT_TYPES))),
            ("EffortText", draw(_FREE)),
            *maybe("ResponsibleName", _NAME),
            *maybe("PeriodStartDate", st.just(start)),
            *maybe("PeriodEndDate", st.just(end)),
            *maybe("FollowUpText", _FREE),
            ("EffortStatusCode", draw(_CODE(["ikke-paabegyndt", "i-gang", "gennemfoert"]))),
            *marks(),
        ]

    def part(name: str, tree: Tree) -> Tree:
        return [(name, tree)] if tree else []

    def optional(name: str, make: Any) -> Tree:
        return [(name, make())] if draw(st.booleans()) else []

    tree: Tree = [
        (
            "MessageHeader",
            [
                ("MessageIdentifier", "m-1"),
                ("SentDateTime", draw(_TIME)),
                ("SenderSORIdentifier", "999000000101"),
                ("CaseIdentifier", draw(_CODE(["SAG-1", "Å/2 — 3"]))),
                *maybe("SharedPlanIdentifier", st.just("plan-1")),
                *maybe("BaseVersion", st.integers(1, 99).map(str)),
            ],
        ),
        (
            "Citizen",
            [
                draw(_CITIZENS),
                ("PersonGivenName", draw(_NAME)),
                *maybe("PersonMiddleName", _NAME),
                ("PersonSurnameName", draw(_NAME)),
            ],
        ),
        (
            "ResponsibleUnit",
            [
                ("UnitSORIdentifier", "999000000101"),
                ("UnitName", draw(_NAME)),
                (
                    "ResponsibleDoctor",
                    [
                        ("TitleText", draw(_NAME)),
                        ("PersonName", draw(_NAME)),
                        *maybe("TelephoneNumberIdentifier", _NAME),
                    ],
                ),
            ],
        ),
        (
            "PlanVersion",
            [
                ("VersionDateTime", draw(_TIME)),
                ("PlanStatusCode", draw(_CODE(["foreloebig", "endelig", "afsluttet"]))),
            ],
        ),
        ("Purpose", [("PurposeText", draw(_FREE)), *marks()]),
        *optional("CitizenWishes", lambda: [("WishText", draw(_FREE)), *marks()]),
        *optional(
            "Consent",
            lambda: [("ConsentOutcomeCode", "givet"), *maybe("ConsentText", _FREE)],
        ),
        *maybe("HandedOverDateTime", _TIME),
        *part("Goals", items("Goal", 3, goal)),
        *part("TreatmentEfforts", items("TreatmentEffort", 3, effort)),
        *part("Medicines", items("Medicine", 2, lambda _: [("DrugName", draw(_NAME))])),
        *optional("ElectroconvulsiveTherapy", lambda: [("IndicationText", draw(_FREE))]),
        *part(
            "SomaticFindings", items("SomaticFinding", 2, lambda _: [("FindingText", draw(_FREE))])
        ),
        *part("JournalNotes", items("JournalNote", 2, lambda _: [("NoteText", draw(_FREE))])),
        *optional(
            "NextFollowUp",
            lambda: [*maybe("FollowUpDate", _DATE), ("FollowUpText", draw(_FREE)), *marks()],
        ),
    ]
    root = etree.Element(f"{{{NAMESPACE}}}TreatmentPlan", nsmap={None: NAMESPACE})
    _fill(root, tree)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _fill(parent: etree._Element, tree: Tree) -> None:
    for name, value in tree:
        child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        if isinstance(value, str):
            child.text = value
        else:
            _fill(child, value)

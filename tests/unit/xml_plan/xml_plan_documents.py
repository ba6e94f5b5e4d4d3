"""Plan documents for tests: the samples, and generated ones made from the published schema."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from lxml import etree

from adapters.handleplan_141 import ADAPTER as HANDLEPLAN_ADAPTER
from adapters.handleplan_141.parse import FORMAT as HANDLEPLAN
from adapters.udskrivningsaftale import ADAPTER as UDSKRIVNING_ADAPTER
from adapters.udskrivningsaftale.parse import FORMAT as UDSKRIVNING
from adapters.xml_plan import XmlPlan
from adapters.xml_plan.document import XmlFormat
from adapters.xml_plan.schema import XS, sources
from hub.contract import Context, Party, PlanUpdate, Printer, RawMessage
from hub.fhir import names
from hub.mapping import mappings_folder
from tests.views import check, find_party, parties

NOW = datetime(2026, 9, 20, 8, 0, tzinfo=UTC)
PSYK, SOCIAL = parties()["psyk-nordstrand"], parties()["social-havneby"]


@dataclass(frozen=True)
class Kind:
    """One root element of one format."""

    adapter: XmlPlan
    format: XmlFormat
    root: str
    owner: Party
    samples: tuple[str, ...]
    mend: Callable[[st.DrawFn, etree._Element], None]
    """Makes a generated document keep the rules that the schema cannot say."""

    @property
    def sor(self) -> str:
        return self.owner.identifier(names.SOR) or ""

    def sample(self, name: str = "") -> bytes:
        folder = mappings_folder(self.format.name) / "samples"
        return (folder / f"{name or self.samples[0]}.xml").read_bytes()

    def message(self, body: bytes) -> RawMessage:
        return RawMessage(self.owner, self.format.name, body, "application/xml", "m-1", NOW)

    def parse(self, body: bytes) -> PlanUpdate:
        return self.adapter.parse(self.message(body), context(self.owner))

    def record(self, body: bytes) -> dict[str, Any]:
        return self.format.record(self.format.read(body))


def context(sender: Party, scope: str = "owner", printer: Printer | None = None) -> Context:
    def id_for(key: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{key}"))

    return Context(
        now=NOW,
        id_for=id_for,
        find_party=find_party,
        sender=sender,
        base_url=names.BASE,
        check=check,
        printer=printer,
    )


def element(root: etree._Element, path: str) -> etree._Element:
    """The element at a path of local names, such as ``Goals/Goal[2]/GoalText``."""
    found = root.find("/".join(f"{{*}}{step}" for step in path.split("/")))
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


# Generated documents

_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zs", "Zl", "Zp"))
_WORD = st.text(_LETTERS, min_size=1, max_size=12)
_LINE = st.lists(_WORD, min_size=1, max_size=3).map(" ".join)
_SPACED = st.lists(_WORD | st.sampled_from([" ", "\n", "\t", "\r\n"]), min_size=1, max_size=5)
_FREE = st.builds(lambda word, rest: word + "".join(rest), _WORD, _SPACED)
_DAYS = st.dates(datetime(1900, 1, 1).date(), datetime(2099, 12, 31).date())
_TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)).map(
    lambda d: d.replace(microsecond=0).isoformat() + "+01:00"
)
_SIMPLE: Mapping[str, st.SearchStrategy[str]] = {
    "IdentifierType": st.sampled_from(["SAG-1", "Å/2 — 3", "17"]),
    "PersonCivilRegistrationIdentifierType": st.just("0201609996"),
    "NationalReplacementIdentifierType": st.just("0201601AB9"),
    "RegionalReplacementIdentifierType": st.just("0201600AB9"),
    "NameType": _LINE,
    "ShortTextType": _LINE,
    "TextType": _FREE,
    "DateType": _DAYS.map(lambda d: d.isoformat()),
    "DateTimeType": _TIMES,
    "xs:boolean": st.sampled_from(["true", "false", "1", "0"]),
    "xs:positiveInteger": st.integers(1, 99).map(str),
}


@st.composite
def documents(draw: st.DrawFn, kind: Kind) -> bytes:
    """Any valid document of citizen 1, without OtherPlans."""
    declared = {
        str(d.get("name")): d
        for tree in sources(kind.format.schema.file)
        for d in tree.getroot()
        if d.get("name")
    }

    def fill(parent: etree._Element, part: etree._Element) -> None:
        for step in part:
            if step.tag == f"{XS}element" and step.get("name") != "OtherPlans":
                for _ in range(times(step)):
                    make(parent, step)
            elif step.tag == f"{XS}group":
                fill(parent, declared[str(step.get("ref")).rpartition(":")[2]][1])
            elif step.tag == f"{XS}choice":
                make(parent, draw(st.sampled_from([*step])))

    def times(step: etree._Element) -> int:
        least = int(step.get("minOccurs", "1"))
        most = 3 if step.get("maxOccurs") == "unbounded" else int(step.get("maxOccurs", "1"))
        return draw(st.integers(least, most))

    def make(parent: etree._Element, step: etree._Element) -> None:
        child = etree.SubElement(parent, f"{{{kind.format.schema.namespace}}}{step.get('name')}")
        written = str(step.get("type"))
        type_ = written if written.startswith("xs:") else written.rpartition(":")[2]
        found = declared.get(type_)
        if found is not None and found.tag == f"{XS}complexType":
            fill(child, found[1])
        elif type_ == "SORIdentifierType":
            child.text = kind.sor
        elif type_ in _SIMPLE:
            child.text = draw(_SIMPLE[type_])
        else:
            assert found is not None
            values = [str(e.get("value")) for e in found.iter(f"{XS}enumeration")]
            child.text = draw(st.sampled_from(values))

    namespace = kind.format.schema.namespace
    root = etree.Element(f"{{{namespace}}}{kind.root}", nsmap={None: namespace})
    top = etree.parse(kind.format.schema.file).getroot()
    (declaration,) = [e for e in top.findall(f"{XS}element") if e.get("name") == kind.root]
    fill(root, declared[str(declaration.get("type")).rpartition(":")[2]][1])
    _ordered_periods(root)
    kind.mend(draw, root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _ordered_periods(root: etree._Element) -> None:
    for end in root.iter("{*}PeriodEndDate"):
        parent = end.getparent()
        start = None if parent is None else parent.find("{*}PeriodStartDate")
        if start is not None and str(start.text) > str(end.text):
            start.text, end.text = end.text, start.text


def _numbered(root: etree._Element, path: str) -> list[str]:
    """Identifiers unique in their list."""
    found = root.findall("/".join(f"{{*}}{step}" for step in path.split("/")))
    for number, one in enumerate(found, 1):
        one.text = f"id-{number}"
    return [str(one.text) for one in found]


def _mend_handleplan(draw: st.DrawFn, root: etree._Element) -> None:
    goals = _numbered(root, "Goals/Goal/GoalIdentifier")
    _numbered(root, "Efforts/Effort/EffortIdentifier")
    _numbered(root, "SpecialMatters/SpecialMatter/SpecialMatterIdentifier")
    for reference in list(root.iter("{*}GoalIdentifierReference")):
        if goals:
            reference.text = draw(st.sampled_from(goals))
        else:
            effort = reference.getparent()
            assert effort is not None
            effort.remove(reference)
    for agreed in root.iter("{*}CitizenAgreementIndicator"):
        agreed.text = "true"


def _mend_udskrivning(draw: st.DrawFn, root: etree._Element) -> None:
    parties = _numbered(root, "Parties/Party/PartyIdentifier")
    _numbered(root, "Offers/Offer/OfferIdentifier")
    for reference in root.iter("{*}ResponsiblePartyIdentifier"):
        reference.text = draw(st.sampled_from(parties))
    status = root.find("{*}PlanVersion/{*}PlanStatusCode")
    assert status is not None
    # What holds of an agreement in force is tested by hand; here nothing need be accepted.
    status.text = draw(st.sampled_from(["under-udarbejdelse", "ophoert"]))
    first = root.find("{*}Parties/{*}Party")
    assert first is not None
    if first.find("{*}UnitSORIdentifier") is None:
        own = etree.Element(f"{{{etree.QName(root).namespace}}}UnitSORIdentifier")
        own.text = root.findtext("{*}MessageHeader/{*}SenderSORIdentifier")
        first.insert(2, own)
    for answer in root.iter("{*}AcceptanceStatusCode"):
        parent = answer.getparent()
        if parent is not None and parent.find("{*}AcceptanceDateTime") is None:
            answer.text = "afventer"


HANDLEPLAN_KIND = Kind(
    HANDLEPLAN_ADAPTER,
    HANDLEPLAN,
    "ActionPlan",
    SOCIAL,
    ("typical", "typical-update", "minimal", "everything"),
    _mend_handleplan,
)
AGREEMENT = Kind(
    UDSKRIVNING_ADAPTER,
    UDSKRIVNING,
    "DischargeAgreement",
    PSYK,
    ("typical", "typical-update", "minimal", "everything"),
    _mend_udskrivning,
)
COORDINATION = Kind(
    UDSKRIVNING_ADAPTER,
    UDSKRIVNING,
    "CoordinationPlan",
    PSYK,
    ("koordinationsplan", "koordinationsplan-minimal"),
    _mend_udskrivning,
)
KINDS = (HANDLEPLAN_KIND, AGREEMENT, COORDINATION)
SAMPLES = [(kind, name) for kind in KINDS for name in kind.samples]

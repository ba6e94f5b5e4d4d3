"""In: what is refused in every plan format, with the place and never the value."""

from __future__ import annotations

import pytest
from lxml import etree
from xml_plan_documents import (
    AGREEMENT,
    COORDINATION,
    HANDLEPLAN_KIND,
    KINDS,
    Kind,
    changed,
    element,
    without,
)

from hub.errors import InputRefused, Invalid, Malformed, TooLarge, UnknownCode, Unsupported

SECRET = "Hemmelig 0201609996"
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.root)
HOSTILE = {
    "empty": lambda b: b"",
    "json": lambda b: b"{}",
    "latin-1-said-to-be-utf-8": lambda b: b.decode().encode("latin-1"),
    "utf-16-said-to-be-utf-8": lambda b: b"<?xml version='1.0' encoding='UTF-8'?>"
    + b[39:].decode().encode("utf-16-le"),
    "entity-bomb": lambda b: b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + b[38:],
    "entity-after-much": lambda b: b[:39] + b" " * 70_000 + b'<!ENTITY a "x">' + b[39:],
    "external-entity": lambda b: b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a/>',
    "no-namespace": lambda b: b.replace(b" xmlns=", b" about="),
    "other-namespace": lambda b: b.replace(b"/xml/", b"/lmx/"),
    "other-root": lambda b: b.replace(b"Agreement xmlns", b"Deal xmlns")
    .replace(b"Agreement>\n", b"Deal>\n").replace(b"Plan xmlns", b"Draft xmlns")
    .replace(b"nPlan>\n", b"nDraft>\n"),
}  # fmt: skip


def refusal(kind: Kind, body: bytes) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        kind.parse(body)
    return caught.value


def places(error: InputRefused) -> list[str]:
    return [str(i.expression).rpartition(": ")[2] for i in error.issues]


@each_kind
@pytest.mark.parametrize("damage", HOSTILE.values(), ids=HOSTILE)
def test_not_this_format(kind: Kind, damage) -> None:  # type: ignore[no-untyped-def]
    assert isinstance(refusal(kind, damage(kind.sample())), Malformed)


@each_kind
def test_cut_anywhere_it_is_malformed(kind: Kind) -> None:
    body = kind.sample().rstrip()
    for end in range(1, len(body), len(body) // 60):
        assert isinstance(refusal(kind, body[:end]), Malformed)


@each_kind
def test_another_version_is_unsupported_and_depth_is_bounded(kind: Kind) -> None:
    assert isinstance(refusal(kind, kind.sample().replace(b"/1.0", b"/2.0")), Unsupported)
    assert isinstance(refusal(kind, b"<a>" * 5000 + b"</a>" * 5000), TooLarge)


@each_kind
def test_declared_encodings_are_read(kind: Kind) -> None:
    text = kind.sample().decode()
    latin = text.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').encode("latin-1")
    wide = text.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    assert kind.parse(latin).resources == kind.parse(kind.sample()).resources
    assert kind.parse(wide).resources == kind.parse(kind.sample()).resources


@each_kind
def test_every_unknown_code_is_refused_by_its_place(kind: Kind) -> None:
    root = etree.fromstring(kind.sample())
    coded = [e for e in root.iter() if str(e.tag).endswith("Code")]
    assert len(coded) > 5
    for leaf in coded:
        kept, leaf.text = leaf.text, "hemmelig-kode"
        error = refusal(kind, etree.tostring(root))
        leaf.text = kept
        assert isinstance(error, UnknownCode)
        assert places(error) == [kind.format.schema.path_of(leaf)]
        assert "hemmelig" not in f"{error!s} {error.issues}"


@each_kind
def test_no_value_is_ever_told(kind: Kind) -> None:
    root = etree.fromstring(kind.sample())
    errors = []
    for leaf in [e for e in root.iter() if len(e) == 0]:
        kept, leaf.text = leaf.text, SECRET
        try:
            kind.parse(etree.tostring(root))
        except InputRefused as e:
            errors.append(e)
        leaf.text = kept
    assert len(errors) > 15
    told = [f"{e!s} {e.args} {e.issues} {e.__cause__}" for e in errors]
    assert not [t for t in told if "0201609996" in t or "Hemmelig" in t]


@each_kind
def test_another_owner_and_a_backward_period_are_told_together(kind: Kind) -> None:
    body = changed(kind.sample(), "ResponsibleUnit/UnitSORIdentifier", "999000000203")
    item = "Efforts/Effort[1]" if kind is HANDLEPLAN_KIND else "Offers/Offer[1]"
    body = changed(body, f"{item}/PeriodStartDate", "2099-01-01")
    if kind is COORDINATION or kind is AGREEMENT:
        assert "business-rule" in {i.code for i in refusal(kind, body).issues}
    root = etree.fromstring(body)
    if root.find(f"{{*}}{item.split('/', maxsplit=1)[0]}/{{*}}*[1]/{{*}}PeriodEndDate") is None:
        start = element(root, f"{item}/PeriodStartDate")
        end = etree.Element(str(start.tag).replace("Start", "End"))
        end.text = "2098-01-01"
        start.addnext(end)
    found = refusal(kind, etree.tostring(root))
    assert isinstance(found, Invalid)
    assert {"invariant", "business-rule"} <= {i.code for i in found.issues}
    assert f"/{kind.root}/{item}/PeriodEndDate" in places(found)


# handleplan-141


@pytest.mark.parametrize("part", ["Purpose", "Efforts", "ExpectedDuration"])
def test_the_law_s_own_parts_are_required(part: str) -> None:
    error = refusal(HANDLEPLAN_KIND, without(HANDLEPLAN_KIND.sample("minimal"), part))
    assert part in error.issues[0].text


def test_a_goal_referred_to_must_be_there() -> None:
    path = "Efforts/Effort[1]/GoalIdentifierReference[2]"
    error = refusal(HANDLEPLAN_KIND, changed(HANDLEPLAN_KIND.sample(), path, "M9"))
    assert "No item in the document" in error.issues[0].text
    assert places(error) == [f"/ActionPlan/{path}"]


def test_a_comprehensive_plan_needs_the_citizen_s_agreement() -> None:
    body = changed(
        HANDLEPLAN_KIND.sample("everything"),
        "ComprehensivePlan/CitizenAgreementIndicator",
        "false",
    )
    assert places(refusal(HANDLEPLAN_KIND, body)) == [
        "/ActionPlan/ComprehensivePlan/CitizenAgreementIndicator"
    ]


def test_anonymous_treatment_has_no_code() -> None:
    path = "Efforts/Effort[1]/LegalParagraphCode"
    body = changed(HANDLEPLAN_KIND.sample(), path, "serviceloven-101-a")
    assert isinstance(refusal(HANDLEPLAN_KIND, body), UnknownCode)


# udskrivningsaftale and koordinationsplan


def test_a_coordination_plan_has_no_place_for_consent_shared_plan_or_others() -> None:
    body = COORDINATION.sample()
    agreement = etree.fromstring(AGREEMENT.sample("everything"))
    for path, before in [
        ("CitizenAcceptance", "Parties"),
        ("OtherPlans", ""),
        ("MessageHeader/SharedPlanIdentifier", ""),
        ("MessageHeader/BaseVersion", ""),
    ]:
        root = etree.fromstring(body)
        added = etree.fromstring(etree.tostring(element(agreement, path)))
        if before:
            element(root, before).addprevious(added)
        else:
            parent = element(root, "MessageHeader") if "/" in path else root
            parent.append(added)
        error = refusal(COORDINATION, etree.tostring(root))
        assert isinstance(error, Invalid)
        assert "Not expected here" in error.issues[0].text


@pytest.mark.parametrize("part", ["LegalBasisCode", "Purpose", "Parties", "NonCooperationText"])
def test_a_coordination_plan_states_basis_purpose_and_parties(part: str) -> None:
    assert part in refusal(COORDINATION, without(COORDINATION.sample(), part)).issues[0].text


@pytest.mark.parametrize(
    ("kind", "code"),
    [(COORDINATION, "psykiatriloven-13a-stk-1"), (AGREEMENT, "psykiatriloven-13b")],
    ids=["plan", "agreement"],
)
def test_each_kind_has_its_own_legal_basis(kind: Kind, code: str) -> None:
    assert isinstance(refusal(kind, changed(kind.sample(), "LegalBasisCode", code)), UnknownCode)


@pytest.mark.parametrize("kind", [AGREEMENT, COORDINATION], ids=lambda k: k.root)
def test_the_department_is_a_party_and_offers_name_one(kind: Kind) -> None:
    body = changed(kind.sample(), "Parties/Party[1]/UnitSORIdentifier", "999000000299")
    assert f"/{kind.root}/Parties" in places(refusal(kind, body))
    body = changed(kind.sample(), "Offers/Offer[3]/ResponsiblePartyIdentifier", "P9")
    error = refusal(kind, body)
    assert places(error) == [f"/{kind.root}/Offers/Offer[3]/ResponsiblePartyIdentifier"]
    assert "No item in the document" in error.issues[0].text


def test_an_agreement_in_force_has_the_citizen_s_acceptance() -> None:
    path = "CitizenAcceptance/AcceptanceStatusCode"
    for status in ("afvist", "afventer"):
        error = refusal(AGREEMENT, changed(AGREEMENT.sample(), path, status))
        assert places(error) == [f"/DischargeAgreement/{path}"]


@pytest.mark.parametrize("kind", [AGREEMENT, COORDINATION], ids=lambda k: k.root)
def test_another_party_s_offer_needs_its_acceptance(kind: Kind) -> None:
    path = "Parties/Party[2]/Acceptance/AcceptanceStatusCode"
    waits = changed(kind.sample(), path, "afventer")
    error = refusal(kind, waits)
    offers = [p for p in places(error) if p.endswith("/ResponsiblePartyIdentifier")]
    assert f"/{kind.root}/Offers/Offer[3]/ResponsiblePartyIdentifier" in offers

    draft = changed(waits, "PlanVersion/PlanStatusCode", "under-udarbejdelse")
    told = [i for i in kind.parse(draft).issues if i.severity == "warning"]
    assert [str(i.expression) for i in told] == offers
    assert kind.parse(changed(waits, "PlanVersion/PlanStatusCode", "ophoert")).issues == ()


@pytest.mark.parametrize("kind", [AGREEMENT, COORDINATION], ids=lambda k: k.root)
def test_a_change_after_the_acceptance_needs_a_new_one(kind: Kind) -> None:
    path = "Offers/Offer[3]/LastChangedDateTime"
    later = changed(kind.sample(), path, "2026-09-30T09:00:00+02:00")
    error = refusal(kind, later)
    assert places(error) == [f"/{kind.root}/{path}"]
    answered = "Parties/Party[2]/Acceptance/AcceptanceDateTime"
    assert kind.parse(changed(later, answered, "2026-09-30T07:00:00Z")), "the same moment"
    own = changed(later, "Offers/Offer[3]/ResponsiblePartyIdentifier", "P1")
    assert kind.parse(own), "its own offers the department changes as it likes"


@pytest.mark.parametrize("kind", [AGREEMENT, COORDINATION], ids=lambda k: k.root)
def test_an_answer_has_its_time(kind: Kind) -> None:
    path = "Parties/Party[2]/Acceptance/AcceptanceDateTime"
    error = refusal(kind, without(kind.sample(), path))
    assert f"/{kind.root}/{path}" in places(error)

"""What the others may see when its author has not said so, and what the author is warned about."""

from __future__ import annotations

import json

from lxml import etree
from xml_plan_documents import AGREEMENT, COORDINATION, HANDLEPLAN_KIND, Kind, changed, element

from hub.contract import PlanUpdate, Resource
from hub.fhir import names
from hub.fhir.extract import extension_value, sections
from hub.fhir.reading import PlanReader
from hub.model.reduction import shareable


def view(update: PlanUpdate) -> dict[str, Resource]:
    return {f"{r['resourceType']}/{r['id']}": r for r in update.resources}


def seen_by_others(update: PlanUpdate) -> str:
    return json.dumps(shareable(view(update), lambda _: False)[0], ensure_ascii=False)


def marks(update: PlanUpdate) -> list[bool]:
    return [extension_value(a, names.COORDINATION) for a in update.resources[0]["activity"]]


def unmarked(kind: Kind, name: str = "") -> PlanUpdate:
    """The sample without any mark of its author's."""
    root = etree.fromstring(kind.sample(name))
    for mark in list(root.iter("{*}CoordinationIndicator")):
        parent = mark.getparent()
        assert parent is not None
        parent.remove(mark)
    return kind.parse(etree.tostring(root))


def test_of_a_handleplan_others_see_purpose_duration_efforts_and_follow_up() -> None:
    update = unmarked(HANDLEPLAN_KIND)
    (found,) = PlanReader(shareable(view(update), lambda _: False)[0]).sector_plans()
    assert found.purpose.startswith("At Karla beholder sin bolig")
    assert (found.start, found.end) == ("2026-09-07", "2027-03-05")
    assert [i.code_text for i in found.interventions] == [
        "Serviceloven § 85, socialpædagogisk støtte",
        "Serviceloven § 104, aktivitets- og samværstilbud",
        "Opfølgning på handleplanen",
    ]
    assert [(n.actor, n.sections) for n in found.notes] == [("Forventet varighed", ("social",))]
    assert found.goals == ()
    told = seen_by_others(update)
    for kept in ("Huslejen", "havearbejdet", "restance", "behandlingsansvar", "SOC-2026-000045"):
        assert kept not in told


def test_the_duration_follows_the_purpose() -> None:
    root = etree.fromstring(HANDLEPLAN_KIND.sample())
    mark = etree.Element(f"{{{HANDLEPLAN_KIND.format.schema.namespace}}}CoordinationIndicator")
    mark.text = "false"
    element(root, "Purpose/PurposeText").addnext(mark)
    told = seen_by_others(HANDLEPLAN_KIND.parse(etree.tostring(root)))
    assert "Seks måneder" not in told
    assert '"period"' not in told
    assert "beholder sin bolig" not in told


def test_where_a_citizen_in_hiding_stays_is_not_told_unless_marked() -> None:
    path = "Efforts/Effort[1]/LegalParagraphCode"
    for code in ("serviceloven-109", "serviceloven-110"):
        body = changed(HANDLEPLAN_KIND.sample(), path, code)
        assert marks(HANDLEPLAN_KIND.parse(body)) == [False, True, True]
        marked = changed(HANDLEPLAN_KIND.sample("everything"), path, code)
        update = HANDLEPLAN_KIND.parse(marked)
        assert marks(update)[0] is True
        assert "/ActionPlan/Efforts/Effort[1]/CoordinationIndicator" in {
            i.expression for i in update.issues
        }


def test_a_marked_matter_of_treatment_is_warned_about() -> None:
    (issue,) = HANDLEPLAN_KIND.parse(HANDLEPLAN_KIND.sample("everything")).issues
    assert (issue.severity, issue.expression) == (
        "warning",
        "/ActionPlan/SpecialMatters/SpecialMatter[4]/CoordinationIndicator",
    )


def test_an_effort_serves_its_goals() -> None:
    update = HANDLEPLAN_KIND.parse(HANDLEPLAN_KIND.sample())
    (found,) = PlanReader(view(update)).sector_plans()
    assert [i.goals for i in found.interventions] == [(1, 2), (2,), ()]
    assert [n.actor for n in found.notes] == [
        "Forventet varighed",
        "Særlige forhold: Boform",
        "Særlige forhold: Behandling",
        "Borgerens egne ønsker",
    ]


def test_of_an_agreement_others_see_purpose_offers_and_follow_up() -> None:
    update = unmarked(AGREEMENT)
    # Conversations, medicine, support, the GP; supervision; the next follow-up.
    assert marks(update) == [True, False, True, True, False, True]
    told = seen_by_others(update)
    for kept in ("Medicinen", "udeblivelser", "Opkald til bostøtten", "Har accepteret", "stuen"):
        assert kept not in told
    (found,) = PlanReader(shareable(view(update), lambda _: False)[0]).sector_plans()
    assert found.start == "2026-09-18"
    assert found.interventions[1].performers == (
        "Havneby Kommune, Socialafdelingen",
        "Nor Prøvesen, bostøtte",
    )
    assert extension_value(update.resources[0], names.LEGAL_BASIS)["code"] == "psykiatriloven-13a"


def test_acceptances_are_each_party_s_and_never_marked() -> None:
    update = AGREEMENT.parse(AGREEMENT.sample("everything"))
    (found,) = PlanReader(view(update)).sector_plans()
    assert [(n.actor, n.text) for n in found.notes[:5]] == [
        ("Borgeren", "Har accepteret"),
        ("Psykiatrisk Center Nordstrand", "Har accepteret"),
        ("Havneby Kommune, Socialafdelingen", "Har accepteret"),
        ("Havneby Rusmiddelcenter", "Har accepteret"),
        ("Kriminalforsorgen i Havneby", "Har ikke svaret endnu"),
    ]
    notes = [r for r in update.resources if r["resourceType"] == "Observation"]
    assert [extension_value(n, names.COORDINATION) for n in notes[:5]] == [None] * 5
    performers = [n["performer"][0]["reference"].partition("/")[0] for n in notes[:5]]
    assert performers == ["Patient"] + ["Organization"] * 4
    assert notes[1]["effectiveDateTime"] == "2026-09-16T12:00:00+02:00"
    assert notes[1]["performer"][1] == {"display": "Ditte Attrapsen"}


def test_a_marked_medical_offer_is_warned_about() -> None:
    path = "Offers/Offer[1]/OfferTypeCode"
    body = changed(AGREEMENT.sample("everything"), path, "medicinsk-behandling")
    (issue,) = AGREEMENT.parse(body).issues
    assert issue.expression == "/DischargeAgreement/Offers/Offer[1]/CoordinationIndicator"


def test_of_a_coordination_plan_nothing_is_shared_and_a_mark_is_warned_about() -> None:
    update = COORDINATION.parse(COORDINATION.sample())
    assert not any(marks(update))
    assert not [loss for loss in update.losses if loss.kind == "defaulted"]
    assert (update.issues, update.losses) == ((), ())
    body = changed(COORDINATION.sample(), "Supervision/CoordinationIndicator", "true")
    again = COORDINATION.parse(body)
    assert [i.expression for i in again.issues] == [
        "/CoordinationPlan/Supervision/CoordinationIndicator"
    ]
    assert seen_by_others(again) == "{}"
    basis = extension_value(update.resources[0], names.LEGAL_BASIS)
    assert basis["code"] == "psykiatriloven-13b"
    assert sections(update.resources[0]) == ("psychiatry",)

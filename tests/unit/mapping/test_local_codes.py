"""A party's own codes: exchanged at the door, both ways, and never a way around the tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from hub.codes import LocalCodes
from hub.contract import Adapter, PlanUpdate, PlanView, SourceDocument
from hub.errors import InputRefused, Misconfigured, UnknownCode
from hub.fhir import names
from hub.mapping import mappings_folder
from hub.mapping.codes import COLUMNS
from hub.mapping.overrides import Overrides, override_findings
from hub.runtime.mappings import mapped_by, overrides
from tests.contract.adapter_samples import REGISTRY, Sample, context, message, sender_of
from tests.views import PLAN_1, view_of

HEAD = ",".join(COLUMNS)
SYSTEM = "https://ki-hub.example/fhir/CodeSystem/ki-treatment-effort"
TREATMENT = Sample("behandlingsplan", mappings_folder("behandlingsplan") / "samples/typical.xml")
ORDER = Sample("vum", mappings_folder("vum") / "samples/order-full.json")
EFFORTS = (
    f",sam-1,Samtale i gruppe,{SYSTEM},samtaleforloeb,Samtaleforløb,equivalent,",
    f",sam-2,Samtale alene,{SYSTEM},samtaleforloeb,Samtaleforløb,wider,alone or in a group",
    f",pille,Pille,{SYSTEM},medicinsk-behandling,Medicinsk behandling,equivalent,",
)
SECTIONS = (",PSY,Psykiatrien,,psychiatry,Psykiatri,equivalent,",)
FFB, OWN = "urn:oid:1.2.208.176.2.22", "https://example.org/ydelser"


def written(folder: Path, party: str, format: str, tables: dict[str, tuple[str, ...]]) -> Path:
    codes = folder / party / format / "codes"
    codes.mkdir(parents=True)
    for name, rows in tables.items():
        (codes / f"{name}.csv").write_text("\n".join([HEAD, *rows, ""]), "utf-8")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> LocalCodes:
    tables = {"effort-type": EFFORTS, "section": SECTIONS}
    folder = written(tmp_path, "psyk-nordstrand", "behandlingsplan", tables)
    found = overrides(folder, REGISTRY)("psyk-nordstrand", "behandlingsplan")
    assert found is not None
    return found


def parsed(sample: Sample, body: bytes, local: LocalCodes | None) -> PlanUpdate:
    sender = sender_of(sample)
    adapter: Adapter = REGISTRY.adapter(sample.format)
    found = adapter.parse(message(sample, sender, body), context(sender, local=local))
    assert isinstance(found, PlanUpdate)
    return found


def localised(body: bytes) -> bytes:
    """The sample as its sender writes it with codes of its own."""
    made = body.replace(b">samtaleforloeb<", b">sam-1<").replace(b">psykiatri<", b">PSY<")
    assert made != body
    return made


def test_a_local_code_says_what_the_shared_one_says(own: LocalCodes) -> None:
    body = TREATMENT.body
    with pytest.raises(UnknownCode):
        parsed(TREATMENT, localised(body), None)
    assert parsed(TREATMENT, localised(body), own) == parsed(TREATMENT, body, None)
    assert parsed(TREATMENT, body, own) == parsed(TREATMENT, body, None), "the shared ones stay"


def test_a_wider_one_is_a_loss_at_its_place(own: LocalCodes) -> None:
    body = TREATMENT.body.replace(b">samtaleforloeb<", b">sam-2<", 1)
    plain, found = parsed(TREATMENT, TREATMENT.body, None), parsed(TREATMENT, body, own)
    assert found.resources == plain.resources
    (more,) = set(found.losses) - set(plain.losses)
    assert (more.kind, more.reason) == ("coarsened", "alone or in a group")
    assert more.path == "/TreatmentPlan/TreatmentEfforts/TreatmentEffort[1]/EffortTypeCode"


def test_a_rule_of_the_format_meets_the_shared_code(own: LocalCodes) -> None:
    """Medical treatment is not marked for coordination, by whatever name."""
    body = TREATMENT.body.replace(b">medicinsk-behandling<", b">pille<")
    assert body != TREATMENT.body
    update = parsed(TREATMENT, body, own)
    assert update == parsed(TREATMENT, TREATMENT.body, None)
    medical = [
        a for a in update.resources[0]["activity"]
        if a["detail"]["code"].get("coding", [{}])[0].get("code") == "medicinsk-behandling"
    ]  # fmt: skip
    marks = [e["valueBoolean"] for a in medical for e in a["extension"]
             if e["url"] == names.COORDINATION]  # fmt: skip
    assert marks == [False]


def test_a_code_that_is_in_neither_table_is_refused(own: LocalCodes) -> None:
    body = TREATMENT.body.replace(b">samtaleforloeb<", b">sam-3<", 1)
    with pytest.raises(InputRefused) as caught:
        parsed(TREATMENT, body, own)
    assert "sam-3" not in str(caught.value.issues)


def test_a_reissue_keeps_the_owners_codes_and_writes_others_in_them(own: LocalCodes) -> None:
    body, sender = localised(TREATMENT.body), sender_of(TREATMENT)
    view: PlanView = replace(
        view_of(PLAN_1), own=SourceDocument("behandlingsplan", body, "application/xml")
    )
    adapter = REGISTRY.adapter("behandlingsplan")
    made = adapter.render(view, sender, context(sender, local=own))
    shared = adapter.render(
        replace(view, own=SourceDocument("behandlingsplan", TREATMENT.body, "application/xml")),
        sender, context(sender),
    )  # fmt: skip
    assert made.body != shared.body
    back = made.body.replace(b">sam-1<", b">samtaleforloeb<").replace(b">PSY<", b">psykiatri<")
    assert back == shared.body
    others = etree.fromstring(made.body).find("{*}OtherPlans")
    assert others is not None
    codes = {e.text for e in others.iter("{*}SectionCode")}
    assert "PSY" in codes
    assert "psykiatri" not in codes


def test_an_owners_local_service_becomes_its_ffb_code(tmp_path: Path) -> None:
    bundle = json.loads(ORDER.body)
    codings = [
        c
        for entry in bundle["entry"]
        for activity in entry["resource"].get("activity", ())
        for c in activity["detail"].get("code", {}).get("coding", ())
        if c.get("system") == FFB
    ]
    assert codings
    ffb = codings[0]["code"]
    row = f"{OWN},85-A,Bostøtte i dagtimer,{FFB},{ffb},,wider,by day"
    folder = written(tmp_path, "social-havneby", "vum", {"ffb": (row,)})
    own = overrides(folder, REGISTRY)("social-havneby", "vum")
    codings[0] |= {"system": OWN, "code": "85-A", "display": "Bostøtte i dagtimer"}
    body = json.dumps(bundle).encode()
    update = parsed(ORDER, body, own)
    assert update.resources == parsed(ORDER, ORDER.body, None).resources
    (more,) = set(update.losses) - set(parsed(ORDER, ORDER.body, None).losses)
    assert (more.kind, more.reason) == ("coarsened", "by day")
    assert OWN in json.dumps(parsed(ORDER, body, None).resources), "carried as it is without"


ROLES = "http://fhir.kl.dk/ffbmessaging/CodeSystem/kl-messaging-ffb-participantRoleCodes"
LISTS = {
    "ffb": FFB,
    "care-social": "http://fhir.kl.dk/term/CodeSystem/CareSocialCodes",
    "participant-role": ROLES,
    "relationship-type": (
        "http://fhir.kl.dk/ffbmessaging/CodeSystem/kl-messaging-ffb-relationshipTypeCodes"
    ),
    "guardianship-form": (
        "http://fhir.kl.dk/ffbmessaging/CodeSystem/kl-messaging-ffb-guardianshipFormCodes"
    ),
    "consent-policy": "http://fhir.kl.dk/ffbmessaging/CodeSystem/kl-messaging-ffb-consentPolicyCodes",
    "municipality": "http://hl7.dk/fhir/core/CodeSystem/dk-core-municipality-codes",
    "contact-role": "http://terminology.hl7.org/CodeSystem/v2-0131",
}
"""Every code system that an order uses, but for the event's."""


def order_in_local_codes(tmp_path: Path) -> tuple[bytes, LocalCodes]:
    """The full order with a code of the municipality's own in place of every listed code."""
    tables: dict[str, dict[str, str]] = {name: {} for name in LISTS}
    names_of = {system: name for name, system in LISTS.items()}

    def localised_tree(tree: object) -> object:
        if isinstance(tree, list):
            return [localised_tree(x) for x in tree]
        if not isinstance(tree, dict):
            return tree
        if tree.get("system") in names_of and "code" in tree:
            system, code = tree["system"], tree["code"]
            row = f"{OWN},own-{code},Egen,{system},{code},,equivalent,"
            tables[names_of[system]][code] = row
            return {"system": OWN, "code": f"own-{code}", "display": "Egen"}
        return {k: localised_tree(v) for k, v in tree.items()}

    body = json.dumps(localised_tree(json.loads(ORDER.body))).encode()
    coordinating = f"{OWN},own-k,Egen,{ROLES},koordinerende-myndighed,,equivalent,"
    tables["participant-role"].setdefault("koordinerende-myndighed", coordinating)
    rows = {name: tuple(codes.values()) for name, codes in tables.items() if codes}
    own = overrides(written(tmp_path, "social-havneby", "vum", rows), REGISTRY)
    found = own("social-havneby", "vum")
    assert found is not None
    return body, found


def test_an_order_may_be_in_local_codes_altogether(tmp_path: Path) -> None:
    body, own = order_in_local_codes(tmp_path)
    assert set(own.tables) >= {"ffb", "care-social", "participant-role", "guardianship-form"}
    said, plain = parsed(ORDER, body, own), parsed(ORDER, ORDER.body, None)
    assert said.resources == plain.resources
    with pytest.raises(InputRefused):
        parsed(ORDER, body, None)
    assert {t for t in LISTS if t not in REGISTRY.adapter("vum").local} == set()  # type: ignore[attr-defined]


def test_an_order_in_local_codes_is_reissued_in_them(tmp_path: Path) -> None:
    body, own = order_in_local_codes(tmp_path)
    sender, adapter = sender_of(ORDER), REGISTRY.adapter("vum")
    document = SourceDocument("vum", body, "application/fhir+json")
    view: PlanView = replace(view_of(PLAN_1), own=document)
    made = json.loads(adapter.render(view, sender, context(sender, local=own)).body)
    written_before = {e["fullUrl"]: e["resource"] for e in json.loads(body)["entry"][1:]}
    again = {e["fullUrl"]: e["resource"] for e in made["entry"]}
    goals = [u for u, r in written_before.items() if r["resourceType"] == "Goal"]
    assert goals
    assert [again[u]["category"] for u in goals] == [written_before[u]["category"] for u in goals]
    added = [r for u, r in again.items() if u not in written_before]
    roles = [c for r in added for p in r.get("participant", ()) for x in p.get("role", ())
             for c in x["coding"]]  # fmt: skip
    assert roles
    assert {c["system"] for c in roles} == {OWN}
    back = parsed(ORDER, json.dumps(made).encode(), own)
    assert back.resources == parsed(ORDER, ORDER.body, None).resources


def test_what_others_do_is_told_in_the_receivers_codes(tmp_path: Path) -> None:
    rows = {"role": (",TOV,Tovholder,,lead,Lead,equivalent,",)}
    own = overrides(written(tmp_path, "psyk-nordstrand", "behandlingsplan", rows), REGISTRY)
    sender = sender_of(TREATMENT)
    document = SourceDocument("behandlingsplan", TREATMENT.body, "application/xml")
    made = REGISTRY.adapter("behandlingsplan").render(
        replace(view_of(PLAN_1), own=document), sender,
        context(sender, local=own("psyk-nordstrand", "behandlingsplan")),
    )  # fmt: skip
    codes = {e.text for e in etree.fromstring(made.body).iter("{*}RoleCode")}
    assert "TOV" in codes
    assert "tovholder" not in codes


MISTAKES = {
    "no such target": ("behandlingsplan", "effort-type",
                       f",x,X,{SYSTEM},samtaler,S,equal,", "samtaler is no target in"),
    "twice": ("behandlingsplan", "effort-type",
              f"{EFFORTS[0]}\n{EFFORTS[0]}", "sam-1 stands on line 2 already"),
    "nothing new": ("behandlingsplan", "effort-type",
                    f",samtaleforloeb,S,{SYSTEM},samtaleforloeb,S,equal,", "says so already"),
    "no such table": ("behandlingsplan", "efforts", EFFORTS[0], "takes no codes of a party's own"),
    "no such format": ("behandling", "effort-type", EFFORTS[0], "is no format with tables"),
    "no such equivalence": ("behandlingsplan", "effort-type",
                            EFFORTS[0].replace("equivalent", "same"), "equivalence is one of"),
    "no FFB code": ("vum", "ffb", f"{OWN},1,E,{FFB},not-a-code,,equal,", "is no target in"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_with_file_and_line(tmp_path: Path, mistake: str) -> None:
    format, table, rows, text = MISTAKES[mistake]
    written(tmp_path, "someone", format, {table: (rows,)})
    (found,) = override_findings(tmp_path, mapped_by(REGISTRY))
    assert text in found.text
    assert found.file == tmp_path / "someone" / format / "codes" / f"{table}.csv"
    at_table = mistake in {"no such table", "no such format"}
    assert found.line == (1 if at_table else 3 if mistake == "twice" else 2)
    with pytest.raises(Misconfigured):
        overrides(tmp_path, REGISTRY)


def test_a_table_of_rows_is_no_override(tmp_path: Path) -> None:
    """What is not shared cannot be made shared: a party has no rows of its own."""
    folder = tmp_path / "someone" / "behandlingsplan"
    folder.mkdir(parents=True)
    table = (mappings_folder("behandlingsplan") / "plan.yaml").read_text("utf-8")
    (folder / "plan.yaml").write_text(table.replace("not_shared", "elsewhere"), "utf-8")
    (found,) = override_findings(tmp_path, mapped_by(REGISTRY))
    assert "an override is PARTY/FORMAT/codes/TABLE.csv" in found.text
    assert Overrides(tmp_path)("someone", "behandlingsplan") is None


def test_codes_are_one_partys_in_one_format(own: LocalCodes, tmp_path: Path) -> None:
    found = Overrides(tmp_path)
    assert found("psyk-nordstrand", "behandlingsplan") is not None
    assert found("psyk-nordstrand", "vum") is None
    assert found("social-havneby", "behandlingsplan") is None
    assert found.parties == {"psyk-nordstrand"}


# What a party keeps to itself


def keeping(folder: Path, party: str, format: str, *rows: str) -> Path:
    own = folder / party / format
    own.mkdir(parents=True)
    text = "not_shared:\n" + "".join(f"  - {{{row}}}\n" for row in rows)
    (own / "not-shared.yaml").write_text(text, "utf-8")
    return folder


RESPONSIBLE = "table: effort.yaml, from: ResponsibleName, reason: staff stay with us"


def test_a_party_keeps_more_of_its_own_documents_to_itself(tmp_path: Path) -> None:
    folder = keeping(tmp_path, "psyk-nordstrand", "behandlingsplan", RESPONSIBLE)
    own = overrides(folder, REGISTRY)("psyk-nordstrand", "behandlingsplan")
    plain, kept = parsed(TREATMENT, TREATMENT.body, None), parsed(TREATMENT, TREATMENT.body, own)
    before = [a["detail"] for a in plain.resources[0]["activity"] if "performer" in a["detail"]]
    assert any(d["performer"][0].get("display") for d in before)
    shown = [p for a in kept.resources[0]["activity"] for p in a["detail"].get("performer", ())]
    assert not any("display" in p for p in shown)
    more = set(kept.not_shared) - set(plain.not_shared)
    assert {x.reason for x in more} == {"staff stay with us"}
    assert all(x.path.endswith("/ResponsibleName") for x in more)
    assert kept.losses == plain.losses
    made = REGISTRY.adapter("behandlingsplan").render(
        replace(view_of(PLAN_1), own=SourceDocument("behandlingsplan", TREATMENT.body, "text/xml")),
        sender_of(TREATMENT), context(sender_of(TREATMENT), local=own),
    )  # fmt: skip
    assert b"<ResponsibleName>" in made.body, "it is the owner's own document, as it wrote it"


def test_in_an_order_too(tmp_path: Path) -> None:
    plain = parsed(ORDER, ORDER.body, None)
    row = "table: intervention.yaml, from: activity/detail/description, reason: words stay here"
    own = overrides(keeping(tmp_path, "social-havneby", "vum", row), REGISTRY)
    kept = parsed(ORDER, ORDER.body, own("social-havneby", "vum"))
    assert {x.reason for x in set(kept.not_shared) - set(plain.not_shared)} == {"words stay here"}
    assert kept.resources != plain.resources


KEPT_MISTAKES = {
    "no such table": ("table: x.yaml, from: A, reason: r", "is no table; there are"),
    "not shared anyway": ("table: effort.yaml, from: Nothing, reason: r", "shared by no row"),
    "needed": ("table: plan.yaml, from: MessageHeader/CaseIdentifier, reason: r", "is needed"),
    "a mark": ("table: effort.yaml, from: CoordinationIndicator, reason: r", "decides who sees"),
    "a label": ("table: effort.yaml, from: SectionCode, reason: r", "decides who sees"),
    "no reason": ("table: effort.yaml, from: ResponsibleName, reason: ''", "`reason` is empty"),
    "another key": ("table: effort.yaml, from: A, reason: r, to: B", "and nothing else"),
}


@pytest.mark.parametrize("mistake", KEPT_MISTAKES)
def test_what_cannot_be_kept_is_told(tmp_path: Path, mistake: str) -> None:
    row, text = KEPT_MISTAKES[mistake]
    keeping(tmp_path, "someone", "behandlingsplan", row)
    (found,) = override_findings(tmp_path, mapped_by(REGISTRY))
    assert text in found.text
    assert (found.file.name, found.line) == ("not-shared.yaml", 2)
    with pytest.raises(Misconfigured):
        overrides(tmp_path, REGISTRY)


def test_of_the_shared_plan_nothing_is_kept_so(tmp_path: Path) -> None:
    """What a document of the shared plan leaves out, it deletes."""
    keeping(tmp_path, "rus-havneby", "ki-plan-xml", "table: goal.yaml, from: A, reason: r")
    (found,) = override_findings(tmp_path, mapped_by(REGISTRY))
    assert "no one party's own" in found.text

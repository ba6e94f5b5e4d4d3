"""The FFB tree and its value sets."""

from __future__ import annotations

import csv

import pytest

from adapters.vum import codes
from adapters.vum.urls import CARE_SOCIAL, MUNICIPALITY
from hub.errors import UnknownCode
from hub.mapping import mappings_folder

FOLDER = mappings_folder("vum") / "codes"


def _ffb() -> list[dict[str, str]]:
    with (FOLDER / "ffb.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_tree_is_the_whole_code_system() -> None:
    rows = _ffb()
    known = {row["code"] for row in rows}

    assert len(rows) == len(known) == 220
    assert all(row["parent"] in known for row in rows if row["parent"])
    roots = {row["display"] for row in rows if not row["parent"]}
    assert {"Social indsats", "FFB tilstande", "Funktionsevneniveau", "Måltype"} <= roots


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("KLTargetGroupsFFB", 45),
        ("KLServiceCodesFFB", 8),
        ("KLSeveritiesFFB", 6),
        ("KLChangeValueCodesFFB", 3),
        ("KLThemesFFB", 13),
        ("KLNeedsAssessmentCodesFFB", 6),
        ("KLFollowUpCodesFFB", 3),
    ],
)
def test_value_sets_have_the_published_number_of_codes(name: str, size: int) -> None:
    assert len(codes.value_set(name)) == size


@pytest.mark.parametrize(
    ("name", "code", "member"),
    [
        ("KLTargetGroupsFFB", "0e25a2ec-4f04-4d14-a5ad-a6519a7d1d5f", True),
        ("KLTargetGroupsFFB", "e2ecc751-21b9-4aab-a20f-2f3dd9701c97", False),
        ("KLInterventionsFFB", "e7c8b42e-b882-4629-8e03-65e44b1aa3e3", True),
        ("KLInterventionsFFB", "329782cf-a740-4eb7-aa7e-aaaa9a53c99e", False),
        ("KLInterventionsFFB", "794ebc42-0639-46eb-aca2-40e996568578", False),
        ("KLInterventionsFFB", "b6e1f331-fccf-4a33-8bb6-566546edc405", True),
        ("KLConditionCodesFFB", "c8f4475a-8de3-4920-ad0c-eea78c49a68d", True),
        ("KLConditionCodesFFB", "4fb78b88-d3af-4cfb-84d7-f06daf423317", False),
        ("KLConditionCodesFFB", "3856b434-f72e-42a5-b9d1-0cc93f48434b", False),
        ("KLConditionCodesFFB", "22eef871-6650-426f-8b79-8d40a6c62808", True),
    ],
)
def test_group_heads_are_not_members(name: str, code: str, member: bool) -> None:
    assert (code in codes.value_set(name)) is member


def test_a_value_set_nobody_defined_is_an_error() -> None:
    with pytest.raises(KeyError):
        codes.value_set("KLNothing")


def test_every_activity_status_has_a_plan_status() -> None:
    statuses = (
        "not-started scheduled in-progress on-hold completed cancelled stopped unknown "
        "entered-in-error"
    )
    table = codes.table("intervention-status")
    for status in statuses.split():
        system = "http://hl7.org/fhir/care-plan-activity-status"
        assert table.backward(status, system=system, at="x").source_code
    with pytest.raises(UnknownCode):
        table.backward("proposed", system=system, at="x")


def test_a_marker_coding_without_a_code_is_left_out_and_displays_are_the_tables() -> None:
    concept = {
        "coding": [
            {"system": codes.TEXT_SYSTEM},
            {"system": codes.FFB, "code": "0e25a2ec-4f04-4d14-a5ad-a6519a7d1d5f", "display": "S "},
        ],
        "text": "Som skrevet",
    }

    made, losses = codes.carried(concept, "x")

    assert [c["display"] for c in made["coding"]] == ["Stofmisbrug"]
    assert made["text"] == "Som skrevet"
    assert losses == []


@pytest.mark.parametrize(("system", "size"), [(CARE_SOCIAL, 91), (MUNICIPALITY, 99)])
def test_a_code_system_is_whole_or_not_called_so(system: str, size: int) -> None:
    rows = [code for s, code in codes.displays() if s == system]
    assert len(rows) == len(set(rows)) == size


@pytest.mark.parametrize("system", sorted(codes.COMPLETE))
def test_a_code_that_its_system_lacks_is_named_wherever_it_stands(system: str) -> None:
    known = next(code for s, code in codes.displays() if s == system)
    tree = {"a": [{"system": system, "code": known}, {"b": {"system": system, "code": "zzz"}}]}

    assert [i.expression for i in codes.unknown(tree, "x")] == ["x.a[1].b.code"]


def test_a_code_of_a_system_that_is_not_here_is_not_judged() -> None:
    tree = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "zzz"}

    assert list(codes.unknown(tree, "x")) == []

"""Tables: both ways, every leaf accounted for, unknown codes refused, bad tables named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract import Loss
from hub.errors import Invalid, Misconfigured, UnknownCode
from hub.mapping import CodeTable, Table, load_table
from hub.mapping.paths import leaves
from hub.mapping.values import typed

COLUMNS = (
    "source_system,source_code,source_display,"
    "target_system,target_code,target_display,equivalence,comment\n"
)
TABLE = """
resource: Goal
names: {section: https://example.org/section, kind: https://example.org/kind}
fixed:
  - {to: Goal/lifecycleStatus, value: active}
  - {to: Goal/meta/profile, value: ["@kind"]}
rows:
  - {from: Tekst, to: Goal/description/text, cardinality: 1..1}
  - {from: Navn/Fornavn, to: 'Goal/note[0]/text'}
  - {from: 'Afsnit[*]', to: 'Goal/extension[+url=@section]/valueCode', cardinality: 0..*, codes: c}
  - {from: Art, to: 'Goal/category[0]/coding[0]', codes: k, coding: true}
  - {from: Antal, to: Goal/count, type: integer}
  - {from: Delt, to: Goal/shared, type: boolean}
  - from: Nummer
    to: Goal/identifier[system=@kind]/value
    with: {"Goal/identifier[system=@kind]/use": official}
  - {from: Kun/Ud, to: Goal/out, direction: out, note: only the other way}
  - {from: Ind, to: Goal/in, direction: in, note: only this way}
not_shared:
  - {from: Medicin, reason: never}
elsewhere:
  - {from: Id, reason: the key}
"""


def write(folder: Path, text: str = TABLE) -> Path:
    (folder / "codes").mkdir(exist_ok=True)
    (folder / "codes" / "c.csv").write_text(
        COLUMNS + ",psyk,Psykiatri,,psychiatry,P,equivalent,\n"
        ",rus,Rusmidler,,substance,S,wider,only coarse\n",
        encoding="utf-8",
    )
    (folder / "codes" / "k.csv").write_text(
        COLUMNS + ",a,A,https://example.org/sys,aa,Det A,equal,\n", encoding="utf-8"
    )
    file = folder / "goal.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return load_table(write(tmp_path))


FULL: dict[str, Any] = {
    "Tekst": "Ro",
    "Navn": {"Fornavn": "Bo"},
    "Afsnit": ["psyk", "psyk"],
    "Art": "a",
    "Antal": "3",
    "Delt": "false",
    "Nummer": "7",
}


def test_forward(table: Table) -> None:
    made, losses, not_shared = table.forward(FULL)
    assert (losses, not_shared) == ([], [])
    assert made == {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "meta": {"profile": ["https://example.org/kind"]},
        "description": {"text": "Ro"},
        "note": [{"text": "Bo"}],
        "extension": [
            {"url": "https://example.org/section", "valueCode": "psychiatry"},
            {"url": "https://example.org/section", "valueCode": "psychiatry"},
        ],
        "category": [
            {"coding": [{"system": "https://example.org/sys", "code": "aa", "display": "Det A"}]}
        ],
        "count": 3,
        "shared": False,
        "identifier": [
            {"system": "https://example.org/kind", "value": "7", "use": "official"},
        ],
    }


def test_and_back(table: Table) -> None:
    made, _, _ = table.forward(FULL)
    assert table.backward(made) == (FULL, [])


def test_a_code_table_may_stand_in_the_folder_beside(tmp_path: Path) -> None:
    own, beside = tmp_path / "own", tmp_path / "beside"
    own.mkdir()
    beside.mkdir()
    write(beside)
    file = write(own, TABLE.replace("codes: c}", "codes: beside/c}"))
    (own / "codes" / "c.csv").unlink()
    assert load_table(file).forward(FULL)[0]["extension"][0]["valueCode"] == "psychiatry"


def test_what_is_made_can_be_changed_without_changing_the_table(table: Table) -> None:
    made, _, _ = table.forward(FULL)
    made["meta"]["profile"].append("another")
    assert table.forward(FULL)[0]["meta"] == {"profile": ["https://example.org/kind"]}


def test_an_element_has_no_resource_type(tmp_path: Path) -> None:
    text = "resource: CarePlan/activity\nrows:\n  - {from: A, to: CarePlan/activity/detail/b}\n"
    made, _, _ = load_table(write(tmp_path, text)).forward({"A": "x"})
    assert made == {"detail": {"b": "x"}}


def test_the_rest_of_a_list_is_a_loss_and_not_passed_over(table: Table) -> None:
    _, losses, _ = table.forward({"Tekst": ["a", "b"]}, at="/Doc", first=1)
    assert losses == [Loss("/Doc/Tekst[2]", "dropped", "no place in the shared plan")]


def test_a_branch_where_a_leaf_is_meant_is_a_loss(table: Table) -> None:
    _, losses, _ = table.forward({"Tekst": "a", "Nummer": {"Del": "x"}})
    assert [loss.path for loss in losses] == ["Nummer/Del"]


def test_unmapped_not_shared_and_elsewhere(table: Table) -> None:
    record = {
        "Tekst": "a",
        "Id": "1",
        "Idé": "x",
        "Kun": {"Ud": "u"},
        "Medicin": [{"Navn": "m"}, {"Navn": "n"}],
    }
    _, losses, not_shared = table.forward(record)
    assert [loss.path for loss in losses] == ["Idé", "Kun/Ud"]
    assert not_shared == [
        Loss("Medicin[0]/Navn", "dropped", "never"),
        Loss("Medicin[1]/Navn", "dropped", "never"),
    ]


def test_directions(table: Table) -> None:
    made, _, _ = table.forward({"Tekst": "a", "Ind": "i", "Kun": {"Ud": "u"}})
    assert made["in"] == "i"
    assert "out" not in made
    back, _ = table.backward({"in": "i", "out": "u"})
    assert back == {"Kun": {"Ud": "u"}}


@pytest.mark.parametrize("record", [{}, {"Tekst": ""}, {"Tekst": None}])
def test_required(table: Table, record: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        table.forward(record, at="/Doc")
    assert caught.value.issues[0].expression == "/Doc/Tekst"


def test_unknown_codes_both_ways(table: Table) -> None:
    with pytest.raises(UnknownCode) as caught:
        table.forward({"Tekst": "a", "Afsnit": ["psyk", "hemmelig"]}, at="/Doc", first=1)
    assert caught.value.issues[0].expression == "/Doc/Afsnit[2]"
    assert "hemmelig" not in str(caught.value)
    with pytest.raises(UnknownCode):
        table.backward({"category": [{"coding": [{"code": "hemmelig"}]}]})


def test_a_coarser_code_is_told_both_ways(table: Table) -> None:
    made, losses, _ = table.forward({"Tekst": "a", "Afsnit": ["rus"]})
    assert losses == [Loss("Afsnit[0]", "coarsened", "only coarse")]
    back, lost = table.backward(made)
    assert back["Afsnit"] == ["rus"]
    assert [loss.kind for loss in lost] == ["defaulted"]


@pytest.mark.parametrize(
    ("kind", "value", "made"),
    [
        ("integer", "-12", -12),
        ("boolean", "1", True),
        ("boolean", True, True),
        ("date", "2026", "2026"),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "2026-02-28T10:00:00.5+14:00", "2026-02-28T10:00:00.5+14:00"),
        ("text", " x ", " x "),
    ],
)
def test_types(kind: str, value: Any, made: Any) -> None:
    assert typed(value, kind, "/a") == made


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "1.0"),
        ("integer", "--1"),
        ("integer", "٣"),
        ("boolean", "ja"),
        ("date", "2026-02-30"),
        ("date", "2026-13"),
        ("date", "i morgen"),
        ("date", "2026-02-28T25:00:00Z"),
    ],
)
def test_wrong_types_are_refused_without_the_value(kind: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        typed(value, kind, "/a")
    assert value not in str(caught.value)
    assert caught.value.issues[0].expression == "/a"


_RECORDS = st.dictionaries(
    st.sampled_from(["Tekst", "Nummer", "Id", "Medicin", "Andet", "Navn"]),
    st.text(max_size=3)
    | st.lists(st.text(max_size=3), max_size=3)
    | st.dictionaries(st.sampled_from(["Fornavn", "Navn"]), st.text(max_size=3)),
)


@given(record=_RECORDS)
def test_every_leaf_is_told_once(record: dict[str, Any], tmp_path_factory: Any) -> None:
    table = _prepared(tmp_path_factory)
    marked = {"Tekst": "påkrævet"} | record
    numbered = _numbered(marked)
    try:
        made, losses, not_shared = table.forward(numbered)
    except Invalid:
        assert not [v for p, v in leaves(numbered) if p in {"Tekst", "Tekst[0]"}]
        return
    mapped = {value for _, value in leaves(made)}
    reported = [loss.path for loss in (*losses, *not_shared)]
    for path, value in leaves(numbered):
        told = (value in mapped) + (path in reported) + path.startswith("Id")
        assert told == 1, path


def _numbered(tree: Any, path: str = "") -> Any:
    """The same tree with a value of its own at each leaf."""
    if isinstance(tree, dict):
        return {name: _numbered(value, f"{path}/{name}") for name, value in tree.items()}
    if isinstance(tree, list):
        return [_numbered(value, f"{path}[{i}]") for i, value in enumerate(tree)]
    return f"value at {path}"


def _prepared(factory: Any) -> Table:
    folder = factory.getbasetemp() / "one-table"
    folder.mkdir(exist_ok=True)
    file = folder / "goal.yaml"
    return load_table(file if file.exists() else write(folder))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("to: Goal/count", "to: Patient/count"), "line 12"),
        (("type: integer", "type: number"), "type is one of"),
        (("direction: out, note: only the other way", "direction: out"), "note"),
        (("direction: in", "direction: inward"), "direction is"),
        (("codes: c}", "codes: missing}"), "codes/missing.csv"),
        (("url=@section", "url=@unknown"), "line 10"),
        (('value: ["@kind"]', 'value: ["@unknown"]'), "line 6"),
        (("cardinality: 0..*,", "cardinality: 0..1,"), "[*]"),
        (("cardinality: 1..1", "cardinality: many"), "cardinality is"),
        (("to: Goal/count, ", ""), "to is missing"),
        (("reason: never", "why: never"), "unknown key why"),
        (("resource: Goal", "ressource: Goal"), "`resource` is missing"),
        (("]/valueCode'", "]'"), "leaf"),
        (("codes: k, coding", "coding"), "`coding` needs `codes`"),
        (("rows:", "rows: ["), "not YAML"),
    ],
)
def test_a_bad_table_is_named(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    text = TABLE.replace(*change)
    assert text != TABLE
    with pytest.raises(Misconfigured) as caught:
        load_table(write(tmp_path, text))
    assert told in str(caught.value)
    assert "goal.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n", "the columns are"),
        (COLUMNS + ",a,A,,b,B,same,\n", "line 2"),
        (COLUMNS + ",a,A,,b,B,equal\n", "line 2"),
        (COLUMNS + ",a,A,,b,B,equal,,,\n", "line 2"),
    ],
)
def test_a_bad_code_table_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "c.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        CodeTable.load(file)
    assert told in str(caught.value)

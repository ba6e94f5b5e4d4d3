"""Every URL and code the hub and its adapters use is published, with a Danish display."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from adapters.fhir import terms
from adapters.pdf import words
from hub.console.consent_form import PURPOSES
from hub.errors import Move
from hub.fhir import kinds, names
from hub.model.approval import Answer, Approval
from hub.runtime.profile_docs import designation
from hub.runtime.published import ROOT, published

FOUND = published()
STRUCTURES = {s["url"] for s in FOUND.of_type("StructureDefinition")}
SYSTEMS = {s["url"]: s for s in FOUND.of_type("CodeSystem")}
NAMING = {u["value"] for n in FOUND.of_type("NamingSystem") for u in n["uniqueId"]}
PUBLISHED = STRUCTURES | set(SYSTEMS) | NAMING
CODE = [p for folder in ("hub", "adapters") for p in sorted((ROOT / folder).rglob("*.py"))]
TABLES = sorted((ROOT / "mappings").rglob("*.yaml"))
CSVS = sorted((ROOT / "mappings").rglob("*.csv"))


def concepts(name: str) -> dict[str, dict[str, object]]:
    return {c["code"]: c for c in SYSTEMS[names.system(name)]["concept"]}


def test_every_url_of_the_canonical_model_is_published() -> None:
    urls = {v for k, v in vars(names).items() if k.isupper() and isinstance(v, str)}
    own = {u for u in urls if u.startswith(names.BASE + "/")}
    assert len(own) > 30
    assert own - PUBLISHED == set()
    assert {profile for _, _, profile in kinds.HELD_TO} - STRUCTURES == set()


def used(path: Path) -> set[str]:
    """URLs of ours in one file: written out, or made by the functions of names.py."""
    text = path.read_text("utf-8")
    pattern = rf"{re.escape(names.BASE)}/(?:StructureDefinition|CodeSystem|NamingSystem)/[\w-]+"
    found = set(re.findall(pattern, text))
    found |= {names.extension(n) for n in re.findall(r'\bnames\.extension\("([\w-]+)"\)', text)}
    found |= {names.system(n) for n in re.findall(r'\bnames\.system\("([\w-]+)"\)', text)}
    found |= {
        f"{names.BASE}/NamingSystem/{n}" for n in re.findall(r"BASE}/NamingSystem/([\w-]+)", text)
    }
    return found


def test_every_url_that_is_used_anywhere_is_published() -> None:
    everywhere = {url: path for path in (*CODE, *TABLES, *CSVS) for url in used(path)}
    assert len(everywhere) > 15
    assert {u: str(p) for u, p in everywhere.items() if u not in PUBLISHED} == {}


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("sector-kind", terms.SECTOR_KINDS),
        ("role", terms.ROLES),
        ("section", names.SECTIONS),
        ("consent-purpose", {*PURPOSES, "approval"}),
        ("category", {"ki-plan", "ki-udfordring"}),
        ("observation", {"status-note"}),
        ("event", {terms.PLAN_UPDATE.partition("|")[2]}),
        ("anchoring", words.ANCHORINGS),
        ("mode", get_args(get_type_hints(Approval)["mode"])),
        ("decision", get_args(Answer)),
        ("move", get_args(Move)),
    ],
)
def test_the_code_system_has_exactly_the_codes_that_are_accepted(
    name: str, accepted: object
) -> None:
    assert set(concepts(name)) == set(accepted)  # type: ignore[call-overload]


def test_every_code_of_ours_in_a_mapping_is_published_under_that_display() -> None:
    seen = 0
    for path in CSVS:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                url = row.get("target_system") or ""
                if not url.startswith(names.BASE):
                    continue
                seen += 1
                concept = {c["code"]: c for c in SYSTEMS[url]["concept"]}[row["target_code"]]
                known = {concept["display"], designation(concept, "da"), designation(concept, "en")}
                assert row["target_display"] in known, (path.name, row["target_code"])
    assert seen >= 13


def test_the_printed_words_are_the_published_ones() -> None:
    for name, printed in (("section", words.SECTIONS), ("role", words.ROLES)):
        shown = {code: str(c["display"]).lower() for code, c in concepts(name).items()}
        assert shown == dict(printed)


def test_every_code_has_a_danish_display_and_an_english_designation() -> None:
    for system in SYSTEMS.values():
        assert system["language"] == "da"
        assert system["content"] == "complete"
        for concept in system["concept"]:
            assert concept["display"] == designation(concept, "da")
            assert designation(concept, "en")


def test_every_bound_value_set_and_every_profiled_type_is_published() -> None:
    value_sets = {v["url"]: v for v in FOUND.of_type("ValueSet")}
    for value_set in value_sets.values():
        assert all(i["system"] in SYSTEMS for i in value_set["compose"]["include"])
    for structure in FOUND.of_type("StructureDefinition"):
        for element in structure["differential"]["element"]:
            bound = element.get("binding", {}).get("valueSet", "").partition("|")[0]
            r4 = bound.startswith("http://hl7.org/fhir/ValueSet/")
            assert not bound or r4 or bound in value_sets, element["id"]
            for kind in element.get("type", ()):
                for url in (*kind.get("profile", ()), *kind.get("targetProfile", ())):
                    assert url in STRUCTURES or url.startswith("http://hl7.org/fhir/"), url

"""Whatever the hub tells a caller, it can tell in Danish."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.cpd import losses as cpd_losses
from adapters.ki_plan_xml import losses as ki_plan_losses
from adapters.pdf import losses as pdf_losses
from adapters.vum import account as vum_account
from adapters.xml_plan import carried as xml_losses
from hub import errors
from hub.fhir.language import LANGUAGES, _said, preferred, said
from hub.mapping import CodeTable, mappings_folder
from hub.mapping.codes import is_code_table
from hub.mapping.loading import TableFile
from tests.unit.language.told import ERRORS, sentences
from tests.views import ROOT

TOLD = ("hub/api", "hub/fhir", "hub/model", "hub/services", "adapters")
OPERATORS = (
    # Settings, the parties file, profiles that cannot be applied.
    "hub/services/admin.py", "hub/fhir/validation/",
    # Why a document could not be made, read beside the delivery.
    "hub/services/outgoing.py", "adapters/medcom/build.py", "adapters/medcom/parts.py",
    "adapters/medcom/assemble.py", "adapters/medcom/options.py",
    "adapters/medcom/narrative.py", "adapters/vum/render.py", "adapters/medcom/adapter.py",
    "adapters/behandlingsplan/render.py", "adapters/pdf/", "adapters/transports/",
)  # fmt: skip
"""Modules whose errors are told to whoever runs the hub; the validator has its own Danish."""
HOLES = re.compile(r"\{\w+\}")


def _modules() -> list[Path]:
    found = [p for folder in TOLD for p in sorted((ROOT / folder).rglob("*.py"))]
    return [p for p in found if not str(p.relative_to(ROOT)).startswith(OPERATORS)]


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_everything_told_has_danish(path: Path) -> None:
    assert [(n, t) for n, t in sentences(path) if not _composed(t) and said("da", t) is None] == []


def _composed(text: str) -> bool:
    """Made of texts that are looked up one by one, or of nothing but values."""
    return re.fullmatch(r"7[ :(]*7?.*7?\)?", text) is not None and "7 search" not in text


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_error_has_danish_for_its_own_sentence(name: str) -> None:
    text = getattr(errors, name)().text
    assert said("da", text) is not None


def test_holes_are_the_same_in_the_same_order() -> None:
    assert {
        english: danish
        for english, danish in _said().items()
        if HOLES.findall(english) != HOLES.findall(danish)
    } == {}


def test_a_list_of_codes_stays_as_it_is() -> None:
    assert said("da", "Not a role; one of: chair, lead") == "Ikke en rolle; en af: chair, lead"


def test_what_became_of_it_and_why_are_said_one_by_one() -> None:
    told = said("da", "The endpoint answered 503 (every attempt is spent)")
    assert told == "Modtagerens adresse svarede 503 (alle forsøg er brugt)"
    for other in ("The endpoint answered 503 (unheard of)", "unheard of (every attempt is spent)"):
        assert said("da", other) is None


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("", "en"), ("da", "da"), ("da-DK, en;q=0.8", "da"), ("de, en;q=0.2, da;q=0.1", "en"),
     ("*", "en"), ("da;q=0", "en"), (";;q=x,,", "en")],
)  # fmt: skip
def test_the_language_is_the_callers(header: str, wanted: str) -> None:
    assert preferred(header, "en") == wanted
    assert preferred(header, "en") in LANGUAGES


def _reasons() -> set[str]:
    """Why something is lost, as the tables and the lists of the formats' losses say it."""
    tables = mappings_folder("")
    found = {d.reason for file in tables.glob("*/*.yaml") for d in TableFile.read(file).not_shared}
    for file in filter(is_code_table, tables.glob("*/codes/*.csv")):
        found |= {p.comment for p in CodeTable.load(file).pairs if p.comment and not p.lossless}
    for module in (vum_account, pdf_losses, cpd_losses, xml_losses, ki_plan_losses):
        for name, value in vars(module).items():
            told = value.values() if isinstance(value, dict) else (value,)
            if name.startswith("_") and not name.startswith(("__", "_WORDS")):
                found |= {t for t in told if isinstance(t, str) and " " in t}
    return found


def test_every_reason_of_a_loss_has_danish() -> None:
    assert len(_reasons()) > 80
    assert {r for r in _reasons() if said("da", r) is None} == set()

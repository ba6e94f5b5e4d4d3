"""Small questions asked of FHIR elements."""

from __future__ import annotations

from typing import Any

import pytest

from hub.fhir import names
from hub.fhir.extract import is_protected


def _labelled(*codes: str, system: str = names.CONFIDENTIALITY) -> dict[str, Any]:
    return {"meta": {"security": [{"system": system, "code": code} for code in codes]}}


@pytest.mark.parametrize("code", ["R", "V", "HIV", "zzz"])
def test_a_label_that_is_not_known_to_be_open_protects(code: str) -> None:
    assert is_protected(_labelled(code))
    assert is_protected(_labelled("N", code))


@pytest.mark.parametrize("patient", [{}, _labelled("N"), _labelled("U", "L", "M")])
def test_without_one_nothing_is_protected(patient: dict[str, Any]) -> None:
    assert not is_protected(patient)


def test_another_systems_codes_say_nothing_of_it() -> None:
    assert not is_protected(_labelled("R", system="urn:other"))

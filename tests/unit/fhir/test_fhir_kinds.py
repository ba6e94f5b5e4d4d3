"""hub.fhir.kinds: what a resource is held to, and that nothing of it is put right on the way."""

from __future__ import annotations

from typing import Any

import pytest

from hub.fhir import names
from hub.fhir.kinds import declaring, undeclared
from hub.fhir.validation import EmbeddedValidator

UNIT: dict[str, Any] = {
    "resourceType": "Organization",
    "identifier": [{"system": names.SOR, "value": "999000000203"}],
    "name": "Havneby Rusmiddelcenter",
}


def test_a_resource_declares_what_it_is() -> None:
    made = declaring(UNIT)
    assert made["meta"]["profile"] == [names.KI_ORGANIZATION]
    assert "meta" not in UNIT
    assert declaring(made) == made
    assert undeclared(made) == UNIT


@pytest.mark.parametrize("profile", [[], "x", None])
def test_a_broken_declaration_stays_for_the_validator(profile: object) -> None:
    """Filled in, it would be judged as something else than what is kept."""
    broken = UNIT | {"meta": {"profile": profile}}
    assert declaring(broken) == broken
    assert EmbeddedValidator().check([declaring(broken)]) != []

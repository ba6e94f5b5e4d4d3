"""A sector plan that stands alone is no one's but its owner's, whatever its marks say."""

from __future__ import annotations

import pytest

from hub.contract import Resource
from hub.fhir import names
from hub.model.alone import is_alone, stands_alone
from hub.model.reduction import shareable


def plan(*kinds: str) -> Resource:
    mark = {"url": names.COORDINATION, "valueBoolean": True}
    return {
        "resourceType": "CarePlan",
        "id": "s",
        "extension": [mark],
        "category": [names.concept(names.SECTOR_KIND, kind) for kind in kinds],
        "description": "formål",
        "supportingInfo": [{"reference": "Observation/n"}],
        "activity": [{"id": "a", "extension": [mark], "detail": {"description": "tilbud"}}],
    }


def resources(*kinds: str) -> dict[str, Resource]:
    mark = {"url": names.COORDINATION, "valueBoolean": True}
    note = {"resourceType": "Observation", "id": "n", "extension": [mark], "valueString": "x"}
    return {"CarePlan/s": plan(*kinds), "Observation/n": note}


@pytest.mark.parametrize(
    "kinds", [("koordinationsplan",), ("behandlingsplan", "koordinationsplan")]
)
def test_nothing_of_it_is_shared(kinds: tuple[str, ...]) -> None:
    assert stands_alone(plan(*kinds))
    kept, losses = shareable(resources(*kinds), lambda _: False)
    assert kept == {}
    assert [x.path for x in losses] == ["CarePlan/s"]
    assert shareable(resources(*kinds), lambda _: True)[0] == resources(*kinds)


def test_other_kinds_are_shared_as_they_are_marked() -> None:
    assert not stands_alone(plan("behandlingsplan"))
    kept, _ = shareable(resources("behandlingsplan"), lambda _: False)
    assert set(kept) == {"CarePlan/s", "Observation/n"}
    assert not is_alone("behandlingsplan")

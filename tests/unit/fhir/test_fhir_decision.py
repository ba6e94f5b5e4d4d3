"""A citizen's decision sent by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.fhir import ADAPTER
from hub.contract import Decision
from hub.errors import HubError, Invalid, UnknownCode
from hub.fhir import names
from hub.fhir.decided import pointing_at, points_at
from tests.unit.fhir.documents import BASE, context, example, raw, refusal
from tests.views import errors_in


def decision(document: dict[str, Any]) -> Decision:
    found = ADAPTER.parse(raw(document), context())
    assert isinstance(found, Decision)
    return found


@pytest.mark.parametrize(
    ("name", "cpr"),
    [
        ("consent-1", "0201609996"),
        ("consent-2", "1507729995"),
        ("approval-1", "0201609996"),
        ("approval-2", "1507729995"),
    ],
)
def test_examples(name: str, cpr: str) -> None:
    found = decision(example(name))
    assert found.citizen is not None
    assert [i.value for i in found.citizen.identifiers] == [cpr]
    assert errors_in(found.resource) == []
    assert {k: v for k, v in found.resource.items() if k != "id"} == example(name)
    assert decision(example(name)).resource["id"] == found.resource["id"]


def test_another_decision_has_another_id() -> None:
    changed = example("consent-1") | {"dateTime": "2026-10-01T10:00:00+02:00"}
    assert decision(changed).resource["id"] != decision(example("consent-1")).resource["id"]


def test_the_hubs_address_becomes_relative() -> None:
    approval = example("approval-1")
    approval["provision"] = pointing_at(f"{BASE}/CarePlan/p/_history/2")
    made = decision(approval).resource
    assert points_at(made) == "CarePlan/p/_history/2"


def _mode(value: str) -> dict[str, Any]:
    return {"extension": [{"url": names.extension("mode"), "valueCode": value}]}


def _by_cvr(consent: dict[str, Any]) -> None:
    actor = consent["provision"]["provision"][0]["actor"][0]
    actor["reference"]["identifier"] = {"system": names.CVR, "value": "99990015"}


def _label(consent: dict[str, Any]) -> None:
    label = names.coding(names.SECTION_CODE, "sports")
    consent["provision"]["provision"][0]["securityLabel"] = [label]


@pytest.mark.parametrize(
    ("name", "change", "error"),
    [
        ("consent-1", lambda c: c.update(_mode("oral")), Invalid),
        ("consent-1", lambda c: c.update(_mode("shouted")), UnknownCode),
        ("consent-1", lambda c: c["scope"].update(coding=[{"code": "treatment"}]), Invalid),
        ("consent-1", _by_cvr, Invalid),
        ("consent-1", _label, UnknownCode),
        ("consent-1", lambda c: c.update(category=[{"text": "x"}]), Invalid),
        ("consent-1", lambda c: c["patient"]["identifier"].update(value="1"), Invalid),
        ("consent-1", lambda c: c.pop("patient"), Invalid),
        ("approval-1", lambda c: c.pop("provision"), Invalid),
        ("approval-1", lambda c: c.update(provision=pointing_at("CarePlan/1")), Invalid),
        ("approval-1", lambda c: c.update(_mode("written")), Invalid),
        ("approval-1", lambda c: c["meta"].update(profile=[names.KI_CONSENT]), Invalid),
    ],
)
def test_broken(
    name: str, change: Callable[[dict[str, Any]], object], error: type[HubError]
) -> None:
    document = example(name)
    change(document)
    assert type(refusal(document)) is error

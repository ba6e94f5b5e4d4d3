"""What a Subscription asks for, and where its endpoint may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.errors import Invalid
from hub.model.reach import Reach
from hub.model.subscription import CONSENT_CHANGE, PLAN_CHANGE
from hub.model.subscription_wish import read_wish, with_default_content
from tests.api.fhir.subscription_world import subscription

BASE = "https://hub.example/fhir"
HERE = "http://127.0.0.1:9000/told"


def resource(*filters: str, topic: str = PLAN_CHANGE, **more: Any) -> dict[str, Any]:
    return with_default_content(subscription(HERE, topic, filters=filters, **more))


def test_everything_it_asks_for_is_understood() -> None:
    asked = resource("patient=1,2", heartbeat=60, header=["A: b", "X-Y:  z "])
    found = read_wish(asked | {"end": "2027-01-01T00:00:00Z"}, BASE, Reach())
    assert (found.kind, found.channel, found.content) == ("CarePlan", "rest-hook", "id-only")
    assert found.headers == (("A", "b"), ("X-Y", "z"))
    assert found.heartbeat == 60
    assert found.ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert found.patients == {"1", "2"}
    assert found.ids is None


@pytest.mark.parametrize(
    ("filters", "about", "citizen", "wanted"),
    [
        ((), "CarePlan/a", "1", True),
        (("CarePlan?patient=Patient/1",), "CarePlan/a", "1", True),
        (("CarePlan?patient=Patient/1",), "CarePlan/a", "2", False),
        ((f"CarePlan?subject={BASE}/Patient/1",), "CarePlan/a", "1", True),
        (("CarePlan?patient=1,2&_id=a",), "CarePlan/a", "2", True),
        (("CarePlan?patient=1,2&_id=a",), "CarePlan/b", "2", False),
        (("CarePlan?patient=1", "CarePlan?patient=2"), "CarePlan/a", "1", False),
        (("_id=CarePlan/a",), "CarePlan/a", "1", True),
    ],
)
def test_filters_hold_together_and_values_are_alternatives(
    filters: tuple[str, ...], about: str, citizen: str, wanted: bool
) -> None:
    assert read_wish(resource(*filters), BASE, Reach()).wants(about, citizen) is wanted


@pytest.mark.parametrize(
    "wrong",
    ["", "CarePlan?", "Patient?_id=1", "CarePlan?status=active", "patient=", "patient=Group/1",
     "patient=https://other.example/Patient/1", "patient:exact=1"],
)  # fmt: skip
def test_a_filter_that_would_not_be_honoured_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid):
        read_wish(resource(wrong), BASE, Reach())


def test_consents_are_filtered_as_consents() -> None:
    found = read_wish(resource("Consent?_id=c", topic=CONSENT_CHANGE), BASE, Reach())
    assert found.wants("Consent/c", "1")
    assert not found.wants("Consent/d", "1")


def test_a_level_that_was_asked_for_stays() -> None:
    asked = subscription(HERE, content="empty")
    assert with_default_content(asked) == asked
    assert read_wish(asked, BASE, Reach()).content == "empty"

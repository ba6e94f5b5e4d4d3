"""The citizen gets the citizen's version: a format that has none is not chosen for the citizen."""

from __future__ import annotations

import pytest

from hub.errors import Invalid, Unsupported
from hub.services.admin import apply_parties
from hub.services.route import CITIZEN_FORMAT
from tests.api.world import World


def chosen(world: World) -> str | None:
    with world.hub.store.reading() as work:
        return work.journal.meta(CITIZEN_FORMAT)


@pytest.mark.parametrize("format", ["fhir", "vum", "medcom-carecommunication", "ki-plan-xml"])
def test_a_format_without_a_citizens_version_is_refused(world: World, format: str) -> None:
    before = chosen(world)

    with pytest.raises(Invalid) as refused:
        apply_parties(world.hub, [], [], format, by="test")
    assert [i.expression for i in refused.value.issues] == ["citizen.format"]
    assert chosen(world) == before


def test_an_unknown_format_is_refused(world: World) -> None:
    with pytest.raises(Unsupported):
        apply_parties(world.hub, [], [], "telefax", by="test")


@pytest.mark.parametrize("format", ["pdf", "html"])
def test_a_format_with_one_is_chosen(world: World, format: str) -> None:
    apply_parties(world.hub, [], [], format, by="test")

    assert chosen(world) == format

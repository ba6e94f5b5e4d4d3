"""Nothing is shown without an audit row, nor on a consent that changed while it was looked up."""

from __future__ import annotations

import pytest

from hub.contract import Party
from hub.errors import NotFound, StoreUnavailable
from hub.model.party import Viewer
from hub.services.disclose import disclose
from hub.services.entries import Disclosure
from hub.services.sight import Sight
from hub.store.work import UnitOfWork
from tests.api.fhir.client import audited, changed
from tests.api.world import CONSENT_1, SOCIAL, World

VIEWER = Viewer.of(Party(SOCIAL, "", "", ""))


def shown(sight: Sight, plan: str) -> Disclosure:
    found = sight.plan(plan)
    if found is None:
        raise NotFound
    state, number = found
    return sight.view(state.plan, number)[0].why


def test_a_consent_that_changes_in_between_is_looked_at_again(planned: World, plan: str) -> None:
    looks = []

    def look(sight: Sight, _: UnitOfWork) -> tuple[int, list[Disclosure]]:
        why = shown(sight, plan)
        looks.append(why.epoch)
        if len(looks) == 1:
            again = changed(CONSENT_1, id="samtykke-imens")
            assert planned.consent(again).status_code == 201
        return len(looks), [why]

    before = audited(planned, "look")
    assert disclose(planned.hub, VIEWER, "look", look) == 2
    assert looks[0] < looks[1]
    assert len(audited(planned, "look")) == len(before) + 1


def test_it_is_not_shown_while_it_goes_on_changing(planned: World, plan: str) -> None:
    def look(sight: Sight, _: UnitOfWork) -> tuple[None, list[Disclosure]]:
        why = shown(sight, plan)
        with planned.hub.store.writing() as work:
            work.plans.bump_epoch(plan)
            work.commit()
        return None, [why]

    with pytest.raises(StoreUnavailable):
        disclose(planned.hub, VIEWER, "look", look)
    assert audited(planned, "look") == []


def test_withdrawn_in_between_is_not_shown(planned: World, plan: str) -> None:
    def look(sight: Sight, _: UnitOfWork) -> tuple[None, list[Disclosure]]:
        why = shown(sight, plan)
        with planned.hub.store.writing() as work:
            work.plans.set_access(plan, [])
            work.commit()
        return None, [why]

    with pytest.raises(NotFound):
        disclose(planned.hub, VIEWER, "look", look)
    assert audited(planned, "look") == []

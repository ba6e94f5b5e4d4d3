"""What two do at the same moment on PostgreSQL comes out as if one had come after the other.

Each test fails without the lock, or the order of locks, that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from hub.contract import Identifier
from hub.errors import HubError
from hub.fhir import names
from hub.runtime.bootstrap import close
from hub.services import retention
from hub.store.journal import Journal
from hub.store.retention import Retention
from tests.api.conftest import OnServer
from tests.api.interleaved import Gate, meanwhile
from tests.api.papers import consent_of
from tests.api.test_citizens import link
from tests.api.world import CPR_1, CPR_2, OPERATOR_VIEW, PSYK, RUS, World

ONE, OTHER = Identifier(names.CPR, CPR_1), Identifier(names.CPR, CPR_2)
WHY: Final = "En klagesag"


@pytest.fixture
def world(plan_on_server: OnServer, tmp_path: Path) -> Iterator[World]:
    """In the middle of the scenario; a second citizen is registered, of whom nothing stands."""
    found = plan_on_server.opened(tmp_path / "data")
    found.consent(consent_of("andet-nummer", (PSYK,), cpr=CPR_2))
    found.consent(consent_of("andet-nummer", (PSYK,), cpr=CPR_2, status="inactive"))
    yield found
    close(found.hub)


def citizen_of(world: World, number: Identifier) -> str | None:
    with world.hub.store.reading() as work:
        return work.plans.citizen([number])


def held(world: World) -> list[str]:
    return [h.citizen_id for h in retention.holds(world.hub, OPERATOR_VIEW)]


def linking(world: World) -> int:
    return link(world, RUS, CPR_1, CPR_2)


# Whose a number is


def hold(world: World, number: Identifier = OTHER) -> str:
    retention.hold(world.hub, OPERATOR_VIEW, number, reason=WHY)
    return "held"


def release(world: World) -> str:
    retention.release(world.hub, OPERATOR_VIEW, OTHER, reason=WHY)
    return "released"


def forget(world: World) -> str:
    try:
        retention.forget(world.hub, OPERATOR_VIEW, OTHER, reason=WHY)
    except HubError as e:
        return e.text
    return "forgotten"


@pytest.mark.parametrize(
    ("act", "before", "told", "after"),
    [
        (hold, False, "held", True),
        (release, True, "released", False),
        (forget, False, "A plan of this citizen is open", False),
    ],
)
def test_an_operator_s_act_on_a_number_is_about_whose_it_is_by_then(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[World], str],
    before: bool,
    told: str,
    after: bool,
) -> None:
    """The number has just been made another citizen's, and that is not committed yet."""
    if before:
        hold(world, ONE)
    gate = Gate(monkeypatch, Journal, "audit")
    linked, said, waited = meanwhile(world, gate, lambda: linking(world), lambda: act(world))
    assert (linked, waited) == (204, True)
    assert said.startswith(told)
    assert held(world) == ([citizen_of(world, ONE)] if after else [])


def test_a_number_is_not_moved_from_under_a_hold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, Retention, "hold")
    _, linked, waited = meanwhile(world, gate, lambda: hold(world), lambda: linking(world))
    assert (linked, waited) == (404, True)
    assert held(world) == [citizen_of(world, OTHER)] != [citizen_of(world, ONE)]

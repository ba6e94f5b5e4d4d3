"""The sealer of a running process: within moments, through failures, and once more at its end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hub.errors import StoreUnavailable
from hub.runtime import sealing as runtime
from hub.services import trail
from hub.services.hub import Hub
from hub.services.seal import seal
from tests.api.fhir.client import get
from tests.api.world import SOCIAL, World


def unsealed(world: World) -> int:
    found = trail.check(world.hub)
    assert found.found is None
    return found.unsealed


def until_sealed(world: World) -> None:
    for _ in range(500):
        if unsealed(world) == 0:
            return
        time.sleep(0.02)
    raise AssertionError("not sealed in ten seconds")


def test_a_row_is_sealed_while_the_process_runs(
    planned: World, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [StoreUnavailable(), ValueError()]

    def at_first_not(hub: Hub) -> int:
        if failures:
            raise failures.pop()
        return seal(hub)

    monkeypatch.setattr(runtime, "EVERY", 0.01)
    monkeypatch.setattr(runtime, "seal", at_first_not)
    with runtime.sealing(planned.hub):
        until_sealed(planned)
        get(planned, f"CarePlan/{plan}", SOCIAL)
        until_sealed(planned)
    assert failures == []


def test_what_waits_at_the_end_of_a_process_is_sealed(
    planned: World, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "EVERY", 3600.0)
    with runtime.sealing(planned.hub):
        get(planned, f"CarePlan/{plan}", SOCIAL)
        assert unsealed(planned) > 0
    assert unsealed(planned) == 0


def test_the_newest_hash_is_of_what_was_just_done(planned: World, plan: str) -> None:
    first: dict[str, Any] = trail.head(planned.hub)
    get(planned, f"CarePlan/{plan}", SOCIAL)
    second = trail.head(planned.hub)
    assert second["position"] == first["position"] + 1
    assert trail.check(planned.hub, first["chain_hash"]).found is None

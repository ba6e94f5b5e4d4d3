"""A message that breaks the rules of the profile it declares does not leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from hub.contract import (
    Adapter,
    Context,
    Notice,
    Parsed,
    Party,
    PlanView,
    RawMessage,
    Receipt,
    Rendered,
)
from hub.model.party import SYSTEM
from hub.ports import Adapters
from hub.services.queries import delivery_detail
from tests.api.world import GP, OPERATOR, World
from tests.views import VALIDATOR

Json = dict[str, Any]


@dataclass(frozen=True)
class Spoiling:
    """The real adapter with a defect of its own: it spoils what it made."""

    real: Adapter
    spoil: Callable[[Json], object]

    @property
    def format(self) -> str:
        return self.real.format

    @property
    def media_types(self) -> tuple[str, ...]:
        return self.real.media_types

    @property
    def events(self) -> tuple[str, ...]:
        return self.real.events

    def fingerprint(self, message: RawMessage) -> str:
        return self.real.fingerprint(message)

    def parse(self, message: RawMessage, context: Context) -> Parsed:
        return self.real.parse(message, context)

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        made = self.real.render(content, receiver, context)
        document = json.loads(made.body)
        self.spoil(document)
        return replace(made, body=json.dumps(document).encode())


@dataclass(frozen=True)
class WithDefect:
    """The real adapters, one of them with a defect."""

    real: Adapters
    spoiled: Spoiling

    def adapter(self, format: str) -> Adapter:
        return self.spoiled if format == self.spoiled.format else self.real.adapter(format)

    def inbound(self) -> tuple[str, ...]:
        return self.real.inbound()

    def for_event(self, event: str) -> Adapter:
        return self.real.for_event(event)


def _not_unknown(message: Json) -> None:
    for entry in message["entry"]:
        if entry["resource"]["resourceType"] == "Communication":
            entry["resource"]["status"] = "completed"


def _not_legal(message: Json) -> None:
    message["entry"][0]["resource"]["source"] = []


def _nothing(message: Json) -> None:
    del message


def to_the_gp(world: World, plan: str, spoil: Callable[[Json], object]) -> str:
    """The copy for the GP, made by a spoiling adapter; gives its delivery's id."""
    format = "medcom-carecommunication"
    spoiled = Spoiling(world.hub.adapters.adapter(format), spoil)
    world.hub = replace(world.hub, adapters=WithDefect(world.hub.adapters, spoiled))
    assert world.approve(plan).status_code == 201
    world.work()
    return str(world.delivery(GP)["delivery"])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_not_unknown, "medcom-careCommunication-communication: status"), (_not_legal, "entry[0]")],
)
def test_it_is_the_operators_task(
    planned: World, plan: str, spoil: Callable[[Json], object], said: str
) -> None:
    delivery = to_the_gp(planned, plan, spoil)
    with planned.hub.store.reading() as work:
        kept = work.deliveries.get(delivery, SYSTEM, body=True)
    assert kept is not None
    assert (kept.state.value, kept.body) == ("dead", None)
    assert said in delivery_detail(planned.hub, SYSTEM, delivery).history[-1].reason
    assert ("dead", delivery) in [(t.kind, t.delivery_id) for t in _operators_tasks(planned)]
    assert planned.letters(GP) == []


def test_without_a_defect_it_leaves_and_keeps_every_rule(planned: World, plan: str) -> None:
    delivery = to_the_gp(planned, plan, _nothing)
    assert planned.delivery(GP)["state"] == "sent"
    with planned.hub.store.reading() as work:
        kept = work.deliveries.get(delivery, SYSTEM, body=True)
    assert kept is not None
    assert kept.body is not None
    assert VALIDATOR.check([json.loads(kept.body)]) == []


def _operators_tasks(world: World) -> list[Any]:
    with world.hub.store.reading() as work:
        return list(work.journal.tasks(SYSTEM))


def test_the_operator_reads_why(planned: World, plan: str) -> None:
    delivery = to_the_gp(planned, plan, _not_unknown)
    shown = planned.get(f"/operations/deliveries?receiver={GP}", OPERATOR).json()
    assert [d["delivery"] for d in shown] == [delivery]
    assert "Bundle.entry" in json.dumps(shown)

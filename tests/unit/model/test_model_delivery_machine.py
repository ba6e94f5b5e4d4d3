"""Any order of moves on stored deliveries: the illegal ones are refused and change nothing."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from model_facts import DAY, NOW, PSYK, RUS, party
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from hub.model.delivery import FINAL, State, may_move
from hub.model.party import SYSTEM, RegisteredParty, Subscription
from hub.model.records import Delivery, Plan
from hub.sending import Endpoint
from hub.store.deliveries import Deliveries
from hub.store.parties import Parties
from hub.store.plans import Plans
from hub.store.tables import METADATA

ENGINE = create_engine("sqlite://", poolclass=StaticPool)
METADATA.create_all(ENGINE)


class DeliveryMachine(RuleBasedStateMachine):
    """One delivery in a database that is rolled back after each example."""

    @initialize(first=st.sampled_from([State.DUE, State.BLOCKED]))
    def add(self, first: State) -> None:
        self.connection: Connection = ENGINE.connect()
        for unit in (RUS, PSYK):
            subscriptions = (Subscription("fhir"),)
            registered = RegisteredParty(party(unit), Endpoint("mailbox", unit), subscriptions)
            Parties(self.connection).save(registered, NOW)
        Plans(self.connection).add(Plan("p-1", "c-1", RUS, "active", 1, 1), NOW)
        self.store = Deliveries(self.connection)
        made = Delivery(
            "d-1", "p-1", PSYK, "fhir", 1, "digest", first, "made", "consent/c-1",
            NOW, NOW,
        )  # fmt: skip
        self.store.add(made, "test")
        self.expected = [first]

    def current(self) -> Delivery:
        found = self.store.get("d-1", SYSTEM)
        assert found is not None
        return found

    @rule(state=st.sampled_from(State))
    def move(self, state: State) -> None:
        before = self.current()
        if may_move(before.state, state):
            self.store.move(before, state, f"to {state}", "test", NOW + DAY)
            self.expected.append(state)
        else:
            with pytest.raises(ValueError, match="cannot go from"):
                self.store.move(before, state, "never", "test", NOW + DAY)

    @rule()
    def restate(self) -> None:
        self.store.restate(self.current(), "the same, said again", "test", NOW + DAY)
        self.expected.append(self.current().state)

    @invariant()
    def the_history_is_every_step_in_order(self) -> None:
        if hasattr(self, "expected"):
            assert [e.state for e in self.store.history("d-1")] == self.expected
            assert self.current().state == self.expected[-1]

    @invariant()
    def what_became_final_stayed_so(self) -> None:
        if hasattr(self, "expected"):
            ends = [i for i, s in enumerate(self.expected) if s in FINAL]
            seen = list(dict.fromkeys(self.expected[ends[0] :])) if ends else []
            # What was given up may be acknowledged late; that is the last that is heard of it.
            assert len(seen) <= 1 or seen == [State.DEAD, State.DELIVERED]

    def teardown(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()


DeliveryMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=12)
TestDelivery = DeliveryMachine.TestCase

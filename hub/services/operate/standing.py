"""What an operator's act on a delivery depends on, read from the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hub.capabilities import Conversing
from hub.model.delivery import State
from hub.model.operate import Act, Kind, Standing
from hub.model.party import SYSTEM, RegisteredParty
from hub.model.records import Delivery
from hub.services.attempts import subscription_of
from hub.services.documents import why_not_document
from hub.services.gate import beside, is_notice, refused_of
from hub.services.hub import Hub
from hub.services.resend import patience_with
from hub.services.state import PlanState, plan_state
from hub.store.work import UnitOfWork


class States:
    """The states of plans in one transaction, each read once."""

    def __init__(self, work: UnitOfWork, now: datetime) -> None:
        self._work, self._now = work, now
        self._directory = work.parties.directory()
        self._known: dict[str, PlanState] = {}
        self._parties: dict[str, RegisteredParty | None] = {}

    def of(self, plan_id: str) -> PlanState:
        """The plan with everything decisions need."""
        if plan_id not in self._known:
            plan = self._work.plans.get(plan_id, SYSTEM, self._now)
            assert plan is not None
            self._known[plan_id] = plan_state(self._work, plan, self._directory, self._now)
        return self._known[plan_id]

    def party(self, party_id: str) -> RegisteredParty | None:
        """The receiver as it is registered."""
        if party_id not in self._parties:
            self._parties[party_id] = self._work.parties.get(party_id)
        return self._parties[party_id]


def kind_of(delivery: Delivery) -> Kind:
    """What kind of message it is."""
    if delivery.subscription:
        return "notification"
    if is_notice(delivery):
        return "notice"
    if delivery.document:
        return "document"
    return "plan" if delivery.plan_id else "answer"


def standing_of(
    hub: Hub, work: UnitOfWork, delivery: Delivery, states: States, act: Act
) -> Standing:
    """Everything the decision needs: of what is frozen only where that is to be sent."""
    kind = kind_of(delivery)
    made = Standing(
        delivery, kind, has_bytes=False, refused="", busy=False, overtaken=None,
        every_version=False, refused_for_good=False, resends_left=True,
    )  # fmt: skip
    if kind == "notice" or (kind == "plan" and act == "resend"):
        state = states.of(delivery.plan_id)
        made = replace(made, refused=refused_of(work, state.plan, state.facts, delivery))
    elif kind == "document":
        made = replace(made, refused=why_not_document(work, delivery, hub.clock()))
    return _frozen(hub, work, made, states) if act == "resend" else made


def _frozen(hub: Hub, work: UnitOfWork, found: Standing, states: States) -> Standing:
    delivery = found.delivery
    registered = states.party(delivery.receiver)
    subscription = subscription_of(registered, delivery)
    overtaken, busy = None, False
    if found.kind in {"plan", "document"}:
        rows = beside(work, delivery)
        overtaken = max((r.version for r in rows if _newer(r, delivery)), default=None)
        busy = work.operating.busy_beside(delivery)
    return replace(
        found,
        has_bytes=work.operating.has_bytes(delivery.id),
        busy=busy,
        overtaken=overtaken,
        every_version=subscription is not None and subscription.versions == "every-version",
        refused_for_good=_refused_for_good(hub, delivery, found.kind),
        resends_left=_resends_left(hub, work, delivery),
    )


def _newer(row: Delivery, than: Delivery) -> bool:
    """It was frozen after that one, whatever became of it then; or is due, and newer."""
    due = row.state is State.DUE and row.version > than.version
    return due or (row.sequence or 0) > (than.sequence or 0)


def _refused_for_good(hub: Hub, delivery: Delivery, kind: Kind) -> bool:
    said_no = delivery.outcome == "permanent" and kind != "notification"
    return said_no and isinstance(hub.adapters.adapter(delivery.format), Conversing)


def _resends_left(hub: Hub, work: UnitOfWork, delivery: Delivery) -> bool:
    patience = patience_with(hub, work, delivery) if not delivery.subscription else None
    if patience is None:
        return True
    steps = work.deliveries.history(delivery.id)
    return sum(s.state is State.SENT for s in steps) <= patience.resends

"""What a sender had of the shared part when it wrote the document that comes back.

The version that the document names; else the newest that the sender has: what it was last given in
a format that can come back, in a notification that holds everything, or by reading the plan whole;
or what it last wrote as a whole. The content is made again from the stored version, reduced to what
the sender may see and put through the sender's own format: what it
could not see and what its format cannot say is then no change of its. Made outside of any
transaction; :func:`known_version` is asked again inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hub.contract import Context, Party, PlanUpdate, PlanView, RawMessage, Resource
from hub.errors import HubError, Unsupported
from hub.fhir.bundles import reachable
from hub.model.delivery import State
from hub.model.party import Directory, Viewer
from hub.model.plan import SHARED
from hub.model.records import Delivery, InboxItem, Plan
from hub.services.hub import Hub
from hub.services.sight import Sight
from hub.services.state import PlanState, plan_state
from hub.services.views import build_view
from hub.store.work import UnitOfWork


class MovedError(Exception):
    """Others wrote, or the consent changed, while the sender's version was looked up."""


@dataclass(frozen=True)
class Had:
    """One version of a plan's shared part, as one sender had it."""

    plan_id: str
    number: int | None
    """None: nothing is known of what it had, or it names a version that it may not have."""
    epoch: int
    """The plan's consent epoch this was found in."""
    resources: Mapping[str, Resource]
    """The CarePlan with everything it refers to, by ``Type/id``."""


def find_had(
    hub: Hub, item: InboxItem, sender: Party, directory: Directory, update: PlanUpdate
) -> Had | None:
    """For a whole document of the shared part of a plan that there is; else None."""
    if update.part != SHARED or item.request is not None:
        return None
    with hub.store.reading() as work:
        plan = _plan(hub, work, sender, update)
        if plan is None or plan.head == 0:
            return None
        state = plan_state(work, plan, directory, hub.clock())
        number = known_version(hub, work, state, sender, update.base_version)
        had = Had(plan.id, number, plan.consent_epoch, {})
        leads = plan.lead == sender.id
        shown = number or (plan.head if leads else _readable(hub, work, plan, sender))
        found = build_view(work, state, shown, sender.id, hub.clock()) if shown else None
        if found is None and leads:
            # Nothing goes to it now; what it wrote itself it has all the same.
            version = next(v for v in state.versions if v.number == (number or plan.head))
            return replace(had, resources=work.plans.resources(version.manifest[plan.id]))
    if found is None:
        return had
    said = _as_said(hub, item, found.view, sender, directory)
    return replace(had, resources=said or _shared(found.view))


def known_version(
    hub: Hub, work: UnitOfWork, state: PlanState, sender: Party, named: int | None
) -> int | None:
    """The version that the sender wrote on, if it may have it."""
    number = named if named is not None else _newest_had(hub, work, state, sender)
    if number is None or all(v.number != number for v in state.versions):
        return None
    if state.plan.lead == sender.id:
        return number
    sight = Sight(work, Viewer.of(sender), hub.clock())
    return number if number in sight.versions(state.plan) else None


def _plan(hub: Hub, work: UnitOfWork, sender: Party, update: PlanUpdate) -> Plan | None:
    case = update.case or str(update.resources[0]["id"])
    known = work.plans.part(sender.id, SHARED, case)
    named = update.plan_id or (known.plan_id if known is not None else None)
    if named is None:
        return None
    plan = work.plans.get(named, Viewer("system"), hub.clock())
    if plan is None or plan.lead == sender.id:
        return plan
    return plan if work.plans.get(named, Viewer.of(sender), hub.clock()) is not None else None


def _readable(hub: Hub, work: UnitOfWork, plan: Plan, sender: Party) -> int | None:
    """What it could have read itself."""
    return next(iter(Sight(work, Viewer.of(sender), hub.clock()).versions(plan)), None)


def _newest_had(hub: Hub, work: UnitOfWork, state: PlanState, sender: Party) -> int | None:
    given = [
        d.version
        for d in work.deliveries.of_plan(state.plan.id, sender.id)
        if _got(work, d) and _comes_back(hub, d.format)
    ]
    given += work.given.told(state.plan.id, sender.id)
    read = work.given.read(state.plan.id, sender.id)
    given += [read] if read is not None else []
    wrote, before = [], None
    for version in state.versions:
        shared = version.manifest[state.plan.id]
        whole = version.written_by == sender.id and version.written_on is None
        if whole and shared != before:
            wrote.append(version.number)
        before = shared
    return max([*given, *wrote], default=None)


def _got(work: UnitOfWork, delivery: Delivery) -> bool:
    """It was sent, or was delivered before its receiver asked for it once more."""
    sent = delivery.state in {State.SENT, State.DELIVERED}
    return sent or work.deliveries.was_delivered(delivery.id)


def _comes_back(hub: Hub, format: str) -> bool:
    """What was printed is in nobody's system."""
    try:
        return bool(hub.adapters.adapter(format).media_types)
    except Unsupported:
        return False


def _as_said(
    hub: Hub, item: InboxItem, view: PlanView, sender: Party, directory: Directory
) -> Mapping[str, Resource] | None:
    """The view in the words of the document's own format; None if it cannot say it."""
    adapter = hub.adapters.adapter(item.format)
    try:
        made = adapter.render(
            view, sender, _unchecked(hub, directory, view.lead or sender, item.id)
        )
        message = RawMessage(
            sender, item.format, made.body, made.media_type, item.message_id, item.received_at
        )
        said = adapter.parse(message, _unchecked(hub, directory, sender, sender.id))
    except HubError:
        return None
    if not isinstance(said, PlanUpdate) or said.part != SHARED:
        return None
    return {f"{r['resourceType']}/{r['id']}": r for r in said.resources}


def _unchecked(hub: Hub, directory: Directory, party: Party, seed: str) -> Context:
    """The hub's own content has been validated."""
    return replace(hub.context(directory, party, seed), check=lambda _: ())


def _shared(view: PlanView) -> Mapping[str, Resource]:
    there = reachable(view.resources, [f"CarePlan/{view.plan_id}"])
    return {k: r for k, r in view.resources.items() if k in there}

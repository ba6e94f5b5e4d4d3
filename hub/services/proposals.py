"""What waits for a person of the owner's unit: looked at by those it concerns, decided by one.

A change by one who does not own the part (a proposal), or by one who does, of what another had
changed meanwhile (a conflict). The plan is whole all the time: what stands, stands until a person
decides otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from hub.contract import Party, Resource
from hub.errors import Invalid, NotFound, NotOwner, StaleBase, StoreUnavailable
from hub.fhir.kinds import declaring
from hub.model.deciding import UndecidableError, accepted, reworded
from hub.model.party import Viewer
from hub.model.pieces import Pieces, joined, split
from hub.model.plan import SHARED
from hub.model.records import Part, Plan, Proposal, ProposalState
from hub.model.routing import newest_for
from hub.model.same import same
from hub.model.wording import lines, text_of
from hub.services.hub import Hub
from hub.services.kept_changes import promise, settle_task
from hub.services.publish import publish
from hub.services.queries import the_one
from hub.services.state import plan_state
from hub.services.versions import store
from hub.services.views import Reduced, build_view
from hub.store.work import UnitOfWork

Choice = Literal["accept", "reject", "reword"]
_STATES: Final[Mapping[Choice, ProposalState]] = {
    "accept": "accepted",
    "reject": "rejected",
    "reword": "replaced",
}
_UNKNOWN: Final = "No such proposal is known to you"
_TRIES: Final = 5


@dataclass(frozen=True)
class Shown:
    """One proposal as its reader may see it, each text in lines, the main one first."""

    proposal: Proposal
    base: list[str]
    theirs: list[str]
    stands: list[str]
    """What the plan says now, as far as the reader may see it."""
    version: int
    """The version that says so."""
    single: bool
    """It is one text, and may be decided in other words."""


def proposals(
    hub: Hub, viewer: Viewer, *, waiting: bool = True, plan_id: str | None = None
) -> list[Proposal]:
    """Those the viewer may know of, newest first."""
    state: ProposalState | None = "open" if waiting else None
    with hub.store.reading() as work:
        return work.proposals.listing(viewer, hub.clock(), state=state, plan_id=plan_id)


def whole_proposal_id(hub: Hub, viewer: Viewer, beginning: str) -> str:
    """The id of the proposal that begins so, as tables show it; NotFound, Invalid for several.

    An empty beginning is none: a script whose variable is unset decides nothing.
    """
    with hub.store.reading() as work:
        found = work.proposals.beginning(beginning, viewer, hub.clock()) if beginning else []
    return the_one(found, "proposal")


def show(hub: Hub, by: Party, proposal_id: str) -> Shown:
    """One with its texts; the look is audited. NotFound also for what it may not know of."""
    now = hub.clock()
    with hub.store.writing() as work:
        found = work.proposals.get(proposal_id, Viewer.of(by), now)
        reduced, number = _sight(hub, work, by, found) if found is not None else (None, 0)
        if found is None or reduced is None:
            raise NotFound(_UNKNOWN)
        work.journal.audit(
            now, by.id, "read", f"proposal/{found.id}", party=by.id, basis=reduced.basis,
            detail=f"CarePlan/{found.plan_id}/_history/{number}",
        )  # fmt: skip
        work.commit()
    resources = reduced.view.resources
    known = {**resources, **(found.carried if by.id in {found.author, found.decider} else {})}
    root = f"CarePlan/{found.part_id}"
    # An owner may mark its plan as its own again: then nothing of it is to be seen.
    pieces = split(resources, root) if root in resources else Pieces(root, {}, {})
    stands = pieces.values.get(found.piece)
    if found.piece.startswith("order/"):
        stands = [k for k, _ in pieces.orders.get(found.piece.removeprefix("order/"), ())]
    base, theirs, now_says = (
        lines(found.piece, x, known, pieces) for x in (found.base, found.theirs, stands)
    )
    single = any(text_of(found.piece, x) for x in (found.theirs, stands) if x is not None)
    return Shown(found, base, theirs, now_says, number, single)


def decide(
    hub: Hub,
    by: Party,
    proposal_id: str,
    choice: Choice,
    *,
    person: str,
    reason: str,
    text: str = "",
    version: int | None = None,
) -> Proposal:
    """A named person of the deciding unit decides, and says why.

    ``accept``: what the author wrote; ``reject``: what stands; ``reword``: ``text``. Of a sector
    plan, the first and the last are the owner's word that its own next document will say so: the
    hub writes none. ``version``: the plan version that the person looked at; StaleBase if it says
    something else by now. Raises NotFound, NotOwner, Invalid.
    """
    for given, what in ((person, "Say who does it"), (reason, "Say why")):
        if not given.strip():
            raise Invalid(what)
    if choice == "reword" and not text.strip():
        raise Invalid("Say what it is to say")
    for _ in range(_TRIES):
        with hub.store.reading() as work:
            made = _work_out(hub, work, by, proposal_id, choice, text, version)
        if made.proposal.state == _STATES[choice]:
            return made.proposal
        _validate(hub, made)
        with hub.store.writing() as work:
            work.plans.hold_citizens((), [made.plan.citizen_id])
            work.plans.lock(made.plan.id)
            if _work_out(hub, work, by, proposal_id, choice, text, version) != made:
                continue
            answer = f"{reason}: {text}" if choice == "reword" and not made.shared else reason
            found = _carry_out(hub, work, by, made, choice, person, answer)
            work.commit()
        hub.wake.set()
        return found
    raise StoreUnavailable("Others are writing the same; it is tried again")


@dataclass(frozen=True)
class _Made:
    """What a decision comes to; compared as a whole before it is carried out."""

    proposal: Proposal
    plan: Plan
    part: Part
    before: dict[str, Resource]
    after: dict[str, Resource]

    @property
    def shared(self) -> bool:
        """The hub writes it; any other part is its owner's document."""
        return self.part.kind == SHARED


def _work_out(
    hub: Hub,
    work: UnitOfWork,
    by: Party,
    proposal_id: str,
    choice: Choice,
    text: str,
    version: int | None,
) -> _Made:
    now = hub.clock()
    found = work.proposals.get(proposal_id, Viewer.of(by), now)
    plan = work.plans.get(found.plan_id, Viewer.of(by), now) if found else None
    if found is None or plan is None:
        raise NotFound(_UNKNOWN)
    if found.decider != by.id:
        raise NotOwner("A person of the owner's unit decides it")
    part = work.plans.part_by_id(found.part_id)
    assert part is not None
    if part.plan_id != plan.id and choice != "reject":
        raise Invalid("What it is about is no longer part of the plan")
    before = work.plans.resources(part.members)
    made = _Made(found, plan, part, before, before)
    if found.state == _STATES[choice]:
        return made
    if found.state != "open":
        raise Invalid("It is decided; nothing was changed")
    current = split(before, f"CarePlan/{part.id}")
    _looked_at(work, plan, part, current, found, version)
    if not made.shared:
        return made
    try:
        if choice == "accept":
            after = accepted(current, found.piece, found.base, found.theirs, found.carried)
        elif choice == "reword":
            model = found.theirs if found.theirs is not None else found.base
            after = reworded(current, found.piece, model, text)
        else:
            return made
    except UndecidableError as e:
        raise Invalid(str(e)) from None
    return replace(made, after=joined(after))


def _looked_at(
    work: UnitOfWork,
    plan: Plan,
    part: Part,
    current: Pieces,
    found: Proposal,
    version: int | None,
) -> None:
    """The person has seen what stands."""
    if version is None or version == plan.head:
        return
    seen = work.plans.version(plan.id, version)
    was = work.plans.resources(seen.manifest.get(part.id, ())) if seen is not None else {}
    then = split(was, current.plan) if was else None
    order = found.piece.removeprefix("order/")
    if (
        then is None
        or not same(then.values.get(found.piece), current.values.get(found.piece))
        or (order != found.piece and then.orders.get(order) != current.orders.get(order))
    ):
        raise StaleBase("It has changed since you looked; look again")


def _validate(hub: Hub, made: _Made) -> None:
    changed = [declaring(r) for k, r in made.after.items() if not same(made.before.get(k), r)]
    issues = tuple(hub.validator.check(changed)) if changed else ()
    if any(i.severity in {"error", "fatal"} for i in issues):
        raise Invalid("What it would say is not valid; reject it, or decide in your own words")


def _carry_out(
    hub: Hub,
    work: UnitOfWork,
    by: Party,
    made: _Made,
    choice: Choice,
    person: str,
    reason: str,
) -> Proposal:
    now, actor, found = hub.clock(), f"{by.id}: {person}", made.proposal
    number = made.plan.head
    if not same(made.after, made.before):
        directory = work.parties.directory()
        members = store(hub, work, made.part, by, made.part.citizen_id, made.after.values())
        part = replace(made.part, members=members)
        work.plans.save_part(part, now)
        status = str(made.after[f"CarePlan/{part.id}"]["status"])
        number = publish(
            hub, work, made.plan, part, directory, by,
            status=status, actor=actor, written_on=made.plan.head,
        ).number  # fmt: skip
    if choice != "reject" and not made.shared:
        promise(work, found, now)
    work.proposals.close(found.id, _STATES[choice], actor, now, reason)
    work.journal.audit(
        now, actor, "decide", f"proposal/{found.id}", party=by.id,
        detail=f"{_STATES[choice]}; CarePlan/{found.plan_id}/_history/{number}",
    )  # fmt: skip
    settle_task(work, found.plan_id, found.decider, actor, now)
    return replace(found, state=_STATES[choice], decided_by=actor, decided_at=now, reason=reason)


def _sight(hub: Hub, work: UnitOfWork, by: Party, found: Proposal) -> tuple[Reduced | None, int]:
    """The newest version that the reader may have, and its number."""
    now = hub.clock()
    plan = work.plans.get(found.plan_id, Viewer.of(by), now)
    if plan is None:
        return None, 0
    state = plan_state(work, plan, work.parties.directory(), now)
    member = state.member(by.id)
    version = newest_for(state.facts, member) if member is not None else None
    if version is None:
        return None, 0
    return build_view(work, state, version.number, by.id, now), version.number

"""A whole document of a plan's shared part that comes back: merged, proposed, or a conflict."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from hub.contract import Party, PlanUpdate, Resource
from hub.errors import Issue, StaleBase
from hub.model.entitled import actor_of, carried, own_words
from hub.model.matching import recognised
from hub.model.merge import Conflict, merge, restored
from hub.model.party import Directory
from hub.model.pieces import ORDER, Pieces, joined, split
from hub.model.records import InboxItem, Part, Plan, Proposal, ProposalKind
from hub.services.had import Had, MovedError, known_version
from hub.services.hub import Hub, repeatable
from hub.services.kept_changes import keep
from hub.services.state import plan_state
from hub.services.versions import with_one_patient
from hub.store.work import UnitOfWork


@dataclass(frozen=True)
class Taken:
    """What the shared part says now, the CarePlan first."""

    resources: tuple[Resource, ...]
    issues: tuple[Issue, ...] = ()
    written_on: int | None = None
    """See PlanVersion."""


@dataclass(frozen=True)
class _Came:
    """A document in pieces, beside what its sender had and what there is."""

    raw: Pieces
    """As it was sent, with the ids of what it had."""
    seen: Pieces
    whole: Pieces
    """All of the version that ``seen`` is of."""
    current: Pieces


def take(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    update: PlanUpdate,
    part: Part,
    plan: Plan,
    had: Had | None,
) -> Taken:
    """The shared part after this document; the plan is locked.

    Proposals and conflicts are kept. Raises MovedError if ``had`` no longer holds, StaleBase if
    the document names a version that its sender may not have.
    """
    state = plan_state(work, plan, directory, hub.clock())
    number = known_version(hub, work, state, sender, update.base_version)
    if had is None or (had.plan_id, had.number, had.epoch) != (
        plan.id, number, plan.consent_epoch
    ):  # fmt: skip
        raise MovedError
    if not had.resources or (update.base_version is not None and number is None):
        text = f"Written on a version that you do not have; fetch version {plan.head} and merge"
        raise StaleBase(text if plan.lead == sender.id else _FETCH)
    lead = plan.lead == sender.id
    came = _came(work, part, update, had, number or plan.head)
    theirs = restored(
        came.seen, came.raw, came.whole,
        complete=update.complete and lead and number is not None,
        ordered=update.ordered,
    )  # fmt: skip
    proposed: tuple[Conflict, ...] = ()
    if not lead:
        theirs, proposed = own_words(came.whole, theirs, sender.id, directory.find)
    merged = merge(came.whole, theirs, came.current)
    keeping = _Keeping(hub, work, item, sender, plan, directory, came, number)
    own = _changed_by_itself(work, plan, part, sender, number, merged.conflicts)
    with_itself = keeping.keep("conflict", (c for c in merged.conflicts if c.piece in own))
    conflicts = keeping.keep("conflict", (c for c in merged.conflicts if c.piece not in own))
    proposals = keeping.keep("proposal", proposed)
    stale = number is not None and _other(work, plan, number, part)
    return Taken(
        tuple(joined(merged.pieces).values()),
        tuple(_told(number if stale and lead else None, with_itself, conflicts, proposals)),
        (number or plan.head) if stale or number is None or not lead else None,
    )


_FETCH = "Written on a version that you do not have; fetch the plan and write on that"


def _came(work: UnitOfWork, part: Part, update: PlanUpdate, had: Had, number: int) -> _Came:
    root = f"CarePlan/{part.id}"
    seen = _by_key(with_one_patient(had.resources.values(), part.citizen_id))
    sent = _by_key(with_one_patient(update.resources, part.citizen_id))
    known = recognised(sent, next(iter(sent)), seen, root)
    version = work.plans.version(part.id, number)
    assert version is not None
    whole = work.plans.resources(version.manifest[part.id])
    current = work.plans.resources(part.members)
    return _Came(*(split(x, root) for x in (known, seen, whole, current)))


def _by_key(resources: Iterable[Resource]) -> dict[str, Resource]:
    return {f"{r['resourceType']}/{r['id']}": r for r in resources}


def _other(work: UnitOfWork, plan: Plan, number: int, part: Part) -> bool:
    """The shared part has changed since that version."""
    version = work.plans.version(plan.id, number)
    return version is not None and version.manifest[part.id] != part.members


def _changed_by_itself(
    work: UnitOfWork,
    plan: Plan,
    part: Part,
    sender: Party,
    number: int | None,
    conflicts: Collection[Conflict],
) -> frozenset[str]:
    """The pieces that nobody but the sender has changed since the version it wrote on."""
    if number is None or not conflicts:
        return frozenset()
    pieces = [c.piece for c in conflicts]
    writers: dict[str, set[str]] = {p: set() for p in pieces}
    before: Pieces | None = None
    for version in work.plans.versions(plan.id):
        if version.number < number:
            continue
        now = split(work.plans.resources(version.manifest[part.id]), f"CarePlan/{part.id}")
        for piece in pieces:
            if before is not None and _value(now, piece) != _value(before, piece):
                writers[piece].add(version.written_by)
        before = now
    return frozenset(p for p, by in writers.items() if by == {sender.id})


def _told(number: int | None, with_itself: int, conflicts: int, proposals: int) -> Iterable[Issue]:
    if number is not None:
        text = f"Merged with what has changed since version {number}"
        yield Issue("information", "informational", text)
    if with_itself:
        text = (
            "Changed by an earlier document of your own as well, which this one was not written "
            f"on; kept for a person of the lead's unit: {with_itself}"
        )
        yield Issue("warning", "conflict", text)
    if conflicts:
        text = f"Changed by another as well; kept for a person of the lead's unit: {conflicts}"
        yield Issue("warning", "conflict", text)
    if proposals:
        text = f"Kept as proposals for the lead's unit to decide: {proposals}"
        yield Issue("information", "informational", text)


@dataclass(frozen=True)
class _Keeping:
    """Writes down what waits for a person."""

    hub: Hub
    work: UnitOfWork
    item: InboxItem
    sender: Party
    plan: Plan
    directory: Directory
    came: _Came
    number: int | None

    def keep(self, kind: ProposalKind, found: Iterable[Conflict]) -> int:
        """How many wait now that did not before, or still do."""
        return keep(self.hub, self.work, [self._proposal(kind, c) for c in found])

    def _proposal(self, kind: ProposalKind, change: Conflict) -> Proposal:
        """In the sender's own words, and on what it was shown: it is told no more than that."""
        came, piece = self.came, change.piece
        base, theirs = (_value(x, piece) for x in (came.seen, came.raw))
        resources: Mapping[str, Resource] = {**joined(came.raw), **joined(came.whole)}
        words = change.base if change.base is not None else change.theirs
        return Proposal(
            id=repeatable(self.item.id, "proposal", piece),
            plan_id=self.plan.id,
            part_id=self.plan.id,
            piece=piece,
            kind=kind,
            author=self.sender.id,
            decider=self.plan.lead,
            version=self.plan.head,
            base=base,
            theirs=theirs,
            state="open",
            created_at=self.hub.clock(),
            actor=actor_of(piece, words, resources, self.directory.find),
            inbox_id=self.item.id,
            base_version=self.number,
            carried=carried(theirs, came.raw, came.whole),
        )


def _value(pieces: Pieces, piece: str) -> object:
    if piece.startswith(ORDER):
        return [key for key, _ in pieces.orders.get(piece.removeprefix(ORDER), ())]
    return pieces.values.get(piece)

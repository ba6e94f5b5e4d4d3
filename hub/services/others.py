"""What a document says of others' parts of the plan: compared with what its sender was given.

What differs is a proposal to the owner, in the sender's own words and on what it was sent; nothing
is applied. The base is the hub's own delivery as it was sent, read by the same reader: like is
compared with like. Found outside of any transaction, kept inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hub.contract import Loss, Party, PlanUpdate, RawMessage
from hub.errors import HubError, Issue
from hub.fhir.reading import PlanReader
from hub.model.delivery import State
from hub.model.entitled import actor_of
from hub.model.party import SYSTEM, Directory
from hub.model.pieces import Pieces, joined, split
from hub.model.plan import SHARED
from hub.model.records import Delivery, InboxItem, Part, Plan, Proposal
from hub.model.routing import newest_for
from hub.model.said import PIECES, Differences, differences, known_items, plain, reworded
from hub.model.wording import text_of
from hub.others import OtherPlan, SaidOfOther
from hub.services.had import MovedError
from hub.services.hub import Hub, repeatable
from hub.services.kept_changes import keep
from hub.services.state import plan_state
from hub.services.views import build_view
from hub.store.work import UnitOfWork

_EARLIER: Final = 5
"""So many of the last deliveries may be what comes back, where the document does not say which."""
_NOT_OURS: Final = (
    "Of others' plans it says what the hub has not sent you; nothing is taken from it"
)
_NO_PLACE: Final = "Of others' plans, only texts that were sent can be proposed in other words"
_GONE: Final = "It is no longer there, or not for you to see"


@dataclass(frozen=True)
class Wish:
    """One item of another's part in the sender's words."""

    part: str
    piece: str
    base: Any
    theirs: Any
    text: str
    at: str


@dataclass(frozen=True)
class Said:
    """What one document wishes of others' parts, on what its sender was given."""

    plan_id: str = ""
    epoch: int = 0
    """The plan's consent epoch this was found in."""
    version: int | None = None
    """The version that was sent to it."""
    wishes: tuple[Wish, ...] = ()
    losses: tuple[Loss, ...] = ()


def find_said(
    hub: Hub, item: InboxItem, sender: Party, directory: Directory, update: PlanUpdate
) -> Said:
    """Nothing, for a document that comes back as it was sent."""
    if not update.said_of_others or update.part == SHARED:
        return Said()
    with hub.store.reading() as work:
        case = update.case or str(update.resources[0]["id"])
        part = work.plans.part(sender.id, update.part, case)
        plan = work.plans.get(part.plan_id, SYSTEM, hub.clock()) if part and part.plan_id else None
        given = _given(work, plan, sender, item, update) if plan is not None else []
    found = _nearest(hub, item, sender, directory, update, given)
    if plan is None or found is None:
        return Said(losses=(Loss(update.said_of_others[0].at, "dropped", _NOT_OURS),))
    delivery, differing = found
    if not differing:
        return Said()
    with hub.store.reading() as work:
        known = list(_known(hub, work, plan, sender, directory, delivery.version))
    resolving = _Resolving(known)
    wishes = tuple(w for b, e in differing.changed if (w := resolving.wish(b, e)) is not None)
    lost = [Loss(e.at, "dropped", _NO_PLACE) for e in (*resolving.lost, *differing.more)]
    return Said(plan.id, plan.consent_epoch, delivery.version, wishes, tuple(lost))


def keep_said(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    plan: Plan,
    said: Said,
) -> tuple[Issue, ...]:
    """Proposals to the owners, and what to tell the sender; the plan is locked.

    Raises MovedError where the consent has changed since it was found.
    """
    if said.plan_id == plan.id and said.epoch != plan.consent_epoch:
        raise MovedError
    losses, proposals = list(said.losses), []
    for wish in said.wishes if said.plan_id == plan.id else ():
        part = work.plans.part_by_id(wish.part)
        current = _current(work, part, plan)
        stands = current.values.get(wish.piece) if current is not None else None
        if part is None or current is None or stands is None:
            losses.append(Loss(wish.at, "dropped", _GONE))
        elif plain(text_of(wish.piece, stands)) != plain(wish.text):
            actor = actor_of(wish.piece, stands, joined(current), directory.find)
            proposals.append(_proposal(hub, item, sender, plan, part, said, wish, actor))
    work.losses.add(losses, inbox_id=item.id)
    return tuple(_told(keep(hub, work, proposals), len(losses)))


def _told(waiting: int, lost: int) -> Iterator[Issue]:
    if waiting:
        text = f"Kept as proposals for the owners of others' parts to decide: {waiting}"
        yield Issue("information", "informational", text)
    if lost:
        text = f"It says of others' parts what cannot be proposed so; take it up with them: {lost}"
        yield Issue("warning", "business-rule", text)


def _given(
    work: UnitOfWork, plan: Plan, sender: Party, item: InboxItem, update: PlanUpdate
) -> list[Delivery]:
    """The hub's deliveries that may be what comes back, with their bytes, newest first."""
    found = [
        d
        for d in reversed(work.deliveries.of_plan(plan.id, sender.id))
        if d.state in {State.SENT, State.DELIVERED} and d.format == item.format
    ]
    named = [d for d in found if d.version == update.base_version]
    bodies = (
        work.deliveries.get(d.id, SYSTEM, body=True)
        for d in (named or found)[:_EARLIER]
    )  # fmt: skip
    return [d for d in bodies if d is not None and d.body is not None]


def _nearest(
    hub: Hub,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    update: PlanUpdate,
    given: Iterable[Delivery],
) -> tuple[Delivery, Differences] | None:
    """The delivery that it differs least from, the newest of several; None if there is none."""
    best: tuple[Delivery, Differences] | None = None
    for delivery in given:
        said = _read(hub, item, sender, directory, delivery)
        if said is None:
            continue
        found = differences(said, update.said_of_others)
        if best is None or len(found) < len(best[1]):
            best = (delivery, found)
        if not found:
            break
    return best


def _read(
    hub: Hub, item: InboxItem, sender: Party, directory: Directory, delivery: Delivery
) -> tuple[SaidOfOther, ...] | None:
    """What a delivery said of others' parts; None if it can no longer be read."""
    adapter = hub.adapters.adapter(item.format)
    message = RawMessage(
        sender, item.format, delivery.body or b"", delivery.media_type or item.media_type,
        item.message_id, item.received_at,
    )  # fmt: skip
    local = hub.local(sender.id, item.format)
    try:
        found = adapter.parse(message, hub.context(directory, sender, sender.id, local=local))
    except HubError:
        return None
    return found.said_of_others if isinstance(found, PlanUpdate) else None


@dataclass(frozen=True)
class _Known:
    """One part, as its reader may see it."""

    root: str
    kind: str
    owner: str
    pieces: Pieces

    def is_meant(self, plan: OtherPlan) -> bool:
        """By its id, where the document has one; else by its kind and its owner's name."""
        if plan.id:
            return plan.id == self.root
        return (plan.kind, plain(plan.owner)) == (self.kind, plain(self.owner))


def _known(
    hub: Hub, work: UnitOfWork, plan: Plan, sender: Party, directory: Directory, version: int
) -> Iterator[_Known]:
    """The parts in that version, else in the newest that the sender may see; none if it may not."""
    state = plan_state(work, plan, directory, hub.clock())
    member = state.member(sender.id)
    newest = newest_for(state.facts, member) if member is not None else None
    for number in (version, *((newest.number,) if newest is not None else ())):
        found = build_view(work, state, number, sender.id, hub.clock())
        if found is not None:
            resources, shared = found.view.resources, f"CarePlan/{plan.id}"
            if shared in resources:
                yield _Known(shared, SHARED, "", split(resources, shared))
            for one in PlanReader(resources).sector_plans():
                if one.reference != found.view.own_part:
                    pieces = split(resources, one.reference)
                    yield _Known(one.reference, one.kind, one.owner, pieces)
            return


@dataclass
class _Resolving:
    """Finds what items the texts are of; each item once."""

    known: list[_Known]
    lost: list[SaidOfOther] = field(default_factory=list)
    taken: set[tuple[str, str]] = field(default_factory=set)

    def wish(self, given: SaidOfOther, said: SaidOfOther) -> Wish | None:
        """The item in other words; None, and it is lost, where there is no such item."""
        assert given.item is not None
        for one in self.known:
            if not one.is_meant(given.plan):
                continue
            by_words = known_items(one.pieces, given.item).get(plain(given.text), [])
            named = [f"{PIECES[given.item]}{given.id}"] if given.id else by_words
            for piece in named:
                value = one.pieces.values.get(piece)
                words = reworded(piece, value, given.text, said.text) if value is not None else None
                if words is None or (one.root, piece) in self.taken:
                    continue
                self.taken.add((one.root, piece))
                part = one.root.partition("/")[2]
                return Wish(part, piece, *words, text=text_of(piece, words[1]), at=said.at)
        self.lost.append(said)
        return None


def _current(work: UnitOfWork, part: Part | None, plan: Plan) -> Pieces | None:
    """What the part says now."""
    if part is None or part.plan_id != plan.id:
        return None
    return split(work.plans.resources(part.members), f"CarePlan/{part.id}")


def _proposal(
    hub: Hub,
    item: InboxItem,
    sender: Party,
    plan: Plan,
    part: Part,
    said: Said,
    wish: Wish,
    actor: str | None,
) -> Proposal:
    return Proposal(
        id=repeatable(item.id, "proposal", part.id, wish.piece),
        plan_id=plan.id,
        part_id=part.id,
        piece=wish.piece,
        kind="proposal",
        author=sender.id,
        decider=plan.lead if part.kind == SHARED else part.owner,
        version=plan.head,
        base=wish.base,
        theirs=wish.theirs,
        state="open",
        created_at=hub.clock(),
        actor=actor,
        inbox_id=item.id,
        base_version=said.version,
    )

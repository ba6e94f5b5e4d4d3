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
from hub.model.new_item import may_be_new, new_item
from hub.model.party import SYSTEM, Directory
from hub.model.pieces import Pieces, split
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
_NEW: Final = 10
"""More new items at once are no proposals: then what is new cannot be told from what is changed."""
_GONE: Final = "It is no longer there, or not for you to see"


@dataclass(frozen=True)
class Wish:
    """One item of another's part in the sender's words."""

    part: str
    piece: str
    base: Any
    """None: it is a new one."""
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
    resolving = _Resolving(f"{plan.id}/{sender.id}", known)
    for before, after in differing.changed:
        resolving.reworded(before, after)
    resolving.added(differing.more)
    lost = tuple(Loss(e.at, "dropped", _NO_PLACE) for e in resolving.lost)
    return Said(plan.id, plan.consent_epoch, delivery.version, tuple(resolving.wishes), lost)


def keep_said(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    plan: Plan,
    said: Said,
) -> tuple[Issue, ...]:
    """Proposals to the owners, and what to tell the sender; the plan is locked.

    Nobody else is told: not even the unit whose own words a note is. Raises MovedError where the
    consent has changed since it was found.
    """
    if said.plan_id == plan.id and said.epoch != plan.consent_epoch:
        raise MovedError
    losses, proposals = list(said.losses), []
    for wish in said.wishes if said.plan_id == plan.id else ():
        part = work.plans.part_by_id(wish.part)
        current = _current(work, part, plan)
        if (
            part is None
            or current is None
            or not (wish.base is None or wish.piece in current.values)
        ):
            losses.append(Loss(wish.at, "dropped", _GONE))
        elif not _is_said(current, wish):
            proposals.append(_proposal(hub, item, sender, plan, part, said, wish))
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
                pieces = split(resources, one.reference)
                yield _Known(one.reference, one.kind, one.owner, pieces)
            return


@dataclass
class _Resolving:
    """Finds what items the texts are of; each item once."""

    seed: str
    known: list[_Known]
    wishes: list[Wish] = field(default_factory=list)
    lost: list[SaidOfOther] = field(default_factory=list)
    """Of no item that can be told."""

    def reworded(self, given: SaidOfOther, said: SaidOfOther) -> None:
        """An item in other words."""
        assert given.item is not None
        for one in self.known:
            if not one.is_meant(given.plan):
                continue
            part, taken = one.root.partition("/")[2], {(w.part, w.piece) for w in self.wishes}
            by_words = known_items(one.pieces, given.item).get(plain(given.text), [])
            for piece in [f"{PIECES[given.item]}{given.id}"] if given.id else by_words:
                value = one.pieces.values.get(piece)
                words = reworded(piece, value, given.text, said.text) if value is not None else None
                if words is not None and (part, piece) not in taken:
                    text = text_of(piece, words[1])
                    self.wishes.append(Wish(part, piece, *words, text=text, at=said.at))
                    return
        self.lost.append(said)

    def added(self, more: Iterable[SaidOfOther]) -> None:
        """New items of the shared part; anything else is lost."""
        shared = next((k for k in self.known if k.kind == SHARED), None)
        new = [s for s in more if shared is not None and _is_new(s, shared)]
        if shared is None or len(new) > _NEW:
            new = []
        self.lost += [s for s in more if s not in new]
        for said in new:
            assert shared is not None
            assert said.item is not None
            own = repeatable(self.seed, "new", said.item, plain(said.text))
            subject = shared.pieces.values["plan/subject"]
            piece, value = new_item(said.item, said.text.strip(), own, subject)
            part = shared.root.partition("/")[2]
            self.wishes.append(Wish(part, piece, None, value, text=said.text, at=said.at))


def _is_new(said: SaidOfOther, shared: _Known) -> bool:
    return may_be_new(said.item) and not said.id and not said.label and shared.is_meant(said.plan)


def _is_said(current: Pieces, wish: Wish) -> bool:
    """The part says so by now."""
    if wish.base is not None:
        return plain(text_of(wish.piece, current.values[wish.piece])) == plain(wish.text)
    return any(
        plain(text_of(piece, value)) == plain(wish.text)
        for piece, value in current.values.items()
        if piece.partition("/")[0] == wish.piece.partition("/")[0]
    )


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
        inbox_id=item.id,
        base_version=said.version,
    )

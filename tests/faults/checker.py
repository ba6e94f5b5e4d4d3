"""What a run may not show. Pure: everything it judges is in the :class:`History`.

=============  ====================================================================================
Kind           What it says
=============  ====================================================================================
lost           an acknowledged change is not in its plan's history, or never reached a receiver that
               may have it, and no person is asked to do something about it
duplicated     a message had its effect twice, or a receiver got one version under two delivery ids
               although the citizen had decided nothing in between
out_of_order   a receiver got messages of a plan in another order than they were made
leaked         it began to leave, or was fetched, after the consent was withdrawn
limbo          neither final, nor scheduled, nor waiting for a person who knows
nonlinear      the answers about a plan fit no order of events
=============  ====================================================================================
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.faults.linear import Call, linearizable
from tests.faults.records import CITIZEN, DeliveryRow, History, Op

KINDS = ("lost", "duplicated", "out_of_order", "leaked", "limbo", "nonlinear")
FINAL = frozenset({"delivered", "superseded", "cancelled", "not_sent", "dead"})
_SETTLED = frozenset({"applied", "refused", "sealed", "unattached"})


@dataclass(frozen=True)
class Violation:
    """One of :data:`KINDS`, and what was seen."""

    kind: str
    text: str


def check(history: History) -> list[Violation]:
    """Everything that should not be; empty is what is wanted."""
    judged = (_kept, _reached, _once, _in_order, _permitted, _settled, _one_order)
    return [found for judge in judged for found in judge(history)]


def _kept(history: History) -> Iterator[Violation]:
    versions = {(v.plan, v.number): v for v in history.after.versions}
    for op in history.ops:
        if op.status != "ok" or not op.version or op.kind not in {"write", "swap"}:
            continue
        found = versions.get((op.plan, op.version))
        if found is None:
            yield Violation("lost", f"version {op.version} of {op.plan}, acknowledged to {op.by}")
        elif (found.sender, found.message) != (op.by, op.message):
            text = f"version {op.version} of {op.plan} was acknowledged to {op.message}"
            yield Violation("lost", f"{text}, and is made by {found.message}")
        elif found.tokens.get(op.part) != op.token:
            yield Violation("lost", f"{op.token} is not in version {op.version} of {op.plan}")


def _reached(history: History) -> Iterator[Violation]:
    rows = {d.id: d for d in history.after.deliveries}
    got: dict[tuple[str, str], set[int]] = defaultdict(set)
    for arrival in history.arrivals:
        row = rows.get(arrival.delivery)
        if row is None:
            text = f"{arrival.receiver} got {arrival.delivery}, which the hub does not know"
            yield Violation("lost", text)
        elif not row.notice:
            got[row.plan, row.receiver].add(row.version)
    waits = {"blocked", "held"}
    asked = {(d.plan, d.receiver) for d in rows.values() if d.task and d.state in waits}
    for plan, ops in _by_plan(history.ops).items():
        writes = [o for o in ops if o.version and o.status == "ok" and o.kind in {"write", "swap"}]
        last = max((o for o in _decisions(history, ops[0].case)), key=lambda o: o.begin)
        if not writes or last.end is None:
            continue
        for receiver in sorted(last.permits):
            for version in sorted(_due(history, ops, writes, last.end, receiver)):
                if (plan, receiver) in asked:
                    continue
                if not any(v >= version for v in got[plan, receiver]):
                    yield Violation("lost", f"version {version} of {plan} never reached {receiver}")
                elif receiver in history.every_version and version not in got[plan, receiver]:
                    yield Violation("lost", f"version {version} of {plan} passed {receiver} by")


def _due(
    history: History, ops: list[Op], writes: list[Op], since: float, receiver: str
) -> set[int]:
    """The versions that a receiver must have got, or a later one in their place."""
    head = max(o.version for o in writes)
    if receiver in history.on_approval:
        shared = max((o.version for o in writes if o.part == "shared"), default=1)
        approved = [o for o in ops if o.kind == "approve" and o.status == "ok"]
        return {head} if any(o.base >= shared for o in approved) else set()
    if receiver in history.every_version:
        return {head} | {o.version for o in writes if o.begin > since}
    return {head}


def _once(history: History) -> Iterator[Violation]:
    makers: dict[tuple[str, str], int] = defaultdict(int)
    for version in history.after.versions:
        makers[version.sender, version.message] += 1
    for (sender, message), count in makers.items():
        if count > 1:
            yield Violation("duplicated", f"{message} of {sender} made {count} versions")
    first = {(o.by, o.message): o.version for o in history.ops if o.kind == "write" and o.version}
    for op in history.ops:
        if op.kind == "again" and op.end is not None:
            made = first.get((op.by, op.message))
            if made is not None and op.version != made:
                text = f"{op.message} of {op.by} was answered with version {made}"
                yield Violation("duplicated", f"{text}, and later with {op.version}")
    rows = {d.id: d for d in history.after.deliveries}
    digests: dict[str, set[str]] = defaultdict(set)
    ids: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for arrival in history.arrivals:
        digests[arrival.delivery].add(arrival.digest)
        row = rows.get(arrival.delivery)
        if row is None or row.notice:
            continue
        if arrival.delivery not in (known := ids[_what(row)]):
            known.append(arrival.delivery)
    for delivery, found in digests.items():
        row = rows.get(delivery)
        if len(found) > 1 and row is not None and row.format not in history.renewed:
            yield Violation("duplicated", f"{delivery} came with {len(found)} contents")
    begun: dict[str, float] = {}
    for sending in sorted(history.after.sendings, key=lambda x: x.committed, reverse=True):
        begun[sending.delivery] = sending.committed
    cases = {o.plan: o.case for o in history.ops if o.plan}
    for what, known in ids.items():
        in_turn = sorted(known, key=lambda i: begun.get(i, 0.0))
        for one, other in itertools.pairwise(in_turn):
            times = begun.get(one, 0.0), begun.get(other, 0.0)
            if not _decided_between(history, cases.get(what[0], ""), *times):
                yield Violation("duplicated", f"{what} came as {one} and {other}")


def _decided_between(history: History, case: str, first: float, second: float) -> bool:
    """The consent changed: what was taken back, or has another extent now, is made anew."""
    found = _decisions(history, case)
    return any(d.begin < second and (d.end is None or d.end > first) for d in found)


def _what(row: DeliveryRow) -> tuple[str, str, int]:
    return row.plan, row.receiver, row.version


def _in_order(history: History) -> Iterator[Violation]:
    rows = {d.id: d for d in history.after.deliveries}
    newest: dict[tuple[str, str], int] = {}
    # A number counts in one plan and subscription: a receiver's copies in one format.
    numbers: dict[tuple[str, str, str], int] = {}
    known: dict[str, int] = {}
    for arrival in sorted(history.arrivals, key=lambda a: a.at):
        row = rows.get(arrival.delivery)
        if row is None:
            continue
        if arrival.delivery in known:
            if known[arrival.delivery] != arrival.sequence:
                yield Violation("out_of_order", f"{arrival.delivery} came with another number")
            continue
        known[arrival.delivery] = arrival.sequence
        counted = row.plan, row.receiver, row.format
        number, before = numbers.get(counted, 0), newest.get((row.plan, row.receiver), 0)
        version = before if row.notice else row.version
        if arrival.sequence <= number or version < before:
            text = f"{row.receiver} got number {arrival.sequence} (version {row.version}) of"
            yield Violation("out_of_order", f"{text} {row.plan} after number {number}")
        numbers[counted] = arrival.sequence
        newest[row.plan, row.receiver] = version


def _permitted(history: History) -> Iterator[Violation]:
    rows = {d.id: d for d in history.after.deliveries}
    cases = {o.plan: o.case for o in history.ops if o.plan}
    for sending in history.after.sendings:
        row = rows[sending.delivery]
        if row.receiver == CITIZEN or row.plan not in cases:
            continue
        # A notice needs no consent: it says that there is none, and nothing of the plan.
        if not row.audited:
            yield Violation("leaked", f"{row.id} left for {row.receiver} without an audit entry")
        may = row.notice or _may(history, cases[row.plan], row.receiver, sending.committed)
        if not may:
            yield Violation("leaked", f"{row.id} began to leave for {row.receiver} after the no")
    for arrival in history.arrivals:
        found = rows.get(arrival.delivery)
        if not arrival.fetched or found is None or found.plan not in cases or found.notice:
            continue
        if not _may(history, cases[found.plan], found.receiver, arrival.begin):
            yield Violation("leaked", f"{found.id} was fetched by {found.receiver} after the no")


def _may(history: History, case: str, receiver: str, at: float) -> bool:
    """Some decision that may have been in force at that moment permits it."""
    decisions = _decisions(history, case)
    ended = [d for d in decisions if d.end is not None and d.end < at]
    in_force = decisions[len(ended) - 1 :] if ended else decisions
    return any(receiver in d.permits for d in in_force if d.begin <= at)


def _decisions(history: History, case: str) -> list[Op]:
    """One after the other: each was answered before the next was asked for."""
    found = [o for o in history.ops if o.case == case and o.kind == "decide"]
    return sorted((o for o in found if o.status != "refused"), key=lambda o: o.begin)


def _settled(history: History) -> Iterator[Violation]:
    for row in history.after.deliveries:
        by_hand = row.receiver == CITIZEN and row.state == "sent"
        waits = row.state in {"blocked", "held"} or by_hand
        scheduled = row.state == "retry_at" and row.scheduled
        if not (row.state in FINAL or scheduled or (waits and row.task)):
            yield Violation("limbo", f"{row.id} for {row.receiver} is {row.state}")
    if history.after.unsettled:
        yield Violation("limbo", f"{history.after.unsettled} withdrawals are not carried out")
    for message in history.after.inbox:
        if message.state not in _SETTLED:
            yield Violation("limbo", f"{message.message} of {message.sender} is {message.state}")


def _by_plan(ops: Iterable[Op]) -> dict[str, list[Op]]:
    found: dict[str, list[Op]] = defaultdict(list)
    for op in ops:
        if op.plan:
            found[op.plan].append(op)
    return found


_AGAIN = "register it and send the document again"
_Parts = tuple[tuple[str, str], ...]
_State = tuple[int, _Parts]


def _one_order(history: History) -> Iterator[Violation]:
    made = {(v.sender, v.message) for v in history.after.versions}
    for plan, ops in _by_plan(history.ops).items():
        calls = [Call(o, o.begin, o.end) for o in ops if _told(o)]
        # Kept sealed and to be sent again; a broker that dies before it is acknowledged does.
        again = (o for o in ops if _AGAIN in o.why and (o.by, o.message) in made)
        calls += [Call(o, o.begin, None) for o in again]
        if not calls:
            continue
        wrong = linearizable(calls, (0, ()), _step)
        if wrong is not None:
            op = wrong[-1].what
            text = f"{op.kind} {op.token} of {op.by} on {plan}: no order of {len(calls)} answers"
            yield Violation("nonlinear", f"{text} has it ({len(wrong) - 1} fit)")


def _told(op: Op) -> bool:
    """What says something of the plan's history; a refusal for other reasons does not."""
    return op.kind in {"write", "swap", "read"} and op.status != "refused"


def _step(state: _State, op: Op) -> _State | None:
    """A plan: a counter of versions, and what each part says."""
    number, parts = state
    if op.kind == "read":
        seen = tuple(sorted(op.seen.items()))
        return state if (op.version, seen) == (number, _known(parts, op)) else None
    if op.status == "stale":
        return state if op.base != number else None
    if op.kind == "swap" and op.base != number:
        return None
    if op.status == "ok" and op.version != number + 1:
        return None
    return number + 1, tuple(sorted({**dict(parts), **op.seen, op.part: op.token}.items()))


def _known(parts: _Parts, op: Op) -> _Parts:
    """A reader may not see every part; what it sees must be what is there."""
    return tuple((part, token) for part, token in parts if part in op.seen)

"""The checker on histories written by hand: a good one, and each thing that may not be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.checker import KINDS, check
from tests.faults.records import (
    Aftermath,
    Arrival,
    DeliveryRow,
    History,
    InboxRow,
    Op,
    Sending,
    VersionRow,
)

PLAN, LEAD, OTHER = "plan-1", "rus-havneby", "psyk-nordstrand"
BOTH = frozenset({LEAD, OTHER})


def op(kind: Any, begin: float, end: float | None, **more: Any) -> Op:
    given = {"by": LEAD, "case": "case-1", "plan": PLAN, "status": "ok"} | more
    return Op(kind=kind, begin=begin, end=end, **given)


def row(receiver: str, version: int, state: str = "delivered", **more: Any) -> DeliveryRow:
    return DeliveryRow(f"{receiver}-{version}", PLAN, receiver, version, state, **more)


def arrived(receiver: str, version: int, at: float, sequence: int = 0, **more: Any) -> Arrival:
    given = {"digest": f"d-{version}", "begin": at} | more
    return Arrival(receiver, f"{receiver}-{version}", sequence or version, at=at, **given)


GOOD = History(
    ops=(
        op("decide", 0, 1, plan="", permits=BOTH, message="m-0"),
        op("write", 2, 3, part="shared", token="t1", version=1, message="m-1"),
        op("swap", 4, 5, part="shared", token="t2", base=1, version=2, message="m-2"),
        op("swap", 4, 5, part="shared", token="t9", base=1, status="stale", message="m-9"),
        op("read", 6, 7, version=2, seen={"shared": "t2"}),
    ),
    arrivals=(
        arrived(LEAD, 1, 3.2), arrived(LEAD, 1, 3.3), arrived(LEAD, 2, 5.5),
        arrived(OTHER, 2, 5.6, 1, fetched=True),
    ),
    after=Aftermath(
        deliveries=(
            row(LEAD, 1), row(LEAD, 2), row(OTHER, 1, "superseded"), row(OTHER, 2),
            DeliveryRow("c", PLAN, "citizen", 2, "sent", task=True),
        ),
        sendings=(
            Sending(f"{LEAD}-1", 3.1), Sending(f"{LEAD}-2", 5.1), Sending(f"{OTHER}-2", 5.2),
        ),
        versions=(
            VersionRow(PLAN, 1, LEAD, "m-1", {"shared": "t1"}),
            VersionRow(PLAN, 2, LEAD, "m-2", {"shared": "t2"}),
        ),
        inbox=(InboxRow(LEAD, "m-1", "applied"), InboxRow(LEAD, "m-9", "refused")),
    ),
    every_version=frozenset({LEAD}),
    on_approval=frozenset({"laege"}),
)  # fmt: skip
WITHDRAWN = op("decide", 5.3, 5.4, permits=frozenset(), message="m-3")


def kinds(history: History) -> list[str]:
    found = check(history)
    assert all(v.kind in KINDS for v in found)
    return [v.kind for v in found]


def after(**changes: Any) -> History:
    return replace(GOOD, after=replace(GOOD.after, **changes))


def test_a_good_history_is_good() -> None:
    assert check(GOOD) == []


def test_an_acknowledged_version_is_missing() -> None:
    found = check(after(versions=GOOD.after.versions[:1]))
    assert [v.kind for v in found] == ["lost"]
    assert "version 2" in found[0].text


def test_an_acknowledged_version_was_made_by_another_message() -> None:
    other = replace(GOOD.after.versions[1], message="m-77")
    assert kinds(after(versions=(GOOD.after.versions[0], other))) == ["lost"]


def test_an_acknowledged_version_does_not_say_it() -> None:
    other = replace(GOOD.after.versions[1], tokens={"shared": "t1"})
    assert kinds(after(versions=(GOOD.after.versions[0], other))) == ["lost"]


@pytest.mark.parametrize("missing", [(LEAD, 2), (OTHER, 2)])
def test_the_newest_version_never_reached_a_receiver(missing: tuple[str, int]) -> None:
    left = tuple(a for a in GOOD.arrivals if a.delivery != f"{missing[0]}-{missing[1]}")
    assert kinds(replace(GOOD, arrivals=left)) == ["lost"]


def test_every_version_means_every_version() -> None:
    left = tuple(a for a in GOOD.arrivals if a.delivery != f"{LEAD}-1")
    assert kinds(replace(GOOD, arrivals=left)) == ["lost"]
    assert kinds(replace(GOOD, arrivals=left, every_version=frozenset())) == []


def test_whoever_a_person_must_act_for_has_not_lost_it() -> None:
    blocked = row(OTHER, 2, "blocked", task=True)
    history = after(
        deliveries=(*(d for d in GOOD.after.deliveries if d.id != blocked.id), blocked),
        sendings=GOOD.after.sendings[:2],
    )
    left = tuple(a for a in GOOD.arrivals if a.receiver != OTHER)
    assert kinds(replace(history, arrivals=left)) == []


def test_whoever_is_not_permitted_any_more_needs_nothing() -> None:
    left = tuple(a for a in GOOD.arrivals if a.receiver != OTHER)
    said = op("decide", 8, 9, permits=frozenset({LEAD}), message="m-4")
    assert kinds(replace(GOOD, arrivals=left, ops=(*GOOD.ops, said))) == []


@pytest.mark.parametrize(("base", "expected"), [(2, ["lost"]), (1, [])])
def test_what_the_citizen_approved_must_arrive(base: int, expected: list[str]) -> None:
    said = op("decide", 0.5, 1, plan="", permits=frozenset({*BOTH, "laege"}), message="m-0")
    approved = op("approve", 8, 9, base=base, message="m-5")
    history = replace(GOOD, ops=(said, *GOOD.ops[1:], approved))
    assert kinds(history) == expected


def test_something_arrived_that_the_hub_does_not_know() -> None:
    stray = replace(GOOD.arrivals[0], delivery="of-nobody")
    assert kinds(replace(GOOD, arrivals=(*GOOD.arrivals, stray))) == ["lost"]


def test_one_message_made_two_versions() -> None:
    again = VersionRow(PLAN, 3, LEAD, "m-2", {"shared": "t2"})
    assert kinds(after(versions=(*GOOD.after.versions, again))) == ["duplicated"]


def test_a_resend_was_answered_otherwise() -> None:
    again = op("again", 8, 9, message="m-1", version=3)
    assert kinds(replace(GOOD, ops=(*GOOD.ops, again))) == ["duplicated"]
    assert kinds(replace(GOOD, ops=(*GOOD.ops, replace(again, version=1)))) == []


def twice() -> History:
    """The other unit gets version 2 under a second id, at 6.5."""
    second = DeliveryRow("second", PLAN, OTHER, 2, "delivered")
    came = replace(arrived(OTHER, 2, 6.6, 2), delivery="second")
    history = after(
        deliveries=(*GOOD.after.deliveries, second),
        sendings=(*GOOD.after.sendings, Sending("second", 6.5)),
    )
    return replace(history, arrivals=(*GOOD.arrivals, came))


def test_one_version_came_under_two_ids() -> None:
    assert kinds(twice()) == ["duplicated"]


def test_after_a_decision_a_version_may_be_made_anew() -> None:
    again = op("decide", 6.0, 6.2, permits=BOTH, message="m-6")
    assert kinds(replace(twice(), ops=(*GOOD.ops, again))) == []
    early = op("decide", 5.0, 5.1, permits=BOTH, message="m-6")
    assert kinds(replace(twice(), ops=(*GOOD.ops, early))) == ["duplicated"]


def test_a_resend_has_other_bytes() -> None:
    other = replace(GOOD.arrivals[1], digest="d-other")
    history = replace(GOOD, arrivals=(GOOD.arrivals[0], other, *GOOD.arrivals[2:]))
    assert kinds(history) == ["duplicated"]
    assert kinds(replace(history, renewed=frozenset({"fhir"}))) == []


def test_a_later_message_came_first() -> None:
    first = (arrived(LEAD, 2, 3.0), arrived(LEAD, 1, 4.0))
    history = replace(GOOD, arrivals=(*first, *GOOD.arrivals[3:]))
    assert kinds(history) == ["out_of_order"]


def test_each_format_has_numbers_of_its_own() -> None:
    other = replace(GOOD.arrivals[2], delivery="n", sequence=1, at=5.7)
    notice = DeliveryRow("n", PLAN, LEAD, 2, "delivered", notice=True, format="ki-notice")
    history = replace(after(deliveries=(*GOOD.after.deliveries, notice)),
                      arrivals=(*GOOD.arrivals, other))  # fmt: skip
    assert kinds(history) == []
    same = replace(notice, format="fhir")
    history = replace(after(deliveries=(*GOOD.after.deliveries, same)), arrivals=history.arrivals)
    assert kinds(history) == ["out_of_order"]


def test_a_resend_has_another_number() -> None:
    other = replace(GOOD.arrivals[1], sequence=9)
    history = replace(GOOD, arrivals=(GOOD.arrivals[0], other, *GOOD.arrivals[2:]))
    assert kinds(history) == ["out_of_order"]


def test_it_began_to_leave_after_the_withdrawal() -> None:
    ops = (*GOOD.ops, WITHDRAWN)
    late = (*GOOD.after.sendings, Sending(f"{OTHER}-2", 5.45))
    history = replace(after(sendings=late), ops=ops, arrivals=GOOD.arrivals[:3])
    assert kinds(history) == ["leaked"]


def test_it_began_to_leave_while_the_withdrawal_was_asked_for() -> None:
    late = (*GOOD.after.sendings, Sending(f"{OTHER}-2", 5.35))
    history = replace(after(sendings=late), ops=(*GOOD.ops, WITHDRAWN), arrivals=GOOD.arrivals[:3])
    assert kinds(history) == []


def test_a_new_consent_permits_again() -> None:
    late = (*GOOD.after.sendings, Sending(f"{OTHER}-2", 7.0))
    again = op("decide", 6.8, 7.2, permits=BOTH, message="m-6")
    history = replace(after(sendings=late), ops=(*GOOD.ops, WITHDRAWN, again))
    assert kinds(replace(history, arrivals=GOOD.arrivals[:3])) == ["lost"]
    came = arrived(OTHER, 2, 7.1, 1)
    assert kinds(replace(history, arrivals=(*GOOD.arrivals[:3], came))) == []


def test_it_was_fetched_after_the_withdrawal() -> None:
    assert kinds(replace(GOOD, ops=(*GOOD.ops, WITHDRAWN))) == ["leaked"]


def test_a_notice_of_the_withdrawal_is_no_leak_and_no_copy_of_the_plan() -> None:
    notice = DeliveryRow("notice", PLAN, OTHER, 2, "delivered", notice=True)
    came = replace(arrived(OTHER, 2, 6, 2), delivery="notice", fetched=False)
    history = after(
        deliveries=(*GOOD.after.deliveries, notice),
        sendings=(*GOOD.after.sendings, Sending("notice", 5.9)),
    )
    told = replace(history, ops=(*GOOD.ops, WITHDRAWN), arrivals=(*GOOD.arrivals[:3], came))
    assert kinds(told) == []
    assert kinds(replace(told, ops=GOOD.ops)) == ["lost"]


def test_a_withdrawal_is_not_carried_out_to_the_end() -> None:
    assert kinds(after(unsettled=1)) == ["limbo"]


def test_it_left_without_an_audit_entry() -> None:
    rows = tuple(
        replace(d, audited=False) if d.id == f"{LEAD}-1" else d for d in GOOD.after.deliveries
    )
    assert kinds(after(deliveries=rows)) == ["leaked"]


@pytest.mark.parametrize("state", ["due", "sending", "sent", "retry_at", "blocked", "held"])
def test_a_delivery_is_in_limbo(state: str) -> None:
    rows = (*GOOD.after.deliveries, row("social-havneby", 2, state))
    assert kinds(after(deliveries=rows)) == ["limbo"]


@pytest.mark.parametrize("waits", [{"state": "retry_at", "scheduled": True},
                                   {"state": "blocked", "task": True}])  # fmt: skip
def test_what_is_scheduled_or_a_person_s_is_not(waits: dict[str, Any]) -> None:
    rows = (*GOOD.after.deliveries, row("social-havneby", 2, **waits))
    assert kinds(after(deliveries=rows)) == []


@pytest.mark.parametrize("state", ["received", "set-aside"])
def test_a_message_is_in_limbo(state: str) -> None:
    assert kinds(after(inbox=(InboxRow(LEAD, "m-1", state),))) == ["limbo"]


def test_a_read_saw_what_no_order_allows() -> None:
    wrong = replace(GOOD.ops[4], seen={"shared": "t1"})
    assert kinds(replace(GOOD, ops=(*GOOD.ops[:4], wrong))) == ["nonlinear"]


def test_two_writers_were_told_the_same_version() -> None:
    twice = op("swap", 4, 5, part="shared", token="t3", base=1, version=2, message="m-2")
    found = kinds(replace(GOOD, ops=(*GOOD.ops[:3], twice, *GOOD.ops[4:])))
    assert "nonlinear" in found


def test_a_refusal_for_a_version_that_was_the_newest_has_no_order() -> None:
    wrong = op("swap", 8, 9, part="shared", token="t9", base=2, status="stale", message="m-9")
    assert kinds(replace(GOOD, ops=(*GOOD.ops, wrong))) == ["nonlinear"]


def test_what_was_refused_is_seen() -> None:
    refused = op("write", 5.5, 5.6, part="psyk", token="t7", status="refused", message="m-7")
    seen = replace(GOOD.ops[4], seen={"shared": "t2", "psyk": "t7"})
    assert kinds(replace(GOOD, ops=(*GOOD.ops[:4], refused, seen))) == ["nonlinear"]


@pytest.mark.parametrize(("why", "found"), [
    ("403 No consent; register it and send the document again", []),
    ("400 Something else is wrong", ["nonlinear"]),
])  # fmt: skip
def test_what_was_to_be_sent_again_and_was_has_its_place(why: str, found: list[str]) -> None:
    """The broker may do it: the consent came, and a message that it had not had back."""
    refused = op("write", 5.5, 5.6, part="psyk", token="t7", status="refused", message="m-7")
    seen = replace(GOOD.ops[4], seen={"shared": "t2", "psyk": "t7"}, version=3, begin=7, end=8)
    (*_, newest) = GOOD.after.versions
    made = replace(newest, number=3, sender=refused.by, message="m-7",
                   tokens={**newest.tokens, "psyk": "t7"})  # fmt: skip
    history = after(versions=(*GOOD.after.versions, made))
    ops = (*GOOD.ops[:4], replace(refused, why=why), seen)
    assert [k for k in kinds(replace(history, ops=ops)) if k == "nonlinear"] == found

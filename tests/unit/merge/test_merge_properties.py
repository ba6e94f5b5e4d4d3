"""What merging promises, for generated plans and edits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from hub.fhir.extract import sections
from hub.model.merge import changes, dangling, merge, one_lead, restored
from hub.model.pieces import ORDER, OTHER, RANKED, joined, listed
from hub.model.reduction import permitted
from tests.unit.merge.merge_plans import EDITS, PLAN, SECTIONS, Edit, Shared, edited, plans, taken

SOME = st.lists(EDITS, max_size=4)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def touched(base: Shared, after: Shared) -> set[str]:
    """The pieces that the edits changed, the lists they added to or took from included."""
    one, other = taken(base), taken(after)
    found = {k for k in {*one.values, *other.values} if one.values.get(k) != other.values.get(k)}
    names = {listed(k, {**one.values, **other.values}[k]) for k in found}
    lists = {n for n in names if n and one.orders.get(n) != other.orders.get(n)}
    lists |= {n for n in RANKED if one.orders.get(n) != other.orders.get(n)}
    return found | {f"{ORDER}{n}" for n in lists}


@given(plans())
def test_taken_apart_and_put_together_again_it_is_the_same(plan: Shared) -> None:
    again = joined(taken(plan))
    assert again == plan
    assert list(again) == list(plan)


@given(plans(), SOME)
def test_what_one_writes_on_the_newest_is_what_stands(base: Shared, edits: list[Edit]) -> None:
    theirs = edited(base, edits)
    for merged in (
        merge(taken(base), taken(theirs), taken(base)),
        merge(taken(base), taken(base), taken(theirs)),
        merge(taken(base), taken(theirs), taken(theirs)),
    ):
        assert joined(merged.pieces) == theirs
        assert merged.conflicts == ()


@given(plans(), SOME, SOME)
def test_disjoint_changes_commute(base: Shared, first: list[Edit], second: list[Edit]) -> None:
    a, b = edited(base, first, "x"), edited(base, second, "y")
    assume(not touched(base, a) & touched(base, b))
    one = merge(taken(base), taken(a), taken(b))
    other = merge(taken(base), taken(b), taken(a))
    assume(not one.conflicts)
    assert one.pieces.values == other.pieces.values
    assert {n: one.pieces.orders.get(n) for n in RANKED} == {
        n: other.pieces.orders.get(n) for n in RANKED
    }
    for key in touched(base, a):
        if key in one.pieces.values and not key.startswith(OTHER):
            assert one.pieces.values[key] == taken(a).values[key]


@given(plans(), SOME, SOME)
def test_nothing_is_invented_and_it_holds_together(
    base: Shared, first: list[Edit], second: list[Edit]
) -> None:
    a, b = edited(base, first, "x"), edited(base, second, "y")
    merged = merge(taken(base), taken(a), taken(b))
    result = joined(merged.pieces)
    known = {x for r in (base, a, b) for x in leaves(r) if not isinstance(x, int)}
    assert {x for x in leaves(result) if not isinstance(x, int)} <= known
    assert dangling(merged.pieces, {**base, **a, **b}) == set()
    assert one_lead(merged.pieces)
    assert all(result[PLAN][name] for name in RANKED)
    for name in RANKED:
        ranks = [x["extension"][0]["valuePositiveInt"] for x in result[PLAN][name]]
        assert len(set(ranks)) == len(ranks)


@given(plans(), SOME, SOME)
def test_every_change_of_theirs_is_there_or_in_a_conflict(
    base: Shared, first: list[Edit], second: list[Edit]
) -> None:
    a, b = edited(base, first, "x"), edited(base, second, "y")
    merged = merge(taken(base), taken(a), taken(b))
    kept = {c.piece for c in merged.conflicts}
    for change in changes(taken(base), taken(a)):
        if change.piece.startswith(ORDER) or change.piece in kept:
            continue
        assert merged.pieces.values.get(change.piece) == change.theirs
    for conflict in merged.conflicts:
        if not conflict.piece.startswith(ORDER):
            assert merged.pieces.values.get(conflict.piece) == conflict.current


def seen_by(plan: Shared, hidden: set[str]) -> Shared:
    return permitted(plan, lambda item: not hidden & set(sections(item)))[0]


HIDDEN = st.sets(st.sampled_from(SECTIONS))


@given(plans(), HIDDEN, SOME, st.booleans(), st.booleans())
def test_a_reduced_copy_sent_back_unchanged_changes_nothing(
    base: Shared, hidden: set[str], since: list[Edit], complete: bool, ordered: bool
) -> None:
    seen = taken(seen_by(base, hidden))
    back = restored(seen, seen, taken(base), complete=complete, ordered=ordered)
    assert joined(back) == base
    now = edited(base, since, "y")
    merged = merge(taken(base), back, taken(now))
    assert joined(merged.pieces) == now
    assert merged.conflicts == ()


@given(plans(), HIDDEN, SOME)
def test_what_a_sender_could_not_see_is_never_changed(
    base: Shared, hidden: set[str], edits: list[Edit]
) -> None:
    seen = seen_by(base, hidden)
    assume(all(seen[PLAN].get(n) for n in RANKED))
    sent = edited(seen, edits)
    back = restored(taken(seen), taken(sent), taken(base), complete=True, ordered=True)
    for key, value in taken(base).values.items():
        if key not in taken(seen).values:
            assert back.values[key] == value
    for activity in base[PLAN]["activity"]:
        secret = {g["reference"] for g in activity["detail"].get("goal", ())} - set(seen)
        left = back.values.get(f"intervention/{activity['id']}")
        if left is not None:
            kept = {g["reference"] for g in left["link"]["detail"].get("goal", ())}
            assert secret <= kept


@given(plans(), SOME)
def test_nothing_is_deleted_or_moved_by_a_format_that_says_neither(
    base: Shared, edits: list[Edit]
) -> None:
    sent = edited(base, edits)
    back = restored(taken(base), taken(sent), taken(base), complete=False, ordered=False)
    assert {k for k in taken(base).values if not k.startswith(OTHER)} <= set(back.values)
    for name in RANKED:
        before = taken(base).orders[name]
        assert back.orders[name][: len(before)] == before

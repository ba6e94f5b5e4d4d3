"""What differs between what was given of others' parts and what came back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.said import differences
from hub.others import THE_SHARED_PART, OtherItem, OtherPlan, SaidOfOther

OTHER = OtherPlan(kind="vum", owner="Havneby")


def said(
    *texts: str, item: OtherItem | None = "goal", plan: OtherPlan = THE_SHARED_PART
) -> list[SaidOfOther]:
    return [SaidOfOther(f"/P/G[{n}]", plan, item, text) for n, text in enumerate(texts, 1)]


def found(before: list[SaidOfOther], after: list[SaidOfOther]) -> tuple[list[str], list[str]]:
    made = differences(before, after)
    assert len(made) == len(made.changed) + len(made.more)
    return [f"{b.text} > {e.text}" for b, e in made.changed], [e.text for e in made.more]


@pytest.mark.parametrize(
    ("before", "after", "changed", "more"),
    [
        ("a b|c d", "a b|c d", [], []),
        ("a b|c d", "c d|a b", [], []),
        ("a b|c d", "a   b|c\nd", [], []),
        ("a b|c d|e", "c d", [], []),
        ("a b|c d", "", [], []),
        ("a b|c d", "a b|", [], []),
        ("a b|c d", "a b|x", ["c d > x"], []),
        ("a b|c d e|f", "c d x", ["c d e > c d x"], []),
        ("a b|c d|f", "x y", [], ["x y"]),
        ("a b", "a b|x y", [], ["x y"]),
        ("a b", "a b|a b", [], ["a b"]),
        ("a b|a b", "a b|a x", ["a b > a x"], []),
        ("a b c|d e f", "d e x|a b y", ["d e f > d e x", "a b c > a b y"], []),
    ],
)
def test_an_item_is_known_by_its_words_or_its_place(
    before: str, after: str, changed: list[str], more: list[str]
) -> None:
    assert found(said(*before.split("|")), said(*after.split("|"))) == (changed, more)


def test_the_hub_s_own_id_goes_before_words_and_place() -> None:
    one, two = (replace(s, id=n) for s, n in zip(said("a b", "c d"), "12", strict=True))
    moved = [replace(two, text="a b"), one]
    assert found([one, two], moved) == (["c d > a b"], [])
    assert found([one, two], [replace(one, id="3", text="e")]) == ([], ["e"])


def test_each_owner_s_list_is_its_own() -> None:
    before = [*said("a b"), *said("c d", plan=OTHER)]
    after = [*said("c d"), *said("a b", plan=OTHER)]
    assert found(before, after) == (["a b > c d", "c d > a b"], [])
    assert found(said("a"), said("a", plan=OTHER)) == ([], ["a"])


def test_another_s_note_is_not_this_one_in_other_words() -> None:
    (note,) = said("a b c", item="status-note")
    one = replace(note, label="Botilbuddet")
    assert found([one], [replace(one, text="a b d")]) == (["a b c > a b d"], [])
    assert found([one], [replace(one, label="Psykiatrien", text="a b d")]) == ([], ["a b d"])


def test_what_is_no_item_only_differs() -> None:
    assert found(said("1", "2", item=None), said("2", "3", item=None)) == ([], ["3"])


def test_who_rewrites_everything_says_nothing_of_one_item() -> None:
    before = said(*(f"a{n} b c" for n in range(120)))
    after = said(*(f"x{n} b c" for n in range(119)))
    changed, more = found(before, after)
    assert (changed, len(more)) == ([], 119)


TEXTS = st.lists(st.text("abc \n", max_size=6), max_size=6)


@given(TEXTS, st.data())
def test_what_is_left_out_or_moved_is_never_a_change(texts: list[str], data: st.DataObject) -> None:
    kept = [t for t in data.draw(st.permutations(texts)) if data.draw(st.booleans())]
    assert found(said(*texts), said(*kept)) == ([], [])


@given(TEXTS, TEXTS)
def test_every_change_is_of_one_thing_given(before: list[str], after: list[str]) -> None:
    made = differences(given_ := said(*before), sent := said(*after))
    was = [b.at for b, _ in made.changed]
    assert len(was) == len(set(was))
    assert set(was) <= {s.at for s in given_}
    told = [e.at for _, e in made.changed] + [e.at for e in made.more]
    assert len(told) == len(set(told))
    unsaid = {s.at for s in sent} - set(told)
    words = {" ".join(s.text.split()) for s in given_} | {""}
    assert all(" ".join(s.text.split()) in words for s in sent if s.at in unsaid)

"""A piece in lines for a person, and in a person's own words."""

from __future__ import annotations

from typing import Any

import pytest

from hub.model.deciding import UndecidableError, accepted, reworded
from hub.model.pieces import joined, split
from hub.model.wording import lines, text_of
from tests.views import PLAN_1, view_of

RESOURCES = dict(view_of(PLAN_1).resources)
ROOT = next(iter(RESOURCES))
PIECES = split(RESOURCES, ROOT)
KEYS = {k.partition("/")[0]: k for k in PIECES.values}


def said(piece: str, value: Any = None) -> list[str]:
    return lines(piece, PIECES.values[piece] if value is None else value, RESOURCES, PIECES)


def test_the_text_comes_first_and_references_are_named() -> None:
    first, *rest = said("intervention/indsats-1")
    assert first.startswith("Karla og behandleren taler igennem")
    assert "goal: Karla finder ud af, hvad hun selv vil med sin hash" in rest
    assert "success-criterion: Karla kan med egne ord sige" in " ".join(rest)
    assert said("plan/title") == ["Koordinerende indsatsplan"]
    assert said("plan/author") == ["author: Mette Prøveholm"]
    assert said("next-meeting")[0] == "time: slut november – start december"


def test_a_challenge_with_a_label_is_its_text() -> None:
    first, *rest = said(KEYS["challenge"])
    assert first.startswith("Alle de nye venner ryger")
    assert rest == ["section: social", "code: Netværket"]


def test_a_code_that_is_no_word_is_its_display() -> None:
    ffb = {
        "system": "urn:oid:1.2.208.176.2.22",
        "code": "e7c8b42e-b882-4629-8e03-65e44b1aa3e3",
        "display": "Støtte til behandling",
    }
    own = {"system": "https://ki-hub.example/fhir/CodeSystem/ki-role", "code": "lead"}
    link = {"detail": {"code": {"coding": [ffb, own]}, "description": "Støtte"}}
    assert said("intervention/x", {"list": "activity", "link": link}) == [
        "Støtte", "code: Støtte til behandling", "code: lead",
    ]  # fmt: skip
    bare = {"detail": {"code": {"coding": [{"code": ffb["code"]}]}}}
    assert said("intervention/x", {"link": bare}) == [f"code: {ffb['code']}"]


def test_an_order_is_the_items_in_order() -> None:
    order = [k for k, _ in PIECES.orders["goal"]]
    assert said("order/goal", order[::-1])[0].startswith("1. Flere bekendtskaber")
    assert said("order/goal", [*order, "goal/hidden"]) == said("order/goal", order)


@pytest.mark.parametrize("kind", ["challenge", "goal", "intervention", "status-note"])
def test_in_other_words_the_rest_stays(kind: str) -> None:
    piece = KEYS[kind]
    made = reworded(PIECES, piece, None, "Et andet ord")
    assert text_of(piece, made.values[piece]) == "Et andet ord"
    back = reworded(made, piece, None, text_of(piece, PIECES.values[piece]))
    assert joined(back) == RESOURCES


def test_what_is_no_text_has_no_other_words() -> None:
    for piece in ("next-meeting", "plan/author", KEYS["participant"]):
        with pytest.raises(UndecidableError):
            reworded(PIECES, piece, None, "x")


def test_what_the_plan_still_needs_is_not_taken_away() -> None:
    goal = PIECES.orders["goal"][0][0]
    with pytest.raises(UndecidableError, match="refers to it"):
        accepted(PIECES, goal, PIECES.values[goal], None, {})
    lead = next(k for k, v in PIECES.values.items() if "'lead'" in str(v) and "participant/" in k)
    with pytest.raises(UndecidableError, match="one lead"):
        accepted(PIECES, lead, PIECES.values[lead], None, {})


def test_an_accepted_order_keeps_the_ranks() -> None:
    order = [k for k, _ in PIECES.orders["goal"]]
    made = accepted(PIECES, "order/goal", order, [order[2], order[0]], {})
    assert made.orders["goal"] == ((order[2], 1), (order[0], 2), (order[1], 3))

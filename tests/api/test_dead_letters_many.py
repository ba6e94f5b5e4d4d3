"""Many dead letters at once: seen and counted first, then exactly those, each by itself."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.operating import audited
from tests.api.test_dead_letters import LIMIT, WHY, dies, letters
from tests.api.world import OPERATOR, PSYK, RUS, TREATMENT, World, problem

RECEIPT = b'{"delivery": "nothing", "outcome": "ok"}'


def ask(world: World, what: str, **said: Any) -> httpx.Response:
    url = f"/operations/dead-letters/{what}"
    return world.request("POST", url, OPERATOR, json=said)


def seen(world: World, **said: Any) -> dict[str, Any]:
    found: dict[str, Any] = ask(world, "preview", **said).json()
    return found


@pytest.fixture
def troubled(world: World) -> World:
    """Two documents, a receipt for nothing, and what nobody can say anything of."""
    dies(world, TREATMENT, message_id="m-1")
    world.clock.advance(minutes=10)
    dies(world, TREATMENT + b" ", message_id="m-2")
    dies(world, RECEIPT, user=RUS, format="", message_id="m-3", reason="rejected in ki.receipts")
    dies(world, b"x", user="", format="", message_id=None, reason="rejected in other")
    assert len(letters(world)) == 4
    return world


def test_a_preview_counts_and_changes_nothing(troubled: World) -> None:
    found = seen(troubled, act="replay", because="in")
    assert (found["count"], found["refused"]) == (3, 1)
    (why,) = found["refused_because"]
    assert why.startswith("It cannot be put back")
    assert seen(troubled, act="discard", because="IN KI")["count"] == 3
    assert len(letters(troubled)) == 4


def test_filters_narrow_each_other(troubled: World) -> None:
    first, second, receipt, _ = [x["letter"] for x in letters(troubled)]

    def which(**said: Any) -> list[str]:
        return [x["letter"] for x in seen(troubled, act="discard", **said)["letters"]]

    at = letters(troubled)[1]["at"]
    assert which(way="document") == [first, second]
    assert which(way="document", since=at) == [second]
    assert which(way="document", until=at) == [first]
    assert which(sender=RUS) == [receipt]
    assert which(queue="ki.receipts", sender=PSYK) == []
    assert which(format="behandlingsplan", letters=[second, receipt]) == [second]


def test_what_was_seen_is_put_back_and_what_cannot_be_stays(troubled: World) -> None:
    said = {"act": "replay", "because": "in ki"}
    token = seen(troubled, **said)["token"]
    done = ask(troubled, "act", **said, reason=WHY, token=token).json()
    assert (done["done"], done["refused"]) == (2, 1)
    (left,) = [x for x in done["letters"] if x["refused"]]
    assert left["became"] is None
    assert [x["way"] for x in letters(troubled)] == ["receipt", "unknown"]
    assert len(audited(troubled, "replay")) == 2


def test_nothing_is_done_if_it_is_no_longer_what_was_seen(troubled: World) -> None:
    said = {"act": "discard", "way": "document"}
    token = seen(troubled, **said)["token"]
    dies(troubled, TREATMENT + b"  ", message_id="m-4", reason=LIMIT)
    problem(ask(troubled, "act", **said, reason=WHY, token=token), 412)
    assert len(letters(troubled)) == 5
    again = seen(troubled, **said)
    assert again["count"] == 3
    done = ask(troubled, "act", **said, reason=WHY, token=again["token"]).json()
    assert (done["done"], done["refused"]) == (3, 0)
    assert [x["way"] for x in letters(troubled)] == ["receipt", "unknown"]
    assert len(audited(troubled, "discard")) == 3


def test_all_there_are_is_never_meant(troubled: World) -> None:
    problem(ask(troubled, "preview", act="discard"), 422)
    problem(ask(troubled, "act", act="discard", reason=WHY, token="x"), 422)
    problem(ask(troubled, "preview", act="discard", since="2026-09-20T10:00:00"), 422)
    assert len(letters(troubled)) == 4


def test_a_reason_that_cannot_be_kept_stops_it(troubled: World) -> None:
    said = {"act": "discard", "way": "document"}
    token = seen(troubled, **said)["token"]
    problem(ask(troubled, "act", **said, reason="  ", token=token), 422)
    assert len(letters(troubled)) == 4

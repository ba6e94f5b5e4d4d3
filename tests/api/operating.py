"""What an operator does over HTTP: look first, then do exactly that."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.world import OPERATOR, World

WHY = "Modtageren har fået ny postkasse"


def look(world: World, act: str, **wanted: Any) -> dict[str, Any]:
    """The preview."""
    answer = world.request(
        "POST", "/operations/deliveries/preview", OPERATOR, json={"act": act} | wanted
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ask(world: World, act: str, token: str, reason: str = WHY, **wanted: Any) -> httpx.Response:
    """Do what was previewed under that token."""
    body = {"act": act, "reason": reason, "token": token} | wanted
    return world.request("POST", "/operations/deliveries/act", OPERATOR, json=body)


def done(world: World, act: str, **wanted: Any) -> dict[str, Any]:
    """Look, do, and wait for the worker; the action with what became of each delivery."""
    answer = ask(world, act, look(world, act, **wanted)["token"], **wanted)
    assert answer.status_code == 202, answer.text
    world.work()
    found: dict[str, Any] = world.get(answer.headers["Location"], OPERATOR).json()
    assert found["done_at"] is not None
    return found


def why_not(world: World, act: str, delivery: str) -> str:
    """Why the act is refused for that delivery."""
    (found,) = look(world, act, deliveries=[delivery])["deliveries"]
    assert found["refused"], found
    return str(found["refused"])


def audited(world: World, action: str) -> list[dict[str, Any]]:
    """Rows of the trail with that action, newest first."""
    answer = world.get(f"/operations/audit?action={action}", OPERATOR)
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows

"""Tasks that nothing in the hub shows to be done but a person's word."""

from __future__ import annotations

from typing import Final

from hub.contract import Party
from hub.errors import Invalid, NotFound
from hub.model.party import Viewer
from hub.services.hub import Hub

WITHDRAWN: Final = "withdrawn"
IN_ERROR: Final = "entered-in-error"
SAID: Final = frozenset({WITHDRAWN, IN_ERROR})
"""Kinds: what a withdrawal or a correction asks of a unit's people happens outside the hub."""


def seen_to(hub: Hub, by: Party, task_id: str, person: str) -> None:
    """A named person of the unit that was asked has seen to it; the task is done.

    Raises NotFound for any other task: for this unit there is none that waits for its word.
    """
    if not person.strip():
        raise Invalid("Say who does it")
    with hub.store.writing() as work:
        mine = work.journal.tasks(Viewer.of(by))
        task = next((t for t in mine if t.id == task_id and t.kind in SAID), None)
        if task is None:
            raise NotFound("No such task waits for you")
        now, actor = hub.clock(), f"{by.id}: {person}"
        work.journal.close_tasks(actor, now, task_id=task.id)
        work.journal.audit(
            now, actor, "seen-to", f"task/{task.id}", party=by.id, plan_id=task.plan_id,
            detail=task.kind,
        )  # fmt: skip
        work.commit()

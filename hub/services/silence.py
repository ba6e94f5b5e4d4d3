"""A receiver that has something waiting and fetches and answers nothing: one task, once, until it
is heard of again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from hub.model.records import Task
from hub.model.strays import silent
from hub.services.hub import Hub, repeatable
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
ACTOR: Final = "hub"
SILENT: Final = "silent"
"""The kind of the task."""


@dataclass(frozen=True)
class Contact:
    """One receiver."""

    waits_since: datetime | None
    """Since when the oldest waits for it; None: nothing does."""
    heard_at: datetime | None
    """When it last fetched or answered anything; None: not since that is written down."""
    silent: bool
    """The operator has a task."""


def heard_from(work: UnitOfWork, party: str, now: datetime) -> None:
    """It fetched or answered something; in the transaction of that."""
    if work.standing.hear(party, now):
        work.journal.close_tasks(party, now, task_id=_task_id(party))


def watch_silence(hub: Hub) -> int:
    """Ask the operator about each receiver that is silent now, and no more about the others;
    returns how many are."""
    now = hub.clock()
    with hub.store.reading() as work:
        quiet = _silent(hub, work, now)
        known = {t.id for t in work.journal.open_of(kind=SILENT)}
    wanted = {_task_id(party): party for party in quiet}
    if wanted.keys() == known:
        return len(quiet)
    with hub.store.writing() as work:
        quiet = _silent(hub, work, now)
        for task_id, party in wanted.items():
            if task_id not in known and party in quiet:
                text = (
                    f"{party}: something waits for it, and it fetches and answers nothing; call it"
                )
                work.journal.open_task(Task(task_id, SILENT, OPERATOR, text, None, None, None, now))
                LOG.warning("receiver.silent", party=party)
        for task_id in known - wanted.keys():
            work.journal.close_tasks(ACTOR, now, task_id=task_id)
        work.commit()
    return len(quiet)


def contacts(work: UnitOfWork) -> Mapping[str, Contact]:
    """Every party that anything waits for or that was heard of."""
    waits, heard = work.standing.waited_for(), work.standing.heard()
    told = {t.id for t in work.journal.open_of(kind=SILENT)}
    return {
        party: Contact(waits.get(party), heard.get(party), _task_id(party) in told)
        for party in waits.keys() | heard.keys()
    }


def _silent(hub: Hub, work: UnitOfWork, now: datetime) -> set[str]:
    waits, heard = work.standing.waited_for(), work.standing.heard()
    own = {p.party.id: p.silent_hours for p in work.parties.all()}

    def hours(party: str) -> int:
        mine = own.get(party)
        return hub.limits.silent_hours if mine is None else mine

    return {p for p, since in waits.items() if silent(since, heard.get(p), now, hours(p))}


def _task_id(party: str) -> str:
    return repeatable("task", SILENT, party)

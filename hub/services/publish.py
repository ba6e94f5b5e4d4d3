"""A changed part becomes the plan's next version; everyone's rows follow, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.contract import Party
from hub.model.party import Directory
from hub.model.plan import SHARED
from hub.model.records import Part, Plan
from hub.services.attach import gather
from hub.services.hub import Hub
from hub.services.route import reconcile
from hub.services.versions import next_version
from hub.store.work import UnitOfWork


@dataclass(frozen=True)
class Published:
    """What became of it."""

    number: int
    changed: bool
    """It is a new version."""
    strangers: tuple[str, ...]
    """Paths of members that are no party here."""


def publish(
    hub: Hub,
    work: UnitOfWork,
    plan: Plan,
    part: Part,
    directory: Directory,
    by: Party,
    *,
    status: str,
    actor: str | None = None,
    source: str | None = None,
    written_on: int | None = None,
) -> Published:
    """The next version with this part as it is saved; see :func:`next_version`.

    ``status``: what the part's CarePlan says of its life; the shared part's is the plan's.
    """
    joined: list[Part] = []
    if part.kind == SHARED:
        plan = replace(plan, status=status)
        work.plans.set_status(plan.id, status)
        joined = gather(work, plan, directory, now_parts=part, hub=hub)
    number, changed = next_version(
        hub, work, plan, by, actor=actor, source=source, written_on=written_on
    )
    for one in joined:
        work.inbox.join(one.source_inbox or "", (plan.id, number))
    strangers = reconcile(hub, work, plan.id, directory, actor=actor or by.id)
    return Published(number, changed, strangers)

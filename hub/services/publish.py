"""A changed part becomes the plan's next version; everyone's rows follow, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.contract import Party
from hub.model.party import Directory
from hub.model.plan import SHARED
from hub.model.protection import is_hidden
from hub.model.records import Part, Plan
from hub.services.attach import gather
from hub.services.hub import Hub
from hub.services.route import reconcile
from hub.services.versions import next_version
from hub.services.withdrawal import call_back_all
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
    if changed and number > 1 and _hides(work, plan, number) > _hides(work, plan, number - 1):
        # What lies in the hub's own mailboxes was taken back by the rows that followed.
        call_back_all(hub, work, plan.id)
    return Published(number, changed, strangers)


def _hides(work: UnitOfWork, plan: Plan, number: int) -> bool:
    """The citizen is protected by what the version says."""
    version = work.plans.version(plan.id, number)
    assert version is not None
    people = [k for keys in version.manifest.values() for k in keys if k[0] == "Patient"]
    return is_hidden(work.plans.resources(people).values())

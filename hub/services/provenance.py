"""Where each version of a plan comes from, as far as one party may read it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise

from hub.contract import Resource
from hub.errors import NotFound
from hub.fhir.provenance import provenance
from hub.model.party import SYSTEM, Viewer
from hub.model.plan import Key, canonical
from hub.model.records import PlanVersion
from hub.services.disclose import disclose
from hub.services.entries import Disclosure, Entry
from hub.services.hub import Hub, repeatable
from hub.services.resources import UNKNOWN
from hub.services.sight import Sight
from hub.services.state import PlanState
from hub.store.work import UnitOfWork


def provenances(hub: Hub, viewer: Viewer, plan_id: str) -> list[Resource]:
    """One for each version the party may read and in which something changed that it may see,
    newest first. Raises NotFound."""

    def look(sight: Sight, work: UnitOfWork) -> tuple[list[Resource], list[Disclosure]]:
        found = sight.plan(plan_id)
        if found is None:
            raise NotFound(UNKNOWN)
        told = list(_told(work, sight, found[0]))
        return [resource for resource, _ in told], [why for _, why in told]

    return disclose(hub, viewer, "history", look)


def _told(
    work: UnitOfWork, sight: Sight, state: PlanState
) -> Iterator[tuple[Resource, Disclosure]]:
    directory = work.parties.directory()
    sources = work.plans.sources(state.plan.id)
    versions = {v.number: v for v in state.versions}
    views = [(number, sight.view(state.plan, number)) for number in sight.versions(state.plan)]
    for (number, view), (_, before) in pairwise([*views, (0, [])]):
        version = versions[number]
        targets = _targets(version, versions.get(number - 1), view, before)
        author = directory.get(version.written_by)
        if targets and author is not None:
            own = repeatable("provenance", version.plan_id, str(number))
            made = provenance(
                own, targets, author, version.created_at,
                first=number == 1, document=_hash(work, sources.get(number)),
            )  # fmt: skip
            yield made, view[0].why


def _targets(
    version: PlanVersion, previous: PlanVersion | None, view: list[Entry], before: list[Entry]
) -> list[str]:
    """``Type/id/_history/version`` of what this version made anew and the reader sees anew in it,
    the plan first; empty if there is nothing of that.

    What the reader had in the version ``before`` says what is new to it: that a hidden item was
    added is no news of the resource that refers to it.
    """
    had = {e.key: _content(e) for e in before}
    news = {e.key for e in view if had.get(e.key) != _content(e)}
    old = _keys(previous) if previous else set()
    made = {f"{t}/{i}": f"{t}/{i}/_history/{v}" for t, i, v in _keys(version) - old}
    root = f"CarePlan/{version.plan_id}"
    told = made.keys() & news
    if not told:
        return []
    return [f"{root}/_history/{version.number}", *sorted(made[k] for k in told - {root})]


def _content(entry: Entry) -> bytes:
    return canonical({k: v for k, v in entry.resource.items() if k != "meta"})


def _keys(version: PlanVersion) -> set[Key]:
    return {key for part in version.manifest.values() for key in part}


def _hash(work: UnitOfWork, inbox_id: str | None) -> str | None:
    item = work.inbox.get(inbox_id, SYSTEM) if inbox_id else None
    return sha256(item.body).hexdigest() if item is not None and item.body is not None else None

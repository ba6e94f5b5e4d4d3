"""A plan, or a citizen, with everything the party may read of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from hub.contract import Resource
from hub.errors import NotFound
from hub.fhir.bundles import reachable
from hub.fhir.paging import Key, Token, moment_key, ordered, page_of
from hub.fhir.parameters import SERVED
from hub.fhir.plan_document import plan_document
from hub.model.party import Viewer
from hub.model.plan import canonical
from hub.services.disclose import disclose
from hub.services.entries import Disclosure, Entry
from hub.services.hub import Hub, repeatable, sha256
from hub.services.resources import UNKNOWN
from hub.services.sight import Sight
from hub.store.work import UnitOfWork

_DOWNWARDS = (False, True, False)


@dataclass(frozen=True)
class WholePage:
    """One page of everything; what it is about comes first."""

    entries: list[Entry]
    total: int
    next: Token | None
    version: int | None = None
    """Of the shared plan that it is everything of."""


@dataclass(frozen=True)
class Wanted:
    """Which of it: types, what was written since, how many at once."""

    types: frozenset[str]
    """Empty: all."""
    since: datetime | None
    count: int


def everything(
    hub: Hub, viewer: Viewer, kind: str, resource_id: str, wanted: Wanted, token: Token
) -> WholePage:
    """What belongs to a CarePlan or a Patient; raises NotFound."""
    about = f"{kind}/{resource_id}"

    def look(sight: Sight, work: UnitOfWork) -> tuple[WholePage, list[Disclosure]]:
        citizens = work.resources.citizens_of(kind, [resource_id])
        seen = sight.current(citizens)
        if about not in seen:
            raise NotFound(UNKNOWN)
        found = (
            [e for e in seen.values() if e.citizen == resource_id]
            if kind == "Patient"
            else _of_plan(sight, resource_id, seen)
        )
        page = _page([e for e in found if _is(e, wanted)], about, wanted.count, token)
        plan = sight.plan(resource_id) if kind == "CarePlan" else None
        return replace(page, version=plan[1] if plan else None), [e.why for e in page.entries]

    page = disclose(hub, viewer, "everything", look, until=token.as_of)
    if page.version is not None and page.next is None and not wanted.types and not wanted.since:
        _has_read(hub, viewer, resource_id, page.version)
    return page


def _has_read(hub: Hub, viewer: Viewer, plan_id: str, version: int) -> None:
    """What it writes from now on without naming a version, it writes on this one."""
    with hub.store.reading() as work:
        known = work.given.read(plan_id, viewer.id)
    if known is None or known < version:
        with hub.store.writing() as work:
            work.given.has_read(plan_id, viewer.id, version)
            work.commit()


def document(hub: Hub, viewer: Viewer, plan_id: str) -> tuple[Resource, str, datetime]:
    """The newest readable version as a document Bundle, its version and when that was made.

    The same version gives the same reader the same document as long as it may see the same of
    it. Raises NotFound, also for a sector plan: the document is the shared plan's.
    """

    def look(
        sight: Sight, _: UnitOfWork
    ) -> tuple[tuple[Resource, str, datetime], list[Disclosure]]:
        found = sight.plan(plan_id)
        if found is None:
            raise NotFound(UNKNOWN)
        state, number = found
        view = sight.view(state.plan, number)
        shown = {entry.key: entry.resource for entry in view}
        # Two readers who see different parts have different documents, with ids of their own.
        content = sha256(canonical(shown))
        made = plan_document(
            shown,
            f"CarePlan/{plan_id}",
            base=hub.base_url,
            timestamp=view[0].modified.isoformat(),
            id_for=lambda key: repeatable("document", content, key),
        )
        return (made, str(number), view[0].modified), [view[0].why]

    found = disclose(hub, viewer, "document", look)
    _has_read(hub, viewer, plan_id, int(found[1]))
    return found


def _of_plan(sight: Sight, plan_id: str, seen: dict[str, Entry]) -> list[Entry]:
    """A shared plan's whole view; of a sector plan what it leads to."""
    found = sight.plan(plan_id)
    if found is not None:
        state, number = found
        return sight.view(state.plan, number)
    resources = {key: entry.resource for key, entry in seen.items()}
    own = resources[f"CarePlan/{plan_id}"]
    # The shared plan it is part of is a plan of its own.
    resources[f"CarePlan/{plan_id}"] = {k: v for k, v in own.items() if k != "partOf"}
    return [seen[key] for key in resources if key in reachable(resources, [f"CarePlan/{plan_id}"])]


def _is(entry: Entry, wanted: Wanted) -> bool:
    kind = entry.resource["resourceType"]
    if kind not in SERVED or (wanted.types and kind not in wanted.types):
        return False
    return wanted.since is None or entry.modified >= wanted.since


def _page(found: list[Entry], about: str, count: int, token: Token) -> WholePage:
    def place(entry: Entry) -> Key:
        first = "0" if entry.key == about else "1"
        return (first, moment_key(entry.modified), entry.key)

    page, after = page_of(
        ordered(found, place, _DOWNWARDS), place, _DOWNWARDS, token.after or None, count
    )
    following = token.going_on(after, (e.modified for e in found)) if after else None
    return WholePage(page, len(found), following)

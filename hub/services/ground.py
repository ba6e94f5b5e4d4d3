"""What stands in the store under a write over REST, as its caller may know it.

Looked at twice: before the change is worked out, and again under locks before it is committed.
Only if both are equal does the change stand, so of two writers on one version one wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from hub.contract import Party
from hub.errors import (
    Invalid,
    Issue,
    Malformed,
    NotOwner,
    NotThere,
    PreconditionFailed,
    VersionMissing,
)
from hub.fhir.bundles import references
from hub.fhir.interactions import Interaction
from hub.fhir.parameters import SERVED
from hub.fhir.query import parse
from hub.model.party import SYSTEM, Viewer
from hub.model.plan import SHARED, Key
from hub.model.records import Part, Plan
from hub.services.entries import Entry
from hub.services.hub import Hub
from hub.services.search import matching
from hub.services.sight import Citizens, Sight
from hub.store.work import UnitOfWork

_UNKNOWN: Final = "No such resource is known to you, and only the hub gives ids: create it by POST"
_ONE_PART: Final = (
    "Entries of different plans, or of different owners' parts; send one part in each transaction"
)


@dataclass(frozen=True)
class Match:
    """The one resource that a conditional create looked for."""

    path: str
    """Of the interaction."""
    key: Key
    modified: datetime

    @property
    def name(self) -> str:
        """``Type/id``."""
        return f"{self.key[0]}/{self.key[1]}"


@dataclass(frozen=True)
class Ground:
    """Compared as a whole; what is not in it does not bear on the write."""

    part: Part | None = None
    """The part of a plan that is changed; None if none is, or a new one is made."""
    plan: Plan | None = None
    """The plan that the part is in."""
    matched: tuple[Match, ...] = ()
    """What conditional creates found."""
    resolved: tuple[tuple[str, str], ...] = ()
    """Conditional reference to the one ``Type/id`` it means."""
    citizen: str | None = None
    """Who a sector's part, or a new part, is about, where the sender knows of the citizen."""

    def match(self, interaction: Interaction) -> Match | None:
        """What a conditional create found."""
        return next((m for m in self.matched if m.path == interaction.path), None)


def survey(
    hub: Hub, work: UnitOfWork, sender: Party, interactions: Iterable[Interaction]
) -> Ground:
    """The ground of a write.

    Raises NotThere, NotOwner, VersionMissing, PreconditionFailed or Invalid where the caller may
    not write, or wrote on something else.
    """
    looking = _Survey(hub, work, sender)
    sites: dict[str, tuple[Part, Plan | None]] = {}
    known = list(interactions)
    for one in known:
        if one.method == "PUT" and one.kind == "Consent":
            looking.decision(one)
        elif one.method == "PUT":
            site = looking.site(one)
            sites[site[0].id] = site
            if len(sites) > 1:
                raise Invalid(_ONE_PART, at=one.path)
    nowhere: tuple[Part | None, Plan | None] = (None, None)
    part, plan = next(iter(sites.values()), nowhere)
    matched = [m for o in known if (m := looking.existing(o)) is not None]
    resolved = {
        reference: looking.meant(reference, place)
        for one in known
        for place, reference in references(one.resource, one.path)
        if is_conditional(reference)
    }
    citizen = part.citizen_id if part is not None and part.kind != SHARED else None
    if part is None:
        names = [m.name for m in matched]
        citizen = looking.citizen([*names, *resolved.values(), *_subjects(known)])
    return Ground(part, plan, tuple(matched), tuple(resolved.items()), citizen)


def lock(
    work: UnitOfWork, ground: Ground, sender: Party, interactions: Iterable[Interaction]
) -> None:
    """Whoever else writes the same waits here."""
    if ground.plan is not None:
        work.plans.lock(ground.plan.id)
    if ground.part is not None:
        work.plans.part_by_id(ground.part.id, lock=True)
    known = list(interactions)
    for one in known:
        if one.method == "PUT" and one.kind == "Consent":
            work.consents.lock(one.id)
    if any(one.if_none_exist is not None for one in known):
        work.parties.lock(sender.id)


def is_conditional(reference: str) -> bool:
    """``Type?search`` (R4 3.1.0.11.2.2)."""
    kind, mark, _ = reference.partition("?")
    return bool(mark) and kind in SERVED


class _Survey:
    """One look, with what the sender may read of each citizen kept for the next entry."""

    def __init__(self, hub: Hub, work: UnitOfWork, sender: Party) -> None:
        self._hub = hub
        self._work = work
        self._sender = sender
        self._sight = Sight(work, Viewer.of(sender), hub.clock())
        self._views: dict[Citizens, Mapping[str, Entry]] = {}

    def decision(self, one: Interaction) -> None:
        """A Consent is changed by who registered it; If-Match where it is sent."""
        self._seen(one)
        owner, version = self._work.plans.newest("Consent", one.id) or ("", 0)
        if owner != self._sender.id:
            raise NotOwner("Only who registered a decision changes it", at=one.path)
        if one.if_match not in {None, str(version)}:
            raise _stale(one)

    def site(self, one: Interaction) -> tuple[Part, Plan | None]:
        """The part that the resource is in, and its plan."""
        part = self._part(one, self._seen(one))
        now = self._hub.clock()
        plan = self._work.plans.get(part.plan_id, SYSTEM, now) if part.plan_id else None
        owner = plan.lead if plan is not None and part.kind == SHARED else part.owner
        if owner != self._sender.id:
            raise _not_yours(one, part)
        if one.if_match is None:
            text = "Say which version it was written on: If-Match with the ETag you read"
            raise VersionMissing(text, at=one.at("ifMatch"))
        if one.if_match != _version(one, part, plan):
            raise _stale(one)
        return part, plan

    def citizen(self, keys: Iterable[str]) -> str | None:
        """The one citizen among these resources, if the sender knows of such a one."""
        found = {k.partition("/")[2] for k in keys if k.startswith("Patient/")}
        known = {own for own in found if self._entry("Patient", own) is not None}
        return known.pop() if len(known) == 1 else None

    def existing(self, one: Interaction) -> Match | None:
        """What a conditional create looks for."""
        if one.if_none_exist is None:
            return None
        at = one.at("ifNoneExist")
        # The header is a search alone; some write the address of one.
        query = re.sub(rf"^({one.kind})?\?", "", one.if_none_exist)
        found = self._search(one.kind, query, at)
        if len(found) > 1:
            raise _several(at)
        if not found:
            return None
        kind, _, own = found[0].key.partition("/")
        return Match(one.path, (kind, own, int(found[0].version)), found[0].modified)

    def meant(self, reference: str, place: str) -> str:
        """The one resource a conditional reference finds."""
        kind, _, query = reference.partition("?")
        found = self._search(kind, query, place)
        if len(found) > 1:
            raise _several(place)
        if not found:
            text = "Nothing that you may read matches; send what it refers to as an entry"
            raise PreconditionFailed(text, issues=(Issue("error", "not-found", text, place),))
        return found[0].key

    def _seen(self, one: Interaction) -> Entry:
        entry = self._entry(one.kind, one.id)
        if entry is None:
            raise NotThere(_UNKNOWN, at=one.path)
        return entry

    def _entry(self, kind: str, own: str) -> Entry | None:
        """The resource as the sender may read it now."""
        citizens = self._work.resources.citizens_of(kind, [own])
        if citizens not in self._views:
            self._views[citizens] = self._sight.current(citizens)
        return self._views[citizens].get(f"{kind}/{own}")

    def _part(self, one: Interaction, entry: Entry) -> Part:
        owner, _ = self._work.plans.newest(one.kind, one.id) or ("", 0)
        if one.kind != "Patient":
            found = self._work.plans.part_by_id(owner)
            assert found is not None
            return found
        # The newest version of all may be in a plan that the sender may not know of.
        told = self._telling(entry.citizen, ("Patient", entry.citizen, int(entry.version)))
        if told is None:
            text = "Only the lead's unit changes what the plan says of the citizen; send the lead "
            raise NotOwner(f"{text}your proposal", at=one.path)
        return told

    def _telling(self, citizen: str, key: Key) -> Part | None:
        """The newest shared part that the sender leads and that has this version of a Patient."""
        plans = self._work.plans.of_citizen(citizen, SYSTEM, self._hub.clock())
        led = [p.id for p in plans if p.lead == self._sender.id]
        parts = (p for plan in reversed(led) for p in self._work.plans.parts(plan))
        return next((p for p in parts if p.kind == SHARED and key in p.members), None)

    def _search(self, kind: str, query: str, at: str) -> list[Entry]:
        try:
            pairs = parse_qsl(query, strict_parsing=True, max_num_fields=20)
            wanted = parse(kind, pairs, strict=True)
        except ValueError:
            raise Malformed("Not a search", at=at) from None
        except Malformed as e:
            raise Malformed(e.text, at=at) from None
        if not wanted.criteria and not wanted.has:
            raise Malformed("Say what to look for", at=at)
        return matching(self._hub, self._work, self._sight, wanted)


def _subjects(known: Iterable[Interaction]) -> list[str]:
    """``Patient/id`` of everything that says who it is about."""
    links = (o.resource.get("subject") for o in known if o.resource is not None)
    texts = (x.get("reference") for x in links if isinstance(x, Mapping))
    return [f"Patient/{t.rpartition('Patient/')[2]}" for t in texts if isinstance(t, str)]


def _version(one: Interaction, part: Part, plan: Plan | None) -> str | None:
    """What now stands of the resource; ``CarePlan/<plan id>`` has the plan's version."""
    if plan is not None and one.key == f"CarePlan/{plan.id}":
        return str(plan.head)
    return next((str(v) for kind, own, v in part.members if f"{kind}/{own}" == one.key), None)


def _stale(one: Interaction) -> PreconditionFailed:
    text = "It has changed since that version; read it again and write on what it says now"
    return PreconditionFailed(text, at=one.at("ifMatch"))


def _several(at: str) -> PreconditionFailed:
    text = "Several match; say it more exactly"
    return PreconditionFailed(text, issues=(Issue("error", "multiple-matches", text, at),))


def _not_yours(one: Interaction, part: Part) -> NotOwner:
    if part.kind == SHARED:
        text = "Only the lead's unit changes the shared part; send the lead your proposal"
    else:
        text = "Only its owner changes a sector plan; tell the owner what you propose"
    return NotOwner(text, at=one.path)

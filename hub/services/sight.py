"""What one party may read, resource by resource.

A resource exists for a party only in a view it may read now: the reduced view of a plan version
(:func:`hub.services.views.build_view`) that the approval gate admits, its own sector plan that no
plan has yet, another's document that a statute lets it look up, a consent or approval it
registered, or one of a plan it leads or coordinates.
``CarePlan/<plan id>`` has the plan's version numbers; every other resource has its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import chain

from hub.model.consent import EVERYONE, Consent
from hub.model.party import Viewer
from hub.model.plan import SHARED, chief_role, team
from hub.model.records import Part, Plan, PlanVersion
from hub.model.routing import basis_for, refusal
from hub.services.documents import as_shown, whose
from hub.services.entries import Disclosure, Entry, make_entry
from hub.services.state import PlanState, plan_state
from hub.services.views import build_view
from hub.store.resources import Decided, Stored
from hub.store.work import UnitOfWork

Citizens = frozenset[str] | None
"""Whose plans to look at, by the hub's Patient ids; None for all. It only spares work."""
_TELLERS = frozenset({"lead", "coordinator"})
"""Roles that see every decision of the citizen on the plan."""


class Sight:
    """One party's eyes in one unit of work, at ``now``, on what was there ``until`` then.

    ``until`` lets a reader page through what was there when it began; without it everything is
    there, also what a clock that was ahead has dated later than ``now``. Consent and approvals
    are always those of ``now``.
    """

    def __init__(
        self, work: UnitOfWork, viewer: Viewer, now: datetime, until: datetime | None = None
    ) -> None:
        self._work = work
        self._viewer = viewer
        self._now = now
        self._until = until or _EVER
        self._directory = work.parties.directory()
        self._states: dict[str, PlanState] = {}

    def current(self, citizens: Citizens = None) -> dict[str, Entry]:
        """``Type/id`` to its newest readable version; later plans' word on a Patient counts."""
        found: dict[str, Entry] = {}
        for plan in self._plans(citizens):
            newest = next(self._readable(plan), None)
            for entry in self.view(plan, newest) if newest is not None else ():
                known = found.get(entry.key)
                if known is None or known.modified < entry.modified:
                    found[entry.key] = entry
        more = (self._own(citizens, found), self._documents(citizens), self._decisions(citizens))
        for entry in chain(*more):
            found.setdefault(entry.key, entry)
        return found

    def history(self, citizens: Citizens = None) -> dict[tuple[str, str], Entry]:
        """(``Type/id``, version) to every readable version, as the newest view has it."""
        found: dict[tuple[str, str], Entry] = {}
        for plan in self._plans(citizens):
            for number in self._readable(plan):
                for entry in self.view(plan, number):
                    found.setdefault((entry.key, entry.version), entry)
        more = (
            self._own_history(citizens),
            self._documents(citizens),
            self._decision_history(citizens),
        )
        for entry in chain(*more):
            found.setdefault((entry.key, entry.version), entry)
        return found

    def plan(self, plan_id: str) -> tuple[PlanState, int] | None:
        """A plan's state and the newest version that may be read; None if none may."""
        plan = self._work.plans.get(plan_id, self._viewer, self._now)
        newest = next(self._readable(plan), None) if plan is not None else None
        return None if plan is None or newest is None else (self._state(plan), newest)

    def versions(self, plan: Plan) -> list[int]:
        """The plan's versions that may be read, newest first."""
        return list(self._readable(plan))

    def newest(self, citizens: Citizens = None) -> Iterator[tuple[Plan, int]]:
        """Every plan the party may read, with the newest version it may read."""
        for plan in self._plans(citizens):
            number = next(self._readable(plan), None)
            if number is not None:
                yield plan, number

    def knows(self, plan_id: str) -> Disclosure | None:
        """What the audit says of telling the party that the plan is there; None if it may not."""
        found = self.plan(plan_id)
        if found is None:
            return None
        state, number = found
        member = state.member(self._viewer.id)
        assert member is not None
        basis = basis_for(state.facts.consents, member, self._now).basis
        place = f"CarePlan/{plan_id}/_history/{number}"
        role = chief_role(member.roles)
        return Disclosure(place, basis, plan_id, state.plan.consent_epoch, role)

    def decisions(self, citizens: Citizens = None) -> list[Entry]:
        """The newest versions of the consents and approvals the party may know of."""
        return self._decisions(citizens)

    def view(self, plan: Plan, number: int) -> list[Entry]:
        """The reduced view of one version, the CarePlan first."""
        state = self._state(plan)
        version = _version(state, number)
        reduced = build_view(self._work, state, number, self._viewer.id, self._now)
        if reduced is None:
            return []
        place = f"CarePlan/{plan.id}/_history/{number}"
        role = state.role_of(self._viewer.id)
        why = Disclosure(place, reduced.basis, plan.id, plan.consent_epoch, role)
        keys = {f"{t}/{i}": (t, i, v) for part in version.manifest.values() for t, i, v in part}
        written = self._work.resources.written(keys.values())
        return [
            make_entry(resource, str(number), version.created_at, plan.citizen_id, why)
            if name == f"CarePlan/{plan.id}"
            else make_entry(
                resource, str(keys[name][2]), written[keys[name]], plan.citizen_id, why
            )
            for name, resource in reduced.view.resources.items()
        ]  # fmt: skip

    def changed(self, entry: Entry) -> datetime:
        """When what the party gets of this entry last became so, at the latest.

        A version's content is fixed, what of it a party may see is not: it follows the consents
        and the newest team. So a copy is current only if nothing of that changed after it. What
        the citizen says to others changes nothing of it, and would be told of by a new copy.
        """
        written, moments = [entry.modified], list[datetime]()
        if entry.why.plan_id is not None:
            state = self._states[entry.why.plan_id]
            written.append(state.versions[-1].created_at)
            told = [c for c in state.facts.consents if self._is_told(c)]
            moments += [m for c in told for m in (c.since, c.until)]
            given = self._work.resources.decisions_on(entry.citizen, entry.why.plan_id)
            known = {c.id for c in told}
            moments += [d.registered_at for d in given if d.plan_id is not None or d.id in known]
        if max(written) > self._now:
            # By a clock that was ahead: its date says of no copy that it is current.
            return _EVER
        return max([*written, *(m for m in moments if m <= self._now)])

    # Plans

    def _plans(self, citizens: Citizens) -> Iterator[Plan]:
        plans = self._work.plans
        if citizens is None:
            yield from plans.listing(self._viewer, self._now, limit=_ALL)
            return
        for citizen in sorted(citizens):
            yield from plans.of_citizen(citizen, self._viewer, self._now)

    def _state(self, plan: Plan) -> PlanState:
        if plan.id not in self._states:
            self._states[plan.id] = plan_state(self._work, plan, self._directory, self._now)
        return self._states[plan.id]

    def _readable(self, plan: Plan) -> Iterator[int]:
        """Version numbers the party may read, newest first.

        The gate holds for reading as for sending. A unit reads the newest version if it is in
        the team now, and an older one only if it was in the team then.
        """
        state = self._state(plan)
        member = state.member(self._viewer.id)
        if member is None:
            return
        for version, fact in zip(
            reversed(state.versions), reversed(state.facts.versions), strict=True
        ):
            if version.created_at > self._until:
                continue
            admitted = not refusal(state.facts, member, fact)
            if admitted and (version is state.versions[-1] or self._took_part(state, version)):
                yield version.number

    def _took_part(self, state: PlanState, version: PlanVersion) -> bool:
        shared = version.manifest[state.plan.id]
        resources = self._work.plans.resources(k for k in shared if k[0] in _TEAM)
        members, _ = team(resources, self._directory.find)
        return any(m.party.id == self._viewer.id for m in members)

    # What a party wrote and no plan has yet

    def _own(self, citizens: Citizens, seen: Collection[str]) -> list[Entry]:
        parts = [p for p in self._loose(citizens) if f"CarePlan/{p.id}" not in seen]
        members = {key[:2]: p for p in parts for key in p.members}
        found: dict[tuple[str, str], Stored] = {}
        for one in self._work.resources.of_owners([p.id for p in parts], self._until):
            if one.key[:2] in members:
                found[one.key[:2]] = one
        return [_stored(one, members[at].citizen_id, _own_word(one)) for at, one in found.items()]

    def _own_history(self, citizens: Citizens) -> list[Entry]:
        """Its own sector plans' versions, those from before a plan had them too."""
        parts = {p.id: p for p in self._mine(citizens) if self._known(p)}
        return [
            _stored(one, parts[one.owner].citizen_id, _own_word(one))
            for one in self._work.resources.of_owners(list(parts), self._until)
        ]

    def _loose(self, citizens: Citizens) -> list[Part]:
        """Sector plans of the party's own that are in no plan, or were not yet then."""
        found = []
        for part in self._mine(citizens):
            seen = self.plan(part.plan_id) if part.plan_id is not None else None
            if part.plan_id is None or (
                seen is not None and part.id not in _version(*seen).manifest
            ):
                found.append(part)
        return found

    def _mine(self, citizens: Citizens) -> Iterator[Part]:
        for part in self._work.resources.parts_of(self._viewer.id):
            if part.kind != SHARED and (citizens is None or part.citizen_id in citizens):
                yield part

    def _known(self, part: Part) -> bool:
        """A sector plan goes with its plan: who may not read that, reads neither."""
        return part.plan_id is None or self.plan(part.plan_id) is not None

    # What a statute lets it look up

    def _documents(self, citizens: Citizens) -> list[Entry]:
        """Others' documents as they now are, reduced to what their owners marked."""
        found = []
        for part, basis in self._work.documents.open_to(self._viewer.id, self._now):
            if citizens is not None and part.citizen_id not in citizens:
                continue
            why = Disclosure(f"CarePlan/{part.id}", basis)
            keys = {f"{t}/{i}": (t, i, v) for t, i, v in part.members}
            written = self._work.resources.written(keys.values())
            shown = [
                make_entry(r, str(keys[name][2]), written[keys[name]], part.citizen_id, why)
                for name, r in as_shown(self._work, part).items()
                if written[keys[name]] <= self._until
            ]
            if shown:
                found += shown
                person = whose(self._work, part)
                found.append(make_entry(person, "1", shown[0].modified, part.citizen_id, why))
        return found

    # Consents and approvals

    def _decisions(self, citizens: Citizens) -> list[Entry]:
        newest: dict[str, Entry] = {}
        for entry in self._decision_history(citizens):
            newest[entry.key] = entry
        return list(newest.values())

    def _decision_history(self, citizens: Citizens) -> list[Entry]:
        """Oldest first, for each decision."""
        told = [
            (d, Disclosure(f"Consent/{d.id}", "own-record"))
            for d in self._work.resources.decisions_by(self._viewer.id)
            if citizens is None or d.citizen_id in citizens
        ]
        for plan in self._plans(citizens):
            member = self._state(plan).member(self._viewer.id)
            if member is None or not member.roles & _TELLERS or self.plan(plan.id) is None:
                continue
            told += [
                (
                    d,
                    Disclosure(
                        f"Consent/{d.id}",
                        "plan-record",
                        plan.id,
                        plan.consent_epoch,
                        chief_role(member.roles),
                    ),
                )
                for d in self._work.resources.decisions_on(plan.citizen_id, plan.id)
                if self._bears_on(d, self._state(plan))
            ]
        known = {d.id: (d, why) for d, why in reversed(told)}
        versions = self._work.resources.versions("Consent", list(known), self._until)
        found = []
        for one in versions:
            decided, why = known[one.key[1]]
            # The id may be anyone's; the words are those of who registered the decision.
            if one.owner == decided.registered_by:
                found.append(_stored(one, decided.citizen_id, why))
        kept = {entry.resource["id"] for entry in found}
        return found + [
            _unversioned(d, why)
            for d, why in known.values()
            if d.id not in kept and d.registered_at <= self._until
        ]

    def _bears_on(self, decided: Decided, state: PlanState) -> bool:
        """The citizen said it of this plan, or of the viewer.

        A consent that others registered, to others, may be for a plan that the viewer may not know
        of.
        """
        by = decided.registered_by
        if decided.plan_id is not None or by == state.plan.lead or state.member(by) is not None:
            return True
        return any(c.id == decided.id and self._is_told(c) for c in state.facts.consents)

    def _is_told(self, consent: Consent) -> bool:
        """It says something to the viewer, or to everyone."""
        return any(r.unit in {self._viewer.id, EVERYONE} for r in consent.rules)


_ALL = 1_000_000
_EVER = datetime.max.replace(tzinfo=UTC)
_TEAM = frozenset({"CareTeam", "PractitionerRole", "Organization"})


def _version(state: PlanState, number: int) -> PlanVersion:
    return next(v for v in state.versions if v.number == number)


def _own_word(one: Stored) -> Disclosure:
    return Disclosure(f"CarePlan/{one.owner}", "own-record")


def _stored(one: Stored, citizen: str, why: Disclosure) -> Entry:
    return make_entry(one.resource, str(one.key[2]), one.at, citizen, why)


def _unversioned(one: Decided, why: Disclosure) -> Entry:
    """A decision from before its versions were kept: what stands is its first."""
    return make_entry(one.resource, "1", one.registered_at, one.citizen_id, why)

"""Citizens, plans, their parts, resource versions and plan versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, or_, select, tuple_, update

from hub.contract import Identifier, Resource
from hub.fhir.codec import parse_kept
from hub.model.party import Viewer
from hub.model.plan import Key
from hub.model.records import Part, Plan, PlanVersion
from hub.store.dialect import inserted, wait_turn
from hub.store.replace import replace_rows
from hub.store.saving import Written, save_resources
from hub.store.tables import ACCESS, CITIZEN_IDENTIFIER, PART, PLAN, PLAN_VERSION, RESOURCE
from hub.store.withdrawal_tables import RETRACTION


def may_see(viewer: Viewer, at: datetime) -> Any:
    """The condition on PLAN that keeps a party's eyes off plans it has no access row for now."""
    if viewer.kind in {"system", "operator"}:
        return PLAN.c.id == PLAN.c.id
    return exists().where(
        ACCESS.c.plan_id == PLAN.c.id,
        ACCESS.c.party == viewer.id,
        ACCESS.c.since <= at,
        ACCESS.c.until > at,
    )


class Plans:
    """Every read takes a viewer; a party sees a plan only while an access row says so."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # Citizens

    def citizen(self, identifiers: Iterable[Identifier]) -> str | None:
        """The hub's id of the citizen with one of these numbers."""
        return self._db.execute(_with(identifiers)).scalar()

    def hold_citizens(
        self, identifiers: Iterable[Identifier], known: Iterable[str] = ()
    ) -> frozenset[str]:
        """The citizens with one of these numbers, for who writes about them, or about the
        ``known`` ones: until the transaction ends nobody makes the numbers another's, and who else
        writes about one of the citizens waits here.

        What is new, a plan or a document, has no row that another could wait for: who withdraws a
        consent at that moment would not see it. Before any other lock, and in one order.
        """
        held = _with(identifiers).with_for_update(read=True)
        found = frozenset(self._db.execute(held).scalars())
        for citizen in sorted(found.union(known)):
            wait_turn(self._db, f"citizen/{citizen}")
        return found

    def hold_numbers(self, identifiers: Iterable[Identifier]) -> None:
        """For who changes whose they are: waits for those who write about their citizen."""
        self._db.execute(_with(identifiers).with_for_update())

    def move_number(self, number: Identifier, citizen_id: str) -> None:
        """From now on it finds this citizen and no other."""
        one = and_(
            CITIZEN_IDENTIFIER.c.system == number.system,
            CITIZEN_IDENTIFIER.c.value == number.value,
        )
        moved = update(CITIZEN_IDENTIFIER).where(one).values(citizen_id=citizen_id)
        self._db.execute(moved)

    def numbers(self, citizen_id: str) -> tuple[Identifier, ...]:
        """The numbers that are known to be this citizen's."""
        found = select(CITIZEN_IDENTIFIER).where(CITIZEN_IDENTIFIER.c.citizen_id == citizen_id)
        ordered = found.order_by(CITIZEN_IDENTIFIER.c.system, CITIZEN_IDENTIFIER.c.value)
        return tuple(Identifier(r.system, r.value) for r in self._db.execute(ordered))

    def add_citizen(self, citizen_id: str, identifiers: Iterable[Identifier]) -> bool:
        """Remember the numbers of a citizen; False if one is another's, also since this moment."""
        fresh = sorted({(i.system, i.value) for i in {*identifiers} - {*self.numbers(citizen_id)}})
        return all(
            inserted(
                self._db,
                CITIZEN_IDENTIFIER,
                {"system": system, "value": value, "citizen_id": citizen_id},
            )
            for system, value in fresh
        )

    # Plans

    def get(self, plan_id: str, viewer: Viewer, at: datetime) -> Plan | None:
        """One plan, if the viewer may know of it now."""
        return self._one(select(PLAN).where(PLAN.c.id == plan_id, may_see(viewer, at)))

    def lock(self, plan_id: str) -> Plan | None:
        """One plan for writing; a second writer waits here. Who only writes a row that names the
        plan does not: two who each hold such a row would wait for each other."""
        named = select(PLAN).where(PLAN.c.id == plan_id)
        return self._one(named.with_for_update(key_share=True))

    def of_citizen(self, citizen_id: str, viewer: Viewer, at: datetime) -> list[Plan]:
        """The citizen's plans that the viewer may know of now, oldest first."""
        found = select(PLAN).where(PLAN.c.citizen_id == citizen_id, may_see(viewer, at))
        return [_plan(r) for r in self._db.execute(found.order_by(PLAN.c.created_at))]

    def listing(self, viewer: Viewer, at: datetime, limit: int = 500) -> list[Plan]:
        """Plans, newest first."""
        found = select(PLAN).where(may_see(viewer, at)).order_by(PLAN.c.created_at.desc())
        return [_plan(r) for r in self._db.execute(found.limit(limit))]

    def beginning(self, text: str, viewer: Viewer, at: datetime) -> list[str]:
        """The ids that begin so, two at most."""
        so = PLAN.c.id.startswith(text, autoescape=True)
        found = select(PLAN.c.id).where(may_see(viewer, at), so).limit(2)
        return list(self._db.execute(found).scalars())

    def add(self, plan: Plan, now: datetime) -> None:
        """A new plan, without versions yet."""
        self._db.execute(
            PLAN.insert().values(
                id=plan.id,
                citizen_id=plan.citizen_id,
                lead=plan.lead,
                status=plan.status,
                head=plan.head,
                consent_epoch=plan.consent_epoch,
                created_at=now,
            )
        )

    def bump_epoch(self, plan_id: str) -> None:
        """The consent changed: what was decided before it is decided anew."""
        self._db.execute(
            update(PLAN).where(PLAN.c.id == plan_id).values(consent_epoch=PLAN.c.consent_epoch + 1)
        )

    def set_status(self, plan_id: str, status: str) -> None:
        """What the shared part says of the plan's life."""
        self._db.execute(update(PLAN).where(PLAN.c.id == plan_id).values(status=status))

    def _one(self, query: Select[Any]) -> Plan | None:
        row = self._db.execute(query).first()
        return _plan(row) if row else None

    # Parts

    def part(self, owner: str, kind: str, case_id: str) -> Part | None:
        """The owner's part with that case id."""
        found = and_(PART.c.owner == owner, PART.c.kind == kind, PART.c.case_id == case_id)
        row = self._db.execute(select(PART).where(found)).first()
        return _part(row) if row else None

    def part_by_id(self, part_id: str, *, lock: bool = False) -> Part | None:
        """One part, whoever's it is; ``lock``: a second writer waits here."""
        found = select(PART).where(PART.c.id == part_id)
        row = self._db.execute(found.with_for_update(key_share=True) if lock else found).first()
        return _part(row) if row else None

    def part_of_message(self, inbox_id: str) -> Part | None:
        """The part that stands as that message wrote it."""
        found = select(PART).where(PART.c.source_inbox == inbox_id)
        row = self._db.execute(found).first()
        return _part(row) if row else None

    def parts(self, plan_id: str) -> list[Part]:
        """Every part attached to a plan; for the services alone, before anything is shown."""
        found = select(PART).where(PART.c.plan_id == plan_id).order_by(PART.c.kind, PART.c.id)
        return [_part(r) for r in self._db.execute(found)]

    def parts_in(self, version: PlanVersion) -> list[Part]:
        """The parts of one version, where they are now: one may be in a later plan.

        Without what was published in error, whichever version it is in.
        """
        retracted = exists().where(
            RETRACTION.c.part_id == PART.c.id,
            RETRACTION.c.plan_id == version.plan_id,
            RETRACTION.c.below > version.number,
        )
        found = select(PART).where(PART.c.id.in_(list(version.manifest)), ~retracted)
        return [_part(r) for r in self._db.execute(found.order_by(PART.c.kind, PART.c.id))]

    def loose_parts(self, citizen_id: str) -> list[Part]:
        """The citizen's sector plans that belong to no plan yet."""
        loose = and_(PART.c.citizen_id == citizen_id, PART.c.plan_id.is_(None))
        found = select(PART).where(loose).order_by(PART.c.id)
        return [_part(r) for r in self._db.execute(found)]

    def save_part(self, part: Part, now: datetime) -> None:
        """Insert or change."""
        values = {
            "plan_id": part.plan_id,
            "members": [list(k) for k in part.members],
            "source_inbox": part.source_inbox,
            "document_inbox": part.document_inbox,
            "updated_at": now,
        }
        changed = update(PART).where(PART.c.id == part.id).values(**values)
        if self._db.execute(changed).rowcount == 0:
            self._db.execute(
                PART.insert().values(
                    id=part.id,
                    citizen_id=part.citizen_id,
                    owner=part.owner,
                    kind=part.kind,
                    case_id=part.case_id,
                    **values,
                )
            )

    # Resources

    def save_resource(
        self, resource: Resource, digest: str, owner: str, by: str, now: datetime
    ) -> Key:
        """One of :meth:`save_resources`."""
        return self.save_resources([Written(resource, digest, owner)], by, now)[0]

    def save_resources(self, written: Sequence[Written], by: str, now: datetime) -> list[Key]:
        """See :func:`hub.store.saving.save_resources`."""
        return save_resources(self._db, written, by, now)

    def newest(self, kind: str, resource_id: str) -> tuple[str, int] | None:
        """Owner and number of a resource's newest version."""
        named = and_(RESOURCE.c.type == kind, RESOURCE.c.id == resource_id)
        found = select(RESOURCE.c.owner, RESOURCE.c.version).where(named)
        row = self._db.execute(found.order_by(RESOURCE.c.version.desc()).limit(1)).first()
        return (row.owner, row.version) if row else None

    def writer(self, key: Key) -> str | None:
        """The party that wrote this version."""
        named = tuple_(RESOURCE.c.type, RESOURCE.c.id, RESOURCE.c.version) == key
        return self._db.execute(select(RESOURCE.c.written_by).where(named)).scalar()

    def had(self, kind: str, resource_id: str, digest: str) -> bool:
        """A version of the resource, the newest or an older one, has this content."""
        named = and_(RESOURCE.c.type == kind, RESOURCE.c.id == resource_id)
        found = select(RESOURCE.c.version).where(named, RESOURCE.c.digest == digest)
        return self._db.execute(found.limit(1)).first() is not None

    def resources(self, keys: Iterable[Key]) -> dict[str, Resource]:
        """``Type/id`` to resource, in the order of the keys."""
        wanted = list(keys)
        if not wanted:
            return {}
        columns = tuple_(RESOURCE.c.type, RESOURCE.c.id, RESOURCE.c.version)
        rows = self._db.execute(
            select(RESOURCE.c.type, RESOURCE.c.id, RESOURCE.c.body).where(columns.in_(wanted))
        )
        found = {(r.type, r.id): r.body for r in rows}
        return {f"{t}/{i}": parse_kept(found[t, i]) for t, i, _ in wanted}

    # Versions

    def add_version(self, version: PlanVersion, inbox_id: str | None) -> None:
        """A new plan version becomes the head."""
        self._db.execute(
            PLAN_VERSION.insert().values(
                plan_id=version.plan_id,
                number=version.number,
                manifest={p: [list(k) for k in keys] for p, keys in version.manifest.items()},
                digest=version.digest,
                written_by=version.written_by,
                written_on=version.written_on,
                inbox_id=inbox_id,
                created_at=version.created_at,
            )
        )
        moved = update(PLAN).where(PLAN.c.id == version.plan_id).values(head=version.number)
        self._db.execute(moved)

    def versions(self, plan_id: str) -> list[PlanVersion]:
        """All versions, oldest first."""
        found = select(PLAN_VERSION).where(PLAN_VERSION.c.plan_id == plan_id)
        rows = self._db.execute(found.order_by(PLAN_VERSION.c.number))
        return [_version(r) for r in rows]

    def version(self, plan_id: str, number: int) -> PlanVersion | None:
        """One version."""
        found = and_(PLAN_VERSION.c.plan_id == plan_id, PLAN_VERSION.c.number == number)
        row = self._db.execute(select(PLAN_VERSION).where(found)).first()
        return _version(row) if row else None

    def sources(self, plan_id: str) -> dict[int, str]:
        """Version number to the message it came from, where it came from one."""
        found = select(PLAN_VERSION.c.number, PLAN_VERSION.c.inbox_id).where(
            PLAN_VERSION.c.plan_id == plan_id, PLAN_VERSION.c.inbox_id.is_not(None)
        )
        return {r.number: r.inbox_id for r in self._db.execute(found)}

    # Access

    def changing(self, since: datetime, until: datetime) -> list[str]:
        """Plans where someone's access begins or ends after ``since``, until then."""
        begins = and_(ACCESS.c.since > since, ACCESS.c.since <= until)
        ends = and_(ACCESS.c.until > since, ACCESS.c.until <= until)
        found = select(ACCESS.c.plan_id).where(or_(begins, ends)).distinct()
        return list(self._db.execute(found.order_by(ACCESS.c.plan_id)).scalars())

    def set_access(self, plan_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace who may see the plan; in the transaction that changes consent or team."""
        replace_rows(self._db, ACCESS, {"plan_id": plan_id}, rows)

    def plan_ids_of_citizen(self, citizen_id: str) -> list[str]:
        """For the services: every plan a consent of this citizen concerns."""
        found = select(PLAN.c.id).where(PLAN.c.citizen_id == citizen_id)
        return list(self._db.execute(found).scalars())


def _with(identifiers: Iterable[Identifier]) -> Select[Any]:
    """The citizens with these numbers, in the order in which numbers are always locked."""
    columns = (CITIZEN_IDENTIFIER.c.system, CITIZEN_IDENTIFIER.c.value)
    wanted = [(i.system, i.value) for i in identifiers]
    found = select(CITIZEN_IDENTIFIER.c.citizen_id).where(tuple_(*columns).in_(wanted))
    return found.order_by(*columns)


def _plan(row: Row[Any]) -> Plan:
    return Plan(row.id, row.citizen_id, row.lead, row.status, row.head, row.consent_epoch)


def _keys(value: Any) -> tuple[Key, ...]:
    return tuple((str(t), str(i), int(v)) for t, i, v in value)


def _part(row: Row[Any]) -> Part:
    return Part(
        row.id, row.citizen_id, row.plan_id, row.owner, row.kind, row.case_id,
        _keys(row.members), row.source_inbox, row.document_inbox,
    )  # fmt: skip


def _version(row: Row[Any]) -> PlanVersion:
    manifest = row.manifest if isinstance(row.manifest, dict) else json.loads(row.manifest)
    return PlanVersion(
        plan_id=row.plan_id,
        number=row.number,
        manifest={p: _keys(keys) for p, keys in manifest.items()},
        digest=row.digest,
        written_by=row.written_by,
        created_at=row.created_at,
        written_on=row.written_on,
    )

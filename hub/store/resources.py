"""Stored resource versions and decisions, as the FHIR interface asks for them. It only reads.

For the services alone: nothing here knows who asks, and what is shown to anyone is decided on
views (:mod:`hub.services.sight`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select, tuple_

from hub.contract import Resource
from hub.fhir.codec import parse_kept
from hub.model.plan import Key
from hub.model.records import Part
from hub.store.tables import APPROVAL, CONSENT, PART, PLAN, RESOURCE


@dataclass(frozen=True)
class Stored:
    """One version of one resource."""

    key: Key
    owner: str
    """The part it belongs to; of a Patient the citizen, of a Consent who registered it."""
    at: datetime
    resource: Resource


@dataclass(frozen=True)
class Decided:
    """A KiConsent or KiApproval as it now stands."""

    id: str
    citizen_id: str
    plan_id: str | None
    """The plan an approval is about; None for a consent."""
    registered_by: str
    registered_at: datetime
    resource: Resource


class Resources:
    """Reads over resource versions."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def written(self, keys: Iterable[Key]) -> dict[Key, datetime]:
        """When each version was written."""
        wanted = list(keys)
        if not wanted:
            return {}
        columns = (RESOURCE.c.type, RESOURCE.c.id, RESOURCE.c.version)
        found = select(*columns, RESOURCE.c.written_at).where(tuple_(*columns).in_(wanted))
        return {(r.type, r.id, r.version): r.written_at for r in self._db.execute(found)}

    def versions(self, kind: str, ids: Collection[str], until: datetime) -> list[Stored]:
        """Every version of these resources that was written by then, oldest first."""
        named = select(RESOURCE).where(RESOURCE.c.type == kind, RESOURCE.c.id.in_(ids))
        return self._stored(named.where(RESOURCE.c.written_at <= until)) if ids else []

    def of_owners(self, owners: Collection[str], until: datetime) -> list[Stored]:
        """Every version of everything these parts ever had, by then, oldest first."""
        owned = select(RESOURCE).where(RESOURCE.c.owner.in_(owners))
        return self._stored(owned.where(RESOURCE.c.written_at <= until)) if owners else []

    def citizens_of(self, kind: str, ids: Collection[str]) -> frozenset[str]:
        """The citizens in whose parts, consents and approvals these resources ever were."""
        if kind == "Patient":
            return frozenset(ids)
        if kind == "Consent":
            given = select(CONSENT.c.citizen_id).where(CONSENT.c.id.in_(ids))
            decided = select(PLAN.c.citizen_id).join(APPROVAL, APPROVAL.c.plan_id == PLAN.c.id)
            queries = [given, decided.where(APPROVAL.c.id.in_(ids))]
        else:
            written = select(PART.c.citizen_id).join(RESOURCE, RESOURCE.c.owner == PART.c.id)
            queries = [written.where(RESOURCE.c.type == kind, RESOURCE.c.id.in_(ids))]
        return frozenset(c for query in queries for c in self._db.execute(query).scalars())

    def parts_of(self, party: str) -> list[Part]:
        """Every part the party owns, attached to a plan or not."""
        found = select(PART).where(PART.c.owner == party).order_by(PART.c.id)
        return [part_of_row(r) for r in self._db.execute(found)]

    def decisions_by(self, party: str) -> list[Decided]:
        """Every consent and approval the party registered."""
        return self._decisions(CONSENT.c.registered_by == party, APPROVAL.c.registered_by == party)

    def decisions_on(self, citizen_id: str, plan_id: str) -> list[Decided]:
        """Every consent of the citizen, and every approval of the plan."""
        return self._decisions(CONSENT.c.citizen_id == citizen_id, APPROVAL.c.plan_id == plan_id)

    def _decisions(self, consents: Any, approvals: Any) -> list[Decided]:
        given = self._db.execute(select(CONSENT).where(consents).order_by(CONSENT.c.id))
        found = [
            Decided(
                r.id, r.citizen_id, None, r.registered_by, r.registered_at,
                parse_kept(r.body),
            )
            for r in given
        ]  # fmt: skip
        decided = (
            select(APPROVAL, PLAN.c.citizen_id)
            .join(PLAN, PLAN.c.id == APPROVAL.c.plan_id)
            .where(approvals)
            .order_by(APPROVAL.c.id)
        )
        return found + [
            Decided(
                r.id, r.citizen_id, r.plan_id, r.registered_by, r.registered_at,
                parse_kept(r.body),
            )
            for r in self._db.execute(decided)
        ]  # fmt: skip

    def _stored(self, query: Select[Any]) -> list[Stored]:
        ordered = query.order_by(RESOURCE.c.type, RESOURCE.c.id, RESOURCE.c.version)
        return [
            Stored((r.type, r.id, r.version), r.owner, r.written_at, parse_kept(r.body))
            for r in self._db.execute(ordered)
        ]


def part_of_row(row: Row[Any]) -> Part:
    """A row of the table ``part``."""
    return Part(
        id=row.id,
        citizen_id=row.citizen_id,
        plan_id=row.plan_id,
        owner=row.owner,
        kind=row.kind,
        case_id=row.case_id,
        members=tuple((str(t), str(i), int(v)) for t, i, v in row.members),
        source_inbox=row.source_inbox,
        document_inbox=row.document_inbox,
    )

"""Consents and approvals: the resource as given, and the facts decisions are made on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from hub.contract import Resource
from hub.fhir.codec import dump_json, parse_kept
from hub.model.approval import Approval, Condition
from hub.model.consent import CITIZEN_ALONE, Consent, Rule
from hub.model.people import Givers
from hub.model.records import InboxItem
from hub.store.tables import APPROVAL, CONSENT
from hub.store.turns import turn_at


@dataclass(frozen=True)
class Registered:
    """A consent as it was registered last."""

    citizen_id: str
    body: str
    """The resource, as JSON."""
    turn: int
    """Of the message that the form in force came with."""


class Consents:
    """For the services alone; what is shown to anyone goes through them."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def of_citizen(self, citizen_id: str) -> tuple[Consent, ...]:
        """Every consent of the citizen, the oldest first, lapsed and withdrawn ones too."""
        found = select(CONSENT).where(CONSENT.c.citizen_id == citizen_id)
        rows = self._db.execute(found.order_by(CONSENT.c.registered_at, CONSENT.c.id))
        return tuple(_consent(r) for r in rows)

    def save(self, consent: Consent, citizen_id: str, resource: Resource, item: InboxItem) -> None:
        """Insert, or replace the facts of the same consent; ``item`` is what it came with."""
        values = {
            "citizen_id": citizen_id,
            "facts": {
                "purposes": sorted(consent.purposes),
                "rules": [[r.permit, r.unit, r.section] for r in consent.rules],
                "since": consent.since.isoformat(),
                "until": consent.until.isoformat(),
                "active": consent.active,
                "givers": [
                    consent.givers.citizen,
                    consent.givers.guardian,
                    consent.givers.ground,
                ],
            },
            "body": dump_json(resource).decode(),
            "registered_by": item.sender,
            "registered_at": item.received_at,
            "turn": item.turn,
        }
        changed = CONSENT.update().where(CONSENT.c.id == consent.id).values(**values)
        if self._db.execute(changed).rowcount == 0:
            self._db.execute(CONSENT.insert().values(id=consent.id, **values))

    def registered(self, consent_id: str) -> Registered | None:
        """The consent with that id, in force or not."""
        row = self._db.execute(select(CONSENT).where(CONSENT.c.id == consent_id)).first()
        if row is None:
            return None
        turn = turn_at(row.registered_at) if row.turn is None else row.turn
        return Registered(row.citizen_id, row.body, turn)

    def lock(self, consent_id: str) -> None:
        """A second writer of this consent or approval waits here."""
        for table in (CONSENT, APPROVAL):
            named = select(table.c.id).where(table.c.id == consent_id)
            self._db.execute(named.with_for_update())

    def plan_of_approval(self, approval_id: str) -> str | None:
        """The plan that the decision with that id is about."""
        found = select(APPROVAL.c.plan_id).where(APPROVAL.c.id == approval_id)
        return self._db.execute(found).scalar()

    def approvals(self, plan_id: str) -> tuple[Approval, ...]:
        """Every decision on the plan, oldest first."""
        found = select(APPROVAL).where(APPROVAL.c.plan_id == plan_id)
        rows = self._db.execute(found.order_by(APPROVAL.c.registered_at, APPROVAL.c.id))
        return tuple(_approval(r) for r in rows)

    def decision(self, approval_id: str) -> Resource:
        """The KiApproval resource as it was registered; the id is of one that is there."""
        found = select(APPROVAL.c.body).where(APPROVAL.c.id == approval_id)
        return parse_kept(self._db.execute(found).scalar_one())

    def save_approval(self, approval: Approval, resource: Resource, by: str, now: datetime) -> None:
        """Insert, or replace the facts of the same approval (a condition was met)."""
        values = {
            "plan_id": approval.plan_id,
            "facts": {
                "version": approval.version,
                "digest": approval.digest,
                "decision": approval.decision,
                "mode": approval.mode,
                "conditions": [[c.holds_back, c.met] for c in approval.conditions],
                "at": approval.at.isoformat(),
            },
            "body": dump_json(resource).decode(),
            "registered_by": by,
            "registered_at": now,
        }
        changed = APPROVAL.update().where(APPROVAL.c.id == approval.id).values(**values)
        if self._db.execute(changed).rowcount == 0:
            self._db.execute(APPROVAL.insert().values(id=approval.id, **values))


def _consent(row: Row[Any]) -> Consent:
    facts = row.facts
    return Consent(
        id=row.id,
        purposes=frozenset(facts["purposes"]),
        rules=tuple(Rule(p, u, s) for p, u, s in facts["rules"]),
        since=datetime.fromisoformat(facts["since"]),
        until=datetime.fromisoformat(facts["until"]),
        active=facts["active"],
        # From before it was written down: the citizen.
        givers=Givers(*facts["givers"]) if "givers" in facts else CITIZEN_ALONE,
    )


def _approval(row: Row[Any]) -> Approval:
    facts = row.facts
    return Approval(
        id=row.id,
        plan_id=row.plan_id,
        version=facts["version"],
        digest=facts["digest"],
        decision=facts["decision"],
        mode=facts["mode"],
        conditions=tuple(Condition(h, m) for h, m in facts["conditions"]),
        at=datetime.fromisoformat(facts["at"]),
    )

"""Writes audit rows: finds what the act was about, and hashes the row in its own transaction."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import new as hmac
from typing import Any, Final

from sqlalchemy import Connection, delete, or_, select

from hub.contract import Party
from hub.fhir import names
from hub.model.party import RegisteredParty
from hub.model.trail import row_hash
from hub.store.audit_tables import AUDIT, AUDIT_TAIL, PSEUDONYM
from hub.store.dialect import inserted, next_id
from hub.store.parties import Parties
from hub.store.tables import ACCESS, APPROVAL, CONSENT, INBOX, OPERATOR, PART, PLAN

HUB: Final = "hub"
"""The actor of what the hub does by itself."""
_PLAN: Final = re.compile(r"(?:CarePlan|plan)/([^/;: ]+)(?:/_history/(\d+))?")
_CONSENT: Final = re.compile(r"Consent/([^/ ]+)")
_INBOX: Final = re.compile(r"inbox/([^/ ]+)")


@dataclass(frozen=True)
class Act:
    """What :meth:`hub.store.journal.Journal.audit` is told."""

    at: datetime
    actor: str
    action: str
    object: str
    party: str | None
    basis: str
    outcome: str
    detail: str
    plan_id: str | None
    version: int | None
    citizen: str | None
    role: str | None
    sections: tuple[str, ...]
    purpose: str | None
    reason: str | None


class AuditRows:
    """The one writer of the table; whatever it looks up is read once for a unit of work."""

    def __init__(self, connection: Connection, parties: Parties) -> None:
        self._db = connection
        self._parties = parties
        self._pseudonyms: dict[str, str] = {}

    def write(self, act: Act) -> int:
        """The row and its hash, and that it waits for the sealer; returns its id."""
        plan_id, version, citizen, lead = self._about(act)
        who = act.actor.split(": ", 1)[0]
        unit = self._parties.get(who)
        if unit is None and who == HUB and act.party:
            unit = self._parties.get(act.party)
        consent = act.basis.removeprefix("consent/")
        purpose, sections = self._permitted(act, plan_id)
        row = {
            "at": act.at,
            "actor": act.actor,
            "action": act.action,
            "object": act.object,
            "party": act.party,
            "basis": act.basis,
            "outcome": act.outcome,
            "detail": act.detail,
            "role": act.role or self._role(who, unit, lead),
            "unit": _identifier(unit.party) if unit else None,
            "unit_name": _named(unit.party) if unit else None,
            "citizen": self.pseudonym(citizen, act.at) if citizen else None,
            "plan_id": plan_id,
            "version": version,
            "sections": " ".join(sections) or None,
            "purpose": purpose,
            "consent_id": consent if consent != act.basis else None,
            "reason": act.reason,
        }
        return self._insert(row)

    def _insert(self, row: Mapping[str, Any]) -> int:
        # The hash covers the row's number, so that comes first: with its place in the tail.
        waits = AUDIT_TAIL.insert().values(audit_id=next_id(self._db, AUDIT))
        audit_id: int = self._db.execute(waits.returning(AUDIT_TAIL.c.audit_id)).scalar_one()
        numbered = {**row, "id": audit_id}
        self._db.execute(AUDIT.insert().values(**numbered, row_hash=row_hash(numbered)))
        return audit_id

    # Citizens

    def pseudonym(self, citizen: str, now: datetime) -> str:
        """The citizen's name in the trail; a key is made for who has none."""
        if citizen not in self._pseudonyms:
            key = self._key(citizen) or self._new_key(citizen, now)
            self._pseudonyms[citizen] = _pseudonym(key, citizen)
        return self._pseudonyms[citizen]

    def _new_key(self, citizen: str, now: datetime) -> str:
        """A random key; where another transaction made one at the same time, that one."""
        key = secrets.token_hex(32)
        row = {"citizen_id": citizen, "key": key, "made_at": now}
        if inserted(self._db, PSEUDONYM, row):
            return key
        other = self._key(citizen)
        assert other is not None
        return other

    def known_pseudonym(self, citizen: str) -> str | None:
        """The same; None where there is no key (any more)."""
        key = self._key(citizen)
        return _pseudonym(key, citizen) if key else None

    def forget(self, citizen: str) -> bool:
        """Delete the key: nothing leads from the citizen to the rows, or back, any more."""
        self._pseudonyms.pop(citizen, None)
        gone = self._db.execute(delete(PSEUDONYM).where(PSEUDONYM.c.citizen_id == citizen))
        return gone.rowcount > 0

    def _key(self, citizen: str) -> str | None:
        found = select(PSEUDONYM.c.key).where(PSEUDONYM.c.citizen_id == citizen)
        return self._db.execute(found).scalar()

    # What it was about

    def _about(self, act: Act) -> tuple[str | None, int | None, str | None, str | None]:
        """Plan, version, citizen and the plan's lead."""
        plan_id, version, citizen = act.plan_id, act.version, act.citizen
        for text in (act.object, act.detail):
            named = _PLAN.search(text)
            if plan_id is None and named:
                plan_id = named[1]
            if version is None and named and named[1] == plan_id and named[2]:
                version = int(named[2])
        if plan_id is None and (kept := _INBOX.match(act.object)):
            plan_id = self._db.execute(
                select(INBOX.c.plan_id).where(INBOX.c.id == kept[1])
            ).scalar()
        if citizen is None and plan_id is None and (given := _CONSENT.match(act.object)):
            citizen = self._of_decision(given[1])
        if plan_id is None:
            return None, None, citizen, None
        plan = self._db.execute(select(PLAN).where(PLAN.c.id == plan_id)).first()
        if plan is not None:
            return plan_id, version, citizen or plan.citizen_id, plan.lead
        part = self._db.execute(select(PART).where(PART.c.id == plan_id)).first()
        if part is not None:
            return part.plan_id, version, citizen or part.citizen_id, None
        return plan_id, version, citizen, None

    def _permitted(self, act: Act, plan_id: str | None) -> tuple[str | None, tuple[str, ...]]:
        """For what, and of which sections, the unit was permitted at that moment."""
        if act.purpose or act.sections or not act.basis or act.party is None or plan_id is None:
            return act.purpose, act.sections
        rows = self._db.execute(
            select(ACCESS.c.purpose, ACCESS.c.section).where(
                ACCESS.c.plan_id == plan_id,
                ACCESS.c.party == act.party,
                ACCESS.c.since <= act.at,
                ACCESS.c.until > act.at,
            )
        ).all()
        purposes = sorted({r.purpose for r in rows})
        return " ".join(purposes) or None, tuple(sorted({r.section for r in rows}))

    def _of_decision(self, decision: str) -> str | None:
        found = select(CONSENT.c.citizen_id).where(CONSENT.c.id == decision)
        approved = (
            select(PLAN.c.citizen_id)
            .join(APPROVAL, APPROVAL.c.plan_id == PLAN.c.id)
            .where(APPROVAL.c.id == decision)
        )
        return self._db.execute(found).scalar() or self._db.execute(approved).scalar()

    # Who

    def _role(self, who: str, unit: RegisteredParty | None, lead: str | None) -> str | None:
        if unit is not None:
            if unit.party.id == lead:
                return "lead"
            return "party" if unit.party.id == who else "receiver"
        if who == HUB:
            return HUB
        found = select(OPERATOR.c.id).where(or_(OPERATOR.c.id == who, OPERATOR.c.name == who))
        return "operator" if self._db.execute(found).first() else None


def _pseudonym(key: str, citizen: str) -> str:
    return hmac(bytes.fromhex(key), citizen.encode(), sha256).hexdigest()


def _identifier(unit: Party) -> str:
    """SOR where the unit has one, else another identifier that names one unit, else the hub's."""
    held: dict[str, str] = {}
    for identifier in unit.identifiers:
        held.setdefault(identifier.system, identifier.value)
    for system in names.UNIT_SYSTEMS:
        if system in held:
            return f"{system}|{held[system]}"
    return f"{names.LOCAL_UNIT}|{unit.id}"


def _named(unit: Party) -> str:
    """The unit, and the organisation it is in where its name does not say so."""
    inside = unit.organisation and unit.organisation not in unit.name
    return f"{unit.name}, {unit.organisation}" if inside else unit.name

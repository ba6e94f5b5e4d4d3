"""Parties, operators and credentials."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from hub.contract import Identifier, Party
from hub.model.breaker import endpoint_of
from hub.model.client import Quota
from hub.model.party import Directory, RegisteredParty, Subscription
from hub.model.retry import RetryWish
from hub.sending import Endpoint
from hub.store.subscription_tables import SUBSCRIPTION
from hub.store.tables import OPERATOR, PARTY

FILE = "file"
"""Source of a subscription that stands in the parties file."""


class Parties:
    """The register of units. It holds no personal data, so it needs no viewer."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._read: dict[str, RegisteredParty | None] = {}
        """Asked for already: one step asks for the same few again and again."""

    def get(self, party_id: str) -> RegisteredParty | None:
        """One party by its id, as it was when this unit of work first asked, or changed it."""
        self.know([party_id])
        return self._read[party_id]

    def know(self, party_ids: Iterable[str]) -> None:
        """Read together those that :meth:`get` is about to be asked for."""
        asked = sorted({*party_ids} - self._read.keys())
        if not asked:
            return
        self._read |= dict.fromkeys(asked)
        rows = self._db.execute(select(PARTY).where(PARTY.c.id.in_(asked))).all()
        self._read |= {r.party.id: r for r in self._whole(rows)}

    def lock(self, party_id: str) -> None:
        """What else only one transaction of this party may do at a time waits here."""
        self._read.pop(party_id, None)
        named = select(PARTY.c.id).where(PARTY.c.id == party_id)
        # Rows that refer to the party can be added meanwhile.
        self._db.execute(named.with_for_update(key_share=True))

    def all(self) -> list[RegisteredParty]:
        """Every party, by id."""
        found = self._whole(self._db.execute(select(PARTY).order_by(PARTY.c.id)).all())
        self._read |= {r.party.id: r for r in found}
        return found

    def directory(self) -> Directory:
        """Every party, findable by its identifiers."""
        return Directory(r.party for r in self.all())

    def by_credential(self, digest: str) -> RegisteredParty | None:
        """The party with that credential (SHA-256, hex)."""
        row = self._db.execute(select(PARTY).where(PARTY.c.credential_hash == digest)).first()
        return self._whole([row])[0] if row else None

    def has_credential(self, party_id: str) -> bool:
        """A credential was set."""
        found = select(PARTY.c.credential_hash).where(PARTY.c.id == party_id)
        return self._db.execute(found).scalar() is not None

    def save(self, registered: RegisteredParty, now: datetime) -> None:
        """Insert or change; credential and pause stay as they are."""
        party = registered.party
        self._read.pop(party.id, None)
        values: dict[str, Any] = {
            "name": party.name,
            "kind": party.kind,
            "organisation": party.organisation,
            "phone": party.phone,
            "identifiers": [[i.system, i.value] for i in party.identifiers],
            "transport": registered.endpoint.transport,
            "address": registered.endpoint.address,
            "endpoint_secret": registered.endpoint.secret,
            "documents_a_minute": registered.quota.documents_a_minute,
            "bytes_a_day": registered.quota.bytes_a_day,
            "silent_hours": registered.silent_hours,
            "endpoint": endpoint_of(registered.endpoint.transport, registered.endpoint.address),
            "retry": registered.retry.written() or None,
            "updated_at": now,
        }
        changed = self._db.execute(update(PARTY).where(PARTY.c.id == party.id).values(**values))
        if changed.rowcount == 0:
            self._db.execute(PARTY.insert().values(id=party.id, paused=False, **values))
        self._save_subscriptions(party.id, registered.subscriptions)

    def _save_subscriptions(self, party_id: str, subscriptions: Iterable[Subscription]) -> None:
        """As the parties file says; a party's FHIR Subscriptions are its own affair."""
        written = (SUBSCRIPTION.c.party == party_id, SUBSCRIPTION.c.source == FILE)
        self._db.execute(SUBSCRIPTION.delete().where(*written))
        for position, one in enumerate(subscriptions):
            self._db.execute(
                SUBSCRIPTION.insert().values(
                    id=str(uuid.uuid4()), party=party_id, source=FILE, position=position,
                    format=one.format, content=one.content, versions=one.versions,
                    receipt=one.receipt, options=one.options,
                    unacceptable=list(one.unacceptable), retry=one.retry.written() or None,
                    status="active", events=0,
                )
            )  # fmt: skip

    def set_credential(self, party_id: str, digest: str) -> None:
        """Only the hash is kept."""
        changed = update(PARTY).where(PARTY.c.id == party_id).values(credential_hash=digest)
        self._db.execute(changed)

    def pause(self, party_id: str, by: str | None, reason: str | None) -> None:
        """Stop or (with ``by`` None) resume sending to the party."""
        self._read.pop(party_id, None)
        self._db.execute(
            update(PARTY)
            .where(PARTY.c.id == party_id)
            .values(paused=by is not None, paused_by=by, paused_reason=reason)
        )

    def save_operator(self, operator_id: str, name: str, digest: str | None) -> None:
        """Insert or change an operator; without a digest the credential stays."""
        values = {"name": name} | ({"credential_hash": digest} if digest else {})
        found = update(OPERATOR).where(OPERATOR.c.id == operator_id).values(**values)
        if self._db.execute(found).rowcount == 0:
            self._db.execute(OPERATOR.insert().values(id=operator_id, **values))

    def operator_by_credential(self, digest: str) -> str | None:
        """The operator's name."""
        found = select(OPERATOR.c.name).where(OPERATOR.c.credential_hash == digest)
        return self._db.execute(found).scalar()

    def operator_name(self, operator_id: str) -> str | None:
        """The name of the operator with that id."""
        found = select(OPERATOR.c.name).where(OPERATOR.c.id == operator_id)
        return self._db.execute(found).scalar()

    def operator_has_credential(self, operator_id: str) -> bool:
        """A credential was set."""
        found = select(OPERATOR.c.credential_hash).where(OPERATOR.c.id == operator_id)
        return self._db.execute(found).scalar() is not None

    def _whole(self, rows: Sequence[Row[Any]]) -> list[RegisteredParty]:
        if not rows:
            return []
        found = select(SUBSCRIPTION).where(
            SUBSCRIPTION.c.source == FILE, SUBSCRIPTION.c.party.in_([r.id for r in rows])
        )
        own: dict[str, list[Row[Any]]] = {}
        for one in self._db.execute(found.order_by(SUBSCRIPTION.c.position)):
            own.setdefault(one.party, []).append(one)
        return [_party(r, own.get(r.id, ())) for r in rows]


def _party(row: Row[Any], subscriptions: Iterable[Row[Any]]) -> RegisteredParty:
    return RegisteredParty(
        party=Party(
            id=row.id,
            name=row.name,
            kind=row.kind,
            organisation=row.organisation,
            identifiers=tuple(Identifier(s, v) for s, v in row.identifiers),
            phone=row.phone,
        ),
        endpoint=Endpoint(row.transport, row.address, row.endpoint_secret),
        subscriptions=tuple(
            Subscription(
                s.format,
                s.content,
                s.versions,
                s.receipt,
                s.options,
                tuple(s.unacceptable or ()),
                RetryWish.read(s.retry),
            )
            for s in subscriptions
        ),
        paused=row.paused,
        paused_by=row.paused_by,
        paused_reason=row.paused_reason,
        quota=Quota(row.documents_a_minute, row.bytes_a_day),
        silent_hours=row.silent_hours,
        retry=RetryWish.read(row.retry),
    )

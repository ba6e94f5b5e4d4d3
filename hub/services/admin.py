"""What the operator does with parties: apply a file, pause, resume."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from hub.capabilities import Optioned
from hub.contract import Party
from hub.errors import Invalid, NotFound
from hub.fhir import names
from hub.model.agreement import Agreements
from hub.model.alone import is_alone
from hub.model.client import Client
from hub.model.party import CITIZEN, SYSTEM, RegisteredParty
from hub.ports import PartyAccess, audiences_of, carries_alone
from hub.services.document_route import follow_documents
from hub.services.hub import Hub
from hub.services.lapse import ACTOR, reconcile_one
from hub.services.route import CITIZEN_FORMAT
from hub.services.state import set_agreements
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

_RESERVED: Final = frozenset({CITIZEN, OPERATOR, ACTOR})
"""Ids that mean something else where a party id stands."""
_EVERY: Final = 1_000_000


@dataclass(frozen=True)
class Credential:
    """A credential that the operator chose."""

    digest: str
    """SHA-256 of the secret, hex."""
    secret: str | None = field(default=None, repr=False)
    """The secret itself, where it is known; a broker's user needs it."""


@dataclass(frozen=True)
class PartyEntry:
    """A party as a person wrote it down."""

    registered: RegisteredParty
    credential: Credential | None = None
    clients: tuple[Client, ...] = ()


@dataclass(frozen=True)
class OperatorEntry:
    """An operator as a person wrote it down."""

    id: str
    name: str
    credential: Credential | None = None
    clients: tuple[Client, ...] = ()


@dataclass(frozen=True)
class Applied:
    """What applying a file did."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    secrets: Mapping[str, str]
    """Credentials that were made now; shown once and never kept in the clear."""


def apply_parties(
    hub: Hub,
    parties: Sequence[PartyEntry],
    operators: Sequence[OperatorEntry],
    citizen_format: str,
    *,
    by: str,
    renew: bool = False,
    agreements: Agreements | None = None,
) -> Applied:
    """Make the register say what the file says. Parties the file leaves out stay as they are.

    A party or operator without a credential gets one made; ``renew`` makes new ones for all.
    Raises Invalid, and changes nothing, for a name that is taken, an unknown format, and one for
    the citizen that has no citizen's version.
    """
    done: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
    made: dict[str, str] = {}
    now = hub.clock()
    _check_citizen_format(hub, citizen_format)
    _check_names(hub, parties)
    _check_clients(hub, parties, operators)
    with hub.store.writing() as work:
        work.journal.set_meta(CITIZEN_FORMAT, citizen_format)
        units = {entry.registered.party.id for entry in parties}
        agreed = set_agreements(work, agreements or Agreements(), units)
        for entry in parties:
            party_id = entry.registered.party.id
            done[_register(hub, work, entry, made, renew=renew)].append(party_id)
            work.journal.audit(now, by, "parties", f"party/{party_id}", party=party_id)
        for operator in operators:
            _register_operator(work, operator, made, renew=renew)
        follow_documents(hub, work, work.parties.directory(), actor=by)
        work.commit()
    hub.bus.provision([PartyAccess(e.registered.party, _secret(e, made)) for e in parties])
    if done["added"] or done["changed"] or agreed:
        with hub.store.reading() as work:
            plans = work.plans.listing(SYSTEM, hub.clock(), limit=_EVERY)
        for plan in plans:
            # Who receives how may be another now, and who was unknown may be a party.
            reconcile_one(hub, plan.id, actor=by)
    added, changed, unchanged = (tuple(done[k]) for k in ("added", "changed", "unchanged"))
    return Applied(added, changed, unchanged, made)


def _register(
    hub: Hub, work: UnitOfWork, entry: PartyEntry, made: dict[str, str], *, renew: bool
) -> Literal["added", "changed", "unchanged"]:
    """Write one party down; a credential that is made now goes into ``made``."""
    party_id = entry.registered.party.id
    _check_options(hub, entry.registered)
    known = work.parties.get(party_id)
    work.parties.save(entry.registered, hub.clock())
    same = known is not None and _as_written(known) == _as_written(entry.registered)
    same = same and work.clients.of("party", party_id) == _by_id(entry.clients)
    work.clients.save("party", party_id, entry.clients)
    missing = renew or not work.parties.has_credential(party_id)
    credential = _credential(entry.credential, missing)
    if credential is not None:
        owner = work.parties.by_credential(credential.digest)
        if owner is None or owner.party.id != party_id:
            work.logins.close_of("party", party_id)
        work.parties.set_credential(party_id, credential.digest)
        _show(made, party_id, credential, entry.credential)
    return "added" if known is None else "unchanged" if same else "changed"


def _register_operator(
    work: UnitOfWork, operator: OperatorEntry, made: dict[str, str], *, renew: bool
) -> None:
    missing = renew or not work.parties.operator_has_credential(operator.id)
    credential = _credential(operator.credential, missing)
    digest = credential.digest if credential else None
    before = work.parties.operator_name(operator.id)
    if before and digest and work.parties.operator_by_credential(digest) != before:
        work.logins.close_of("operator", before)
    work.parties.save_operator(operator.id, operator.name, digest)
    work.clients.save("operator", operator.id, operator.clients)
    if credential is not None:
        _show(made, operator.id, credential, operator.credential)


def _check_citizen_format(hub: Hub, wanted: str) -> None:
    """What the citizen gets is the citizen's version; a party's is for professionals."""
    if "citizen" not in audiences_of(hub.adapters.adapter(wanted)):
        text = f"citizen.format: {wanted} has no version for the citizen; choose one that has"
        raise Invalid(text, at="citizen.format")


def _check_options(hub: Hub, registered: RegisteredParty) -> None:
    """Every format is known here, can carry what is subscribed to, and takes its options."""
    for subscription in registered.subscriptions:
        adapter = hub.adapters.adapter(subscription.format)
        if is_alone(subscription.content) and not carries_alone(adapter):
            text = f"party {registered.party.id}: {subscription.format} carries no "
            raise Invalid(text + f"{subscription.content}; choose a format that does", at="format")
        if not isinstance(adapter, Optioned):
            continue
        try:
            adapter.check_options(subscription.options)
        except Invalid as e:
            where = e.issues[0].expression
            text = f"party {registered.party.id}, {subscription.format}, {where}: {e.text}"
            raise Invalid(text, at=where) from None


def _check_names(hub: Hub, parties: Sequence[PartyEntry]) -> None:
    """A name that means two units, or one of the hub's own, would send to the wrong one."""
    applied = {e.registered.party.id for e in parties}
    with hub.store.reading() as work:
        others = [r.party for r in work.parties.all() if r.party.id not in applied]
    taken = {(names.LOCAL_UNIT, p.id): p.id for p in others}
    for party in (*others, *(e.registered.party for e in parties)):
        for system, value in _unit_names(party):
            if taken.setdefault((system, value), party.id) != party.id:
                raise Invalid(f"party {party.id}: it has an identifier of another party's")
    reserved = sorted(applied & _RESERVED)
    if reserved:
        raise Invalid(f"party {reserved[0]}: the hub uses this id itself")


def _check_clients(
    hub: Hub, parties: Sequence[PartyEntry], operators: Sequence[OperatorEntry]
) -> None:
    """A client is one owner's; one that another has already would change hands unseen."""
    with hub.store.reading() as work:
        listed = [*(e.clients for e in parties), *(o.clients for o in operators)]
        for client in (c for clients in listed for c in clients):
            known = work.clients.get(client.id)
            if known is not None and (known.kind, known.owner) != (client.kind, client.owner):
                raise Invalid(f"client {client.id}: it is another's already")


def _by_id(clients: Iterable[Client]) -> tuple[Client, ...]:
    return tuple(sorted(clients, key=lambda c: c.id))


def _unit_names(party: Party) -> Iterator[tuple[str, str]]:
    yield names.LOCAL_UNIT, party.id
    for identifier in party.identifiers:
        if identifier.system in names.UNIT_SYSTEMS:
            yield identifier.system, identifier.value


def _credential(given: Credential | None, missing: bool) -> Credential | None:
    if given is not None or not missing:
        return given
    secret = secrets.token_urlsafe(24)
    return Credential(credential_hash(secret), secret)


def _show(
    made: dict[str, str], name: str, credential: Credential, given: Credential | None
) -> None:
    if given is None and credential.secret is not None:
        made[name] = credential.secret


def _secret(entry: PartyEntry, made: Mapping[str, str]) -> str | None:
    given = entry.credential.secret if entry.credential else None
    return given or made.get(entry.registered.party.id)


def credential_hash(secret: str) -> str:
    """Secrets are random and long, so one round of SHA-256 keeps them."""
    return hashlib.sha256(secret.encode()).hexdigest()


def pause(hub: Hub, party_id: str, *, by: str, reason: str) -> None:
    """Send nothing to the party until it is resumed; what is due waits."""
    _audited(hub, party_id, "pause", by, reason, paused=True)


def resume(hub: Hub, party_id: str, *, by: str, reason: str) -> None:
    """Send again, in order."""
    _audited(hub, party_id, "resume", by, reason, paused=False)


def _audited(hub: Hub, party_id: str, action: str, by: str, reason: str, *, paused: bool) -> None:
    with hub.store.writing() as work:
        if work.parties.get(party_id) is None:
            raise NotFound("No such party")
        work.parties.pause(party_id, by if paused else None, reason if paused else None)
        work.journal.audit(
            hub.clock(), by, action, f"party/{party_id}", party=party_id,
            role="operator", reason=reason,
        )  # fmt: skip
        work.commit()
    hub.wake.set()


def _as_written(registered: RegisteredParty) -> tuple[object, ...]:
    return (
        registered.party, registered.endpoint, registered.subscriptions, registered.quota,
        registered.retry,
    )  # fmt: skip

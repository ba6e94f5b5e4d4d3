"""From the parties file to what the services register: secrets fetched, addresses filled in."""

from __future__ import annotations

import os
from pathlib import Path

from hub.errors import Invalid, Misconfigured
from hub.model.client import Client, Owner
from hub.model.party import RegisteredParty, Subscription
from hub.ports import deliveries_queue
from hub.runtime.clients_file import ClientEntry
from hub.runtime.parties_file import PartiesFile, SecretRef
from hub.runtime.parties_file import PartyEntry as WrittenParty
from hub.sending import Endpoint
from hub.services.admin import Credential, OperatorEntry, PartyEntry, credential_hash


def party_entries(file: PartiesFile, folder: Path) -> list[PartyEntry]:
    """The parties; ``folder`` is where relative secret files are looked for."""
    return [
        PartyEntry(
            RegisteredParty(
                party=p.party,
                endpoint=_endpoint(p, folder),
                subscriptions=tuple(
                    Subscription(
                        s.format,
                        s.content,
                        s.versions,
                        s.receipt,
                        dict(s.options),
                        s.unacceptable,
                        s.retry,
                    )
                    for s in p.subscriptions
                ),
                quota=p.quota,
                silent_hours=p.silent_hours,
                retry=p.retry,
            ),
            _credential(p.credential, folder),
            _clients("party", p.party.id, p.clients),
        )
        for p in file.parties
    ]


def operator_entries(file: PartiesFile, folder: Path) -> list[OperatorEntry]:
    """The operators."""
    return [
        OperatorEntry(
            o.id,
            o.name,
            _credential(o.credential, folder),
            _clients("operator", o.id, o.clients),
        )
        for o in file.operators
    ]


def _clients(kind: Owner, owner: str, written: tuple[ClientEntry, ...]) -> tuple[Client, ...]:
    for one in written:
        if one.jwks is not None:
            _check_keys(one)
    return tuple(
        Client(c.id, kind, owner, c.scopes, c.jwks, c.jwks_url, c.certificate) for c in written
    )


def _check_keys(client: ClientEntry) -> None:
    from hub.access.keys import public_keys  # noqa: PLC0415  (cryptography is slow to load)

    try:
        public_keys(client.jwks or {})
    except Invalid as e:
        raise Invalid(f"client {client.id}, jwks: {e.text}", at="jwks") from None


def _endpoint(party: WrittenParty, folder: Path) -> Endpoint:
    written = party.endpoint
    secret = _secret(written.secret, folder) if written.secret else None
    return Endpoint(written.transport, written.address or deliveries_queue(party.party.id), secret)


def _credential(ref: SecretRef | None, folder: Path) -> Credential | None:
    if ref is None:
        return None
    if ref.source == "sha256":
        return Credential(ref.value)
    secret = _secret(ref, folder)
    return Credential(credential_hash(secret), secret)


def _secret(ref: SecretRef, folder: Path) -> str:
    if ref.source == "env":
        found = os.environ.get(ref.value, "")
        if not found:
            raise Misconfigured(f"The environment variable {ref.value} is not set")
        return found
    try:
        return (folder / ref.value).read_text(encoding="utf-8").strip()
    except OSError as e:
        raise Misconfigured(f"The secret file {ref.value} cannot be read") from e

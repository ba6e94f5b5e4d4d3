"""From the parties file to what the services register: secrets fetched, addresses filled in."""

from __future__ import annotations

import os
from pathlib import Path

from hub.contract import Endpoint
from hub.errors import Misconfigured
from hub.model.party import RegisteredParty, Subscription
from hub.ports import deliveries_queue
from hub.runtime.parties_file import PartiesFile, SecretRef
from hub.runtime.parties_file import PartyEntry as WrittenParty
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
                        s.format, s.content, s.versions, s.receipt, dict(s.options), s.unacceptable
                    )
                    for s in p.subscriptions
                ),
            ),
            _credential(p.credential, folder),
        )
        for p in file.parties
    ]


def operator_entries(file: PartiesFile, folder: Path) -> list[OperatorEntry]:
    """The operators."""
    return [OperatorEntry(o.id, o.name, _credential(o.credential, folder)) for o in file.operators]


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

"""What is shown of one resource version, and what the audit says of showing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.contract import Resource


@dataclass(frozen=True)
class Disclosure:
    """What the audit says of showing something."""

    object: str
    """``CarePlan/<id>/_history/<n>`` or ``Consent/<id>``."""
    basis: str
    plan_id: str | None = None
    epoch: int = 0
    """The plan's consent epoch this was decided in."""
    role: str | None = None
    """The reader's in the plan's team, where it has one."""


@dataclass(frozen=True)
class Entry:
    """One version of one resource as the party may read it."""

    resource: Resource
    """With ``meta.versionId`` and ``meta.lastUpdated``."""
    version: str
    modified: datetime
    citizen: str
    """The hub's id of the Patient whose compartment it is in."""
    why: Disclosure

    @property
    def key(self) -> str:
        """``Type/id``."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


def make_entry(
    resource: Resource, version: str, modified: datetime, citizen: str, why: Disclosure
) -> Entry:
    """An entry whose resource says its own version; everything else in it is as stored."""
    own = {"versionId": version, "lastUpdated": modified.isoformat()}
    head = {k: resource[k] for k in ("resourceType", "id")}
    rest = {k: v for k, v in resource.items() if k not in {"resourceType", "id", "meta"}}
    meta = {**resource.get("meta", {}), **own}
    return Entry(head | {"meta": meta} | rest, version, modified, citizen, why)

"""What a step answers the sender."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.contract import Resource
from hub.errors import Issue
from hub.fhir.outcome import outcome
from hub.model.plan import Key
from hub.model.records import InboxState


@dataclass(frozen=True)
class Written:
    """What became of one interaction over REST."""

    status: int
    key: Key | None = None
    """The version that now stands; None if the sender's words are kept under no address."""
    modified: datetime | None = None
    """When that version came."""
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The outcome of an accepted message; its issues become the OperationOutcome."""

    state: InboxState
    issues: tuple[Issue, ...]
    plan: tuple[str, int] | None = None
    """Plan id and version."""
    basis: str = ""
    citizen: str | None = None
    """The hub's id of whom it is about; None where nobody knows."""
    decided: Written | None = None
    """The Consent that a decision became."""
    written: tuple[Written | None, ...] | None = None
    """Of what came over REST: the result of each interaction, None for one that only reads."""
    alone: bool = False
    """It came over REST as one interaction, not in a Bundle."""

    @property
    def status(self) -> int:
        """HTTP: 202 while a person must say where a document belongs, else 200 or 201."""
        if self.written is not None:
            first = self.written[0] if self.alone else None
            return first.status if first is not None else 200
        return 202 if self.state == "unattached" else 200

    @property
    def resource(self) -> Resource:
        """An OperationOutcome; of what came over REST, a Bundle of results without resources."""
        if self.written is None:
            return outcome(self.issues)
        entries = [{"response": _response(w)} for w in self.written]
        made = {"resourceType": "Bundle", "type": "transaction-response"}
        return made | ({"entry": entries} if entries else {})


def _response(written: Written | None) -> dict[str, Any]:
    if written is None:
        return {"status": "200"}
    made: dict[str, Any] = {"status": str(written.status)}
    if written.key is not None:
        kind, own, version = written.key
        made |= {"location": f"{kind}/{own}/_history/{version}", "etag": f'W/"{version}"'}
    if written.modified is not None:
        made["lastModified"] = written.modified.isoformat()
    return made | {"outcome": outcome(written.issues)}

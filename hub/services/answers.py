"""What a step answers the sender."""

from __future__ import annotations

from dataclasses import dataclass

from hub.errors import Issue
from hub.model.records import InboxState


@dataclass(frozen=True)
class Answer:
    """The outcome of an accepted message; its issues become the OperationOutcome."""

    state: InboxState
    issues: tuple[Issue, ...]
    plan: tuple[str, int] | None = None
    """Plan id and version."""
    basis: str = ""

    @property
    def status(self) -> int:
        """HTTP: 202 while a person must say where it belongs, else 200."""
        return 202 if self.state == "unattached" else 200

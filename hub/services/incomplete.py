"""A yes without who gave it, how and to whom: it permits nothing, and a person completes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from hub.contract import Identifier
from hub.errors import InputRefused, Issue, NoLegalBasis
from hub.fhir.codec import parse_json
from hub.fhir.decided import is_approval
from hub.model.records import InboxItem, Task
from hub.services.hub import new_id, repeatable
from hub.store.work import UnitOfWork

KIND: Final = "complete-consent"
_SEALED: Final = (
    "A document is sealed because no consent that covers you is registered; what it says of "
    "consent itself permits nothing. Register the citizen's consent: giver, units, written or oral"
)
_BARE: Final = (
    "A consent was not complete and permits nothing; complete it: giver, units, written or oral"
)


class NoConsentError(NoLegalBasis):
    """No consent that covers the sender is registered for this citizen."""

    def __init__(
        self,
        text: str = "",
        citizen: Iterable[Identifier] = (),
        *,
        at: str | None = None,
        issues: tuple[Issue, ...] = (),
    ) -> None:
        """``citizen``: the numbers in the document; they are told to nobody."""
        super().__init__(text, at=at, issues=issues)
        self.citizen = tuple(citizen)


def ask_to_complete(
    work: UnitOfWork,
    item: InboxItem,
    numbers: Iterable[Identifier],
    now: datetime,
    *,
    sealed: bool,
) -> None:
    """One task for each unit and citizen, however often it is tried.

    Of a citizen who is not known by number, and of two numbers, nothing can be asked.
    """
    found = tuple(dict.fromkeys(numbers))
    citizen = work.plans.citizen(found)
    if citizen is None and len(found) == 1:
        citizen = new_id()
        work.plans.add_citizen(citizen, found)
    if citizen is not None:
        text = _SEALED if sealed else _BARE
        task_id = _task(item.sender, citizen)
        work.journal.open_task(Task(task_id, KIND, item.sender, text, None, None, item.id, now))


def completed(work: UnitOfWork, sender: str, citizen: str, now: datetime) -> None:
    """The unit has registered a consent, or a refusal, of this citizen."""
    work.journal.close_tasks(sender, now, task_id=_task(sender, citizen))


def bare_consent(item: InboxItem) -> tuple[Identifier, ...]:
    """Whose consent a refused resource says it is; empty unless it is an active consent."""
    try:
        found = parse_json(item.body or b"")
    except InputRefused:
        return ()
    if not isinstance(found, dict) or found.get("resourceType") != "Consent":
        return ()
    patient = found.get("patient")
    number = patient.get("identifier") if isinstance(patient, dict) else None
    if is_approval(found) or found.get("status") != "active" or not isinstance(number, dict):
        return ()
    system, value = number.get("system"), number.get("value")
    named = isinstance(system, str) and isinstance(value, str)
    return (Identifier(system, value),) if named else ()  # type: ignore[arg-type]


def _task(sender: str, citizen: str) -> str:
    return repeatable("task", KIND, sender, citizen)

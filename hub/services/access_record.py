"""Who has seen what: the trail as operators, auditors and the citizen's own unit may read it.

Every look at the trail is itself a row of it, committed before anything is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from hub.contract import Party
from hub.errors import NotFound
from hub.fhir.language import Language
from hub.model.access_record import Line, lines
from hub.model.party import SYSTEM, Viewer
from hub.services.hub import Hub
from hub.services.overview import for_operators
from hub.services.state import plan_state
from hub.services.whose import UNKNOWN, Subject, Whose, subject_of
from hub.store.trail import Wanted
from hub.store.work import UnitOfWork

EXPORT: Final = "audit-export"
MOST: Final = 500
"""Rows on one page."""


def page(
    hub: Hub, viewer: Viewer, wanted: Wanted, *, before: int | None = None, count: int = 100
) -> tuple[list[dict[str, Any]], int | None]:
    """Newest first, and the row to go on before; None at the end. For operators and auditors."""
    for_operators(viewer)
    count = max(1, min(count, MOST))
    with hub.store.reading() as work:
        rows = work.trail.rows(wanted, before=before, limit=count + 1)
    _looked(hub, viewer, "audit-read", wanted)
    return rows[:count], rows[count - 1]["id"] if len(rows) > count else None


def export(
    hub: Hub, viewer: Viewer, wanted: Wanted, *, citizen_of: Whose | None = None
) -> list[dict[str, Any]]:
    """All of them, oldest first; with ``citizen_of``, those about that citizen.

    Raises NotFound for no such plan or citizen, and where the citizen's pseudonym is erased.
    """
    for_operators(viewer)
    named = subject_of(hub, viewer, citizen_of, EXPORT) if citizen_of is not None else None
    with hub.store.reading() as work:
        if named is not None:
            found = work.trail.pseudonym_of(named.citizen)
            if found is None:
                raise NotFound("The trail no longer knows this citizen")
            wanted = replace(wanted, citizen=found)
        rows = list(work.trail.every(wanted))
    _looked(hub, viewer, EXPORT, wanted, named)
    return rows


def access_record(
    hub: Hub, reader: Party, plan_id: str, language: Language, *, everything: bool = False
) -> list[Line]:
    """Who has seen anything of the plan's citizen here or tried to, newest first; to be given to
    the citizen.

    For the lead's unit and the coordinators; raises NotFound for everyone else. Only this plan's
    rows: another plan of the same citizen may be one that the reader knows nothing of.
    """
    with hub.store.writing() as work:
        _entitled(hub, work, reader, plan_id)
        rows = list(work.trail.every(Wanted(plan_id=plan_id)))
        work.journal.audit(
            hub.clock(), reader.id, "access-record", f"CarePlan/{plan_id}", party=reader.id
        )
        work.commit()
    return lines(reversed(rows), language, everything=everything)


def line_row(line: Line) -> dict[str, Any]:
    """One line for machines."""
    return {
        "at": line.at.isoformat(),
        "organisation": line.organisation,
        "unit": line.unit or None,
        "person": line.person or None,
        "role": line.role or None,
        "what": line.what,
        "why": line.why,
        "version": line.version,
        "sections": list(line.sections),
        "permitted": line.permitted,
        "kind": line.kind,
    }


def audit_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row for machines, every column."""
    return {**row, "at": row["at"].isoformat(), "sections": (row["sections"] or "").split()}


def _entitled(hub: Hub, work: UnitOfWork, reader: Party, plan_id: str) -> None:
    now = hub.clock()
    plan = work.plans.get(plan_id, SYSTEM, now)
    if plan is not None and plan.lead == reader.id:
        return
    known = work.plans.get(plan_id, Viewer.of(reader), now)
    if known is not None:
        member = plan_state(work, known, work.parties.directory(), now).member(reader.id)
        if member is not None and "coordinator" in member.roles:
            return
    raise NotFound(UNKNOWN)


def _looked(
    hub: Hub, viewer: Viewer, action: str, wanted: Wanted, named: Subject | None = None
) -> None:
    """In a transaction of its own, before anything is shown."""
    shown = ("party", "action", "outcome", "since", "until")
    asked = {name: value for name in shown if (value := getattr(wanted, name)) is not None}
    place = f"CarePlan/{wanted.plan_id}" if wanted.plan_id else "audit"
    with hub.store.writing() as work:
        work.journal.audit(
            hub.clock(), viewer.id, action, named.place if named else place, role="operator",
            detail=" ".join(f"{k}={v}" for k, v in asked.items()),
            citizen=named.citizen if named else None,
        )  # fmt: skip
        work.commit()

"""Documents that a statute lets others look up, or be sent: who may, and what they then see.

Who may look one up is kept as rows, written in the transaction that changes the document, or what
the citizen has said. Whether a delivery of one may leave is decided anew whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from hub.contract import Party, Resource
from hub.fhir.codec import dump_json
from hub.law import statutes
from hub.model.lawful import Document, decide, document_grants
from hub.model.party import Directory
from hub.model.plan import identifiers, named_parties
from hub.model.protection import is_hidden, reveals, without_whereabouts
from hub.model.records import Delivery, Part
from hub.model.reduction import paths, shareable
from hub.services.hub import sha256
from hub.store.work import UnitOfWork

GONE: Final = "Its owner marks nothing of it for others any more"
_NARROWED: Final = "It holds something that its owner shows no more"
_IN_ERROR: Final = "It was entered in error"
_WRONG: Final = "entered-in-error"
WHEREABOUTS: Final = "whereabouts"
_KEPT_IN_ERROR: Final = frozenset({"resourceType", "id", "status", "intent", "subject", "category"})


def follow_access(work: UnitOfWork, part: Part, directory: Directory) -> None:
    """Make one document's rows say what the law and the citizen say of looking it up."""
    found = _lawful(work, part, directory)
    if found is not None and statutes().reaching_others(part.kind) is not None:
        item, parties = found
        work.documents.set_access(part.id, _rows(item, parties))


def reached(work: UnitOfWork, part: Part, directory: Directory, now: datetime) -> dict[str, str]:
    """Party to the statute that lets the document be sent to it now."""
    found = _lawful(work, part, directory)
    if found is None:
        return {}
    item, parties = found
    verdicts = {p.id: decide(p, item, "delivery", now) for p in parties if p != item.owner}
    return {party: v.basis for party, v in verdicts.items() if v.permit}


def why_not_document(work: UnitOfWork, delivery: Delivery, now: datetime) -> str:
    """Why this delivery of a document may not leave, or be fetched, now; empty if it may."""
    part = work.documents.get(delivery.document)
    directory = work.parties.directory()
    receiver = directory.get(delivery.receiver)
    found = _lawful(work, part, directory) if part is not None else None
    if part is None or receiver is None or found is None:
        return GONE
    verdict = decide(receiver, found[0], "delivery", now)
    if not verdict.permit:
        return verdict.reason
    content = as_sent(work, part)
    if not content:
        return GONE
    if delivery.digest == digest_of(content):
        return ""
    if in_error(work, part):
        return _IN_ERROR
    told = delivery.sections
    return _NARROWED if told is not None and not told <= told_by(work, part, content) else ""


def in_error(work: UnitOfWork, part: Part) -> bool:
    """Its owner says that it should never have been made."""
    return status_of_part(work, part) == _WRONG


def status_of_part(work: UnitOfWork, part: Part) -> str:
    """CarePlan.status of a document."""
    first = work.plans.resources(part.members[:1])
    return next((str(r.get("status", "")) for r in first.values()), "")


def as_sent(work: UnitOfWork, part: Part) -> dict[str, Resource]:
    """What others are sent of the document, with whose it is; empty: nothing, and nobody learns
    of it. Of one in error that it is so, and no more."""
    shown = as_shown(work, part)
    if in_error(work, part):
        plan = f"CarePlan/{part.id}"
        shown = {k: _bare(r) for k, r in shown.items() if k == plan}
    if not shown:
        return {}
    person = whose(work, part)
    return shown | {f"Patient/{person['id']}": person}


def told_by(work: UnitOfWork, part: Part, content: Mapping[str, Resource]) -> frozenset[str]:
    """What it tells, to be written down with what is frozen: its items by their paths, and whether
    of where the citizen can be found."""
    return paths(content) | (frozenset() if _hidden(work, part) else {WHEREABOUTS})


def digest_of(content: Mapping[str, Resource]) -> str:
    """Of what others are sent."""
    return sha256(*(dump_json(content[key]) for key in sorted(content)))


def _bare(plan: Resource) -> Resource:
    return {k: v for k, v in plan.items() if k in _KEPT_IN_ERROR}


def _lawful(
    work: UnitOfWork, part: Part, directory: Directory
) -> tuple[Document, tuple[Party, ...]] | None:
    """The document as the law sees it, and the units that it names; None if nobody owns it."""
    owner = directory.get(part.owner)
    if owner is None or not part.members:
        return None
    parties = named_parties(part.kind, work.plans.resources(part.members), directory.find)
    consents = work.consents.of_citizen(part.citizen_id)
    return Document(part.kind, owner, frozenset(p.id for p in parties), consents), parties


def as_shown(work: UnitOfWork, part: Part) -> dict[str, Resource]:
    """``Type/id`` to what of the document others see: what its owner marked for coordination."""
    kept, _ = shareable(work.plans.resources(part.members), lambda _: False, by_statute=True)
    if not _hidden(work, part):
        return kept
    directory = work.parties.directory()
    masked, _ = without_whereabouts(kept, lambda u: reveals(u, directory.find(identifiers(u))))
    return masked


def _hidden(work: UnitOfWork, part: Part) -> bool:
    """The citizen is protected by what any of the citizen's plans says.

    Each plan has a version of its own of the one Patient: they are read one by one.
    """
    plans = work.plans.plan_ids_of_citizen(part.citizen_id)
    parts = (one for plan in plans for one in work.plans.parts(plan))
    people = (key for one in parts for key in one.members if key[0] == "Patient")
    return any(is_hidden(work.plans.resources([key]).values()) for key in people)


def whose(work: UnitOfWork, part: Part) -> Resource:
    """The citizen, by number and no more: without that, nobody can tell whose document it is."""
    numbers = work.plans.numbers(part.citizen_id)
    return {
        "resourceType": "Patient",
        "id": part.citizen_id,
        "identifier": [{"system": n.system, "value": n.value} for n in numbers],
    }


def _rows(item: Document, parties: tuple[Party, ...]) -> Iterator[dict[str, object]]:
    for party in parties:
        if party.id == item.owner.id:
            continue
        for grant in document_grants(item, party):
            yield {
                "party": party.id,
                "since": grant.since,
                "until": grant.until,
                "basis": grant.basis,
            }

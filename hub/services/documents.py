"""Documents that a statute lets others look up: who may, kept as rows, and what they then see.

The rows are written in the transaction that changes the document, or what the citizen has said.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.contract import Party, Resource
from hub.law import statutes
from hub.model.lawful import Document, document_grants
from hub.model.party import Directory
from hub.model.plan import identifiers, named_parties
from hub.model.protection import is_hidden, reveals, without_whereabouts
from hub.model.records import Part
from hub.model.reduction import shareable
from hub.store.work import UnitOfWork


def follow_document(work: UnitOfWork, part: Part, directory: Directory) -> None:
    """Make one document's rows say what the law and the citizen say of it."""
    owner = directory.get(part.owner)
    if owner is None or statutes().reaching_others(part.kind) is None:
        return
    parties = named_parties(part.kind, work.plans.resources(part.members), directory.find)
    consents = work.consents.of_citizen(part.citizen_id)
    item = Document(part.kind, owner, frozenset(p.id for p in parties), consents)
    work.documents.set_access(part.id, _rows(item, parties))


def follow_documents(work: UnitOfWork, directory: Directory, citizen: str | None = None) -> None:
    """The same for all of a citizen's, or for all there are: a unit may have become a party."""
    kinds = {k for s in statutes() if s.use in {"delivery", "look-up"} for k in s.carries}
    for part in work.documents.of_kinds(kinds, citizen):
        follow_document(work, part, directory)


def as_shown(work: UnitOfWork, part: Part) -> dict[str, Resource]:
    """``Type/id`` to what of the document others see: what its owner marked for coordination."""
    kept, _ = shareable(work.plans.resources(part.members), lambda _: False, by_statute=True)
    known = work.plans.newest("Patient", part.citizen_id)
    person = work.plans.resources([("Patient", part.citizen_id, known[1])]) if known else {}
    if not is_hidden(person.values()):
        return kept
    directory = work.parties.directory()
    masked, _ = without_whereabouts(kept, lambda u: reveals(u, directory.find(identifiers(u))))
    return masked


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

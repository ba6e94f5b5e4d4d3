"""What the two directions carry along: ids and references in, identifiers out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from hub.contract import Loss, Resource
from hub.errors import Invalid
from hub.fhir import names
from hub.mapping import load_table, mappings_folder

Record = dict[str, Any]

HUB: Final = "urn:uuid:"
"""How an identifier begins that the hub issued."""

_FOLDER = mappings_folder("ki-plan-xml")


@dataclass
class Incoming:
    """A document being read: its resources, references and findings gather here."""

    key: str
    """What the ids of new items are made from: the sender's case, or the hub's plan."""
    id_for: Callable[[str], str]
    resources: dict[str, Resource] = field(default_factory=dict)
    actors: dict[str, str] = field(default_factory=dict)
    """Identifier in the document to ``Type/id``: citizen, contacts, units."""
    places: dict[str, str] = field(default_factory=dict)
    """``Type/id`` to the path of its element."""
    losses: list[Loss] = field(default_factory=list)
    not_shared: list[Loss] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)

    def element(self, table: str, record: Record, at: str) -> dict[str, Any]:
        """The record by its table; losses and what is not shared are kept."""
        made, losses, not_shared = load_table(_FOLDER / f"{table}.yaml").forward(
            record, at=at, first=1
        )
        self.losses += losses
        self.not_shared += not_shared
        return made

    def resource(self, table: str, record: Record, at: str, own: str, *words: Any) -> Resource:
        """As :meth:`element`, with its hub id; the caller completes and adds it.

        ``own`` is the name of the record's identifier, ``words`` what tells an item without one
        from others.
        """
        made = self.element(table, record, at)
        kind = str(made["resourceType"])
        id = self.id(kind, str(record.get(own, "")), f"{at}/{own}", *words)
        self.places[f"{kind}/{id}"] = at
        return {"resourceType": kind, "id": id} | made

    def id(self, kind: str, own: str, at: str, *words: Any) -> str:
        """The hub's own id where the document has it; else one made from what the item is.

        The sender's own identifier, or the exact text of an item without one, gives the same id
        in every version of the document. Raises Invalid for a urn:uuid: that is no UUID.
        """
        if own.startswith(HUB):
            try:
                return str(UUID(own.removeprefix(HUB)))
            except ValueError:
                text = "Not an id of this hub; give it as you got it"
                raise Invalid(text, at=at) from None
        if own:
            return self.id_for(f"{self.key}/{kind}/id/{own}")
        text = hashlib.sha256("\n".join(map(str, words)).encode()).hexdigest()
        self._seen[f"{kind}/{text}"] += 1
        return self.id_for(f"{self.key}/{kind}/text/{text}/{self._seen[f'{kind}/{text}']}")

    def add(self, resource: Resource) -> str:
        """Keep the resource; its ``Type/id``."""
        key = f"{resource['resourceType']}/{resource['id']}"
        self.resources[key] = resource
        return key

    def link(self, record: Record, name: str = "ActorReferenceIdentifier") -> dict[str, Any]:
        """A Reference for the record's reference, empty without one; the schema checked it."""
        own = record.get(name)
        return {"reference": self.actors[own]} if own else {}


@dataclass(frozen=True)
class Outgoing:
    """A view being written."""

    resources: Mapping[str, Resource]
    goals: Mapping[str, str]
    """``Goal/id`` to identifier, for the plan at hand."""

    def record(self, table: str, element: Mapping[str, Any]) -> Record:
        """The element by its table; raises UnknownCode."""
        return load_table(_FOLDER / f"{table}.yaml").backward(element)[0]

    def at(self, reference: str | None) -> Resource:
        """The resource behind a reference, or an empty one."""
        return self.resources.get(reference or "", {})

    def actor(self, reference: str | None) -> str | None:
        """How the document names a citizen, contact or unit; None for anything else."""
        kinds = {"Patient", "PractitionerRole", "RelatedPerson", "Organization"}
        resource = self.at(reference)
        return identifier(resource["id"]) if resource.get("resourceType") in kinds else None


def identifier(id: str) -> str:
    """A hub id as the document writes it; an id that is no UUID stays as it is."""
    try:
        return f"{HUB}{id}" if str(UUID(id)) == id else id
    except ValueError:
        return id


def ranked(number: int) -> dict[str, Any]:
    """The extension that holds an item's rank."""
    return {"url": names.RANK, "valuePositiveInt": number}


def filled(**fields: Any) -> Record:
    """A record without what is not known."""
    return {name: value for name, value in fields.items() if value is not None}

"""A new item of the shared part that is known by nothing but its text. Pure.

Its author gave no label, so it has none: it goes to those alone who may see everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.fhir import names
from hub.model.pieces import RANKED
from hub.others import OtherItem

_LISTS: Final[Mapping[OtherItem, str]] = {"challenge": "addresses", "goal": "goal",
                                          "intervention": "activity"}  # fmt: skip


def may_be_new(item: OtherItem | None) -> bool:
    """The shared part's prioritised lists may get one; whose words a note is cannot be told."""
    return item in _LISTS


def new_item(
    item: OtherItem, text: str, own_id: str, subject: Mapping[str, Any]
) -> tuple[str, Any]:
    """The piece and its value; ``subject`` is the reference to the citizen.

    A goal is accepted once the plan has it, an intervention not yet begun.
    """
    name = _LISTS[item]
    piece = f"{RANKED[name]}/{own_id}"
    if item == "intervention":
        detail = {"status": "not-started", "description": text}
        return piece, {"list": name, "link": {"id": own_id, "detail": detail}}
    said: dict[str, Any] = {"lifecycleStatus": "accepted", "description": {"text": text}}
    kind, profile = "Goal", names.KI_GOAL
    if item == "challenge":
        kind, profile = "Condition", names.KI_CHALLENGE
        category = [names.concept(names.CATEGORY, "ki-udfordring")]
        said = {"category": category, "code": {"text": text}}
    resource = {"resourceType": kind, "id": own_id, "meta": {"profile": [profile]}, **said}
    link = {"reference": f"{kind}/{own_id}"}
    return piece, {"list": name, "link": link, "resource": resource | {"subject": dict(subject)}}

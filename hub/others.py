"""What a document says of others' parts of a plan, beside its sender's own. Standard library only.

A re-issued document carries others' content for information, and a system sends it back with the
next document of its own. It is never applied: what differs from what was sent out is shown to the
owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

OtherItem = Literal["challenge", "goal", "intervention", "status-note", "purpose"]


@dataclass(frozen=True)
class OtherPlan:
    """Whose part it is, as far as the document says."""

    id: str = ""
    """The hub's own ``CarePlan/<id>``, if the format carries it."""
    kind: str = ""
    """``shared``, or the kind of sector plan; empty where the id says it."""
    owner: str = ""
    """The owning unit's name as written."""


THE_SHARED_PART: Final = OtherPlan(kind="shared")


@dataclass(frozen=True)
class SaidOfOther:
    """One text."""

    at: str
    """Its place in the document, as an :class:`hub.errors.Issue` has it."""
    plan: OtherPlan
    item: OtherItem | None
    """What it is the main text of; None: of anything else."""
    text: str
    label: str = ""
    """What the document calls the item besides: a challenge's label, a note's actor."""
    id: str = ""
    """The hub's own id of the item in its list, if the format carries it."""

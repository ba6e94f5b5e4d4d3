"""May this unit have this item, for this purpose, at this moment? Pure; deny by default.

The one question that routing, sending, reading, search, subscriptions, mailboxes and people's pages
ask. An item of the shared plan goes on the citizen's consent only; a document that stands alone on
the statute that carries it only. Neither opens the other's way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from hub.contract import Party
from hub.fhir import names
from hub.law import Statute, Statutes, statutes
from hub.model.consent import (
    ALL_SECTIONS,
    FOREVER,
    Consent,
    Purpose,
    Verdict,
    by_consent,
    says_no,
)

Doing = Literal["keeping", "delivery", "look-up"]
"""What is done with a document on a statute."""
_Permitted = Callable[[datetime], Iterable[tuple[str, Verdict]]]
"""A moment to what is permitted then: section and why."""


@dataclass(frozen=True)
class Shared:
    """Something in the shared plan."""

    consents: tuple[Consent, ...]
    """All that the citizen has said."""
    sections: tuple[str, ...] = ()
    """Its labels."""


@dataclass(frozen=True)
class Document:
    """A sector's document by itself."""

    kind: str
    owner: Party
    parties: frozenset[str] = frozenset()
    """Ids of the units that it names itself."""
    consents: tuple[Consent, ...] = ()
    """All that the citizen has said: a no may stand there."""


def decide(
    viewer: Party,
    item: Shared | Document,
    purpose: Purpose | Doing,
    at: datetime,
    law: Statutes | None = None,
) -> Verdict:
    """The answer, with reason, legal basis and rule; ``law``: the hub's own unless it is given."""
    known = law or statutes()
    if isinstance(item, Document):
        return _on_statute(viewer, item, purpose, at, known)
    if known.behind_consent(at) is None:
        return Verdict(False, "No statute that lets a consent carry the plan is in force")
    return by_consent(item.consents, viewer.id, purpose, at, item.sections)


def _on_statute(
    viewer: Party, item: Document, purpose: Purpose | Doing, at: datetime, law: Statutes
) -> Verdict:
    statute = _statute(item.kind, purpose, law)
    if statute is None:
        return Verdict(False, "No statute carries this document for this purpose")
    refused = _why_not(viewer, item, statute, at)
    if refused:
        return Verdict(False, refused, rule=statute.id)
    return Verdict(True, "A statute", statute.id, statute.id)


def _why_not(viewer: Party, item: Document, statute: Statute, at: datetime) -> str:
    """What stands against it; empty if nothing does."""
    kinds = ", ".join(sorted(statute.from_kinds))
    keeping = statute.use == "keeping"
    reached = not statute.to_kinds or viewer.kind in statute.to_kinds
    objection = statute.objection_beats_it and says_no(item.consents, viewer.id, at)
    hindrances = (
        (not statute.in_force(at), "The statute is not in force"),
        (
            item.owner.kind not in statute.from_kinds,
            f"Only a unit of the kind {kinds} makes such a plan",
        ),
        (keeping and viewer.id != item.owner.id, "Kept for its owner alone"),
        (
            not keeping and viewer.id not in item.parties,
            "The document does not name this unit as a party",
        ),
        (not reached, "The statute does not reach this kind of unit"),
        (objection, "The citizen has said no to this unit"),
    )
    return next((reason for found, reason in hindrances if found), "")


def _statute(kind: str, purpose: Purpose | Doing, law: Statutes) -> Statute | None:
    """What may be sent may be looked up; never the other way round."""
    match purpose:
        case "keeping" | "delivery":
            return law.carrying(kind, purpose)
        case "look-up":
            return law.reaching_others(kind)
        case _:
            return None


def may_take_part(
    consents: Iterable[Consent], viewer: Party, purpose: Purpose, at: datetime
) -> Verdict:
    """May the unit have anything of the plan: at least one section?"""
    known = tuple(consents)
    best = decide(viewer, Shared(known), purpose, at)
    for section in names.SECTIONS:
        if best.permit:
            break
        narrower = decide(viewer, Shared(known, (section,)), purpose, at)
        best = narrower if narrower.permit else best
    return best


@dataclass(frozen=True)
class Grant:
    """Some of a plan, or a document, for one unit, from ``since`` until (not at) ``until``."""

    section: str
    """A section, or ``*`` for all of them."""
    since: datetime
    until: datetime
    basis: str


def grants(
    consents: Iterable[Consent], viewer: Party, purpose: Purpose, law: Statutes | None = None
) -> tuple[Grant, ...]:
    """What :func:`decide` answers on the shared plan at every moment there is, as periods."""
    known, laws = [c for c in consents if c.speaks_of(viewer.id, purpose)], law or statutes()
    edges = {e for c in known for e in (c.since, c.until)} | laws.edges()

    def permitted(at: datetime) -> Iterator[tuple[str, Verdict]]:
        in_force = tuple(c for c in known if c.holds(at))
        whole = decide(viewer, Shared(in_force), purpose, at, laws)
        if whole.permit:
            yield ALL_SECTIONS, whole
            return
        for section in names.SECTIONS:
            verdict = decide(viewer, Shared(in_force, (section,)), purpose, at, laws)
            if verdict.permit:
                yield section, verdict

    return tuple(_periods(sorted(edges), permitted))


def document_grants(
    item: Document, viewer: Party, law: Statutes | None = None
) -> tuple[Grant, ...]:
    """The same for looking up a document that stands alone."""
    laws = law or statutes()
    edges = {e for c in item.consents if c.active for e in (c.since, c.until)}
    statute = _statute(item.kind, "look-up", laws)
    if statute is not None:
        since, until = statute.period()
        edges |= {since, until or FOREVER}

    def permitted(at: datetime) -> Iterator[tuple[str, Verdict]]:
        verdict = decide(viewer, item, "look-up", at, laws)
        if verdict.permit:
            yield ALL_SECTIONS, verdict

    return tuple(_periods(sorted(edges), permitted))


def _periods(edges: list[datetime], permitted: _Permitted) -> Iterator[Grant]:
    """Between two moments at which something begins or ends the answer cannot change.

    So it is asked once for each such stretch; equal neighbours are one grant. Nothing is granted
    outside the grants.
    """
    open_: dict[str, Grant] = {}
    for since, until in pairwise(edges):
        now = {s: Grant(s, since, until, v.basis) for s, v in permitted(since)}
        for section, grant in now.items():
            before = open_.get(section)
            if before is not None and before.basis == grant.basis:
                now[section] = Grant(section, before.since, until, grant.basis)
            elif before is not None:
                yield before
        yield from (g for s, g in open_.items() if s not in now)
        open_ = now
    yield from open_.values()

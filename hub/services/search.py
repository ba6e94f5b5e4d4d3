"""Search: on what the party may see, reduced, before anything is counted or paged.

The hub's own lists only narrow where to look; what matches is decided on reduced resources, so
that a search cannot tell of an element that was left out of what the party reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hub.contract import Identifier, Resource
from hub.fhir.dates import element_range
from hub.fhir.matching import Subject, World, elements, included, matches
from hub.fhir.names import PERSON_SYSTEMS
from hub.fhir.numbers import names_a_citizen
from hub.fhir.paging import Key, Token, moment_key, ordered, page_of
from hub.fhir.parameters import SERVED
from hub.fhir.query import Criterion, Order, Pair, Query, split, unescape
from hub.model.party import Viewer
from hub.services.denied import NOTHING, THERE, audit_denied
from hub.services.disclose import disclose
from hub.services.entries import Disclosure, Entry
from hub.services.hub import Hub
from hub.services.sight import Citizens, Sight
from hub.store.work import UnitOfWork

_PERSON = frozenset({"patient", "subject"})


@dataclass(frozen=True)
class SearchPage:
    """One page of a result."""

    matches: list[Entry]
    included: list[Entry]
    total: int
    used: tuple[Pair, ...]
    """The parameters as they can be said in an address: numbers of citizens became ids."""
    next: Token | None


def search(hub: Hub, viewer: Viewer, query: Query, token: Token) -> SearchPage:
    """One page of what matches; ``token`` says as of when, and after which match to go on.

    A number of matches tells that they are there, and counts as much as showing them. A search
    about a citizen of whom the party may see nothing is a denial; the answer does not tell.
    """
    refused: list[str | None] = []

    def look(sight: Sight, work: UnitOfWork) -> tuple[SearchPage, list[Disclosure]]:
        seen = _looked_at(work, sight, query)
        refused[:] = _refused(work, query, {e.citizen for e in seen.values()})
        page = _page(hub, work, seen, query, token)
        if query.counts_only:
            counted = [e.why for e in _matched(_world(hub, work, seen), seen, query)]
            return replace(page, matches=[], included=[], next=None), counted
        return page, [e.why for e in (*page.matches, *page.included)]

    found = disclose(hub, viewer, "search", look, until=token.as_of)
    for citizen in refused:
        audit_denied(
            hub, viewer.id, "search", query.type, party=viewer.id, citizen=citizen,
            reason=NOTHING if citizen is None else THERE,
        )  # fmt: skip
    return found


def _refused(work: UnitOfWork, query: Query, seen: set[str]) -> list[str | None]:
    """The citizens a search names of whom nothing is seen; None for one the hub does not know.

    Both are written down, so that the time an answer takes does not tell them apart.
    """
    named = {person for c in query.criteria for person in _people(work, query.type, c)}
    return sorted(named - seen, key=str)


def matching(hub: Hub, work: UnitOfWork, sight: Sight, query: Query) -> list[Entry]:
    """Everything that matches, in no order; nothing of it is shown yet."""
    seen = _looked_at(work, sight, query)
    return _matched(_world(hub, work, seen), seen, query)


def _matched(world: World, seen: dict[str, Entry], query: Query) -> list[Entry]:
    return [seen[s.key] for s in world.of_type(query.type) if matches(s, query, world)]


def _looked_at(work: UnitOfWork, sight: Sight, query: Query) -> dict[str, Entry]:
    found = sight.current(narrowed(work, query))
    return {key: e for key, e in found.items() if e.resource["resourceType"] in SERVED}


def _world(hub: Hub, work: UnitOfWork, seen: dict[str, Entry]) -> World:
    subjects = {k: Subject(_findable(work, e), f"Patient/{e.citizen}") for k, e in seen.items()}
    return World(subjects, hub.base_url)


def _findable(work: UnitOfWork, entry: Entry) -> Resource:
    """A Patient is found by every number that is known to be the citizen's, shown as it is."""
    if entry.resource["resourceType"] != "Patient":
        return entry.resource
    numbers = [{"system": n.system, "value": n.value} for n in work.plans.numbers(entry.citizen)]
    return entry.resource | {"identifier": [*entry.resource.get("identifier", ()), *numbers]}


def _page(
    hub: Hub, work: UnitOfWork, seen: dict[str, Entry], query: Query, token: Token
) -> SearchPage:
    world = _world(hub, work, seen)
    found = _matched(world, seen, query)
    used = _without_numbers(query, world)
    downwards = (*(o.descending for o in query.order), True, False)
    after = token.after or None
    page, following = page_of(
        ordered(found, lambda e: _place(e, query.order), downwards),
        lambda e: _place(e, query.order),
        downwards,
        after,
        query.count,
    )
    dates = (entry.modified for entry in seen.values())
    going_on = replace(token, pairs=used).going_on(following, dates) if following else None
    more = included([world.subjects[e.key] for e in page], query.includes, world)
    return SearchPage(
        matches=page,
        included=[seen[s.key] for s in more],
        total=len(found),
        used=used,
        next=going_on,
    )


def _place(entry: Entry, order: Iterable[Order]) -> Key:
    """What the entry is sorted by; at last by when it was written, newest first, and its id."""
    keys = [_sort_key(entry, o) for o in order]
    return (*keys, moment_key(entry.modified), entry.key)


def _sort_key(entry: Entry, order: Order) -> str | None:
    """R4: a range sorts by its start upwards and by its end downwards."""
    found = list(elements(entry.resource, order.parameter))
    if order.parameter.kind != "date":
        return min((str(v) for v in found), default=None)
    ranges = [r for v in found if (r := element_range(v)) is not None]
    if not ranges:
        return None
    if order.descending:
        return moment_key(max(r.high for r in ranges))
    return moment_key(min(r.low for r in ranges))


def _without_numbers(query: Query, world: World) -> tuple[Pair, ...]:
    """The parameters with ids where citizens' numbers were; an address may not hold any."""
    conditions = {c.pair: replace(query, criteria=(c,), has=()) for c in query.criteria}
    conditions |= {h.pair: replace(query, criteria=(), has=(h,)) for h in query.has}
    said: list[Pair] = []
    for name, value in query.used:
        alone = conditions.get((name, value))
        if alone is None or not names_a_citizen(value):
            said.append((name, value))
            continue
        ids = [s.resource["id"] for s in world.of_type(query.type) if matches(s, alone, world)]
        said.append(("_id", ",".join(ids) or "none"))
    return tuple(said)


# Where to look


def narrowed(work: UnitOfWork, query: Query) -> Citizens:
    """The citizens a search is about, where it says so; None where it does not."""
    found: Citizens = None
    for criterion in query.criteria:
        about = _about(work, query.type, criterion)
        if about is not None:
            found = about if found is None else found & about
    return found


def _about(work: UnitOfWork, kind: str, criterion: Criterion) -> Citizens:
    parameter, values = criterion.parameter, criterion.values
    number = criterion.chain.get("Patient", criterion)
    if criterion.modifier or number.modifier or criterion.chain.keys() - {"Patient"}:
        return None
    if _of_person(kind, criterion) and number.parameter.name == "identifier":
        return _numbered(work, number.values)
    if parameter.name == "_id":
        return work.resources.citizens_of(kind, [unescape(v) for v in values])
    if parameter.name in _PERSON and not criterion.chain:
        return frozenset(_patient(unescape(v)) for v in values)
    return None


def _patient(reference: str) -> str:
    """The id in a reference to a Patient, however it is written."""
    found = re.search(r"(?:^|/)Patient/([^/]+)", reference)
    return found[1] if found else reference


def _numbered(work: UnitOfWork, values: Iterable[str]) -> Citizens:
    """The citizens with these numbers; None if the hub knows one of them by no citizen."""
    found = {work.plans.citizen(_identifiers(v)) if "|" in v else None for v in values}
    return None if None in found else frozenset(c for c in found if c is not None)


def _people(work: UnitOfWork, kind: str, criterion: Criterion) -> set[str | None]:
    """Whom it names, by id, reference, or number with or without its system; None: nobody here."""
    number = criterion.chain.get("Patient", criterion)
    if number.parameter.name == "identifier" and _of_person(kind, criterion):
        return {work.plans.citizen(_identifiers(v)) for v in number.values}
    if criterion.parameter.name in _PERSON and not criterion.chain:
        named = {_patient(unescape(v)) for v in criterion.values}
        return {n if work.plans.numbers(n) else None for n in named}
    if criterion.parameter.name == "_id":
        ids = [unescape(v) for v in criterion.values]
        return set(work.resources.citizens_of(kind, ids)) or {None}
    return set()


def _of_person(kind: str, criterion: Criterion) -> bool:
    return kind == "Patient" or criterion.parameter.name in _PERSON


def _identifiers(value: str) -> list[Identifier]:
    """What a token may be the number of; one without a system may be of any."""
    *system, number = (unescape(p) for p in split(value, "|"))
    return [Identifier(s, number) for s in system or sorted(PERSON_SYSTEMS)]

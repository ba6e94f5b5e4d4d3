"""The whole document that a write over REST makes of the part it changes.

The adapter of the canonical format reads it as if its owner had sent it, so that every rule, the
hub's form of things and the versions are the same by whichever door a change comes. What that
finds is told in the places of what the caller sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.contract import Loss, PlanUpdate, Resource
from hub.errors import HubError, Invalid, Issue
from hub.fhir import names
from hub.fhir.bundles import RELATIVE, Entry, Index, reachable, rewritten
from hub.fhir.extract import extension_value
from hub.fhir.interactions import Interaction
from hub.model.records import Part
from hub.services.ground import Ground, is_conditional
from hub.services.hub import repeatable

_ALONE: Final = (
    "It does not stand by itself: send it with the CarePlan that refers to it in a transaction"
)
_NOT_REFERRED_TO: Final = (
    "Nothing in the plan refers to it; send the CarePlan that does in the same transaction"
)
_SERVER_META: Final = frozenset({"versionId", "lastUpdated"})
_ENTRY: Final = re.compile(r"Bundle\.entry\[(\d+)\](?:\.resource)?(.*)", re.DOTALL)
_TYPED: Final = re.compile(r"([A-Z][A-Za-z]+)(?:\[(\d+)\])?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """One entry of the document."""

    resource: Resource
    source: Interaction | None
    """None for what the caller did not send."""


@dataclass(frozen=True)
class Draft:
    """The document, and where each entry of it comes from."""

    bundle: Resource
    places: tuple[Place, ...]
    """In the order of the entries."""
    kept: tuple[Place, ...]
    """Those that the plan leads to, in order: the resources of the update."""
    base_version: int | None

    def refused(self, error: HubError) -> HubError:
        """The same error, told in the caller's places."""
        told = [self._told(i) for i in error.issues]
        kept = tuple(i for own, i in told if own or i.severity in {"error", "fatal"})
        return type(error)(error.text, issues=kept)

    def told(self, update: PlanUpdate) -> PlanUpdate:
        """The update, its findings told in the caller's places.

        Findings about what the caller did not send are not news to it.
        """
        issues = [self._told(i) for i in update.issues]
        losses = [self._told(Issue("warning", "x", x.reason, x.path)) for x in update.losses]
        return replace(
            update,
            base_version=self.base_version or update.base_version,
            issues=tuple(issue for own, issue in issues if own),
            losses=tuple(
                Loss(issue.expression or loss.path, loss.kind, loss.reason)
                for loss, (own, issue) in zip(update.losses, losses, strict=True)
                if own
            ),
        )

    def _told(self, issue: Issue) -> tuple[bool, Issue]:
        """Whether it is about something the caller sent, and the finding in the caller's words."""
        place, rest = self._place(issue.expression or "")
        if place is None:
            sent = next(p.source for p in self.places if p.source is not None)
            return True, replace(issue, expression=sent.path) if sent.alone else issue
        path = place.source.path if place.source else str(place.resource["resourceType"])
        return place.source is not None, replace(issue, expression=f"{path}{rest}")

    def _place(self, expression: str) -> tuple[Place | None, str]:
        entry = _ENTRY.fullmatch(expression)
        if entry is not None and int(entry[1]) < len(self.places):
            return self.places[int(entry[1])], entry[2]
        typed = _TYPED.fullmatch(expression)
        if typed is not None:
            same = [p for p in self.kept if p.resource["resourceType"] == typed[1]]
            number = int(typed[2] or 0)
            if number < len(same):
                return same[number], typed[3]
        return None, ""


def compose(
    ground: Ground,
    stored: Mapping[str, Resource],
    interactions: Iterable[Interaction],
    *,
    base: str,
    seed: str,
) -> Draft | None:
    """The document; None if the interactions change no plan.

    ``stored`` is what the hub has of the part already, by ``Type/id``, the citizen with it.
    ``base`` is the hub's own address, ``seed`` names the message: what it creates gets the same
    ids however often it is processed. Raises Invalid for what cannot be part of a plan's part.
    """
    sent = [i for i in interactions if i.method != "GET" and i.kind != "Consent"]
    new = [i for i in sent if i.method == "POST" and ground.match(i) is None]
    written = [i for i in sent if i.method == "PUT"]
    if not new and not written:
        return None
    root = _root(ground, new)
    naming = _Naming(ground, sent, base, seed)
    places = _places(stored, [*new, *written], naming)
    plan_url = naming.url(root) if root else f"{base}/CarePlan/{_part(ground).id}"
    ordered = {plan_url: places.pop(plan_url)} | places
    there = reachable({u: p.resource for u, p in ordered.items()}, [plan_url])
    for url, place in ordered.items():
        if place.source is not None and url not in there:
            raise Invalid(_NOT_REFERRED_TO, at=place.source.path)
    entries = [{"fullUrl": u, "resource": p.resource} for u, p in ordered.items()]
    return Draft(
        bundle={"resourceType": "Bundle", "type": "collection", "entry": entries},
        places=tuple(ordered.values()),
        kept=tuple(p for u, p in ordered.items() if u in there),
        base_version=next((v for i in written if (v := _based_on(i)) is not None), None),
    )


def consent(ground: Ground, interaction: Interaction) -> Resource:
    """A Consent as it is read by itself; raises Invalid where it leads into the transaction."""
    resolved = dict(ground.resolved)

    def new(reference: str) -> str | None:
        if reference.startswith("urn:"):
            text = "A Consent names its citizen by CPR number, and units by their identifiers"
            raise Invalid(text, at=interaction.path)
        return resolved.get(reference)

    made: Resource = rewritten(interaction.content, new)
    return made


def in_consent(interaction: Interaction, error: HubError) -> HubError:
    """What was found in a Consent, told in the caller's place."""
    path = interaction.path
    told = [
        replace(i, expression=path + (i.expression or "").removeprefix("Consent"))
        for i in error.issues
    ]
    return type(error)(error.text, issues=tuple(told))


def _root(ground: Ground, new: list[Interaction]) -> Interaction | None:
    """The CarePlan of a new part; None if the part is there."""
    plans = [i for i in new if i.kind == "CarePlan"]
    if ground.part is not None:
        if plans:
            text = "One part in each transaction: a new plan comes in a transaction of its own"
            raise Invalid(text, at=plans[0].path)
        return None
    if len(plans) > 1:
        text = "One plan in each transaction; send the next one in another"
        raise Invalid(text, at=plans[1].path)
    if not plans or plans[0].alone:
        raise Invalid(
            "A plan does not stand without its citizen and team: send them in one transaction"
            if plans
            else _ALONE,
            at=new[0].path,
        )
    return plans[0]


class _Naming:
    """The addresses in the document for what the caller's references say."""

    def __init__(self, ground: Ground, sent: Iterable[Interaction], base: str, seed: str) -> None:
        self.base = base
        self._seed = seed
        self._urls: dict[str, str] = {}
        for one in sent:
            found = ground.match(one)
            self._urls[one.path] = f"{base}/{found.name}" if found else self.url(one)
        self._index = Index(Entry(i.full_url, i.content, i.path) for i in sent)
        self._resolved = {reference: f"{base}/{key}" for reference, key in ground.resolved}

    def url(self, one: Interaction) -> str:
        """An update's own address; a name of its own for what is new."""
        if one.method == "PUT":
            return f"{self.base}/{one.key}"
        return f"urn:uuid:{repeatable(self._seed, one.path)}"

    def references_from(self, one: Interaction) -> Callable[[str], str | None]:
        """What a reference in that resource is in the document."""
        source = Entry(one.full_url, one.content, one.path)

        def new(reference: str) -> str | None:
            if is_conditional(reference):
                return self._resolved[reference]
            target = self._index.resolve(reference, source)
            return self._urls[target.path] if target is not None else self.own(reference)

        return new

    def own(self, reference: str) -> str | None:
        """The address of one of the hub's own resources."""
        relative = RELATIVE.match(reference.removeprefix(f"{self.base}/"))
        return f"{self.base}/{relative['key']}" if relative else None


def _places(
    stored: Mapping[str, Resource], sent: Iterable[Interaction], naming: _Naming
) -> dict[str, Place]:
    """Address to entry: what is stored, then what was sent in its place or beside it."""
    found = {
        f"{naming.base}/{key}": Place(rewritten(resource, naming.own), None)
        for key, resource in stored.items()
    }
    for one in sent:
        resource = _bare(one, rewritten(one.content, naming.references_from(one)))
        found[naming.url(one)] = Place(resource, one)
    return found


def _part(ground: Ground) -> Part:
    assert ground.part is not None
    return ground.part


def _bare(one: Interaction, resource: Resource) -> Resource:
    """Without what a server sets or an id that only the hub gives; a base version counts once."""
    made = dict(resource)
    if one.method == "POST":
        made.pop("id", None)
    if isinstance(made.get("meta"), dict):
        made["meta"] = {k: v for k, v in made["meta"].items() if k not in _SERVER_META}
    if isinstance(made.get("extension"), list):
        made["extension"] = [e for e in made["extension"] if not _is_base(e)]
    emptied = (n for n in ("meta", "extension") if n in made and resource[n] and not made[n])
    for name in list(emptied):
        del made[name]
    return made


def _is_base(extension: Any) -> bool:
    return isinstance(extension, Mapping) and extension.get("url") == names.BASE_VERSION


def _based_on(one: Interaction) -> int | None:
    """The plan version that a resource says it was written on."""
    if not isinstance(one.content.get("extension"), list):
        return None
    known = [e for e in one.content["extension"] if _is_base(e)]
    found = extension_value({"extension": known}, names.BASE_VERSION)
    return found if isinstance(found, int) and not isinstance(found, bool) else None

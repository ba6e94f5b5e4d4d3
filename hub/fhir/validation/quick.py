"""Values of which a look says that a rule holds, so that the FHIRPath engine need not be asked.

Only ever "it surely holds": where a value is of an unexpected form, or might break the rule, the
engine decides. So a result is never another than the engine's, and comes sooner for nearly all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.fhir.validation.scope import Scope

Json = Mapping[str, Any]
Look = Callable[[Json, Scope], bool]

_MEMBERS: Final = frozenset(
    {"Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "CareTeam"}
)
_ASKED: Final = frozenset({"batch", "transaction", "history"})
_ANSWERED: Final = frozenset({"batch-response", "transaction-response", "history"})


def surely_holds(key: str, value: Any, scope: Scope) -> bool:
    """The rule of base R4 with that key holds; False says nothing."""
    look = LOOKS.get(key)
    return look is not None and isinstance(value, Mapping) and look(value, scope)


def _absent(value: Json, name: str) -> bool:
    return name not in value and f"_{name}" not in value


def _no_choice(value: Json, name: str) -> bool:
    """None of the elements that a choice of types may be."""
    return not any(member.startswith((name, f"_{name}")) for member in value)


def _without(*names: str) -> Look:
    """One of them is not there."""
    return lambda value, _: any(_absent(value, name) for name in names)


def _with(*names: str) -> Look:
    """One of them is there: an object with something in it, or a list of such."""
    return lambda value, _: any(_filled(value.get(name)) for name in names)


def _filled(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) and one for one in value)
    return isinstance(value, dict) and bool(value)


def _text(value: Json, name: str) -> bool:
    """A simple value that is a text."""
    return isinstance(value.get(name), str) and f"_{name}" not in value


def _not_of(kind: str) -> Look:
    """A Bundle of another type."""
    return lambda value, _: _text(value, "type") and value["type"] != kind


def _each(name: str, kinds: frozenset[str]) -> Look:
    """Every entry has it in a Bundle of these types, and none in another."""

    def look(value: Json, scope: Scope) -> bool:
        entries = value.get("entry")
        if not isinstance(entries, list) or not _filled(entries):
            return False
        if not _text(value, "type") or value is not scope.plain():
            return False
        if value["type"] in kinds:
            return all(isinstance(entry.get(name), dict) and entry[name] for entry in entries)
        return all(_absent(entry, name) for entry in entries)

    return look


def _no_search(value: Json, _: Scope) -> bool:
    entries = value.get("entry")
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and _absent(entry, "search") for entry in entries
    )


def _not_home(value: Json, _: Scope) -> bool:
    return _absent(value, "use") or (_text(value, "use") and value["use"] != "home")


def _for_itself(value: Json, scope: Scope) -> bool:
    """On nobody's behalf; and who it is can be looked up, or is not there."""
    member = value.get("member")
    reference = member.get("reference") if isinstance(member, dict) else None
    if not _absent(value, "onBehalfOf") or not isinstance(reference, str):
        return False
    found = scope.resolve(reference)
    kind = found.get("resourceType") if found is not None else None
    return found is None or (isinstance(kind, str) and kind in _MEMBERS)


def _both_or_none(value: Json, _: Scope) -> bool:
    names = ("start", "end")
    return all(_text(value, n) for n in names) or all(_absent(value, n) for n in names)


LOOKS: Final[Mapping[str, Look]] = {
    "app-1": _with("type", "actor"),
    "app-2": _both_or_none,
    "app-3": lambda value, _: _text(value, "start") and _text(value, "end"),
    "app-4": _without("cancelationReason"),
    "bdl-1": _without("total"),
    "bdl-2": _no_search,
    "bdl-3": _each("request", _ASKED),
    "bdl-4": _each("response", _ANSWERED),
    "bdl-9": _not_of("document"),
    "bdl-10": _not_of("document"),
    "bdl-11": _not_of("document"),
    "bdl-12": _not_of("message"),
    "con-4": lambda value, _: _no_choice(value, "abatement"),
    "con-5": _without("clinicalStatus"),
    "cpl-3": _without("detail", "reference"),
    "ctm-1": _for_itself,
    "obs-6": lambda value, _: _absent(value, "dataAbsentReason") or _no_choice(value, "value"),
    "obs-7": lambda value, _: _absent(value, "component") or _no_choice(value, "value"),
    "org-1": lambda value, _: _text(value, "name") or _filled(value.get("identifier")),
    "org-2": _not_home,
    "org-3": _not_home,
}
"""By key; a key is only looked up for rules of base R4."""

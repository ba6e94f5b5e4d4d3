"""A search request as values (R4 "Search", 3.1.1): parsed once, free of HTTP.

What was asked for may be a person's number or name, so errors name parameters that are known
here and never repeat anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from hub.errors import Issue, Malformed
from hub.fhir.dates import PREFIXES, prefixed, range_of
from hub.fhir.parameters import SERVED, Parameter

MOST_PARAMETERS: Final = 50
MOST_ON_A_PAGE: Final = 200
USUAL_ON_A_PAGE: Final = 50

Summary = Literal["true", "text", "data", "count", "false"]
Total = Literal["none", "estimate", "accurate"]
Pair = tuple[str, str]

_MODIFIERS: Final[Mapping[str, frozenset[str]]] = {
    "token": frozenset({"", "not", "missing"}),
    "reference": frozenset({"", "missing", "identifier"}),
    "date": frozenset({"", "missing"}),
    "string": frozenset({"", "missing", "exact", "contains"}),
    "uri": frozenset({"", "missing"}),
}
_FORMAT: Final = frozenset({"_format", "_pretty"})


@dataclass(frozen=True)
class Criterion:
    """One parameter's condition: any of the values; several criteria must all hold."""

    parameter: Parameter
    modifier: str
    """Empty, ``not``, ``missing``, ``exact``, ``contains``, ``identifier``, or a type."""
    values: tuple[str, ...]
    """As sent, still escaped; empty with a chain."""
    chain: Mapping[str, Criterion] = field(default_factory=dict)
    """For ``subject.identifier``: target type to the condition on it."""
    pair: Pair = ("", "")
    """As sent."""


@dataclass(frozen=True)
class Has:
    """``_has``: a resource of that type refers to this one and matches."""

    type: str
    reference: Parameter
    inner: Criterion
    pair: Pair = ("", "")


@dataclass(frozen=True)
class Include:
    """``_include`` or ``_revinclude``."""

    source: str
    parameter: Parameter | None
    """None: every reference parameter of the type (``*``)."""
    target: str | None
    reverse: bool
    iterate: bool


@dataclass(frozen=True)
class Order:
    """One ``_sort`` key."""

    parameter: Parameter
    descending: bool


@dataclass(frozen=True)
class Query:
    """Everything a search asks."""

    type: str
    criteria: tuple[Criterion, ...] = ()
    has: tuple[Has, ...] = ()
    includes: tuple[Include, ...] = ()
    order: tuple[Order, ...] = ()
    count: int = USUAL_ON_A_PAGE
    summary: Summary = "false"
    elements: frozenset[str] = frozenset()
    total: Total = "accurate"
    used: tuple[Pair, ...] = ()
    """The parameters that were understood, in order: what the self link says."""
    ignored: tuple[Issue, ...] = ()

    @property
    def counts_only(self) -> bool:
        """``_count=0`` is the same as ``_summary=count`` (R4 3.1.1.5.4)."""
        return self.summary == "count" or self.count == 0


def parse(kind: str, pairs: Sequence[Pair], *, strict: bool = False) -> Query:
    """The query in these decoded parameters of a search for ``kind``, a served type.

    Raises Malformed for a value or modifier that cannot be, and with ``strict`` for a parameter
    this server does not know; otherwise that one is left out and said in ``ignored`` (R4 3.1.1.2).
    """
    if len(pairs) > MOST_PARAMETERS:
        raise Malformed(f"Send at most {MOST_PARAMETERS} parameters")
    if any("\0" in text for pair in pairs for text in pair):
        raise Malformed("A parameter holds a NUL character")
    reading = _Reading(kind)
    for name, value in pairs:
        if name in _FORMAT or not value:
            continue
        if not reading.take(name, value):
            reading.skip(strict)
    return reading.query()


class _Reading:
    """One request while it is read."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._criteria: list[Criterion] = []
        self._has: list[Has] = []
        self._includes: list[Include] = []
        self._order: list[Order] = []
        self._settings: dict[str, str] = {}
        self._used: list[Pair] = []
        self._skipped = 0

    def take(self, name: str, value: str) -> bool:
        """False if the parameter is not known here."""
        base, _, modifier = name.partition(":")
        if name in _SETTINGS:
            self._settings[name] = _checked(name, value)
        elif base in {"_include", "_revinclude"}:
            self._includes.append(_include(base == "_revinclude", modifier, value))
        elif base == "_sort":
            self._order += [_order(self._kind, key) for key in value.split(",")]
        elif base == "_has":
            self._has.append(_has(self._kind, name, value))
        else:
            found = criterion(self._kind, name, value)
            if found is None:
                return False
            self._criteria.append(found)
        self._used.append((name, value))
        return True

    def skip(self, strict: bool) -> None:
        if strict:
            raise Malformed("A search parameter is not known here; see the CapabilityStatement")
        self._skipped += 1

    def query(self) -> Query:
        settings = self._settings
        ignored: tuple[Issue, ...] = ()
        if self._skipped:
            text = f"{self._skipped} search parameters are not known here and were left out"
            ignored = (Issue("warning", "not-supported", text),)
        if settings.get("_summary") == "text" and self._includes:
            # R4 3.1.1.5.8
            raise Malformed("_include and _revinclude do not go with _summary=text", at="_summary")
        elements = settings.get("_elements", "")
        return Query(
            type=self._kind,
            criteria=tuple(self._criteria),
            has=tuple(self._has),
            includes=tuple(self._includes),
            order=tuple(self._order),
            count=min(int(settings.get("_count", USUAL_ON_A_PAGE)), MOST_ON_A_PAGE),
            summary=settings.get("_summary", "false"),  # type: ignore[arg-type]
            elements=frozenset(e.strip() for e in elements.split(",") if e.strip()),
            total=settings.get("_total", "accurate"),  # type: ignore[arg-type]
            used=tuple(self._used),
            ignored=ignored,
        )


_SETTINGS: Final[Mapping[str, re.Pattern[str]]] = {
    "_count": re.compile(r"[0-9]{1,6}"),
    "_summary": re.compile(r"true|text|data|count|false"),
    "_total": re.compile(r"none|estimate|accurate"),
    "_elements": re.compile(r"[A-Za-z_., ]{1,500}"),
}


def _checked(name: str, value: str) -> str:
    if not _SETTINGS[name].fullmatch(value):
        raise Malformed("Not a value this parameter has", at=name)
    return value


def criterion(kind: str, name: str, value: str) -> Criterion | None:
    """A parameter of the type, with its modifier or chain; None if there is no such parameter."""
    head, dot, rest = name.partition(".")
    base, colon, modifier = head.partition(":")
    parameter = SERVED[kind].parameters.get(base)
    if parameter is None:
        return None
    if dot:
        return _chained(parameter, modifier, rest, (name, value))
    if parameter.kind == "reference" and modifier in SERVED:
        return Criterion(parameter, modifier, _values(parameter, "", value), pair=(name, value))
    if modifier not in _MODIFIERS[parameter.kind] or (colon and not modifier):
        raise Malformed("The parameter has no such modifier here", at=base)
    values = _values(parameter, modifier, value)
    return Criterion(parameter, modifier, values, pair=(name, value))


def _chained(parameter: Parameter, target: str, rest: str, pair: Pair) -> Criterion | None:
    """``subject:Patient.identifier``, one link long."""
    if parameter.kind != "reference" or "." in rest or (target and target not in SERVED):
        raise Malformed("Chain one reference parameter and one other", at=parameter.name)
    wanted = target or parameter.target
    targets = [wanted] if wanted else sorted(SERVED)
    chain = {
        t: found
        for t in targets
        if t in SERVED and (found := criterion(t, rest, pair[1])) is not None
    }
    return Criterion(parameter, "", (), chain, pair) if chain else None


def _values(parameter: Parameter, modifier: str, value: str) -> tuple[str, ...]:
    values = tuple(split(value, ","))
    if modifier == "missing":
        if values not in {("true",), ("false",)}:
            raise Malformed("Write true or false", at=parameter.name)
    elif parameter.kind == "date":
        for one in values:
            prefix, date = prefixed(one)
            if prefix not in PREFIXES or range_of(date) is None:
                raise Malformed("Not a date, or not a prefix this server has", at=parameter.name)
    return values


def _has(kind: str, name: str, value: str) -> Has:
    """``_has:Goal:patient:status``; one link long."""
    parts = name.split(":", 3)
    if len(parts) != 4 or parts[1] not in SERVED or parts[3].startswith("_has"):
        raise Malformed("Write _has:Type:reference:parameter", at="_has")
    reference = SERVED[parts[1]].parameters.get(parts[2])
    inner = criterion(parts[1], parts[3], value)
    if reference is None or reference.kind != "reference" or inner is None:
        raise Malformed("Write _has:Type:reference:parameter", at="_has")
    return Has(parts[1], reference, inner, (name, value))


def _include(reverse: bool, modifier: str, value: str) -> Include:
    at = "_revinclude" if reverse else "_include"
    source, *rest = value.split(":")
    if modifier not in {"", "iterate"}:
        raise Malformed("The only modifier is iterate", at=at)
    if source == "*" and not reverse and not rest:
        return Include("*", None, None, reverse, modifier == "iterate")
    name = rest[0] if rest else ""
    target = rest[1] if len(rest) == 2 else None
    parameter = SERVED[source].parameters.get(name) if source in SERVED else None
    known = source in SERVED and (name == "*" or _is_reference(parameter))
    if not known or len(rest) > 2 or (target is not None and target not in SERVED):
        raise Malformed("Write Type:parameter or Type:parameter:Target", at=at)
    return Include(source, parameter, target, reverse, modifier == "iterate")


def _is_reference(parameter: Parameter | None) -> bool:
    return parameter is not None and parameter.kind == "reference"


def _order(kind: str, key: str) -> Order:
    """Dates, statuses and ids: nothing of a person goes into the address of the next page."""
    name = key.removeprefix("-")
    parameter = SERVED[kind].parameters.get(name)
    if parameter is None or not (
        parameter.kind == "date" or parameter.system or parameter.name == "_id"
    ):
        raise Malformed("Sort by a date, a status or _id", at="_sort")
    return Order(parameter, key.startswith("-"))


def split(text: str, separator: str) -> list[str]:
    r"""Parts between separators that are not escaped with ``\``; escapes are kept."""
    parts = [""]
    escaped = False
    for sign in text:
        if sign == separator and not escaped:
            parts.append("")
        else:
            parts[-1] += sign
        escaped = sign == "\\" and not escaped
    return parts


def unescape(text: str) -> str:
    r"""``\,`` ``\|`` ``\$`` ``\\`` as what they stand for."""
    return re.sub(r"\\([,|$\\])", r"\1", text)

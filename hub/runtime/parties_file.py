"""The parties file: who takes part, how each receives, and the operators. Strict.

YAML with the keys ``parties``, ``operators``, ``citizen`` and ``agreement``; every key is known
here or refused, so that a misspelt one never silently means its default. An error names the file
and the key, such as ``parties[2].identifiers.sor``; secrets are only named by where they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, cast, get_args

import yaml

from hub.contract import Identifier, LossKind, Party
from hub.errors import Invalid, Malformed
from hub.fhir import names
from hub.model.agreement import GATED, USUAL, Agreement
from hub.model.approval import HELD_BACK_ROLES
from hub.model.consent import LONGEST

IDENTIFIER_SYSTEMS: Final[Mapping[str, str]] = {
    "sor": names.SOR,
    "gln": names.GLN,
    "cvr": names.CVR,
    "ydernummer": names.YDERNUMMER,
    "kommunekode": names.KOMMUNEKODE,
    "local": names.LOCAL_UNIT,
}
"""Key in the file to identifier system."""

_FORMS: Final = {
    "sor": r"\d{6,18}",
    "gln": r"\d{13}",
    "cvr": r"\d{8}",
    "ydernummer": r"\d{6}",
    "kommunekode": r"\d{4}",
    "local": r"[a-z0-9][a-z0-9-]{0,63}",
}
_SLUG: Final = r"[a-z0-9][a-z0-9-]{0,63}"
_PHONE: Final = r"\+?[0-9 ]{4,20}"

SecretSource = Literal["sha256", "env", "file"]


@dataclass(frozen=True)
class SecretRef:
    """Where a secret is, or its SHA-256; never the secret."""

    source: SecretSource
    value: str = field(repr=False)
    """64 hexadecimal digits, the name of an environment variable, or a path."""


@dataclass(frozen=True)
class EndpointEntry:
    """Where deliveries go. Without an address: the party's own queue."""

    transport: str
    address: str | None = None
    secret: SecretRef | None = None


@dataclass(frozen=True)
class SubscriptionEntry:
    """How plans reach the party; defaults as in the reference."""

    format: str
    content: Literal["plan"] = "plan"
    versions: Literal["latest", "every-version"] = "latest"
    receipt: bool = True
    options: Mapping[str, str] = field(default_factory=dict)
    unacceptable: tuple[LossKind, ...] = ()


@dataclass(frozen=True)
class PartyEntry:
    """One party as the file has it."""

    party: Party
    endpoint: EndpointEntry
    subscriptions: tuple[SubscriptionEntry, ...]
    credential: SecretRef | None = None
    """None: one is made when the party is applied."""


@dataclass(frozen=True)
class OperatorEntry:
    """One operator as the file has it."""

    id: str
    name: str
    credential: SecretRef | None = None


@dataclass(frozen=True)
class PartiesFile:
    """The whole file, checked."""

    parties: tuple[PartyEntry, ...]
    operators: tuple[OperatorEntry, ...]
    citizen_format: str
    """The format of the citizen's own copy."""
    agreement: Agreement = USUAL


def read_parties(file: Path) -> PartiesFile:
    """Read and check the file; raises Malformed or Invalid naming the file and the key."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise Malformed(f"{file}: cannot be read ({type(e).__name__})") from None
    return parse_parties(text, name=file.name)


def parse_parties(text: str, *, name: str = "parties") -> PartiesFile:
    """The file's text, checked; ``name`` stands before every error."""
    try:
        # A subclass of the safe loader: nothing but plain values is made.
        content = yaml.load(text, _OnceLoader)  # noqa: S506
    except yaml.MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 0
        slip = "a key stands twice" if isinstance(e, _Twice) else "not YAML"
        raise Malformed(f"{name}, line {line}: {slip}") from None
    except yaml.YAMLError:
        raise Malformed(f"{name}: not YAML") from None
    node = _Node(name, "", content)
    root = node.keys("parties", "operators", "citizen", "agreement")
    parties = tuple(_party(n) for n in root.child("parties", list).items())
    operators = tuple(_operator(n) for n in root.child("operators", list, []).items())
    _once(root, "id", [p.party.id for p in parties] + [o.id for o in operators])
    units = [i for p in parties for i in p.party.identifiers if i.system in names.UNIT_SYSTEMS]
    _once(root, "unit identifier", [f"{i.system}|{i.value}" for i in units])
    citizen = root.child("citizen", dict).keys("format")
    agreement = _agreement(root.child("agreement", dict, {}))
    return PartiesFile(parties, operators, citizen.text("format", _SLUG), agreement)


class _Twice(yaml.MarkedYAMLError):
    """A key that stands twice; YAML would silently take the last."""


class _OnceLoader(yaml.SafeLoader):
    """Plain values only, each key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            found = self.construct_object(key, deep=True)
            if not isinstance(found, str) or found in seen:
                raise _Twice(problem_mark=key.start_mark)
            seen.add(found)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class _Node:
    """A value of the file with the place it has."""

    file: str
    path: str
    value: Any

    def fail(self, text: str) -> NoReturn:
        raise Invalid(f"{self.file}, {self.path or 'top'}: {text}", at=self.path or "top")

    def keys(self, *known: str) -> _Node:
        if not isinstance(self.value, dict):
            self.fail("expected keys and values")
        unknown = sorted(str(k) for k in self.value if k not in known)
        if unknown:
            self.fail(f"unknown key {unknown[0]}; known: {', '.join(known)}")
        return self

    def child(self, key: str, kind: type, default: Any = ...) -> _Node:
        place = f"{self.path}.{key}" if self.path else key
        found = _Node(self.file, place, self.value.get(key, default))
        if found.value is ...:
            found.fail("is missing")
        if found.value is not default and type(found.value) is not kind:
            wanted = {str: "text (in quotes)", bool: "true or false", list: "a list"}
            found.fail(f"expected {wanted.get(kind, 'keys and values')}")
        return found

    def items(self) -> list[_Node]:
        return [_Node(self.file, f"{self.path}[{i}]", v) for i, v in enumerate(self.value)]

    def text(self, key: str, form: str = r"(?s).*\S.*") -> str:
        found = self.child(key, str)
        if not re.fullmatch(form, found.value):
            found.fail("not of the right form")
        return cast(str, found.value)

    def choice(self, key: str, *allowed: str) -> Any:
        found = self.child(key, str, allowed[0])
        if found.value not in allowed:
            found.fail(f"one of: {', '.join(allowed)}")
        return found.value


def _party(node: _Node) -> PartyEntry:
    node.keys(
        "id", "name", "kind", "organisation", "phone", "identifiers", "endpoint", "subscriptions",
        "credential",
    )  # fmt: skip
    party = Party(
        id=node.text("id", _SLUG),
        name=node.text("name"),
        kind=node.text("kind", _SLUG),
        organisation=node.text("organisation"),
        identifiers=_identifiers(node.child("identifiers", dict)),
        phone=node.text("phone", _PHONE) if "phone" in node.value else None,
    )
    return PartyEntry(
        party=party,
        endpoint=_endpoint(node.child("endpoint", dict)),
        subscriptions=tuple(
            _subscription(n) for n in node.child("subscriptions", list, []).items()
        ),
        credential=_secret(node, "credential", "sha256", "env", "file"),
    )


def _identifiers(node: _Node) -> tuple[Identifier, ...]:
    node.keys(*IDENTIFIER_SYSTEMS)
    found = tuple(Identifier(IDENTIFIER_SYSTEMS[k], node.text(k, _FORMS[k])) for k in node.value)
    if not any(i.system in names.UNIT_SYSTEMS for i in found):
        node.fail("a unit needs sor, gln, ydernummer or local; cvr and kommunekode name none")
    return found


def _endpoint(node: _Node) -> EndpointEntry:
    node.keys("transport", "address", "secret")
    return EndpointEntry(
        transport=node.text("transport", _SLUG),
        address=node.text("address") if "address" in node.value else None,
        secret=_secret(node, "secret", "env", "file"),
    )


def _subscription(node: _Node) -> SubscriptionEntry:
    node.keys("content", "format", "versions", "receipt", "options", "unacceptable_losses")
    options = node.child("options", dict, {})
    return SubscriptionEntry(
        format=node.text("format", _SLUG),
        content=node.choice("content", "plan"),
        versions=node.choice("versions", "latest", "every-version"),
        receipt=node.child("receipt", bool, True).value,
        options={key: options.text(key) for key in options.value},
        unacceptable=_loss_kinds(node),
    )


def _loss_kinds(node: _Node) -> tuple[LossKind, ...]:
    found = node.child("unacceptable_losses", list, [])
    known = get_args(LossKind)
    if any(kind not in known for kind in found.value):
        found.fail(f"a list of: {', '.join(known)}")
    return tuple(dict.fromkeys(found.value))


def _operator(node: _Node) -> OperatorEntry:
    node.keys("id", "name", "credential")
    credential = _secret(node, "credential", "sha256", "env", "file")
    return OperatorEntry(node.text("id", _SLUG), node.text("name"), credential)


def _agreement(node: _Node) -> Agreement:
    """What is left out is as in :class:`Agreement`."""
    node.keys("approval_gates", "minors", "consent_reminder_days")
    days = node.child("consent_reminder_days", int, USUAL.reminder_days)
    if not 1 <= days.value <= LONGEST.days:
        days.fail(f"whole days, 1 to {LONGEST.days}")
    return Agreement(
        approval_gates=_gates(node),
        minors=node.child("minors", bool, USUAL.minors).value,
        reminder_days=days.value,
    )


def _gates(node: _Node) -> frozenset[str] | Literal["all"]:
    if node.value.get("approval_gates") == "all":
        return "all"
    found = node.child("approval_gates", list, None)
    if found.value is None:
        return USUAL.approval_gates
    if not found.value or not set(found.value) <= HELD_BACK_ROLES - {"coordinator"}:
        roles = ", ".join(sorted(HELD_BACK_ROLES - {"coordinator"}))
        found.fail(f"all, or a list of roles: {roles}")
    return frozenset(found.value) | GATED


def _secret(node: _Node, key: str, *sources: SecretSource) -> SecretRef | None:
    if key not in node.value:
        return None
    found = node.child(key, dict).keys(*sources)
    if len(found.value) != 1:
        found.fail(f"exactly one of: {', '.join(sources)}")
    source = next(iter(found.value))
    form = r"[0-9a-f]{64}" if source == "sha256" else r".*\S.*"
    return SecretRef(cast(SecretSource, source), found.text(source, form))


def _once(root: _Node, what: str, values: list[str]) -> None:
    twice = sorted({v for v in values if values.count(v) > 1})
    if twice:
        root.fail(f"the {what} {twice[0]} is used twice")

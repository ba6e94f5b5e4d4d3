"""The parties file: who takes part, how each receives, and the operators. Strict.

YAML with the keys ``parties``, ``operators``, ``citizen``, ``agreement`` and ``agreements``; every
key is known here or refused, so that a misspelt one never silently means its default. An error
names the file and the key, such as ``parties[2].identifiers.sor``; secrets are only named by where
they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast, get_args

from hub.contract import Identifier, LossKind, Party
from hub.errors import Malformed
from hub.fhir import names
from hub.model.agreement import Agreement, Agreements
from hub.model.client import Quota
from hub.model.party import Content
from hub.model.retry import RetryWish
from hub.runtime.agreement_file import agreements, under
from hub.runtime.clients_file import ClientEntry, clients, quota, whole_number
from hub.runtime.retry_file import retry
from hub.runtime.yaml_node import Node, load

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
    content: Content = "plan"
    versions: Literal["latest", "every-version"] = "latest"
    receipt: bool = True
    options: Mapping[str, str] = field(default_factory=dict)
    unacceptable: tuple[LossKind, ...] = ()
    retry: RetryWish = field(default_factory=RetryWish)


@dataclass(frozen=True)
class PartyEntry:
    """One party as the file has it."""

    party: Party
    endpoint: EndpointEntry
    subscriptions: tuple[SubscriptionEntry, ...]
    credential: SecretRef | None = None
    """None: one is made when the party is applied."""
    clients: tuple[ClientEntry, ...] = ()
    quota: Quota = field(default_factory=Quota)
    silent_hours: int | None = None
    retry: RetryWish = field(default_factory=RetryWish)
    agreement: Agreement | None = None
    """None: the usual one."""


@dataclass(frozen=True)
class OperatorEntry:
    """One operator as the file has it."""

    id: str
    name: str
    credential: SecretRef | None = None
    clients: tuple[ClientEntry, ...] = ()


@dataclass(frozen=True)
class PartiesFile:
    """The whole file, checked."""

    parties: tuple[PartyEntry, ...]
    operators: tuple[OperatorEntry, ...]
    citizen_format: str
    """The format of the citizen's own copy."""
    agreements: Agreements = field(default_factory=Agreements)


def read_parties(file: Path) -> PartiesFile:
    """Read and check the file; raises Malformed or Invalid naming the file and the key."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise Malformed(f"{file}: cannot be read ({type(e).__name__})") from None
    return parse_parties(text, name=file.name)


def parse_parties(text: str, *, name: str = "parties") -> PartiesFile:
    """The file's text, checked; ``name`` stands before every error."""
    node = load(text, name)
    root = node.keys("parties", "operators", "citizen", "agreement", "agreements")
    usual, named = agreements(root, _SLUG)
    parties = tuple(_party(n, named) for n in root.child("parties", list).items())
    operators = tuple(_operator(n) for n in root.child("operators", list, []).items())
    _once(root, "id", [p.party.id for p in parties] + [o.id for o in operators])
    _once(
        root,
        "client id",
        [c.id for e in parties for c in e.clients] + [c.id for o in operators for c in o.clients],
    )
    units = [i for p in parties for i in p.party.identifiers if i.system in names.UNIT_SYSTEMS]
    _once(root, "unit identifier", [f"{i.system}|{i.value}" for i in units])
    citizen = root.child("citizen", dict).keys("format")
    own = {p.party.id: p.agreement for p in parties if p.agreement is not None}
    agreed = Agreements(usual, own)
    return PartiesFile(parties, operators, citizen.text("format", _SLUG), agreed)


def _party(node: Node, named: Mapping[str, Agreement]) -> PartyEntry:
    node.keys(
        "id", "name", "kind", "organisation", "phone", "identifiers", "endpoint", "subscriptions",
        "credential", "clients", "quota", "silent_hours", "retry", "agreement",
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
        clients=clients(node),
        quota=quota(node.child("quota", dict, {})),
        silent_hours=whole_number(node, "silent_hours"),
        retry=retry(node.child("retry", dict, {})),
        agreement=under(node, named),
    )


def _identifiers(node: Node) -> tuple[Identifier, ...]:
    node.keys(*IDENTIFIER_SYSTEMS)
    found = tuple(Identifier(IDENTIFIER_SYSTEMS[k], node.text(k, _FORMS[k])) for k in node.value)
    if not any(i.system in names.UNIT_SYSTEMS for i in found):
        node.fail("a unit needs sor, gln, ydernummer or local; cvr and kommunekode name none")
    return found


def _endpoint(node: Node) -> EndpointEntry:
    node.keys("transport", "address", "secret")
    return EndpointEntry(
        transport=node.text("transport", _SLUG),
        address=node.text("address") if "address" in node.value else None,
        secret=_secret(node, "secret", "env", "file"),
    )


def _subscription(node: Node) -> SubscriptionEntry:
    node.keys("content", "format", "versions", "receipt", "options", "unacceptable_losses", "retry")
    options = node.child("options", dict, {})
    return SubscriptionEntry(
        format=node.text("format", _SLUG),
        content=node.choice("content", *get_args(Content)),
        versions=node.choice("versions", "latest", "every-version"),
        receipt=node.child("receipt", bool, True).value,
        options={key: options.text(key) for key in options.value},
        unacceptable=_loss_kinds(node),
        retry=retry(node.child("retry", dict, {})),
    )


def _loss_kinds(node: Node) -> tuple[LossKind, ...]:
    found = node.child("unacceptable_losses", list, [])
    known = get_args(LossKind)
    if any(kind not in known for kind in found.value):
        found.fail(f"a list of: {', '.join(known)}")
    return tuple(dict.fromkeys(found.value))


def _operator(node: Node) -> OperatorEntry:
    node.keys("id", "name", "credential", "clients")
    credential = _secret(node, "credential", "sha256", "env", "file")
    return OperatorEntry(node.text("id", _SLUG), node.text("name"), credential, clients(node))


def _secret(node: Node, key: str, *sources: SecretSource) -> SecretRef | None:
    if key not in node.value:
        return None
    found = node.child(key, dict).keys(*sources)
    if len(found.value) != 1:
        found.fail(f"exactly one of: {', '.join(sources)}")
    source = next(iter(found.value))
    form = r"[0-9a-f]{64}" if source == "sha256" else r".*\S.*"
    return SecretRef(cast(SecretSource, source), found.text(source, form))


def _once(root: Node, what: str, values: list[str]) -> None:
    twice = sorted({v for v in values if values.count(v) > 1})
    if twice:
        root.fail(f"the {what} {twice[0]} is used twice")

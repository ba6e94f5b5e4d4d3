"""MedCom Acknowledgement 2.0, both ways: read one as a Receipt, make one for a received message.

Key on the response code, never on AA, AE or AR: older governance has the last two swapped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, get_args

from adapters.dk_core import GLN_SYSTEMS
from adapters.medcom import codes, parts, urls
from adapters.medcom.ack_rules import acknowledges_acknowledgement, check
from adapters.medcom.assemble import ensure
from adapters.medcom.labels import ELEMENTS, TYPES
from adapters.medcom.message import Message, members, part, text
from hub.contract import Identifier, Receipt, Resource
from hub.errors import Invalid, Issue, Severity, UnknownCode, Unsupported
from hub.fhir import names

_INDEX: Final = re.compile(r"\[\d{1,3}\]$")
_NAMES: Final = frozenset(ELEMENTS) | {"entry", "resource", "extension", "meta", "timestamp"}
_TYPES: Final = frozenset(
    (
        *("invalid", "structure", "required", "value", "invariant", "security", "login"),
        *("unknown", "expired", "forbidden", "suppressed", "processing", "not-supported"),
        *("duplicate", "multiple-matches", "not-found", "deleted", "too-long", "code-invalid"),
        *("extension", "too-costly", "business-rule", "conflict", "transient", "lock-error"),
        *("no-store", "exception", "timeout", "incomplete", "throttled", "informational"),
    )
)
"""FHIR issue types (required binding)."""
_DEFAULTS: Final = {
    "fatal-error": ("structure", urls.OUTCOMES, "MSG_BAD_SYNTAX"),
    "transient-error": ("transient", urls.ERRORS, "MSG_Mailbox_Out_Of_Operation"),
}
MOST_ISSUES: Final = 20
"""Findings told in one acknowledgement."""
_UNLISTED: Final = "kode uden for MedComs lister"


def receipt(message: Message) -> Receipt:
    """The receiver's answer; text and issues come from codes, never from the sender's free text.

    Raises Invalid with every finding, and Unsupported for an answer to an answer (KR2).
    """
    issues = check(message)
    if issues:
        raise Invalid("The acknowledgement breaks MedCom's rules; see the issues", issues=issues)
    if acknowledges_acknowledgement(message):
        raise Unsupported(
            "An acknowledgement is never acknowledged (KR2); send none for this message",
            at="MessageHeader.response",
        )
    response = part(message.header, "response")
    found = tuple(_issue(i) for i in members(message.resolve(response.get("details")).get("issue")))
    return Receipt(
        of=text(response, "identifier"),
        outcome=codes.outcome_of(text(response, "code")),
        text="; ".join(dict.fromkeys(i.text for i in found)),
        issues=found,
        claimed_sender=sender_of(message),
        claimed_at=SENDER,
    )


SENDER: Final = "Bundle.entry[0].resource.sender"
"""Where a message says who sent it; its first entry is the MessageHeader."""


def sender_of(message: Message) -> tuple[Identifier, ...]:
    """The sending organisation's SOR and GLN; every name of the GLN system is one system here."""
    unit = message.resolve(message.header.get("sender"))
    found = []
    for identifier in members(unit.get("identifier")):
        system, value = text(identifier, "system"), text(identifier, "value")
        if system in GLN_SYSTEMS:
            found.append(Identifier(names.GLN, value))
        elif system == names.SOR:
            found.append(Identifier(names.SOR, value))
    return tuple(found)


def acknowledge(
    message: Resource,
    *,
    code: str,
    now: datetime,
    id_for: Callable[[str], str],
    detail: str | None = None,
    issues: Sequence[Issue] = (),
    base_url: str = urls.ACK_BASE,
) -> Resource:
    """The receiver's Acknowledgement Bundle of a received CareCommunication.

    ``code`` is ``ok``, ``transient-error`` or ``fatal-error``; ``detail`` a code of
    ``codes/issue.csv``, and a default for the two errors. ``issues`` say in words what was found;
    they hold nothing of the message. Answering again (another ``now``) gives
    a new Bundle.id and the same answer; another ``code`` gives another answer (KR5). Raises
    Unsupported for an acknowledgement (KR2) and for a message whose header, organisations or
    Provenance are not there to be answered, UnknownCode for an unknown ``code`` or ``detail``,
    CannotRender when the answer would break a rule.
    """
    codes.outcome_of(code)
    received = Message(message)
    latest, sender, receiver = _answerable(received)
    of = text(received.header, "id")
    new = _numbers(id_for, f"acknowledgement/{of}/{code}")
    header = parts.header(receiver, sender, number=new("header"), event=urls.ACK_EVENT)
    header["response"] = {"identifier": of, "code": code}
    revision = {"role": "revision", "what": {"reference": f"MessageHeader/{of}"}}
    own = parts.provenance(
        header, receiver, number=new("provenance"), now=now, activity="acknowledgement",
        entities=[revision],
    )  # fmt: skip
    copied = latest | {"meta": {"profile": [urls.PROVENANCE]}}
    resources = [header, copied, own, _unit(sender), _unit(receiver)]
    if code != "ok":
        outcome = _outcome(code, detail, issues, new("outcome"))
        header["response"]["details"] = parts.reference(outcome)
        resources.append(outcome)
    made = parts.bundle(
        resources, number=new(f"bundle/{now.isoformat()}"), now=now, base=base_url,
        profile=urls.ACK_MESSAGE,
    )  # fmt: skip
    ensure(made, check(Message(made)))
    return made


def _answerable(received: Message) -> tuple[Resource, Resource, Resource]:
    """The latest Provenance, the sender and the receiver, all repeated in the answer."""
    if received.event == (urls.EVENTS, urls.ACK_EVENT):
        raise Unsupported("An acknowledgement is never acknowledged (KR2)", at="MessageHeader")
    latest = received.current_provenance()
    sender = received.resolve(received.header.get("sender"))
    destinations = members(received.header.get("destination"))
    receiver = received.resolve(destinations[0].get("receiver")) if destinations else {}
    if len(latest) != 1 or not sender or not receiver:
        raise Unsupported(
            "The message names no sender, receiver or Provenance to answer", at="MessageHeader"
        )
    return latest[0], sender, receiver


def _numbers(id_for: Callable[[str], str], scope: str) -> Callable[[str], str]:
    return lambda key: id_for(f"{scope}/{key}")


def _unit(organization: Resource) -> Resource:
    """The organisation as messaging needs it, without what else the sender wrote of it."""
    kept = {k: organization[k] for k in ("identifier", "name") if k in organization}
    meta: Resource = {"meta": {"profile": [urls.ORGANIZATION]}}
    return {"resourceType": "Organization", "id": organization["id"]} | meta | kept


def _outcome(code: str, detail: str | None, issues: Sequence[Issue], number: str) -> Resource:
    kind, system, chosen = _DEFAULTS[code]
    if detail is not None:
        system, chosen = _system_of(detail), detail
        kind = codes.table("issue").forward(chosen, system=system, at="detail").target_code
    found = {"severity": "error", "code": kind}
    coded = {"coding": [{"system": system, "code": chosen}]}
    said = [found | {"details": coded | {"text": i.text}} | _at(i) for i in issues[:MOST_ISSUES]]
    return {
        "resourceType": "OperationOutcome",
        "id": number,
        "meta": {"profile": [urls.ACK_OUTCOME]},
        "issue": said or [found | {"details": coded}],
    }


def _at(issue: Issue) -> dict[str, Any]:
    return {"expression": [issue.expression]} if _is_path(issue.expression) else {}


def _system_of(detail: str) -> str:
    for system in (urls.OUTCOMES, urls.ERRORS):
        if (system, detail) in codes.known("issue"):
            return system
    raise UnknownCode("The detail is in neither of the two code systems for issues", at="detail")


def _issue(issue: dict[str, Any]) -> Issue:
    severity: Severity = next(
        (s for s in get_args(Severity) if s == issue.get("severity")), "error"
    )
    kind = text(issue, "code")
    expressions = issue.get("expression")
    where = next(filter(_is_path, expressions), None) if isinstance(expressions, list) else None
    return Issue(severity, kind if kind in _TYPES else "unknown", _spoken(issue), where)


def _spoken(issue: dict[str, Any]) -> str:
    said = []
    for coding in members(part(issue, "details").get("coding")):
        pair = (text(coding, "system"), text(coding, "code"))
        words = codes.displays().get(pair) if pair in codes.known("issue") else None
        said.append(f"{pair[1]}: {words[0]}" if words else _UNLISTED)
    return ", ".join(said) or _UNLISTED


def _is_path(expression: Any) -> bool:
    """A receiver may put anything here; only a path of known element names is kept."""
    if not isinstance(expression, str):
        return False
    first, *others = (_INDEX.sub("", p) for p in expression.split("."))
    return first in {"Bundle", *TYPES} and all(o in _NAMES for o in others)

"""Registering a citizen's decision from the command line; the same door as the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from hub.cli.common import opened

if TYPE_CHECKING:
    from hub.contract import Resource
    from hub.model.records import InboxItem


def register(kind: Literal["consent", "approval"], file: Path, party: str, json_: bool) -> None:
    """Accept and process a decision of that kind on behalf of a party; raises what was refused."""
    from hub.errors import NotFound  # noqa: PLC0415
    from hub.fhir.codec import parse_json  # noqa: PLC0415
    from hub.services.accept import accept  # noqa: PLC0415
    from hub.services.hub import CANONICAL  # noqa: PLC0415
    from hub.services.process import process  # noqa: PLC0415

    body = file.read_bytes()
    _of_kind(kind, parse_json(body))
    with opened() as (hub, _):
        with hub.store.reading() as work:
            sender = work.parties.get(party)
        if sender is None:
            raise NotFound("No such party; see: ki-hub parties list")
        kept = accept(hub, sender.party, CANONICAL, body, "application/fhir+json")
        item = process(hub, kept.item.id)
    outcome = _outcome(item)
    if json_:
        click.echo(json.dumps(outcome, ensure_ascii=False, indent=2))
        return
    for issue in outcome.get("issue", ()):
        click.echo(issue["details"]["text"])


def _of_kind(kind: str, resource: Resource) -> None:
    """Raises Unsupported for anything but one Consent of that kind."""
    from hub.errors import Unsupported  # noqa: PLC0415
    from hub.fhir.decided import is_approval  # noqa: PLC0415

    found = str(resource.get("resourceType", "resourceType"))
    if found != "Consent":
        text = "Only one Consent is registered here; publish any other document"
        raise Unsupported(text, at=found)
    if is_approval(resource) != (kind == "approval"):
        other = "consent" if kind == "approval" else "approval"
        text = f"This Consent is a citizen's {other}; use: ki-hub {other} register"
        raise Unsupported(text, at="Consent.category")


def _outcome(item: InboxItem) -> Resource:
    """The answer; raises what was refused, and Temporary while there is none."""
    from hub.errors import HubError, InputRefused, NoLegalBasis, Temporary  # noqa: PLC0415
    from hub.fhir.codec import parse_json  # noqa: PLC0415
    from hub.services.received import issues_of  # noqa: PLC0415

    if item.answer is None:
        raise Temporary("The decision is kept, and not processed yet; the worker tries again")
    if item.state == "set-aside":
        raise HubError("The hub failed on this decision; see: ki-hub messages")
    if item.state not in {"applied", "unattached"}:
        refusal = NoLegalBasis if item.state == "sealed" else InputRefused
        raise refusal("The decision was refused", issues=issues_of(item.answer))
    return parse_json(item.answer.encode())

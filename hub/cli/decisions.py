"""Registering a citizen's decision from the command line; the same door as the API."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hub.cli.common import opened


def register(file: Path, party: str, json_: bool) -> None:
    """Accept and process a Consent resource on behalf of a party; raises what was refused."""
    from hub.errors import InputRefused, Issue, Misconfigured, NoLegalBasis  # noqa: PLC0415
    from hub.fhir.codec import parse_json  # noqa: PLC0415
    from hub.services.accept import accept  # noqa: PLC0415
    from hub.services.hub import CANONICAL  # noqa: PLC0415
    from hub.services.process import process  # noqa: PLC0415

    body = file.read_bytes()
    with opened() as (hub, _):
        with hub.store.reading() as work:
            sender = work.parties.get(party)
        if sender is None:
            raise Misconfigured("No such party; see: ki-hub parties list")
        kept = accept(hub, sender.party, CANONICAL, body, "application/fhir+json")
        item = process(hub, kept.item.id)
    outcome = parse_json((item.answer or "{}").encode())
    if item.state not in {"applied", "unattached"}:
        issues = tuple(
            Issue(i["severity"], i["code"], i["details"]["text"],
                  next(iter(i.get("expression", i.get("location", ()))), None))
            for i in outcome.get("issue", ())
        )  # fmt: skip
        refusal = NoLegalBasis if item.state == "sealed" else InputRefused
        raise refusal("The decision was refused", issues=issues)
    if json_:
        click.echo(json.dumps(outcome, ensure_ascii=False, indent=2))
        return
    for issue in outcome.get("issue", ()):
        click.echo(issue["details"]["text"])

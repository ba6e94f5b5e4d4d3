"""``ki-hub validate``: is this legal FHIR R4, and what its profile asks for?"""

from __future__ import annotations

from typing import IO

import click

from hub.errors import Invalid
from hub.fhir.codec import dump_json, parse_json
from hub.fhir.declared import ProfileValidator
from hub.fhir.outcome import outcome
from hub.fhir.structure import StructureValidator


@click.command("validate")
@click.option("--profile", metavar="URL", help="A profile to hold it to, whatever it declares.")
@click.option("--json", "as_json", is_flag=True, help="No difference: the outcome is JSON.")
@click.argument("file", type=click.File("rb"), default="-")
def command(profile: str | None, as_json: bool, file: IO[bytes]) -> None:
    """Check one resource or Bundle in FILE (or standard input).

    An OperationOutcome goes to standard output. The exit code is 3 if it has an error; the same
    outcome then goes to standard error too, as for every refused input. Without --profile,
    meta.profile decides.
    """
    del as_json  # every command takes it; this one has no other output
    profiles = ProfileValidator(profile)
    resource = parse_json(file.read())
    issues = StructureValidator().check([resource])
    if not any(i.severity in {"error", "fatal"} for i in issues):
        issues += profiles.check([resource])
    refused = any(i.severity in {"error", "fatal"} for i in issues)
    told = outcome(issues, move="sender" if refused else None)
    click.echo(dump_json(told, indent=2))
    if refused:
        raise Invalid("The document is not valid", issues=tuple(issues))

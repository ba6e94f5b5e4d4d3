"""``ki-hub validate``: is this legal FHIR R4, and what its profiles ask for?"""

from __future__ import annotations

from typing import IO

import click

from hub.contract import Resource
from hub.errors import Invalid
from hub.fhir.codec import dump_json, parse_json
from hub.fhir.outcome import outcome
from hub.fhir.validation import EmbeddedValidator
from hub.runtime.registry import Registry


@click.command("validate")
@click.option("--profile", metavar="URL", help="A profile to hold it to, whatever it declares.")
@click.option("--json", "as_json", is_flag=True, help="No difference: the outcome is JSON.")
@click.argument("file", type=click.File("rb"), default="-")
def command(profile: str | None, as_json: bool, file: IO[bytes]) -> None:
    """Check one resource or Bundle, JSON or XML, in FILE (or standard input).

    An OperationOutcome goes to standard output. The exit code is 3 if it has an error; the same
    outcome then goes to standard error too, as for every refused input. Without --profile,
    meta.profile decides.
    """
    del as_json  # every command takes it; this one has no other output
    resource = _read(file.read())
    validator = EmbeddedValidator(coded=Registry().profiles)
    issues = validator.check([resource], profile=profile)
    refused = any(i.severity in {"error", "fatal"} for i in issues)
    told = outcome(issues, move="sender" if refused else None)
    click.echo(dump_json(told, indent=2))
    if refused:
        raise Invalid("The document is not valid", issues=tuple(issues))


def _read(document: bytes) -> Resource:
    """XML if it begins as XML does, else JSON."""
    if document.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        from hub.fhir.xml import from_xml  # noqa: PLC0415 - loads the type tables

        return from_xml(document)
    return parse_json(document)

"""``ki-hub approval``: register a citizen's decision from a file."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.common import as_json
from hub.cli.decisions import register


@click.group(name="approval")
def command() -> None:
    """Register a citizen's decision."""


@command.command(name="register")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--party", required=True, help="The unit whose person registers it.")
@as_json
def register_(file: Path, party: str, json_: bool) -> None:
    """Register a KiApproval (FHIR Consent, JSON) from FILE."""
    register("approval", file, party, json_)


@command.command(name="answer-no")
@click.argument("plan")
@click.option("--party", required=True, help="The unit whose person answers.")
@click.option("--person", required=True, help="Name and function.")
@click.option(
    "--consent-holds/--consent-gone", required=True, help="Does the citizen's consent still hold?"
)
@click.option("--new-meeting/--no-new-meeting", required=True, help="Is a new meeting needed?")
def answer_no(plan: str, party: str, person: str, consent_holds: bool, new_meeting: bool) -> None:
    """Answer what the citizen's no to a version of PLAN asks; its full id."""
    from hub.cli.common import opened  # noqa: PLC0415
    from hub.errors import NotFound  # noqa: PLC0415
    from hub.services import rejection  # noqa: PLC0415

    with opened() as (hub, _):
        with hub.store.reading() as work:
            by = work.parties.get(party)
        if by is None:
            raise NotFound("No such party; see: ki-hub parties list")
        rejection.answer(
            hub, by.party, plan, person, consent_holds=consent_holds, new_meeting=new_meeting
        )

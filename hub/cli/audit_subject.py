"""``ki-hub audit subject``: everything that is held about a citizen."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import click

from hub.cli.audit_whose import on_citizen, reason_of, whose


@click.command(name="subject")
@whose
@click.option(
    "--to", "target", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="A zip file that is not there yet; only this user may read it.",
)  # fmt: skip
@reason_of("Why the copy is made")
def command(plan: str, number: str | None, target: Path, reason: str) -> None:
    """Write all plans, decisions, documents, deliveries and audit rows of the citizen of PLAN,
    which may be a koordinationsplan.

    For a citizen who asks what is held about them (GDPR article 15). It holds others' words too:
    the controllers decide what of it is handed out.
    """
    from hub.services.subject import everything_held  # noqa: PLC0415

    with on_citizen(plan, number) as named:
        if target.exists():
            raise click.UsageError("--to: there is a file by that name; choose another")
        files = everything_held(named.hub, named.viewer, named.whose, reason=reason)
        descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with (
            os.fdopen(descriptor, "wb") as out,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z,
        ):
            for file in files:
                z.writestr(file.name, file.body)
    click.echo(f"{len(files)} files")

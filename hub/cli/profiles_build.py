"""``ki-hub profiles build``: the published profiles from their FSH sources."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="build")
@click.option("--check", is_flag=True, help="Only say what is out of step; needs no Node.")
@click.option("--docs", is_flag=True, help="Only write docs/profiles.md; needs no Node.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where npm packages are kept between builds (default: the user's cache folder).",
)
def command(check: bool, docs: bool, cache: Path | None) -> int:
    """Make the profiles, the manifest and docs/profiles.md from the FSH sources."""
    from hub.runtime import profiles  # noqa: PLC0415

    if check and docs:
        raise click.UsageError("--check and --docs exclude each other")
    if check:
        found = profiles.out_of_step()
        for line in found:
            click.echo(line)
        if found:
            click.echo("Run `ki-hub profiles build`.", err=True)
        return 1 if found else 0
    if docs:
        profiles.write_docs()
        click.echo("docs/profiles.md is written.")
        return 0
    made = profiles.build(cache)
    click.echo(f"{len(made)} resources, the manifest and docs/profiles.md are written.")
    return 0

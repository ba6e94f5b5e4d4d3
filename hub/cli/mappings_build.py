"""``ki-hub mappings build``: the FHIR ConceptMaps from the code tables."""

from __future__ import annotations

import click

from hub.runtime.concept_maps import build, out_of_step


@click.command("build")
@click.option("--check", is_flag=True, help="Only say what is out of step.")
def command(check: bool) -> int:
    """Make the ConceptMaps in fhir_profiles/concept-maps from the code tables in mappings/."""
    if not check:
        click.echo(f"{len(build())} ConceptMaps are written.")
        return 0
    found = out_of_step()
    for line in found:
        click.echo(line)
    if found:
        click.echo("Run `ki-hub mappings build`.", err=True)
    return 1 if found else 0

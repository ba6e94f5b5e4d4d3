"""``ki-hub reconcile``: what each party should hold, beside what it was sent."""

from __future__ import annotations

import sys

import click

from hub.cli.common import as_json, opened, show

COLUMNS = ("plan", "document", "receiver", "format", "kind", "text", "mended")


@click.command(name="reconcile")
@as_json
def command(json_: bool) -> None:
    """Compare now, for every plan and every document that stands alone; exit 1 if something is left
    that a person must see to.

    What is permitted and was not on its way is routed anew (mended); the rest are the operator's
    tasks.
    """
    from hub.services.strays import compare_all, rows_of  # noqa: PLC0415

    rows = []
    with opened() as (hub, _):
        for one in compare_all(hub):
            rows += rows_of(one)
    show(rows, COLUMNS, json_)
    if any(not row["mended"] for row in rows):
        sys.exit(1)

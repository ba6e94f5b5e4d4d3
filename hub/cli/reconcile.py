"""``ki-hub reconcile``: what each party should hold, beside what it was sent."""

from __future__ import annotations

import sys

import click

from hub.cli.common import as_json, opened, show

COLUMNS = ("plan", "receiver", "format", "kind", "text", "mended")


@click.command(name="reconcile")
@as_json
def command(json_: bool) -> None:
    """Compare now, for every plan; exit 1 if something is left that a person must see to.

    What is permitted and was not on its way is routed anew (mended); the rest are the operator's
    tasks.
    """
    from hub.services.strays import compare_all, row_of  # noqa: PLC0415

    rows = []
    with opened() as (hub, _):
        for one in compare_all(hub):
            rows += [row_of(one.plan, s, mended=False) for s in one.left]
            rows += [row_of(one.plan, s, mended=True) for s in one.mended]
    show(rows, COLUMNS, json_)
    if any(not row["mended"] for row in rows):
        sys.exit(1)

"""``ki-hub subscriptions``: who asked to be told of changes, and how it goes."""

from __future__ import annotations

import getpass
import json
from typing import Any

import click

from hub.cli.common import as_json, opened, show


@click.group(name="subscriptions")
def command() -> None:
    """Show, suspend and resume FHIR Subscriptions."""


@command.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """Every subscription with its state, its last error and how many events it has."""
    from hub.services.subscription_admin import subscription_rows  # noqa: PLC0415

    with opened() as (hub, _):
        rows = subscription_rows(hub)
    columns = ("subscription", "party", "topic", "channel", "status", "events", "waiting", "error")
    show(rows, columns, json_)


@command.command(name="show")
@click.argument("subscription")
@as_json
def show_(subscription: str, json_: bool) -> None:
    """SUBSCRIPTION with its notifications; never its endpoint's path or its headers."""
    from hub.services.subscription_admin import subscription_row  # noqa: PLC0415

    with opened() as (hub, _):
        row = subscription_row(hub, subscription)
    if json_:
        click.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    notifications: list[dict[str, Any]] = row.pop("notifications")
    for name, value in row.items():
        if value not in (None, {}):
            click.echo(f"{name}: {value}")
    show(notifications, ("updated_at", "about", "event", "state", "reason", "attempts"), False)


@command.command(name="suspend")
@click.argument("subscription")
@click.option("--reason", required=True, help="Why; shown to operators.")
@as_json
def suspend(subscription: str, reason: str, json_: bool) -> None:
    """Send nothing of SUBSCRIPTION until it is resumed; its events are kept."""
    from hub.services.subscription_admin import suspend as stop  # noqa: PLC0415

    with opened() as (hub, _):
        stop(hub, subscription, by=getpass.getuser(), reason=reason)
    _tell(subscription, "suspended", json_)


@command.command(name="resume")
@click.argument("subscription")
@as_json
def resume(subscription: str, json_: bool) -> None:
    """Let SUBSCRIPTION go on; its endpoint must answer first."""
    from hub.services.subscription_admin import resume as go_on  # noqa: PLC0415

    with opened() as (hub, _):
        go_on(hub, subscription, by=getpass.getuser())
    _tell(subscription, "requested", json_)


def _tell(subscription: str, state: str, json_: bool) -> None:
    done = {"subscription": subscription, "state": state}
    click.echo(json.dumps(done) if json_ else f"{subscription} is {state}.")

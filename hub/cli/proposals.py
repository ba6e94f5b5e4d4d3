"""``ki-hub proposals``: changes that wait for a person, on behalf of a party."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from hub.cli.acting import unit_of
from hub.cli.common import as_json, opened, show
from hub.fhir.language import LANGUAGES, Language

if TYPE_CHECKING:
    from hub.contract import Party
    from hub.services.hub import Hub
    from hub.services.proposals import Choice, Shown

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

_party = click.option("--party", required=True, help="The unit whose person looks or decides.")
_person = click.option("--person", required=True, help="Name and function of who decides.")
_reason = click.option("--reason", required=True, help="Why; the author reads it.")
_version = click.option("--version", type=int, help="The plan version that was looked at.")


@click.group(name="proposals")
def command() -> None:
    """Show and decide proposals and conflicts; the beginning of an id is enough."""


@command.command(name="list")
@_party
@click.option("--all", "all_", is_flag=True, help="Those that are decided as well.")
@as_json
def list_(party: str, all_: bool, json_: bool) -> None:
    """What the unit proposed or decides, newest first, without its texts."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import proposals  # noqa: PLC0415
    from hub.services.proposal_rows import proposal_row  # noqa: PLC0415

    with opened() as (hub, _):
        viewer = Viewer.of(unit_of(hub, party))
        rows = [proposal_row(p) for p in proposals.proposals(hub, viewer, waiting=not all_)]
    show(rows, ("proposal", "kind", "plan", "author", "state"), json_, more=("received_at",))


@command.command(name="show")
@click.argument("proposal")
@_party
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="da", show_default=True,
    help="Of the words for the plan's elements and codes.",
)  # fmt: skip
@as_json
def show_(proposal: str, party: str, language: Language, json_: bool) -> None:
    """PROPOSAL with its texts, as far as the unit may see them; the look is audited.

    In the template's words and Danish local time; with --json as FHIR has them, and in UTC.
    """
    from hub.services import proposals  # noqa: PLC0415
    from hub.services.proposal_rows import texts_row  # noqa: PLC0415

    with opened() as (hub, _):
        unit = unit_of(hub, party)
        shown = proposals.show(hub, unit, _whole(hub, unit, proposal))
    _tell(texts_row(shown) if json_ else _in_words(shown, language), json_)


def _in_words(shown: Shown, language: Language) -> dict[str, Any]:
    """The same row for people."""
    from hub.console.pieces import in_words, told  # noqa: PLC0415
    from hub.console.words import known  # noqa: PLC0415
    from hub.services.proposal_rows import texts_row  # noqa: PLC0415

    row, piece = texts_row(shown), shown.proposal.piece
    about = piece.partition("/")[0]
    texts = {
        name: told(language, piece, row[name], text=shown.single)
        for name in ("base", "theirs", "stands")
    }
    times = {
        name: in_words(language, row[name]) for name in ("received_at", "decided_at") if row[name]
    }
    return {**row, "about": known(language, f"about.piece.{about}", about), **texts, **times}


def _deciding(choice: Choice, about: str, *more: Option) -> None:
    """A subcommand that decides so."""

    def decided(proposal: str, json_: bool, **said: Any) -> None:
        _decide(proposal, choice, json_, **said)

    made: Callable[..., Any] = as_json(decided)
    options: tuple[Option, ...] = (
        click.argument("proposal"), *more, _party, _person, _reason, _version
    )  # fmt: skip
    for option in reversed(options):
        made = option(made)
    command.command(name=choice, help=about)(made)


_deciding("accept", "What PROPOSAL says becomes the plan's next version.")
_deciding("reject", "What stands, stands.")
_deciding(
    "reword",
    "Neither: the plan's next version says it in other words.",
    click.option("--text", required=True, help="What it is to say."),
)


def _decide(proposal: str, choice: Choice, json_: bool, *, party: str, **said: Any) -> None:
    from hub.services import proposals  # noqa: PLC0415
    from hub.services.proposal_rows import proposal_row  # noqa: PLC0415

    with opened() as (hub, _):
        unit = unit_of(hub, party)
        found = proposals.decide(hub, unit, _whole(hub, unit, proposal), choice, **said)
    _tell(proposal_row(found), json_)


def _whole(hub: Hub, unit: Party, beginning: str) -> str:
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.proposals import whole_proposal_id  # noqa: PLC0415

    return whole_proposal_id(hub, Viewer.of(unit), beginning)


def _tell(row: dict[str, Any], json_: bool) -> None:
    if json_:
        click.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    for name, value in row.items():
        if isinstance(value, list):
            click.echo(f"{name}:")
            for line in value or ["(not there)"]:
                click.echo(f"  {line}")
        elif value is not None:
            click.echo(f"{name}: {value}")

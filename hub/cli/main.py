"""``ki-hub``: finds the command, runs it, and turns its errors into exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 input refused (stderr then holds exactly one
OperationOutcome as JSON and nothing else), 4 not ready.

Each command is the object ``command`` of a module in this package; the module is imported when
the command runs, so that ``ki-hub --help`` and small commands stay quick.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click

from hub.cli.lazy import LazyCommands
from hub.errors import HubError, InputRefused, Misconfigured, NotPermitted, Temporary

FAILED: Final = 1
WRONG_USAGE: Final = 2
REFUSED: Final = 3
NOT_READY: Final = 4

_COMMANDS: Final = {
    "actions": "Show what was done to many deliveries, and go on with it.",
    "all": "Serve and work in one process.",
    "approval": "Register a citizen's decision on a plan version.",
    "audit": "Check, show and keep the audit trail.",
    "citizens": "Say that a citizen has another number now.",
    "consent": "Register a citizen's consent, or its withdrawal.",
    "dead-letters": "List, show, replay and discard what could not be delivered.",
    "deliveries": "Show who was sent what, and why.",
    "demo": "Play the scenario of a KI-plan with fictitious people.",
    "doctor": "Check that this deployment is ready to work.",
    "endpoints": "Show endpoints that fail, and send to one again.",
    "law": "Check the statutes that the hub relies on.",
    "mappings": "Check and explain the mapping tables.",
    "messages": "Show received documents, and the content of what was not understood.",
    "migrate": "Bring the database to this version.",
    "parties": "Apply and show the parties file.",
    "pause": "Hold back deliveries to a party.",
    "plans": "Show plans and their versions.",
    "profiles": "Build the FHIR profiles.",
    "proposals": "Show and decide proposed changes and conflicts.",
    "queues": "Show the queues and their depths.",
    "reconcile": "Compare what each party should hold with what it was sent.",
    "restored": "Make a database from a backup safe to start on.",
    "resume": "Let deliveries to a party go again.",
    "serve": "Answer HTTP.",
    "subscriptions": "Show, suspend and resume FHIR Subscriptions.",
    "translate": "Translate one document from one format to another.",
    "validate": "Check FHIR resources.",
    "worker": "Process messages and deliver.",
}


@click.group(
    cls=LazyCommands,
    lazy=_COMMANDS,
    prefix="hub.cli.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="ki-hub", prog_name="ki-hub")
def cli() -> None:
    """Integration hub for the koordinerende indsatsplan, on FHIR R4 and RabbitMQ."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; ``arguments`` default to the process's own."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; errors are told on stderr."""
    try:
        code = cli.main(arguments, prog_name="ki-hub", standalone_mode=False)
    except HubError as e:
        return _tell(e)
    except click.ClickException as e:
        e.show()
        return e.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        return FAILED
    except BrokenPipeError:
        # The reader of stdout went away; nothing may be written to it at exit either.
        sys.stdout = None
        return FAILED
    except Exception as e:
        _tell_unexpected(e)
        return FAILED
    return code if isinstance(code, int) else 0


def _tell(error: HubError) -> int:
    if isinstance(error, InputRefused | NotPermitted):
        from hub.fhir.codec import dump_json  # noqa: PLC0415 - lxml and simplejson load slowly
        from hub.fhir.outcome import error_outcome  # noqa: PLC0415

        click.echo(dump_json(error_outcome(error), indent=2), err=True)
        return REFUSED
    click.echo(f"ki-hub: {error.text}", err=True)
    return NOT_READY if isinstance(error, Temporary | Misconfigured) else FAILED


def _tell_unexpected(error: Exception) -> None:
    """The type and the way there, without the message: it may hold a value."""
    click.echo(f"ki-hub: unexpected {type(error).__name__}; please report it", err=True)
    click.echo("".join(traceback.format_tb(error.__traceback__)), err=True, nl=False)


if __name__ == "__main__":
    main()

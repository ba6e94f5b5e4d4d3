"""The whole error tree. The class says whose move it is.

::

    HubError
    ├── InputRefused            the sender's move; never retried as it is
    │   ├── Malformed           the bytes are not what the format says
    │   ├── TooLarge            more bytes, or deeper nesting, than is read
    │   ├── UnknownCode         a code that no table knows
    │   ├── Unsupported         a format, event or content nobody handles here
    │   ├── Invalid             understood, but against a rule; all issues at once
    │   ├── WrongSender         the document names another sender than its channel
    │   ├── MessageReused       a known message id with other content
    │   ├── StaleBase           written on a version that is no longer the newest
    │   ├── VersionMissing      a change that does not say which version it was written on
    │   ├── PreconditionFailed  the version, or the match, that the sender demanded is not there
    │   └── NotThere            a change of what is not there for the sender
    ├── NotPermitted            the law's or the citizen's answer is no
    │   ├── Unauthenticated     no credential, or an unknown one
    │   ├── NoLegalBasis        bytes are sealed, the sender is told
    │   ├── NotFound            also what the viewer may not know exists
    │   ├── NotOwner            it may be read, and is another's to change
    │   ├── NotGranted          the token's scopes, or the person's role, do not cover it
    │   └── OverQuota           more than the party may send for now; nothing was kept
    ├── CannotRender            the operator's move: the receiver's format cannot carry it
    │   └── TooLargeToSend      it waits, until a person sends it in another way or allows more
    ├── Misconfigured           the operator's move: settings or parties
    │   └── NotAllowed          an address that the hub may not call
    └── Temporary               nobody's move; it is tried again
        ├── StoreUnavailable
        │   ├── StoreFull       the operator's move: no room on the database's disk
        │   └── StoreReadOnly   the operator's move: the database takes no changes
        ├── BusUnavailable
        │   └── BusAlarm        the operator's move: the broker is short of memory or disk
        ├── Busy                too many large documents at once
        ├── ReceiverUnavailable
        └── ValidatorUnavailable

No message, expression or field of an error holds a CPR number, a name or plan text: the place
in the document is given as a path, the value never.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fatal", "error", "warning", "information"]
Move = Literal["sender", "receiver", "operator", "person", "nobody"]


@dataclass(frozen=True)
class Issue:
    """One finding about a document."""

    severity: Severity
    code: str
    """FHIR issue type (http://hl7.org/fhir/issue-type), such as ``code-invalid``."""
    text: str
    """What is wrong and what to do, free of personal data."""
    expression: str | None = None
    """Where: a FHIRPath, an element path or a line; never a value."""
    text_da: str | None = None
    """The text in Danish, where there is one."""


class HubError(Exception):
    """Something went wrong; see the class for whose move it is."""

    move: Move = "operator"
    code: str = "exception"
    number: int = 1000

    def __init__(
        self, text: str = "", *, at: str | None = None, issues: tuple[Issue, ...] = ()
    ) -> None:
        message = text or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(message)
        self.text = message
        self.issues = issues or (Issue("error", self.code, message, at),)


class InputRefused(HubError):
    """The document was refused; the sender must change it."""

    move = "sender"
    code = "invalid"
    number = 1100


class Malformed(InputRefused):
    """The bytes are not what the format says."""

    code = "structure"
    number = 1101


class TooLarge(InputRefused):
    """The document is larger or nested deeper than this hub reads."""

    code = "too-long"
    number = 1102


class UnknownCode(InputRefused):
    """A code in the document is in no table of its format."""

    code = "code-invalid"
    number = 1103


class Unsupported(InputRefused):
    """Nothing here handles that format, event or content."""

    code = "not-supported"
    number = 1104


class Invalid(InputRefused):
    """The document breaks a rule."""

    code = "invalid"
    number = 1105


class WrongSender(InputRefused):
    """The document names another sender than the channel it came by."""

    code = "security"
    number = 1106


class MessageReused(InputRefused):
    """The message id was used before, with other content."""

    code = "duplicate"
    number = 1107


class StaleBase(InputRefused):
    """The change was written on a version that is no longer the newest."""

    code = "conflict"
    number = 1108


class VersionMissing(InputRefused):
    """Say which version the change was written on."""

    code = "required"
    number = 1109


class PreconditionFailed(InputRefused):
    """What the request demanded of the stored resource does not hold."""

    code = "conflict"
    number = 1110


class NotThere(InputRefused):
    """No such resource is known to you, and only the hub gives ids."""

    code = "not-supported"
    number = 1111


class NotPermitted(HubError):
    """Not allowed."""

    move = "sender"
    code = "forbidden"
    number = 1200


class Unauthenticated(NotPermitted):
    """A valid credential is needed."""

    code = "login"
    number = 1201


class NoLegalBasis(NotPermitted):
    """No consent or statute covers this exchange; the content is sealed."""

    code = "suppressed"
    number = 1202


class NotFound(NotPermitted):
    """Not known here."""

    code = "not-found"
    number = 1203


class NotOwner(NotPermitted):
    """Only its owner changes it."""

    number = 1204


class NotGranted(NotPermitted):
    """The credential does not cover this."""

    number = 1205


class ScopeMissing(NotGranted):
    """The token's scopes do not cover this; ask for one that does."""

    def __init__(
        self,
        text: str = "",
        *,
        at: str | None = None,
        issues: tuple[Issue, ...] = (),
        scope: str = "",
    ) -> None:
        super().__init__(text, at=at, issues=issues)
        self.scope = scope
        """The scope that would."""


class OverQuota(NotPermitted):
    """More than the party may send for now; nothing was kept, send it again later."""

    code = "throttled"
    number = 1206

    def __init__(
        self,
        text: str = "",
        *,
        at: str | None = None,
        issues: tuple[Issue, ...] = (),
        wait: int = 60,
    ) -> None:
        super().__init__(text, at=at, issues=issues)
        self.wait = wait
        """Seconds until it may be sent again."""


class CannotRender(HubError):
    """The receiver's format cannot carry this plan; see the subscription."""

    move = "operator"
    code = "not-supported"
    number = 1300


class TooLargeToSend(CannotRender):
    """The document is larger than this receiver takes."""

    code = "too-long"
    number = 1301


class Misconfigured(HubError):
    """The settings or the parties file do not fit together."""

    move = "operator"
    code = "invalid"
    number = 1400


class NotAllowed(Misconfigured):
    """The hub may not call this address; see KI_HUB_OUTGOING_HOSTS and KI_HUB_OUTGOING_NETWORKS."""

    number = 1401


class Temporary(HubError):
    """Not possible right now; it is tried again."""

    move: Move = "nobody"
    code = "transient"
    number = 1500
    wait: int = 10
    """Seconds after which it is worth trying again."""


class StoreUnavailable(Temporary):
    """The database cannot be reached or written."""

    number = 1501


class StoreFull(StoreUnavailable):
    """The hub's disk is full; nothing was kept, send it again later as it is."""

    move = "operator"
    number = 1506
    wait = 60


class StoreReadOnly(StoreUnavailable):
    """The hub's database is read-only; nothing was kept, send it again later as it is."""

    move = "operator"
    number = 1507
    wait = 60


class BusUnavailable(Temporary):
    """The message broker cannot be reached, or does not confirm."""

    number = 1502


class BusAlarm(BusUnavailable):
    """The broker is short of memory or disk; send it again later as it is."""

    move = "operator"
    number = 1508
    wait = 30


class ReceiverUnavailable(Temporary):
    """The receiver's endpoint cannot be reached or asks to wait."""

    number = 1503


class ValidatorUnavailable(Temporary):
    """The validator beside the hub cannot be reached, or has too much to do."""

    number = 1504


class Busy(Temporary):
    """Too many large documents at once; send this one again later."""

    number = 1505

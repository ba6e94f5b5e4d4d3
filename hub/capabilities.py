"""What an adapter, or its package, may offer besides the contract.

Rules in code for another maker's profiles; messages that acknowledge each other; a judgement of a
subscription's options. An adapter says so by having the methods. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

from hub.contract import Check, Context, RawMessage, Rendered
from hub.errors import Issue


@dataclass(frozen=True)
class CodedProfile:
    """A profile of another maker, whose rules are in code here (group ``ki_hub.profiles``).

    Each entry point is a sequence of them. The validator applies ``check`` to every resource
    that declares the profile, and the adapter need not be known to it.
    """

    url: str
    """Its canonical, without a version."""
    type: str
    """The resource type it is for."""
    check: Check
    parts: frozenset[str] = frozenset()
    """Canonicals of profiles inside it that ``check`` looks at as well."""


@dataclass(frozen=True)
class MessageNames:
    """What a message calls itself: a resend has another envelope and the same message."""

    envelope: str
    message: str


@dataclass(frozen=True)
class Patience:
    """How long a receiver's answer is waited for."""

    wait: timedelta
    """Then the message is sent again."""
    resends: int
    """So often at most, after the first time; then a person is asked."""


@runtime_checkable
class Explained(Protocol):
    """An adapter that names who reads what in it: ``ki-hub mappings explain`` tells it."""

    readers: Mapping[str, Callable[..., object]]
    """By the name of the result's class (``PlanUpdate``, ``Receipt``, …), the function."""


@runtime_checkable
class Conversing(Protocol):
    """What an adapter is besides, where each message of the format is acknowledged by another."""

    def names(self, body: bytes) -> MessageNames | None:
        """The ids in a received message, or None if it has none; never raises."""
        ...

    def answer(
        self,
        message: RawMessage,
        outcome: Literal["ok", "transient", "permanent"],
        issues: Sequence[Issue],
        context: Context,
    ) -> Rendered | None:
        """The acknowledgement of a received message; None for one that is never acknowledged, or
        does not say whom to answer. Equal for equal input but for what a resend may change."""
        ...

    def again(self, body: bytes, *, now: datetime, id_for: Callable[[str], str]) -> bytes:
        """The same message to be sent once more: a new envelope and new times, all else equal."""
        ...

    def patience(self, options: Mapping[str, str]) -> Patience:
        """How long to wait for the acknowledgement of what was sent."""
        ...


@runtime_checkable
class Optioned(Protocol):
    """What an adapter is besides, where a subscription's options are its to judge."""

    def check_options(self, options: Mapping[str, str]) -> None:
        """Raises Invalid, naming the option and what it may be."""
        ...

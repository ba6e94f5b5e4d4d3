"""Two validators as one: the second is asked only about what the first lets pass."""

from __future__ import annotations

from collections.abc import Iterable

from hub.contract import Resource
from hub.errors import Issue
from hub.ports import Validator
from hub.validators.hl7 import Hl7Validator


class Both:
    """The first one's issues, and the second's where the first found no error."""

    def __init__(self, first: Validator, second: Hl7Validator) -> None:
        self._first = first
        self._second = second

    def check(self, resources: Iterable[Resource], *, profile: str | None = None) -> list[Issue]:
        """See :class:`hub.ports.Validator`; raises what the second raises."""
        given = list(resources)
        found = self._first.check(given, profile=profile)
        if any(issue.severity in {"fatal", "error"} for issue in found):
            return found
        return found + self._second.check(given, profile=profile)

    def close(self) -> None:
        """Let go of the second's connections."""
        self._second.close()

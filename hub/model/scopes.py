"""What a machine client may do: scopes in SMART App Launch 2's syntax, ``system/CarePlan.rs``.

Pure.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html: ``system/``, a type or ``*``,
and letters in the order c, r, u, d, s. Search restrictions (``?category=…``) are not understood,
and what is not understood grants nothing. Beside R4's types there are the hub's own:
``OWN_TYPES``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

OWN_TYPES: Final = (
    "Content", "Delivery", "Document", "Letter", "Mailbox", "Metrics", "Operation", "Proposal",
)  # fmt: skip
"""Types of this hub that are no resources of R4."""
_SCOPE: Final = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,63})\.(?=[cruds])(c?r?u?d?s?)")


@dataclass(frozen=True)
class Scopes:
    """Pairs of type and letter; the type ``*`` is every type."""

    pairs: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, text: str) -> Scopes:
        """What the words of the text grant; an unknown word grants nothing."""
        found = (_SCOPE.fullmatch(word) for word in text.split())
        return cls(frozenset((m[1], letter) for m in found if m for letter in m[2]))

    @property
    def text(self) -> str:
        """As in a token, types in order."""
        types = sorted({kind for kind, _ in self.pairs})
        return " ".join(f"system/{t}.{self._letters(t)}" for t in types)

    def covers(self, need: str) -> bool:
        """``need`` is a type, a dot and letters, each of which must be granted: ``Goal.rs``."""
        kind, _, letters = need.partition(".")
        return all({(kind, x), ("*", x)} & self.pairs for x in letters)

    def within(self, limit: Scopes) -> Scopes:
        """What of this the limit grants too."""
        asked = {(t, x) for t, x in self.pairs if limit.covers(f"{t}.{x}")}
        narrower = {(t, x) for t, x in limit.pairs if ("*", x) in self.pairs}
        return Scopes(frozenset(asked | narrower))

    def _letters(self, kind: str) -> str:
        return "".join(x for x in "cruds" if (kind, x) in self.pairs)


def unknown_words(text: str) -> list[str]:
    """The words of the text that grant nothing."""
    return [word for word in text.split() if not _SCOPE.fullmatch(word)]


EVERYTHING: Final = Scopes.of("system/*.cruds")
"""What a static credential may do."""

"""What is wrong with a table: where, of which kind, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hub.errors import Misconfigured

Kind = Literal["form", "meaning", "coverage", "codes", "sample"]
"""``form``: the file is no such table; ``meaning``: the profile, or the document's schema, cannot
have it so; ``coverage``: an element nobody accounts for; ``codes``: a code table's rows."""


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to mend. The text quotes tables and schemas, never a document."""

    file: Path
    line: int
    """Counted from 1."""
    kind: Kind
    text: str

    def told(self, file: str) -> str:
        """One line, the file named as the reader has it."""
        return f"{file}:{self.line}: {self.kind}: {self.text}"


def refuse(findings: Sequence[Finding]) -> None:
    """Raise Misconfigured for the first of some findings, saying how many there are."""
    if findings:
        first = min(findings)
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise Misconfigured(f"{first.file.name}, line {first.line}: {first.text}{more}")

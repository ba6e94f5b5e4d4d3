"""Names that a sender wrote, made safe to repeat."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z]{0,40}[0-9]{0,2}")


def safe(name: str) -> str:
    """An element's name; what is no name may be anything, a person's number even."""
    return name if _NAME.fullmatch(name) else "element"

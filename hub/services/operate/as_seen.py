"""What a person saw before saying yes is what is done, or nothing is."""

from __future__ import annotations

from typing import Final

from hub.errors import Invalid, PreconditionFailed

_CHANGED: Final = "What would be done is no longer what you saw; look at it again"


def require_as_seen(count: int, now: str, *, token: str | None, expect: int | None) -> None:
    """``count`` and ``now`` (the token) are those of a preview made at this moment; ``expect`` and
    ``token`` what the person says they were. Raises PreconditionFailed where they differ, Invalid
    where nothing would be done."""
    if expect is not None and expect != count:
        text = f"It would be done to {count} now, and not to {expect}; look at it again"
        raise PreconditionFailed(text)
    if token is not None and token != now:
        raise PreconditionFailed(_CHANGED)
    if not count:
        raise Invalid("Nothing would be done; see why in the preview")

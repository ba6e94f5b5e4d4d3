"""What a form must send back, made of what only the visitor's own browser has.

Two cookies that no other site and no script can read make it: the visitor's, from before any login,
and the session's. So it holds in every process, after a restart too, and needs no key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

_FOR: Final = b"ki-hub: a form of the console"


def form_token(visitor: str, session_id: str | None) -> str:
    """For a form of this visitor in this session."""
    own = hashlib.sha256(f"{visitor}\x1f{session_id or ''}".encode()).digest()
    return hmac.new(own, _FOR, hashlib.sha256).hexdigest()


def form_token_holds(token: str, visitor: str, session_id: str | None) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(token.encode(), form_token(visitor, session_id).encode())

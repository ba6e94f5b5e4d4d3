"""Reads a request's body, bounded: a larger one is refused without being kept in memory."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from hub.api.security import HubDep
from hub.errors import TooLarge


async def bounded(request: Request, hub: HubDep) -> bytes:
    """The whole body; raises TooLarge as soon as the limit is passed."""
    limit = hub.limits.body_bytes
    too_large = TooLarge(f"The document is larger than {limit} bytes; split it", at="body")
    declared = request.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    chunks: list[bytes] = []
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


BodyDep = Annotated[bytes, Depends(bounded)]

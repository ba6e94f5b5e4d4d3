"""Large documents of several senders at once: bounded memory, and nobody small turned away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx

from hub.api.guard import AT_ONCE
from tests.api.world import RUS, World, problem, run

PIECE = 1024 * 1024


def test_only_so_many_large_bodies_are_in_hand_at_once(world: World) -> None:
    limit = world.hub.limits.body_bytes
    headers = {
        "Authorization": f"Bearer {world.secrets[RUS]}",
        "Content-Type": "application/fhir+json",
    }

    async def play() -> tuple[list[httpx.Response], httpx.Response, httpx.Response]:
        sent, waiting = asyncio.Event(), asyncio.Event()
        in_hand = 0

        async def held() -> AsyncIterator[bytes]:
            nonlocal in_hand
            for _ in range(limit // PIECE - 1):
                yield b" " * PIECE
            in_hand += 1
            if in_hand == AT_ONCE:
                sent.set()
            await waiting.wait()
            yield b"x"

        async def whole() -> AsyncIterator[bytes]:
            for _ in range(limit // PIECE - 1):
                yield b" " * PIECE

        transport = httpx.ASGITransport(world.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://hub", headers=headers
        ) as client:
            first = [
                asyncio.create_task(client.post("/documents/fhir", content=held()))
                for _ in range(AT_ONCE)
            ]
            await sent.wait()
            one_more = await client.post("/documents/fhir", content=whole())
            small = await client.post("/documents/fhir", content=b"no plan")
            waiting.set()
            done = [await task for task in first]
            again = await client.post("/documents/fhir", content=whole())
        problem(one_more, 503, move="nobody")
        assert one_more.headers["Retry-After"] == "5"
        return done, small, again

    done, small, again = run(play())
    # Kept, and refused at once or by the worker: never turned away.
    assert {a.status_code for a in (*done, small, again)} <= {202, 400}

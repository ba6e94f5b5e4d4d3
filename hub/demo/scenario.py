"""The main job, step by step, through the published interfaces; every step checks itself.

Two citizens. Karla's plan goes the whole way; Bo's stops at the GP because a person decides so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hub.demo.bo import Bo
from hub.demo.documents import Citizen
from hub.demo.karla import Karla
from hub.demo.stage import World

Step = tuple[str, Callable[[], None]]


def steps(world: World, karla: Citizen, bo: Citizen) -> Iterator[Step]:
    """Every step in order, with what to call it."""
    first, second = Karla(world, karla), Bo(world, bo)
    yield "The citizen's consent is registered", first.consent
    yield "The region publishes its behandlingsplan, before there is a plan", first.region
    yield "The municipality publishes its VUM order", first.municipality
    yield "The lead publishes the shared plan; the sector plans join it", first.shared_plan
    yield "The citizen's copy is made first, and a person hands it over", first.hand_over
    yield "The lead's coordinator gets the plan and forwards it", first.forward
    yield "The region publishes an update; everyone gets their own document again", first.update
    yield "The GP's copy is blocked until the citizen approves", first.blocked
    yield "The approval releases it once; the GP's system acknowledges it", first.approved
    yield "A sector update keeps the approval and carries no unapproved content", first.later
    yield "The same bytes again change nothing and get the same answer", first.again
    yield "A second citizen: a plan made during an admission", second.make
    yield "An oral approval with a condition; time releases nothing", second.condition
    yield "A person records that the GP's copy is not sent, and that is final", second.not_sent
    yield "A receiver refuses a copy; the operator sees why, and everything else", second.seen

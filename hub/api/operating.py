"""What an operator does with what went wrong: deliveries, many at a time, messages, dead letters.

Nothing is done to deliveries that was not previewed: the preview's token is of exactly that set.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from hub.api.operations import Reason, download
from hub.api.security import HubDep, OperatorDep
from hub.model.dead_letter import Way
from hub.model.delivery import State
from hub.model.operate import Act
from hub.model.party import Viewer
from hub.services.operate import choose, dead_letters, dead_many, many
from hub.services.operate.dead_many import LetterAct, Which, counts, letters_row
from hub.services.operate.release import release as released
from hub.store.operating import Wanted

ROUTER = APIRouter(prefix="/operations", tags=["operations"])
MOST_IDS = 1000


class Chosen(BaseModel):
    """Which deliveries, and what is to be done; at least one of the others beside ``act``."""

    act: Act
    deliveries: Annotated[list[str], Field(max_length=MOST_IDS)] = []
    receiver: str | None = None
    format: str | None = None
    state: State | None = None
    plan: str | None = None
    since: datetime | None = Field(default=None, description="Last changed then or later")
    until: datetime | None = Field(default=None, description="Last changed before")
    because: str | None = Field(default=None, description="Words in its reason")

    def wanted(self) -> Wanted:
        """As the services take it."""
        return Wanted(
            tuple(self.deliveries), self.receiver, self.format,
            self.state.value if self.state else None, self.plan, self.since, self.until,
            self.because,
        )  # fmt: skip


class Begun(Chosen):
    """The same, after it was looked at."""

    reason: str = Field(min_length=1)
    token: str = Field(description="The preview's: nothing is done if it is not the same any more")


@ROUTER.post("/deliveries/preview")
def preview(chosen: Chosen, hub: HubDep, operator: OperatorDep) -> dict[str, Any]:
    """What would be done, counted, and what would not and why; nothing is changed."""
    viewer = Viewer("operator", operator)
    return choose.preview_row(choose.preview(hub, viewer, chosen.act, chosen.wanted()))


@ROUTER.post("/deliveries/act", status_code=202)
def act(begun: Begun, hub: HubDep, operator: OperatorDep, answer: Response) -> dict[str, Any]:
    """Begin what was previewed; 412 if it is not that any more. ``Location`` tells how far it is.

    Each delivery is decided on once more when its turn comes.
    """
    viewer = Viewer("operator", operator)
    made = many.begin(
        hub, viewer, begun.act, begun.wanted(), reason=begun.reason, token=begun.token
    )
    answer.headers["Location"] = f"/operations/actions/{made}"
    return many.action_row(hub, viewer, made)


@ROUTER.get("/actions")
def actions(hub: HubDep, operator: OperatorDep) -> list[dict[str, Any]]:
    """What operators had done to many deliveries, newest first, and how far it is."""
    return many.action_rows(hub, Viewer("operator", operator))


@ROUTER.get("/actions/{action}")
def action(action: str, hub: HubDep, operator: OperatorDep) -> dict[str, Any]:
    """One, with what became of each delivery."""
    return many.action_row(hub, Viewer("operator", operator), action)


@ROUTER.post("/messages/{message}/release", status_code=204)
def release(message: str, why: Reason, hub: HubDep, operator: OperatorDep) -> None:
    """Process again what was set aside, now that the cause is mended."""
    released(hub, Viewer("operator", operator), message, reason=why.reason)


@ROUTER.get("/dead-letters")
def letters(hub: HubDep, operator: OperatorDep) -> list[dict[str, Any]]:
    """What the broker gave up and nobody has seen to, oldest first; nothing of what it holds."""
    found = dead_letters.letters(hub, Viewer("operator", operator))
    return [dead_letters.letter_row(x) for x in found]


class ChosenLetters(BaseModel):
    """Which dead letters, and what is to be done; at least one of the others beside ``act``."""

    act: LetterAct
    letters: Annotated[list[str], Field(max_length=MOST_IDS)] = []
    way: Way | None = None
    sender: str | None = None
    queue: str | None = None
    format: str | None = None
    since: datetime | None = Field(default=None, description="Came then or later")
    until: datetime | None = Field(default=None, description="Came before")
    because: str | None = Field(default=None, description="Words in the broker's reason")

    def which(self) -> Which:
        """As the services take it."""
        return Which(
            tuple(self.letters), self.way, self.sender, self.queue, self.format, self.since,
            self.until, self.because,
        )  # fmt: skip


class BegunLetters(ChosenLetters):
    """The same, after it was looked at."""

    reason: str = Field(min_length=1)
    token: str = Field(description="The preview's: nothing is done if it is not the same any more")


@ROUTER.post("/dead-letters/preview")
def preview_letters(chosen: ChosenLetters, hub: HubDep, operator: OperatorDep) -> dict[str, Any]:
    """What would be put back or let go, counted, and what not and why; nothing is changed."""
    viewer = Viewer("operator", operator)
    return letters_row(dead_many.preview_letters(hub, viewer, chosen.act, chosen.which()))


@ROUTER.post("/dead-letters/act")
def act_on_letters(begun: BegunLetters, hub: HubDep, operator: OperatorDep) -> dict[str, Any]:
    """See to what was previewed, each letter by itself; 412 if it is not that any more."""
    rows = dead_many.act_on_letters(
        hub, Viewer("operator", operator), begun.act, begun.which(), reason=begun.reason,
        token=begun.token,
    )  # fmt: skip
    return {"act": begun.act} | counts(rows) | {"letters": rows}


@ROUTER.get("/dead-letters/{letter}")
def letter(letter: str, hub: HubDep, operator: OperatorDep) -> dict[str, Any]:
    """One of them."""
    found = dead_letters.letter(hub, Viewer("operator", operator), letter)
    return dead_letters.letter_row(found)


@ROUTER.post("/dead-letters/{letter}/bytes")
def letter_bytes(letter: str, why: Reason, hub: HubDep, operator: OperatorDep) -> Response:
    """What it holds, byte for byte; audited first."""
    viewer = Viewer("operator", operator)
    return download(dead_letters.look(hub, viewer, letter, reason=why.reason))


@ROUTER.post("/dead-letters/{letter}/replay")
def replay(letter: str, why: Reason, hub: HubDep, operator: OperatorDep) -> dict[str, str]:
    """Put it back: a document or receipt as its sender's, a delivery as a resend."""
    viewer = Viewer("operator", operator)
    became = dead_letters.replay(hub, viewer, letter, reason=why.reason)
    return {"letter": letter, "became": became}


@ROUTER.post("/dead-letters/{letter}/discard", status_code=204)
def discard(letter: str, why: Reason, hub: HubDep, operator: OperatorDep) -> None:
    """It is not to be put back."""
    dead_letters.discard(hub, Viewer("operator", operator), letter, reason=why.reason)

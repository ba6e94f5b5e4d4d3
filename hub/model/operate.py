"""What an operator may do with a delivery that went wrong, and why not. Pure.

Every objection is a sentence that says what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from hub.model.delivery import State
from hub.model.party import CITIZEN
from hub.model.records import Delivery

Act = Literal["resend", "send-anew", "skip", "cancel"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
"""The same message again; made again from what is permitted now; never; not this one."""
Kind = Literal["plan", "document", "notice", "answer", "notification"]
"""``document``: one that stands alone."""

NOTIFICATION: Final = (
    "A notification of a FHIR Subscription: its party asks for missed events with $events"
)
REPLACED: Final = "Another was made in its place"
_CITIZENS: Final = "The citizen's own copy is a person's to hand over; send it anew, or not at all"
_OWN_RIGHT: Final = "The citizen's own copy is not an operator's to hold back"
_MUST_KNOW: Final = "A notice is not held back: its receiver must know"
_NOT_YET: Final = "Nothing of it has been sent yet"
_BEING_SENT: Final = "It is being sent at this moment"
_ENDED: Final = "It was ended before it was received; send it anew"
_NO_BYTES: Final = "Its bytes were never made, or are deleted; send it anew"
_REFUSED_FOR_GOOD: Final = "Its receiver refused it for good, and would again; send it anew"
_OFTEN_ENOUGH: Final = "It has been sent as often as its format allows; send it anew"
_ANOTHER: Final = "Another message to this receiver waits or is on its way; try when it is settled"
_LEFT: Final = "It has left and cannot be called back; if the receiver is the wrong one, say so"
_MAY_HAVE_LEFT: Final = "It may have left; cancel what is left of it"
_CLOSED: Final = "The matter is closed"


@dataclass(frozen=True)
class Standing:
    """A delivery and what an operator's act on it depends on, read in one transaction."""

    delivery: Delivery
    kind: Kind
    has_bytes: bool
    refused: str
    """Why the frozen bytes may not leave now, as the gate says it; empty if they may."""
    busy: bool
    """Another message of this plan, or document, to this receiver is due or under way."""
    overtaken: int | None
    """The newest version of the plan that was made for this receiver after it, or is to be."""
    every_version: bool
    """The receiver wants them all, and tells their order by their sequence."""
    refused_for_good: bool
    """In a format in which a refused message is never sent again (MedCom's fatal-error)."""
    resends_left: bool
    """The format allows one more transmission."""


def objection(act: Act, standing: Standing) -> str:
    """Why it is not done; empty if it is. What sending anew depends on besides is routing's."""
    if standing.kind == "notification":
        return NOTIFICATION
    if standing.delivery.ruling == "anew":
        return REPLACED
    if act == "resend":
        return _to_resend(standing)
    if act == "send-anew":
        return ""
    return _to_end(act, standing)


def _to_resend(standing: Standing) -> str:
    delivery = standing.delivery
    if delivery.receiver == CITIZEN:
        return _CITIZENS
    by_state = {
        State.DUE: _NOT_YET, State.BLOCKED: _NOT_YET, State.HELD: _NOT_YET,
        State.SENDING: _BEING_SENT,
        State.CANCELLED: _ENDED, State.SUPERSEDED: _ENDED, State.NOT_SENT: _ENDED,
    }  # fmt: skip
    if delivery.state in by_state:
        return by_state[delivery.state]
    if not standing.has_bytes:
        return _NO_BYTES
    if standing.refused_for_good:
        return _REFUSED_FOR_GOOD
    # One that is tried again anyway was counted when that was decided.
    if not standing.resends_left and delivery.state is not State.RETRY_AT:
        return _OFTEN_ENOUGH
    return _out_of_order(standing) or standing.refused


def _out_of_order(standing: Standing) -> str:
    """What had ended does not come back beside another, nor after a newer one as if it were new."""
    ended = standing.delivery.state in {State.DEAD, State.DELIVERED}
    if not ended or standing.kind not in {"plan", "document"}:
        return ""
    if standing.overtaken is not None and not standing.every_version:
        return f"Version {standing.overtaken} has taken its place; send that one"
    return _ANOTHER if standing.busy else ""


def _to_end(act: Act, standing: Standing) -> str:
    state = standing.delivery.state
    if act == "skip" and state is State.DEAD:
        return ""
    if standing.delivery.receiver == CITIZEN:
        return _OWN_RIGHT
    if standing.kind == "notice":
        return _MUST_KNOW
    by_state = {
        State.DUE: "", State.BLOCKED: "", State.HELD: "",
        State.RETRY_AT: "" if act == "cancel" else _MAY_HAVE_LEFT,
        State.SENDING: _BEING_SENT,
        State.SENT: _LEFT,
    }  # fmt: skip
    return by_state.get(state, _CLOSED)

"""Messages for these tests: a plan copy as the hub sends it, and what a GP's system answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import typst

from adapters.medcom import ADAPTER, parts, urls
from adapters.medcom.message import Message
from adapters.medcom.narrative import with_narrative
from hub.contract import Context, Notice, Party, PlanView, RawMessage, Rendered
from hub.fhir.codec import dump_json
from tests.views import PLAN_1, check, find_party, parties, view_of

NOW = datetime(2026, 9, 16, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
GP = parties()["laege-havnegade"]
SENDER = parties()["rus-havneby"]
REPLY = (
    "Tak for planen.\nJeg kan ikke komme til næste møde, men ringer til tovholderen, "
    "når jeg har set Karla."
)


def ids(scope: str) -> Callable[[str], str]:
    """Repeatable ids, as the hub gives them."""
    return lambda key: str(uuid5(UUID(int=20260916), f"{scope}/{key}"))


@lru_cache(maxsize=1)
def small_pdf() -> bytes:
    """A real PDF of one line."""
    return typst.compile(b"Planen som PDF.")


@dataclass(frozen=True)
class SmallPrinter:
    """Prints the same small PDF for every plan; remembers what it was shown."""

    shown: list[PlanView]

    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        self.shown.append(view)
        return small_pdf()


@dataclass(frozen=True)
class FixedPrinter:
    """Gives the bytes it was made with."""

    pdf: bytes

    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        return self.pdf


def context(scope: str = "delivery-1", **kw: Any) -> Context:
    fields: dict[str, Any] = {
        "now": NOW,
        "id_for": ids(scope),
        "find_party": find_party,
        "sender": SENDER,
        "base_url": "https://ki-hub.example/fhir",
        "check": check,
        "printer": SmallPrinter([]),
    }
    return Context(**(fields | kw))


def rendered(view: PlanView | Notice | None = None, gp: Party = GP, **kw: Any) -> Rendered:
    return ADAPTER.render(view_of(PLAN_1) if view is None else view, gp, context(**kw))


def copy_bundle(view: PlanView | None = None, **kw: Any) -> dict[str, Any]:
    return json.loads(rendered(view, **kw).body)


def raw(bundle: Any, media_type: str = "application/fhir+json") -> RawMessage:
    body = bundle if isinstance(bundle, bytes) else dump_json(bundle)
    return RawMessage(GP, ADAPTER.format, body, media_type, "m-1", LATER)


def first(bundle: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind)


def reply_to(bundle: dict[str, Any], spoken: str = REPLY) -> dict[str, Any]:
    """A GP system's reply in the thread: earlier segments repeated, the PDF named but not sent."""
    received, new = Message(copy.deepcopy(bundle)), ids("gp-reply")
    sender = received.resolve(received.header["sender"])
    receiver = received.resolve(received.header["destination"][0]["receiver"])
    doctor = {
        "resourceType": "Practitioner", "id": new("doctor"),
        "meta": {"profile": [urls.PRACTITIONER]},
        "name": [{"family": "Praksistest", "given": ["Lise"]}],
    }  # fmt: skip
    role = parts.practitioner_role("Læge", doctor, receiver, new("doctor-role"))
    number = f"urn:uuid:{new('payload')}"
    segment = parts.segment(
        {"contentString": spoken}, number=number, now=LATER, author=role, phone="+4500000305",
        assigner=receiver,
    )  # fmt: skip
    earlier = copy.deepcopy(received.communication["payload"])
    for payload in earlier:
        payload.get("contentAttachment", {}).pop("data", None)
    communication = received.communication | {
        "id": new("communication"), "payload": [*earlier, segment],
    }  # fmt: skip
    header = parts.header(receiver, sender, number=new("header"), event=urls.CC_EVENT)
    header["focus"] = [parts.reference(communication)]
    own = parts.provenance(
        header, receiver, number=new("provenance"), now=LATER, activity="reply-message",
        entities=[
            {"role": "source", "what": {"identifier": {"value": number}}},
            {"role": "revision", "what": parts.reference(received.header)},
        ],
    )  # fmt: skip
    kept = [r for r in received.resources if r["resourceType"] not in _REPLACED]
    return parts.bundle(
        [header, communication, *kept, role, doctor, own], number=new("bundle"), now=LATER,
        base="https://laege-havnegade.example/fhir", profile=urls.CC_MESSAGE,
    )  # fmt: skip


_REPLACED = {"MessageHeader", "Communication"}


def forwarded(bundle: dict[str, Any]) -> dict[str, Any]:
    """The same message forwarded: a new thread, the PDF with its content."""
    made = copy.deepcopy(reply_to(bundle))
    communication = first(made, "Communication")
    communication["identifier"] = [{"value": f"urn:uuid:{ids('forward')('thread')}"}]
    original = first(bundle, "Communication")["payload"]
    communication["payload"] = [*copy.deepcopy(original), communication["payload"][-1]]
    Message(made).current_provenance()[0]["activity"]["coding"][0]["code"] = "forward-message"
    return narrated(made)


def narrated(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle with its narratives made anew."""
    for entry in bundle["entry"]:
        entry["resource"] = with_narrative(entry["resource"])
    return bundle


def add(bundle: dict[str, Any], resource: dict[str, Any]) -> None:
    url = f"https://ki-hub.example/fhir/{resource['resourceType']}/{resource['id']}"
    bundle["entry"].append({"fullUrl": url, "resource": resource})

"""The page's own Subscription is one the hub takes, and its notification is what the hub sends."""

from __future__ import annotations

import json
import re
from datetime import datetime

from hub.fhir.notification import Event, Told, notification
from hub.fhir.validation import EmbeddedValidator
from hub.model.reach import Reach
from hub.model.subscription import TOPICS
from hub.model.subscription_wish import read_wish
from tests.docs.pages import DOCS

PAGE = (DOCS / "subscriptions.md").read_text("utf-8")
ASKED, TOLD = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.S))


def test_the_subscription_is_one_the_hub_takes() -> None:
    assert EmbeddedValidator().check([ASKED]) == []
    found = read_wish(ASKED, "https://hub.example/fhir", Reach())
    assert (found.content, found.heartbeat) == ("id-only", 3600)


def test_the_notification_is_what_the_hub_sends() -> None:
    said = {p["name"]: p for p in TOLD["entry"][0]["resource"]["parameter"]}
    at = said["notification-event"]["part"][1]["valueInstant"]
    told = Told("1", said["topic"]["valueCanonical"], "active", 2)
    event = Event(2, datetime.fromisoformat(at), "CarePlan/1", 2)
    made = notification("https://hub.example/fhir", told, "event-notification", ("b", "p"),
                        event.at or datetime.min, [event])  # fmt: skip
    assert made["entry"][0]["resource"]["parameter"] == TOLD["entry"][0]["resource"]["parameter"]


def test_every_topic_is_on_the_page() -> None:
    assert [t for t in TOPICS if f"`{t}`" not in PAGE] == []

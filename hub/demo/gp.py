"""The GP's own system: reads a CareCommunication and answers with an Acknowledgement."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import datetime
from importlib import import_module
from typing import Any


def acknowledgement(message: bytes, now: datetime) -> bytes:
    """``ok``, as the receiver's system makes it (MedCom Acknowledgement 2.0)."""
    # By name: the hub itself imports no format, and this stands for another organisation's code.
    acknowledge = import_module("adapters.medcom.acknowledgement").acknowledge
    seed = str(uuid.uuid4())
    made = acknowledge(
        json.loads(message),
        code="ok",
        now=now,
        id_for=lambda key: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{key}")),
    )
    return json.dumps(made, ensure_ascii=False).encode()


def plan_text(message: bytes) -> str:
    """What the message says as text; the new attachment, which is the last, must be a PDF."""
    communication = next(
        e["resource"]
        for e in json.loads(message)["entry"]
        if e["resource"]["resourceType"] == "Communication"
    )
    payloads: list[dict[str, Any]] = communication["payload"]
    attached = [p["contentAttachment"] for p in payloads if "contentAttachment" in p]
    # A reply names earlier attachments without their content.
    if not attached or not base64.b64decode(attached[-1].get("data", "")).startswith(b"%PDF"):
        raise ValueError("no PDF in the message")
    return "\n".join(p["contentString"] for p in payloads if "contentString" in p)

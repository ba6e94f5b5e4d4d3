"""What a message from one of the hub's inbound queues is. Pure: no connection, no clock.

Headers come from the parties: nothing here trusts their form. Text that is not UTF-8 reaches us as
bytes (pika leaves it so) and is kept readable, never guessed at.
"""

from __future__ import annotations

from typing import Literal

import pika
from pika.spec import Basic

from hub.bus.topology import DEAD, INBOUND, RECEIPTS
from hub.ports import InboundMessage

UNKNOWN_MEDIA_TYPE = "application/octet-stream"

_KINDS: dict[str, Literal["document", "receipt", "dead"]] = {
    INBOUND: "document",
    RECEIPTS: "receipt",
    DEAD: "dead",
}


def has_sender(queue: str, properties: pika.BasicProperties) -> bool:
    """A document or receipt names its sender in ``user_id``, which the broker has compared with
    the connection's user; dead letters are kept whatever they name."""
    return queue == DEAD or bool(properties.user_id)


def deliveries_before(properties: pika.BasicProperties) -> int:
    """How often the broker handed the message out before (``x-delivery-count``)."""
    count = (properties.headers or {}).get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0


def inbound_message(
    queue: str,
    method: Basic.Deliver,
    properties: pika.BasicProperties,
    body: bytes,
    max_body: int,
) -> InboundMessage:
    """The message as the services see it.

    One larger than ``max_body`` bytes becomes kind ``dead`` without its body: with reason
    ``too-large``, or as a dead letter with the reason it died of and then ``too-large``.
    """
    kind = _KINDS[queue]
    origin, routing_key, reason = queue, _text(method.routing_key), ""
    if kind == "dead":
        origin, routing_key, reason = _death(method, properties)
    if len(body) > max_body:
        too_large = f"too-large in {queue}: {len(body)} bytes"
        reason = f"{reason}; {too_large}" if reason else too_large
        kind, body = "dead", b""
    return InboundMessage(
        kind=kind,
        user=_text(properties.user_id),
        format=routing_key if origin == INBOUND else "",
        message_id=_text(properties.message_id) or None,
        media_type=_text(properties.content_type) or UNKNOWN_MEDIA_TYPE,
        body=body,
        reason=reason,
    )


def _death(method: Basic.Deliver, properties: pika.BasicProperties) -> tuple[str, str, str]:
    """Queue, routing key and reason of a dead letter, from the newest entry of ``x-death``
    (https://www.rabbitmq.com/docs/dlx#effects)."""
    exchange = _text(method.exchange)
    if exchange != DEAD:
        # It came by an alternate exchange, and any x-death in it is the party's own writing.
        return exchange, _text(method.routing_key), f"unroutable in {exchange}"
    deaths = (properties.headers or {}).get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else {}
    if not isinstance(last, dict):
        last = {}
    queue = _text(last.get("queue")) or "an unknown queue"
    reason = _text(last.get("reason")).replace("_", "-") or "unknown"
    if reason == "rejected" and queue in (INBOUND, RECEIPTS) and not properties.user_id:
        reason = "no-user-id"
    keys = last.get("routing-keys")
    key = _text(keys[0]) if isinstance(keys, list) and keys else ""
    return queue, key, f"{reason} in {queue}"


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if isinstance(value, str) else ""

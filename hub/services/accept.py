"""Step 1: bytes arrive and are committed before anything is understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hub.capabilities import Conversing
from hub.contract import Party, RawMessage
from hub.errors import HubError, Invalid, MessageReused, TooLarge
from hub.fhir.numbers import id_names_a_citizen
from hub.model.plan import canonical
from hub.model.records import InboxItem
from hub.services.converse import answer_again
from hub.services.hub import Hub, new_id, sha256
from hub.services.quota import within_quota

LONGEST_MESSAGE_ID = 255
"""As in AMQP; longer ones fit no index of the database."""
MESSAGE_ID = "Message-Id"
"""The header; over AMQP, the property ``message_id``."""


@dataclass(frozen=True)
class Accepted:
    """A kept message."""

    item: InboxItem
    duplicate: bool
    """The same message was kept before; its answer stands."""


def accept(
    hub: Hub,
    sender: Party,
    format: str,
    body: bytes,
    media_type: str,
    *,
    message_id: str | None = None,
    channel: str = "http",
    request: Mapping[str, str] | None = None,
) -> Accepted:
    """Keep the bytes; ``sender`` is the channel's identity, never the document's claim.

    ``request`` is the request line of what came over REST; without a message id it is never
    taken for a resend, as HTTP has it.
    Raises BusAlarm while the broker has an alarm, Unsupported for a format nobody handles,
    TooLarge, Invalid for a message id that cannot be kept, OverQuota where the sender has sent
    what it may for now, and MessageReused when the sender's message id was used before for other
    content. A resend of what was sealed or set
    aside is taken up again: the consent may be there by now, or the hub mended.
    When it returns, the bytes are durable and the channel may acknowledge them.
    """
    if channel == "http":
        # Over AMQP the broker itself holds its publishers back.
        hub.bus.expect_room()
    hub.adapters.adapter(format)
    if message_id is not None:
        _keepable(message_id)
    if len(body) > hub.limits.body_bytes:
        text = f"The document is larger than {hub.limits.body_bytes} bytes; split it"
        raise TooLarge(text, at="body")
    own_id = new_id()
    digest = sha256(sender.id.encode(), format.encode(), body)
    if request is not None:
        digest = sha256(digest.encode(), canonical(request))
    unnamed = f"sha256:{digest}" if request is None else f"rest:{own_id}"
    item = InboxItem(
        id=own_id,
        sender=sender.id,
        message_id=message_id or unnamed,
        format=format,
        media_type=media_type,
        channel=channel,
        body=body,
        body_hash=digest,
        state="received",
        received_at=hub.clock(),
        request=request,
    )
    with hub.store.writing() as work:
        if work.inbox.add(item):
            within_quota(hub, work, item.sender, len(body))
            work.commit()
            hub.wake.set()
            return Accepted(item, duplicate=False)
        known = work.inbox.find(sender.id, item.message_id)
        assert known is not None
    return _known_again(hub, sender, known, item)


def _known_again(hub: Hub, sender: Party, known: InboxItem, item: InboxItem) -> Accepted:
    """A message id that was used before: by the same message, or the new one is refused."""
    if known.body_hash != item.body_hash and not _same_message(hub, sender, known, item):
        raise MessageReused("The message id was used before, for other content; use a new id")
    # A refused message of a person's is sent anew under other ids; a plan may come again as it is.
    refused = known.state == "sealed" and isinstance(hub.adapters.adapter(item.format), Conversing)
    body = item.body or b""
    with hub.store.writing() as work:
        if not refused and work.inbox.reopen(
            known, body, item.received_at, body_hash=item.body_hash
        ):
            work.commit()
            hub.wake.set()
            return Accepted(replace(item, id=known.id), duplicate=False)
    answer_again(hub, known)
    return Accepted(known, duplicate=True)


def _keepable(message_id: str) -> None:
    if len(message_id) > LONGEST_MESSAGE_ID or not message_id.isprintable():
        text = f"The message id has at most {LONGEST_MESSAGE_ID} printable characters"
        raise Invalid(text, at=MESSAGE_ID)
    if id_names_a_citizen(message_id):
        text = "The message id may hold a citizen's number, and ids are kept and shown; use a UUID"
        raise Invalid(text, at=MESSAGE_ID)


def _same_message(hub: Hub, sender: Party, known: InboxItem, item: InboxItem) -> bool:
    """Two messages with one id are one message if only what a resend may change differs."""
    if (known.format, known.request) != (item.format, item.request):
        return False
    if known.body is None or item.body is None:
        return False
    adapter = hub.adapters.adapter(item.format)
    try:
        prints = [
            adapter.fingerprint(
                RawMessage(sender, i.format, i.body or b"", i.media_type, i.message_id,
                           i.received_at)
            )
            for i in (known, item)
        ]  # fmt: skip
    except HubError:
        # What cannot be read cannot be recognised as a resend either.
        return False
    return prints[0] == prints[1]

"""Which media types a document may come in."""

from __future__ import annotations

from typing import Final

from hub.contract import Adapter
from hub.errors import Unsupported
from hub.ports import Adapters

UNSAID: Final = "application/octet-stream"
"""The sender's system does not say; the adapter tells by the content."""


def media_type_of(adapter: Adapter, body: bytes) -> str:
    """The format's own media type for a file that says none: XML where it begins as XML does."""
    xml = body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    return next((m for m in adapter.media_types if ("xml" in m) == xml), adapter.media_types[0])


def expect_media_type(adapters: Adapters, adapter: Adapter, declared: str) -> None:
    """Raises Unsupported, naming those of the format, for any other; or what is received at all."""
    if not adapter.media_types:
        received = ", ".join(adapters.inbound())
        raise Unsupported(f"Documents in this format are not received; send one of: {received}")
    kind = declared.partition(";")[0].strip().lower()
    if kind and kind != UNSAID and kind not in adapter.media_types:
        raise Unsupported(f"Send it as one of: {', '.join(adapter.media_types)}", at="Content-Type")

"""A folder that the party's own system empties.

File names are the delivery's key and nothing else: no person, no plan text. A file appears
whole or not at all: it is written beside, flushed to disk, and renamed.
"""

from __future__ import annotations

import os
from pathlib import Path

from hub.errors import ReceiverUnavailable
from hub.sending import Confirm, Endpoint, Outgoing, Transport, TransportContext

_SUFFIX = {
    "application/pdf": ".pdf",
    "application/fhir+json": ".json",
    "application/json": ".json",
    "application/xml": ".xml",
}


class FileTransport:
    """Writes one file a message."""

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        """On disk, with its folder entry, when accepted; a resend replaces the same file."""
        folder = Path(endpoint.address)
        name = message.key + _SUFFIX.get(message.media_type.split(";")[0], ".bin")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f".{name}.part"
            with partial.open("wb") as file:
                file.write(message.body)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(folder / name)
            directory = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as e:
            raise ReceiverUnavailable("The folder cannot be written") from e
        return Confirm(True)


def create(context: TransportContext) -> Transport:
    """For the entry point."""
    return FileTransport()

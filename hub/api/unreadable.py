"""What is no HTTP request: answered before any application sees it, and in FHIR as well."""

from __future__ import annotations

from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.errors import Issue
from hub.fhir.codec import dump_json
from hub.fhir.outcome import outcome

_SAID: Final = Issue(
    "error", "structure", "Not an HTTP request, or its head is longer than 64 KB; send less, and "
    "percent-encode what is not ASCII in the address",
)  # fmt: skip


class FhirProtocol(H11Protocol):
    """uvicorn's HTTP with an OperationOutcome where it would answer in plain text."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, and close; ``msg`` is uvicorn's own and left out."""
        body = dump_json(outcome((_SAID,), move="sender"))
        headers = [
            (b"content-type", b"application/fhir+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        # An answer that has begun cannot be taken back.
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            head = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

"""The outermost layer: a body is bounded before anything reads it, and no failure tells a value.

Plain ASGI. An exception that reached the server would be printed there with its message, which
may hold what a document says; here it becomes a 500 with an OperationOutcome and a log line that
names its type and where it was raised.
"""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import HubError, Issue, TooLarge
from hub.fhir.codec import dump_json
from hub.fhir.outcome import error_outcome, outcome

LOG = structlog.get_logger()
FORM_BYTES = 64 * 1024
"""Requests that carry no document are small."""
DOCUMENTS = ("/documents/", "/fhir/")


class Guard:
    """Wraps the application; ``body_bytes`` is the limit of a document."""

    def __init__(self, app: ASGIApp, body_bytes: int) -> None:
        self._app = app
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(receive, send, self._limit(scope["path"]))
        try:
            await self._app(scope, request.receive, request.send)
        except Exception as e:
            LOG.error("request.failed", error=type(e).__name__, at=_where(e))
            if not request.answered:
                failed = Issue("fatal", "exception", "The hub failed on this; its operator is told")
                body = dump_json(outcome((failed,), move="operator"))
                await _answer(send, 500, body)

    def _limit(self, path: str) -> int:
        return self._body_bytes if f"{path}/".startswith(DOCUMENTS) else FORM_BYTES


class _Request:
    """One request: counts what comes in, and knows whether an answer has begun."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._read = 0
        self._too_large: HubError | None = None
        self.answered = False

    async def receive(self) -> Message:
        """The next piece; raises TooLarge once more than the limit has come."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._limit:
            self._too_large = TooLarge(f"More than {self._limit} bytes; send less at once")
            raise self._too_large
        return message

    async def send(self, message: Message) -> None:
        """The answer; one that misreads the refusal of a large body is put right."""
        if self.answered and self._too_large is not None:
            return
        if self._too_large is not None:
            self.answered = True
            await _answer(self._send, 413, dump_json(error_outcome(self._too_large)))
            return
        self.answered = True
        await self._send(message)


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/fhir+json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _where(error: BaseException) -> str:
    """The code's own line, never the message."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else "unknown"

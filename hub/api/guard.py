"""The outermost layer: a body is bounded before anything reads it, and no failure tells a value.

Plain ASGI. An exception that reached the server would be printed there with its message, which
may hold what a document says; here it becomes a 500 with an OperationOutcome and a log line that
names its type and where it was raised.
"""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.contract import Resource
from hub.errors import HubError, Issue, TooLarge
from hub.fhir.codec import dump_json
from hub.fhir.language import Language, preferred
from hub.fhir.outcome import error_outcome, in_language, outcome

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
        if scope["path"].startswith("/fhir/") and scope["path"].endswith("/"):
            # Client libraries write the base, and some every address, with a slash at its end.
            scope = {**scope, "path": scope["path"].removesuffix("/")}
        language = _language(scope)
        request = _Request(receive, send, self._limit(scope["path"]), language)
        try:
            await self._app(scope, request.receive, request.send)
        except Exception as e:
            LOG.error("request.failed", error=type(e).__name__, at=_where(e))
            if not request.answered:
                failed = Issue("fatal", "exception", "The hub failed on this; its operator is told")
                await _answer(send, 500, outcome((failed,), move="operator"), language)

    def _limit(self, path: str) -> int:
        return self._body_bytes if f"{path}/".startswith(DOCUMENTS) else FORM_BYTES


class _Request:
    """One request: counts what comes in, and knows whether an answer has begun."""

    def __init__(self, receive: Receive, send: Send, limit: int, language: Language) -> None:
        self._language = language
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
            text = f"The body is larger than {self._limit} bytes; send less at once"
            self._too_large = TooLarge(text, at="body")
            raise self._too_large
        return message

    async def send(self, message: Message) -> None:
        """The answer; one that misreads the refusal of a large body is put right."""
        if self.answered and self._too_large is not None:
            return
        if self._too_large is not None:
            self.answered = True
            told = error_outcome(self._too_large)
            await _answer(self._send, 413, told, self._language)
            return
        self.answered = True
        await self._send(message)


async def _answer(send: Send, status: int, resource: Resource, language: Language) -> None:
    told = in_language(resource, language)
    body = dump_json(told)
    headers = [
        (b"content-type", b"application/fhir+json"),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"Accept-Language"),
    ]
    if "language" in told:
        headers.append((b"content-language", told["language"].encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _language(scope: Scope) -> Language:
    """What the caller reads; English unless it says Danish."""
    said = [v.decode("latin-1") for k, v in scope["headers"] if k == b"accept-language"]
    return preferred(",".join(said), "en")


def _where(error: BaseException) -> str:
    """The code's own line, never the message."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else "unknown"

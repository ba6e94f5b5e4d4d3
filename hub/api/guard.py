"""The outermost layer: bodies are bounded before anything reads them, no failure tells a value.

Plain ASGI. An exception that reached the server would be printed there with its message, which
may hold what a document says; here it becomes a 500 with an OperationOutcome and a log line that
names its type and where it was raised.
"""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.contract import Resource
from hub.errors import Busy, HubError, Issue, TooLarge
from hub.fhir.codec import dump_json
from hub.fhir.language import Language, preferred
from hub.fhir.outcome import error_outcome, in_language, outcome, status_of

LOG = structlog.get_logger()
FORM_BYTES = 64 * 1024
"""Requests that carry no document are small."""
DOCUMENTS = ("/documents/", "/fhir/")
_HSTS = (b"strict-transport-security", b"max-age=31536000")
AT_ONCE = 2
"""So many documents of the largest size are in hand at once."""


class Guard:
    """Wraps the application; ``body_bytes`` is the limit of a document.

    Of large documents there are only so many bytes in hand at once, whatever number of senders
    there is: reading one costs many times its size.
    """

    def __init__(self, app: ASGIApp, body_bytes: int, *, https: bool = False) -> None:
        """``https``: browsers are told to come by that alone."""
        self._app = app
        self._https = https
        self._body_bytes = body_bytes
        self._budget = _Budget(AT_ONCE * body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith("/fhir/") and scope["path"].endswith("/"):
            # Client libraries write the base, and some every address, with a slash at its end.
            scope = {**scope, "path": scope["path"].removesuffix("/")}
        if self._https:
            send = _strict(send)
        language = _language(scope)
        limit = self._limit(scope["path"])
        request = _Request(receive, send, limit, language, self._budget)
        try:
            await self._app(scope, request.receive, request.send)
        except Exception as e:
            LOG.error("request.failed", error=type(e).__name__, at=_where(e))
            if not request.answered:
                failed = Issue("fatal", "exception", "The hub failed on this; its operator is told")
                await _answer(send, 500, outcome((failed,), move="operator"), language)
        finally:
            self._budget.give_back(request.held)

    def _limit(self, path: str) -> int:
        return self._body_bytes if f"{path}/".startswith(DOCUMENTS) else FORM_BYTES


class _Budget:
    """Bytes of large bodies in hand; the event loop alone counts them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    def take(self, number: int) -> bool:
        """Whether there is room for so many more."""
        if self._taken + number > self._limit:
            return False
        self._taken += number
        return True

    def give_back(self, number: int) -> None:
        """The request is over."""
        self._taken -= number


class _Request:
    """One request: counts what comes in, and knows whether an answer has begun."""

    def __init__(
        self, receive: Receive, send: Send, limit: int, language: Language, budget: _Budget
    ) -> None:
        self._budget = budget
        self._language = language
        self._receive = receive
        self._send = send
        self._limit = limit
        self._read = 0
        self._refused: HubError | None = None
        self.answered = False
        self.held = 0
        """Bytes taken from the budget."""

    async def receive(self) -> Message:
        """The next piece; raises TooLarge once more than the limit has come, Busy if others have
        so much in hand that there is no room."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._limit:
            text = f"The body is larger than {self._limit} bytes; send less at once"
            self._refused = TooLarge(text, at="body")
            raise self._refused
        # A document of usual size is never turned away for the large ones of others.
        more = max(0, self._read - FORM_BYTES) - self.held
        if more and not self._budget.take(more):
            self._refused = Busy()
            raise self._refused
        self.held += more
        return message

    async def send(self, message: Message) -> None:
        """The answer; one that misreads the refusal of a large body is put right."""
        if self.answered and self._refused is not None:
            return
        if self._refused is not None:
            self.answered = True
            told = error_outcome(self._refused)
            await _answer(self._send, status_of(self._refused), told, self._language)
            return
        self.answered = True
        await self._send(message)


def _strict(send: Send) -> Send:
    """The same, with HSTS (RFC 6797) on every answer."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], _HSTS]}
        await send(message)

    return told


async def _answer(send: Send, status: int, resource: Resource, language: Language) -> None:
    told = in_language(resource, language)
    body = dump_json(told)
    headers = [
        (b"content-type", b"application/fhir+json"),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"Accept-Language"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"5"))
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

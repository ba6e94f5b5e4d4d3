"""Nothing personal outside the documents: whatever a run writes beside them is looked through.

Collected while the tests run: log lines of this process and of the hubs that tests start, texts
and places of errors, bodies of refusals, headers of answers (addresses, file names), metrics, what
goes out beside a message (keys, headers), queue names, and the envelope of MedCom messages. At the
end none of it may hold a number, a name, a sentence of the sample documents, or a diagnosis.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final

import httpx
from lxml import etree
from structlog import BoundLoggerBase

from hub.bus.publisher import Publisher
from hub.errors import HubError
from hub.sending import Outgoing
from hub.store.queues import Queues
from tests.views import EXAMPLES, ROOT

_SKIPPED: Final = frozenset({"system", "url", "reference", "fullUrl", "profile", "code", "display"})
_PEOPLE: Final = ("Karla", "Nygaard", "Bo Testmann", "Lindahl", "Attrapsen", "Eksempelsen",
                  "Prøveholm")  # fmt: skip
_CPR: Final = ("0201609996", "020160-9996", "1507729995", "150772-9995")
_DIAGNOSES: Final = ("skizofreni", "psykose", "bipolar", "depression", "personlighedsforstyrrelse",
                     "alkoholafhængighed", "Skizofreni", "Psykose")  # fmt: skip
_STAND_IN: Final = ("tests/contract/test_hl7_sidecar.py", "tests/api/test_sidecar.py")
"""There another server answers, made to quote what it was sent; what the hub makes of that is
looked through as everything else."""
_LONGEST: Final = 20_000
"""Characters kept of one text."""


def secret_words() -> frozenset[str]:
    """Numbers, names, diagnoses, and every sentence of the examples."""
    samples = ROOT / "mappings"
    papers = [EXAMPLES / "plan-1.json", EXAMPLES / "plan-2.json",
              samples / "vum" / "samples" / "order-full.json"]  # fmt: skip
    texts = [t for p in papers for t in _texts(json.loads(p.read_bytes()))]
    treatment = samples / "behandlingsplan" / "samples" / "typical.xml"
    texts += [(e.text or "").strip() for e in etree.parse(treatment).iter()]
    sentences = {
        t for t in texts if len(t) > 20 and " " in t and not re.match(r"https?://|urn:", t)
    }
    return frozenset(sentences | {*_PEOPLE, *_CPR, *_DIAGNOSES})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _SKIPPED:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


@dataclass
class Collected:
    """Texts by what they are, each once, with the test that wrote it first."""

    words: frozenset[str]
    texts: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, kind: str, *texts: object) -> None:
        """Keep what was written."""
        for text in texts:
            self.texts.setdefault((kind, str(text)[:_LONGEST]), _test())

    def leaks(self) -> list[str]:
        """Kind, test, and which words: one line for each text that holds any."""
        everything = "\n".join(text for _, text in self.texts)
        found = [w for w in sorted(self.words) if w in everything]
        return [
            f"{kind} in {test}: {[w for w in found if w in text]}"
            for (kind, text), test in self.texts.items()
            if any(w in text for w in found)
        ]


_COLLECTING: Final[list[Collected]] = []


def written(kind: str, text: str) -> None:
    """What a process of its own wrote, line by line."""
    for found in _COLLECTING:
        found.add(kind, *text.splitlines())


def _test() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "no test").rpartition(" ")[0]


@contextmanager
def collecting(words: Iterable[str]) -> Iterator[Collected]:
    """Look over the shoulder of everything that writes, until the end."""
    found = Collected(frozenset(words))
    seams: tuple[tuple[Any, str, Callable[..., None]], ...] = (
        (BoundLoggerBase, "_proxy_to_logger", lambda self, method, event=None, *rest, **said:
            found.add("log", f"{method} {event} {rest} {said} {dict(self._context)}")),
        (HubError, "__init__", lambda _self, *said, **more: found.add("error", said, more)),
        (Outgoing, "__init__", lambda _self, *said, **more: _sent(found, *said, **more)),
        (Queues, "add", lambda _self, queue, *_: found.add("queue", queue)),
        (Publisher, "publish_many", lambda _self, batch:
            found.add("queue", *(queue for queue, _ in batch))),
    )  # fmt: skip
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in seams]
    clients = [(c, "send", c.send) for c in (httpx.Client, httpx.AsyncClient)]
    for owner, name, look in seams:
        setattr(owner, name, _looked_at(getattr(owner, name), look))
    httpx.Client.send = _answered(httpx.Client.send, found)  # type: ignore[method-assign]
    httpx.AsyncClient.send = _answered_later(  # type: ignore[method-assign]
        httpx.AsyncClient.send, found
    )
    _COLLECTING.append(found)
    try:
        yield found
    finally:
        _COLLECTING.remove(found)
        for owner, name, whole in (*kept, *clients):
            setattr(owner, name, whole)


def _looked_at(whole: Callable[..., Any], look: Callable[..., None]) -> Callable[..., Any]:
    @wraps(whole)
    def both(*said: Any, **more: Any) -> Any:
        look(*said, **more)
        return whole(*said, **more)

    return both


def _answered(whole: Callable[..., Any], found: Collected) -> Callable[..., Any]:
    @wraps(whole)
    def sent(*said: Any, **more: Any) -> Any:
        answer = whole(*said, **more)
        _answer(found, answer)
        return answer

    return sent


def _answered_later(whole: Callable[..., Any], found: Collected) -> Callable[..., Any]:
    @wraps(whole)
    async def sent(*said: Any, **more: Any) -> Any:
        answer = await whole(*said, **more)
        _answer(found, answer)
        return answer

    return sent


def _answer(found: Collected, answer: httpx.Response) -> None:
    found.add("header", *(f"{k}: {v}" for k, v in answer.headers.items() if k != "etag"))
    # A page that shows a form again shows its person what it showed before.
    page = answer.headers.get("content-type", "").startswith("text/html")
    refused = answer.status_code >= httpx.codes.BAD_REQUEST and not page
    if _test().startswith(_STAND_IN):
        return
    if answer.is_closed and (refused or answer.url.path == "/metrics"):
        found.add("metrics" if not refused else "refusal", answer.text)


def _sent(
    found: Collected,
    key: str = "",
    body: bytes = b"",
    media_type: str = "",
    headers: Mapping[str, str] | None = None,
) -> None:
    found.add("message", f"{key} {media_type} {dict(headers or {})}")
    if b'"MessageHeader"' not in body:
        return
    try:
        resources = [e["resource"] for e in json.loads(body)["entry"]]
    except (ValueError, KeyError, TypeError):
        return
    found.add("envelope", *(r for r in resources if r["resourceType"] == "MessageHeader"))
    about = (r for r in resources if r["resourceType"] == "Communication")
    found.add("envelope", *((r.get("category"), r.get("topic")) for r in about))

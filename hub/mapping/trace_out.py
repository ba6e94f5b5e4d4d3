"""Where every value of a document that goes out came from.

What the engine and the adapters wrote is known (:mod:`hub.mapping.trace`). A value that was put
together, or copied without anyone telling, is looked for: in the receiver's own document, in what
was read, in the texts that it is made of. What is found nowhere is the adapter's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from lxml import etree
from lxml import html as lxml_html

from hub.contract import Resource
from hub.errors import Unsupported
from hub.fhir.codec import parse_json
from hub.mapping.trace import Origin, Recorder, Step

_ID: Final = 36
"""Characters of a UUID."""
_MARKS: Final = frozenset(
    {"intent", "status", "lifecycleStatus", "url", "system", "code", "use", "reference"}
) | {"valueCode"}
_SHORT: Final = 4
"""Characters; a shorter text stands in many others by chance."""

Leaf = tuple[str, Any]
"""A path in a document and the value there."""


@dataclass
class Known:
    """What a value of the result may have come from, besides what was told."""

    resources: Mapping[str, Resource]
    """What was written from, its values marked by :func:`hub.mapping.trace.passed_on`."""
    own: bytes = b""
    """The receiver's own document."""
    now: datetime | None = None
    made: Set[str] = frozenset()
    """Ids that the hub made."""
    _read: dict[str, list[Origin]] = field(default_factory=dict)
    _owned: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for text in _texts(list(self.resources.values())):
            self._read.setdefault(text, []).append(text.origin)
        for path, value in leaves_of(self.own) if self.own else ():
            self._owned.setdefault(str(value), []).append(path)

    def origin(self, path: str, value: Any) -> Origin:
        """The likeliest one; of several that say the same, each is named."""
        text = str(value)
        owned = self._owned.get(text, [])
        if path in owned:
            return Origin("own", source=path)
        if self.now is not None and text == self.now.isoformat(timespec="seconds"):
            return Origin("context", source="the time of the message")
        if text[-_ID:] in self.made:
            return Origin("context", source="an id made by the hub")
        read = [o for o in self._read.get(text, ()) if _last(o) not in _MARKS]
        if read and (len(text) >= _SHORT or (text.isalpha() and len(read) == 1)):
            return _one_of(read)
        if owned:
            return Origin("own", source=owned[0])
        return self._put_together(text)

    def _put_together(self, text: str) -> Origin:
        """Of whole texts, or itself a part of one."""
        inside = {t: o[0] for t, o in self._content().items() if _holds(text, t)}
        parts = [o for t, o in inside.items() if not any(t != u and t in u for u in inside)]
        if parts:
            return Origin("composed", source=", ".join(dict.fromkeys(o.source for o in parts)))
        around = [o for t, found in self._content().items() if _holds(t, text) for o in found]
        return _one_of(around) if around and len(text) >= _SHORT - 1 else Origin("code")

    def _content(self) -> dict[str, list[Origin]]:
        """What people wrote, and ids; no codes, links and marks, which stand for themselves."""
        return {
            t: found
            for t, found in self._read.items()
            if len(t) >= _SHORT and _last(found[0]) not in _MARKS
        }


def _last(origin: Origin) -> str:
    return origin.source.rpartition(".")[2]


def _holds(text: str, part: str) -> bool:
    """As whole words."""
    return part in text and bool(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text))


def _one_of(found: Sequence[Origin]) -> Origin:
    if len(found) == 1:
        return found[0]
    return Origin("source", source=" or ".join(dict.fromkeys(o.source for o in found)))


def steps_out(body: bytes, recorder: Recorder, known: Known) -> Iterator[Step]:
    """Every value of the document, in its order; Unsupported for one that is only for people."""
    told = _told(body, recorder)
    for path, value in leaves_of(body):
        yield Step(path, told.get(path) or known.origin(path, value), value)


def leaves_of(body: bytes) -> Iterator[Leaf]:
    """Each value with its FHIRPath or XPath; Unsupported for what is neither JSON nor markup."""
    start = body.lstrip()[:15].lower()
    if start.startswith(b"{"):
        document = parse_json(body)
        return _json(document, str(document.get("resourceType", "")))
    if start.startswith(b"<!doctype html"):
        return _xml(lxml_html.document_fromstring(body.decode("utf-8")))
    if start.startswith(b"<"):
        return _xml(etree.fromstring(body))
    raise Unsupported("Paper has no paths to name; ask for html, which says the same")


def _told(body: bytes, recorder: Recorder) -> dict[str, Origin]:
    """By path, what was told while the document was written."""
    found: dict[str, Origin] = {}
    for element, attribute, origin in recorder.elements:
        at = path_of(element)
        found[f"{at}/@{attribute}" if attribute else at] = origin
    for value, written in recorder.dumped:
        if written == body.rstrip(b"\n"):
            for path, leaf in _json(value, str(value.get("resourceType", ""))):
                if isinstance(whence := getattr(leaf, "origin", None), Origin):
                    found[path] = whence
    return found


def path_of(element: etree._Element) -> str:
    """By local names, with a number where an element has brothers of its name."""
    steps = []
    here: etree._Element | None = element
    while here is not None:
        name = etree.QName(here).localname
        before = sum(1 for _ in here.itersiblings(here.tag, preceding=True))
        alone = not before and next(here.itersiblings(here.tag), None) is None
        steps.append(name if alone else f"{name}[{before + 1}]")
        here = here.getparent()
    return "/" + "/".join(reversed(steps))


def _xml(root: etree._Element) -> Iterator[Leaf]:
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag in {"style", "script"}:
            continue
        at = path_of(element)
        for name, value in element.attrib.items():
            yield f"{at}/@{etree.QName(name).localname}", str(value)
        text = (element.text or "").strip()
        if text:
            yield at, text
        for n, child in enumerate(element, 1):
            if (child.tail or "").strip():
                yield f"{at}/text()[{n + 1}]", str(child.tail).strip()


def _json(value: Any, at: str) -> Iterator[Leaf]:
    keys: Sequence[Any] = list(value) if isinstance(value, Mapping) else range(len(value))
    for key in keys:
        here = f"{at}[{key}]" if isinstance(key, int) else f"{at}.{key}"
        if isinstance(value[key], Mapping | list):
            yield from _json(value[key], here)
        elif key != "resourceType":
            yield here, value[key]


def _texts(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
    elif isinstance(value, str) and isinstance(getattr(value, "origin", None), Origin):
        yield value

"""The narrative of every resource: all its elements in Danish and English, as XHTML.

MedCom's governance asks for the id, every element marked in the profile, the ids of what is
referred to, and whatever a sender added; never base64. So everything is shown, element by
element, except an attachment's bytes, profile URLs and code system URLs. The text status is
``extensions`` when an extension stands anywhere in the resource, else ``generated``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from adapters.medcom import urls
from adapters.medcom.codes import displays
from adapters.medcom.labels import ELEMENTS, EXTENSIONS, SYSTEMS, TYPES, Words
from adapters.medcom.message import members, part, text
from hub.contract import Resource
from hub.errors import Issue, Malformed
from hub.fhir.codec import parse_xml

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED: Final = frozenset({"resourceType", "text", "data", "profile"})
_ALLOWED: Final = frozenset({"div", "p", "b", "br"})


def clean(value: str) -> str:
    """The text with line breaks as ``\\n`` and without characters that XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))


def with_narrative(resource: Resource) -> Resource:
    """The resource with its narrative after ``meta``; an older narrative is replaced."""
    front = {k: resource[k] for k in ("resourceType", "id", "meta") if k in resource}
    rest = {k: v for k, v in resource.items() if k not in front and k != "text"}
    return front | {"text": {"status": _status(resource), "div": _div(resource)}} | rest


def check(resource: Resource) -> Iterator[Issue]:
    """What is wrong with the narrative of a resource that is about to be sent."""
    kind = str(resource.get("resourceType", ""))
    narrative = resource.get("text") or {}
    div = narrative.get("div")
    if not isinstance(div, str):
        yield _finding("every resource must have a narrative", kind)
        return
    if narrative.get("status") != _status(resource):
        yield _finding("the status must be extensions where there are any, else generated", kind)
    try:
        shown = parse_xml(div.encode("utf-8"))
    except Malformed:
        yield _finding("the narrative must be well-formed XHTML", kind)
        return
    names = {etree.QName(e.tag) for e in shown.iter()}
    if any(n.namespace != urls.XHTML or n.localname not in _ALLOWED for n in names):
        yield _finding("the narrative must hold plain elements only", kind)
    spoken = "".join(str(t) for t in shown.itertext())
    if str(resource.get("id", "")) not in spoken:
        yield _finding("the narrative must show the id", kind)
    if any(data and data in spoken for data in _base64(resource)):
        yield _finding("the narrative must not show base64", kind)


def shown_values(resource: Resource) -> Iterator[str]:
    """Every value that the narrative must show, without its label."""
    for _, value in _lines(resource):
        yield value


def _finding(what: str, kind: str) -> Issue:
    return Issue("error", "invariant", f"MedCom governance, narrative: {what}", f"{kind}.text")


def _status(resource: Resource) -> str:
    todo: list[Any] = [v for k, v in resource.items() if k != "text"]
    if resource.get("extension"):
        return "extensions"
    while todo:
        item = todo.pop()
        if isinstance(item, Mapping):
            if item.get("extension"):
                return "extensions"
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return "generated"


def _div(resource: Resource) -> str:
    div = etree.Element(f"{{{urls.XHTML}}}div", nsmap={None: urls.XHTML})  # type: ignore[dict-item]
    heading = etree.SubElement(etree.SubElement(div, f"{{{urls.XHTML}}}p"), f"{{{urls.XHTML}}}b")
    danish, english = TYPES.get(str(resource["resourceType"]), (resource["resourceType"],) * 2)
    heading.text = f"{danish} / {english}"
    for (danish, english), value in _lines(resource):
        line = etree.SubElement(div, f"{{{urls.XHTML}}}p")
        label = etree.SubElement(line, f"{{{urls.XHTML}}}b")
        label.text = f"{danish} / {english}:"
        first, *others = clean(value).split("\n")
        label.tail = f" {first}"
        for other in others:
            etree.SubElement(line, f"{{{urls.XHTML}}}br").tail = other
    return etree.tostring(div, encoding="unicode")


def _lines(resource: Resource) -> Iterator[tuple[Words, str]]:
    yield ELEMENTS["id"], str(resource.get("id", ""))
    for value in members(part(resource, "meta").get("security")):
        yield from _walk(value, (ELEMENTS["security"],))
    for name, value in resource.items():
        if name not in {"id", "meta"} | _SKIPPED:
            yield from _element(name, value, ())


def _element(name: str, value: Any, above: tuple[Words, ...]) -> Iterator[tuple[Words, str]]:
    if name == "extension":
        for found in members(value):
            plain = {k: v for k, v in found.items() if k != "url"}
            url = text(found, "url")
            label = EXTENSIONS.get(url, (url, url))
            for inner, content in plain.items():
                if inner.startswith("value"):
                    yield from _walk(content, (*above, label))
                else:
                    yield from _element(inner, content, (*above, label))
        return
    label = ELEMENTS.get(name.lstrip("_"), (name, name))
    if isinstance(value, list):
        for i, member in enumerate(value, 1):
            numbered = (f"{label[0]} {i}", f"{label[1]} {i}") if len(value) > 1 else label
            yield from _walk(member, (*above, numbered))
    else:
        yield from _walk(value, (*above, label))


def _walk(value: Any, labels: tuple[Words, ...]) -> Iterator[tuple[Words, str]]:
    if not isinstance(value, Mapping):
        yield _joined(labels), _spoken(value)
    elif "reference" in value:
        yield _joined(labels), str(value["reference"])
        yield from _others(value, {"reference"}, labels)
    elif text(value, "system") and text(value, "code"):
        yield _joined(labels), _coding(value)
    elif text(value, "system") and text(value, "value"):
        system = text(value, "system")
        number = SYSTEMS.get(system, (system, system))
        yield _joined((*labels, number)), str(value["value"])
        yield from _others(value, {"system", "value"}, labels)
    elif set(value) == {"coding"}:
        yield _joined(labels), ", ".join(_coding(c) for c in members(value["coding"]))
    else:
        for name, inner in value.items():
            if name not in _SKIPPED or (name == "text" and isinstance(inner, str)):
                yield from _element(name, inner, labels)


def _others(
    value: Mapping[str, Any], said: set[str], labels: tuple[Words, ...]
) -> Iterator[tuple[Words, str]]:
    for name, inner in value.items():
        if name not in said:
            yield from _element(name, inner, labels)


def _joined(labels: tuple[Words, ...]) -> Words:
    return ", ".join(da for da, _ in labels), ", ".join(en for _, en in labels)


def _coding(coding: Mapping[str, Any]) -> str:
    known = displays().get((text(coding, "system"), text(coding, "code")))
    spoken = " / ".join(w for w in known if w) if known else str(coding.get("display", ""))
    return f"{spoken} ({coding.get('code')})" if spoken else str(coding.get("code"))


def _spoken(value: Any) -> str:
    if isinstance(value, bool):
        return "ja / yes" if value else "nej / no"
    return str(value)


def _base64(resource: Resource) -> Iterator[str]:
    todo: list[Any] = [resource]
    while todo:
        item = todo.pop()
        if isinstance(item, Mapping):
            if isinstance(item.get("data"), str):
                # The start is enough: a narrative that shows any of it shows the start.
                yield item["data"][:64]
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)

"""What somebody could send instead of a document, made from a good one of the same format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

MEGABYTES_10 = "x" * (10 << 20)
DEEP = 100_000
URL = b"http://ki-hub.example/hostile"


@dataclass(frozen=True)
class Hostile:
    """A body that no sender of good will makes."""

    name: str
    body: bytes
    refused: bool
    """It must not be accepted; else both answers are right, and a crash is not."""


def hostile(body: bytes) -> Iterator[Hostile]:
    """Every kind that can be made of this document."""
    yield from _encodings(body)
    if body.lstrip().startswith(b"<"):
        yield from _xml(body)
    else:
        yield from _json(body)


def _encodings(body: bytes) -> Iterator[Hostile]:
    text = body.decode("utf-8")
    declared = text.lstrip().startswith("<?xml")
    yield Hostile("latin-1 said to be UTF-8", _foreign(text).encode("latin-1", "replace"), True)
    # XML says its encoding; JSON between systems is UTF-8 (RFC 8259).
    yield Hostile("UTF-16", text.encode("utf-16"), not declared and not text.startswith("<"))
    yield Hostile("UTF-32", text.encode("utf-32"), not declared)
    yield Hostile("UTF-7", text.encode("utf-7"), False)
    yield Hostile("lone surrogate", text.encode() + b"\xed\xa0\x80", True)
    yield Hostile("NUL", body.replace(b">", b">\x00", 1).replace(b"{", b"{\x00", 1), True)
    yield Hostile("nothing", b"", True)
    yield Hostile("byte order mark twice", b"\xef\xbb\xbf" * 2 + body, True)


def _foreign(text: str) -> str:
    """With a letter outside ASCII, wherever the document has a text."""
    return re.sub(r"[a-z]{4}", "æøåé", text, count=5) if text.isascii() else text


def _xml(body: bytes) -> Iterator[Hostile]:
    text = body.decode()
    root = re.search(r"<([A-Za-z][\w:.-]*)", text)
    assert root is not None
    name, start = root[1], root.start()
    value = re.search(r">([^<>\s][^<>]*)<", text)
    assert value is not None

    def doctype(inside: str, use: str) -> bytes:
        put = text[: value.start(1)] + use + text[value.end(1) :]
        return (put[:start] + f"<!DOCTYPE {name} [{inside}]>" + put[start:]).encode()

    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    yield Hostile("entity", doctype('<!ENTITY a "b">', "&a;"), True)
    yield Hostile("entity bomb", doctype(f'<!ENTITY l0 "ha">{laughs}', "&l11;"), True)
    yield Hostile("external entity", doctype('<!ENTITY a SYSTEM "file:///etc/hostname">', "&a;"),
                  True)  # fmt: skip
    yield Hostile("parameter entity", doctype(
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;', "x"), True)  # fmt: skip
    yield Hostile("default attribute", doctype(f'<!ATTLIST {name} a CDATA "b">', "x"), True)

    def inside(added: str) -> bytes:
        end = text.index(">", start)
        return (text[: end + 1] + added + text[end + 1 :]).encode()

    yield Hostile("huge attribute", text.replace(name, f'{name} a="{MEGABYTES_10}"', 1).encode(),
                  True)  # fmt: skip
    yield Hostile("huge text", (text[: value.start(1)] + MEGABYTES_10 + text[value.end(1) :])
                  .encode(), False)  # fmt: skip
    attributes = " ".join(f'a{i}=""' for i in range(200_000))
    yield Hostile("many attributes", text.replace(name, f"{name} {attributes}", 1).encode(), True)
    yield Hostile("deep", inside("<a>" * DEEP + "</a>" * DEEP), True)
    yield Hostile("deep and open", inside("<a>" * DEEP), True)
    yield Hostile("inclusion", inside(
        '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/hostname" parse="text"/>'
    ), True)  # fmt: skip
    yield Hostile("an attribute twice", text.replace(name, f'{name} a="1" a="2"', 1).encode(), True)
    yield Hostile("two roots", body + body[start:], True)
    yield Hostile("another version", re.sub(r"/1\.0\b", "/9.7", text).encode(), False)
    yield Hostile("two versions", re.sub(r"/1\.0\b", "/9.7", text, count=1).encode(), False)
    same = re.sub(r"(Identifier>)[^<]+<", r"\g<1>same<", text)
    yield Hostile("one identifier for all", same.encode(), False)
    blocks = re.finditer(r"<(\w+)[^>]*>(?:(?!<\1\b).){50,900}?</\1>", text, re.DOTALL)
    for block in list(blocks)[-1:]:
        wrong = re.sub(r">[^<>\s][^<>]*<", ">?<", block[0]) * 20_000
        put = text[: block.start()] + wrong + text[block.end() :]
        yield Hostile("many wrong items", put.encode(), True)


def _json(body: bytes) -> Iterator[Hostile]:
    text = body.decode()
    first = text.index("{") + 1
    yield Hostile("a name twice", (text[:first] + '"resourceType": "Patient",' + text[first:])
                  .encode(), True)  # fmt: skip
    yield Hostile("deep", (text[:first] + '"a":' + "[" * DEEP + "]" * DEEP + "," + text[first:])
                  .encode(), True)  # fmt: skip
    yield Hostile("deep and open", (text[:first] + '"a":' + '{"a":' * DEEP).encode(), True)
    yield Hostile("huge name", (text[:first] + f'"{MEGABYTES_10}": 1,' + text[first:]).encode(),
                  False)  # fmt: skip
    for name, change in _CHANGES.items():
        content = json.loads(text)
        if change(content):
            yield Hostile(name, json.dumps(content).encode(), False)
    for value in ("1e999999999", "NaN", "1" * 100_000):
        put = re.sub(r'("status": ?)"[a-z-]+"', rf"\g<1>{value}", text, count=1)
        if put != text:
            yield Hostile(f"number {value[:12]}", put.encode(), True)


def _entries(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [e for e in content.get("entry", ()) if isinstance(e, dict)]


def _references(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _one_address(content: dict[str, Any]) -> bool:
    for entry in _entries(content):
        entry["fullUrl"] = "urn:uuid:00000000-0000-4000-8000-000000000001"
    return bool(_entries(content))


def _one_id(content: dict[str, Any]) -> bool:
    for entry in _entries(content):
        entry["resource"]["id"] = "same"
    return bool(_entries(content))


def _everything_refers_to(number: int) -> Callable[[dict[str, Any]], bool]:
    def change(content: dict[str, Any]) -> bool:
        found = _entries(content)
        if not found:
            return False
        target = found[min(number, len(found) - 1)].get("fullUrl", "")
        for reference in _references(content):
            reference["reference"] = target
        return True

    return change


def _in_a_ring(content: dict[str, Any]) -> bool:
    """Each resource is part of, and based on, the next one."""
    found = _entries(content)
    for one, other in zip(found, found[1:] + found[:1], strict=True):
        link = [{"reference": other.get("fullUrl", "")}]
        one["resource"] |= {"partOf": link, "basedOn": link}
    return bool(found)


def _all_versions(content: dict[str, Any]) -> bool:
    content["fhirVersion"] = "5.0.0"
    content["meta"] = {"profile": [f"{URL.decode()}|{v}" for v in ("1", "2", "2")]}
    return True


def _old_urls(content: dict[str, Any]) -> bool:
    """Half of the addresses in an older generation's form."""
    flat = json.dumps(content)
    parts = flat.split("http://fhir.kl.dk/core/")
    if len(parts) < 3:
        return False
    old = "http://kl.dk/fhir/common/caresocial/"
    made = parts[0] + "".join(
        (old if i % 2 else "http://fhir.kl.dk/core/") + p for i, p in enumerate(parts[1:])
    )
    content.clear()
    content.update(json.loads(made))
    return True


def _huge_text(content: dict[str, Any]) -> bool:
    found = _entries(content)
    target = found[0]["resource"] if found else content
    target["language"] = MEGABYTES_10
    return True


def _entries_twice(content: dict[str, Any]) -> bool:
    content["entry"] = [*_entries(content), *_entries(content)]
    return bool(content["entry"])


_CHANGES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "one address for all": _one_address,
    "one id for all": _one_id,
    "everything refers to the first": _everything_refers_to(0),
    "everything refers to the last": _everything_refers_to(10_000),
    "references in a ring": _in_a_ring,
    "versions of all kinds": _all_versions,
    "two generations of addresses": _old_urls,
    "huge text": _huge_text,
    "every entry twice": _entries_twice,
}

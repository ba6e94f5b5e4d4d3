"""A document's bytes as a checked tree, as a record, and as a fingerprint."""

from __future__ import annotations

from copy import deepcopy
from hashlib import sha256
from typing import Any, Final

from lxml import etree

from adapters.behandlingsplan import schema
from hub.errors import InputRefused, Malformed, Unsupported
from hub.fhir.codec import parse_xml

Record = dict[str, Any]
"""An element's children by local name: text, a Record, or a list of them for repeated ones."""

_OF_THE_MESSAGE: Final = ("MessageIdentifier", "SentDateTime")


def q(name: str) -> str:
    """The element's name in the format's namespace, as lxml writes it."""
    return f"{{{schema.NAMESPACE}}}{name}"


def read(body: bytes) -> etree._Element:
    """The root of a valid document.

    Raises Malformed or TooLarge for what is no XML of this kind, Unsupported for another version
    of the format, UnknownCode or Invalid (with every finding) for what the schema does not allow.
    """
    root = parse_xml(body)
    name = etree.QName(root)
    if name.namespace != schema.NAMESPACE:
        if (name.namespace or "").startswith(schema.VERSIONS):
            raise Unsupported(f"This version of the format is not read; send {schema.NAMESPACE}")
        raise Malformed(f"The root element is in another namespace; it is {schema.NAMESPACE}")
    if name.localname != schema.ROOT:
        raise Malformed(f"The root element is not {schema.ROOT}")
    schema.check(root)
    return root


def record(element: etree._Element) -> Record:
    """The element's content. Blank text becomes empty: it says nothing."""
    found: Record = {}
    for child in element:
        name = etree.QName(child).localname
        value = record(child) if len(child) else _text(name, child.text or "")
        if name in schema.ITEMS:
            found.setdefault(name, []).append(value)
        elif name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _text(name: str, text: str) -> str:
    # As the schema has it: free text keeps its white space, every other type collapses it.
    if name.endswith("Text"):
        return text if text.strip() else ""
    return " ".join(text.split())


def fingerprint(body: bytes) -> str:
    """SHA-256 (hex) of the canonical XML without message id and time; of the bytes if not XML.

    Never raises, since a document is recorded before it is understood.
    """
    try:
        root = deepcopy(parse_xml(body))
    except InputRefused:
        return sha256(body).hexdigest()
    header = root.find(q("MessageHeader"))
    if header is not None:
        for name in _OF_THE_MESSAGE:
            for element in header.findall(q(name)):
                header.remove(element)
    return sha256(etree.tostring(root, method="c14n2")).hexdigest()

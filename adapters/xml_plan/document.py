"""A document's bytes as a checked tree, as a record, and as a fingerprint."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from lxml import etree

from adapters.xml_plan.local import Exchange
from adapters.xml_plan.schema import Schema
from hub.codes import LocalCodes
from hub.contract import Loss
from hub.errors import InputRefused, Malformed, Unsupported
from hub.fhir.codec import parse_xml
from hub.mapping import mappings_folder
from hub.mapping.trace import sourced

Record = dict[str, Any]
"""An element's children by local name: text, a Record, or a list of them for repeated ones."""

MAX_TAGS: Final = 20_000
"""Of a document, closing tags counted too; a plan with everything has a thousand. To say where
each of n wrong items is takes the square of n."""
_OF_THE_MESSAGE: Final = ("MessageIdentifier", "SentDateTime")


@dataclass(frozen=True)
class Opened:
    """A valid document."""

    root: etree._Element
    losses: tuple[Loss, ...]
    """Where a code of the sender's own says more than the one that took its place."""


@dataclass(frozen=True)
class XmlFormat:
    """One format: its registered name and its published schema."""

    name: str
    schema: Schema

    def read(self, body: bytes) -> etree._Element:
        """The root of a valid document; raises what :meth:`opened` does."""
        return self.opened(body, None).root

    def opened(self, body: bytes, local: LocalCodes | None) -> Opened:
        """A valid document, its sender's own codes exchanged for those of the schema.

        Raises Malformed or TooLarge for what is no XML of this kind, Unsupported for another
        version of the format, UnknownCode or Invalid (with every finding) for what the schema
        does not allow.
        """
        root = parse_xml(body, parts=MAX_TAGS)
        name, schema = etree.QName(root), self.schema
        if name.namespace != schema.namespace:
            if (name.namespace or "").startswith(schema.versions):
                raise Unsupported(
                    f"This version of the format is not read; send {schema.namespace}"
                )
            raise Malformed(f"The root element is in another namespace; it is {schema.namespace}")
        if name.localname not in schema.roots:
            raise Malformed(f"The root element is not {' or '.join(schema.roots)}")
        losses = self.exchange(local).to_shared(root) if local is not None else []
        schema.check(root)
        return Opened(root, tuple(losses))

    def is_valid(self, root: etree._Element, local: LocalCodes | None) -> bool:
        """The schema allows it, with the receiver's own codes exchanged for those of the schema."""
        if local is not None:
            root = deepcopy(root)
            self.exchange(local).to_shared(root)
        return not self.schema.issues_of(root)

    def exchange(self, local: LocalCodes) -> Exchange:
        """Between a party's own codes and those of the schema."""
        return Exchange(self.schema, mappings_folder(self.name), local)

    def content(self, element: etree._Element) -> Record:
        """The content of an element of a document, told where it stands if someone asks."""
        return sourced(self.record(element), self.schema.path_of(element), 1)

    def record(self, element: etree._Element) -> Record:
        """The element's content. Blank text becomes empty: it says nothing."""
        found: Record = {}
        for child in element:
            name = etree.QName(child).localname
            value = self.record(child) if len(child) else _text(name, child.text or "")
            if name in self.schema.items:
                found.setdefault(name, []).append(value)
            elif name not in found:
                found[name] = value
            elif isinstance(found[name], list):
                found[name].append(value)
            else:
                found[name] = [found[name], value]
        return found

    def fingerprint(self, body: bytes) -> str:
        """SHA-256 (hex) of the canonical XML without message id and time; of bytes if not XML.

        Never raises, since a document is recorded before it is understood.
        """
        try:
            root = deepcopy(parse_xml(body))
        except InputRefused:
            return sha256(body).hexdigest()
        header = root.find(f"{{{self.schema.namespace}}}MessageHeader")
        if header is not None:
            for name in _OF_THE_MESSAGE:
                for element in header.findall(f"{{*}}{name}"):
                    header.remove(element)
        return sha256(etree.tostring(root, method="c14n2")).hexdigest()


def _text(name: str, text: str) -> str:
    # As the schema has it: free text keeps its white space, every other type collapses it.
    if name.endswith("Text"):
        return text if text.strip() else ""
    return " ".join(text.split())

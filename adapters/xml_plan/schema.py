"""A published XML schema, and its findings told without values.

libxml2's messages quote the document's values and names, so none of them is passed on: an issue
holds a text of this module, the line, and a path of names that the schema itself knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

from lxml import etree

from hub.errors import Invalid, Issue, UnknownCode
from hub.mapping.xsd import XS, sources

_STEP = re.compile(r"(?P<name>[^\[/]+)(?:\[(?P<number>\d+)\])?")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (?P<names>[^()]*) \)\.\s*$")
_LOCAL = re.compile(r"\{[^}]*\}(\w+)")

_CODE_ERROR = "SCHEMAV_CVC_ENUMERATION_VALID"
_VALUE_ERROR = "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"
_IDENTITY = "SCHEMAV_CVC_IDC"
_NO_SUCH = re.compile(
    r"Element '\{[^}]*\}(?P<name>\w+)': No match found for key-sequence \['(?P<value>.*)'\] of",
    re.DOTALL,
)
_TEXTS: Final = {
    _CODE_ERROR: "The code is not in the format's list; use a listed code",
    "SCHEMAV_CVC_PATTERN_VALID": "The value does not have the form that the schema asks for",
    "SCHEMAV_CVC_MINLENGTH_VALID": "The element is empty; fill it in or leave it out",
    "SCHEMAV_CVC_MAXLENGTH_VALID": "The value is longer than the schema allows",
    _VALUE_ERROR: "The value is not of the element's type",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "The number is smaller than the schema allows",
    _IDENTITY: "Two items in the list have the same identifier",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "There is text between the elements",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "The schema knows no such attribute",
    "SCHEMAV_CVC_TYPE_3_1_1": "The schema knows no such attribute",
}
_FORMS: Final = {
    "PersonCivilRegistrationIdentifier": "Not a CPR number: a date (DDMMÅÅ) and four digits, "
    "without a hyphen",
    "NationalReplacementIdentifier": "Not an X-eCPR: DDMMÅÅ, 1 or 7, two capitals, a digit",
    "RegionalReplacementIdentifier": "Not a D-eCPR: DDMMÅÅ, 0, 5 or 6, two capitals, a digit",
    "SenderSORIdentifier": "Not a SOR code: 11 to 18 digits",
    "UnitSORIdentifier": "Not a SOR code: 11 to 18 digits",
}
"""What a value's form is, by element, where the name of the type does not say it."""


class Schema:
    """A published schema. One instance per file, shared by all threads."""

    def __init__(
        self, file: Path, *, versions: str, roots: tuple[str, ...], items: frozenset[str]
    ) -> None:
        self.file = file
        self.versions = versions
        """What every version's namespace starts with."""
        self.namespace = f"{versions}1.0"
        self.roots = roots
        """Local names a document may begin with."""
        self.items = items
        """Elements that a path names with an index, also when there is only one."""
        # lxml keeps the findings of a validation on the schema object: one thread at a time.
        self._lock = Lock()

    @cached_property
    def _compiled(self) -> etree.XMLSchema:
        return etree.XMLSchema(etree.parse(self.file))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every element name that the schema and what it includes know."""
        return frozenset(
            str(e.get("name")) for tree in sources(self.file) for e in tree.iter(f"{XS}element")
        )

    def check(self, root: etree._Element) -> None:
        """Raise Invalid with every finding, or UnknownCode when all of them are unknown codes."""
        issues = self.issues_of(root)
        if issues:
            error = UnknownCode if all(i.code == UnknownCode.code for i in issues) else Invalid
            text = f"The document breaks its schema in {len(issues)} place(s)"
            raise error(text, issues=issues)

    def issues_of(self, root: etree._Element) -> tuple[Issue, ...]:
        """Every finding, one for each place, in document order."""
        with self._lock:
            if self._compiled.validate(root):
                return ()
            # The log is read while locked; libxml2 adds a second, vaguer entry for most places.
            log = cast("Iterable[Any]", self._compiled.error_log)  # lxml-stubs: no iterator
            entries = [(e.line, e.path or "", e.type_name, e.message or "") for e in log]
        found: dict[str, Issue] = {}
        for line, node, kind, message in entries:
            element = _referring(root, message, line) if not node else _element_at(root, node)
            place = self.path_of(element)
            found.setdefault(place, _issue(element, kind, message, f"line {line}: {place}"))
        return tuple(found.values())

    def path_of(self, element: etree._Element) -> str:
        """An XPath-like path; a name that the schema does not know is told as ``*``."""
        steps: list[str] = []
        here: etree._Element | None = element
        while here is not None:
            name = etree.QName(here).localname
            known = name if name in self.names else "*"
            steps.append(known + _number(here, always=name in self.items))
            here = here.getparent()
        return "/" + "/".join(reversed(steps))


def _issue(element: etree._Element, kind: str, message: str, at: str) -> Issue:
    if kind == _CODE_ERROR:
        return Issue("error", UnknownCode.code, _TEXTS[kind], at)
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        return Issue("error", "structure", _order_text(message), at)
    if kind == _IDENTITY and _NO_SUCH.match(message):
        return Issue("error", "value", "No item in the document has that identifier", at)
    name = etree.QName(element).localname
    text = _FORMS.get(name) or _TEXTS.get(kind, "The element is not as the schema asks")
    return Issue("error", "value" if kind in _TEXTS else "structure", text, at)


def _order_text(message: str) -> str:
    wrong = "Elements are missing" if "Missing child" in message else "Not expected here"
    # Only the tail is read: it lists names from the schema, the head names from the document.
    match = _EXPECTED.search(message)
    names = _LOCAL.findall(match["names"]) if match else []
    return f"{wrong}; expected: {', '.join(names)}" if names else f"{wrong}; remove it"


def _element_at(root: etree._Element, node: str) -> etree._Element:
    """The element at libxml2's node path: ``*`` counts all siblings, a name counts its own."""
    here = root
    for step in _STEP.finditer(node.removeprefix("/").partition("/")[2]):
        children = [c for c in here if isinstance(c.tag, str)]
        if step["name"] != "*":
            children = [c for c in children if _written(c) == step["name"]]
        number = int(step["number"] or 1)
        if step["name"].startswith("@") or number > len(children):
            break
        here = children[number - 1]
    return here


def _referring(root: etree._Element, message: str, line: int) -> etree._Element:
    """The element that refers to nothing: libxml2 tells its name, value and line, but no path."""
    match = _NO_SUCH.match(message)
    found = (
        []
        if match is None
        else [
            e
            for e in root.iter(f"{{*}}{match['name']}")
            if " ".join((e.text or "").split()) == match["value"]
        ]
    )
    return min(found, key=lambda e: str(e.sourceline) != str(line), default=root)


def _written(element: etree._Element) -> str:
    name = etree.QName(element).localname
    return f"{element.prefix}:{name}" if element.prefix else name


def _number(element: etree._Element, *, always: bool) -> str:
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    if always or before or next(element.itersiblings(element.tag), None) is not None:
        return f"[{before + 1}]"
    return ""

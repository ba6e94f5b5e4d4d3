"""The published XML schema, and its findings told without values.

libxml2's messages quote the document's values and names, so none of them is passed on: an issue
holds a text of this module, the line, and a path of names that the schema itself knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

from lxml import etree

from hub.errors import Invalid, Issue, UnknownCode

VERSIONS: Final = "https://ki-hub.example/xml/behandlingsplan/"
"""What every version's namespace starts with."""
NAMESPACE: Final = f"{VERSIONS}1.0"
ROOT: Final = "TreatmentPlan"
ITEMS: Final = frozenset(
    {"Goal", "TreatmentEffort", "Medicine", "SomaticFinding", "JournalNote", "SectionCode"}
)
"""Elements that a path names with an index, also when there is only one."""

_FILE = Path(__file__).with_name("behandlingsplan-1.0.xsd")
_XS = "{http://www.w3.org/2001/XMLSchema}"
_STEP = re.compile(r"(?P<name>[^\[/]+)(?:\[(?P<number>\d+)\])?")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (?P<names>[^()]*) \)\.\s*$")
_LOCAL = re.compile(r"\{[^}]*\}(\w+)")

_LOCK = Lock()
"""lxml keeps the findings of a validation on the schema object, so one thread at a time."""

_CODE_ERROR = "SCHEMAV_CVC_ENUMERATION_VALID"
_VALUE_ERROR = "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"
_TEXTS: Final = {
    _CODE_ERROR: "The code is not in the format's list; use a listed code",
    "SCHEMAV_CVC_PATTERN_VALID": "The value does not have the form that the schema asks for",
    "SCHEMAV_CVC_MINLENGTH_VALID": "The element is empty; fill it in or leave it out",
    "SCHEMAV_CVC_MAXLENGTH_VALID": "The value is longer than the schema allows",
    _VALUE_ERROR: "The value is not of the element's type",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "The number is smaller than the schema allows",
    "SCHEMAV_CVC_IDC": "Two items in the list have the same identifier",
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


@lru_cache(maxsize=1)
def _schema() -> tuple[etree.XMLSchema, frozenset[str]]:
    tree = etree.parse(_FILE)
    names = frozenset(str(e.get("name")) for e in tree.iter(f"{_XS}element"))
    return etree.XMLSchema(tree), names


def check(root: etree._Element) -> None:
    """Raise Invalid with every finding, or UnknownCode when all of them are unknown codes."""
    issues = issues_of(root)
    if issues:
        error = UnknownCode if all(i.code == UnknownCode.code for i in issues) else Invalid
        raise error(f"The document breaks its schema in {len(issues)} place(s)", issues=issues)


def issues_of(root: etree._Element) -> tuple[Issue, ...]:
    """Every finding, one for each place, in document order."""
    schema, known = _schema()
    with _LOCK:
        if schema.validate(root):
            return ()
        # The log is read while locked; libxml2 adds a second, vaguer entry for most places.
        log = cast("Iterable[Any]", schema.error_log)  # lxml-stubs has no iterator for it
        entries = [(e.line, e.path or "", e.type_name, e.message or "") for e in log]
    found: dict[str, Issue] = {}
    for line, node, kind, message in entries:
        element = _element_at(root, node)
        place = path_of(element, known)
        found.setdefault(place, _issue(element, kind, message, f"line {line}: {place}"))
    return tuple(found.values())


def _issue(element: etree._Element, kind: str, message: str, at: str) -> Issue:
    if kind == _CODE_ERROR:
        return Issue("error", UnknownCode.code, _TEXTS[kind], at)
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        return Issue("error", "structure", _order_text(message), at)
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


def _written(element: etree._Element) -> str:
    name = etree.QName(element).localname
    return f"{element.prefix}:{name}" if element.prefix else name


def path_of(element: etree._Element, known: frozenset[str] | None = None) -> str:
    """An XPath-like path; a name that the schema does not know is told as ``*``."""
    if known is None:
        known = _schema()[1]
    steps: list[str] = []
    here: etree._Element | None = element
    while here is not None:
        name = etree.QName(here).localname
        steps.append((name if name in known else "*") + _number(here, name))
        here = here.getparent()
    return "/" + "/".join(reversed(steps))


def _number(element: etree._Element, name: str) -> str:
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    if name in ITEMS or before or next(element.itersiblings(element.tag), None) is not None:
        return f"[{before + 1}]"
    return ""

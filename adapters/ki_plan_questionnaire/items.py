"""A filled template as items: one for each element, by the schema's types.

A linkId is the element's path, so it leads from an item to the element of the template and back.
Texts are Danish, from ``mappings/ki-plan-questionnaire/labels.csv``.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any, Final

from lxml import etree

from adapters.ki_plan_xml.document import FORMAT
from adapters.ki_plan_xml.writing import element_types
from hub.mapping import mappings_folder

Item = dict[str, Any]

_XS = "{http://www.w3.org/2001/XMLSchema}"
_LABELS = mappings_folder("ki-plan-questionnaire") / "labels.csv"

LEFT_OUT: Final = frozenset(
    {
        "MessageHeader", "CitizenIdentifier", "ContactIdentifier", "TeamIdentifier",
        "MeetingIdentifier", "StatusNoteIdentifier", "ChallengeIdentifier", "GoalIdentifier",
        "InterventionIdentifier", "SectorPlanIdentifier", "UnitIdentifier",
    }
)  # fmt: skip
"""Keys, which mean nothing to a reader; the plan's own is the Questionnaire's identifier."""

_TYPES: Final = {
    "boolean": "boolean",
    "DateType": "date",
    "DateTimeType": "dateTime",
    "RankNumberType": "integer",
    "TextType": "text",
}
"""Item types by the schema's; every other is a string."""


def items(root: etree._Element) -> list[Item]:
    """The items of the filled template, in its order."""
    return list(_items(root, "CoordinatedActionPlanType", "", _names(root)))


def _items(
    parent: etree._Element, type_name: str, at: str, names: dict[str, str]
) -> Iterator[Item]:
    count: Counter[str] = Counter()
    siblings = Counter(etree.QName(e).localname for e in parent)
    for name, group in groupby(parent, lambda e: etree.QName(e).localname):
        if name in LEFT_OUT:
            continue
        found, kind = list(group), element_types()[type_name][name]
        label = _label(name)
        if kind not in element_types():
            yield {"linkId": f"{at}{name}"} | label | _answer(name, kind, found, names)
            continue
        for element in found:
            count[name] += 1
            several = name in FORMAT.schema.items or siblings[name] > 1
            path = f"{at}{name}[{count[name]}]" if several else f"{at}{name}"
            inner = list(_items(element, kind, f"{path}/", names))
            # R4, que-1: a group holds items.
            yield (
                {"linkId": path}
                | label
                | ({"type": "group", "item": inner} if inner else {"type": "display"})
            )


def _answer(
    name: str, kind: str, found: list[etree._Element], names: dict[str, str]
) -> dict[str, Any]:
    """Type and initial values of an item; an empty element has none."""
    texts = [e.text for e in found if e.text]
    many = {"repeats": True} if name in FORMAT.schema.items else {}
    if name == "GoalReferenceIdentifier":
        ranks = [{"valueInteger": int(names[t])} for t in texts]
        return {"type": "integer"} | many | ({"initial": ranks} if ranks else {})
    if name.endswith("ReferenceIdentifier"):
        texts = [names[t] for t in texts]
    options = _options().get(kind)
    if options is not None:
        return {"type": "choice"} | many | {"answerOption": [
            {"valueCoding": {"code": code, "display": display}}
            | ({"initialSelected": True} if code in texts else {})
            for code, display in options
        ]}  # fmt: skip
    type_ = _TYPES.get(kind, "string")
    if kind == "PartialDateType":
        type_ = "dateTime" if any("T" in t for t in texts) else "date"
    values = [_value(type_, t) for t in texts]
    return {"type": type_} | many | ({"initial": values} if values else {})


def _value(type_: str, text: str) -> dict[str, Any]:
    if type_ == "boolean":
        return {"valueBoolean": text in {"true", "1"}}
    if type_ == "integer":
        return {"valueInteger": int(text)}
    name = {"date": "valueDate", "dateTime": "valueDateTime"}.get(type_, "valueString")
    return {name: text}


def _names(root: etree._Element) -> dict[str, str]:
    """What a reference is read as: a goal by its number, anyone else by name or function."""
    found: dict[str, str] = {}
    for element in root.iter():
        own = next(
            (
                e.text or ""
                for name in ("CitizenIdentifier", "ContactIdentifier", "UnitIdentifier",
                             "GoalIdentifier")
                if (e := element.find(f"{{*}}{name}")) is not None
            ),
            "",
        )  # fmt: skip
        if own:
            words = ("RankNumber", "PersonName", "PersonSurnameName", "TitleText", "RelationText",
                     "UnitName", "SORIdentifier", "LocalUnitIdentifier")  # fmt: skip
            told = (element.findtext(f"{{*}}{word}") for word in words)
            found[own] = next((t for t in told if t), own)
    return found


@cache
def _labels() -> dict[str, dict[str, str]]:
    with _LABELS.open(encoding="utf-8-sig", newline="") as lines:
        return {
            row["element"]: ({"prefix": row["prefix"]} if row["prefix"] else {})
            | {"text": row["label"]}
            for row in csv.DictReader(lines)
        }


def _label(name: str) -> dict[str, str]:
    return _labels()[name]


@cache
def _options() -> dict[str, list[tuple[str, str]]]:
    """The codes of each enumerated type of the schema, with what they mean."""
    found = {}
    for declared in etree.parse(FORMAT.schema.file).iter(f"{_XS}simpleType"):
        codes = [
            (
                str(e.get("value")),
                str(e.findtext(f"{_XS}annotation/{_XS}documentation")).rstrip("."),
            )
            for e in declared.iter(f"{_XS}enumeration")
        ]
        if codes:
            found[str(declared.get("name"))] = codes
    return found

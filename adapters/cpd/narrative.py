"""The plan's words as CDA narrative; the values are those of the printed plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree

from adapters.cpd.xml import add
from adapters.xml_plan.text import xml_text

_MISSING = "ikke angivet"


def numbered(text: etree._Element, rows: Iterable[Mapping[str, str]], name: str) -> None:
    """An ordered list; each member has an ID that its entry points at."""
    found = add(text, "list", listType="ordered")
    for number, row in enumerate(rows, 1):
        item = add(found, "item", **({"ID": f"{name}-{number}"} if name else {}))
        for value in (row.get("number"), row.get("label"), row["text"]):
            _paragraph(item, value)
        _field(item, "Tidshorisont", row.get("horizon"))
        _field(item, "Status", row.get("state"))
        _field(item, "Område", row.get("sections"))


def efforts(text: etree._Element, rows: Iterable[Mapping[str, str]], name: str) -> None:
    """The interventions with everything that is agreed on them."""
    found = add(text, "list", listType="ordered")
    for number, row in enumerate(rows, 1):
        item = add(found, "item", **({"ID": f"{name}-{number}"} if name else {}))
        _field(item, "Ad mål", row["goals"])
        _paragraph(item, row["name"])
        _paragraph(item, row["text"])
        for label, key in (
            ("Ansvarlig", "performers"),
            ("Tidsplan", "time"),
            ("Periode", "period"),
            ("Succeskriterium", "success"),
            ("Plan B", "fallback"),
            ("Opfølgning", "follow_up"),
            ("Status", "status"),
            ("Område", "sections"),
        ):
            _field(item, label, row[key])


def citizen(text: etree._Element, values: Mapping[str, Any]) -> None:
    """Section A as printed."""
    found = values["citizen"]
    for label, key in (
        ("Navn", "name"),
        ("Adresse", "address"),
        ("Tlf.nr.", "phone"),
        ("E-mail", "email"),
        ("Cpr-nr.", "cpr"),
    ):
        _field(text, label, found[key])
    _field(text, "Samtykke til at udarbejde planen", values["consent"] or _MISSING)


def people(text: etree._Element, values: Mapping[str, Any]) -> None:
    """Section B as printed."""
    lead = [values["lead"]] if values["lead"] else []
    found = add(text, "list", listType="unordered")
    for person in [*lead, *values["people"], *values["relatives"]]:
        item = add(found, "item")
        _field(item, "Rolle", person["roles"])
        for key in ("title", "name", "unit"):
            _paragraph(item, person[key])
        _field(item, "Telefon", person["phone"])
        _field(item, "E-mail", person["email"])
    if not lead and not len(found):
        add(found, "item", _MISSING)


def meeting(text: etree._Element, values: Mapping[str, Any]) -> None:
    """Section C as printed."""
    found = values["meeting"]
    if found is None:
        _paragraph(text, _MISSING)
        return
    _field(text, "Dato for mødet", " ".join(x for x in (found["date"], found["hours"]) if x))
    for label, key in (("Til stede", "present"), ("Mødeleder", "chair"), ("Referent", "minutes")):
        for name in found[key]:
            _field(text, label, name)
    for person in found["declined"]:
        _field(text, "Afbud", person["who"])
        _field(text, "Grund", person["reason"])


def notes(text: etree._Element, rows: Iterable[Mapping[str, str]]) -> None:
    """Status notes, each in its actor's own words."""
    for row in rows:
        _field(text, row["actor"], row["date"] or None, always=True)
        _paragraph(text, row["text"])
        _field(text, "Område", row["sections"])
    if not len(text):
        _paragraph(text, _MISSING)


def following(text: etree._Element, values: Mapping[str, Any]) -> None:
    """Section H as printed."""
    found = values["next"]
    _field(text, "Dato for næste møde", found["time"] if found else _MISSING)
    if found:
        _paragraph(text, found["window"])
        _field(text, "Sted", found["place"])
        for convener in found["conveners"]:
            _field(text, "Mødet indkaldes af", convener["who"])
            _paragraph(text, convener["when"])
    _field(text, "Plan godkendt af borger", "Ja" if values["approved"] else "Ikke godkendt endnu")
    if values["decision"]:
        _field(text, "Borgerens svar", values["decision"]["said"])
        for condition in values["decision"]["conditions"]:
            _field(text, "Betingelse", condition)
    for postscript in values["postscripts"]:
        _field(text, "Efterskrift", postscript["text"])
        _paragraph(text, postscript["author"])
        _paragraph(text, postscript["date"])


def registration(text: etree._Element, values: Mapping[str, Any]) -> None:
    """Section I as printed."""
    found = values["registration"]
    for label, key in (
        ("Niveau", "level"),
        ("Forankring", "anchoring"),
        ("Indstillet", "proposed"),
        ("Indstillet af", "proposed_by"),
        ("Planen er skrevet", "created"),
        ("Planen gælder", "period"),
    ):
        _field(text, label, found[key] or _MISSING)
    for case in found["cases"]:
        _field(text, "Sagsnummer", case)
    _field(text, "Plan", values["plan_id"])
    _field(text, "Version", values["version"])
    _field(text, "Dannet", values["printed"])


def sector(text: etree._Element, plan: Mapping[str, Any]) -> None:
    """One sector's own plan as printed in annex J."""
    _field(text, "Formål", plan["purpose"] or _MISSING)
    _field(text, "Periode", plan["period"] or _MISSING)
    for key, label in (("problems", "Udfordringer"), ("goals", "Mål")):
        if plan[key]:
            _paragraph(text, label)
            numbered(text, plan[key], "")
    if plan["interventions"]:
        _paragraph(text, "Indsatser")
        efforts(text, plan["interventions"], "")
    for row in plan["notes"]:
        _field(text, row["actor"], row["date"] or None, always=True)
        _paragraph(text, row["text"])
        _field(text, "Område", row["sections"])


def _field(parent: etree._Element, label: str, value: str | None, *, always: bool = False) -> None:
    """A paragraph ``label: value``; nothing without a value, unless the label says enough."""
    if value or always:
        _paragraph(parent, f"{label}: {value}" if value else label)


def _paragraph(parent: etree._Element, value: str | None) -> None:
    if not value:
        return
    paragraph = add(parent, "paragraph")
    first, *rest = xml_text(value).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    paragraph.text = first
    for line in rest:
        add(paragraph, "br").tail = line

"""Makes the base R4 tables: the facts of FHIR 4.0.1 that the validator walks, without its prose.

Source: HL7's "definitions" files of version 4.0.1 (CC0) as an npm package carries them, with what
its makers added undone (:mod:`hub.runtime.r4_package` says what); types they added fall out by
their version, and reference targets because no type of that name is left. What is kept of an
element is its place, cardinality, types, required binding and constraint expressions; of a value
set its codes. Names, definitions, comments and the wording of constraints are left out.

The result is three files of a folder: ``types.json`` and ``valuesets.json``, JSON objects with
one entry per line so that a reader can parse single entries, and ``source.json``, which says
what they were made from. The same source gives the same bytes.

Shape of ``types.json``: type name to ``{"kind", "base", "rules", "elements"}`` (a primitive has
``regex`` instead of elements). An element is ``[path without the type, min, max, types, facts]``;
max 0 means "*" and -1 none, a type is ``Reference(Patient|Group)``, ``canonical(ValueSet)``,
``Quantity(SimpleQuantity)`` or a plain code; facts may hold ``binding`` (a key of valuesets.json),
``content`` (path of the element whose content is repeated), ``rules``, ``attribute`` (an XML
attribute) and ``summary``. A rule is ``[key, severity, expression]``, with ``"best-practice"``
last where R4 marks it so. Shape of ``valuesets.json``: canonical without version to
``{"codes": {system: [code]}}`` or ``{"unexpanded": why}``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hub.errors import Misconfigured
from hub.fhir.validation.expansion import Expander, Unexpanded
from hub.runtime.r4_package import ADDED, PACKAGE, VERSION

_FILES: Final = (
    "profiles-types.json",
    "profiles-resources.json",
    "valuesets.json",
    "v3-codesystems.json",
    "v2-tables.json",
)
_STRUCTURE: Final = "http://hl7.org/fhir/StructureDefinition/"
_MAX_SET: Final = f"{_STRUCTURE}elementdefinition-maxValueSet"
_BEST_PRACTICE: Final = f"{_STRUCTURE}elementdefinition-bestpractice"
_FHIR_TYPE: Final = f"{_STRUCTURE}structuredefinition-fhir-type"
_REGEX: Final = f"{_STRUCTURE}regex"

_CORRECTED: Final = {
    # R4B: the code of the status is "noshow".
    "Appointment.cancelationReason.exists() implies (Appointment.status='no-show'"
    " or Appointment.status='cancelled')": (
        "Appointment.cancelationReason.exists() implies (Appointment.status='noshow'"
        " or Appointment.status='cancelled')"
    ),
    # FHIR-37729, R5 and HL7's validator: "when" repeats, and "in" takes a single value.
    "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))": (
        "offset.empty() or (when.exists()"
        " and when.select($this in ('C' | 'CM' | 'CD' | 'CV')).allFalse())"
    ),
}
"""Expressions of R4 that do not say what their own wording says, as HL7 corrected them later."""

_INHERITED: Final = {"ele-1", "ext-1"}
"""Repeated on every element of the source; they hold for Element and Extension as such."""

Json = Mapping[str, Any]


def make(source: Path, target: Path) -> dict[str, int]:
    """Write the tables; returns how many types, elements, rules and value sets they hold.

    ``source`` is the package's folder (the one with ``package.json``). Raises Misconfigured if
    it is not there or is another version of the package.
    """
    folder = source / "dist" / "fhir" / "r4"
    package = json.loads(_read(source / "package.json"))
    if (package["name"], package["version"]) != PACKAGE:
        raise Misconfigured(f"The tables are made from {' '.join(PACKAGE)}, not from another")
    files = {name: _read(folder / name) for name in _FILES}
    loaded = {name: json.loads(body) for name, body in files.items()}
    definitions = list(_definitions(loaded["profiles-types.json"]))
    definitions += _definitions(loaded["profiles-resources.json"])
    names = frozenset(d["name"] for d in definitions)
    types = {d["name"]: _type(d, names) for d in definitions}
    bound = sorted({url for table in types.values() for url in _bindings(table)})
    expander = Expander(e["resource"] for name in _FILES[2:] for e in loaded[name]["entry"])
    sets = {url: _expanded(expander, url) for url in bound}
    target.mkdir(parents=True, exist_ok=True)
    _write(target / "types.json", types)
    _write(target / "valuesets.json", sets)
    counted = _count(types, sets)
    _write(target / "source.json", _origin(package, files) | {"counts": counted})
    return counted


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Misconfigured(
            f"{path.name} cannot be read; name the folder of npm's {PACKAGE[0]}"
        ) from None


def _definitions(bundle: Json) -> Iterator[Json]:
    """The data types and resources of one source file, in its order."""
    for entry in bundle["entry"]:
        found = entry["resource"]
        if found["resourceType"] != "StructureDefinition" or found.get("kind") == "logical":
            continue
        if found.get("fhirVersion") == VERSION:
            yield found


def _type(definition: Json, names: frozenset[str]) -> dict[str, Any]:
    elements = definition["snapshot"]["element"]
    root, rest = elements[0], elements[1:]
    made: dict[str, Any] = {"kind": definition["kind"].removesuffix("-type")}
    if "baseDefinition" in definition:
        made["base"] = _tail(definition["baseDefinition"])
    if definition.get("derivation") == "constraint":
        made["of"] = definition["type"]
    if definition["abstract"]:
        made["abstract"] = True
    rules = _rules(root, definition["name"])
    if rules:
        made["rules"] = rules
    binding = _binding(root)
    if binding:
        made["binding"] = binding
    if definition["kind"] == "primitive-type":
        regex = next((_regex(e) for e in rest if e["path"].endswith(".value")), None)
        return made | ({"regex": regex} if regex else {})
    return made | {"elements": [_element(e, names) for e in rest if e["path"] not in ADDED]}


def _element(element: Json, names: frozenset[str]) -> list[Any]:
    owner, _, path = element["path"].partition(".")
    most = element["max"]
    facts: dict[str, Any] = {}
    if "contentReference" in element:
        facts["content"] = element["contentReference"].removeprefix("#").partition(".")[2]
    if binding := _binding(element):
        facts["binding"] = binding
    if rules := _rules(element, owner):
        facts["rules"] = rules
    if "xmlAttr" in element.get("representation", ()):
        facts["attribute"] = True
    if element.get("isSummary"):
        facts["summary"] = True
    # R4 4.0.1 calls Resource.id a string; its datatypes page and its own schema say id.
    is_id = path == "id" and element["base"]["path"] == "Resource.id"
    types = ["id"] if is_id else [_type_of(t, names) for t in element.get("type", ())]
    length = -1 if most == "0" else 0 if most == "*" else int(most)
    made = [path, element["min"], length, types]
    return [*made, facts] if facts else made


def _type_of(declared: Json, names: frozenset[str]) -> str:
    code: str = declared["code"]
    if code.startswith("http://hl7.org/fhirpath/"):
        code = _extension(declared, _FHIR_TYPE) or "string"
    targets = [_tail(url) for url in declared.get("targetProfile", ())]
    inside = [name for name in targets if name in names] or [
        _tail(url) for url in declared.get("profile", ())
    ]
    if inside == ["Resource"]:
        inside = []
    return f"{code}({'|'.join(inside)})" if inside else code


def _rules(element: Json, owner: str) -> list[list[str]]:
    """The rules that start here; inherited ones come with the type they are defined on."""
    own = []
    for rule in element.get("constraint", ()):
        inherited = _tail(rule.get("source", owner)) != owner
        if inherited or (rule["key"] in _INHERITED and owner not in {"Element", "Extension"}):
            continue
        if rule["key"] in _INHERITED and "." in element["path"]:
            continue
        best = ["best-practice"] if _extension(rule, _BEST_PRACTICE) else []
        expression = _CORRECTED.get(rule["expression"], rule["expression"])
        own.append([rule["key"], rule["severity"], expression, *best])
    return own


def _binding(element: Json) -> str | None:
    """The value set that a code must be of: a required binding, or the limit of a looser one."""
    binding = element.get("binding")
    if binding is None:
        return None
    url = binding["valueSet"] if binding["strength"] == "required" else None
    url = url or _extension(binding, _MAX_SET)
    return url.partition("|")[0] if url else None


def _bindings(table: Json) -> Iterator[str]:
    if "binding" in table:
        yield table["binding"]
    for element in table.get("elements", ()):
        if len(element) > 4 and "binding" in element[4]:
            yield element[4]["binding"]


def _regex(element: Json) -> str | None:
    return next((r for t in element.get("type", ()) if (r := _extension(t, _REGEX))), None)


def _extension(holder: Json, url: str) -> Any:
    for extension in holder.get("extension", ()):
        if extension["url"] == url:
            return next(v for k, v in extension.items() if k.startswith("value"))
    return None


def _tail(url: str) -> str:
    return url.rpartition("/")[2]


def _expanded(expander: Expander, url: str) -> dict[str, Any]:
    try:
        members = expander.members(url)
    except Unexpanded as e:
        return {"unexpanded": str(e)}
    made: dict[str, list[str]] = {}
    for system, code in sorted(members):
        made.setdefault(system, []).append(code)
    return {"codes": made}


def _origin(package: Json, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the tables were made from: the package and one digest over the files read."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{len(files[name])}\n".encode())
        digest.update(files[name])
    return {
        "fhirVersion": VERSION,
        "package": package["name"],
        "version": package["version"],
        "sha256": digest.hexdigest(),
    }


def _count(types: Mapping[str, Json], sets: Mapping[str, Json]) -> dict[str, int]:
    elements = [e for t in types.values() for e in t.get("elements", ())]
    rules = [t.get("rules", ()) for t in types.values()]
    rules += [e[4].get("rules", ()) for e in elements if len(e) > 4]
    return {
        "types": len(types),
        "elements": len(elements),
        "rules": sum(len(r) for r in rules),
        "valueSets": len(sets),
        "unexpanded": sum("unexpanded" in s for s in sets.values()),
    }


def _write(path: Path, entries: Mapping[str, Any]) -> None:
    """A JSON object with one entry per line, in the order of the names."""
    lines: Iterable[str] = (
        f"{json.dumps(name)}:{json.dumps(entries[name], separators=(',', ':'))}"
        for name in sorted(entries)
    )
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
